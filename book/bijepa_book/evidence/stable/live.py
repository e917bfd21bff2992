"""Chapter 10b's three models on sine waves, for the record: its own cells write two losses out."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import mean
from typing import Any

from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.company import Member, measure
from bijepa_core.experiments import SINE

SEEDS = 8
MODELS: Mapping[str, Member] = {
    "expressive": AS_IN_THE_PAPER,
    "predictive autoencoder": Member("predictive-autoencoder", 0.0, layer_norm=True),
    "Barlow Twins": Member("barlow-twins", 0.005, layer_norm=True),
}
"""As the company has them; the chapter builds the same."""
ASKED: Mapping[str, str] = {
    "fair": "next value",
    "frequency_a": "frequency",
    "phase_a": "phase",
    "kept": "window",
}
"""What a linear probe on the past's embedding is asked, in a reader's words."""


def missed(measures: Mapping[str, list[float]]) -> dict[str, float]:
    """A model's mean error over seeds, by what it is asked.

    Args:
        measures: of :func:`bijepa_book.evidence.stable.company.read_series`.
    """
    return {word: mean(measures[name]) for name, word in ASKED.items()}


def record(seeds: tuple[int, ...] = tuple(range(SEEDS)), steps: int = SINE.steps) -> dict[str, Any]:
    """What the chapter compares its own run with."""
    experiment = replace(SINE, steps=steps)
    found = {
        name: missed(measure(member, experiment, seeds, "cpu").measures)
        for name, member in MODELS.items()
    }
    return {"seeds": list(seeds), "missed": found}
