from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bijepa_book.evidence.futures import criteria, grid, well
from bijepa_book.evidence.futures.criteria import RATES, RUNGS
from bijepa_book.evidence.futures.models import HEADS
from bijepa_book.evidence.futures.recordings import (
    SIZES,
    chosen,
    due,
    recordings,
    tuning,
    verdict_records,
)
from bijepa_book.evidence.futures.world import Drawn
from bijepa_book.evidence.second.recording import joined, load, measured, write
from bijepa_core.constraints import EXPRESSIVE

TINY = replace(SIZES["well"], steps=40, batch_size=16)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(well, "FIT", 240)
    monkeypatch.setattr(well, "JUDGE", 40)
    monkeypatch.setattr(grid, "CLOSELY", 50)


@pytest.mark.parametrize("head", [*grid.KNOWING, "deterministic", "energy"])
def test_a_seed_is_measured_alike_in_any_company(head: str) -> None:
    measure = partial(grid.measure, head, grid.WELL, TINY, EXPRESSIVE)
    both, alone = measure((96, 97), "cpu"), measure((97,), "cpu")
    assert both.measures.keys() == alone.measures.keys()
    for mine, other in ((both.measures, alone.measures), (both.curves, alone.curves)):
        for name, values in mine.items():
            near = np.allclose(values[1], other[name][0], rtol=2e-2, atol=2e-2, equal_nan=True)
            assert near, name
    with pytest.raises(ValueError, match="on the CPU"):
        measure((96,), "cuda")


def test_parts_become_a_record_that_the_book_reads(tmp_path: Path) -> None:
    one = next(r for r in recordings({}) if r.key == "well-exact")
    parts = [measured(one, (seed,)) for seed in (64, 65)]
    write(tmp_path, joined(one, parts))
    record = load(tmp_path)["well-exact"]
    assert record["seeds"] == [64, 65]
    assert len(record["curves"]["right_forward"][0]) == len(well.PLACES)


def made_up(quality: float) -> dict[str, Any]:
    """A record whose scores are all a number, and whose curves are the exact law's."""
    seeds, row = list(range(64, 72)), well.law(well.PLACES[15]).reshape(50, 4).sum(-1)
    names = ("crps", "brier", "energy", "coverage", "spread_to_error", "miscalibration")
    right = well.right(well.law(well.PLACES)) * quality
    ways = ("forward", "backward")
    return {
        "seeds": seeds,
        "measures": {f"{n}_{w}": [quality + s / 1e5 for s in seeds] for n in names for w in ways},
        "curves": {
            **{f"right_{w}": [right.tolist()] * 8 for w in ways},
            **{f"fork_{w}": [(row * quality).tolist()] * 8 for w in ways},
            **{f"often_{w}": [[0.1 * quality] * 10] * 8 for w in ways},
        },
    }


def test_claims_are_judged_by_interval_and_rival() -> None:
    records = {f"{w.name}-{head}": made_up(1.4) for w in grid.WORLDS for head in HEADS}
    for w in grid.WORLDS:
        records[f"{w.name}-energy"] = made_up(1.02)
        records[f"{w.name}-exact"] = made_up(1.0)
        records[f"{w.name}-climatology"] = made_up(1.5)
    said = {
        f"{c.world} {c.head} {c.way} {c.text}": criteria.judge(c, records)
        for c in criteria.claims()
    }
    assert len(said) == len(criteria.claims())
    crps = said["well energy forward the energy predictor's crps is at most 5 % in excess"]
    assert crps["mean"] == pytest.approx(0.02, abs=1e-3)
    assert crps["size"]
    assert crps["direction"]
    gaussian = said[
        "linear gaussian forward the gaussian head's energy score is at most 5 % in excess"
    ]
    assert not gaussian["size"]
    shares = said["well energy backward shares around the ridge are right within 5 points"]
    assert 0 < shares["mean"] < 0.02
    assert shares["direction"]
    between = said["well energy forward what lies between the wells is right within 5 points"]
    assert between["mean"] < 0.01
    z = said["well energy forward z spreads samples as far as they miss, within 10 %"]
    assert z["direction"] is None
    rivals = criteria.compared(records, "linear", "mixture", "forward")
    assert rivals["ratio"] == pytest.approx(1.4 / 1.02, rel=1e-3)
    assert rivals["better"] == "energy"
    assert criteria.compared(records, "linear", "exact", "forward")["better"] is None


def test_the_learning_rate_of_least_score_is_taken_to_fresh_seeds() -> None:
    records: dict[str, Any] = {}
    for one in tuning({}):
        rate = one.about["settings"]["learning_rate"]
        quality = 1 + abs(np.log(rate / 1e-3))
        records[one.key] = made_up(quality)
    records["well-tuning-energy-0.003-expressive"] = made_up(0.5)
    del records["well-tuning-energy-0.003-expressive"]["measures"]["crps_forward"]  # it stopped
    assert chosen(records, "linear", "energy") == chosen(records, "well", "energy") == 1e-3
    planned = {r.key: r for r in recordings(records)}
    assert len(planned) == 3 * (len(HEADS) + len(grid.KNOWING))
    assert planned["wing-energy-expressive"].about["settings"]["learning_rate"] == 1e-3
    assert len(planned["wing-flow-expressive"].seeds) == 8
    kept = verdict_records({**records, **{key: {} for key in planned}})
    assert set(kept) == {f"{w.name}-{h}" for w in grid.WORLDS for h in (*HEADS, *grid.KNOWING)}
    assert isinstance(grid.WELL.drawn((64,), 4), Drawn)


def test_a_least_score_at_an_end_asks_for_one_learning_rate_more() -> None:
    def costs(*least: float) -> dict[float, float]:
        return {rate: abs(np.log(rate / least[0])) for rate in least[1:]}

    assert due({}) == due(costs(1e-3, *RATES)) == RATES
    assert due(costs(1e-3, 3e-4)) == RATES  # not all of the first ones are there
    assert due(costs(1e-2, *RATES)) == (*RATES, 1e-2)
    assert due(costs(1e-2, *RATES, 1e-2)) == (*RATES, 1e-2, 3e-2)
    assert due(costs(1e-2, *RATES, 1e-2, 3e-2)) == (*RATES, 1e-2, 3e-2)
    assert due(costs(1.0, *RUNGS)) == RUNGS  # there is no further one
    assert due(costs(1e-9, 3e-5, 1e-4, *RATES)) == (3e-5, 1e-4, *RATES)
    records = {
        one.key: made_up(costs(1e-3, one.about["settings"]["learning_rate"]).popitem()[1])
        for one in tuning({})
    }
    for way in ("forward", "backward"):
        records["well-tuning-flow-0.0003-expressive"]["measures"][f"crps_{way}"] = [1e-9]
    (further,) = (one.key for one in tuning(records) if one.key not in records)
    assert further == "well-tuning-flow-0.0001-expressive"
    with pytest.raises(KeyError, match=r"flow in the well .* not tried at 0\.0001"):
        chosen(records, "well", "flow")
    assert "well-flow-expressive" not in {one.key for one in recordings(records)}
