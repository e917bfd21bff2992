"""The attractor explorer: choose a state, and see what a model makes of its future and its past."""

from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from bijepa_book.chapters.attractor import runge_kutta
from bijepa_book.chapters.lorenz import Forecaster, guesses, train_forecaster
from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.figures.lorenz import rollout
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, Array
from bijepa_core.history import History

FARTHEST = 40.0  # of a start, along each axis


class AttractorExplorer:
    """Start anywhere, let the system settle, show a model one window, and compare.

    The picture holds the true trajectory, the window that the model sees, its forecast of the
    windows after it and its guess at the windows before it, and the straight line on.

    Args:
        forecaster: a trained model of one seed; None to train one when the button is pressed.
        steps: training steps in that case.
        seed: of that training.
    """

    def __init__(
        self, forecaster: Forecaster | None = None, steps: int = 1000, seed: int = 0
    ) -> None:
        self.forecaster, self.seed = forecaster, seed

        def slider(name: str, value: float, low: float, high: float) -> Any:
            return ipywidgets.FloatSlider(
                value=value,
                min=low,
                max=high,
                step=0.5,
                description=name,
                continuous_update=False,
                style=NAMED,
            )

        def count(name: str, value: int, low: int, high: int) -> Any:
            return ipywidgets.IntSlider(
                value=value,
                min=low,
                max=high,
                description=name,
                continuous_update=False,
                style=NAMED,
            )

        self.start = [slider(f"start {axis}", 1.0, -FARTHEST, FARTHEST) for axis in "xyz"]
        self.lead = slider("time to settle", 10.0, 0.0, 30.0)
        self.back = count("windows back", 1, 0, 4)
        self.ahead = count("windows ahead", 4, 1, 12)
        self.button = ipywidgets.Button(description="Train a model", button_style="primary")
        self.bar = ipywidgets.IntProgress(min=0, max=steps, description="step", style=NAMED)
        self.status = ipywidgets.HTML(value="Press the button to train a model of your own.")
        self.picture = picture()
        self.button.on_click(self.train)
        controls = [*self.start, self.lead, self.back, self.ahead]
        for control in controls:
            control.observe(self.draw, names="value")
        self.panel = ipywidgets.VBox(
            [*controls, ipywidgets.HBox([self.button, self.bar]), self.status, self.picture]
        )
        if forecaster is not None:
            self.draw()

    def train(self, _: object = None) -> None:
        """The button: train a model on the attractor, then draw."""
        self.button.disabled, self.status.value = True, "Training."

        def on_log(step: int, _: History) -> None:
            self.bar.value = step + 1

        try:
            self.forecaster = train_forecaster(self.seed, self.bar.max, on_log)
            self.bar.value = self.bar.max
            self.draw()
        except (ArithmeticError, ValueError) as error:
            self.status.value = f"Training failed: {error}"
        finally:
            self.button.disabled = False

    def trajectory(self) -> Array:
        """The true states that the controls ask for, ``(windows * 20, 3)``."""
        state = np.array([[control.value for control in self.start]])
        if self.lead.value:
            state = runge_kutta(state, 1, self.lead.value, round(100 * self.lead.value))[:, 0]
        windows = self.back.value + 1 + self.ahead.value
        return lorenz.accurate(state, windows * CONTEXT)[0]

    def draw(self, _: object = None) -> None:
        """Put a picture for the controls' settings into the panel, and the errors below it."""
        if self.forecaster is None:
            return
        back, ahead = self.back.value, self.ahead.value
        try:
            truth = self.trajectory()
            guessed = guesses(self.forecaster, truth, back, ahead)
        except (ArithmeticError, ValueError) as error:
            self.status.value = f"No picture for these settings: {error}"
            return
        seen = slice(back * CONTEXT, (back + 1) * CONTEXT)
        self.picture.value = png(rollout(truth, seen, guessed, Figure))
        last = truth[seen][-1]
        future, past = truth[seen.stop :], truth[: seen.start]
        text = f"RMS error a window ahead: {_by_window(guessed['forecast'], future)}"
        text += (
            f"; copying the last state: {_by_window(np.broadcast_to(last, future.shape), future)}"
        )
        if back:
            gaps = _by_window(guessed["inferred past"], past, -1)
            text += f"; of the inferred past, nearest first: {gaps}"
        self.status.value = text + "."


def _by_window(guess: Array, truth: Array, order: int = 1) -> str:
    gaps = ((guess - truth) ** 2).sum(-1).reshape(-1, CONTEXT).mean(-1) ** 0.5
    return ", ".join(f"{gap:.1f}" for gap in gaps[::order])
