"""What the company is measured against: readings of x that its loop did not train.

The window itself, its principal components, the canonical variates of x and y, an untrained
encoder, and the same encoder trained end to end with the answer as its label; all read like a
member. Beside them, Gaussian kernel ridge straight from x. (A wave's window has ten numbers, and
the embedding sixteen: there, components and variates keep the whole window.)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bijepa_book.chapters.why import by_state
from bijepa_book.evidence.second.ceilings import kernel_probe, train_supervised
from bijepa_book.evidence.second.images import full_precision
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.stable.company import (
    FRESH_IMAGES,
    key,
    read_distracted,
    read_halves,
    read_series,
)
from bijepa_book.evidence.stable.distractor import STRENGTHS, distracted_data
from bijepa_book.evidence.stable.images import Embedded, embedded
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import ImageData
from bijepa_core.data.series import Pairs, SeriesData
from bijepa_core.data.streams import Batches
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import Features, protocol_a, raw_input
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE, Experiment

FITTED_ON = 200  # batches that components and variates are fitted on
NEGLIGIBLE = 1e-9  # of the largest variance: below lies what rounding left


class Views(NamedTuple):
    """Features of contexts, and of targets."""

    of_x: Features
    of_y: Features


@dataclass(frozen=True)
class LinearMap:
    """``(x - mean) @ weight``, in float64; ``(*seeds, 1, p)`` and ``(*seeds, p, d)``."""

    mean: Tensor
    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """``(*seeds, n, p)`` to ``(*seeds, n, d)``."""
        return (x.to(self.mean) - self.mean) @ self.weight


# --- components and variates -------------------------------------------------------------------


def _axes(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variances and axes, the largest first."""
    mean = x.mean(-2, keepdim=True)
    values, vectors = torch.linalg.eigh((x - mean).mT @ (x - mean) / x.shape[-2])
    return mean, values.flip(-1), vectors.flip(-1)


def principal(x: Tensor, d: int) -> LinearMap:
    """Principal components.

    Args:
        x: samples ``(*seeds, n, p)``.
        d: how many; all p, if there are fewer.

    Returns:
        The map to them.
    """
    mean, _, axes = _axes(x.double())
    return LinearMap(mean, axes[..., :d])


def canonical(x: Tensor, y: Tensor, d: int) -> tuple[LinearMap, LinearMap]:
    """Canonical variates, of variance 1: what of two views correlates most.

    Args:
        x, y: samples in pairs, ``(*seeds, n, p)`` each.
        d: how many; all p, if there are fewer.

    Returns:
        The map of either view.

    Source:
        Hotelling 1936, Biometrika 28(3/4); by whitening and a singular value decomposition.
    """
    white = [_whitening(view.double()) for view in (x, y)]
    s, t = (one(view) for one, view in zip(white, (x, y), strict=True))
    u, _, v = torch.linalg.svd(s.mT @ t / s.shape[-2])
    turns = u[..., :d], v.mT[..., :d]
    first, second = (
        LinearMap(w.mean, w.weight @ turn) for w, turn in zip(white, turns, strict=True)
    )
    return first, second


def _whitening(x: Tensor) -> LinearMap:
    mean, values, axes = _axes(x)
    known = values > NEGLIGIBLE * values[..., :1]
    factor = torch.where(known, values.clamp_min(torch.finfo(x.dtype).tiny).rsqrt(), 0.0)
    return LinearMap(mean, axes * factor[..., None, :])


# --- features of windows -----------------------------------------------------------------------


def _sample(batches: Batches) -> Pairs:
    x, y = zip(*(batches(step) for step in range(FITTED_ON)), strict=True)
    return torch.cat(x, -2), torch.cat(y, -2)


def _raw(experiment: Experiment, batches: Batches, answers: Batches, seeds: Any) -> Views:
    return Views(raw_input, raw_input)


def _pca(experiment: Experiment, batches: Batches, answers: Batches, seeds: Any) -> Views:
    components = principal(_sample(batches)[0], experiment.embed_dim)
    return Views(components, components)


def _cca(experiment: Experiment, batches: Batches, answers: Batches, seeds: Any) -> Views:
    return Views(*canonical(*_sample(batches), experiment.embed_dim))


def _untrained(experiment: Experiment, batches: Batches, answers: Batches, seeds: Any) -> Views:
    features = protocol_a(experiment.model(CONFIGURATIONS["classic"], seeds))
    return Views(features, features)


def _supervised(experiment: Experiment, batches: Batches, answers: Batches, seeds: Any) -> Views:
    _, answer = answers(0)
    model = train_supervised(experiment, answers, answer.shape[-1], seeds)

    def features(x: Tensor) -> Tensor:
        with inference(model):
            return torch.as_tensor(model.online(x))

    return Views(features, features)


VIEWS: Mapping[str, Callable[[Experiment, Batches, Batches, Any], Views]] = {
    "raw": _raw,
    "pca": _pca,
    "cca": _cca,
    "untrained": _untrained,
    "supervised": _supervised,
}
"""By name; from an experiment, its stream, the stream with answers in y's place, and seeds."""
KERNEL = "kernel"


