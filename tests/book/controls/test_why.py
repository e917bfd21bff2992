"""The position cursor shows the record's errors, and says no more than the interval does."""

from typing import Any

import numpy as np
import pytest

from bijepa_book.controls.why import PositionCursor, compared
from bijepa_book.evidence.second.why import READINGS

SEEDS = 6


def made_up(factor: float) -> dict[str, dict[str, Any]]:
    """Errors of 1 at every position, and of `factor` for BiJEPA, with scatter."""
    scatter = 1 + 0.02 * np.arange(SEEDS)[:, None]
    names = {name for one in READINGS.values() for name in one.values()}

    def record(value: float) -> dict[str, Any]:
        return {"curves": {name: (value * scatter * np.ones(10)).tolist() for name in names}}

    return {
        "sine-why-classic-paper": record(1.0),
        "sine-why-bijepa-paper": record(factor),
    }


@pytest.fixture
def cursor() -> PositionCursor:
    """At the first sample of y."""
    return PositionCursor(made_up(0.25), ["sine"])


def test_it_begins_where_y_does_and_says_both_errors_and_their_ratio(
    cursor: PositionCursor,
) -> None:
    assert cursor.status.value.startswith("y, position 1 of 10.")
    assert "4.00 times smaller" in cursor.status.value
    assert bytes(cursor.picture.value).startswith(b"\x89PNG")


def test_the_slider_reaches_over_all_windows_that_are_read(cursor: PositionCursor) -> None:
    assert cursor.place.max == 29  # x, y and z off the forecast
    cursor.reading.value = "embedding"
    assert cursor.place.max == 39
    cursor.place.value = 0
    assert cursor.status.value.startswith("w, position 1 of 10.")


def test_an_interval_that_contains_one_shows_no_difference() -> None:
    assert compared(0.9, 0.8, 1.1) == "No difference is shown: the ratio is 0.90 [0.80, 1.10]."
    assert "2.00 times larger" in compared(2.0, 1.5, 2.5)
