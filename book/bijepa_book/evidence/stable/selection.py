"""From the hunt's records to strengths, and to what is recorded next; by the criteria."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from bijepa_book.evidence.second.recording import Recording, load
from bijepa_book.evidence.stable.criteria import READINGS, SAY, cost, settled
from bijepa_book.evidence.stable.hunt import Candidate, image_recording, recording
from bijepa_book.evidence.stable.kinds import KINDS, PAPER
from bijepa_book.records import results_folder
from bijepa_core.experiments import LORENZ, SINE

Records = Mapping[str, Mapping[str, Any]]
SERIES = ("sine", "lorenz")
IMAGE_READINGS = ("label_error", "decoder_ten")
FINALISTS = 3


def recorded() -> Records:
    """This study's records in the book, by key."""
    return load(results_folder() / "stable")


def costs(records: Records, candidate: Candidate) -> dict[str, float]:
    """A candidate's cost in each experiment that it was recorded in.

    Args:
        records: of the hunt, by key.
        candidate: with its strength.

    Returns:
        By experiment: the mean log ratio to the better of the paper's two; see
        :mod:`bijepa_book.evidence.stable.criteria`.
    """
    found = {}
    for name in (*SERIES, "mnist"):
        end, readings = ("short", IMAGE_READINGS) if name == "mnist" else ("paper", READINGS)
        keys = [f"{name}-hunt-{one}-{end}" for one in (candidate.name, *PAPER)]
        if all(key in records for key in keys):
            mine, *others = (records[key] for key in keys)
            found[name] = cost(mine, others, readings)
    return found


def best(records: Records, wanted: Iterable[Candidate]) -> dict[str, tuple[Candidate, float]]:
    """Each kind at its strength of least cost, and that cost: a mean over experiments.

    Args:
        records: of the hunt, both series complete.
        wanted: candidates to choose among: all, or those that have settled.

    Returns:
        By kind.
    """
    chosen: dict[str, tuple[Candidate, float]] = {}
    for candidate in wanted:
        if candidate.strength is None:
            continue
        mean = float(np.mean(list(costs(records, candidate).values())))
        if mean < chosen.get(candidate.kind, (candidate, math.inf))[1]:
            chosen[candidate.kind] = candidate, mean
    return chosen


def settled_on_both(records: Records) -> list[Candidate]:
    """Those that have settled on both series, of those that were trained ten times as long."""
    found = []
    for candidate in heard(records):
        pairs = [
            [f"{name}-hunt-{candidate.name}-{length}" for length in ("long", "paper")]
            for name in SERIES
        ]
        known = all(long in records for long, _ in pairs)
        if known and all(
            all(settled(records[long], records[paper]).values()) for long, paper in pairs
        ):
            found.append(candidate)
    return found


def finalists(records: Records) -> list[Candidate]:
    """The kinds of least cost among those that have a settled strength, each at its best one.

    Raises:
        ValueError: naming candidates that MNIST has not been asked of.
    """
    settled_ones = settled_on_both(records)
    unheard = [one.name for one in settled_ones if "mnist" not in costs(records, one)]
    if unheard:
        raise ValueError(
            f"MNIST has a say in who goes on; it has not been asked of {', '.join(unheard)}. "
            "Record stable-images first."
        )
    chosen = sorted(best(records, settled_ones).values(), key=lambda pair: pair[1])
    return [candidate for candidate, _ in chosen[:FINALISTS]]


def heard(records: Records) -> Iterator[Candidate]:
    """What MNIST is asked of: kinds within the limit on the series, at each strength within it."""
    yield from (Candidate(name) for name in PAPER)
    for kind in KINDS:
        for strength in KINDS[kind].strengths:
            candidate = Candidate(kind, strength)
            found = costs(records, candidate)
            known = [found.get(name, math.inf) for name in SERIES]
            if float(np.mean(known)) <= SAY:
                yield candidate


def image_recordings(records: Records) -> list[Recording]:
    """MNIST, for those whose say is asked."""
    return [image_recording(candidate) for candidate in heard(records)]


def long_recordings(records: Records) -> list[Recording]:
    """Ten times the length, for the same as on MNIST, and the series one after the other."""
    return [recording(one, e, "long") for e in (SINE, LORENZ) for one in heard(records)]
