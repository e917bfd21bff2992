"""The paper's three experiments and four configurations, as values, and one way to run them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from bijepa_core._support.checks import (
    check_counts,
    check_kind,
    check_positive,
    check_unit_interval,
    make_plain,
)
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.provenance import provenance
from bijepa_core.checkpoints import Checkpoint
from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.data.lorenz import lorenz_data
from bijepa_core.data.mnist import ImageData, image_data
from bijepa_core.data.series import SeriesData
from bijepa_core.data.sine import sine_data
from bijepa_core.data.streams import Batches
from bijepa_core.evaluation.scores import Scores, image_scores, series_scores
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, script_scale
from bijepa_core.networks import ConvEncoder, MLPEncoder, MLPPredictor
from bijepa_core.seeds import (
    Seeds,
    borrowing_random_state,
    check_seeds,
    init_stacked,
    plain_seeds,
)
from bijepa_core.stochastic import EnergyPredictor, GaussianPredictor, StochasticBiJEPA
from bijepa_core.training import pretrain

EPOCHS = 10  # of MNIST
PREDICTORS: Mapping[str, Callable[..., nn.Module]] = {
    "deterministic": MLPPredictor,
    "energy": EnergyPredictor,
    "gaussian": GaussianPredictor,
    "mixture": partial(GaussianPredictor, components=8),
}
"""By name: the paper's, and those that sample (:mod:`bijepa_core.stochastic`)."""


@dataclass(frozen=True)
class Configuration:
    """A row of the paper's tables: what constrains the embedding, and alpha; and who predicts.

    Args:
        constraint: the stability configuration.
        alpha: weight of the forward term in Eq. 8; 1 is classic JEPA.
        predictor: of :data:`PREDICTORS`; all but ``"deterministic"``, the paper's, sample.

    Raises:
        ValueError: if alpha is outside [0, 1], or the predictor is unknown.
    """

    constraint: Constraint = EXPRESSIVE
    alpha: float = 0.5
    predictor: str = "deterministic"

    def __post_init__(self) -> None:
        make_plain(self)
        check_kind("constraint must be a Constraint.", self.constraint, Constraint)
        check_unit_interval(alpha=self.alpha)
        _check_known("predictor", self.predictor, PREDICTORS)

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON; the predictor where it is not the paper's."""
        values = {"constraint": self.constraint.plain(), "alpha": self.alpha}
        if self.predictor == "deterministic":
            return values
        return {**values, "predictor": self.predictor}


