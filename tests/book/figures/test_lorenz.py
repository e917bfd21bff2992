"""The Lorenz figures draw what they are given."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from bijepa_book.chapters.attractor import EXPONENT
from bijepa_book.figures import lorenz as figures
from bijepa_book.paper.replay import Replay
from bijepa_core.data import lorenz
from bijepa_core.evaluation.probes import LinearProbe, protocol_a, protocol_b, ridge_probe
from bijepa_core.experiments import CONFIGURATIONS, LORENZ
from bijepa_core.history import History
from bijepa_core.seeds import generator


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def replays() -> dict[str, Replay]:
    """As untrained runs would leave them."""
    series = lorenz.normalize(lorenz.trajectories(50, generator(0, "test")))
    views, future = lorenz.split(series)

    def run(name: str) -> Replay:
        model = LORENZ.model(CONFIGURATIONS[name], 0)
        probes = [
            ridge_probe(features(model)(views), future[:, :3])
            for features in (protocol_a, protocol_b)
        ]
        single = [LinearProbe(p.weight.float(), p.bias.float(), p.training_error) for p in probes]
        history = History.empty(1, 1, None, views)
        pairs = (views, future[:, :3])
        return Replay(model, history, pairs, pairs, series[:20], *single)

    return {name: run(name) for name in ("expressive", "classic")}


@pytest.fixture(scope="module")
def states() -> Any:
    return lorenz.euler(lorenz.starts(4, generator(0, "test")))


def points(collection: Any) -> Any:
    return np.asarray(collection.get_offsets())


def test_the_batch_figure_shows_truth_and_both_protocols(replays: dict[str, Replay]) -> None:
    axes = figures.batch_forecasts(replays).axes
    assert [axis.get_title(loc="left") for axis in axes] == list(replays)
    for axis, run in zip(axes, replays.values(), strict=True):
        labels = [drawn.get_label() for drawn in axis.collections]
        assert labels == ["truth", "A (encoder)", "B (predictor)"]
        truth = points(axis.collections[0])[:, 1]
        np.testing.assert_allclose(truth, run.test_series[:, 20, 0].numpy(), rtol=1e-5)
        forecast = run.probe_b(run.model.predict_forward(run.test_series[:, :20].flatten(1)))
        np.testing.assert_allclose(
            points(axis.collections[2])[:, 1], forecast[:, 0].numpy(), rtol=1e-4, atol=1e-5
        )


def test_phase_space_shows_one_trajectory_a_run(replays: dict[str, Replay]) -> None:
    axes: Any = figures.single_forecast(replays).axes
    assert [axis.get_title() for axis in axes] == list(replays)
    context = np.array(axes[0].lines[0].get_data_3d()).T
    np.testing.assert_allclose(context, replays["expressive"].test_series[0, :20].numpy())
    assert len(axes[1].collections) == 2


def test_orbit_and_rollout_are_drawn_in_three_dimensions(states: Any) -> None:
    axis: Any = figures.orbit(states[0], states).axes[0]
    np.testing.assert_allclose(np.array(axis.lines[0].get_data_3d()).T, states[0])
    assert len(axis.collections) == len(states)
    far = states[1] + 1e6
    figure = figures.rollout(states[0], slice(0, 20), {"near": states[0], "far": far}, Figure)
    assert not plt.get_fignums()[1:]  # pyplot knows of the orbit alone
    near, gone = (np.array(line.get_data_3d()).T for line in figure.axes[0].lines[2:])  # type: ignore[attr-defined]
    np.testing.assert_allclose(near, states[0])
    assert np.isnan(gone).all()


def test_separation_draws_the_fit_through_the_curve() -> None:
    gap = 1e-6 * np.exp(0.9 * lorenz.DT * np.arange(1, 301))
    axis = figures.separation({"a": gap}, {"a": 0.9}, 100).axes[0]
    curve, line = (np.asarray(drawn.get_ydata()) for drawn in axis.lines)
    np.testing.assert_allclose(curve, gap)
    np.testing.assert_allclose(line, gap)


def test_transients_show_medians(states: Any) -> None:
    values = np.abs(states[..., 0])
    upper, lower = figures.transients({"a": values}, {"b": values, "c": 2 * values}).axes
    np.testing.assert_allclose(np.asarray(upper.lines[0].get_ydata()), np.median(values, axis=0))
    assert [line.get_linestyle() for line in lower.lines[:2]] == ["-", "--"]


@pytest.mark.parametrize("seeds", [(), (3,)])
def test_horizons_show_the_median_over_seeds(seeds: tuple[int, ...]) -> None:
    curve = torch.rand(*seeds, 40, generator=torch.Generator().manual_seed(0))
    mean = torch.full((*seeds, 40), 0.3)
    panels = {
        "one": {"model": curve, "mean_state": mean},
        "two": {"model": curve.repeat_interleave(3, -1)},
    }
    first, second = figures.horizons(panels, "windows ahead").axes
    assert [axis.get_title(loc="left") for axis in (first, second)] == ["one", "two"]
    expected = curve.quantile(0.5, dim=0) if seeds else curve
    np.testing.assert_allclose(np.asarray(first.lines[0].get_ydata()), expected.numpy())
    np.testing.assert_allclose(np.asarray(first.lines[0].get_xdata())[[0, -1]], [0.05, 2])
    assert np.asarray(first.lines[1].get_ydata())[0] == pytest.approx(0.3)
    lyapunov_time = np.asarray(second.lines[1].get_xdata())[0]  # two windows have no room for it
    assert lyapunov_time * 20 * lorenz.DT == pytest.approx(1 / EXPONENT)


def test_the_style_stays_inside(states: Any) -> None:
    before = dict(mpl.rcParams)
    figures.orbit(states[0], states)
    assert dict(mpl.rcParams) == before
