"""The explosion lab: retrain BiJEPA on sine waves with constraints of one's own choosing."""

from dataclasses import replace

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.style import COLORS, DASHES, style
from bijepa_core.constraints import Constraint
from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History
from bijepa_core.training import pretrain

DECAYS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
TAUS = (0.0, 0.9, 0.99, 0.995, 0.999, 1.0)


class ExplosionLab:
    """Retrain BiJEPA on sine waves under the reader's hand.

    Switch LayerNorm, weight decay, tau and alpha, press Train, and watch loss, relative loss
    and norm move. The run before stays on the plot, so that two settings can be compared.

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
        self.layer_norm = ipywidgets.Checkbox(value=False, description="LayerNorm", style=NAMED)
        self.decay = ipywidgets.SelectionSlider(
            options=[(f"{value:g}", value) for value in DECAYS],
            description="weight decay",
            style=NAMED,
        )
        self.tau = ipywidgets.SelectionSlider(
            options=[(f"{value:g}", value) for value in TAUS],
            value=SINE.tau,
            description="tau",
            style=NAMED,
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
                self.layer_norm,
                self.decay,
                self.tau,
                self.alpha,
                ipywidgets.HBox([self.button, self.bar]),
                self.status,
                self.picture,
            ]
        )

    @property
    def configuration(self) -> Configuration:
        """What the controls say now."""
        return Configuration(Constraint(self.layer_norm.value, self.decay.value), self.alpha.value)

    @property
    def label(self) -> str:
        """What the controls say now, in words."""
        norm = "LayerNorm" if self.layer_norm.value else "no LayerNorm"
        return (
            f"{norm}, decay {self.decay.value:g}, "
            f"tau {self.tau.value:g}, alpha {self.alpha.value:g}"
        )

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
            experiment = replace(SINE, tau=self.tau.value)
            model = experiment.model(self.configuration, self.seed)
            history = pretrain(
                model,
                SineBatches(self.seed),
                steps=steps,
                learning_rate=SINE.learning_rate,
                device="cpu",
                log_every=self.log_every,
                progress=False,
                on_log=on_log,
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
            f"{label}: loss {float(history.mean_loss()[-100:].mean()):.4f}, relative loss "
            f"{row['relative_loss']:.3f}, norm {row['norm']:.2f}, "
            f"effective rank {row['effective_rank']:.1f}."
        )

    def draw(self, runs: list[tuple[str, History, int]]) -> None:
        """Put a picture of the runs, each with its steps done, into the panel."""
        with style():
            figure = Figure(figsize=(9, 3.2), dpi=90, layout="constrained")
            axes = figure.subplots(1, 3)
            for i, (label, history, done) in enumerate(runs):
                look = {"color": COLORS[i], "linestyle": DASHES[i], "label": label}
                steps, curve = history.smooth_loss()
                axes[0].plot(steps, curve, **look)
                rows = -(-done // self.log_every)
                for axis, name in zip(axes[1:], ("relative_loss", "norm"), strict=True):
                    axis.plot(history.logged_steps[:rows], history.diagnostics[name][:rows], **look)
            titles = ("loss", "relative loss", "embedding norm")
            for axis, title in zip(axes, titles, strict=True):
                axis.set_title(title)
                axis.set_xlim(0, self.bar.max)
            axes[0].set_yscale("log")
            axes[1].set_yscale("log")
            figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
            self.picture.value = png(figure)
