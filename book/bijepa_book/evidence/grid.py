"""What is trained: each experiment under each condition, at the paper's length and ten times it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import (
    CONFIGURATIONS,
    LORENZ,
    MNIST,
    SINE,
    Configuration,
    Experiment,
)
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


def _decays() -> dict[str, Configuration]:
    """LayerNorm and weight decay apart; two of the ten have names of their own already."""
    return {
        f"{name}-decay-{decay:g}": Configuration(Constraint(layer_norm, decay))
        for name, layer_norm in (("norm", True), ("plain", False))
        for decay in (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
        if Constraint(layer_norm, decay) not in (EXPRESSIVE, UNCONSTRAINED)
    }


def _conditions(experiment: Experiment) -> list[Condition]:
    """All conditions of one experiment, those that most claims need first."""
    make, classic = partial(Condition, experiment=experiment), CONFIGURATIONS["classic"]
    twice = replace(experiment, batch_size=2 * experiment.batch_size)
    longer = replace(experiment, steps=2 * experiment.steps)
    found = [make(name, configuration=c) for name, c in CONFIGURATIONS.items()]
    found += [
        Condition("classic-batch", twice, classic),
        Condition("classic-steps", longer, classic),
        make("shared", configuration=CONFIGURATIONS["expressive"], shared=True),
    ]
    if experiment.name == "mnist":
        return found
    found.append(make("classic-unconstrained", configuration=Configuration(UNCONSTRAINED, 1.0)))
    found += [make(name, configuration=c) for name, c in _decays().items()]
    found += [
        make(f"alpha-{alpha:g}", configuration=Configuration(EXPRESSIVE, alpha))
        for alpha in (0.0, 0.1, 0.25, 0.75, 0.9)
    ]
    for prefix, constraint, taus in (
        ("", EXPRESSIVE, (0.0, 0.9, 0.99, 0.999)),
        ("unconstrained-", UNCONSTRAINED, (0.0, 0.9, 0.999)),
    ):
        found += [
            Condition(
                f"{prefix}tau-{tau:g}", replace(experiment, tau=tau), Configuration(constraint)
            )
            for tau in taus
        ]
    return found


def conditions(name: Name, length: Length = "paper") -> list[Condition]:
    """The conditions of one experiment.

    Args:
        name: ``sine``, ``lorenz`` or ``mnist``.
        length: ``paper``; ``long`` for ten times the steps (not for MNIST).

    Returns:
        The baselines first (no training), then those that most claims need.

    Raises:
        ValueError: for MNIST at ten times its length, which the study does not have.
    """
    if length == "paper":
        experiment = {"sine": SINE, "lorenz": LORENZ, "mnist": MNIST}[name]
        untrained = Condition(BASELINES, experiment, CONFIGURATIONS["expressive"])
        return [untrained, *_conditions(experiment)]
    if name == "mnist":
        raise ValueError("the study trains MNIST at the paper's length alone; received 'long'.")
    return [
        replace(
            c, length=length, experiment=replace(c.experiment, steps=LONGER * c.experiment.steps)
        )
        for c in conditions(name)[1:]
    ]


def all_conditions() -> list[Condition]:
    """Every condition of the study, the paper's lengths first."""
    return [
        *conditions("mnist"),
        *conditions("sine"),
        *conditions("lorenz"),
        *conditions("sine", "long"),
        *conditions("lorenz", "long"),
    ]
