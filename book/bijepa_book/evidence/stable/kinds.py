"""What the hunt tries: kinds of constraint, each at five strengths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import AdamW

from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint, Penalty
from bijepa_core.diagnostics import variance
from bijepa_core.experiments import Experiment
from bijepa_core.model import BiJEPA, Term, script_scale
from bijepa_core.networks import MLPPredictor
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.regularizers import (
    decorrelation,
    dimension_scale,
    gaussian_shape,
    scale,
    sigreg,
    unit_deviation,
    unit_variance,
    variance_hinge,
)

SMALL = 1e-8  # under a variance, before a root is taken or a quotient
DECAYS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
WEIGHTS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
RADII = (0.5, 1.0, 2.0, 4.0, 8.0)
ENDS = (1.0, 0.3, 0.1, 0.03, 0.0)
FALLS_TO = 0.3  # of the first rate, in the third round
STRONG_DECAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
BESIDE_DECAY, BESIDE_SHARE = 0.1, 0.2  # in pairs: the decay, the share of whitening


class Kind(NamedTuple):
    """A kind of constraint.

    Args:
        about: what its strength is.
        strengths: those that are tried.
        build: a fresh model of an experiment, from strength and alpha.
        optimizer: from strength and steps; the paper's by default.
    """

    about: str
    strengths: tuple[float, ...]
    build: Callable[[Experiment, float, float], BiJEPA]
    optimizer: Callable[[float, int], Callable[..., AdamW]] = lambda strength, steps: fused_adamw


def _model(
    experiment: Experiment,
    alpha: float,
    constraint: Constraint,
    *,
    norms: tuple[bool, bool] | None = None,
    form: Callable[..., BiJEPA] = BiJEPA,
) -> BiJEPA:
    """As :meth:`Experiment.new_model`, with LayerNorm in encoder and predictors apart."""
    encoder, predictor = norms or (constraint.layer_norm, constraint.layer_norm)
    return form(
        experiment.encoder(experiment, encoder),
        partial(MLPPredictor, experiment.embed_dim, experiment.hidden_dim, predictor),
        constraint=constraint,
        alpha=alpha,
        tau=experiment.tau,
        scale=script_scale(alpha),
    )


# --- what the paper has: LayerNorm, decay, the sphere ------------------------------------------


def _norms(encoder: bool, predictor: bool) -> Callable[[Experiment, float, float], BiJEPA]:
    def build(experiment: Experiment, decay: float, alpha: float) -> BiJEPA:
        constraint = Constraint(layer_norm=encoder, weight_decay=decay)
        return _model(experiment, alpha, constraint, norms=(encoder, predictor))

    return build


@dataclass(frozen=True)
class OnSphere(Constraint):
    """A sphere of any radius."""

    radius: float = 1.0

    def project(self, embedding: Tensor) -> Tensor:
        """Onto the sphere."""
        return self.radius * F.normalize(embedding, dim=-1)


def _sphere(experiment: Experiment, radius: float, alpha: float) -> BiJEPA:
    return _model(experiment, alpha, OnSphere(True, 1e-4, True, radius=radius))


# --- targets whose scale is taken out -----------------------------------------------------------


class StandardizedTargets(BiJEPA):
    """Targets are moved by a share towards what has mean 0 and variance 1 in each dimension."""

    share = 1.0

    def _aimed(self, target: Tensor | None) -> Tensor | None:
        return (
            None if target is None else torch.lerp(target, batch_standardized(target), self.share)
        )


class RelativeLoss(BiJEPA):
    """Each direction's loss is divided by its target's variance, to a power."""

    share = 1.0

    def _weighted(self, forward: Term | None, backward: Term | None) -> Tensor:
        def relative(term: Term | None) -> Term | None:
            if term is None:
                return None
            return term._replace(loss=term.loss / (variance(term.target) + SMALL) ** self.share)

        return super()._weighted(relative(forward), relative(backward))


def _free(form: type[BiJEPA]) -> Callable[[Experiment, float, float], BiJEPA]:
    """Neither LayerNorm nor decay, and another target or loss to a share."""

    def build(experiment: Experiment, share: float, alpha: float) -> BiJEPA:
        model = _model(experiment, alpha, UNCONSTRAINED, form=form)
        model.share = share  # type: ignore[assignment]
        return model

    return build


# --- penalties ----------------------------------------------------------------------------------


Parts = tuple[tuple[float, Callable[[Tensor], Tensor]], ...]
"""Penalties, each with its share of the strength."""
SCALE: Parts = ((1.0, scale),)
LOOSE: Parts = ((1.0, unit_variance), (0.1, decorrelation))
VICREG: Parts = ((1.0, variance_hinge), (0.04, decorrelation))
SIGREG: Parts = ((1.0, sigreg),)
VISREG: Parts = ((1.0, unit_deviation), (1.0, gaussian_shape))


def _penalties(
    parts: Parts, decay: float = 0.0, whitening: float = 0.0, form: type[BiJEPA] = BiJEPA
) -> Callable[[Experiment, float, float], BiJEPA]:
    def build(experiment: Experiment, weight: float, alpha: float) -> BiJEPA:
        penalties = tuple(Penalty(weight * part, of) for part, of in parts)
        constraint = Constraint(False, decay, penalties=penalties, whitening=whitening)
        return _model(experiment, alpha, constraint, form=form)

    return build


# --- pairs of what helped alone -----------------------------------------------------------------


def _whitened(experiment: Experiment, share: float, alpha: float) -> BiJEPA:
    return _model(experiment, alpha, Constraint(False, 0.0, whitening=share))


def _whitened_decay(experiment: Experiment, decay: float, alpha: float) -> BiJEPA:
    return _model(experiment, alpha, Constraint(False, decay, whitening=BESIDE_SHARE))


# --- a learning rate that falls -----------------------------------------------------------------


def _slowed(constraint: Constraint, ends: tuple[float, ...]) -> Kind:
    return Kind(
        "last learning rate, in the first's",
        ends,
        lambda experiment, end, alpha: _model(experiment, alpha, constraint),
        lambda end, steps: falling_adamw(steps, end),
    )


ALONE: Mapping[str, Kind] = {
    "layernorm": Kind("weight decay, LayerNorm in both", DECAYS, _norms(True, True)),
    "layernorm-encoder": Kind(
        "weight decay, LayerNorm in the encoder", DECAYS, _norms(True, False)
    ),
    "layernorm-predictor": Kind(
        "weight decay, LayerNorm in the predictors", DECAYS, _norms(False, True)
    ),
    "decay": Kind("weight decay", DECAYS, _norms(False, False)),
    "sphere": Kind("radius", RADII, _sphere),
    "standardized": Kind("share of standardizing", SHARES, _free(StandardizedTargets)),
    "whitened": Kind("share of whitening", SHARES, _whitened),
    "relative": Kind("power of the variance", SHARES, _free(RelativeLoss)),
    "scale": Kind("weight", WEIGHTS, _penalties(SCALE)),
    "dimensions": Kind("weight", WEIGHTS, _penalties(((1.0, dimension_scale),))),
    "covariance": Kind("weight", WEIGHTS, _penalties(((1.0, unit_variance), (1.0, decorrelation)))),
    "covariance-loose": Kind("weight, a tenth of it off the diagonal", WEIGHTS, _penalties(LOOSE)),
    "vicreg": Kind(
        "weight of the hinge, a 25th of it on the covariance", WEIGHTS, _penalties(VICREG)
    ),
    "sigreg": Kind("weight", WEIGHTS, _penalties(SIGREG)),
    "visreg": Kind("weight", WEIGHTS, _penalties(VISREG)),
    "falling-rate": _slowed(UNCONSTRAINED, ENDS),
}
"""By name; LayerNorm and weight decay are absent where they are not named."""

PAIRS: Mapping[str, Kind] = {
    "decay-strong": Kind("weight decay", STRONG_DECAYS, _norms(False, False)),
    "scale-decay": Kind("weight, beside a decay of 0.1", WEIGHTS, _penalties(SCALE, BESIDE_DECAY)),
    "covariance-loose-decay": Kind(
        "weight, a tenth of it off the diagonal, beside a decay of 0.1",
        WEIGHTS,
        _penalties(LOOSE, BESIDE_DECAY),
    ),
    "vicreg-decay": Kind(
        "weight of the hinge, a 25th of it on the covariance, beside a decay of 0.1",
        WEIGHTS,
        _penalties(VICREG, BESIDE_DECAY),
    ),
    "whitened-scale": Kind(
        "weight, beside whitening by a fifth", WEIGHTS, _penalties(SCALE, whitening=BESIDE_SHARE)
    ),
    "whitened-decay": Kind("decay, beside whitening by a fifth", DECAYS, _whitened_decay),
}
"""The second round: a decay beyond the first round's edge, and pairs of what helped alone."""

