import math
from typing import Any

import pytest

from bijepa_book.evidence.stable.choice import hunted_company
from bijepa_book.evidence.stable.criteria import READINGS
from bijepa_book.evidence.stable.distractor import STRENGTHS
from bijepa_book.evidence.stable.hunt import candidates
from bijepa_book.evidence.stable.selection import (
    SERIES,
    best,
    costs,
    finalists,
    heard,
    image_recordings,
    long_recordings,
    settled_on_both,
)


def hunted(worse: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Both series complete: all candidates are alike but for those that are worse by a factor."""
    return {
        f"{name}-hunt-{one.name}-paper": {
            "measures": dict.fromkeys(READINGS, [worse.get(one.name, 2.0)] * 2)
        }
        for name in SERIES
        for one in candidates()
    }


def test_each_kind_takes_its_strength_of_least_cost() -> None:
    everything = {one.name: 3.0 for one in candidates() if one.strength is not None}
    records = hunted(everything | {"scale-0.1": 1.9, "sphere-2": 2.5})
    chosen = best(records, candidates())
    assert chosen["scale"][0].name == "scale-0.1"
    assert abs(chosen["sphere"][1] - math.log(2.5 / 2)) < 1e-12
    assert {one.name for one in heard(records)} == {"unconstrained", "expressive", "scale-0.1"}
    assert [r.key for r in image_recordings(records)][-1] == "mnist-hunt-scale-0.1-short"
    keys = [r.key for r in long_recordings(records)]
    assert keys == [
        f"{name}-hunt-{one}-long"
        for name in SERIES
        for one in ("unconstrained", "expressive", "scale-0.1")
    ]


def test_who_has_settled_is_asked_on_both_series() -> None:
    everything = {one.name: 3.0 for one in candidates() if one.strength is not None}
    records = hunted(everything | {"scale-0.1": 2.0, "scale-0.01": 1.9})
    for name in SERIES:
        for one, growth in (("scale-0.1", 1.01), ("scale-0.01", 1.0 + (name == "lorenz"))):
            measures = {"late_growth": [growth], "relative_rebound": [1.0], "effective_rank": [5.0]}
            records[f"{name}-hunt-{one}-long"] = {"measures": measures}
            records[f"{name}-hunt-{one}-paper"]["measures"]["effective_rank"] = [5.0]
    assert [one.name for one in settled_on_both(records)] == ["scale-0.1"]
    assert best(records, settled_on_both(records))["scale"][0].name == "scale-0.1"
    with pytest.raises(ValueError, match=r"not been asked of scale-0\.1\."):
        finalists(records)
    for name in ("unconstrained", "expressive", "scale-0.1"):
        measures = {"label_error": [1.0], "decoder_ten": [1.0]}
        records[f"mnist-hunt-{name}-short"] = {"measures": measures}
    assert [one.name for one in finalists(records)] == ["scale-0.1"]
    keys = [one.key for one in hunted_company(records)]
    assert len(keys) == 2 * (3 + len(STRENGTHS))
    assert {"lorenz-company-with-scale-0.1", "mnist-company-with-scale-0.1-classic"} < {*keys}


def test_mnist_has_a_third_of_the_say() -> None:
    records = hunted({"scale-0.1": 2.0, "scale-1": 2.1})
    for name, wrong in (("unconstrained", 1.0), ("expressive", 1.0), ("scale-0.1", 2.0)):
        measures = {"label_error": [wrong], "decoder_ten": [1.0]}
        records[f"mnist-hunt-{name}-short"] = {"measures": measures}
    found = costs(records, best(records, candidates())["scale"][0])
    assert found.keys() == {"sine", "lorenz"}  # another strength, now that 0.1 costs more
    scale = next(one for one in candidates() if one.name == "scale-0.1")
    assert costs(records, scale)["mnist"] == math.log(2) / 2
