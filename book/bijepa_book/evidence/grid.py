"""What is trained: each experiment under each condition, at the paper's length and ten times it."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import CONFIGURATIONS, EXPERIMENTS, Configuration, Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, init_stacked

Name = Literal["sine", "lorenz", "mnist"]
Length = Literal["paper", "long"]
LONGER = 10  # times the paper's steps
BASELINES = "baselines"
"""The condition without any training."""


@dataclass(frozen=True)
class Condition:
    """One row of the study: a model and its schedule.

    Args:
        name: within its experiment.
        experiment: sizes and schedule; steps, batch size and tau may differ from the paper's.
        configuration: constraint and alpha.
        shared: whether one predictor serves both directions.
        length: ``paper``, or ``long`` for ten times the steps.
    """

    name: str
    experiment: Experiment
    configuration: Configuration
    shared: bool = False
    length: Length = "paper"

    @property
    def key(self) -> str:
        """Its name among all: also the name of its file."""
        return f"{self.experiment.name}-{self.name}-{self.length}"

    def model(self, seeds: Seeds) -> BiJEPA:
        """A fresh model.

        Args:
            seeds: an integer, or a sequence for a leading seed axis.

        Returns:
            The model. Seed s begins with the same encoder in every condition with LayerNorm, and
            with the same one in every condition without.
        """
        return init_stacked(self._new, seeds)

    def _new(self) -> BiJEPA:
        model = self.experiment.new_model(self.configuration)
        if self.shared:
            model.backward_predictor = model.forward_predictor
        return model


class Change(NamedTuple):
    """What a condition makes of its experiment.

    Args:
        configuration: constraint and alpha.
        shared: whether one predictor serves both directions.
        times_batch: how many times the experiment's batch.
        times_steps: how many times its steps.
        tau: in place of its own.
    """

    configuration: Configuration
    shared: bool = False
    times_batch: int = 1
    times_steps: int = 1
    tau: float | None = None


CLASSIC = CONFIGURATIONS["classic"]
EVERYWHERE = {
    **{name: Change(configuration) for name, configuration in CONFIGURATIONS.items()},
    "classic-batch": Change(CLASSIC, times_batch=2),
    "classic-steps": Change(CLASSIC, times_steps=2),
    "shared": Change(Configuration(EXPRESSIVE), shared=True),
}
"""In every experiment, those that most claims need first."""
SERIES = {
    "classic-unconstrained": Change(Configuration(UNCONSTRAINED, alpha=1.0)),
    # LayerNorm and weight decay apart; LayerNorm with a decay of 1e-4 is expressive, and neither
    # is unconstrained
    "norm-decay-0": Change(Configuration(Constraint(True, 0.0))),
    "norm-decay-0.001": Change(Configuration(Constraint(True, 1e-3))),
    "norm-decay-0.01": Change(Configuration(Constraint(True, 1e-2))),
    "norm-decay-0.1": Change(Configuration(Constraint(True, 1e-1))),
    "plain-decay-0.0001": Change(Configuration(Constraint(False, 1e-4))),
    "plain-decay-0.001": Change(Configuration(Constraint(False, 1e-3))),
    "plain-decay-0.01": Change(Configuration(Constraint(False, 1e-2))),
    "plain-decay-0.1": Change(Configuration(Constraint(False, 1e-1))),
    # an alpha of 0.5 is expressive
    "alpha-0": Change(Configuration(EXPRESSIVE, 0.0)),
    "alpha-0.1": Change(Configuration(EXPRESSIVE, 0.1)),
    "alpha-0.25": Change(Configuration(EXPRESSIVE, 0.25)),
    "alpha-0.75": Change(Configuration(EXPRESSIVE, 0.75)),
    "alpha-0.9": Change(Configuration(EXPRESSIVE, 0.9)),
    "tau-0": Change(Configuration(EXPRESSIVE), tau=0.0),
    "tau-0.9": Change(Configuration(EXPRESSIVE), tau=0.9),
    "tau-0.99": Change(Configuration(EXPRESSIVE), tau=0.99),
    "tau-0.999": Change(Configuration(EXPRESSIVE), tau=0.999),
    "unconstrained-tau-0": Change(Configuration(UNCONSTRAINED), tau=0.0),
    "unconstrained-tau-0.9": Change(Configuration(UNCONSTRAINED), tau=0.9),
    "unconstrained-tau-0.999": Change(Configuration(UNCONSTRAINED), tau=0.999),
}
"""In the experiments on series alone, where a training takes seconds."""


def conditions(name: Name, length: Length = "paper") -> list[Condition]:
    """The conditions of one experiment.

    Args:
        name: ``sine``, ``lorenz`` or ``mnist``.
        length: ``paper``; ``long`` for ten times the steps (not for MNIST).

    Returns:
        The baselines first (no training; at the paper's length), then those that most claims
        need.

    Raises:
        ValueError: for MNIST at ten times its length, which the study does not have.
    """
    if name == "mnist" and length == "long":
        raise ValueError("the study trains MNIST at the paper's length alone; received 'long'.")
    experiment = EXPERIMENTS[name]
    grid = EVERYWHERE if name == "mnist" else EVERYWHERE | SERIES
    trained = [changed(experiment, row, change, length) for row, change in grid.items()]
    if length == "long":
        return trained
    return [Condition(BASELINES, experiment, Configuration(EXPRESSIVE)), *trained]


def changed(experiment: Experiment, name: str, change: Change, length: Length) -> Condition:
    longer = LONGER if length == "long" else 1
    changed = replace(
        experiment,
        steps=longer * change.times_steps * experiment.steps,
        batch_size=change.times_batch * experiment.batch_size,
        tau=experiment.tau if change.tau is None else change.tau,
    )
    return Condition(name, changed, change.configuration, change.shared, length)


def all_conditions() -> list[Condition]:
    """Every condition of the study, the paper's lengths first."""
    return [
        *conditions("mnist"),
        *conditions("sine"),
        *conditions("lorenz"),
        *conditions("sine", "long"),
        *conditions("lorenz", "long"),
    ]
