"""Pictures of collapse show what they were given."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from bijepa_book.chapters import jepa
from bijepa_book.figures import jepa as pictures


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("seeds", [0, (0, 1, 2)])
def test_collapse_shows_the_loss_and_three_looks_at_the_embedding(seeds: int | tuple[int]) -> None:
    names = ("complete", "no predictor")
    histories = {name: jepa.train(jepa.CONDITIONS[name], seeds, 40)[1] for name in names}
    figure = pictures.collapse(histories)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["loss", "embedding variance", "relative loss", "effective rank"]
    shown = np.asarray(figure.axes[1].lines[1].get_ydata())
    variance = histories["no predictor"].diagnostics["variance"]
    expected = variance if variance.ndim == 1 else variance.quantile(0.5, dim=1)
    np.testing.assert_allclose(shown, expected.numpy())
    curves = figure.axes[0].lines
    assert len({str(line._unscaled_dash_pattern) for line in curves}) == 2  # type: ignore[attr-defined]


def test_a_learning_curve_is_the_loss_itself() -> None:
    (axis,) = pictures.learning({"classic": [0.3, 0.1], "expressive": [0.2, 0.1]}).axes
    np.testing.assert_allclose(np.asarray(axis.lines[0].get_ydata()), [0.3, 0.1])
    assert [line.get_label() for line in axis.lines] == ["classic", "expressive"]


def test_shares_are_bars_in_percent_in_the_order_given() -> None:
    left, noise = pictures.shares({"rebuild": (0.4, 0.3), "predict": (0.1, 0.02)}).axes
    for axis, widths in ((left, [40, 10]), (noise, [30, 2])):
        bars = [bar for bar in axis.patches if isinstance(bar, Rectangle)]
        assert [bar.get_width() for bar in bars] == pytest.approx(widths)
    assert left.yaxis_inverted()


def test_gaps_leave_zeros_out() -> None:
    (axis,) = pictures.gaps({"a": torch.tensor([1e-9, 0.0, 1e-8])}).axes
    np.testing.assert_allclose(np.asarray(axis.lines[0].get_ydata()), [1e-9, np.nan, 1e-8])
    assert axis.get_yscale() == "log"


def test_clouds_share_one_scale() -> None:
    wide, dot = torch.randn(50, 16), torch.full((50, 16), 2.0)
    figure = pictures.embeddings({"wide": wide, "dot": dot, "again": wide}, torch.arange(50.0))
    one, other, third, unused, _bar = figure.axes
    assert one.get_xlim() == other.get_xlim() == third.get_xlim()
    assert not unused.get_visible()
    points = np.asarray(other.collections[0].get_offsets())
    np.testing.assert_allclose(points, np.zeros((50, 2)), atol=1e-6)


def test_the_principal_plane_holds_the_two_widest_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    cloud = torch.randn(400, 16, generator=generator) * torch.tensor([3.0, 2.0] + [0.1] * 14)
    plane = pictures.principal_plane(cloud + 5)
    assert plane.mean(0).abs().max() < 1e-5
    exact = torch.linalg.eigvalsh(torch.cov(cloud.T.double()))[-2:].flip(0)
    torch.testing.assert_close(plane.var(0), exact)
