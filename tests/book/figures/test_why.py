"""The figures of chapter 9 show geometric means by position, and where models are alike."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from bijepa_book.figures import why


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_curves_are_geometric_means_and_ratios_have_a_line_at_one() -> None:
    errors = np.array([[0.1, 0.2], [0.4, 0.2]])
    figure = why.by_position({"sine": {"classic": errors, "bijepa": errors / 2}}, "at", "error")
    (axis,) = figure.axes
    np.testing.assert_allclose(np.asarray(axis.lines[0].get_ydata()), [0.2, 0.2])
    np.testing.assert_allclose(np.asarray(axis.lines[0].get_xdata()), [1, 2])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["classic", "expressive"]
    (axis,) = why.by_position({"sine": {"expressive": errors}}, "at", "ratio", even=True).axes
    assert list(np.asarray(axis.lines[1].get_ydata())) == [1, 1]
    assert axis.get_ylim()[1] >= 1.1
    ticks = [float(label.get_text()) for label in axis.get_yticklabels()]
    assert len(ticks) >= 3
    np.testing.assert_allclose(ticks, axis.get_yticks())


def test_every_seed_and_the_mean_of_each_way_are_drawn() -> None:
    ratios = {"sine": {"classic": np.ones(4), "bijepa": np.array([0.2, 0.4, 0.2, 0.4])}}
    figure = why.two_by_two(ratios, {"classic": "one", "bijepa": "two"})
    (axis,) = figure.axes
    seeds, _, mean = axis.lines[3:6]
    np.testing.assert_allclose(np.asarray(seeds.get_xdata()), ratios["sine"]["bijepa"])
    np.testing.assert_allclose(np.asarray(mean.get_xdata()), [np.sqrt(0.08)])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]


def test_the_window_that_was_forecast_is_marked() -> None:
    windows = [np.full((3, 10), value) for value in (0.2, 0.5, 1.0)]
    figure = why.moved({"z": (2.0, {"sine": windows}), "y": (1.0, {"sine": windows})})
    first, second = figure.axes
    curve = first.lines[0]
    np.testing.assert_allclose(np.asarray(curve.get_ydata())[[0, 10, 29]], [0.2, 0.5, 1.0])
    np.testing.assert_allclose(np.asarray(curve.get_xdata())[[0, 10, 29]], [0.05, 1.05, 2.95])
    spans = [axis.patches[0].get_extents().x0 for axis in (first, second)]
    assert spans[0] > spans[1]
