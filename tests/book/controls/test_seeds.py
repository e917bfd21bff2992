"""The desk of chapter 8 judges a claim with as many seeds as it is told."""

import numpy as np
import pytest

from bijepa_book.controls.seeds import SeedsDesk

SEEDS = list(range(64, 96))
NOISE = np.exp(0.3 * np.cos(np.arange(32)))
RECORDS = {
    "sine-expressive-paper": {"seeds": SEEDS, "measures": {"fair_b": list(0.4 * NOISE)}},
    "sine-classic-paper": {"seeds": SEEDS, "measures": {"fair_b": [1.0] * 32}},
}


@pytest.fixture
def desk() -> SeedsDesk:
    """At the paper's headline."""
    return SeedsDesk(RECORDS)


def test_it_shows_label_and_seeds_of_the_chosen_claim(desk: SeedsDesk) -> None:
    assert "holds, as large as claimed" in desk.status.value
    assert desk.status.value.count("<circle") == 32


def test_two_seeds_are_too_few(desk: SeedsDesk) -> None:
    desk.seeds.value = 2
    assert desk.verdict().direction == "open"
    assert desk.status.value.count("<circle") == 2


def test_another_claim_can_be_chosen(desk: SeedsDesk) -> None:
    desk.claim.value = "explosion"
    assert "no record of" in desk.status.value
