"""The figures of chapter 6 show the numbers they are given."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from bijepa_book.figures import alpha


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_a_missing_direction_leaves_a_gap_in_its_curve() -> None:
    full = {"fair_a": [0.1, 0.3, 0.2], "before_a": [0.2] * 3, "forward": [0.5] * 3}
    full |= {"backward": [0.4] * 3, "fair_b": [0.1] * 3, "before_b": [0.1] * 3}
    classic = {name: v for name, v in full.items() if name not in ("before_b", "backward")}
    figure = alpha.both_ways({0.5: full, 1.0: classic}, raw=0.05)
    first, second, _ = figure.axes
    np.testing.assert_allclose(np.asarray(first.lines[0].get_ydata()), [0.2, 0.2])
    assert len(np.asarray(second.lines[0].get_xdata())) == 2
    assert [len(np.asarray(line.get_xdata())) for line in second.lines[2:4]] == [1, 1]
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["0.5", "1"]


def test_what_is_remembered_is_shown_as_a_median() -> None:
    errors = torch.rand(3, 10, generator=torch.Generator().manual_seed(0)) + 0.1
    figure = alpha.remembered({"alpha 0": errors, "classic": errors + 1})
    shown = np.asarray(figure.axes[0].lines[0].get_ydata())
    np.testing.assert_allclose(shown, errors.median(0).values.numpy(), rtol=1e-6)
    dashes = {str(line._unscaled_dash_pattern) for line in figure.axes[0].lines[::2]}  # type: ignore[attr-defined]
    assert len(dashes) == 2


def test_views_stand_below_each_other() -> None:
    x, y = torch.zeros(10), torch.ones(10)
    figure = alpha.views((x, y), {"clean": (x, y), "noisy": (x, y + 1)})
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["clean", "noisy"]
    np.testing.assert_allclose(np.asarray(figure.axes[1].lines[2].get_ydata()), 2 * np.ones(10))


def test_corrupted_conditions_are_relative_to_one_half_and_carry_equation_13() -> None:
    rows = {0.0: {"fair_a": [0.2, 0.6], "before_a": [0.3, 0.4]}}
    rows[0.5] = {"fair_a": [0.1, 0.2], "before_a": [0.3, 0.4]}
    figure = alpha.corrupted({"noise 1": rows}, {"noise 1": 0.9})
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(np.asarray(lines["alpha by Eq. 13"].get_xdata())) == [0.9, 0.9]
    shown = np.asarray(lines["future from clean x"].get_ydata())
    np.testing.assert_allclose(shown, [2.5, 1.0], rtol=1e-5)  # the median of 2 and 3, and 1
