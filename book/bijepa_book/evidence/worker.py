"""One part of the study: a few seeds of one condition, trained together and measured."""

import time
from typing import Any

import torch

from bijepa_book.evidence.grid import BASELINES, Condition
from bijepa_book.evidence.metrics import baselines, measures
from bijepa_book.process import threads
from bijepa_book.records import short
from bijepa_book.watch import Watch
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import NonFiniteLossError
from bijepa_core._support.provenance import provenance
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation.metrics import training_summary
from bijepa_core.evaluation.scores import Scores
from bijepa_core.seeds import Seeds, check_seeds

ROWS, LOOKS = 100, 20  # of diagnostics in a run, and at the model while it learns
WATCHED = 8  # contexts that it is looked at on
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
    name, most = condition.experiment.name, CHUNKS[condition.experiment.name]
    if len(seeds) > most:
        raise ValueError(f"{name} is trained {most} seed(s) at a time; received seeds {seeds}.")
    began, place = time.perf_counter(), resolve_device(device)
    with threads(1):
        try:
            values, curves = _measured(condition, seeds, place)
        except NonFiniteLossError:
            return _one_by_one(condition, seeds, device, began)
    return {
        "seeds": list(seeds),
        "measures": {name: short(numbers) for name, numbers in values.items()},
        "curves": {name: short(numbers) for name, numbers in curves.items()},
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
        parts: as :func:`run_part` returns them; of a seed that comes twice, the first is taken.

    Returns:
        ``seeds``, ``measures``, ``curves`` and ``diverged`` of all.
    """
    places: dict[int, tuple[int, int]] = {}
    for part, p in enumerate(parts):
        for i, seed in enumerate(p["seeds"]):
            places.setdefault(seed, (part, i))
    order = sorted(places)

    def column(kind: str, name: str) -> list[Any]:
        return [
            parts[part][kind][name][i] if name in parts[part][kind] else None
            for part, i in map(places.__getitem__, order)
        ]

    names = {
        kind: dict.fromkeys(n for p in parts for n in p[kind]) for kind in ("measures", "curves")
    }
    curves: dict[str, Any] = {n: column("curves", n) for n in names["curves"] if n != "steps"}
    if "steps" in names["curves"]:
        curves["steps"] = next(p["curves"]["steps"] for p in parts if "steps" in p["curves"])
    return {
        "seeds": order,
        "measures": {name: column("measures", name) for name in names["measures"]},
        "curves": curves,
        "diverged": sorted({seed for part in parts for seed in part["diverged"]}),
    }


def _measured(
    condition: Condition, seeds: tuple[int, ...], device: torch.device
) -> tuple[Scores, dict[str, list[object]]]:
    """Data, model, pretraining, numbers and curves; a single image model has no seed axis."""
    experiment = condition.experiment
    these: Seeds = seeds if CHUNKS[experiment.name] > 1 else seeds[0]
    data = experiment.load(these, device)
    if condition.name == BASELINES:
        return baselines(condition, data, these), {}
    model = condition.model(these).to(device)
    log_every = max(experiment.steps // ROWS, 1)
    watch = None
    if isinstance(data, SeriesData):
        every = max(experiment.steps // LOOKS // log_every, 1) * log_every
        watch = Watch(model, data.probe[0][..., :WATCHED, :], every)
    history = experiment.train(
        model,
        data.batches,
        device=device,
        log_every=log_every,
        progress=False,
        on_log=watch,
    )
    watched, curves = ({}, {}) if watch is None else (watch.scores(), watch.curves())
    numbers = training_summary(history) | watched | measures(model, condition, data, these)
    return numbers, curves
