"""Chapter 6: how much each direction counts, with views alike and with one view corrupted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from bijepa_book.records import medians
from bijepa_core._support.checks import check_positive, check_unit_interval
from bijepa_core.data import sine
from bijepa_core.data.streams import BLOCK
from bijepa_core.diagnostics import effective_rank, variance
from bijepa_core.evaluation.probes import Features, LinearProbe, adam_probe, ridge_probe
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.model import BiJEPA, Term
from bijepa_core.seeds import Seeds, check_seeds, sample_per_seed
from bijepa_core.training import pretrain

ALPHAS = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
SIGNAL = 0.5  # variance of a sine wave of amplitude 1
PROBE, HELD_OUT = 1_000, 10_000  # waves to fit a probe on, and to judge it on
Values = dict[str, list[float]]
"""What was measured, then one number a seed."""


@dataclass(frozen=True)
class View:
    """What stands between a wave and one of its two views.

    Args:
        noise: standard deviation of the noise added to every sample, on top of the wave's own.
        hidden: how many of the ten samples are set to zero, others in every wave.
        own: amplitude of a second wave that this view has and the other lacks, its frequency
            and phase drawn as the first one's.

    Raises:
        ValueError: if a number is negative, or more samples are hidden than there are.
    """

    noise: float = 0.0
    hidden: int = 0
    own: float = 0.0

    def __post_init__(self) -> None:
        if self.noise < 0 or self.own < 0 or not 0 <= self.hidden <= sine.CONTEXT:
            raise ValueError(
                f"noise and own must be at least 0, and hidden from 0 to {sine.CONTEXT}; "
                f"received {self!r}."
            )

    def of(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """The view of clean samples ``(..., 10)``; nothing is drawn where nothing is done."""
        if self.own:
            wave = sine.waves(tuple(samples.shape[:-1]), generator)[..., : sine.CONTEXT]
            samples = samples + self.own * wave
        if self.noise:
            samples = samples + self.noise * torch.randn(samples.shape, generator=generator)
        if self.hidden:
            order = torch.rand(samples.shape, generator=generator).argsort(-1)
            samples = samples * (order >= self.hidden)
        return samples

    def bits(self) -> float:
        """An estimate of I in Eq. 13: samples present, times the bits that one can carry.

        A sample of signal-to-noise ratio r carries ``log2(1 + r) / 2`` bits at most, were it
        Gaussian and independent of the others. A wave of the view's own counts as signal.
        """
        signal = SIGNAL * (1 + self.own**2)
        noise = sine.NOISE**2 * (1 + self.own**2) + self.noise**2
        return (sine.CONTEXT - self.hidden) * math.log2(1 + signal / noise) / 2


CLEAN = View()


def alpha_from_information(x: float, y: float) -> float:
    """Eq. 13.

    Args:
        x, y: information content of each view, in one unit.

    Returns:
        ``x / (x + y)``: the less y holds, the more the forward term counts.

    Raises:
        ValueError: if one is negative, or both are zero.
    """
    if min(x, y) < 0 or x + y <= 0 or not math.isfinite(x + y):
        raise ValueError(
            f"information must be finite, at least 0, and not 0 in both views; received {x!r} and "
            f"{y!r}."
        )
    return x / (x + y)


def alpha_of(x: View, y: View) -> float:
    """Eq. 13 with :meth:`View.bits` for I, to three digits."""
    return round(alpha_from_information(x.bits(), y.bits()), 3)


class ViewedBatches:
    """The waves of :class:`bijepa_core.data.sine.SineBatches`, each half through its view.

    Args:
        seeds: one seed, or several for a leading seed axis.
        x, y: what happens to the context and to the target.
        batch_size: waves a step.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``seeds`` are not proper seeds.
    """

    def __init__(
        self, seeds: Seeds, x: View = CLEAN, y: View = CLEAN, batch_size: int = SINE.batch_size
    ) -> None:
        check_seeds(seeds)
        check_positive(batch_size=batch_size)
        self.seeds, self.x, self.y, self.batch_size = seeds, x, y, batch_size
        self._block = lru_cache(maxsize=2)(self._draw_block)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x and y of one step, each ``(*seeds, batch, 10)``."""
        block, offset = divmod(step, BLOCK)
        x, y = self._block(block)
        return x[..., offset, :, :], y[..., offset, :, :]

    def _draw_block(self, block: int) -> tuple[Tensor, Tensor]:
        shape = (BLOCK, self.batch_size)
        series = sample_per_seed(self.seeds, "sine/train", lambda g: sine.waves(shape, g), block)
        return seen(series, self.seeds, "train", self.x, self.y, block)


