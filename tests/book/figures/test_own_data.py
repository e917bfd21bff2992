"""The figures of chapter 7 show the numbers they are given."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from bijepa_book.chapters.own_data import ecosystems
from bijepa_book.figures import own_data
from bijepa_core.seeds import generator


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_recordings_show_their_channels_and_leave_gaps_open() -> None:
    values = torch.randn(30, 6)
    values[10:20, 0] = float("nan")
    figure = own_data.recordings({"a": values, "b": -values}, ["x", "y"], seconds=0.1)
    first, second = figure.axes[1].lines
    np.testing.assert_allclose(np.asarray(first.get_ydata()), -values[:, 0])
    np.testing.assert_allclose(np.asarray(second.get_xdata())[-1], 2.9, rtol=1e-6)
    assert [axis.get_title("left") for axis in figure.axes] == ["a", "b"]


def test_generalization_draws_both_curves_and_the_mean() -> None:
    figure = own_data.generalization([0, 40], {"learned": [1.5, 0.2], "held out": [1.6, 0.4]})
    first, second, mean = figure.axes[0].lines
    np.testing.assert_allclose(np.asarray(first.get_ydata()), [1.5, 0.2])
    np.testing.assert_allclose(np.asarray(second.get_ydata()), [1.6, 0.4])
    assert list(np.asarray(mean.get_ydata())) == [1, 1]


def test_systems_show_both_windows_and_the_hidden_predators() -> None:
    drawn = ecosystems(2, generator(0, "test"))
    figure = own_data.systems(drawn)
    lines = {str(line.get_label()): line for line in figure.axes[1].lines}
    np.testing.assert_allclose(np.asarray(lines["prey, y"].get_ydata()), drawn.prey[1, 20:])
    np.testing.assert_allclose(np.asarray(lines["predators"].get_ydata()), drawn.predators[1])


@pytest.mark.parametrize("log", [False, True])
def test_dots_are_the_table(log: bool) -> None:
    table = {"one": {"a": 0.5, "b": 0.6}, "two": {"a": 0.7, "b": 0.8}}
    figure = own_data.dots(table, "share", 1.0, log=log)
    (axis,) = figure.axes
    shown = {line.get_label(): list(np.asarray(line.get_xdata())) for line in axis.lines[:2]}
    assert shown == {"one": [0.5, 0.6], "two": [0.7, 0.8]}
    assert len({line.get_marker() for line in axis.lines[:2]}) == 2
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["a", "b"]
