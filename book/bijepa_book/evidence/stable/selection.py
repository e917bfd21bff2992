"""From the hunt's records to strengths, and to what is recorded next; by the criteria."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bijepa_book.evidence.second.recording import Recording
from bijepa_book.evidence.stable.criteria import SAY, cost
from bijepa_book.evidence.stable.hunt import Candidate, candidates, image_recording, recording
from bijepa_book.evidence.stable.kinds import KINDS, PAPER
from bijepa_core.experiments import LORENZ, SINE

Records = Mapping[str, Mapping[str, Any]]
SERIES = ("sine", "lorenz")
IMAGE_READINGS = ("label_error", "decoder_ten")


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
        end, readings = ("short", IMAGE_READINGS) if name == "mnist" else ("paper", None)
        keys = [f"{name}-hunt-{one}-{end}" for one in (candidate.name, *PAPER)]
        if all(key in records for key in keys):
            mine, *others = (records[key] for key in keys)
            found[name] = cost(mine, others, readings) if readings else cost(mine, others)
    return found


def best(records: Records) -> dict[str, tuple[Candidate, float]]:
    """Each kind at its strength of least cost, and that cost: a mean over experiments.

    Args:
        records: of the hunt, both series complete. MNIST counts for a strength that it was
            recorded for.

    Returns:
        By kind.
    """
    chosen: dict[str, tuple[Candidate, float]] = {}
    for candidate in candidates():
        if candidate.strength is None:
            continue
        found = costs(records, candidate)
        mean = float(np.mean(list(found.values())))
        if mean < chosen.get(candidate.kind, (candidate, math.inf))[1]:
            chosen[candidate.kind] = candidate, mean
    return chosen


def heard(records: Records) -> Iterator[Candidate]:
    """What MNIST is asked of: kinds within the limit on the series, at each strength within it."""
    yield from (Candidate(name) for name in PAPER)
    for kind in KINDS:
        for strength in KINDS[kind].strengths:
            candidate = Candidate(kind, strength)
            found = costs(records, candidate)
            if float(np.mean([found[name] for name in SERIES])) <= SAY:
                yield candidate


def image_recordings(records: Records) -> list[Recording]:
    """MNIST, for those whose say is asked."""
    return [image_recording(candidate) for candidate in heard(records)]


def long_recordings(records: Records) -> list[Recording]:
    """Ten times the length, for each kind at its strength, the cheapest first."""
    found = sorted(best(records).values(), key=lambda pair: pair[1])
    wanted = [*(Candidate(name) for name in PAPER), *(candidate for candidate, _ in found)]
    return [recording(one, e, "long") for e in (SINE, LORENZ) for one in wanted]
