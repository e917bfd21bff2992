"""Finalists judged: each demand of the criteria, with the interval that decides it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bijepa_book.evidence.stable.criteria import (
    AHEAD,
    BEATS,
    DRAWN,
    DRAWN_BEATS,
    EVEN,
    POINTS,
    RANK,
    READINGS,
    REBOUND,
    STILL,
)
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.kinds import PAPER
from bijepa_book.evidence.stable.selection import SERIES
from bijepa_book.evidence.statistics import bootstrap_interval
from bijepa_core.experiments import CONFIGURATIONS

Record = Mapping[str, Any]
Records = Mapping[str, Record]
Success = Literal["stable", "precise", "ambition"]
SUCCESSES: tuple[Success, ...] = ("stable", "precise", "ambition")
LABELS, DRAWINGS = "fair_accuracy_a", "fair_decoder"
"""On MNIST: a converged classifier on the left half's embedding, and a converged decoder."""


class Demand(NamedTuple):
    """One demand on a finalist.

    Args:
        success: of what it is a part.
        experiment: asked where.
        length: ``paper`` or ``long``.
        what: is asked.
        rival: compared with; empty where the limit is a number by itself.
        value: found, a mean over seeds, or a geometric mean of ratios; NaN where nothing is
            recorded.
        low, high: 95 % bootstrap interval of it.
        limits: between which the interval has to lie.
    """

    success: Success
    experiment: str
    length: str
    what: str
    rival: str
    value: float
    low: float
    high: float
    limits: tuple[float, float]

    @property
    def met(self) -> bool | None:
        """Whether the whole interval lies within the limits; None where nothing is recorded."""
        if math.isnan(self.value):
            return None
        return self.limits[0] <= self.low and self.high <= self.limits[1]


def demands(finalist: Candidate, records: Records, second: Records) -> list[Demand]:
    """Everything that is asked of a finalist.

    Args:
        finalist: with its strength.
        records: of this study, its final ones among them.
        second: the second edition's, of the same seeds.

    Returns:
        The demands, those of one success together.
    """
    return [
        *_stable(finalist, records),
        *_precise(finalist, records, second),
        *_ambitious(finalist, records, second),
    ]


def successes(found: Sequence[Demand]) -> dict[Success, bool | None]:
    """Which successes a finalist has: all of their demands are met; None while some are open."""
    verdicts: dict[Success, bool | None] = {}
    for name in SUCCESSES:
        met = [d.met for d in found if d.success == name]
        verdicts[name] = False if False in met else None if None in met else True
    return verdicts


def _final(records: Records, finalist: Candidate, experiment: str, length: str) -> Record | None:
    return records.get(f"{experiment}-final-{finalist.name}-{length}")


NOTHING = (math.nan, math.nan, math.nan)


def _stable(finalist: Candidate, records: Records) -> Iterator[Demand]:
    for name in SERIES:
        long, paper = (_final(records, finalist, name, length) for length in ("long", "paper"))
        if long is None or paper is None:
            yield from (
                Demand("stable", name, "long", what, "", *NOTHING, (0.0, math.inf))
                for what in ("norm", "relative loss", "rank")
            )
            continue
        risen = _paired(long, "effective_rank", long) / _paired(paper, "effective_rank", long)
        asked = {
            "norm": (long["measures"]["late_growth"], (1 - STILL, 1 + STILL)),
            "relative loss": (long["measures"]["relative_rebound"], (0.0, REBOUND)),
            "rank": (risen, (RANK, math.inf)),
        }
        for what, (values, limits) in asked.items():
            mean, ends = float(np.mean(values)), bootstrap_interval(values)
            yield Demand("stable", name, "long", what, "", mean, *ends, limits)


def _precise(finalist: Candidate, records: Records, second: Records) -> Iterator[Demand]:
    for name in SERIES:
        for length in ("paper", "long"):
            mine = _final(records, finalist, name, length)
            for reading in READINGS:
                found = {o: _ratio(mine, second[f"{name}-{o}-{length}"], reading) for o in PAPER}
                best = max(found, key=lambda one: found[one][0])
                rival = "" if mine is None else best
                yield Demand("precise", name, length, reading, rival, *found[best], (0.0, EVEN))
    for what, rivals_of, limits in (
        (LABELS, _ahead, (-POINTS, math.inf)),
        (DRAWINGS, _ratio, (0.0, DRAWN)),
    ):
        mine = _final(records, finalist, "mnist", "paper")
        found = {one: rivals_of(mine, second[f"mnist-{one}-paper"], what) for one in PAPER}
        best = (min if what == LABELS else max)(found, key=lambda one: found[one][0])
        rival = "" if mine is None else best
        yield Demand("precise", "mnist", "paper", what, rival, *found[best], limits)


def _ambitious(finalist: Candidate, records: Records, second: Records) -> Iterator[Demand]:
    for rival in CONFIGURATIONS:
        for name in SERIES:
            mine, theirs = _final(records, finalist, name, "paper"), second[f"{name}-{rival}-paper"]
            for reading in READINGS:
                if reading in theirs["measures"]:
                    ratio = _ratio(mine, theirs, reading)
                    yield Demand("ambition", name, "paper", reading, rival, *ratio, (0.0, BEATS))
        mine, theirs = _final(records, finalist, "mnist", "paper"), second[f"mnist-{rival}-paper"]
        points = _ahead(mine, theirs, LABELS)
        drawn = _ratio(mine, theirs, DRAWINGS)
        yield Demand("ambition", "mnist", "paper", LABELS, rival, *points, (AHEAD, math.inf))
        yield Demand("ambition", "mnist", "paper", DRAWINGS, rival, *drawn, (0.0, DRAWN_BEATS))


def _paired(record: Record, name: str, mine: Record) -> NDArray[np.float64]:
    """A record's measure for the seeds of another, in their order."""
    rows = [record["seeds"].index(seed) for seed in mine["seeds"]]
    return np.asarray(record["measures"][name], dtype=float)[rows]


def _logs(record: Record, name: str, mine: Record) -> NDArray[np.float64]:
    return np.log(_paired(record, name, mine))


def _ratio(mine: Record | None, theirs: Record, name: str) -> tuple[float, float, float]:
    """The geometric mean of ratios, seed by seed, with its interval."""
    if mine is None:
        return NOTHING
    logs = _logs(mine, name, mine) - _logs(theirs, name, mine)
    low, high = bootstrap_interval(logs)
    return math.exp(logs.mean()), math.exp(low), math.exp(high)


def _ahead(mine: Record | None, theirs: Record, name: str) -> tuple[float, float, float]:
    """Percentage points ahead, seed by seed, with their interval."""
    if mine is None:
        return NOTHING
    points = 100 * (_paired(mine, name, mine) - _paired(theirs, name, mine))
    return (float(points.mean()), *bootstrap_interval(points))
