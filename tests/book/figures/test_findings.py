"""What chapter 8's figures draw is what the records hold."""

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bijepa_book.figures import findings as plots

SEEDS = [64, 65, 66]
RECORDS: dict[str, dict[str, Any]] = {
    "sine-expressive-paper": {
        "seeds": SEEDS,
        "measures": {"e": [0.5, 0.4, 0.6]},
        "curves": {"norm": [[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]]},
    },
    "sine-classic-paper": {"seeds": SEEDS[:2], "measures": {"e": [1.0, 2.0]}, "curves": {}},
}


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """No figure outlives its test."""
    yield
    plt.close("all")


def test_ratios_pair_seeds_that_both_have() -> None:
    ours, theirs = ("sine-expressive-paper", "e"), ("sine-classic-paper", "e")
    assert plots.ratios(RECORDS, ours, theirs) == [0.5, 0.2]
    assert plots.ratios(RECORDS, ours, ("sine-none-paper", "e")) == []


def test_a_strip_has_a_dot_a_seed_and_an_empty_row_where_there_is_no_record() -> None:
    rows = {"there": [0.5, 0.4, 0.6], "missing": []}
    figure = plots.strips(
        {"sine": rows},
        "error",
        lines={"sine": {"raw": 0.7}},
        marks={"sine": {"there": 0.25}},
        even=1.0,
        words="the paper",
    )
    (axis,) = figure.axes
    assert [len(np.asarray(c.get_offsets())) for c in axis.collections] == [3]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(rows)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["raw", "the paper"]


def test_curves_over_training_begin_at_step_zero() -> None:
    keys = {"expressive": "sine-expressive-paper", "no record": "x"}
    figure = plots.training(RECORDS, keys, {"norm": "norm"}, 100, 10)
    line = figure.axes[0].lines[0]
    assert np.asarray(line.get_xdata()).tolist() == [0.0, 50.0]
    assert np.asarray(line.get_ydata()).tolist() == [1.0, 3.0]


def test_errors_by_position_are_geometric_means() -> None:
    panels = {"one": {"norm": "sine-expressive-paper norm"}, "two": {"x": "nowhere x"}, "three": {}}
    figure = plots.positions(RECORDS, panels, "position")
    assert len(figure.axes) == 3
    drawn = np.asarray(figure.axes[0].lines[0].get_ydata(), dtype=float)
    assert drawn == pytest.approx([1.0, 24 ** (1 / 3)])
    assert plots.named(["classic"], "sine") == {"classic": "sine-classic-paper"}
