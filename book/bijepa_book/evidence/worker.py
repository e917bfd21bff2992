"""One part of the study: a few seeds of one condition, trained together and measured."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from bijepa_book.evidence.grid import BASELINES, Condition
from bijepa_book.evidence.metrics import (
    WATCHED,
    Halves,
    Values,
    Watch,
    image_baselines,
    image_measures,
    series_baselines,
    series_measures,
    training_measures,
)
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import NonFiniteLossError
from bijepa_core._support.provenance import provenance
from bijepa_core.data import mnist
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.runs import lorenz_data, sine_data
from bijepa_core.seeds import check_seeds
from bijepa_core.training import pretrain

ROWS = 100  # of diagnostics in a run
CHUNKS = {"sine": 16, "lorenz": 16, "mnist": 1}
"""Seeds trained together. Fixed, because it decides the last digits of a result."""


def run_part(condition: Condition, seeds: tuple[int, ...], device: str = "cpu") -> dict[str, Any]:
    """Train and measure some seeds of one condition, on one thread.

    One thread, because parts share the machine, and because the number of threads decides the
    last digits of a sum: the same part gives the same numbers wherever it runs.

    Args:
        condition: what to train.
        seeds: which; one alone for MNIST.
        device: ``"cpu"``, ``"cuda"``, ...

    Returns:
        Plain data: ``seeds``; ``measures``, one number a seed under each name, None where a
        seed's training diverged; ``diverged``, those seeds; ``curves``; ``provenance``.

    Raises:
        ValueError: if the seeds are none, or more than one for MNIST.
        DataNotFoundError, CorruptDataError: if MNIST cannot be had.
    """
    check_seeds(seeds)
    images = condition.experiment.name == "mnist"
    if images and len(seeds) != 1:
        raise ValueError(f"MNIST is trained one seed at a time; received seeds {seeds}.")
    began, place = time.perf_counter(), resolve_device(device)
    with one_thread():
        try:
            measure = _images if images else _series
            values, curves = measure(condition, seeds, place)
        except NonFiniteLossError:
            return _one_by_one(condition, seeds, device, began)
    return {
        "seeds": list(seeds),
        "measures": {name: _short(numbers) for name, numbers in values.items()},
        "curves": {name: _short(numbers) for name, numbers in curves.items()},
        "diverged": [],
        "provenance": provenance(place, time.perf_counter() - began),
    }


def _one_by_one(
    condition: Condition, seeds: tuple[int, ...], device: str, began: float
) -> dict[str, Any]:
    """Find the seeds whose loss is no number any more; the others keep their results."""
    here = provenance(resolve_device(device), time.perf_counter() - began)
    if len(seeds) == 1:
        nothing: dict[str, Any] = {"seeds": list(seeds), "measures": {}, "curves": {}}
        return {**nothing, "diverged": list(seeds), "provenance": here}
    parts = [run_part(condition, (seed,), device) for seed in seeds]
    return merged(parts) | {"provenance": here | {"seconds": time.perf_counter() - began}}


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Parts of one condition as one, seeds in order; None where a seed has no number.

    Args:
        parts: as :func:`run_part` returns them, of different seeds.

    Returns:
        ``seeds``, ``measures``, ``curves`` and ``diverged`` of all.
    """
    order = sorted(
        (seed, part, i) for part, p in enumerate(parts) for i, seed in enumerate(p["seeds"])
    )

    def column(kind: str, name: str) -> list[Any]:
        return [
            parts[part][kind][name][i] if name in parts[part][kind] else None
            for _, part, i in order
        ]

    names = {
        kind: dict.fromkeys(n for p in parts for n in p[kind]) for kind in ("measures", "curves")
    }
    curves: dict[str, Any] = {n: column("curves", n) for n in names["curves"] if n != "steps"}
    if "steps" in names["curves"]:
        curves["steps"] = next(p["curves"]["steps"] for p in parts if "steps" in p["curves"])
    return {
        "seeds": [seed for seed, _, _ in order],
        "measures": {name: column("measures", name) for name in names["measures"]},
        "curves": curves,
        "diverged": sorted(seed for part in parts for seed in part["diverged"]),
    }


Found = tuple[Values, dict[str, list[object]]]


def _series(condition: Condition, seeds: tuple[int, ...], place: torch.device) -> Found:
    experiment = condition.experiment
    prepare = sine_data if experiment.name == "sine" else lorenz_data
    data = prepare(experiment, seeds, place)
    if condition.name == BASELINES:
        return series_baselines(condition, data, seeds), {}
    model = condition.model(seeds).to(place)
    watch = Watch(model, data.probe[0][..., :WATCHED, :])
    history = pretrain(
        model,
        data.batches,
        steps=experiment.steps,
        learning_rate=experiment.learning_rate,
        device=place,
        log_every=max(experiment.steps // ROWS, 1),
        progress=False,
        on_log=watch,
    )
    values = training_measures(history) | watch.measures()
    return values | series_measures(model, condition, data, seeds), watch.curves()


def _images(condition: Condition, seeds: tuple[int, ...], place: torch.device) -> Found:
    experiment, (seed,) = condition.experiment, seeds
    data = Halves(mnist.load(), place)
    if condition.name == BASELINES:
        return image_baselines(condition, data, seed), {}
    model = condition.model(seed)
    batches = ShuffledBatches(data.left, data.right, batch_size=experiment.batch_size, seeds=seed)
    history = pretrain(
        model,
        batches,
        steps=experiment.steps,
        learning_rate=experiment.learning_rate,
        device=place,
        log_every=max(experiment.steps // ROWS, 1),
        progress=False,
    )
    return training_measures(history) | image_measures(model, condition, data, seed), {}


def _short(values: Any) -> Any:
    """Six significant digits; None for what is no number, which JSON cannot hold."""
    if isinstance(values, list):
        return [_short(value) for value in values]
    if isinstance(values, float):
        return float(f"{values:.6g}") if math.isfinite(values) else None
    return values


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread, and back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