TO_FALL: Mapping[str, tuple[float, ...]] = {
    "whitened": (0.2, 0.4),
    "whitened-decay": (0.1,),
    "whitened-scale": (0.001, 0.01),
    "scale": (0.001, 0.01),
    "covariance-loose": (0.001, 0.01),
    "visreg": (0.01,),
    "vicreg": (0.001, 0.01),
    "decay": (0.1,),
}
"""Some that cost nothing as a mean over the experiments, for the third round."""


def _falling(kind: Kind, strengths: tuple[float, ...]) -> Kind:
    return kind._replace(
        about=f"{kind.about}; the rate falls to {FALLS_TO:g}",
        strengths=strengths,
        optimizer=lambda strength, steps: falling_adamw(steps, FALLS_TO),
    )


FALLING: Mapping[str, Kind] = {
    f"{name}-falling": _falling({**ALONE, **PAIRS}[name], strengths)
    for name, strengths in TO_FALL.items()
}
"""The third round: the same under a learning rate that falls along a cosine."""

KINDS: Mapping[str, Kind] = {**ALONE, **PAIRS, **FALLING}
"""The hunt's."""


# --- what holds without EMA, and without the stop-gradient --------------------------------------


class Coupled(BiJEPA):
    """Targets come from the online encoder, and learn with it: neither EMA nor stop-gradient."""

    def _targets(self, x: Tensor, y: Tensor) -> tuple[Tensor | None, Tensor | None]:
        target_x, target_y = self._encode(self.online, x, y)
        return target_x, target_y


