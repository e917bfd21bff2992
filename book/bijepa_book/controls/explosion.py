"""The explosion lab: retrain BiJEPA on sine waves with constraints of one's own choosing."""

from collections.abc import Callable
from dataclasses import replace

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.controls.lab import Lab, Runs, alpha_slider, tau_slider, training_curves
from bijepa_book.controls.shared import NAMED
from bijepa_core.constraints import Constraint
from bijepa_core.data.sine import SineBatches
from bijepa_core.evaluation.metrics import training_summary
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History

DECAYS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class ExplosionLab(Lab[History]):
    """Retrain BiJEPA on sine waves under the reader's hand.

    Switch LayerNorm, weight decay, tau and alpha, press Train, and watch loss, relative loss
    and norm move.

    Args:
        steps: training steps a run; 2,000 in the paper.
        seed: of weights and waves.
    """

    def __init__(self, steps: int = 1000, seed: int = 0) -> None:
        self.layer_norm = ipywidgets.Checkbox(value=False, description="LayerNorm", style=NAMED)
        self.decay = ipywidgets.SelectionSlider(
            options=[(f"{value:g}", value) for value in DECAYS],
            description="weight decay",
            style=NAMED,
        )
        self.tau, self.alpha = tau_slider(), alpha_slider()
        super().__init__(self.layer_norm, self.decay, self.tau, self.alpha, steps=steps, seed=seed)

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

    def run(self, show: Callable[[int, History], None]) -> tuple[History, str]:
        """Train on the CPU; see :meth:`bijepa_book.controls.lab.Lab.run`."""
        experiment = replace(SINE, steps=self.steps, tau=self.tau.value)
        history = experiment.train(
            experiment.model(self.configuration, self.seed),
            SineBatches(self.seed, SINE.batch_size),
            device="cpu",
            progress=False,
            on_log=show,
        )
        end = {name: values[0] for name, values in training_summary(history).items()}
        return history, (
            f"loss {end['train_loss']:.4f}, relative loss {end['relative_loss']:.3f}, "
            f"norm {end['norm']:.2f}, effective rank {end['effective_rank']:.1f}."
        )

    def figure(self, runs: Runs[History]) -> Figure:
        """Loss, relative loss and norm."""
        return training_curves(runs, ("loss", "relative_loss", "norm"), self.steps)
