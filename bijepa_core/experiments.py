"""The paper's three experiments and four configurations, as values."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from torch import nn

from bijepa_core._support.checks import check_counts, check_positive, check_unit_interval
from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.model import BiJEPA, script_scale
from bijepa_core.networks import ConvEncoder, MLPEncoder, MLPPredictor
from bijepa_core.seeds import Seeds, build

Name = Literal["sine", "lorenz", "mnist"]


@dataclass(frozen=True)
class Configuration:
    """A row of the paper's tables: what constrains the embedding, and alpha.

    Args:
        constraint: the stability configuration.
        alpha: weight of the forward term in Eq. 8; 1 is classic JEPA.

    Raises:
        ValueError: if alpha is outside [0, 1].
    """

    constraint: Constraint = EXPRESSIVE
    alpha: float = 0.5

    def __post_init__(self) -> None:
        check_unit_interval(alpha=self.alpha)


CONFIGURATIONS = {
    "classic": Configuration(EXPRESSIVE, alpha=1.0),
    "unconstrained": Configuration(UNCONSTRAINED),
    "expressive": Configuration(EXPRESSIVE),
    "restrictive": Configuration(RESTRICTIVE),
}


@dataclass(frozen=True)
class Experiment:
    """The size and schedule of one experiment (appendix B.3).

    Args:
        name: ``sine``, ``lorenz`` or ``mnist``.
        inputs: numbers in one view.
        hidden: hidden width of the predictors, and of the MLP encoder.
        embedding: width d of the embedding.
        steps: optimizer steps; for MNIST, 10 epochs of 235.
        batch_size: pairs a step.
        learning_rate: AdamW's.
        tau: EMA momentum (Eq. 5).
        probe_steps: full-batch steps of the paper's probe (epochs, for MNIST).

    Raises:
        ValueError: if a size is not positive or tau is outside [0, 1].
    """

    name: Name
    inputs: int
    hidden: int
    embedding: int
    steps: int
    batch_size: int
    learning_rate: float
    tau: float
    probe_steps: int

    def __post_init__(self) -> None:
        check_counts(
            inputs=self.inputs,
            hidden=self.hidden,
            embedding=self.embedding,
            steps=self.steps,
            batch_size=self.batch_size,
            probe_steps=self.probe_steps,
        )
        check_positive(learning_rate=self.learning_rate)
        check_unit_interval(tau=self.tau)

    def encoder(self, layer_norm: bool) -> nn.Module:
        """A fresh encoder for this experiment's views."""
        if self.name == "mnist":
            return ConvEncoder(self.embedding, layer_norm)
        return MLPEncoder(self.inputs, self.hidden, self.embedding, layer_norm)

    def model(self, configuration: Configuration, seeds: Seeds) -> BiJEPA:
        """A fresh model, under the paper's script's scaling of the loss.

        Args:
            configuration: see :data:`CONFIGURATIONS`.
            seeds: an integer, or a sequence for a leading seed axis.

        Returns:
            The model, built in the script's order: encoder, forward predictor, backward one.
        """
        return build(partial(self.new_model, configuration), seeds)

    def new_model(self, configuration: Configuration) -> BiJEPA:
        """A fresh model from PyTorch's global generator as it stands."""
        layer_norm = configuration.constraint.layer_norm
        return BiJEPA(
            self.encoder(layer_norm),
            partial(MLPPredictor, self.embedding, self.hidden, layer_norm),
            constraint=configuration.constraint,
            alpha=configuration.alpha,
            tau=self.tau,
            scale=script_scale(configuration.alpha),
        )


SINE = Experiment("sine", 10, 64, 16, 2000, 64, 1e-3, 0.995, 100)
LORENZ = Experiment("lorenz", 60, 128, 32, 3000, 64, 5e-4, 0.995, 200)
MNIST = Experiment("mnist", 28 * 14, 128, 64, 2350, 256, 1e-3, 0.99, 10)
EXPERIMENTS = {experiment.name: experiment for experiment in (SINE, LORENZ, MNIST)}


def configuration_named(name: str, alpha: float | None = None) -> Configuration:
    """A configuration by its name, with another alpha where one is given.

    Args:
        name: ``classic``, ``unconstrained``, ``expressive`` or ``restrictive``.
        alpha: weight of the forward term; None keeps the configuration's own.

    Returns:
        The configuration.

    Raises:
        ValueError: if the name is unknown, or classic is asked for with an alpha other than 1.
    """
    if name not in CONFIGURATIONS:
        known = ", ".join(sorted(CONFIGURATIONS))
        raise ValueError(f"the configuration must be one of {known}; received {name!r}.")
    if alpha is None:
        return CONFIGURATIONS[name]
    if name == "classic" and alpha != 1:
        raise ValueError(
            f"classic is alpha = 1 by definition; received alpha = {alpha!r}. "
            "Use the configuration expressive for another alpha."
        )
    return replace(CONFIGURATIONS[name], alpha=alpha)
