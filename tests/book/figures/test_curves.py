"""Figures draw what they are given, in one style, and do not depend on color alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient

from bijepa_book import style
from bijepa_book.chapters import explosion
from bijepa_book.figures import curves, waves
from bijepa_book.paper.replay import Replay, replay
from bijepa_core.data import sine
from bijepa_core.experiments import SINE
from bijepa_core.seeds import Seeds, generator


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def replays() -> dict[str, Replay]:
    return {name: replay("sine", name, steps=25) for name in ("expressive", "classic")}


@pytest.mark.parametrize("seeds", [0, (0, 1, 2)])
def test_curves_differ_by_dash_and_carry_their_names(seeds: Seeds) -> None:
    short, names = replace(SINE, steps=60), ["classic", "expressive"]
    histories = {n: explosion.train(short, explosion.CONDITIONS[n], seeds) for n in names}
    figure = curves.losses(histories)
    named = [line for line in figure.axes[0].lines if str(line.get_label())[0] != "_"]
    assert [line.get_label() for line in named] == names
    assert len({str(line._unscaled_dash_pattern) for line in named}) == 2  # type: ignore[attr-defined]
    figure = curves.diagnostics(histories)
    assert len(figure.axes) == 4
    shown = figure.axes[0].lines[1].get_ydata()
    norm = histories["expressive"].diagnostics["norm"]
    expected = norm if norm.ndim == 1 else norm.quantile(0.5, dim=1)
    np.testing.assert_allclose(np.asarray(shown), expected.numpy())


def test_forecasts_show_truth_and_both_protocols(replays: dict[str, Replay]) -> None:
    figure = waves.batch_forecasts(replays)
    axis = figure.axes[0]
    assert axis.get_title(loc="left") == "expressive"
    labels = [points.get_label() for points in axis.collections]
    assert labels == ["truth", "A (encoder)", "B (predictor)"]
    truth = np.asarray(axis.collections[0].get_offsets())[:, 1]
    np.testing.assert_allclose(truth, replays["expressive"].test_series[:, 10].numpy(), rtol=1e-6)
    assert len(waves.single_forecast(replays).axes) == 2


def test_stored_names_are_written_as_words() -> None:
    (axis,) = curves.final_values({"raw": [1.0], "no EMA": [2.0]}, "numbers").axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["raw context", "no EMA"]


def test_the_style_stays_inside(replays: dict[str, Replay]) -> None:
    before = dict(mpl.rcParams)
    waves.samples(sine.waves(3, generator(0, "test")))
    curves.final_values({"a": [1.0, 2.0], "b": [3.0, 4.0]}, "numbers")
    assert dict(mpl.rcParams) == before


def test_a_figure_is_light_in_weight(tmp_path: object) -> None:
    figure = waves.samples(torch.zeros(3, 20))
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    assert width * height < 1_200_000  # pixels


@pytest.mark.slow
def test_every_figure_of_a_notebook_is_shown_not_only_the_first() -> None:
    """A style that undid what the notebook's backend sets up would lose all but the first."""
    draw = (
        "from bijepa_book.figures import curves\ncurves.final_values({'a': [1.0, 2.0]}, 'numbers');"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(draw) for _ in range(3)])
    NotebookClient(notebook, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert [list(output.data) for output in cell.outputs] == [["text/plain", "image/png"]]


def test_recorded_curves_show_median_and_range() -> None:
    run: dict[str, list[Any]] = {
        "steps": [0, 9, 99],
        "norm": [[2, 1, 3], [4, 3, 5], [6, 5, 7]],
        "loss": [[1, 1, 1]] * 3,
    }
    figure = curves.recorded({"a": run, "b": run}, {"loss": "loss", "norm": "norm"})
    loss, norm = figure.axes
    assert (loss.get_yscale(), norm.get_yscale()) == ("log", "linear")
    np.testing.assert_allclose(np.asarray(norm.lines[0].get_xdata()), [1, 10, 100])
    np.testing.assert_allclose(np.asarray(norm.lines[0].get_ydata()), [2, 4, 6])


def test_the_loop_figure_marks_an_eigenvalue_of_one() -> None:
    watches = {
        name: explosion.watch_loop(explosion.CONDITIONS[name], (0, 1), 60)
        for name in ("unconstrained", "expressive")
    }
    looks = {name: watch.looks() for name, watch in watches.items()}
    norms, eigenvalues = curves.loop(looks, watches["expressive"].steps).axes
    labels = [str(line.get_label()) for line in norms.lines]
    assert labels[:2] == ["unconstrained", "unconstrained: target"]
    assert [1, 1] in [list(np.asarray(line.get_ydata())) for line in eigenvalues.lines]


def test_a_model_looks_the_same_in_every_figure() -> None:
    one = style.look("classic", 0)
    assert one == style.look("classic", 3) == style.LOOKS["classic"]
    assert style.look("tau 0", 1) != style.look("tau 0", 2)
    assert style.look("tau 0") == style.PLAIN
    looks = list(style.LOOKS.values())
    for part in range(3):  # color, dash, marker: each tells the paper's four models apart
        assert len({str(look[part]) for look in looks[:4]}) == 4
