"""What samples say, and how good it is: read-outs, proper scores, calibration."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bijepa_book.evidence.second.stacked import converged
from bijepa_core._support.checks import inference
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.scores import Scores
from bijepa_core.layers import Linear
from bijepa_core.seeds import Seeds, check_seeds, init_stacked
from bijepa_core.stochastic import energy_score

HIDDEN, EPOCHS = 64, 30  # of a read-out
INTERVAL = 0.8  # whose coverage is asked
BINS = 10  # of forecast probabilities

ReadOut = Callable[[Tensor], Tensor]


def read_out(embedding: Tensor, values: Tensor, seeds: Seeds) -> ReadOut:
    """From an embedding to numbers: one hidden layer, trained until it has converged.

    Args:
        embedding: of the target encoder, ``(seeds, n, d)``; standardized for the network.
        values: what is to be read from it, ``(seeds, n, k)``.
        seeds: initialize the network.

    Returns:
        Maps embeddings ``(..., seeds, n, d)`` to ``(..., seeds, n, k)``.
    """
    width, k = embedding.shape[-1], values.shape[-1]
    mean = embedding.mean(-2, keepdim=True)
    deviation = embedding.std(-2, keepdim=True).clamp_min(1e-8)
    network: nn.Module = init_stacked(
        lambda: nn.Sequential(
            Linear(width, HIDDEN), nn.ReLU(), Linear(HIDDEN, HIDDEN), nn.ReLU(), Linear(HIDDEN, k)
        ),
        check_seeds(seeds),
    )

    def loss(read: Tensor, rows: Tensor) -> Tensor:
        return (read - values[..., rows, :]).square().mean((-2, -1))

    network = converged(network, (embedding - mean) / deviation, loss, epochs=EPOCHS)

    def read(embedding: Tensor) -> Tensor:
        with inference(network):
            flat = embedding.reshape(-1, *embedding.shape[-3:])
            return torch.stack([network((one - mean) / deviation) for one in flat]).reshape(
                *embedding.shape[:-1], k
            )

    return read


def crps(samples: Tensor, truth: Tensor) -> Tensor:
    """The continuous ranked probability score of samples, unbiased; of one, its distance.

    Args:
        samples: ``(m, ...)``.
        truth: ``(...)``.

    Returns:
        ``(...)``.
    """
    import scoringrules

    if len(samples) == 1:
        return (samples[0] - truth).abs()
    found: Any = scoringrules.crps_ensemble(
        truth.double().numpy(), samples.double().movedim(0, -1).numpy(), estimator="pwm"
    )
    return torch.from_numpy(found)


def energy(samples: Tensor, truth: Tensor) -> Tensor:
    """The energy score of samples, unbiased; of one, its distance.

    Args:
        samples: ``(m, n, k)``.
        truth: ``(n, k)``.

    Returns:
        ``(n,)``.
    """
    if len(samples) == 1:
        return (samples[0] - truth).norm(dim=-1)
    parts = zip(samples.split(250, dim=1), truth.split(250), strict=True)
    return torch.cat([energy_score(drawn, true) for drawn, true in parts])


def level(samples: Tensor, truth: Tensor) -> Tensor:
    """The share of samples below the truth: uniform where forecasts are calibrated.

    Args:
        samples: ``(m, ...)``.
        truth: ``(...)``.

    Returns:
        ``(...)``, in the middles of ``m + 1`` equal steps; 0 or 1 of a single sample, which leaves
        nothing open.
    """
    if len(samples) == 1:
        return (samples[0] < truth).double()
    return ((samples < truth).double().sum(0) + 0.5) / (len(samples) + 1)


def unevenness(levels: Tensor) -> Tensor:
    """How far levels are from uniform: the greatest gap between distribution functions.

    Args:
        levels: ``(seeds, n)``.

    Returns:
        ``(seeds,)``, 0 to 1.
    """
    n = levels.shape[-1]
    even = (torch.arange(n) + 0.5) / n
    return (levels.double().sort(-1).values - even).abs().amax(-1)


def said(samples: Tensor, truth: Tensor) -> Scores:
    """The scores of samples of numbers.

    Args:
        samples: ``(m, seeds, n, k)``.
        truth: ``(seeds, n, k)``.

    Returns:
        One number a seed under each name: ``crps``, of the first number; ``energy``, of all;
        ``coverage`` of the central interval of 80 %; ``unevenness`` of the first one's levels.
    """
    first, true = samples[..., 0], truth[..., 0]
    levels, edge = level(first, true), (1 - INTERVAL) / 2
    scores = {
        "crps": crps(first, true).mean(-1),
        "coverage": ((levels > edge) & (levels < 1 - edge)).double().mean(-1),
        "unevenness": unevenness(levels),
    }
    if truth.shape[-1] > 1:
        each = [energy(samples[:, i], one) for i, one in enumerate(truth)]
        scores["energy"] = torch.stack(each).mean(-1)
    return {name: per_seed(score) for name, score in scores.items()}


def side(samples: Tensor, truth: Tensor) -> tuple[Scores, Tensor]:
    """Which side of zero: the right well, the right wing.

    Args:
        samples: ``(m, seeds, n, 1)``.
        truth: ``(seeds, n, 1)``.

    Returns:
        Scores: ``brier``, and ``miscalibration``, the mean distance between the probability that
        was said and how often it came true, over ten bins; and the curve behind it, ``(seeds, 3,
        BINS)``: how often each probability was said, its mean, how often it came true (0 where it
        was never said).
    """
    import scoringrules

    chance = (samples[..., 0] > 0).double().mean(0)
    came = (truth[..., 0] > 0).double()
    brier: Any = scoringrules.brier_score(came.numpy(), chance.numpy())
    place = (chance * BINS).long().clamp_max(BINS - 1)
    member = torch.nn.functional.one_hot(place, BINS).double()  # (seeds, n, BINS)
    often = member.sum(-2)
    claimed, true = (
        (member * part[..., None]).sum(-2) / often.clamp_min(1) for part in (chance, came)
    )
    gap = ((claimed - true).abs() * often).sum(-1) / often.sum(-1)
    curve = torch.stack([often / often.sum(-1, keepdim=True), claimed, true], -2)
    return (
        {"brier": per_seed(torch.from_numpy(brier).mean(-1)), "miscalibration": per_seed(gap)},
        curve,
    )