def _at_once(
    build: Callable[[Experiment, float, float], BiJEPA],
) -> Callable[[Experiment, float, float], BiJEPA]:
    """The same with a target encoder that is the online one of a moment ago (tau = 0)."""
    return lambda experiment, strength, alpha: build(replace(experiment, tau=0.0), strength, alpha)


HELD: Mapping[str, Parts] = {
    "scale": SCALE,
    "covariance-loose": LOOSE,
    "vicreg": VICREG,
    "sigreg": SIGREG,
    "visreg": VISREG,
}
WITHOUT: Mapping[str, Kind] = {
    **{
        f"{name}-no-ema": Kind("weight; tau = 0", WEIGHTS, _at_once(_penalties(parts)))
        for name, parts in HELD.items()
    },
    **{
        f"{name}-no-stop": Kind(
            "weight; targets learn, too", WEIGHTS, _penalties(parts, form=Coupled)
        )
        for name, parts in HELD.items()
    },
}
"""Penalties that might do what EMA and stop-gradient do; no candidates, a question of their own."""

PAPER: Mapping[str, Constraint] = {"unconstrained": UNCONSTRAINED, "expressive": EXPRESSIVE}
"""What the hunt is measured against, on the same seeds."""


# --- how much a constraint takes: a ladder ------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Onto(Constraint):
    """Every embedding, online and target, goes through a fixed map."""

    onto: Callable[[Tensor], Tensor]

    def project(self, embedding: Tensor) -> Tensor:
        """The map's."""
        return self.onto(embedding)


def batch_scaled(s: Tensor) -> Tensor:
    """The batch's mean square is 1: one number of a batch is taken."""
    return s / (s.square().mean((-2, -1), keepdim=True) + SMALL).sqrt()


def batch_standardized(s: Tensor) -> Tensor:
    """Each dimension has mean 0 and variance 1 over the batch: 2 d numbers of a batch."""
    return (s - s.mean(-2, keepdim=True)) / (s.var(-2, keepdim=True, correction=0) + SMALL).sqrt()


def sample_centered(s: Tensor) -> Tensor:
    """Each embedding's entries have mean 0: one number of every sample."""
    return s - s.mean(-1, keepdim=True)


def sample_scaled(s: Tensor) -> Tensor:
    """Each embedding's mean square is 1: another one number of every sample."""
    return s / (s.square().mean(-1, keepdim=True) + SMALL).sqrt()


def sample_standardized(s: Tensor) -> Tensor:
    """LayerNorm without its gains: both."""
    return F.layer_norm(s, s.shape[-1:])


LADDER: Mapping[str, Constraint] = {
    one.__name__.replace("_", "-"): Onto(layer_norm=False, weight_decay=0.0, onto=one)
    for one in (
        batch_scaled,
        batch_standardized,
        sample_centered,
        sample_scaled,
        sample_standardized,
    )
}
"""Hard constraints on the embedding alone, by what they take; not of the hunt."""


# --- does the start decide? ---------------------------------------------------------------------


def _started(constraint: Constraint) -> Callable[[Experiment, float, float], BiJEPA]:
    """The same with the encoder's last layer larger or smaller at the start."""

    def build(experiment: Experiment, factor: float, alpha: float) -> BiJEPA:
        model = _model(experiment, alpha, constraint)
        with torch.no_grad():
            for encoder in (model.online, model.target):
                for parameter in list(encoder.parameters())[-2:]:  # weight and bias
                    parameter.mul_(factor)
        return model

    return build


FACTORS = (0.1, 0.2, 0.5, 2.0, 5.0)
STARTED: Mapping[str, Kind] = {
    f"{name}-start": Kind("factor on the encoder's last layer", FACTORS, _started(constraint))
    for name, constraint in PAPER.items()
}
"""Larger and smaller embeddings at the start; not of the hunt."""


SLOWED: Mapping[str, Kind] = {
    "expressive-slowed": _slowed(EXPRESSIVE, (0.03,)),
    "batch-scaled-slowed": _slowed(LADDER["batch-scaled"], (0.03,)),
}
"""A rate that falls, under constraints that cost; not of the hunt."""
