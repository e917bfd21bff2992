"""The alpha lab: weigh the two directions, corrupt one view, and see what each can read."""

from collections.abc import Callable
from dataclasses import dataclass, field

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
from bijepa_book.controls.lab import Lab, Runs, alpha_slider
from bijepa_book.controls.shared import NAMED
from bijepa_book.names import words
from bijepa_book.style import COLORS, DASHES
from bijepa_core.data.series import PROBE
from bijepa_core.diagnostics import relative_loss
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History


@dataclass
class Course:
    """The held-out relative loss of each direction on the way, and what probes err at the end."""

    step: list[int] = field(default_factory=list)
    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)


class AlphaLab(Lab[Course]):
    """Train on sine waves with an alpha, noise and hidden samples of the reader's choice.

    While it trains, the relative loss of each direction moves; afterwards, bars show what a
    fair probe reads in both directions.

    Args:
        steps: training steps a run; 2,000 in the paper.
        seed: the same weights and waves for every run, so that only the settings differ.
    """

    redraw = 100

    def __init__(self, steps: int = 1000, seed: int = 0) -> None:
        self.alpha = alpha_slider(step=0.01)
        self.noise = ipywidgets.FloatSlider(
            value=0.0, min=0, max=1, step=0.05, description="noise on y", style=NAMED
        )
        self.hidden = ipywidgets.IntSlider(
            value=0, min=0, max=9, description="hidden in y", style=NAMED
        )
        self.rule = ipywidgets.Button(description="Set alpha by Eq. 13")
        self.rule.on_click(self.use_rule)
        super().__init__(
            self.alpha, self.noise, self.hidden, steps=steps, seed=seed, actions=[self.rule]
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

    def run(self, show: Callable[[int, Course], None]) -> tuple[Course, str]:
        """Train on the CPU; see :meth:`bijepa_book.controls.lab.Lab.run`."""
        view, course = self.view, Course()
        model = SINE.model(Configuration(alpha=self.alpha.value), self.seed)
        judge = probe_data(self.seed, "lab", PROBE, y=view)

        def look(step: int, _: History) -> None:
            with torch.no_grad():
                losses = model(judge.x, judge.y)
            course.step.append(step + 1)
            if losses.forward is not None:
                course.forward.append(float(relative_loss([losses.forward])))
            if losses.backward is not None:
                course.backward.append(float(relative_loss([losses.backward])))
            show(step, course)

        SINE.train(
            model,
            ViewedBatches(self.seed, y=view),
            steps=self.steps,
            device="cpu",
            log_every=self.redraw,
            progress=False,
            on_log=look,
        )
        read = probe_errors(model, self.seed, y=view)
        course.errors = {name: read[name][0] for name in ERRORS if name in read}
        numbers = ", ".join(f"{words(name)} {value:.4f}" for name, value in course.errors.items())
        return course, f"{numbers}, effective rank {read['rank'][0]:.1f}."

    def figure(self, runs: Runs[Course]) -> Figure:
        """Relative losses on the way, and probe errors at the end."""
        figure = Figure(figsize=(9, 3.6), dpi=90, layout="constrained")
        left, right = figure.subplots(1, 2)
        for i, (label, course) in enumerate(runs):
            for name, values, marker in (
                ("forward", course.forward, "o"),
                ("backward", course.backward, "s"),
            ):
                if values:
                    left.plot(
                        course.step,
                        values,
                        color=COLORS[i],
                        linestyle=DASHES[i],
                        marker=marker,
                        markersize=4,
                        label=f"{name}: {label}",
                    )
            places = [ERRORS.index(name) + 0.4 * i for name in course.errors]
            right.bar(
                places,
                list(course.errors.values()),
                0.36,
                color=COLORS[i],
                hatch=("", "//")[i],
                edgecolor="white",
            )
        left.set(xlim=(0, self.steps), xlabel="step", yscale="log", title="relative loss, held out")
        right.set(title="squared error of a fair probe")
        middles = [j + 0.2 * (len(runs) - 1) for j in range(len(ERRORS))]
        right.set_xticks(middles, [words(name) for name in ERRORS])
        figure.legend(
            *left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9
        )
        return figure
