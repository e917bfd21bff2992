"""The ecosystem lab: change the data, train, and watch whether anything is being learned."""

import html

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.chapters.own_data import (
    PROBE,
    ecosystems,
    new_model,
    raw,
    share,
    windows,
)
from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.style import COLORS, DASHES, LABELS, style
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.history import History
from bijepa_core.seeds import generator
from bijepa_core.training import pretrain

WATCHED = ("relative_loss", "norm", "variance", "effective_rank")
GOALS = ("next prey", "late prey", "predators", "pace")


class EcosystemLab:
    """Train on predator-prey systems with a noise, a number of systems and an alpha of one's own.

    Args:
        steps: training steps a run.
        seed: of systems, weights and batches.
        log_every: steps between two points of the curves.
        redraw: points between two pictures.
        held_out: systems to judge on.
    """

    def __init__(
        self,
        steps: int = 1000,
        seed: int = 0,
        log_every: int = 20,
        redraw: int = 10,
        held_out: int = 2000,
    ) -> None:
        self.seed, self.log_every, self.redraw, self.held_out = seed, log_every, redraw, held_out
        self.noise = ipywidgets.FloatSlider(
            value=0.05, min=0, max=0.5, step=0.05, description="noise", style=NAMED
        )
        self.systems = ipywidgets.SelectionSlider(
            options=(16, 64, 256, 1024, 4096), value=4096, description="systems", style=NAMED
        )
        self.alpha = ipywidgets.FloatSlider(
            value=0.5, min=0, max=1, step=0.05, description="alpha", style=NAMED
        )
        self.button = ipywidgets.Button(description="Train", button_style="primary")
        self.bar = ipywidgets.IntProgress(min=0, max=steps, description="step", style=NAMED)
        self.status = ipywidgets.HTML(value="Choose a setting and press Train.")
        self.picture = picture()
        self.runs: list[tuple[str, History, int]] = []
        self.button.on_click(self.train)
        self.panel = ipywidgets.VBox(
            [
                self.noise,
                self.systems,
                self.alpha,
                ipywidgets.HBox([self.button, self.bar]),
                self.status,
                self.picture,
            ]
        )

    @property
    def label(self) -> str:
        """What the controls say now, in words."""
        return (
            f"noise {self.noise.value:g}, {self.systems.value} systems, alpha {self.alpha.value:g}"
        )

    def train(self, _: object = None) -> None:
        """The button: draw the systems, train, and read prey, predators and pace held out."""
        label, steps, noise = self.label, self.bar.max, self.noise.value
        self.runs = self.runs[-1:]
        self.button.disabled, self.status.value = True, f"Training: {label}."

        def on_log(step: int, history: History) -> None:
            self.bar.value = step + 1
            if (step // self.log_every) % self.redraw == 0 and step > 0:
                self.draw([*self.runs, (label, history, step + 1)])

        try:
            model = new_model(self.seed, self.alpha.value)
            learn, fit, judge = (
                ecosystems(count, generator(self.seed, f"own/{purpose}"), noise)
                for purpose, count in (
                    ("train", self.systems.value),
                    ("probe", PROBE),
                    ("held-out", self.held_out),
                )
            )
            batches = DrawnBatches(*windows(learn.prey), batch_size=64, seeds=self.seed)
            history = pretrain(
                model,
                batches,
                steps=steps,
                device="cpu",
                log_every=self.log_every,
                progress=False,
                on_log=on_log,
            )
            found = [
                f"{goal} {share(model.embed, goal, fit, judge):.2f} "
                f"(counts: {share(raw, goal, fit, judge):.2f})"
                for goal in GOALS
            ]
        except (ArithmeticError, ValueError) as error:
            self.status.value = f"{label}: {html.escape(str(error))}"
            return
        finally:
            self.button.disabled = False
        self.bar.value = steps
        self.runs.append((label, history, steps))
        self.draw(self.runs)
        self.status.value = f"{label}. Unexplained, held out: {', '.join(found)}."

    def draw(self, runs: list[tuple[str, History, int]]) -> None:
        """Put a picture of the runs' diagnostics, each with its steps done, into the panel."""
        with style():
            figure = Figure(figsize=(9, 5), dpi=90, layout="constrained")
            axes = figure.subplots(2, 2)
            for i, (label, history, done) in enumerate(runs):
                rows = -(-done // self.log_every)
                for axis, name in zip(axes.flat, WATCHED, strict=True):
                    axis.plot(
                        history.logged_steps[:rows],
                        history.diagnostics[name][:rows],
                        color=COLORS[i],
                        linestyle=DASHES[i],
                        label=label,
                    )
            for axis, name in zip(axes.flat, WATCHED, strict=True):
                axis.set_title(LABELS[name], fontsize=12)
                axis.set_xlim(0, self.bar.max)
            axes.flat[0].set_yscale("log")
            figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center")
            self.picture.value = png(figure)
