"""Penalties without EMA, and without the stop-gradient: who holds, and at what cost."""

import math
from typing import Literal, NamedTuple, get_args

import numpy as np

from bijepa_book.evidence.stable.criteria import READINGS
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.kinds import HELD, KINDS
from bijepa_book.evidence.stable.selection import SERIES, Records

Way = Literal["no-ema", "no-stop"]
WAYS: tuple[Way, ...] = get_args(Way)
HALF = 0.5  # of the rank


class Answer(NamedTuple):
    """A penalty in one of the two ways, at one strength.

    Args:
        penalty: see :data:`.kinds.HELD`.
        way: what it does without.
        strength: of it.
        rank: the effective rank over that with both, of the series where that is less.
        error: over that with both, at the same strength; infinite where a loss was.
        over_best: the same over that with both at *its* strength of least error.
    """

    penalty: str
    way: Way
    strength: float
    rank: float
    error: float
    over_best: float

    @property
    def holds(self) -> bool:
        """Whether the loss stays finite, and half of the rank is there on both series."""
        return math.isfinite(self.error) and self.rank >= HALF


def answers(records: Records) -> list[Answer]:
    """Every penalty at every strength, both ways; by the criteria.

    Args:
        records: of the hunt, and of this question.
    """
    found = []
    for penalty in HELD:
        strengths = KINDS[penalty].strengths
        with_both = {s: _error(records, Candidate(penalty, s).name) for s in strengths}
        for way in WAYS:
            for s in strengths:
                mine, theirs = (Candidate(k, s).name for k in (f"{penalty}-{way}", penalty))
                error = _error(records, mine)
                ranks = [_rank(records, n, mine) / _rank(records, n, theirs) for n in SERIES]
                ratios = (error - with_both[s], error - min(with_both.values()))
                found.append(Answer(penalty, way, s, min(ranks), *map(math.exp, ratios)))
    return found


def least(found: list[Answer], penalty: str, way: Way) -> Answer:
    """A penalty in one way, at its strength of least error."""
    mine = (one for one in found if (one.penalty, one.way) == (penalty, way))
    return min(mine, key=lambda one: one.over_best)


def _error(records: Records, name: str) -> float:
    """The mean log error over series, readings and seeds."""
    measures = [records[f"{series}-hunt-{name}-paper"]["measures"] for series in SERIES]
    if any(reading not in one for one in measures for reading in READINGS):
        return math.inf
    return float(np.mean([np.log(one[reading]).mean() for one in measures for reading in READINGS]))


def _rank(records: Records, series: str, name: str) -> float:
    """The geometric mean over seeds; 0 where a loss was not finite."""
    measures = records[f"{series}-hunt-{name}-paper"]["measures"]
    if "effective_rank" not in measures:
        return 0.0
    return float(np.exp(np.log(measures["effective_rank"]).mean()))
