"""Penalties without EMA and stop-gradient, from records whose ratios are known."""

import math
from typing import Any

import pytest

from bijepa_book.evidence.stable.criteria import READINGS
from bijepa_book.evidence.stable.hunt import Candidate, without_recordings
from bijepa_book.evidence.stable.kinds import HELD, KINDS
from bijepa_book.evidence.stable.selection import SERIES
from bijepa_book.evidence.stable.without import WAYS, answers, least


def records() -> dict[str, Any]:
    """All alike, of error 1 and rank 8, but for three."""
    found: dict[str, Any] = {}

    def put(series: str, name: str, error: float = 1.0, rank: float = 8.0) -> None:
        measures = {reading: [error / 2, error * 2] for reading in READINGS}
        measures |= {"effective_rank": [rank, rank]}
        found[f"{series}-hunt-{name}-paper"] = {"measures": measures}

    for series in SERIES:
        for penalty in HELD:
            for kind in (penalty, *(f"{penalty}-{way}" for way in WAYS)):
                for strength in KINDS[penalty].strengths:
                    put(series, Candidate(kind, strength).name)
        put(series, "scale-0.1", error=0.8)
        put(series, "scale-no-stop-0.1", error=1.2, rank=6.0)
    put("lorenz", "vicreg-no-ema-1", rank=3.9)
    found["sine-hunt-sigreg-no-stop-10-paper"] = {"measures": {}}
    return found


def test_who_holds_is_asked_of_both_series_and_errors_of_the_best_with_both() -> None:
    found = answers(records())
    assert {(one.penalty, one.way, one.strength) for one in found if not one.holds} == {
        ("vicreg", "no-ema", 1),
        ("sigreg", "no-stop", 10),
    }
    scale = next(o for o in found if o[:3] == ("scale", "no-stop", 0.1))
    assert (scale.rank, scale.error, scale.over_best) == pytest.approx((0.75, 1.5, 1.5))
    assert least(found, "scale", "no-stop").over_best == pytest.approx(1.25)
    gone = next(o for o in found if o[:3] == ("sigreg", "no-stop", 10))
    assert (gone.rank, gone.error) == (0.0, math.inf)


def test_every_answer_is_recorded() -> None:
    keys = {recording.key for recording in without_recordings()}
    known = records().keys()
    assert keys == {key for key in known if any(f"-{way}-" in key for way in WAYS)}
