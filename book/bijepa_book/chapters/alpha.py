"""Chapter 6: how much each direction counts, with views alike and with one view corrupted."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bijepa_book.records import medians
from bijepa_core._support.checks import check_unit_interval
from bijepa_core.data import sine
from bijepa_core.data.series import HELD_OUT, PROBE, Pairs
from bijepa_core.data.streams import BLOCK, Blockwise
from bijepa_core.diagnostics import effective_rank, relative_loss
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import Features, adam_probe, raw_input
from bijepa_core.evaluation.scores import Scores, fair_mse
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, check_seeds, sample_per_seed

ALPHAS = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
SIGNAL = 0.5  # variance of a sine wave of amplitude 1
Through = Callable[[Tensor, torch.Generator], Tensor]
"""What stands between a wave and a view: clean samples ``(..., 10)`` to those that are seen."""


@dataclass(frozen=True)
class View:
    """Noise, hidden samples and a second wave, one after another or alone.

    Calling it gives the view of clean samples; nothing is drawn where nothing is done.

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

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
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

    Raises:
        ValueError: if ``seeds`` are not proper seeds.
    """

    def __init__(self, seeds: Seeds, x: Through = CLEAN, y: Through = CLEAN) -> None:
        check_seeds(seeds)
        self.seeds, self.x, self.y = seeds, x, y
        self._views = Blockwise(self._draw_block)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x and y of one step, each ``(*seeds, batch, 10)``."""
        x, y = self._views(step)
        return x, y

    def _draw_block(self, block: int) -> Tensor:
        shape = (BLOCK, SINE.batch_size)
        series = sample_per_seed(self.seeds, "sine/train", lambda g: sine.waves(shape, g), block)
        return torch.stack(seen(series, self.seeds, "train", self.x, self.y, block))


def seen(
    series: Tensor, seeds: Seeds, purpose: str, x: Through, y: Through, index: int = 0
) -> tuple[Tensor, Tensor]:
    """Both views of clean waves.

    Args:
        series: ``(*seeds, ..., 20)``.
        seeds, purpose, index: of the generators; see :func:`bijepa_core.seeds.generator`.
        x, y: what happens to the context and to the target.

    Returns:
        The context and the target as the model sees them, ``(*seeds, ..., 10)`` each.
    """

    def through(name: str, view: Through, clean: Tensor) -> Tensor:
        rows = iter([clean] if isinstance(seeds, int) else clean)  # one for each seed, in order
        purpose_of_view = f"view/{purpose}/{name}"
        return sample_per_seed(seeds, purpose_of_view, lambda g: view(next(rows), g), index)

    context, target = sine.split(series)
    return through("x", x, context), through("y", y, target)


def train(
    alpha: float,
    seeds: Seeds,
    *,
    x: Through = CLEAN,
    y: Through = CLEAN,
    steps: int = SINE.steps,
    progress: bool = True,
) -> BiJEPA:
    """The expressive model of experiment 1 under another alpha, and through other views."""
    model = SINE.model(Configuration(alpha=alpha), seeds)
    stream = ViewedBatches(seeds, x, y)
    SINE.train(model, stream, steps=steps, device="cpu", progress=progress)
    return model


@dataclass(frozen=True)
class ProbeData:
    """Waves to fit probes on or to judge them on: views, and the clean values to be read.

    Args:
        x, y: what the model sees, ``(*seeds, n, 10)``.
        after: the first sample after the context, ``(*seeds, n, 1)``.
        before: the last sample before the target, ``(*seeds, n, 1)``.
    """

    x: Tensor
    y: Tensor
    after: Tensor
    before: Tensor

    @property
    def future(self) -> Pairs:
        """The context, and the sample after it."""
        return self.x, self.after

    @property
    def past(self) -> Pairs:
        """The target, and the sample before it."""
        return self.y, self.before


def probe_data(
    seeds: Seeds, purpose: str, count: int, x: Through = CLEAN, y: Through = CLEAN
) -> ProbeData:
    """Draw some; the same waves in every condition."""
    series = sample_per_seed(seeds, f"alpha/{purpose}", lambda g: sine.waves(count, g))
    context, target = sine.split(series)
    return ProbeData(*seen(series, seeds, purpose, x, y), target[..., :1], context[..., -1:])


