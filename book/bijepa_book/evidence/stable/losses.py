"""The losses of other joint embeddings: of two views' embeddings, ``(*seeds, batch, d)`` each."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
