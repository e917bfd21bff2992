"""The probe lab: what a probe of so many steps sees in an embedding of such a scale."""

from collections.abc import Mapping

import ipywidgets
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.style import COLORS, style
from bijepa_core.data.sine import sine_data
from bijepa_core.diagnostics import variance
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import adam_probe, ridge_probe
from bijepa_core.evaluation.scores import held_out_mse, protocols
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.history import History
from bijepa_core.model import BiJEPA

PROBE_STEPS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
SCALES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
PROTOCOLS = {"A (encoder)": "a", "B (predictor)": "b"}
DRAWN = 400  # waves of a panel


class ProbeLab:
    """The paper's probe beside the fair one, under the reader's hand.

    Choose an embedding, multiply it by a number, and say how long and how fast the paper's probe
    may learn. A configuration is trained when it is first asked for, unless it was handed in.

    Args:
        models: trained models by configuration, without a seed axis.
        seed: of models and waves.
    """

    def __init__(self, models: Mapping[str, BiJEPA] | None = None, seed: int = 0) -> None:
        self.models, self.seed = dict(models or {}), seed
        self.data = sine_data(seed, SINE.batch_size)
        self.errors: tuple[float, float] | None = None
        self.configuration = ipywidgets.Dropdown(
            options=list(CONFIGURATIONS), value="restrictive", description="embedding", style=NAMED
        )
        self.protocol = ipywidgets.Dropdown(
            options=list(PROTOCOLS.items()), description="protocol", style=NAMED
        )
        self.probe_steps = self._slider("probe steps", PROBE_STEPS, SINE.probe_steps)
        self.rate = self._slider("learning rate", RATES, 0.01)
        self.scale = self._slider("multiplied by", SCALES, 1.0)
        self.button = ipywidgets.Button(description="Fit the probes", button_style="primary")
        self.bar = ipywidgets.IntProgress(
            min=0, max=SINE.steps, description="training", style=NAMED
        )
        self.bar.layout.visibility = "hidden"
        self.status = ipywidgets.HTML(value="Choose a setting and press the button.")
        self.picture = picture()
        self.controls = (
            self.configuration,
            self.protocol,
            self.probe_steps,
            self.rate,
            self.scale,
        )
        for control in self.controls:
            control.observe(self.fit, names="value")
        self.button.on_click(self.fit)
        self.panel = ipywidgets.VBox(
            [*self.controls, ipywidgets.HBox([self.button, self.bar]), self.status, self.picture]
        )

    @staticmethod
    def _slider(name: str, values: tuple[float, ...], value: float) -> "ipywidgets.SelectionSlider":
        return ipywidgets.SelectionSlider(
            options=[(f"{number:,g}", number) for number in values],
            value=value,
            description=name,
            style=NAMED,
            continuous_update=False,
        )

    def fit(self, _: object = None) -> None:
        """The button, and any control: fit both probes as the controls say, and draw."""
        self.button.disabled = True
        try:
            model = self.model(self.configuration.value)
            self.show(model)
        except (ValueError, ArithmeticError) as error:
            self.status.value = f"This did not work: {error}"
        finally:
            self.button.disabled = False
            self.bar.layout.visibility = "hidden"

    def model(self, name: str) -> BiJEPA:
        """The trained model of a configuration; trained now, with progress, where there is none."""
        if name in self.models:
            return self.models[name]
        self.status.value = f"Training {name} for {SINE.steps} steps, once."
        self.bar.value, self.bar.layout.visibility = 0, "visible"

        def on_log(step: int, _: History) -> None:
            self.bar.value = step + 1

        model = SINE.model(CONFIGURATIONS[name], self.seed)
        SINE.train(model, self.data.batches, device="cpu", progress=False, on_log=on_log)
        self.models[name] = model
        return model

    def show(self, model: BiJEPA) -> None:
        """Fit both probes on a model's scaled features; draw forecasts over truth."""
        features = protocols(model)[self.protocol.value]
        (x, value), (unseen_x, truth) = map(
            self.data.next_state, (self.data.probe, self.data.held_out)
        )
        seen, unseen = (self.scale.value * features(views) for views in (x, unseen_x))
        steps, rate = int(self.probe_steps.value), self.rate.value
        paper = adam_probe(seen, value, steps=steps, seeds=self.seed, learning_rate=rate)
        fair = ridge_probe(seen, value)
        (error,) = held_out_mse(fair, unseen, truth)
        self.errors = (float(paper.training_error), error)
        self.draw(
            (f"{steps:,} Adam steps at rate {rate:g}", value, paper(seen), self.errors[0]),
            ("fair probe, held out", truth, fair(unseen.double()), error),
        )
        (spread,) = per_seed(variance(seen).sqrt())
        self.status.value = (
            f"{self.configuration.value}, standard deviation of a coordinate {spread:.3g}. The "
            f"paper's probe has an error of {self.errors[0]:.4f} on its own training set, the "
            f"fair one {error:.4f} on held-out waves."
        )

    def draw(self, *panels: tuple[str, Tensor, Tensor, float]) -> None:
        """Put forecasts over truth into the panel: title, truth, forecast and error of each."""
        with style():
            figure = Figure(figsize=(8, 4.2), dpi=90, layout="constrained")
            axes = figure.subplots(1, len(panels), sharex=True, sharey=True)
            for i, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
                title, truth, forecast, error = panel
                axis.plot([-1.2, 1.2], [-1.2, 1.2], color="black", linewidth=1)
                shown, guessed = truth[:DRAWN, 0], forecast[:DRAWN, 0]
                axis.scatter(shown, guessed, s=12, color=COLORS[i], marker="x.o"[i])
                axis.set_title(f"{title}\nerror {error:.4f}", fontsize=12)
                axis.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), xlabel="sample 10")
            axes[0].set_ylabel("forecast")
            self.picture.value = png(figure)
