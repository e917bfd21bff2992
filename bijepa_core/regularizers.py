"""Penalties on a batch of embeddings, its whitening, and the losses of other joint embeddings.

A penalty takes embeddings ``(*seeds, batch, d)`` and gives ``(*seeds,)``: 0 where the batch is as
it should be. A :class:`bijepa_core.constraints.Penalty` gives one a weight and adds it to Eq. 8.
The last three functions compare two views' embeddings: what stands in Eq. 8's place elsewhere.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

DIRECTIONS = 64  # onto which a sketch projects, drawn anew at every call
FLOOR = 1e-4  # under variances that are whitened
POINTS, REACH = 17, 5.0  # at which characteristic functions are compared, from -REACH to REACH


def whitened(s: Tensor) -> Tensor:
    """The batch moved and mixed so that its covariance is the identity, as little as may be (ZCA).

    Directions in which a batch hardly varies (variances well under 1e-4) are left small. A batch
    of d rows or fewer has no say: whitened, all its rows are equally far apart.

    Args:
        s: ``(*seeds, batch, d)``, of more than d rows.

    Returns:
        The same shape, with mean 0; NaN where a seed's covariance is not finite.

    Source:
        Bell and Sejnowski 1997, Vision Res. 37, 3327.
    """
    centered = s - s.mean(-2, keepdim=True)
    covariance = centered.mT @ centered / s.shape[-2]
    finite = torch.isfinite(covariance).all(-1).all(-1)[..., None, None]  # (*seeds, 1, 1)
    # the decomposition refuses NaN; a seed that has exploded must not stop the others
    known = torch.where(finite, covariance, 0.0)
    values, vectors = torch.linalg.eigh(known.cpu())  # a GPU is slow on small ones
    root = (values.clamp_min(0) + FLOOR).rsqrt()[..., None, :]
    moved = centered @ ((vectors * root) @ vectors.mT).to(s.device)
    return torch.where(finite, moved, float("nan"))


def scale(s: Tensor) -> Tensor:
    """The mean square of all entries shall be 1: ``(mean(s^2) - 1)^2``.

    One number for the whole batch: how the square is shared among dimensions stays free.
    """
    return (s.square().mean((-2, -1)) - 1).square()


def dimension_scale(s: Tensor) -> Tensor:
    """Each dimension's mean square shall be 1: the mean over dimensions of ``(mean - 1)^2``."""
    return (s.square().mean(-2) - 1).square().mean(-1)


def unit_variance(s: Tensor) -> Tensor:
    """Each dimension's variance shall be 1: the diagonal of ``||Cov - I||^2``, over d."""
    return (s.var(-2) - 1).square().mean(-1)


def decorrelation(s: Tensor) -> Tensor:
    """Dimensions shall not correlate: the rest of ``||Cov - I||^2``, over d.

    Source:
        The covariance term of VICReg (Bardes et al. 2022, arXiv 2105.04906, Eq. 4).
    """
    d, covariance = s.shape[-1], _covariance(s)
    off = covariance.square().sum((-2, -1)) - covariance.diagonal(0, -2, -1).square().sum(-1)
    return off / d


def variance_hinge(s: Tensor) -> Tensor:
    """No dimension's deviation shall be below 1: the mean of ``max(0, 1 - deviation)``.

    Source:
        The variance term of VICReg (Bardes et al. 2022, arXiv 2105.04906, Eq. 1), gamma = 1.
    """
    return F.relu(1 - (s.var(-2) + 1e-4).sqrt()).mean(-1)


def unit_deviation(s: Tensor) -> Tensor:
    """Each dimension's deviation shall be 1: the mean of ``(deviation - 1)^2``.

    Near collapse its slope does not vanish, as that of :func:`unit_variance` does.

    Source:
        The scale term of VISReg (Wu et al. 2026, arXiv 2606.02572).
    """
    return ((s.var(-2) + 1e-4).sqrt() - 1).square().mean(-1)


