"""What many futures add to a run: the scores of samples."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bijepa_book.evidence.futures.images import as_target
from bijepa_book.evidence.second.images import reestimated
from bijepa_core import experiments
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import ImageData, Side
from bijepa_core.data.series import SeriesData
from bijepa_core.diagnostics import variance
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import Configuration, Experiment, Run
from bijepa_core.model import BiJEPA, Direction
from bijepa_core.seeds import Seeds, generator
from bijepa_core.stochastic import StochasticBiJEPA, energy_score, spread, spread_to_error

PAIRS = 2_000  # that are looked at
SAMPLES = 16  # for each
PART = 250  # pairs in one go, for the memory
SIDES: Mapping[Direction, tuple[Side, Side]] = {
    "forward": ("left", "right"),
    "backward": ("right", "left"),
}


def run(
    experiment: Experiment,
    configuration: Configuration,
    seeds: Seeds,
    **options: Any,
) -> Run:
    """Train and measure a model that samples, as :func:`bijepa_core.experiments.run` does others.

    Args:
        experiment, configuration, seeds: as there; the configuration's predictor samples.
        options: what else it takes.

    Returns:
        The run; to its scores are added those of :func:`sample_scores`. Errors as there.
    """
    scored = replace(experiment, scores=partial(_scores, experiment.scores))
    return experiments.run(scored, configuration, seeds, **options)


def _scores(
    usual: Callable[..., Scores],
    model: BiJEPA,
    untrained: BiJEPA,
    data: SeriesData | ImageData,
    **options: Any,
) -> Scores:
    found = usual(model, untrained, data, **options)
    assert isinstance(model, StochasticBiJEPA)
    predictors: dict[Direction, nn.Module | None] = {
        "forward": model.forward_predictor,
        "backward": model.backward_predictor,
    }
    for way, predictor in predictors.items():
        if predictor is not None:
            scores = sample_scores(*_looked_at(model, data, way), way)
            found |= {f"{name}_{way}": values for name, values in scores.items()}
    return found


def _looked_at(
    model: StochasticBiJEPA, data: SeriesData | ImageData, way: Direction
) -> tuple[StochasticBiJEPA, Tensor, Tensor]:
    """A model, the held-out views that it is given, and those that are hidden from it."""
    if isinstance(data, SeriesData):
        x, y = data.held_out
        return (model, x, y) if way == "forward" else (model, y, x)
    # Training normalizes a batch of one side by itself. Frozen statistics mix both sides, which
    # moves forecast and target apart: samples would seem too sure.
    given, hidden = SIDES[way]
    own = reestimated(model, data.train.half(given))
    own.target = reestimated(as_target(model), data.train.half(hidden)).online
    assert isinstance(own, StochasticBiJEPA)
    return own, data.test.half(given), data.test.half(hidden)


def sample_scores(
    model: StochasticBiJEPA, seen: Tensor, hidden: Tensor, way: Direction = "forward"
) -> Scores:
    """How good samples are, in the embedding space: beside the target embedding of what came.

    Args:
        model: trained.
        seen: views that samples are drawn for, ``(*seeds, n, *view)``.
        hidden: the other views; 2,000 of all pairs are looked at, evenly spread.
        way: of time; backward, y is seen.

    Returns:
        ``energy_score`` of 16 samples; ``mean_score``, the same of the mean forecast alone, which
        is its distance; ``relative_spread`` of samples, in units of the target's variance, 0 where
        z is ignored; ``spread_to_error``, 1 where samples are as far apart as they should be.
    """
    assert model.view_shape is not None
    axis = -1 - len(model.view_shape)
    count = seen.shape[axis]
    rows = torch.arange(0, count, max(count // PAIRS, 1), device=seen.device)[:PAIRS]
    noise = generator(0, f"samples/{way}")  # shared by seeds

    def embedded(view: Tensor) -> Tensor:
        with inference(model):
            return model.constraint.project(model.target(view))

    def read(function: Callable[[Tensor], Tensor], views: Tensor) -> Tensor:
        parts = views.index_select(axis, rows).split(PART, axis)
        return torch.cat([function(part) for part in parts], -2)

    ahead = way == "forward"
    sample = model.sample_forward if ahead else model.sample_backward
    samples = read(partial(sample, samples=SAMPLES, generator=noise), seen)  # (16, *seeds, n, d)
    target = model.constraint.aim(read(embedded, hidden))  # what training compares with
    missed = read(model.forecast if ahead else model.infer_past, seen) - target
    measures = {
        "energy_score": energy_score(samples, target).mean(-1),
        "mean_score": missed.norm(dim=-1).mean(-1),
        "relative_spread": spread(samples) / variance(target),
        "spread_to_error": spread_to_error(samples, target),
    }
    return {name: per_seed(value) for name, value in measures.items()}
