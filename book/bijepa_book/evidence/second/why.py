"""Why it works: what is recorded for chapter 9, and under which names.

What each condition is, and what the explanation predicts of it, says
:mod:`bijepa_book.chapters.why`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bijepa_book.chapters.why import (
    CONDITIONS,
    SYSTEMS,
    Condition,
    Curves,
    Stretches,
    X,
    Y,
    by_state,
    curves,
    reading,
    train,
    window,
)
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.statistics import Array
from bijepa_book.evidence.verdicts import Records
from bijepa_core.evaluation.metrics import fraction_unexplained, per_seed
from bijepa_core.evaluation.probes import raw_input
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import Experiment
from bijepa_core.model import BiJEPA

CHUNK = 16
UNTRAINED = "untrained"
"""The condition without any training; what needs no model is recorded with it."""
SHORT = {"future_a": "{end}_a", "future_b": "{end}_b"}
"""Curves whose ends are named as in the rest of the study."""
SECONDS = {"sine": 1.0, "lorenz": 4.0}
"""Of one core for a seed of a condition, sixteen at a time."""

IMAGES = "mnist"
EMBEDDING, FORECAST = "embedding", "forecast"
READINGS: dict[str, dict[str, str]] = {
    EMBEDDING: {"w": "past_a", "x": "kept", "y": "future_a", "z": "beyond_a"},
    FORECAST: {"x": "passed_b", "y": "future_b", "z": "beyond_b"},
}
"""What is read, window by window: off the embedding of x, and off the forecast made from it."""
IMAGE_READINGS: dict[str, dict[str, str]] = {
    EMBEDDING: {"x": "past_by_column", "y": "decoder_by_column"},
    FORECAST: {"y": "decoder_by_column_b"},
}
"""The same of digits: y is the right half, off the left one; x the left half, off the right one."""
IMAGE_NAMES = {"classic": "classic", "batch": "classic-batch", "bijepa": "expressive"}


def recorded(study: Records, system: str, condition: str, reading: str) -> Mapping[str, Array]:
    """Errors by position, from the record.

    Args:
        study: the records, by key.
        system: ``"sine"``, ``"lorenz"`` or ``"mnist"``.
        condition: of :data:`bijepa_book.chapters.why.CONDITIONS`; of digits, ``"classic"``,
            ``"batch"`` or ``"bijepa"``.
        reading: ``"embedding"`` or ``"forecast"``.

    Returns:
        For each window that is read, in order, ``(seeds, positions)``.

    Raises:
        KeyError: if there is no such record.
    """
    if system == IMAGES:
        key, names = f"{system}-{IMAGE_NAMES[condition]}-paper", IMAGE_READINGS[reading]
    else:
        key, names = f"{system}-why-{condition}-paper", READINGS[reading]
    curves = study[key]["curves"]
    return {window: np.array(curves[name]) for window, name in names.items()}


def ends(found: Curves) -> Scores:
    """The ends of each curve, and its mean.

    Args:
        found: errors by position.

    Returns:
        ``kept_first``, ``kept_last``, ``kept_whole``, and so on for each curve; those of
        ``future_a`` and ``future_b`` are ``first_a``, ``last_a``, ``whole_a``, ``first_b``, ...
        ``tilt_b``: the error at y's first position over that at its last, from the forecast.
    """
    scores: Scores = {}
    for name, rows in found.items():
        form = SHORT.get(name, f"{name}_{{end}}")
        scores[form.format(end="first")] = [row[0] for row in rows]
        scores[form.format(end="last")] = [row[-1] for row in rows]
        scores[form.format(end="whole")] = [sum(row) / len(row) for row in rows]
    if "future_b" in found:
        scores["tilt_b"] = [row[0] / row[-1] for row in found["future_b"]]
    return scores


def missed(model: BiJEPA, condition: Condition, data: Stretches) -> Scores:
    """How well the forecast imitates what it is trained to imitate.

    Args:
        model: trained.
        condition: that it was trained under.
        data: of its seeds.

    Returns:
        ``missed_future``: the share of the variance of the target's embedding, held out, that the
        forecast leaves unexplained; nothing where there is no forward predictor.
    """
    if model.forward_predictor is None:
        return {}
    x, target = (window(data.held_out, place) for place in (X, condition.target))
    unexplained = fraction_unexplained(model.forecast(x), model.embed(target))
    return {"missed_future": per_seed(unexplained)}


def trained(
    experiment: Experiment, condition: Condition, seeds: tuple[int, ...], device: str
) -> Measured:
    """Some seeds under one condition: :func:`ends`, :func:`missed`, and the curves."""
    data: Stretches = experiment.data(seeds, experiment.batch_size, device)
    model, _ = train(experiment, condition, data, seeds, device=device)
    found = curves(model, condition, data)
    return Measured(ends(found) | missed(model, condition, data), found)


def untrained(experiment: Experiment, seeds: tuple[int, ...], device: str) -> Measured:
    """What needs no training.

    Args:
        experiment: of :data:`bijepa_book.chapters.why.SYSTEMS`.
        seeds: which.
        device: where.

    Returns:
        :func:`ends` and the curves of a fresh BiJEPA; ``raw_future``, y from the numbers of x
        themselves; and ``spread``, the variance at each position of the whole stretch, which an
        error is a share of.
    """
    data: Stretches = experiment.data(seeds, experiment.batch_size, device)
    condition = CONDITIONS["bijepa"]
    model = condition.model(experiment, seeds).to(device).eval()
    found = curves(model, condition, data) | {"raw_future": reading(data, raw_input, X, Y)}
    variances = data.held_out.cpu().double().var(-2, correction=0)
    spread: list[list[float]] = by_state(variances, data.state_dim).tolist()
    return Measured(ends(found), found | {"spread": spread})


def recordings() -> list[Recording]:
    """Every condition on both systems, the cheaper system first."""
    return [recording for system in SYSTEMS for recording in _of(system)]


def _of(system: str) -> list[Recording]:
    experiment = SYSTEMS[system]
    rows: dict[str, tuple[partial[Measured], dict[str, Any]]] = {
        UNTRAINED: (partial(untrained, experiment), {})
    }
    for name, condition in CONDITIONS.items():
        rows[name] = (partial(trained, experiment, condition), condition.plain())
    return [
        Recording(
            f"{system}-why-{name}-paper",
            {"experiment": experiment.plain(), "condition": {"name": name} | plain},
            SERIES_SEEDS,
            CHUNK,
            SECONDS[system],
            measure,
        )
        for name, (measure, plain) in rows.items()
    ]
