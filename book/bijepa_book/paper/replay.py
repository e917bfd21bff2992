"""The paper's script, draw by draw: the same random numbers in the same order.

What the script does beyond the paper is listed with each function. Experiments elsewhere in
this package follow the same protocol with generators of their own; this module exists to be
compared number by number, and therefore follows its arithmetic too: AdamW unfused, each view
encoded by itself, and two threads, because the order of a sum depends on their number. On the
machine where the reference values were made it agrees with them bit for bit; elsewhere, rounding
differs, and grows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from bijepa_book.process import threads
from bijepa_core.data import lorenz, sine
from bijepa_core.data.series import HELD_OUT, Pairs
from bijepa_core.data.streams import Batches
from bijepa_core.evaluation.probes import LinearProbe, fit_adam, protocol_a, protocol_b
from bijepa_core.evaluation.scores import fair_mse, protocols
from bijepa_core.experiments import LORENZ, SINE, Experiment, configuration_named
from bijepa_core.history import History
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import generator, initializing

SEED = 42
KNOWN = {
    "sine": ("classic", "unconstrained", "expressive", "restrictive"),
    "lorenz": ("classic", "expressive"),
}


@dataclass(frozen=True)
class Replay:
    """One replayed run.

    Args:
        model: the trained model.
        history: its losses and diagnostics.
        probe: the probe's own training set, contexts and next states, ``(1000, n)`` and
            ``(1000, k)``.
        held_out: 10,000 fresh contexts and next states on the probe set's scale. The script has
            none; they are drawn apart and change nothing.
        test_series: the 20 test series of the paper's figures, ``(20, length, ...)``.
        probe_a, probe_b: the fitted probes; ``training_error`` is the paper's number.
    """

    model: BiJEPA
    history: History
    probe: Pairs
    held_out: Pairs
    test_series: Tensor
    probe_a: LinearProbe
    probe_b: LinearProbe

    def scores(self) -> dict[str, float]:
        """The run in the numbers of the paper's Tables 1 and 3, and the fair probe's beside them.

        Returns:
            ``train_loss``, ``paper_a``, ``paper_b``, ``fair_a`` and ``fair_b``.
        """
        fair = {
            f"fair_{letter}": fair_mse(features, self.probe, self.held_out)[0]
            for letter, features in protocols(self.model).items()
        }
        return {
            "train_loss": float(self.history.mean_loss()[-100:].mean()),
            "paper_a": float(self.probe_a.training_error),
            "paper_b": float(self.probe_b.training_error),
            **fair,
        }

    def plain(self) -> dict[str, Any]:
        """As plain data: ``loss`` is ``[forward, backward]`` (classic: ``[forward]``) a step."""
        terms = [self.history.losses[name] for name in ("forward", "backward")]
        present = [term for term in terms if not term.isnan().all()]
        return {"loss": torch.stack(present, dim=1).tolist(), **self.scores()}


def replay(
    experiment: str, configuration: str, *, steps: int | None = None, progress: bool = True
) -> Replay:
    """Run the paper's script again (Tables 1 and 3), on the CPU.

    Seed 42 is set before the data and again before the model. The model is built, then each
    step draws its batch: 64 fresh waves from NumPy's generator (sine), or 64 rows of the
    training set from PyTorch's (Lorenz). Probe A's layer, then probe B's, is drawn from
    PyTorch's generator as training left it.

    Args:
        experiment: ``sine`` or ``lorenz``.
        configuration: see :data:`KNOWN` for those the script has.
        steps: fewer training steps than the paper's, for a test; None for all.
        progress: show a bar where somebody can see it.

    Returns:
        The run.

    Raises:
        ValueError: if the script has no such run.
    """
    if configuration not in KNOWN.get(experiment, ()):
        listed = "; ".join(f"{name}: {', '.join(configs)}" for name, configs in KNOWN.items())
        raise ValueError(
            f"the script has no run {experiment!r} with {configuration!r}. It has {listed}."
        )
    setup: Experiment = {"sine": SINE, "lorenz": LORENZ}[experiment]
    numbers = np.random.RandomState(SEED)
    sets = (_sine_sets if experiment == "sine" else _lorenz_sets)(numbers)
    split = sine.split if experiment == "sine" else lorenz.split
    numbers = np.random.RandomState(SEED)
    with initializing(SEED), threads(2):
        model = setup.new_model(configuration_named(configuration))
        model.encode_separately = True
        if experiment == "sine":
            batches: Batches = lambda step: sine.split(_waves(numbers, setup.batch_size))  # noqa: E731
        else:
            x, y = lorenz.split(sets["train"])

            def batches(step: int) -> tuple[Tensor, Tensor]:
                rows = torch.randint(0, len(x), (setup.batch_size,))
                return x[rows], y[rows]

        history = setup.train(
            model,
            batches,
            steps=setup.steps if steps is None else steps,
            make_optimizer=AdamW,
            device="cpu",
            progress=progress,
        )
        width = 1 if experiment == "sine" else 3  # the first value, or state

        def next_state(series: Tensor) -> Pairs:
            x, y = split(series)
            return x, y[:, :width]

        x, y = next_state(sets["probe"])
        fitted = []
        for features in (protocol_a(model)(x), protocol_b(model)(x)):
            head = Linear(features.shape[-1], width)
            fitted.append(fit_adam(head, features, y, steps=setup.probe_steps))
    return Replay(model, history, (x, y), next_state(sets["held-out"]), sets["test"], *fitted)


def _waves(numbers: np.random.RandomState, count: int) -> Tensor:
    """Waves one by one: frequency, phase, then 20 normals each, in float64 and then cast."""
    grid = np.linspace(0, 4 * np.pi, sine.LENGTH)
    drawn = np.empty((count, sine.LENGTH))
    for i in range(count):
        frequency, phase = numbers.uniform(0.8, 1.2), numbers.uniform(0, 2 * np.pi)
        drawn[i] = np.sin(frequency * grid + phase) + numbers.normal(0, sine.NOISE, sine.LENGTH)
    return torch.from_numpy(drawn.astype(np.float32))


def _sine_sets(numbers: np.random.RandomState) -> dict[str, Tensor]:
    sets = {name: _waves(numbers, n) for name, n in (("demo", 3), ("probe", 1000), ("test", 20))}
    sets["held-out"] = sine.waves(HELD_OUT, generator(SEED, "replay/held-out"))
    return sets


def _lorenz_sets(numbers: np.random.RandomState) -> dict[str, Tensor]:
    """Each set of the script normalized by its own mean and standard deviation."""
    sizes = {"demo": 3, "train": 2000, "probe": 1000, "test": 20}
    raw = {
        name: torch.from_numpy(lorenz.euler(numbers.uniform(-15, 15, (n, 3))))
        for name, n in sizes.items()
    }
    sets = {name: lorenz.normalize(series) for name, series in raw.items()}
    fresh = lorenz.trajectories(HELD_OUT, generator(SEED, "replay/held-out"))
    sets["held-out"] = lorenz.normalize(fresh, raw["probe"])
    return sets
