"""What a record of the study must hold: looked at whenever one is read, before any work."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bijepa_book import records

PARTS = {
    "condition": str,
    "length": str,
    "shared_predictor": bool,
    "experiment": dict,
    "configuration": dict,
    "seeds": list,
    "measures": dict,
    "curves": dict,
    "diverged": list,
    "provenance": dict,
}


def read(path: Path) -> dict[str, Any]:
    """A record, once it is seen to be one.

    Args:
        path: its file, named for its condition.

    Returns:
        As :func:`bijepa_book.evidence.runner.run_study` wrote it.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    try:
        content = records.read(path)
        fault = next(_faults(content, path.stem), None)
        if fault is not None:
            raise ValueError(f"{path} is no record of the study: {fault}.")
    except ValueError as error:
        raise ValueError(
            f"{error} Move it away and make it again with: "
            f"bijepa evidence --resume --results {path.parent}"
        ) from error
    return content


def _faults(record: dict[str, Any], name: str) -> Iterator[str]:
    """What is wrong, the most telling first; each may rely on those before it."""
    for part, kind in PARTS.items():
        if not isinstance(record.get(part), kind):
            yield f"its {part} is no {kind.__name__}" if part in record else f"it has no {part}"
    key = f"{record['experiment'].get('name')}-{record['condition']}-{record['length']}"
    if key != name:
        yield f"it is of the condition {key}"
    seeds = record["seeds"]
    if not seeds or not all(_whole(seed) for seed in seeds) or seeds != sorted(set(seeds)):
        yield "its seeds are not distinct whole numbers in order"
    if not all(seed in seeds for seed in record["diverged"]):
        yield "seeds diverged that it does not have"
    for measure, values in record["measures"].items():
        if not _is_row(values, len(seeds)):
            yield f"{measure} is not a number (or null) for each of its {len(seeds)} seeds"
    steps = record["curves"].get("steps", [])
    if not isinstance(steps, list) or not all(map(_whole, steps)):
        yield "the steps of its curves are not whole numbers"
    for curve in record["curves"].keys() - {"steps"}:
        rows = record["curves"][curve]
        whole = isinstance(rows, list) and len(rows) == len(seeds)
        if not whole or not all(row is None or _is_row(row, len(steps)) for row in rows):
            yield f"the curve {curve} is not {len(steps)} numbers for each of its seeds"
    parts = record["provenance"].get("parts")
    if not isinstance(parts, list) or not all(map(_is_origin, parts)):
        yield "its provenance does not say which seeds took how many seconds"
    elif sorted(seed for part in parts for seed in part["seeds"]) != seeds:
        yield "its provenance is of other seeds"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_row(values: Any, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(value is None or _is_number(value) for value in values)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_origin(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and isinstance(part.get("seeds"), list)
        and all(map(_whole, part["seeds"]))
        and _is_number(part.get("seconds"))
    )