def seen(
    series: Tensor, seeds: Seeds, purpose: str, x: View, y: View, index: int = 0
) -> tuple[Tensor, Tensor]:
    """Both views of clean waves.

    Args:
        series: ``(*seeds, ..., 20)``.
        seeds, purpose, index: of the generators; see :func:`bijepa_core.seeds.generator`.
        x, y: what happens to the context and to the target.

    Returns:
        The context and the target as the model sees them, ``(*seeds, ..., 10)`` each.
    """
    views = []
    for name, view, clean in zip("xy", (x, y), sine.split(series), strict=True):
        rows = iter([clean] if isinstance(seeds, int) else clean)
        views.append(
            sample_per_seed(
                seeds, f"view/{purpose}/{name}", lambda g: view.of(next(rows), g), index
            )
        )
    return views[0], views[1]


def train(
    alpha: float,
    seeds: Seeds,
    *,
    x: View = CLEAN,
    y: View = CLEAN,
    steps: int = SINE.steps,
    batch_size: int = SINE.batch_size,
    progress: bool = True,
) -> BiJEPA:
    """The expressive model of experiment 1 under another alpha, and through other views."""
    model = SINE.model(Configuration(alpha=alpha), seeds)
    pretrain(
        model,
        ViewedBatches(seeds, x, y, batch_size),
        steps=steps,
        learning_rate=SINE.learning_rate,
        device="cpu",
        progress=progress,
    )
    return model


@dataclass(frozen=True)
class Exam:
    """The waves a model is judged on: its views, and the clean values to be read from them.

    Args:
        x, y: what the model sees, ``(*seeds, n, 10)``.
        future: the first sample after the context, ``(*seeds, n, 1)``.
        past: the last sample before the target, ``(*seeds, n, 1)``.
    """

    x: Tensor
    y: Tensor
    future: Tensor
    past: Tensor


def exam(seeds: Seeds, purpose: str, count: int, x: View = CLEAN, y: View = CLEAN) -> Exam:
    """Draw one; the same waves in every condition."""
    series = sample_per_seed(seeds, f"alpha/{purpose}", lambda g: sine.waves(count, g))
    context, target = sine.split(series)
    return Exam(*seen(series, seeds, purpose, x, y), target[..., :1], context[..., -1:])


def readings(model: BiJEPA, seeds: Seeds, x: View = CLEAN, y: View = CLEAN) -> Values:
    """What can be read from a model in both directions, and how well it predicts itself.

    Protocols A and B, and their mirror images: the encoder on y, and the backward predictor,
    read for the sample before y.

    Args:
        model: trained under these seeds and views.
        seeds: the model's.
        x, y: the views.

    Returns:
        Held-out errors of converged probes, ``future A``, ``future B``, ``past A``, ``past B``;
        the same from the paper's probe on its own training set, with ``paper`` in front; the
        held-out ``forward`` and ``backward`` relative loss; and ``rank``, the effective rank of
        the embedding of x. What needs a predictor that does not exist is left out.
    """
    fit = exam(seeds, "probe", PROBE, x, y)
    judge = exam(seeds, "held-out", HELD_OUT, x, y)
    values: Values = {}
    for name, features, view, goal in (
        ("future A", model.embed, "x", "future"),
        ("future B", model.predict_forward, "x", "future"),
        ("past A", model.embed, "y", "past"),
        ("past B", model.predict_backward, "y", "past"),
    ):
        missing = {"future B": model.forward_predictor, "past B": model.backward_predictor}
        if missing.get(name, model) is None:
            continue
        values[name] = _converged(features, fit, judge, view, goal)
        quick = adam_probe(
            features(getattr(fit, view)), getattr(fit, goal), steps=SINE.probe_steps, seeds=seeds
        )
        values[f"paper {name}"] = _plain(quick.training_error)
    with torch.no_grad():
        losses = model(judge.x, judge.y)
    for direction, term in (("forward", losses.forward), ("backward", losses.backward)):
        if term is not None:
            values[direction] = _plain(unexplained(term))
    values["rank"] = _plain(effective_rank(model.embed(judge.x[..., :PROBE, :])))
    return values


def baselines(seeds: Seeds, x: View = CLEAN, y: View = CLEAN) -> dict[str, Values]:
    """The same errors without training: from the raw samples, and from an untrained encoder."""
    fit = exam(seeds, "probe", PROBE, x, y)
    judge = exam(seeds, "held-out", HELD_OUT, x, y)
    untrained = SINE.model(Configuration(), seeds)
    rows: dict[str, Features] = {"raw samples": lambda view: view, "untrained": untrained.embed}
    return {
        name: {
            "future A": _converged(features, fit, judge, "x", "future"),
            "past A": _converged(features, fit, judge, "y", "past"),
        }
        for name, features in rows.items()
    }


