"""The collapse lab: take the safeguards out, one by one, and watch the embedding."""

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.chapters.jepa import Safeguards, train
from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.style import COLORS, DASHES, LABELS, style
from bijepa_core.experiments import SINE
from bijepa_core.history import History

TAUS = (0.0, 0.9, 0.99, 0.995, 0.999, 1.0)
PANELS = ("variance", "effective_rank")


class CollapseLab:
    """Retrain BiJEPA on sine waves with or without what keeps it from collapsing.

    Switch the stop-gradient, tau and the predictor, press Train, and watch loss, variance and
    effective rank move. The run before stays on the plot, so that two settings can be compared.

    Args:
        steps: training steps a run; 2,000 in the paper.
        seed: the same weights and waves for every run, so that only the settings differ.
        log_every: steps between two points of the curves.
        redraw: points between two pictures; a picture takes a tenth of a second.
    """

    def __init__(
        self, steps: int = 1000, seed: int = 0, log_every: int = 20, redraw: int = 10
    ) -> None:
        self.seed, self.log_every, self.redraw = seed, log_every, redraw
        self.stop_gradient = ipywidgets.Checkbox(
            value=True, description="stop-gradient", style=NAMED
        )
        self.tau = ipywidgets.SelectionSlider(
            options=[("0 (no EMA)" if tau == 0 else f"{tau:g}", tau) for tau in TAUS],
            value=SINE.tau,
            description="tau",
            style=NAMED,
        )
        self.predictor = ipywidgets.Checkbox(value=True, description="predictor", style=NAMED)
        self.button = ipywidgets.Button(description="Train", button_style="primary")
        self.bar = ipywidgets.IntProgress(min=0, max=steps, description="step", style=NAMED)
        self.status = ipywidgets.HTML(value="Take something out and press Train.")
        self.picture = picture()
        self.runs: list[tuple[str, History, int]] = []
        self.button.on_click(self.train)
        self.panel = ipywidgets.VBox(
            [
                self.stop_gradient,
                self.tau,
                self.predictor,
                ipywidgets.HBox([self.button, self.bar]),
                self.status,
                self.picture,
            ]
        )

    @property
    def safeguards(self) -> Safeguards:
        """What the controls say now."""
        return Safeguards(self.stop_gradient.value, self.tau.value, self.predictor.value)

    @property
    def label(self) -> str:
        """What the controls say now, in words."""
        chosen = self.safeguards
        stop = f"stop-gradient, tau {chosen.tau:g}" if chosen.stop_gradient else "no stop-gradient"
        return f"{stop}, {'predictor' if chosen.predictor else 'no predictor'}"

    def train(self, _: object = None) -> None:
        """The button: train from the start with the controls' settings, and draw as it goes."""
        label, steps = self.label, self.bar.max
        self.runs = self.runs[-1:]
        self.button.disabled, self.status.value = True, f"Training: {label}."

        def on_log(step: int, history: History) -> None:
            self.bar.value = step + 1
            if (step // self.log_every) % self.redraw == 0 and step > 0:
                self.draw([*self.runs, (label, history, step + 1)])

        try:
            _model, history = train(
                self.safeguards, self.seed, steps, log_every=self.log_every, on_log=on_log
            )
        except ArithmeticError as error:
            self.status.value = f"{label}: {error}"
            return
        finally:
            self.button.disabled = False
        self.bar.value = steps
        self.runs.append((label, history, steps))
        self.draw(self.runs)
        row = {name: float(values[-1]) for name, values in history.diagnostics.items()}
        self.status.value = (
            f"{label}: loss {float(history.mean_loss()[-100:].mean()):.2g}, variance "
            f"{row['variance']:.2g}, effective rank {row['effective_rank']:.1f}, relative loss "
            f"{row['relative_loss']:.2g} (1: no better than the mean embedding)."
        )

    def draw(self, runs: list[tuple[str, History, int]]) -> None:
        """Put a picture of the runs, each with its steps done, into the panel."""
        with style():
            figure = Figure(figsize=(9, 3.4), dpi=90, layout="constrained")
            axes = figure.subplots(1, 3)
            for i, (label, history, done) in enumerate(runs):
                look = {"color": COLORS[i], "linestyle": DASHES[i], "label": label}
                axes[0].plot(*history.smooth_loss(), **look)
                rows = -(-done // self.log_every)
                for axis, name in zip(axes[1:], PANELS, strict=True):
                    axis.plot(history.logged_steps[:rows], history.diagnostics[name][:rows], **look)
            for axis, title in zip(axes, ("loss", *map(LABELS.get, PANELS)), strict=True):
                axis.set_title(title)
                axis.set_xlim(0, self.bar.max)
            axes[0].set_yscale("log")
            axes[1].set_yscale("log")
            axes[2].set_ylim(0, SINE.embed_dim)
            figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
            self.picture.value = png(figure)
