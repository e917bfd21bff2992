"""BiJEPA on sine waves: the whole method in one file of plain PyTorch.

    python examples/minimal.py

A wave has a past x and a future y, and one encoder embeds both. A forward predictor learns to
tell the embedding of y from that of x; a backward predictor, the embedding of x from that of y.
No sample of a wave is predicted until the training is over: then linear probes ask what can be
read from the embeddings. Equations, sections and sizes are those of the paper, Huang 2026,
https://arxiv.org/abs/2603.00049. The package bijepa_core computes the same numbers.
"""

import copy
import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SEED = 42
LENGTH, CONTEXT = 20, 10  # samples in a wave, and how many of them are its past
NOISE = 0.05  # standard deviation
HIDDEN, EMBED = 64, 16  # widths of the hidden layers and of the embedding
ALPHA = 0.5  # weight of the forward direction (Eq. 8); 1 is classic JEPA (Eq. 4)
TAU = 0.995  # momentum of the target encoder (Eq. 5)
STEPS, BATCH, LOG_EVERY = 2000, 64, 500
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-4  # decay and LayerNorm: the soft constraint of section 3.3
PROBE_WAVES = 1000  # to fit the probes, and as many again to judge them


def waves(count: int) -> tuple[Tensor, Tensor]:
    """New noisy waves sin(w t + phi), as past x and future y (section 4.2)."""
    t = torch.linspace(0, 4 * math.pi, LENGTH)  # (20,), in radians
    w = 0.8 + 0.4 * torch.rand(count, 1)  # (count, 1), from U(0.8, 1.2)
    phi = 2 * math.pi * torch.rand(count, 1)  # (count, 1), from U(0, 2 pi)
    wave = torch.sin(w * t + phi) + NOISE * torch.randn(count, LENGTH)  # (count, 20)
    return wave[:, :CONTEXT], wave[:, CONTEXT:]


def mlp(*sizes: int) -> nn.Sequential:
    """Linear, LayerNorm and ReLU for each hidden layer, then a linear output (appendix B.3)."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.ReLU()]
    # Neither LayerNorm nor ReLU on the output: the embedding's scale stays free. (F.normalize
    # on it would be the paper's hard constraint, the unit sphere of Eq. 9.)
    return nn.Sequential(*layers[:-2])


def networks() -> tuple[nn.Module, ...]:
    """The online encoder, the target encoder and a predictor each way (Fig. 1B)."""
    f = mlp(CONTEXT, HIDDEN, HIDDEN, EMBED)
    P_fwd, P_bwd = mlp(EMBED, HIDDEN, EMBED), mlp(EMBED, HIDDEN, EMBED)
    f_bar = copy.deepcopy(f)
    return f, f_bar, P_fwd, P_bwd


def train(f: nn.Module, f_bar: nn.Module, P_fwd: nn.Module, P_bwd: nn.Module) -> Tensor:
    """Section 3 as a loop; returns each step's losses and relative losses, (steps, 4)."""
    trained = [*f.parameters(), *P_fwd.parameters(), *P_bwd.parameters()]  # and never f_bar's
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    history = []
    for step in range(1, STEPS + 1):
        x, y = waves(BATCH)  # (64, 10) each, new at every step
        s_x, s_y = f(x), f(y)  # (64, 16) each: Eq. 1, for both views
        with torch.no_grad():  # stop-gradient: targets must not come to meet the predictions
            t_x, t_y = f_bar(x), f_bar(y)  # (64, 16) each: Eq. 2, for both views
        forward = F.mse_loss(P_fwd(s_x), t_y)  # Eq. 6: the future from the past
        backward = F.mse_loss(P_bwd(s_y), t_x)  # Eq. 7: the past from the future
        # Means over the embedding, for Eq. 8's squared norms. The paper's script adds the two
        # directions unweighted, and so reports twice this loss.
        loss = ALPHA * forward + (1 - ALPHA) * backward  # Eq. 8

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():  # Eq. 5: the target encoder follows the online one, slowly
            for bar, online in zip(f_bar.parameters(), f.parameters(), strict=True):
                bar.copy_(TAU * bar + (1 - TAU) * online)

        # The loss moves with the embedding's scale. Divided by the targets' variance it does not:
        # 1 is as good as predicting their mean, 0 is perfect.
        relative_y = forward / t_y.var(0, correction=0).mean()
        relative_x = backward / t_x.var(0, correction=0).mean()
        history.append(torch.stack([forward, backward, relative_y, relative_x]).detach())
        if step == 1 or step % LOG_EVERY == 0:
            relative = f"{relative_y:.3f} forward, {relative_x:.3f} backward"
            print(f"step {step:4d}   loss {loss:.4f}   relative loss {relative}")
    return torch.stack(history)


def probe(features: Tensor, answers: Tensor) -> Tensor:
    """Least squares on the first waves; its forecasts for the others, which it has not seen."""
    features = F.pad(features, (0, 1), value=1.0)  # a column of ones, for the bias
    fit = torch.linalg.lstsq(features[:PROBE_WAVES], answers[:PROBE_WAVES])
    return features[PROBE_WAVES:] @ fit.solution


@torch.no_grad()
def evaluate(f: nn.Module, P_fwd: nn.Module) -> None:
    """Forecast the first sample of y from frozen networks, and without them (section 4.1)."""
    x, y = waves(2 * PROBE_WAVES)  # (2000, 10) each
    s_x, answers = f(x), y[:, :1]  # (2000, 16) and (2000, 1)
    forecasts = {  # (1000, 1) each
        "Protocol A: probe on s_x (Eq. 10)": probe(s_x, answers),
        "Protocol B: probe on P_fwd(s_x) (Eq. 11)": probe(P_fwd(s_x), answers),
        "the same probe on x itself": probe(x, answers),
        "copy the last value of x": x[PROBE_WAVES:, -1:],
    }
    print(f"\nmean squared error on held-out waves, whose noise alone makes {NOISE**2:.4f}")
    for name, forecast in forecasts.items():
        print(f"{name:42s}{F.mse_loss(forecast, answers[PROBE_WAVES:]):.4f}")


def main() -> None:
    """Train, then see what the networks know."""
    torch.manual_seed(SEED)
    f, f_bar, P_fwd, P_bwd = networks()
    train(f, f_bar, P_fwd, P_bwd)
    evaluate(f, P_fwd)


if __name__ == "__main__":
    main()
