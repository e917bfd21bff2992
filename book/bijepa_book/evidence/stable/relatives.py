"""Other ways to learn an embedding without labels: same encoder, batches, steps and seeds.

Each is a model for :func:`bijepa_core.training.pretrain`, and has one knob with five settings. The
views are x and y, without any augmentation: what SimCLR and its kin must make alike are past and
future, or the two halves of an image.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_core.experiments import Experiment
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA, Losses, Term
from bijepa_core.networks import MLPPredictor
from bijepa_core.regularizers import (
    cosine_distance,
    cross_correlation,
    decorrelation,
    info_nce,
    sigreg,
    variance_hinge,
)

Loss = Callable[["Relative", Tensor, Tensor, Tensor, Tensor], Tensor]
"""From the model, both views and both embeddings, to the loss ``(*seeds,)``."""


class Relative(BiJEPA):
    """An embedding that is learned in another way, by the same loop.

    Args:
        encoder: as in BiJEPA.
        head: what its loss needs beside the encoder: a decoder, a projector, a predictor.
        loss: see :data:`Loss`.
        tau: EMA momentum of the target encoder, where the loss asks it.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, loss: Loss, tau: float) -> None:
        super().__init__(encoder, lambda: head, alpha=1.0, tau=tau)
        self.loss = loss

    @property
    def head(self) -> nn.Module:
        """It stands where BiJEPA has its predictor, and is kept and trained as that."""
        assert self.forward_predictor is not None
        return self.forward_predictor

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z_forward: Tensor | None = None,
        z_backward: Tensor | None = None,
    ) -> Losses:
        """The loss of one batch; what is logged is the embedding of x."""
        s_x, s_y = self.online(x), self.online(y)
        total = self.loss(self, x, y, s_x, s_y)
        return Losses(total, Term(total.detach(), s_x.detach(), s_y.detach()), None)


class Way(NamedTuple):
    """A relative.

    Args:
        about: what its knob turns.
        settings: five of them; the method's own default, or the paper's, is the middle one.
        head: builds what the loss needs beside the encoder.
        loss: maps a setting to the loss.
        tau: maps a setting and an experiment to the EMA momentum.
    """

    about: str
    settings: tuple[float, ...]
    head: Callable[[Experiment], nn.Module]
    loss: Callable[[float], Loss]
    tau: Callable[[float, Experiment], float] = lambda setting, experiment: experiment.tau


def _decoder(experiment: Experiment) -> nn.Module:
    """The predictors' hidden layer, out to the data."""
    hidden = experiment.hidden_dim
    return nn.Sequential(
        Linear(experiment.embed_dim, hidden), nn.ReLU(), Linear(hidden, experiment.in_dim)
    )


def _projector(experiment: Experiment) -> nn.Module:
    """The predictors' form, without LayerNorm."""
    return MLPPredictor(experiment.embed_dim, experiment.hidden_dim, layer_norm=False)


def _missed(drawn: Tensor, view: Tensor) -> Tensor:
    return (drawn - view.flatten(drawn.ndim - 1)).square().mean((-2, -1))


def _penalized(weight: float, drawn: Tensor, view: Tensor, s: Tensor) -> Tensor:
    return _missed(drawn, view) + weight * s.square().mean((-2, -1))


def _autoencoder(weight: float) -> Loss:
    return lambda model, x, y, s_x, s_y: _penalized(weight, model.head(s_x), x, s_x)


def _predictive_autoencoder(weight: float) -> Loss:
    return lambda model, x, y, s_x, s_y: _penalized(weight, model.head(s_x), y, s_x)


class TwoHeads(nn.Module):
    """A decoder for each direction.

    Args:
        build: a fresh one.
    """

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.ahead, self.back = build(), build()


def _both_ways(weight: float) -> Loss:
    """BiJEPA's sum of both directions, each at a half, with drawings in the place of embeddings."""

    def loss(model: Relative, x: Tensor, y: Tensor, s_x: Tensor, s_y: Tensor) -> Tensor:
        heads = model.head
        assert isinstance(heads, TwoHeads)
        ahead = _penalized(weight, heads.ahead(s_x), y, s_x)
        back = _penalized(weight, heads.back(s_y), x, s_y)
        return (ahead + back) / 2

    return loss


