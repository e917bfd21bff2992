"""What is recorded, and how: a condition with its seeds, measured in parts, kept as one JSON."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bijepa_book import records as stored
from bijepa_book.process import threads
from bijepa_book.records import in_lines, short
from bijepa_core import NonFiniteLossError
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.files import atomic_write
from bijepa_core._support.provenance import provenance
from bijepa_core.evaluation.scores import Scores

SERIES_SEEDS = range(64, 96)
"""Fresh ones: no number of theirs had been seen when these questions were written."""
IMAGE_SEEDS = range(32)
"""Of these, seeds 0 to 7 had been seen; verdicts are given with and without them."""
SEEN = {
    **{"sine": range(32), "lorenz": range(32), "mnist": range(8)},
    **{"watch": range(8), **dict.fromkeys(("well", "linear", "wing"), range(0))},
}
"""The first edition's seeds, and chapter 7's; nobody knew of many futures then."""


class Measured(NamedTuple):
    """What one part gives.

    Args:
        measures: one number a seed under each name.
        curves: a list of numbers a seed under each name: errors by position, say.
    """

    measures: Scores
    curves: dict[str, list[list[float]]]


@dataclass(frozen=True)
class Recording:
    """One condition of the study.

    Args:
        key: its name among all, and its file's.
        about: what was trained, as plain data: what a record must agree on to be added to.
        seeds: which.
        chunk: seeds that train together.
        seconds: of one core, roughly, for a seed: the order of the work, nothing else.
        measure: trains and measures some seeds on a device (``"cpu"``, ``"cuda"``).
    """

    key: str
    about: Mapping[str, Any]
    seeds: Sequence[int]
    chunk: int
    seconds: float
    measure: Callable[[tuple[int, ...], str], Measured]

    def parts(self, done: Sequence[int] = ()) -> Iterator[tuple[int, ...]]:
        """The chunks of seeds that are still to do; their borders are fixed."""
        for start in range(0, len(self.seeds), self.chunk):
            left = tuple(s for s in self.seeds[start : start + self.chunk] if s not in done)
            if left:
                yield left


def measured(recording: Recording, seeds: tuple[int, ...], device: str = "cpu") -> dict[str, Any]:
    """One part of a record, as plain data with its provenance; on one thread.

    Args:
        recording: what to train.
        seeds: a part of its own.
        device: where.

    Returns:
        ``seeds``, ``measures``, ``curves``, ``provenance``. Where the loss of a seed stops being
        finite, the one measure of all of them is ``stopped_at``, its step.
    """
    began, place = time.perf_counter(), resolve_device(device)
    with threads(1):
        try:
            measures, curves = recording.measure(seeds, device)
        except NonFiniteLossError as error:
            measures, curves = {"stopped_at": [float(error.step)] * len(seeds)}, {}
    return {
        "seeds": list(seeds),
        "measures": short(measures),
        "curves": short(curves),
        "provenance": provenance(place, time.perf_counter() - began),
    }


def joined(recording: Recording, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Parts of one recording as its record, seeds in order.

    Args:
        recording: what was recorded.
        parts: as :func:`measured` gives them, or records.

    Returns:
        ``key``, ``about``, ``seeds``, ``measures``, ``curves``, and ``provenance``, a list.
    """
    order = sorted(
        ((seed, part, i) for part in parts for i, seed in enumerate(part["seeds"])),
        key=lambda entry: entry[0],
    )

    def columns(kind: str) -> dict[str, list[Any]]:
        names = dict.fromkeys(name for part in parts for name in part[kind])
        return {
            name: [part[kind][name][i] if name in part[kind] else None for _, part, i in order]
            for name in names
        }

    origins: list[dict[str, Any]] = []
    for part in parts:
        kept = part["provenance"]
        origins += kept if isinstance(kept, list) else [{"seeds": part["seeds"], **kept}]
    return {
        "key": recording.key,
        "about": dict(recording.about),
        "seeds": [seed for seed, _, _ in order],
        "measures": columns("measures"),
        "curves": columns("curves"),
        "provenance": sorted(origins, key=lambda origin: origin["seeds"]),
    }


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Keep a record in its file, whole: JSON with a line a measure."""
    atomic_write(folder / f"{record['key']}.json", in_lines(record))


def load(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The second edition's records.

    Args:
        folder: where; those of this book by default.

    Returns:
        By key.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: naming one that is not whole, or not of this edition.
    """
    place = folder or stored.results_folder() / "second"
    found = {path.stem: stored.read(path) for path in sorted(place.glob("*.json"))}
    if not found:
        raise FileNotFoundError(
            f"no results in {place}. Make some with: python tools/record_study.py --results {place}"
        )
    for key, record in found.items():
        if key.split("-")[0] not in SEEN or not {"seeds", "measures"} <= record.keys():
            raise ValueError(f"{place / key}.json is no record of the second edition.")
    return found


def pooled(
    first: Mapping[str, Mapping[str, Any]], second: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Both editions' seeds of the series together; of MNIST the second's, which were read anew.

    Args:
        first, second: records by key.

    Returns:
        The second's records, longer by the seeds of the first; None where a measure is new.
    """
    both: dict[str, dict[str, Any]] = {}
    for key, record in second.items():
        older = first.get(key)
        if older is None or key.startswith("mnist"):
            both[key] = dict(record)
            continue
        absent = [None] * len(older["seeds"])
        columns = {
            name: [*older["measures"].get(name, absent), *values]
            for name, values in record["measures"].items()
        }
        seeds = [*older["seeds"], *record["seeds"]]
        both[key] = {**record, "seeds": seeds, "measures": columns}
    return both


def fresh(records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same records with the fresh seeds alone.

    Args:
        records: by key.

    Returns:
        Copies without the seeds of :data:`SEEN`, in measures and curves.
    """
    kept: dict[str, dict[str, Any]] = {}
    for key, record in records.items():
        seen = SEEN[key.split("-")[0]]
        rows = [i for i, seed in enumerate(record["seeds"]) if seed not in seen]
        kept[key] = {**record, "seeds": [record["seeds"][i] for i in rows]}
        for kind in ("measures", "curves"):
            columns = record.get(kind, {}).items()
            kept[key][kind] = {name: [values[i] for i in rows] for name, values in columns}
    return kept
