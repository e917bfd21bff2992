import math
from typing import Any

import numpy as np
import pytest

from bijepa_book.evidence.stable.criteria import READINGS
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.judgment import DRAWINGS, LABELS, demands, successes

ONE = Candidate("scale", 0.01)
SEEDS = list(range(64, 96))
NOISE = np.random.default_rng(0).normal(0, 0.01, (2, 32))


def record(error: float, growth: float = 1.0, seeds: list[int] = SEEDS) -> dict[str, Any]:
    factors = np.exp(NOISE[0][: len(seeds)])
    measures: dict[str, list[float]] = {r: list(error * factors) for r in READINGS}
    measures |= {
        "late_growth": list(growth + NOISE[1][: len(seeds)]),
        "relative_rebound": [1.05] * len(seeds),
        "effective_rank": [9.0] * len(seeds),
        LABELS: list(0.9 + NOISE[1][: len(seeds)] / 10),
        DRAWINGS: list(0.03 * factors),
    }
    return {"seeds": seeds, "measures": measures}


def studies(
    mine: float, growth: float = 1.0
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    four = {"classic": 3.0, "unconstrained": 1.0, "expressive": 1.3, "restrictive": 2.0}
    lengths = ("paper", "long")
    own = {
        f"{e}-final-{ONE.name}-{n}": record(mine, growth)
        for e in ("sine", "lorenz")
        for n in lengths
    }
    own[f"mnist-final-{ONE.name}-paper"] = record(1.0, seeds=list(range(8, 32)))
    second = {
        f"{e}-{name}-{n}": record(error)
        for e in ("sine", "lorenz")
        for name, error in four.items()
        for n in lengths
    }
    second |= {f"mnist-{name}-paper": record(1.0, seeds=list(range(32))) for name in four}
    # seeds are paired by number, not by place
    for name in four:
        seen = own[f"mnist-final-{ONE.name}-paper"]["measures"]
        for measure in (LABELS, DRAWINGS):
            second[f"mnist-{name}-paper"]["measures"][measure] = [9.9] * 8 + list(seen[measure])
    return own, second


def test_the_better_of_the_two_is_the_rival_and_equal_is_even() -> None:
    found = demands(ONE, *studies(1.0))
    precise = [d for d in found if d.success == "precise"]
    assert {d.rival for d in precise if d.experiment != "mnist"} == {"unconstrained"}
    assert all(d.value == pytest.approx(1) for d in precise if d.what in READINGS)
    assert [d.value for d in precise if d.what == LABELS] == [pytest.approx(0, abs=1e-12)]
    assert successes(found) == {"stable": True, "precise": True, "ambition": False}


def test_six_percent_are_not_even_and_a_moving_norm_is_not_stable() -> None:
    assert successes(demands(ONE, *studies(1.06)))["precise"] is False
    assert successes(demands(ONE, *studies(1.04)))["precise"] is True
    assert successes(demands(ONE, *studies(1.0, growth=0.95)))["stable"] is False


def test_an_interval_that_reaches_over_the_limit_does_not_meet_it() -> None:
    own, second = studies(1.0, growth=1.015)
    norm = next(d for d in demands(ONE, own, second) if d.what == "norm")
    assert norm.value < norm.limits[1] < norm.high
    assert not norm.met


def test_the_ambition_is_asked_against_all_four() -> None:
    found = [d for d in demands(ONE, *studies(0.5)) if d.success == "ambition"]
    assert {d.rival for d in found} == {"classic", "unconstrained", "expressive", "restrictive"}
    against = [d.value for d in found if d.rival == "expressive" and d.what == "fair_b"]
    assert against == [pytest.approx(0.5 / 1.3)] * 2
    assert math.isinf(next(d for d in found if d.what == LABELS).limits[1])


def test_what_is_not_recorded_is_open_and_no_success() -> None:
    own, second = studies(1.0)
    del own[f"mnist-final-{ONE.name}-paper"]
    assert successes(demands(ONE, own, second)) == {
        "stable": True,
        "precise": None,
        "ambition": False,
    }
    del own[f"lorenz-final-{ONE.name}-long"]
    assert successes(demands(ONE, own, second))["stable"] is None