def gaussian_shape(s: Tensor) -> Tensor:
    """Standardized, the batch shall look Gaussian from all sides: a sliced Wasserstein distance.

    Each projection's sorted values are compared with a normal variable's quantiles.

    Source:
        The shape term of VISReg (Wu et al. 2026, arXiv 2606.02572).
    """
    n = s.shape[-2]
    deviation = (s.var(-2, keepdim=True) + 1e-4).sqrt()
    seen = ((s - s.mean(-2, keepdim=True)) / deviation) @ _directions(s)  # (*seeds, batch, k)
    levels = (torch.arange(n, dtype=s.dtype, device=s.device) + 0.5) / n
    wanted = math.sqrt(2) * torch.erfinv(2 * levels - 1)  # (batch,)
    return (seen.sort(-2).values - wanted[:, None]).square().mean((-2, -1))


def sigreg(s: Tensor) -> Tensor:
    """The batch shall look like a standard normal one from all sides: sketched isotropic Gaussian.

    The Epps-Pulley statistic of each projection: the squared distance between its characteristic
    function and the normal one, integrated under a Gaussian weight; not times the batch's size.

    Source:
        SIGReg of LeJEPA (Balestriero and LeCun 2025, arXiv 2511.08544, Eq. 5 and algorithm 1).
    """
    t = torch.linspace(-REACH, REACH, POINTS, dtype=s.dtype, device=s.device)
    angle = (s @ _directions(s))[..., None] * t  # (*seeds, batch, k, points)
    normal = (-t.square() / 2).exp()
    missed = (angle.cos().mean(-3) - normal).square() + angle.sin().mean(-3).square()
    return torch.trapezoid(missed * normal, t, dim=-1).mean(-1)


def _covariance(s: Tensor) -> Tensor:
    centered = s - s.mean(-2, keepdim=True)
    return centered.mT @ centered / (s.shape[-2] - 1)


def _directions(s: Tensor) -> Tensor:
    """Directions of length 1, ``(d, DIRECTIONS)``, from PyTorch's global generator."""
    drawn = torch.randn(s.shape[-1], DIRECTIONS, dtype=s.dtype, device=s.device)
    return F.normalize(drawn, dim=0)


# --- of two views ------------------------------------------------------------------------------


def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Each embedding shall be nearest to its partner, among all others of both views: SimCLR's.

    Args:
        a, b: embeddings of the two views, ``(*seeds, batch, d)``; row i of both belong together.
        temperature: divides the cosines; positive.

    Returns:
        The cross-entropy, ``(*seeds,)``.

    Source:
        NT-Xent of SimCLR (Chen et al. 2020, arXiv 2002.05709, Eq. 1).
    """
    both = F.normalize(torch.cat([a, b], dim=-2), dim=-1)  # (*seeds, 2 batch, d)
    cosine = both @ both.mT / temperature
    itself = torch.eye(cosine.shape[-1], dtype=torch.bool, device=a.device)
    log_p = torch.log_softmax(cosine.masked_fill(itself, -torch.inf), -1)
    n = a.shape[-2]
    ahead, back = log_p.diagonal(n, -2, -1), log_p.diagonal(-n, -2, -1)  # partners
    return -(ahead.mean(-1) + back.mean(-1)) / 2


def cross_correlation(a: Tensor, b: Tensor, off: float = 5e-3) -> Tensor:
    """The correlations between two views' dimensions shall be the identity: Barlow Twins.

    Args:
        a, b: embeddings of the two views, ``(*seeds, batch, d)``.
        off: weight of the correlations between unlike dimensions.

    Returns:
        ``(*seeds,)``.

    Source:
        Zbontar et al. 2021, arXiv 2103.03230, Eq. 1 and 2.
    """
    correlation = _standardized(a).mT @ _standardized(b) / a.shape[-2]
    own = correlation.diagonal(0, -2, -1)
    others = correlation.square().sum((-2, -1)) - own.square().sum(-1)
    return (own - 1).square().sum(-1) + off * others


def cosine_distance(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared distance on the unit sphere, ``2 - 2 cos``, a mean over the batch: BYOL's.

    Source:
        Grill et al. 2020, arXiv 2006.07733, Eq. 2.
    """
    return 2 - 2 * F.cosine_similarity(prediction, target, dim=-1).mean(-1)


def _standardized(s: Tensor) -> Tensor:
    centered = s - s.mean(-2, keepdim=True)
    return centered / (s.var(-2, keepdim=True, correction=0) + 1e-5).sqrt()
