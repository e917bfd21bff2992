"""Figures of chapter 3 show what they are given, and differ by more than color."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from bijepa_book.figures import sphere
from bijepa_book.style import look


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_scores_of_both_probes_lie_in_their_row() -> None:
    columns = {
        "paper_a": [0.1, 0.3],
        "fair_a": [0.01, 0.02],
        "paper_b": [0.2, 0.4],
        "fair_b": [0.03, 0.04],
    }
    figure = sphere.probe_scores({"one": columns, "two": columns}, {"best": 0.004})
    assert len(figure.axes) == 2
    points = {
        str(group.get_label()): np.asarray(group.get_offsets())[:, 0].tolist()
        for group in figure.axes[1].collections
    }
    assert points["two: paper"] == [0.2, 0.4]
    assert points["one: fair"] == [0.03, 0.04]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["one", "two"]


def test_courses_are_medians_with_their_end_drawn_in() -> None:
    values = torch.tensor([[1.0, 3.0, 2.0], [0.1, 0.3, 0.2]])
    least = {"restrictive": 0.05, "classic": 0.06}
    figure = sphere.probe_courses(dict.fromkeys(least, values), least, (10, 100))
    lines = figure.axes[0].lines
    np.testing.assert_allclose(np.asarray(lines[0].get_ydata()), [2.0, 0.2])
    np.testing.assert_allclose(np.asarray(lines[1].get_ydata())[0], 0.05)
    assert [lines[i].get_color() for i in range(4)] == [
        look(name).color for name in least for _ in range(2)
    ]
    dashes = {str(lines[i]._unscaled_dash_pattern) for i in (0, 2)}  # type: ignore[attr-defined]
    assert len(dashes) == 2


def test_the_scale_that_an_embedding_has_is_marked() -> None:
    look = {
        "spread": torch.tensor([[0.1, 0.1], [1.0, 1.0]]),
        "paper_a": torch.tensor([[0.5, 0.7], [0.2, 0.2]]),
        "fair_a": torch.tensor([[0.01, 0.01], [0.01, 0.01]]),
    }
    figure = sphere.scaled({"one": look}, (0.1, 1.0))
    curve, flat, mark = figure.axes[0].lines
    np.testing.assert_allclose(np.asarray(curve.get_ydata()), [0.6, 0.2], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(flat.get_ydata()), [0.01, 0.01], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(mark.get_xdata()), [1.0])


def test_each_column_has_a_panel() -> None:
    rows = {"raw": {"gain": [0.9, 0.8], "next_value": [0.1, 0.2]}}
    figure = sphere.panels(rows, "share")
    gain, value = figure.axes
    assert [axis.get_title(loc="left") for axis in (gain, value)] == ["gain", "next value"]
    assert [label.get_text() for label in gain.get_yticklabels()] == ["raw context"]
    shown = np.asarray(value.collections[0].get_offsets())[:, 0]
    np.testing.assert_allclose(shown, [0.1, 0.2])


def test_no_point_lies_beyond_the_last_number_on_its_axis() -> None:
    """A decade has one labelled tick by default, and a third of one may have none."""
    for numbers in ([0.085, 0.16], [0.009, 0.33], [0.003, 40.0]):
        axis = sphere.panels({"raw": {"gain": numbers}}, "share").axes[0]
        first, *between, last = (float(tick.get_text()) for tick in axis.get_xticklabels())
        assert (first, last) == pytest.approx(axis.get_xlim())
        assert first < min(numbers) < max(numbers) < last
        assert between


def test_the_style_stays_inside() -> None:
    before = dict(mpl.rcParams)
    sphere.panels({"raw": {"gain": [0.9], "next_value": [0.1]}}, "share")
    assert dict(mpl.rcParams) == before
