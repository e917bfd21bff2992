"""The collapse lab: take the safeguards out, one by one, and watch the embedding."""

from collections.abc import Callable

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.chapters.jepa import Safeguards, train
from bijepa_book.controls.lab import Lab, Runs, tau_slider, training_curves
from bijepa_book.controls.shared import NAMED
from bijepa_core.evaluation.metrics import training_summary
from bijepa_core.experiments import SINE
from bijepa_core.history import History


class CollapseLab(Lab[History]):
    """Retrain BiJEPA on sine waves with or without what keeps it from collapsing.

    Switch the stop-gradient, tau and the predictor, press Train, and watch loss, variance and
    effective rank move.

    Args:
        steps: training steps a run; 2,000 in the paper.
        seed: of weights and waves.
    """

    def __init__(self, steps: int = 1000, seed: int = 0) -> None:
        self.stop_gradient = ipywidgets.Checkbox(
            value=True, description="stop-gradient", style=NAMED
        )
        self.tau = tau_slider()
        self.predictor = ipywidgets.Checkbox(value=True, description="predictor", style=NAMED)
        super().__init__(self.stop_gradient, self.tau, self.predictor, steps=steps, seed=seed)

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

    def run(self, show: Callable[[int, History], None]) -> tuple[History, str]:
        """Train on the CPU; see :meth:`bijepa_book.controls.lab.Lab.run`."""
        _, history = train(self.safeguards, self.seed, self.steps, on_log=show)
        end = {name: values[0] for name, values in training_summary(history).items()}
        return history, (
            f"loss {end['train_loss']:.2g}, variance {end['variance']:.2g}, effective rank "
            f"{end['effective_rank']:.1f}, relative loss {end['relative_loss']:.2g} "
            "(1: no better than the mean embedding)."
        )

    def figure(self, runs: Runs[History]) -> Figure:
        """Loss, variance and effective rank."""
        figure = training_curves(runs, ("loss", "variance", "effective_rank"), self.steps)
        figure.axes[2].set_ylim(0, SINE.embed_dim)
        return figure
