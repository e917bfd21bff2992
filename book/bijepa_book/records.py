"""Recorded results: what took long to compute, or what a run on another machine must match."""

import json
import math
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
    return read(path)


def read(path: Path) -> dict[str, Any]:
    """The content of a record's file.

    Args:
        path: the file.

    Returns:
        Its content, plain data.

    Raises:
        ValueError: naming the file, if it is cut short, no text, no JSON, holds numbers that JSON
            does not know (NaN), or is anything but one object.
    """

    def refuse(number: str) -> None:
        raise ValueError(f"it holds {number}, which is no number of JSON")

    try:
        content = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError, too
        raise ValueError(f"{path} is not whole ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no record (it holds no object, but {str(content)[:20]!r}).")
    return content


def encoded(content: Mapping[str, Any]) -> bytes:
    """Plain data as the bytes of a JSON file; what is no finite number becomes null.

    JSON knows neither NaN nor infinity, and most readers refuse a file with either.
    """
    return (json.dumps(_finite(content), indent=1, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


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
    atomic_write(path, encoded(content))
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


def in_lines(record: Mapping[str, Any]) -> bytes:
    """A record of the study for its file: JSON with a line a measure, readable and small."""
    lines = [f" {json.dumps(name)}: {_line(value)}" for name, value in record.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _line(value: Any) -> str:
    if not isinstance(value, dict):
        return json.dumps(value, allow_nan=False)
    inner = [f"  {json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in value.items()]
    return "{\n" + ",\n".join(inner) + "\n }"


def short(value: Any) -> Any:
    """Six significant digits; None for what is no number, which JSON cannot hold."""
    if isinstance(value, dict):
        return {name: short(one) for name, one in value.items()}
    if isinstance(value, list):
        return [short(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