def _check_known(what: str, name: object, known: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or name not in known:
        listed = ", ".join(sorted(known))
        raise ValueError(f"the {what} must be one of {listed}; received {name!r}.")


CONFIGURATIONS = {
    "classic": Configuration(EXPRESSIVE, alpha=1.0),
    "unconstrained": Configuration(UNCONSTRAINED),
    "expressive": Configuration(EXPRESSIVE),
    "restrictive": Configuration(RESTRICTIVE),
}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: its sizes and schedule (appendix B.3), its encoder, data and scores.

    Args:
        name: what its results are called.
        in_dim: numbers in one view.
        hidden_dim: hidden width of the predictors, and of the MLP encoder.
        embed_dim: width d of the embedding.
        steps: optimizer steps; for MNIST, 10 epochs of 235.
        batch_size: pairs a step.
        learning_rate: AdamW's.
        tau: EMA momentum (Eq. 5).
        probe_steps: full-batch steps of the paper's probe (epochs, for MNIST).
        encoder: builds an encoder of these sizes, with LayerNorm or without.
        data: gives the data of seeds, in batches of a size, on a device.
        scores: what is measured on a trained model.

    Raises:
        ValueError: if a size is not positive or tau is outside [0, 1].
    """

    name: str
    in_dim: int
    hidden_dim: int
    embed_dim: int
    steps: int
    batch_size: int
    learning_rate: float
    tau: float
    probe_steps: int
    encoder: Callable[["Experiment", bool], nn.Module]
    data: Callable[[Seeds, int, torch.device | str], Any]
    scores: Callable[..., Scores]

    def __post_init__(self) -> None:
        make_plain(self)
        sizes = ("in_dim", "hidden_dim", "embed_dim", "steps", "batch_size", "probe_steps")
        check_counts(**{name: getattr(self, name) for name in sizes})
        check_positive(learning_rate=self.learning_rate)
        check_unit_interval(tau=self.tau)

    def load(self, seeds: Seeds, device: torch.device | str = "cpu") -> SeriesData | ImageData:
        """The data of one seed or several: a training stream, and what to probe with."""
        found: SeriesData | ImageData = self.data(seeds, self.batch_size, device)
        return found

    def model(self, configuration: Configuration, seeds: Seeds) -> BiJEPA:
        """A fresh model, under the paper's script's scaling of the loss.

        Args:
            configuration: see :data:`CONFIGURATIONS`.
            seeds: an integer, or a sequence for a leading seed axis.

        Returns:
            The model, built in the script's order: encoder, forward predictor, backward one.
        """
        return init_stacked(partial(self.new_model, configuration), seeds)

    def new_model(self, configuration: Configuration) -> BiJEPA:
        """A fresh model from PyTorch's global generator as it stands."""
        layer_norm, kind = configuration.constraint.layer_norm, configuration.predictor
        sizes = {"embed_dim": self.embed_dim, "hidden_dim": self.hidden_dim}
        form = BiJEPA if kind == "deterministic" else StochasticBiJEPA
        return form(
            self.encoder(self, layer_norm),
            partial(PREDICTORS[kind], **sizes, layer_norm=layer_norm),
            constraint=configuration.constraint,
            alpha=configuration.alpha,
            tau=self.tau,
            scale=script_scale(configuration.alpha),
        )

    def train(self, model: BiJEPA, batches: Batches, **options: Any) -> History:
        """Pretrain a model for this experiment's steps at its learning rate.

        Args:
            model: see :meth:`model`.
            batches: a stream.
            options: of :func:`bijepa_core.training.pretrain`; ``steps`` may be one of them.

        Returns:
            The history; errors as :func:`bijepa_core.training.pretrain`.
        """
        return pretrain(
            model, batches, **{"steps": self.steps, "learning_rate": self.learning_rate, **options}
        )

    def plain(self) -> dict[str, Any]:
        """Sizes and schedule as plain data, for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if not callable(value)}


def _mlp(experiment: Experiment, layer_norm: bool) -> nn.Module:
    return MLPEncoder(experiment.in_dim, experiment.hidden_dim, experiment.embed_dim, layer_norm)


def _conv(experiment: Experiment, layer_norm: bool) -> nn.Module:
    return ConvEncoder(experiment.embed_dim, layer_norm)


SINE = Experiment(
    name="sine",
    in_dim=10,
    hidden_dim=64,
    embed_dim=16,
    steps=2000,
    batch_size=64,
    learning_rate=1e-3,
    tau=0.995,
    probe_steps=100,
    encoder=_mlp,
    data=sine_data,
    scores=series_scores,
)
LORENZ = Experiment(
    name="lorenz",
    in_dim=60,
    hidden_dim=128,
    embed_dim=32,
    steps=3000,
    batch_size=64,
    learning_rate=5e-4,
    tau=0.995,
    probe_steps=200,
    encoder=_mlp,
    data=lorenz_data,
    scores=series_scores,
)
MNIST = Experiment(
    name="mnist",
    in_dim=28 * 14,
    hidden_dim=128,
    embed_dim=64,
    steps=EPOCHS * 235,
    batch_size=256,
    learning_rate=1e-3,
    tau=0.99,
    probe_steps=EPOCHS,
    encoder=_conv,
    data=image_data,
    scores=image_scores,
)
DIGITS = replace(MNIST, steps=EPOCHS * 6, data=partial(image_data, dataset="digits"))
"""MNIST on scikit-learn's small images, which need no download: another, easier data set."""
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
    _check_known("configuration", name, CONFIGURATIONS)
    if alpha is None:
        return CONFIGURATIONS[name]
    if name == "classic" and alpha != 1:
        raise ValueError(
            f"classic is alpha = 1 by definition; received alpha = {alpha!r}. "
            "Use the configuration expressive for another alpha."
        )
    return replace(CONFIGURATIONS[name], alpha=alpha)


@dataclass(frozen=True)
class Run:
    """A trained model with what was measured on it.

    Args:
        experiment, configuration, seeds: what was run.
        model: the trained model, with a seed axis where ``seeds`` is a sequence.
        history: losses and diagnostics of its training.
        scores: see :mod:`bijepa_core.evaluation.scores`.
        origin: versions, hardware, date, duration and commit.
    """

    experiment: Experiment
    configuration: Configuration
    seeds: Seeds
    model: BiJEPA
    history: History
    scores: Scores
    origin: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """The result as plain data, for JSON: every list of scores has one entry a seed."""
        return {
            "experiment": self.experiment.plain(),
            "configuration": self.configuration.plain(),
            "seeds": list(check_seeds(self.seeds)),
            "scores": self.scores,
            "history": self.history.plain(),
            "provenance": self.origin,
        }


def run(
    experiment: Experiment,
    configuration: Configuration,
    seeds: Seeds,
    *,
    device: str | torch.device = "auto",
    checkpoint: Checkpoint | None = None,
    progress: bool = True,
) -> Run:
    """Train and measure: data, model, pretraining, scores.

    Args:
        experiment: see :data:`EXPERIMENTS`; ``replace(SINE, steps=100)`` for a shorter one.
        configuration: see :data:`CONFIGURATIONS`.
        seeds: one seed, or a sequence: all of them train together.
        device: ``"auto"`` or a device.
        checkpoint, progress: see :func:`bijepa_core.training.pretrain`.

    Returns:
        The trained model, its history and its scores.

    Raises:
        ValueError, DataNotFoundError, CorruptDataError, CheckpointError: before any work.
        NonFiniteLossError, KeyboardInterrupt: see :func:`bijepa_core.training.pretrain`.
    """
    check_kind("experiment must be an Experiment, such as SINE.", experiment, Experiment)
    rule = 'configuration must be a Configuration, such as CONFIGURATIONS["expressive"].'
    check_kind(rule, configuration, Configuration)
    seeds = plain_seeds(seeds)
    device, began = resolve_device(device), time.perf_counter()
    data = experiment.load(seeds, device)
    model, untrained = (experiment.model(configuration, seeds).to(device) for _ in range(2))
    with borrowing_random_state(device):
        torch.manual_seed(0)  # noise in training, shared by seeds: each is the same in any company
        history = experiment.train(
            model, data.batches, device=device, checkpoint=checkpoint, progress=progress
        )
    scores = experiment.scores(
        model,
        untrained,
        data,
        seeds=seeds,
        probe_steps=experiment.probe_steps,
        progress=progress,
    )
    origin = provenance(device, time.perf_counter() - began)
    return Run(experiment, configuration, seeds, model, history, scores, origin)
