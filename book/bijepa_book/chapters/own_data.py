"""Chapter 7's data whose truth is known: prey and predators, of which only the prey are counted.

What can be read from a model of them, and the anomalies with which the chapter tests section 5.6.
The chapter's table of real series is in :mod:`bijepa_book.chapters.watch`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bijepa_book.records import medians
from bijepa_core._support.checks import check_positive
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.diagnostics import inconsistency
from bijepa_core.evaluation.metrics import auroc, mahalanobis
from bijepa_core.evaluation.probes import Features, ridge_probe
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.networks import MLPPredictor
from bijepa_core.seeds import generator, init_stacked
from bijepa_core.training import pretrain

LENGTH, WINDOW, DT = 40, 20, 0.3
TRAIN, PROBE, HELD_OUT = 4_000, 1_000, 4_000  # systems in each set
EMBEDDING, HIDDEN, STEPS, SEEDS = 16, 64, 2_000, 4

Array = NDArray[np.float64]
Shares = dict[str, float]
"""What was read, and the share of its held-out variance left unexplained."""
Score = Callable[[Tensor, Tensor], Tensor]
"""Maps windows x and y to one number a sample, high where something is odd."""


class Ecosystems(NamedTuple):
    """Many predator-prey systems, one a row; numbers of animals as logarithms.

    Args:
        prey: counted, with noise, ``(n, 40)``.
        predators: never counted, ``(n, 40)``.
        pace: how fast predators live, ``(n,)``.
    """

    prey: Tensor
    predators: Tensor
    pace: Tensor


def ecosystems(count: int, source: torch.Generator, noise: float = 0.05) -> Ecosystems:
    """Lotka and Volterra's equations from random starts, solved by scipy as one large system.

    Args:
        count: how many systems.
        source: of all randomness.
        noise: standard deviation of the counting error, on the logarithm.

    Returns:
        The systems; their clocks tick every 0.3 units of time.

    Raises:
        ValueError: if count is not positive.
    """
    from scipy.integrate import solve_ivp

    check_positive(count=count)
    pace = 0.5 + 1.5 * torch.rand(count, generator=source)
    start = torch.exp(torch.randn(2 * count, generator=source) / 2)
    error = noise * torch.randn(count, LENGTH, generator=source)
    rate: Array = pace.double().numpy()
    times = DT * np.arange(LENGTH)

    def flow(_: float, state: Array) -> Array:
        prey, predators = state.reshape(2, -1)
        return np.concatenate([prey * (1 - predators), rate * predators * (prey - 1)])

    solution = solve_ivp(
        flow, (0, times[-1]), start.double().numpy(), "DOP853", times, rtol=1e-7, atol=1e-9
    )
    logs = torch.from_numpy(np.log(solution.y)).float().view(2, count, LENGTH)
    return Ecosystems(logs[0] + error, logs[1], pace)


def windows(prey: Tensor) -> tuple[Tensor, Tensor]:
    """Context and target, ``(n, 1, 20)`` each: one channel, as a convolution wants it."""
    x, y = prey[:, None, :WINDOW], prey[:, None, WINDOW:]
    return x.contiguous(), y.contiguous()


class PreyEncoder(nn.Module):
    """A small 1-D convolutional encoder, written as a reader would.

    Args:
        embedding: width d of the embedding.
    """

    def __init__(self, embedding: int = EMBEDDING) -> None:
        super().__init__()
        self.input_shape = (1, WINDOW)
        self.net = nn.Sequential(
            nn.Conv1d(1, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv1d(32, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(-2),
            nn.Linear(32 * 5, HIDDEN),
            nn.LayerNorm(HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, embedding),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, 1, 20)`` to ``(batch, d)``."""
        return self.net(x)


def new_model(seed: int, alpha: float = 0.5) -> BiJEPA:
    """A fresh model with the reader's encoder."""
    predictor = partial(MLPPredictor, EMBEDDING, HIDDEN)
    return init_stacked(lambda: BiJEPA(PreyEncoder(), predictor, alpha=alpha), seed)


def train(
    systems: Ecosystems, seed: int, *, alpha: float = 0.5, steps: int = STEPS, progress: bool = True
) -> tuple[BiJEPA, History]:
    """A model trained on systems, and its history."""
    model = new_model(seed, alpha)
    batches = DrawnBatches(*windows(systems.prey), batch_size=64, seeds=seed)
    history = pretrain(model, batches, steps=steps, device="cpu", progress=progress)
    return model, history