def _masked_autoencoder(share: float) -> Loss:
    def loss(model: Relative, x: Tensor, y: Tensor, s_x: Tensor, s_y: Tensor) -> Tensor:
        hidden = torch.rand_like(x) < share
        drawn = model.head(model.online(x.masked_fill(hidden, 0.0)))
        where = hidden.flatten(drawn.ndim - 1)
        wrong = (drawn - x.flatten(drawn.ndim - 1)).square() * where
        return wrong.sum((-2, -1)) / where.sum((-2, -1)).clamp_min(1)

    return loss


def _simclr(temperature: float) -> Loss:
    return lambda model, x, y, s_x, s_y: info_nce(model.head(s_x), model.head(s_y), temperature)


def _barlow(off: float) -> Loss:
    return lambda model, x, y, s_x, s_y: cross_correlation(model.head(s_x), model.head(s_y), off)


def _vicreg(weight: float) -> Loss:
    def loss(model: Relative, x: Tensor, y: Tensor, s_x: Tensor, s_y: Tensor) -> Tensor:
        a, b = model.head(s_x), model.head(s_y)
        kept = 12.5 * (variance_hinge(a) + variance_hinge(b))
        return weight * F.mse_loss(a, b, reduction="none").mean((-2, -1)) + (
            kept + decorrelation(a) + decorrelation(b)
        )

    return loss


def _byol(tau: float) -> Loss:
    def loss(model: Relative, x: Tensor, y: Tensor, s_x: Tensor, s_y: Tensor) -> Tensor:
        with torch.no_grad():
            t_x, t_y = model.target(x), model.target(y)
        return cosine_distance(model.head(s_x), t_y) + cosine_distance(model.head(s_y), t_x)

    return loss


def _lejepa(weight: float) -> Loss:
    def loss(model: Relative, x: Tensor, y: Tensor, s_x: Tensor, s_y: Tensor) -> Tensor:
        alike = (s_x - s_y).square().mean((-2, -1))
        return alike + weight * (sigreg(s_x) + sigreg(s_y)) / 2

    return loss


_drawing = partial(Way, "penalty on the embedding's square", (0.0, 1e-4, 1e-3, 1e-2, 1e-1))
RELATIVES: Mapping[str, Way] = {
    "autoencoder": _drawing(_decoder, _autoencoder),
    "predictive-autoencoder": _drawing(_decoder, _predictive_autoencoder),
    "masked-autoencoder": Way(
        "share that is hidden", (0.15, 0.3, 0.5, 0.75, 0.9), _decoder, _masked_autoencoder
    ),
    "simclr": Way("temperature", (0.05, 0.1, 0.2, 0.5, 1.0), _projector, _simclr),
    "barlow-twins": Way(
        "weight off the diagonal", (5e-4, 2e-3, 5e-3, 2e-2, 1e-1), _projector, _barlow
    ),
    "vicreg": Way("weight of the invariance", (1.0, 5.0, 25.0, 100.0, 400.0), _projector, _vicreg),
    "byol": Way(
        "tau",
        (0.9, 0.98, 0.99, 0.995, 0.999),
        _projector,
        _byol,
        lambda setting, experiment: setting,
    ),
    "lejepa": Way(
        "weight of SIGReg", (0.01, 0.1, 1.0, 10.0, 100.0), lambda _: nn.Identity(), _lejepa
    ),
}
"""By name."""
TWO_HEADED: Mapping[str, Way] = {
    "two-headed-autoencoder": _drawing(
        lambda experiment: TwoHeads(partial(_decoder, experiment)), _both_ways
    ),
}
"""Who came later: the predictive autoencoder that draws the past of y as well."""


def relative(name: str, setting: float, experiment: Experiment, layer_norm: bool) -> Relative:
    """A fresh relative from PyTorch's global generator: encoder first, as in the experiments.

    Args:
        name: see :data:`RELATIVES` and :data:`TWO_HEADED`.
        setting: of its knob.
        experiment: sizes.
        layer_norm: in the encoder.

    Returns:
        The model.
    """
    way = {**RELATIVES, **TWO_HEADED}[name]
    encoder = experiment.encoder(experiment, layer_norm)
    tau = way.tau(setting, experiment)
    return Relative(encoder, way.head(experiment), way.loss(setting), tau)
