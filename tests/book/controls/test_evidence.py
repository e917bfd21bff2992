"""The desk judges a claim again under its controls' settings, and says what it found."""

import dataclasses
from typing import Any

import pytest

from bijepa_book.controls.evidence import RefereeDesk, demanding, with_seeds
from bijepa_book.evidence.claims import CLAIMS, Criterion
from bijepa_book.evidence.grid import BASELINES

COUNT = 12


def made_up(factor: float) -> dict[str, dict[str, Any]]:
    """Records in which BiJEPA's error in Protocol B is classic's times a factor, with scatter."""
    noise = [1 + 0.05 * (-1) ** seed * (1 + seed / COUNT) for seed in range(COUNT)]
    seeds = list(range(COUNT))
    return {
        "sine-classic-paper": {"seeds": seeds, "measures": {"fair_b": [1.0] * COUNT}},
        "sine-expressive-paper": {
            "seeds": seeds,
            "measures": {"fair_b": [factor * one for one in noise]},
        },
        f"sine-{BASELINES}-paper": {"seeds": seeds, "measures": {}},
    }


@pytest.fixture
def desk() -> RefereeDesk:
    """At the claim about Protocol B on sine waves, which asks for a factor of 1.98."""
    desk = RefereeDesk(made_up(0.7))
    desk.claim.value = next(claim for claim in CLAIMS if claim.id == "sine-b")
    return desk


def test_it_shows_the_verdict_and_a_picture(desk: RefereeDesk) -> None:
    assert "does not hold" in desk.status.value  # 0.7 is not 0.51
    assert bytes(desk.picture.value).startswith(b"\x89PNG")


def test_asking_for_less_turns_the_verdict(desk: RefereeDesk) -> None:
    before = bytes(desk.picture.value)
    desk.share.value = 0.0
    assert desk.verdict().word == "holds"
    assert "<b>holds</b>" in desk.status.value
    assert bytes(desk.picture.value) != before


def test_two_seeds_are_too_few(desk: RefereeDesk) -> None:
    desk.seeds.value = 2
    assert desk.verdict().word == "not decidable"
    found = desk.verdict().fair[0].effect
    assert found is not None
    assert found.seeds == 2


def test_a_claim_without_results_gets_a_sentence(desk: RefereeDesk) -> None:
    desk.claim.value = next(claim for claim in CLAIMS if claim.id == "mnist-decoder")
    assert "no results" in desk.status.value
    assert bytes(desk.picture.value) == b""


def test_every_claim_that_has_criteria_can_be_chosen(desk: RefereeDesk) -> None:
    assert [name for name, _ in desk.claim.options] == [c.id for c in CLAIMS if c.fair]


def test_a_margin_scales_on_its_own_scale() -> None:
    ratio = Criterion("sine", "fair_b", "expressive", "lower", "classic", 4.0)
    assert demanding(ratio, 0.5).by == pytest.approx(2.0)
    assert demanding(ratio, 0.0).by == pytest.approx(1.0)
    difference = dataclasses.replace(ratio, by=4.0, difference=True)
    assert demanding(difference, 0.5).by == pytest.approx(2.0)
    assert demanding(difference, 0.0).by == pytest.approx(0.0)


def test_fewer_seeds_are_the_first_ones_and_the_records_stay_whole() -> None:
    records = made_up(0.5)
    few = with_seeds(records, 3)
    assert few["sine-classic-paper"]["seeds"] == [0, 1, 2]
    assert len(few["sine-expressive-paper"]["measures"]["fair_b"]) == 3
    assert len(records["sine-expressive-paper"]["measures"]["fair_b"]) == COUNT
