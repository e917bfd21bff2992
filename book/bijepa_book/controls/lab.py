"""What a lab is: settings, a button that trains with them, and a picture of what came of it."""

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.style import COLORS, DASHES, LABELS, style
from bijepa_core.experiments import SINE
from bijepa_core.history import History

TAUS = (0.0, 0.9, 0.99, 0.995, 0.999, 1.0)
LOGARITHMIC = ("loss", "relative_loss", "variance")
Result = TypeVar("Result")
Runs = Sequence[tuple[str, Result]]
"""What each run was called, and what there is of it."""


class Lab(ABC, Generic[Result]):
    """Settings under the reader's hand, and what training with them gives.

    The run before stays in the picture, so that two settings can be compared. A lab gives its
    widgets to this constructor, and says what its settings are called (:attr:`label`), how a model
    is trained with them (:meth:`run`) and how runs are drawn (:meth:`figure`).

    Args:
        settings: the widgets, from top to bottom.
        steps: training steps a run.
        seed: the same for every run, so that only the settings differ.
        actions: buttons beside *Train*.
    """

    redraw = 200
    """Steps between two pictures; a picture takes a tenth of a second."""

    def __init__(
        self,
        *settings: ipywidgets.Widget,
        steps: int,
        seed: int,
        actions: Sequence[ipywidgets.Button] = (),
    ) -> None:
        self.steps, self.seed = steps, seed
        self.button = ipywidgets.Button(description="Train", button_style="primary")
        self.bar = ipywidgets.IntProgress(min=0, max=steps, description="step", style=NAMED)
        self.status = ipywidgets.HTML(value="Choose a setting and press Train.")
        self.picture = picture()
        self.runs: list[tuple[str, Result]] = []
        self.button.on_click(self.train)
        row = ipywidgets.HBox([self.button, *actions, self.bar])
        self.panel = ipywidgets.VBox([*settings, row, self.status, self.picture])

    @property
    @abstractmethod
    def label(self) -> str:
        """What the settings are now, in words."""

    @abstractmethod
    def run(self, show: Callable[[int, Result], None]) -> tuple[Result, str]:
        """Train from the start with the settings as they are.

        Args:
            show: to be called with the step and what there is by then; an ``on_log`` of
                ``pretrain``, where that is the history.

        Returns:
            The result, and in words what came of it.

        Raises:
            ArithmeticError, ValueError: where the settings lead nowhere; the lab says so.
        """

    @abstractmethod
    def figure(self, runs: Runs[Result]) -> Figure:
        """The runs in one picture; made with ``Figure(...)``, since pyplot would show it twice."""

    def train(self, _: object = None) -> None:
        """The button: train with the settings, draw as it goes, and say what came of it."""
        label, before = self.label, self.runs[-1:]
        self.button.disabled, self.status.value = True, f"Training: {label}."

        def show(step: int, result: Result) -> None:
            self.bar.value = step + 1
            if step > 0 and step % self.redraw == 0:
                self.draw([*before, (label, result)])

        try:
            result, words = self.run(show)
        except (ArithmeticError, ValueError) as error:
            self.status.value = f"{label}: {html.escape(str(error))}"
            return
        finally:
            self.button.disabled = False
        self.bar.value = self.steps
        self.runs = [*before, (label, result)]
        self.draw(self.runs)
        self.status.value = f"{label}: {words}"

    def draw(self, runs: Runs[Result]) -> None:
        """Put the runs' figure into the panel."""
        with style():
            self.picture.value = png(self.figure(runs))


def training_curves(runs: Runs[History], names: Sequence[str], steps: int) -> Figure:
    """Curves of training runs, also of one that is under way.

    Args:
        runs: one or two.
        names: of three or four quantities, ``loss`` or a diagnostic.
        steps: of a whole run.

    Returns:
        A panel a quantity, three in a row or two.
    """
    columns = 3 if len(names) == 3 else 2
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(9, 1.6 + 1.8 * rows), dpi=90, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis, name in zip(axes, names, strict=True):
        for i, (label, history) in enumerate(runs):
            # what is still to come is NaN, and not drawn
            at, values = (
                history.smooth_loss()
                if name == "loss"
                else (history.logged_steps, history.diagnostics[name].cpu())
            )
            axis.plot(at, values.cpu(), color=COLORS[i], linestyle=DASHES[i], label=label)
        axis.set_title(LABELS.get(name, name), fontsize=12)
        axis.set_xlim(0, steps)
        axis.set_yscale("log" if name in LOGARITHMIC else "linear")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center")
    return figure


def tau_slider() -> ipywidgets.SelectionSlider:
    """Tau, from a target that *is* the online encoder to one that never moves."""
    return ipywidgets.SelectionSlider(
        options=[("0 (no EMA)" if tau == 0 else f"{tau:g}", tau) for tau in TAUS],
        value=SINE.tau,
        description="tau",
        style=NAMED,
    )


def alpha_slider(step: float = 0.05) -> ipywidgets.FloatSlider:
    """Alpha, from backward alone to classic JEPA."""
    return ipywidgets.FloatSlider(
        value=0.5, min=0, max=1, step=step, description="alpha", style=NAMED
    )