def unexplained(term: Term) -> Tensor:
    """The relative loss of one direction, ``(*seeds,)``."""
    return term.loss / variance(term.target)


def _converged(features: Features, fit: Exam, judge: Exam, view: str, goal: str) -> list[float]:
    probe: LinearProbe = ridge_probe(features(getattr(fit, view)), getattr(fit, goal))
    return _plain(probe.mse(features(getattr(judge, view)).double(), getattr(judge, goal).double()))


def _plain(values: Tensor) -> list[float]:
    listed: list[float] = torch.atleast_1d(values).tolist()
    return listed


def memory(model: BiJEPA, seeds: Seeds) -> Tensor:
    """Where in its window an embedding looks: each sample, read back from it.

    Args:
        model: trained under these seeds, on clean views.
        seeds: the model's.

    Returns:
        Held-out error of a converged probe for each sample of x from the embedding of x,
        ``(*seeds, 10)``.
    """
    fit, judge = exam(seeds, "probe", PROBE), exam(seeds, "held-out", HELD_OUT)
    probe = ridge_probe(model.embed(fit.x), fit.x)
    return (probe(model.embed(judge.x).double()) - judge.x).square().mean(-2)


def first_update(alpha: float, seed: int) -> dict[str, Tensor]:
    """What the first optimizer step changes, by part of the model.

    Args:
        alpha: strictly between 0 and 1.
        seed: of weights and waves.

    Returns:
        For ``online``, ``forward_predictor`` and ``backward_predictor``: how far each weight
        moved, all weights in one row ``(n,)``.

    Raises:
        ValueError: if alpha is 0 or 1, or outside.
    """
    if not 0 < alpha < 1:
        raise ValueError(
            f"alpha must lie strictly between 0 and 1, to have both predictors; received {alpha!r}."
        )
    before = SINE.model(Configuration(alpha=alpha), seed)
    after = train(alpha, seed, steps=1, progress=False)
    moved = {}
    for part in ("online", "forward_predictor", "backward_predictor"):
        start, end = before.get_submodule(part), after.get_submodule(part)
        pairs = zip(end.parameters(), start.parameters(), strict=True)
        moved[part] = torch.cat([(new - old).detach().flatten() for new, old in pairs])
    return moved


def sweep(
    alphas: Sequence[float],
    seeds: Seeds,
    *,
    x: View = CLEAN,
    y: View = CLEAN,
    steps: int = SINE.steps,
    progress: bool = True,
) -> dict[float, Values]:
    """Train and read a model for each alpha, the same seeds and waves in all."""
    check_unit_interval(**{f"alphas[{i}]": alpha for i, alpha in enumerate(alphas)})
    return {
        alpha: readings(train(alpha, seeds, x=x, y=y, steps=steps, progress=progress), seeds, x, y)
        for alpha in alphas
    }


VIEWS = {
    "noise 0.05": View(noise=0.05),
    "noise 0.2": View(noise=0.2),
    "noise 0.5": View(noise=0.5),
    "noise 1": View(noise=1.0),
    "hidden 2": View(hidden=2),
    "hidden 5": View(hidden=5),
    "hidden 8": View(hidden=8),
    "own 0.5": View(own=0.5),
    "own 1": View(own=1.0),
}
"""What happens to y in the second half of the chapter; x stays clean."""
GRID = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
ERRORS = ("future A", "future B", "past A", "past B")


def rounded(values: Mapping[str, Sequence[float]]) -> Values:
    """Four significant digits: a record is read by people too."""
    return {name: [float(f"{n:.4g}") for n in numbers] for name, numbers in values.items()}


def record() -> dict[str, Any]:
    """What the chapter compares itself with: all sweeps under seeds 0 to 7 (some 20 minutes)."""
    seeds = range(8)
    clean = sweep(ALPHAS, seeds)
    corrupted = {}
    for name, view in VIEWS.items():
        by_information = alpha_of(CLEAN, view)
        rows = sweep((*GRID, by_information), seeds, y=view)
        kept = ("rank", "forward", "backward", *ERRORS)
        corrupted[name] = {
            "alpha": by_information,
            "raw": medians(baselines(seeds, y=view))["raw samples"],
            "sweep": {
                f"{alpha:g}": rounded({n: v for n, v in row.items() if n in kept})
                for alpha, row in rows.items()
            },
        }
    return {
        "seeds": list(seeds),
        "clean": medians({f"{alpha:g}": row for alpha, row in clean.items()}),
        "baselines": medians(baselines(seeds)),
        "corrupted": corrupted,
    }
