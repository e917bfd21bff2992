"""A lab trains when its button is pressed, draws as it goes, and keeps the run before."""

from collections.abc import Callable

import ipywidgets
import pytest
import torch
from matplotlib.figure import Figure

from bijepa_book.controls.lab import TAUS, Lab, Runs, tau_slider, training_curves
from bijepa_core.experiments import SINE
from bijepa_core.history import DIAGNOSTICS, LOSSES, History


class Counting(Lab[int]):
    """Counts to its setting's value at every step."""

    redraw = 20

    def __init__(self) -> None:
        self.goal = ipywidgets.IntText(value=3)
        self.drawn: list[list[tuple[str, int]]] = []
        super().__init__(self.goal, steps=50, seed=0)

    @property
    def label(self) -> str:
        return f"goal {self.goal.value}"

    def run(self, show: Callable[[int, int], None]) -> tuple[int, str]:
        if self.goal.value < 0:
            raise FloatingPointError("fell below <nothing>")
        for step in range(0, self.steps, 10):
            show(step, step)
        return self.goal.value, "counted."

    def figure(self, runs: Runs[int]) -> Figure:
        self.drawn.append(list(runs))
        return Figure()


def test_the_button_trains_and_draws_as_it_goes() -> None:
    lab = Counting()
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert lab.drawn == [[("goal 3", 20)], [("goal 3", 40)], [("goal 3", 3)]]
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert lab.bar.value == 50
    assert lab.status.value == "goal 3: counted."
    assert not lab.button.disabled


def test_one_run_before_is_kept_beside() -> None:
    lab = Counting()
    for goal in (1, 2, 3):
        lab.goal.value = goal
        lab.train()
    assert lab.runs == lab.drawn[-1] == [("goal 2", 2), ("goal 3", 3)]


def test_a_failed_run_says_why_and_frees_the_button() -> None:
    lab = Counting()
    lab.train()
    lab.goal.value = -1
    lab.train()
    assert lab.status.value == "goal -1: fell below &lt;nothing&gt;"
    assert not lab.button.disabled
    assert lab.runs == [("goal 3", 3)]


@pytest.mark.parametrize(("names", "rows"), [(("loss", "norm", "variance"), 1), (DIAGNOSTICS, 2)])
def test_curves_of_a_run_under_way_end_where_it_is(names: tuple[str, ...], rows: int) -> None:
    losses = {name: torch.full((100,), torch.nan) for name in LOSSES}
    diagnostics = {name: torch.full((10,), torch.nan) for name in DIAGNOSTICS}
    for values in losses.values():
        values[:40] = 1
    for values in diagnostics.values():
        values[:4] = 2
    history = History(10, losses, diagnostics)
    figure = training_curves([("a", history), ("b", history)], names, 100)
    last = figure.axes[-1].get_subplotspec()
    assert last is not None
    assert last.rowspan.stop == rows
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines] == ["a", "b"]
        assert axis.lines[0].get_linestyle() != axis.lines[1].get_linestyle()
        at, values = (torch.as_tensor(line) for line in axis.lines[0].get_data())
        assert float(at[values.isfinite()].max()) == 30
        plain = axis.get_title() in ("embedding norm", "effective rank")
        assert axis.get_yscale() == ("linear" if plain else "log")


def test_tau_is_the_papers_until_it_is_moved() -> None:
    slider = tau_slider()
    assert slider.value == SINE.tau
    assert [value for _, value in slider.options] == list(TAUS)
