"""Pictures hold the pixels they are given, each in its place."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

from bijepa_book.figures import mnist as images
from bijepa_core.data.mnist import Side


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture
def halves() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(7, 392, generator=generator), torch.rand(7, 392, generator=generator)


def pixels(axis: Axes) -> np.ndarray:
    """What a panel shows; where nothing is, NaN."""
    (shown,) = axis.images
    array = shown.get_array()
    assert array is not None
    return np.ma.filled(np.ma.asarray(array).astype(float), np.nan)


def test_halves_come_back_from_the_whole(halves: tuple[torch.Tensor, torch.Tensor]) -> None:
    left, right = halves
    both = images.whole(left, right)
    assert both.shape == (7, 28, 28)
    assert torch.equal(both[..., :14].flatten(1), left)
    assert torch.equal(both[..., 14:].flatten(1), right)


@pytest.mark.parametrize("given", ["left", "right"])
def test_completions_keep_the_given_half_and_draw_the_other(
    halves: tuple[torch.Tensor, torch.Tensor], given: Side
) -> None:
    left, right = halves
    figure = images.completions(left, right, {"a": right / 2, "b": left / 3}, given, columns=5)
    axes = np.array(figure.axes).reshape(8, 5)
    assert [axes[i, 0].get_ylabel() for i in range(4)] == ["given", "truth", "a", "b"]
    row, column = (6, 1)  # the second block's row "a", the seventh image
    shown = pixels(axes[row, column])
    drawn, kept = (slice(14, 28), slice(14)) if given == "left" else (slice(14), slice(14, 28))
    np.testing.assert_allclose(shown[:, drawn].ravel(), (right[6] / 2).numpy())
    source = left if given == "left" else right
    np.testing.assert_allclose(shown[:, kept].ravel(), source[6].numpy())
    assert np.isnan(pixels(axes[4, 1])[:, drawn]).all()  # nothing is given away
    assert not axes[7, 4].images  # the place after the last image stays empty


def test_futures_show_every_sample_with_its_digit(
    halves: tuple[torch.Tensor, torch.Tensor],
) -> None:
    left, right = (half[:2] for half in halves)
    samples, labels = torch.rand(2, 3, 392), torch.tensor([[3, 8, 8], [4, 9, 4]])
    figure = images.futures(left, right, right, right / 4, samples, labels)
    axes = [axis for part in figure.subfigs for below in part.subfigs for axis in below.axes]
    assert len(axes) == 2 * (4 + 1 + 3)  # with the scale of each map
    assert [axis.get_xlabel() for axis in axes[5:8] + axes[13:]] == [
        *("a 3", "an 8", "an 8"),
        *("a 4", "a 9", "a 4"),
    ]
    np.testing.assert_allclose(pixels(axes[14])[:, 14:].ravel(), samples[1, 1].numpy())
    np.testing.assert_allclose(pixels(axes[11])[:, 14:].ravel(), (right[1] / 4).numpy())


def test_doubt_is_drawn_with_its_scale(halves: tuple[torch.Tensor, torch.Tensor]) -> None:
    figure, axis = plt.subplots()
    images.show_doubt(axis, images.whole(halves[0], halves[1])[0] / 4)
    _, scale = figure.axes
    assert [label.get_text() for label in scale.get_yticklabels()] == ["0", "1/4"]
    assert axis.images[0].get_clim() == (0, 0.25)


def test_leads_have_a_bar_at_their_mean_and_a_line_at_what_was_claimed() -> None:
    (axis,) = images.leads({"one": [1.0, 2.0, 6.0], "two": [-1.0, 0.0, 0.0]}, 2.74).axes
    zero, claimed, *bars = axis.lines
    places = [np.asarray(line.get_xdata()).tolist() for line in (zero, claimed, *bars)]
    assert places == [[0, 0], [2.74, 2.74], [3, 3], [-1 / 3, -1 / 3]]
    words = [text.get_text() for text in axis.texts]
    assert words == ["the paper's 2.74", "+3.00", "\N{MINUS SIGN}0.33"]


def test_reliability_has_a_diagonal_and_differs_by_mark_and_dash() -> None:
    curves = {"one": {"x": [0.1, 0.4], "y": [0.2, 0.3]}, "two": {"x": [0.0, 0.5], "y": [0.1, 0.6]}}
    before = dict(mpl.rcParams)
    axis = images.reliability(curves, ("x", "y"), ("predicted", "measured")).axes[0]
    assert dict(mpl.rcParams) == before
    one, two, diagonal = axis.lines
    np.testing.assert_array_equal(np.asarray(one.get_xydata()), [[0.1, 0.2], [0.4, 0.3]])
    np.testing.assert_array_equal(np.asarray(diagonal.get_xydata()), [[0, 0], [0.6, 0.6]])
    assert one.get_marker() != two.get_marker()
    assert one.get_linestyle() != two.get_linestyle()
    assert len(axis.get_legend_handles_labels()[1]) == 3  # the diagonal is named, too
