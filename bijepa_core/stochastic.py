"""Many futures: predictors that sample, trained by proper scores (section 5.6).

A deterministic predictor learns the mean of the embeddings that may come. Here noise z enters the
predictor, ``P(s_x, z)``, and a proper scoring rule takes the place of the squared error: it is
least, in expectation, where the samples come from the true conditional distribution.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from bijepa_core._support.arrays import takes_arrays
from bijepa_core._support.checks import check_counts, check_kind, check_views, inference
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA, Direction, Losses, Term, check_embedding, explaining
from bijepa_core.networks import MLPPredictor, hidden_layer
from bijepa_core.seeds import generator as generator_named

MEAN_OF = 64  # values of z, of an energy predictor's mean


@takes_arrays
def energy_score(samples: Tensor, target: Tensor) -> Tensor:
    """The energy score of samples: mean distance to the target less half that between samples.

    Both means are unbiased, so that its expectation does not depend on the number of samples.

    Args:
        samples: ``(m, ..., d)``, at least two of each.
        target: ``(..., d)``; without leading axes of the samples, seeds say, shared by all.

    Returns:
        ``(...)``; low is good.

    Raises:
        ValueError: if there are fewer than two samples, or they are not of the target's shape.

    Source:
        Gneiting and Raftery 2007, J. Am. Stat. Assoc. 102, Eq. 22, beta = 1.
    """
    _check_samples(samples, target)
    m = len(samples)
    apart = _distances(samples.movedim(0, -2))  # (..., m, m)
    missed = _length(samples - target).mean(0)
    return missed - apart.sum((-2, -1)) / (2 * m * (m - 1))


def _distances(points: Tensor) -> Tensor:
    """Between all points, ``(..., n, d)`` to ``(..., n, n)``; exact also far from zero."""
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")


def _check_samples(samples: Tensor, target: Tensor | None = None, least: int = 2) -> None:
    if samples.ndim < 2 or len(samples) < least:
        raise ValueError(
            f"samples must be {least} or more, on the first axis; received {tuple(samples.shape)}."
        )
    if target is not None and samples.shape[1:][-target.ndim :] != target.shape:
        raise ValueError(
            "each sample must end in the target's shape, samples (m, *seeds, batch, d) and target "
            f"(*seeds, batch, d) or (batch, d); received {tuple(samples.shape)} and "
            f"{tuple(target.shape)}."
        )


def _length(difference: Tensor) -> Tensor:
    """Euclidean; its slope at zero is zero, as that of ``torch.cdist``."""
    return torch.cdist(difference[..., None, :], torch.zeros_like(difference[..., None, :]))[
        ..., 0, 0
    ]


class StochasticPredictor(nn.Module, ABC):
    """A predictor that gives a distribution of embeddings, by samples and by a score."""

    @abstractmethod
    def sample(self, s: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw embeddings of the other view.

        Args:
            s: ``(*seeds, batch, d)``.
            count: how many for each.
            generator: source of the noise; PyTorch's global one by default.

        Returns:
            ``(count, *seeds, batch, d)``. Seeds share the noise, so that one's samples do not
            depend on its company.
        """

    @abstractmethod
    def mean(self, s: Tensor) -> Tensor:
        """The mean of what may come, ``(*seeds, batch, d)``: the same at every call."""

    @abstractmethod
    def score(self, s: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """A proper score, low where targets are likely, and the mean that is predicted.

        Args:
            s: ``(*seeds, batch, d)``.
            target: ``(*seeds, batch, d)``.

        Returns:
            ``(*seeds, batch)`` and ``(*seeds, batch, d)``.
        """


class EnergyPredictor(StochasticPredictor):
    """P(s, z) with z from N(0, I), trained by the energy score of several samples a pair.

    Its mean is that over 64 fixed values of z, and so misses by an eighth of a deviation.

    Args:
        embed_dim, hidden_dim, layer_norm: as in :class:`.MLPPredictor`.
        z_dim: width of z.
        samples: drawn for each pair in training, at least 2.

    Raises:
        ValueError: if a size is not a positive whole number, or samples is 1.
    """

    def __init__(
        self,
        embed_dim: int,
        hidden_dim: int,
        z_dim: int = 8,
        samples: int = 8,
        layer_norm: bool = True,
    ) -> None:
        super().__init__()
        check_counts(z_dim=z_dim, samples=samples)
        if samples < 2:
            raise ValueError(f"samples must be 2 or more, to be compared; received {samples}.")
        self.z_dim, self.samples = int(z_dim), int(samples)
        self.net = MLPPredictor(embed_dim, hidden_dim, layer_norm, z_dim)

    def extra_repr(self) -> str:
        return f"z_dim={self.z_dim}, samples={self.samples}"

    def forward(self, s: Tensor, z: Tensor) -> Tensor:
        """The embeddings of given noise.

        Args:
            s: ``(*seeds, batch, d)``.
            z: ``(count, batch, z_dim)``, or with seeds before the batch.

        Returns:
            ``(count, *seeds, batch, d)``.

        Raises:
            ValueError: if z is of another shape.
        """
        if not 3 <= z.ndim <= s.ndim + 1 or z.shape[-1] != self.z_dim:
            raise ValueError(
                f"z must be (count, batch, {self.z_dim}), or with seeds before the batch; received "
                f"{tuple(z.shape)}."
            )
        count, batch = len(z), s.shape[-2]
        z = z.reshape(count, *[1] * (s.ndim + 1 - z.ndim), *z.shape[1:])
        z = z.expand(count, *s.shape[:-1], self.z_dim).movedim(0, -3)  # (*seeds, count, batch, .)
        repeated = s.unsqueeze(-3).expand(*s.shape[:-2], count, *s.shape[-2:])
        drawn = self.net(repeated.flatten(-3, -2), z.flatten(-3, -2))  # samples among the batch
        return drawn.unflatten(-2, (count, batch)).movedim(-3, 0)

    def sample(self, s: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        return self(s, _drawn(torch.randn, s, (count, s.shape[-2], self.z_dim), generator))

    def mean(self, s: Tensor) -> Tensor:
        shape = (MEAN_OF, 1, 1, self.z_dim)  # the same z for each row: company changes nothing
        z = _drawn(torch.randn, s, shape, generator_named(0, "energy/mean"))
        return sum((self(s, one)[0] for one in z), torch.zeros_like(s)) / MEAN_OF

    def score(self, s: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        samples = self.sample(s, self.samples)
        return energy_score(samples, target), samples.mean(0)


class GaussianPredictor(StochasticPredictor):
    """A normal distribution with a mean and a deviation for each dimension, by its likelihood.

    Deviations stay between e^-7 and e^7. The score is the negative log density per dimension.

    Args:
        embed_dim, hidden_dim, layer_norm: as in :class:`.MLPPredictor`.
        components: of a mixture of such distributions; 1 for a single one.

    Raises:
        ValueError: if a size is not a positive whole number.

    Source:
        Bishop 1994, Mixture density networks.
    """

    def __init__(
        self, embed_dim: int, hidden_dim: int, components: int = 1, layer_norm: bool = True
    ) -> None:
        super().__init__()
        check_counts(embed_dim=embed_dim, hidden_dim=hidden_dim, components=components)
        self.components, self.embed_dim = int(components), int(embed_dim)
        self.hidden = nn.Sequential(*hidden_layer(embed_dim, hidden_dim, layer_norm))
        self.means = Linear(hidden_dim, components * embed_dim)
        self.logs = Linear(hidden_dim, components * embed_dim)
        self.weights = Linear(hidden_dim, components)

    def extra_repr(self) -> str:
        return f"components={self.components}"

    def forward(self, s: Tensor) -> MixtureSameFamily:
        """The distribution, ``(*seeds, batch)`` of ``d`` dimensions."""
        h, shape = self.hidden(s), (self.components, self.embed_dim)
        means, logs = (part(h).unflatten(-1, shape) for part in (self.means, self.logs))
        each = Independent(Normal(means, logs.clamp(-7, 7).exp(), validate_args=False), 1)
        return MixtureSameFamily(Categorical(logits=self.weights(h)), each, validate_args=False)

    def sample(self, s: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        mixture, batch = self(s), s.shape[-2]
        seeds = [1] * (s.ndim - 2)  # which share the noise
        level = _drawn(torch.rand, s, (count, batch), generator).reshape(count, *seeds, batch, 1)
        shares = mixture.mixture_distribution.probs.cumsum(-1)  # (*seeds, batch, components)
        chosen = (level > shares).sum(-1).clamp_max(self.components - 1)  # (count, *seeds, batch)
        noise = _drawn(torch.randn, s, (count, batch, self.embed_dim), generator)
        noise = noise.reshape(count, *seeds, batch, self.embed_dim)
        each = mixture.component_distribution.base_dist
        index = chosen[..., None, None].expand(*chosen.shape, 1, self.embed_dim)
        mean, deviation = (
            part.expand(count, *part.shape).gather(-2, index).squeeze(-2)
            for part in (each.loc, each.scale)
        )
        return mean + deviation * noise

    def mean(self, s: Tensor) -> Tensor:
        return self(s).mean

    def score(self, s: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        mixture = self(s)
        return -mixture.log_prob(target) / self.embed_dim, mixture.mean


def _drawn(
    draw: Callable[..., Tensor],
    like: Tensor,
    shape: tuple[int, ...],
    generator: torch.Generator | None,
) -> Tensor:
    """Random numbers of ``torch.randn`` or ``torch.rand``, from wherever the generator is."""
    device = like.device if generator is None else generator.device
    return draw(shape, generator=generator, dtype=like.dtype, device=device).to(like.device)


class StochasticBiJEPA(BiJEPA):
    """BiJEPA whose predictors are :class:`StochasticPredictor`: Eq. 6 and 7 become scores.

    The terms that are logged keep the squared error of a mean, the predicted one or, of an
    :class:`EnergyPredictor`, that of the samples of the step: with eight it errs more than the
    predicted mean would, by an eighth of their variance. ``forecast`` and its kin give the mean of
    what may come. A z is drawn, and never passed. Arguments and errors as
    :class:`bijepa_core.model.BiJEPA`; a TypeError, too, if a predictor does not sample.
    """

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z_forward: Tensor | None = None,
        z_backward: Tensor | None = None,
    ) -> Losses:
        """The scores of one batch.

        Raises:
            ValueError: as :class:`bijepa_core.model.BiJEPA`, and if a z is passed.
        """
        _check_no_z(z_forward, z_backward)
        x, y = check_views(self.online, x, y, self.seed_axis)
        s_x, s_y = self._embeddings(x, y)  # (*seeds, batch, d)
        target_x, target_y = self._targets(x, y)
        forward, ahead = self._scored(self.forward_predictor, s_x, target_y)
        backward, back = self._scored(self.backward_predictor, s_y, target_x)
        total = self._penalized(self._weighted(ahead, back), s_x, s_y)
        return Losses(total, forward, backward)

    def sample_forward(
        self, x: Tensor, samples: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Embeddings of futures that may follow x.

        Args:
            x: ``(*seeds, batch, *view)``.
            samples: for each.
            generator: source of the noise; PyTorch's global one by default.

        Returns:
            ``(samples, *seeds, batch, d)``, projected where embeddings live on the sphere.

        Raises:
            ValueError: if x does not fit, samples is no positive whole number, or alpha = 0 left
                no forward predictor.
        """
        return self._samples("forward", x, samples, generator)

    def sample_backward(
        self, y: Tensor, samples: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Embeddings of pasts that may have led to y; the mirror of :meth:`sample_forward`."""
        return self._samples("backward", y, samples, generator)

    def configuration(self) -> dict[str, Any]:
        """As of any model, and who samples: shapes alone do not tell."""
        one = self.forward_predictor or self.backward_predictor
        assert one is not None
        named = f"{type(one).__name__}({one.extra_repr()})"
        return {**super().configuration(), "sampling_predictor": named}

    def _predict(self, direction: Direction, view: Tensor, z: Tensor | None) -> Tensor:
        _check_no_z(z)
        predictor, s = self._start(direction, view)
        with inference(self):
            return _sampling(predictor).mean(s)

    def _samples(
        self, direction: Direction, view: Tensor, samples: int, generator: torch.Generator | None
    ) -> Tensor:
        check_counts(samples=samples)
        predictor, s = self._start(direction, view)
        with inference(self):
            return self.constraint.project(_sampling(predictor).sample(s, samples, generator))

    def _scored(
        self, predictor: nn.Module | None, s: Tensor | None, target: Tensor | None
    ) -> tuple[Term | None, Term | None]:
        """One direction twice: with the squared error of the mean, and with the score."""
        if predictor is None or s is None or target is None:
            return None, None
        check_embedding(target, self.seed_axis)
        with explaining("a predictor", s):
            score, mean = _sampling(predictor).score(s, target)
        wrong = (mean.detach() - target).square().mean((-2, -1))
        term = Term(wrong, s.detach(), target)  # what is logged
        return term, term._replace(loss=score.mean(-1))

    def _check_predictors(self) -> None:
        for predictor in (self.forward_predictor, self.backward_predictor):
            if predictor is not None:
                _sampling(predictor)


def _check_no_z(*given: Tensor | None) -> None:
    if any(z is not None for z in given):
        raise ValueError(
            "a StochasticBiJEPA draws its z and takes none. For noise of your own, call the "
            "predictor itself, model.forward_predictor(s, z), or sample with a generator."
        )


def _sampling(predictor: nn.Module) -> StochasticPredictor:
    rule = (
        "a predictor of a StochasticBiJEPA must be a StochasticPredictor, such as EnergyPredictor."
    )
    check_kind(rule, predictor, StochasticPredictor)
    assert isinstance(predictor, StochasticPredictor)
    return predictor


# --- is z used, and is the embedding honest? ----------------------------------------------------


@takes_arrays
def spread(samples: Tensor) -> Tensor:
    """The variance over samples, averaged over batch and dimensions: 0 where z is ignored.

    Args:
        samples: ``(m, *seeds, batch, d)``, two or more.

    Returns:
        ``(*seeds,)``, unbiased.

    Raises:
        ValueError: if there are fewer than two samples.
    """
    _check_samples(samples)
    return samples.var(0).mean((-2, -1))


@takes_arrays
def spread_to_error(samples: Tensor, target: Tensor) -> Tensor:
    """The spread over what it should be, given how far the mean of the samples misses: 1 is right.

    Where target and samples come from one distribution, the squared error of a mean of m samples
    is ``1 + 1/m`` times their variance.

    Args:
        samples: ``(m, *seeds, batch, d)``, two or more.
        target: ``(*seeds, batch, d)``.

    Returns:
        ``(*seeds,)``: below 1, too sure; above 1, too unsure.

    Raises:
        ValueError: if there are fewer than two samples, or they are not of the target's shape.

    Source:
        Fortin et al. 2014, J. Hydrometeorol. 15, 1708.
    """
    _check_samples(samples, target)
    missed = (samples.mean(0) - target).square().mean((-2, -1))
    return (1 + 1 / len(samples)) * spread(samples) / missed


@takes_arrays
def relative_energy_score(samples: Tensor, target: Tensor) -> Tensor:
    """The energy score over that of a forecast that knows the targets' distribution alone.

    The raw score shrinks with the embedding; this does not: 0 for certainty, 1 for samples of the
    targets' own distribution, more for anything worse than that.

    Args:
        samples, target: as in :func:`spread_to_error`; of two pairs or more.

    Returns:
        ``(*seeds,)``.

    Raises:
        ValueError: if there are fewer pairs, and as :func:`spread_to_error`.
    """
    _check_samples(samples, target)
    n = target.shape[-2] if target.ndim > 1 else 0
    if n < 2:
        raise ValueError(f"two targets or more are compared; received {tuple(target.shape)}.")
    apart = _distances(target).sum((-2, -1)) / (n * (n - 1))
    return energy_score(samples, target).mean(-1) / (apart / 2)