def both_sets(seeds: Seeds, x: Through = CLEAN, y: Through = CLEAN) -> tuple[ProbeData, ProbeData]:
    """To fit on, and to judge on."""
    return probe_data(seeds, "probe", PROBE, x, y), probe_data(seeds, "held-out", HELD_OUT, x, y)


def probe_errors(model: BiJEPA, seeds: Seeds, x: Through = CLEAN, y: Through = CLEAN) -> Scores:
    """What can be read from a model in both directions, and how well it predicts itself.

    Protocols A and B, and their mirror images: the encoder on y, and the backward predictor,
    read for the sample before y.

    Args:
        model: trained under these seeds and views.
        seeds: the model's.
        x, y: the views.

    Returns:
        Held-out errors of fair probes: ``fair_a`` and ``fair_b`` of the sample after x,
        ``before_a`` and ``before_b`` of the sample before y; the same from the paper's probe on
        its own training set: ``paper_a``, ``paper_b``, ``paper_before_a``, ``paper_before_b``; the
        held-out relative loss ``forward`` and ``backward``; and ``rank``, the effective rank of
        the embedding of x. What needs a predictor that does not exist is left out.
    """
    fit, judge = both_sets(seeds, x, y)
    after: dict[str, Features] = {"a": model.embed, "b": model.predict_forward}
    before: dict[str, Features] = {"a": model.embed, "b": model.predict_backward}
    if model.forward_predictor is None:
        del after["b"]
    if model.backward_predictor is None:
        del before["b"]
    scores: Scores = {}

    def read(features: Features, known: tuple[Tensor, Tensor]) -> list[float]:
        probe = adam_probe(features(known[0]), known[1], steps=SINE.probe_steps, seeds=seeds)
        return per_seed(probe.training_error)

    for letter, features in after.items():
        scores[f"fair_{letter}"] = fair_mse(features, fit.future, judge.future)
        scores[f"paper_{letter}"] = read(features, fit.future)
    for letter, features in before.items():
        scores[f"before_{letter}"] = fair_mse(features, fit.past, judge.past)
        scores[f"paper_before_{letter}"] = read(features, fit.past)
    with torch.no_grad():
        losses = model(judge.x, judge.y)
    for direction, term in (("forward", losses.forward), ("backward", losses.backward)):
        if term is not None:
            scores[direction] = per_seed(relative_loss([term]))
    scores["rank"] = per_seed(effective_rank(model.embed(judge.x[..., :PROBE, :])))
    return scores


def baselines(seeds: Seeds, x: Through = CLEAN, y: Through = CLEAN) -> dict[str, Scores]:
    """The same errors without training: from the raw samples, and from an untrained encoder."""
    fit, judge = both_sets(seeds, x, y)
    rows: dict[str, Features] = {
        "raw": raw_input,
        "untrained": SINE.model(Configuration(), seeds).embed,
    }
    return {
        name: {
            "fair_a": fair_mse(features, fit.future, judge.future),
            "before_a": fair_mse(features, fit.past, judge.past),
        }
        for name, features in rows.items()
    }


def sweep(
    alphas: Sequence[float],
    seeds: Seeds,
    *,
    x: Through = CLEAN,
    y: Through = CLEAN,
    steps: int = SINE.steps,
    progress: bool = True,
) -> dict[float, Scores]:
    """Train and read a model for each alpha, the same seeds and waves in all."""
    check_unit_interval(**{f"alphas[{i}]": alpha for i, alpha in enumerate(alphas)})
    return {
        alpha: probe_errors(
            train(alpha, seeds, x=x, y=y, steps=steps, progress=progress), seeds, x, y
        )
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
ERRORS = ("fair_a", "fair_b", "before_a", "before_b")


def rounded(values: Mapping[str, Sequence[float]]) -> Scores:
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
            "raw": medians(baselines(seeds, y=view))["raw"],
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