# --- what is measured --------------------------------------------------------------------------


def kernel_missed(fit: Pairs, judge: Pairs) -> Tensor:
    """Held-out errors of kernel ridge straight from windows; chosen on the data it is fitted on.

    Args:
        fit, judge: windows and answers, ``(seeds, n, p)`` and ``(seeds, n, k)``.

    Returns:
        Mean squares, ``(seeds, k)``.
    """
    rows = [
        (kernel_probe(x, y)(far_x) - far_y.double()).square().mean(0)
        for x, y, far_x, far_y in zip(*fit, *judge, strict=True)
    ]
    return torch.stack(rows)


def measure(name: str, experiment: Experiment, seeds: tuple[int, ...], device: str) -> Measured:
    """A baseline on a series, on the CPU: as :func:`.company.read_series`, or what there is of it.

    Args:
        name: one of :data:`VIEWS`, or :data:`KERNEL`.
        experiment: a series.
        seeds: of the data.
        device: not used.
    """
    data = experiment.load(seeds)
    assert isinstance(data, SeriesData)
    if name != KERNEL:
        of_x, of_y = VIEWS[name](experiment, data.batches, data.batches, seeds)
        return read_series(of_x, data, seeds if experiment.name == SINE.name else (), of_y)
    (x, y), (far_x, far_y), size = data.probe, data.held_out, data.state_dim
    future = by_state(kernel_missed((x, y), (far_x, far_y)), size)
    past = by_state(kernel_missed((y, x), (far_y, far_x)), size)
    scores = {"fair": future[..., 0], "whole": future.mean(-1), "past": past.mean(-1)}
    return Measured(
        {reading: per_seed(values) for reading, values in scores.items()},
        {"future": future.tolist(), "past": past.tolist()},
    )


def measure_distracted(name: str, strength: float, seeds: tuple[int, ...], device: str) -> Measured:
    """A baseline under a distractor, on the CPU; the label is the wave's next value.

    Args:
        name, seeds, device: see :func:`measure`.
        strength: of the drift.
    """
    data = distracted_data(seeds, SINE.batch_size, strength)
    if name != KERNEL:
        of_x, _ = VIEWS[name](SINE, data.batches, data.answers, seeds)
        return Measured(read_distracted(of_x, data.probe, data.held_out), {})
    near, far = data.probe, data.held_out
    answers = {"wave": (near.wave, far.wave), "drift": (near.drift, far.drift)}
    wrong = {
        reading: kernel_missed((near.context, one), (far.context, other))
        for reading, (one, other) in answers.items()
    }
    return Measured({reading: per_seed(values[..., 0]) for reading, values in wrong.items()}, {})


def measure_images(
    name: str, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """A baseline on half images, read as :func:`.company.read_halves` does.

    Args:
        name: ``pca``, ``cca`` or ``untrained``.
        experiment: of images.
        seeds: of encoders and decoders.
        device: where.
    """
    with full_precision():
        data = experiment.load(seeds, device)
        assert isinstance(data, ImageData)
        if name == "untrained":
            model = experiment.model(CONFIGURATIONS["classic"], seeds).to(device)
            left, right = embedded(model, data, "left"), embedded(model, data, "right")
        else:
            d, train, test = experiment.embed_dim, data.train, data.test
            x, y = train.left_pixels, train.right_pixels
            maps = canonical(x, y, d) if name == "cca" else (principal(x, d), principal(y, d))
            pairs = ((x, test.left_pixels), (y, test.right_pixels))
            left, right = (
                Embedded(*(one(half).float().expand(len(seeds), -1, -1) for half in halves))
                for one, halves in zip(maps, pairs, strict=True)
            )
        return read_halves(left, right, data, seeds)


# --- what is recorded --------------------------------------------------------------------------


def recordings() -> list[Recording]:
    """All of them, on the company's seeds."""
    found = []
    for name in (*VIEWS, KERNEL):
        for experiment in (SINE, LORENZ):
            about: dict[str, Any] = {"name": name, "experiment": experiment.plain()}
            done = partial(measure, name, experiment)
            place = key(experiment.name, "company", name)
            found.append(Recording(place, about, SERIES_SEEDS, 8, 1.0, done))
        for strength in STRENGTHS:
            about = {"name": name, "experiment": SINE.plain(), "distractor": strength}
            done = partial(measure_distracted, name, strength)
            place = key("distracted", "company", name, strength)
            found.append(Recording(place, about, SERIES_SEEDS, 8, 1.0, done))
    for name in ("pca", "cca", "untrained"):
        about = {"name": name, "experiment": MNIST.plain()}
        done = partial(measure_images, name, MNIST)
        place = key("mnist", "company", name)
        found.append(Recording(place, about, FRESH_IMAGES, len(FRESH_IMAGES), 60.0, done))
    return found
