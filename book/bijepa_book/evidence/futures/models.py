"""Who forecasts: predictors of one embedding, and predictors of many, on the same encoder."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from bijepa_core.constraints import Constraint
from bijepa_core.model import BiJEPA, Direction, script_scale
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.stochastic import (
    EnergyPredictor,
    GaussianPredictor,
    StochasticBiJEPA,
    StochasticPredictor,
)

MEAN_OF = 8  # draws of a flow, for its mean
ROWS = 2**13  # that a flow pushes at once, of each seed, for the memory


@dataclass(frozen=True)
class Settings:
    """Sizes and schedule, the same for all; and what heads differ in.

    Args:
        hidden_dim, embed_dim: of the encoder and of the predictors.
        steps, batch_size, learning_rate, tau: of the training.
        z_dim: width of the energy predictor's z.
        samples: that it draws for a pair.
        components: of the mixture.
        transforms: of the flow.
    """

    hidden_dim: int = 64
    embed_dim: int = 8
    steps: int = 3000
    batch_size: int = 256
    learning_rate: float = 1e-3
    tau: float = 0.995
    z_dim: int = 8
    samples: int = 8
    components: int = 8
    transforms: int = 2


def _log_prob(distribution: Any, value: Tensor) -> Tensor:
    return distribution.log_prob(value)


def _pushed(distribution: Any, noise: Tensor) -> Tensor:
    return distribution.transform.inv(noise)


class FlowPredictor(StochasticPredictor):
    """A conditional flow: rational-quadratic splines in coupling layers, by its likelihood.

    Args:
        embed_dim, hidden_dim: as in :class:`bijepa_core.networks.MLPPredictor`.
        transforms: how many layers.

    Source:
        Durkan et al. 2019, Neural spline flows, as in the library zuko.
    """

    takes_seeds = True  # by vmap

    def __init__(self, embed_dim: int, hidden_dim: int, transforms: int = 2) -> None:
        from zuko.flows import NSF

        super().__init__()
        self.embed_dim = embed_dim
        self.flow: nn.Module = NSF(
            embed_dim, embed_dim, transforms=transforms, hidden_features=(hidden_dim,), passes=2
        )

    def forward(self, s: Tensor, value: Tensor, use: Callable[[Any, Tensor], Tensor]) -> Tensor:
        """What a function says of the distribution and a value."""
        return use(self.flow(s), value)

    def _each(self, use: Callable[[Any, Tensor], Tensor], s: Tensor, value: Tensor) -> Tensor:
        """The same, for each seed with its own parameters."""
        if s.ndim == 2:
            return self(s, value, use)
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return vmap(lambda own, s, value: functional_call(self, own, (s, value, use)))(
            tensors, s, value
        )

    def sample(self, s: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        batch = s.shape[-2]
        noise = torch.randn(count * batch, self.embed_dim, generator=generator, dtype=s.dtype)
        repeated = s.repeat(*[1] * (s.ndim - 2), count, 1)
        alike = noise.expand(*s.shape[:-2], *noise.shape)
        parts = zip(repeated.split(ROWS, -2), alike.split(ROWS, -2), strict=True)
        drawn = torch.cat([self._each(_pushed, *part) for part in parts], -2)
        return drawn.unflatten(-2, (count, batch)).movedim(-3, 0)

    def mean(self, s: Tensor) -> Tensor:
        return self.sample(s, MEAN_OF, torch.Generator().manual_seed(0)).mean(0)

    def score(self, s: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """As everybody's; one draw stands for the mean, for drawing costs more than the score."""
        with torch.no_grad():
            drawn = self.sample(s, 1)[0]
        return -self._each(_log_prob, s, target) / self.embed_dim, drawn


HEADS: dict[str, Callable[[Settings, bool], nn.Module]] = {
    "deterministic": lambda s, norm: MLPPredictor(s.embed_dim, s.hidden_dim, norm),
    "gaussian": lambda s, norm: GaussianPredictor(s.embed_dim, s.hidden_dim, 1, norm),
    "mixture": lambda s, norm: GaussianPredictor(s.embed_dim, s.hidden_dim, s.components, norm),
    "energy": lambda s, norm: EnergyPredictor(s.embed_dim, s.hidden_dim, s.z_dim, s.samples, norm),
    "flow": lambda s, norm: FlowPredictor(s.embed_dim, s.hidden_dim, s.transforms),
}
"""Predictors by name, from settings and whether there is LayerNorm."""


def new_model(head: str, in_dim: int, settings: Settings, constraint: Constraint) -> BiJEPA:
    """A fresh model of one seed, which begins with the same encoder under every head.

    Args:
        head: of :data:`HEADS`.
        in_dim: numbers in a view.
        settings: sizes.
        constraint: on the embedding.

    Returns:
        The model.
    """
    norm = constraint.layer_norm
    form = BiJEPA if head == "deterministic" else StochasticBiJEPA
    return form(
        MLPEncoder(in_dim, settings.hidden_dim, settings.embed_dim, norm),
        partial(HEADS[head], settings, norm),
        constraint=constraint,
        tau=settings.tau,
        scale=script_scale(0.5),
    )


def futures(
    model: BiJEPA, view: Tensor, direction: Direction, count: int, generator: torch.Generator
) -> Tensor:
    """Embeddings of what may come, or may have been.

    Args:
        model: trained.
        view: ``(*seeds, n, in_dim)``.
        direction: in time.
        count: how many; a deterministic model gives one.
        generator: source of the noise.

    Returns:
        ``(count, *seeds, n, d)``.
    """
    ahead = direction == "forward"
    if isinstance(model, StochasticBiJEPA):
        sample = model.sample_forward if ahead else model.sample_backward
        return sample(view, count, generator)
    return (model.forecast if ahead else model.infer_past)(view)[None]
