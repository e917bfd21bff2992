"""The alpha lab: weigh the two directions, corrupt one view, and see what each can read."""

import ipywidgets
import torch
from matplotlib.figure import Figure

from bijepa_book.chapters.alpha import (
    CLEAN,
    ERRORS,
    View,
    ViewedBatches,
    alpha_of,
    probe_data,
    probe_errors,
)
from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.names import words
from bijepa_book.style import COLORS, DASHES, style
from bijepa_core.data.series import PROBE
from bijepa_core.diagnostics import relative_loss
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History

Course = dict[str, list[float]]
"""Steps, and the relative loss of each direction at them."""


class AlphaLab:
    """Train on sine waves with an alpha, noise and hidden samples of the reader's choice.

    While it trains, the relative loss of each direction moves; afterwards, bars show what a
    fair probe reads in both directions. The run before stays beside it.

    Args:
        steps: training steps a run; 2,000 in the paper.
        seed: the same weights and waves for every run, so that only the settings differ.
        redraw: steps between two points of the curves, and between two pictures.
    """

    def __init__(self, steps: int = 1000, seed: int = 0, redraw: int = 100) -> None:
        self.seed, self.redraw = seed, redraw
        self.alpha = ipywidgets.FloatSlider(
            value=0.5, min=0, max=1, step=0.01, description="alpha", style=NAMED
        )
        self.noise = ipywidgets.FloatSlider(
            value=0.0, min=0, max=1, step=0.05, description="noise on y", style=NAMED
        )
        self.hidden = ipywidgets.IntSlider(
            value=0, min=0, max=9, description="hidden in y", style=NAMED
        )
        self.rule = ipywidgets.Button(description="Set alpha by Eq. 13")
        self.button = ipywidgets.Button(description="Train", button_style="primary")
        self.bar = ipywidgets.IntProgress(min=0, max=steps, description="step", style=NAMED)
        self.status = ipywidgets.HTML(value="Choose a setting and press Train.")
        self.picture = picture()
        self.runs: list[tuple[str, Course, dict[str, float]]] = []
        self.rule.on_click(self.use_rule)
        self.button.on_click(self.train)
        self.panel = ipywidgets.VBox(
            [
                self.alpha,
                self.noise,
                self.hidden,
                ipywidgets.HBox([self.button, self.rule, self.bar]),
                self.status,
                self.picture,
            ]
        )

    @property
    def view(self) -> View:
        """What the controls do to y."""
        return View(noise=self.noise.value, hidden=self.hidden.value)

    @property
    def label(self) -> str:
        """What the controls say now, in words."""
        return (
            f"alpha {self.alpha.value:g}, noise {self.noise.value:g}, "
            f"{self.hidden.value} samples hidden"
        )

    def use_rule(self, _: object = None) -> None:
        """The second button: put Eq. 13's alpha for these views on the slider."""
        self.alpha.value = round(alpha_of(CLEAN, self.view), 2)
        self.status.value = (
            f"y holds {self.view.bits():.1f} bits by the estimate, x {CLEAN.bits():.1f}: "
            f"alpha {self.alpha.value:g}."
        )

    def train(self, _: object = None) -> None:
        """The button: train from the start with the controls' settings, and draw as it goes."""
        label, view, steps = self.label, self.view, self.bar.max
        self.runs = self.runs[-1:]
        self.button.disabled, self.status.value = True, f"Training: {label}."
        course: Course = {"step": [], "forward": [], "backward": []}
        try:
            model = SINE.model(Configuration(alpha=self.alpha.value), self.seed)
            judge = probe_data(self.seed, "lab", PROBE, y=view)

            def on_log(step: int, _: History) -> None:
                self.bar.value = step + 1
                with torch.no_grad():
                    losses = model(judge.x, judge.y)
                course["step"].append(step + 1)
                for name, term in (("forward", losses.forward), ("backward", losses.backward)):
                    if term is not None:
                        course[name].append(float(relative_loss([term])))
                self.draw([*self.runs, (label, course, {})])

            SINE.train(
                model,
                ViewedBatches(self.seed, y=view),
                steps=steps,
                device="cpu",
                log_every=self.redraw,
                progress=False,
                on_log=on_log,
            )
            self.status.value = f"Reading: {label}."
            read = {
                name: values[0] for name, values in probe_errors(model, self.seed, y=view).items()
            }
        except (ArithmeticError, ValueError) as error:
            self.status.value = f"{label}: {error}"
            return
        finally:
            self.button.disabled = False
        self.bar.value = steps
        self.runs.append((label, course, read))
        self.draw(self.runs)
        numbers = ", ".join(f"{words(name)} {read[name]:.4f}" for name in ERRORS if name in read)
        self.status.value = f"{label}: {numbers}, effective rank {read['rank']:.1f}."

    def draw(self, runs: list[tuple[str, Course, dict[str, float]]]) -> None:
        """Put a picture of the runs into the panel: relative losses, and probe errors."""
        with style():
            figure = Figure(figsize=(9, 3.6), dpi=90, layout="constrained")
            left, right = figure.subplots(1, 2)
            for i, (label, course, read) in enumerate(runs):
                for name, marker in (("forward", "o"), ("backward", "s")):
                    if course[name]:
                        left.plot(
                            course["step"],
                            course[name],
                            color=COLORS[i],
                            linestyle=DASHES[i],
                            marker=marker,
                            markersize=4,
                            label=f"{name}: {label}",
                        )
                places = [j + 0.4 * i for j, name in enumerate(ERRORS) if name in read]
                heights = [read[name] for name in ERRORS if name in read]
                right.bar(
                    places, heights, 0.36, color=COLORS[i], hatch=("", "//")[i], edgecolor="white"
                )
            left.set(xlim=(0, self.bar.max), yscale="log", title="relative loss, held out")
            right.set(title="error of a fair probe")
            right.set_xticks(
                [j + 0.2 * (len(runs) - 1) for j in range(len(ERRORS))],
                [words(name) for name in ERRORS],
            )
            figure.legend(
                *left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9
            )
            self.picture.value = png(figure)