def share(features: Features, goal: str, fit: Ecosystems, judge: Ecosystems) -> float:
    """What a fair probe leaves unexplained of a goal, held out: 0 all read, 1 nothing.

    Args:
        features: of a window.
        goal: see :func:`goals`.
        fit, judge: systems to fit the probe on, and to judge it on.

    Returns:
        Mean squared error over the goal's variance.
    """
    side, known = goals(fit)[goal]
    _, truth = goals(judge)[goal]
    seen, unseen = (features(windows(s.prey)[side]) for s in (fit, judge))
    probe = ridge_probe(seen, known)
    return float(probe.mse(unseen.double(), truth.double()) / truth.var())


def goals(systems: Ecosystems) -> dict[str, tuple[int, Tensor]]:
    """What is to be read, from which window (0: x, 1: y), ``(n, 1)``.

    The next count and the last one of y, from x; the predators as x ends, and their pace, from x;
    the last count and the first one of x, from y.
    """
    prey, predators, pace = systems
    return {
        "next prey": (0, prey[:, WINDOW, None]),
        "late prey": (0, prey[:, -1, None]),
        "predators": (0, predators[:, WINDOW - 1, None]),
        "pace": (0, pace[:, None]),
        "prey before": (1, prey[:, WINDOW - 1, None]),
        "first prey": (1, prey[:, 0, None]),
    }


def raw(window: Tensor) -> Tensor:
    """The counts themselves as features."""
    return window.flatten(1)


def products(window: Tensor) -> Tensor:
    """The counts and all products of two of them, ``(n, 230)``: a nonlinear baseline."""
    counts = window.flatten(1)
    i, j = torch.triu_indices(counts.shape[1], counts.shape[1])
    return torch.cat([counts, counts[:, i] * counts[:, j]], dim=1)


def probe_shares(model: BiJEPA, fit: Ecosystems, judge: Ecosystems) -> dict[str, Shares]:
    """Every goal from Protocol A and from Protocol B, or from their mirror images for y.

    Returns:
        For ``A`` and ``B``, each goal's share; without a predictor that does not exist.
    """
    rows: dict[str, Shares] = {"A": {}, "B": {}}
    predictors = (model.forward_predictor, model.backward_predictor)
    for goal, (side, _) in goals(judge).items():
        rows["A"][goal] = share(model.embed, goal, fit, judge)
        if predictors[side] is not None:
            predict = (model.predict_forward, model.predict_backward)[side]
            rows["B"][goal] = share(predict, goal, fit, judge)
    return rows


def odd_windows(x: Tensor, other: Tensor, source: torch.Generator) -> dict[str, Tensor]:
    """Windows with something wrong.

    Args:
        x: good windows, ``(n, 1, 20)``.
        other: those of other systems, of x's shape.
        source: of all randomness.

    Returns:
        ``spike``: one count too high; ``static``: three times the usual noise on top;
        ``undercount``: from the tenth count on, four animals in ten are missed; ``stuck``: six
        equal counts; ``spliced``: the second half belongs to another system, moved to fit;
        ``reversed``: time runs backward.
    """
    n, half = len(x), WINDOW // 2
    spike, under, stuck, spliced = x.clone(), x.clone(), x.clone(), x.clone()
    where = torch.randint(WINDOW, (n,), generator=source)
    spike[torch.arange(n), 0, where] += 0.5
    under[..., half:] -= 0.5
    stuck[..., half - 2 : half + 4] = stuck[..., half - 2 : half - 1]
    spliced[..., half:] = other[..., half:] - other[..., half : half + 1] + x[..., half : half + 1]
    return {
        "spike": spike,
        "static": x + 0.15 * torch.randn(x.shape, generator=source),
        "undercount": under,
        "stuck": stuck,
        "spliced": spliced,
        "reversed": x.flip(-1),
    }


