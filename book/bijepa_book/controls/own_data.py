"""The ecosystem lab: change the data, train, and watch whether anything is being learned."""

from collections.abc import Callable

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.chapters.own_data import PROBE, ecosystems, new_model, raw, share, windows
from bijepa_book.controls.lab import Lab, Runs, alpha_slider, training_curves
from bijepa_book.controls.shared import NAMED
from bijepa_core import DrawnBatches, pretrain
from bijepa_core.history import History
from bijepa_core.seeds import generator

WATCHED = ("relative_loss", "norm", "variance", "effective_rank")
GOALS = ("next prey", "late prey", "predators", "pace")
HELD_OUT = 2_000  # systems to judge on


class EcosystemLab(Lab[History]):
    """Train on predator-prey systems with a noise, a number of systems and an alpha of one's own.

    Args:
        steps: training steps a run.
        seed: of systems, weights and batches.
    """

    def __init__(self, steps: int = 1000, seed: int = 0) -> None:
        self.noise = ipywidgets.FloatSlider(
            value=0.05, min=0, max=0.5, step=0.05, description="noise", style=NAMED
        )
        self.systems = ipywidgets.SelectionSlider(
            options=(16, 64, 256, 1024, 4096), value=4096, description="systems", style=NAMED
        )
        self.alpha = alpha_slider()
        super().__init__(self.noise, self.systems, self.alpha, steps=steps, seed=seed)

    @property
    def label(self) -> str:
        """What the controls say now, in words."""
        return (
            f"noise {self.noise.value:g}, {self.systems.value} systems, alpha {self.alpha.value:g}"
        )

    def run(self, show: Callable[[int, History], None]) -> tuple[History, str]:
        """Train on the CPU; see :meth:`bijepa_book.controls.lab.Lab.run`."""
        model = new_model(self.seed, self.alpha.value)
        counts = {"train": self.systems.value, "probe": PROBE, "held-out": HELD_OUT}
        learn, fit, judge = (
            ecosystems(count, generator(self.seed, f"own/{purpose}"), self.noise.value)
            for purpose, count in counts.items()
        )
        history = pretrain(
            model,
            DrawnBatches(*windows(learn.prey), batch_size=64, seeds=self.seed),
            steps=self.steps,
            device="cpu",
            progress=False,
            on_log=show,
        )
        shares = [
            f"{goal} {share(model.embed, goal, fit, judge):.2f} "
            f"(counts: {share(raw, goal, fit, judge):.2f})"
            for goal in GOALS
        ]
        return history, f"unexplained, held out: {', '.join(shares)}."

    def figure(self, runs: Runs[History]) -> Figure:
        """Relative loss, norm, variance and effective rank."""
        return training_curves(runs, WATCHED, self.steps)
