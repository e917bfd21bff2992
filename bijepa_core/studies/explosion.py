"""Chapter 2: the first experiment with its constraints switched one at a time."""

from typing import Any

from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.records import medians
from bijepa_core.replay import Replay, replay
from bijepa_core.reproduce import final_loss
from bijepa_core.studies.courses import course, sine_histories

REPLAYED = ("unconstrained", "expressive", "classic")
CONDITIONS = {
    "unconstrained": Configuration(UNCONSTRAINED),
    "expressive": Configuration(EXPRESSIVE),
    "LayerNorm alone": Configuration(Constraint(layer_norm=True, weight_decay=0.0)),
    "decay alone": Configuration(Constraint(layer_norm=False, weight_decay=1e-4)),
    "classic, unconstrained": Configuration(UNCONSTRAINED, alpha=1.0),
    "classic": Configuration(EXPRESSIVE, alpha=1.0),
}
"""LayerNorm and weight decay one at a time, in two directions and in one."""


def scores(run: Replay) -> dict[str, float]:
    """A replay in the columns of the paper's tables.

    Args:
        run: of the sine or the Lorenz experiment.

    Returns:
        ``loss``, and the probes' errors ``A`` and ``B`` on their own training set.
    """
    return {
        "loss": final_loss(run.history),
        "A": float(run.probe_a.training_error),
        "B": float(run.probe_b.training_error),
    }


def record() -> dict[str, Any]:
    """What the chapter compares itself with: three replays; all conditions under seeds 0 to 7."""
    histories = sine_histories(CONDITIONS, range(8), SINE.steps, device="cpu")
    courses = {name: course(history) for name, history in histories.items()}
    return {
        "seeds": list(range(8)),
        "replayed": {name: scores(replay("sine", name)) for name in REPLAYED},
        "courses": medians(courses),
    }