def odd_pairs(x: Tensor, y: Tensor, other: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Pairs of good windows that do not belong together as they stand.

    Args:
        x, y: windows that do.
        other: the second windows of other systems.

    Returns:
        ``mismatched``: y of another system; ``swapped``: y before x; ``backward``: the whole
        series in reverse; ``undercount``: in y four animals in ten are missed.
    """
    return {
        "mismatched": (x, other),
        "swapped": (y, x),
        "backward": (y.flip(-1), x.flip(-1)),
        "undercount": (x, y - 0.5),
    }


def window_scores(model: BiJEPA, x: Tensor) -> dict[str, Score]:
    """Scores of a window x alone; good windows ``(n, 1, 20)`` fit the baselines."""
    on_counts, on_embedding = mahalanobis(raw(x)), mahalanobis(model.embed(x))
    return {
        "inconsistency": lambda a, _: inconsistency(model, a),
        "distance, embedding": lambda a, _: on_embedding(model.embed(a)),
        "distance, counts": lambda a, _: on_counts(raw(a)),
    }


def pair_scores(model: BiJEPA, x: Tensor, y: Tensor) -> dict[str, Score]:
    """Scores of a pair; good windows ``(n, 1, 20)`` fit the baselines."""
    line = ridge_probe(raw(x), raw(y))
    on_counts = mahalanobis(torch.cat([raw(x), raw(y)], dim=1))

    def forward(a: Tensor, b: Tensor) -> Tensor:
        return (model.forecast(a) - model.embed(b)).square().sum(-1)

    def backward(a: Tensor, b: Tensor) -> Tensor:
        return (model.infer_past(b) - model.embed(a)).square().sum(-1)

    return {
        "forecast error": forward,
        "both errors": lambda a, b: forward(a, b) + backward(a, b),
        "linear forecast": lambda a, b: (line(raw(a).double()) - raw(b)).square().sum(-1),
        "distance, counts": lambda a, b: on_counts(torch.cat([raw(a), raw(b)], dim=1)),
    }


def detection(
    scores: Mapping[str, Score],
    good: tuple[Tensor, Tensor],
    odd: Mapping[str, tuple[Tensor, Tensor]],
) -> dict[str, Shares]:
    """The AUROC of every score (columns) on every kind of oddity (rows)."""
    usual = {name: score(*good) for name, score in scores.items()}
    return {
        kind: {name: auroc(usual[name], score(*pair)) for name, score in scores.items()}
        for kind, pair in odd.items()
    }


def anomalies(model: BiJEPA, train: Ecosystems, judge: Ecosystems) -> dict[str, dict[str, Shares]]:
    """Section 5.6 put to the test, on half of the held-out systems against the other half's.

    Returns:
        ``windows`` and ``pairs``: AUROC by kind and score.
    """
    (x, other_x), (y, other_y) = (view.chunk(2) for view in windows(judge.prey))
    seen = windows(train.prey)
    odd = odd_windows(x, other_x, generator(0, "own/odd"))
    return {
        "windows": detection(
            window_scores(model, seen[0]), (x, y), {kind: (bad, y) for kind, bad in odd.items()}
        ),
        "pairs": detection(pair_scores(model, *seen), (x, y), odd_pairs(x, y, other_y)),
    }


def draw_sets(seed: int = 0) -> tuple[Ecosystems, Ecosystems, Ecosystems]:
    """Training, probe and held-out systems."""
    counts = {"train": TRAIN, "probe": PROBE, "held-out": HELD_OUT}
    first, second, third = (
        ecosystems(n, generator(seed, f"own/{purpose}")) for purpose, n in counts.items()
    )
    return first, second, third


def median_tables(tables: list[dict[str, Shares]]) -> dict[str, Shares]:
    """Medians over seeds of tables with the same rows and columns."""
    return medians(
        {
            row: {column: [table[row][column] for table in tables] for column in columns}
            for row, columns in tables[0].items()
        }
    )


def record() -> dict[str, Any]:
    """What the chapter compares itself with: models of seeds 0 to 3, on one draw of systems."""
    learn, fit, judge = draw_sets()
    models = [train(learn, seed)[0] for seed in range(SEEDS)]
    read = median_tables([probe_shares(model, fit, judge) for model in models])
    plain = {
        name: {goal: share(features, goal, fit, judge) for goal in goals(judge)}
        for name, features in {"counts": raw, "products": products}.items()
    }
    fresh = median_tables(
        [{"untrained": probe_shares(new_model(seed), fit, judge)["A"]} for seed in range(SEEDS)]
    )
    found = [anomalies(model, learn, judge) for model in models]
    return {
        "seeds": list(range(SEEDS)),
        "read": {**plain, **fresh, **read},
        "windows": median_tables([one["windows"] for one in found]),
        "pairs": median_tables([one["pairs"] for one in found]),
    }
