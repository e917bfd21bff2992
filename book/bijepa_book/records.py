"""Recorded results: what took long to compute, or what a run on another machine must match."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from statistics import median
from typing import Any

from bijepa_core._support.files import atomic_write

Numbers = Mapping[str, Mapping[str, float]]
"""A row's name, then a column's, then the number."""


def results_folder() -> Path:
    """Where records lie: ``book/results`` in a checkout, inside the package when installed."""
    inside = Path(str(resources.files("bijepa_book"))) / "results"
    return inside if inside.is_dir() else inside.parent.parent / "results"


def load(name: str) -> dict[str, Any]:
    """A record by name.

    Args:
        name: the file's name without ``.json``.

    Returns:
        Its content; ``provenance`` says how it was made.

    Raises:
        FileNotFoundError: listing the records there are.
    """
    path = results_folder() / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in results_folder().glob("*.json"))) or "none"
        raise FileNotFoundError(f"there is no record {name!r}; there are: {known}.")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def save(name: str, content: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write a record, whole or not at all.

    Args:
        name: the file's name without ``.json``.
        content: plain data, its provenance included.
        folder: where; :func:`results_folder` by default.

    Returns:
        The file's path.
    """
    path = (folder or results_folder()) / f"{name}.json"
    atomic_write(path, (json.dumps(content, indent=1) + "\n").encode())
    return path


def medians(values: Mapping[str, Mapping[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Medians over seeds of a table of lists."""
    return {
        row: {column: median(numbers) for column, numbers in columns.items()}
        for row, columns in values.items()
    }


def disagreements(measured: Numbers, recorded: Numbers, tolerance: float) -> list[str]:
    """Where measured numbers differ from the record by more than a relative tolerance.

    Args:
        measured, recorded: numbers under the same names.
        tolerance: relative to the recorded value.

    Returns:
        A sentence for each number that does; empty if all agree.

    Raises:
        KeyError: if a recorded number was not measured.
    """
    return [
        f"{row}, {column}: {measured[row][column]:.4g}, recorded {value:.4g}"
        for row, columns in recorded.items()
        for column, value in columns.items()
        if not abs(measured[row][column] - value) <= tolerance * abs(value)
    ]
