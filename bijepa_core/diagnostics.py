"""Is it collapsing, exploding or learning? Numbers the training loss does not show."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from bijepa_core._support.arrays import Data, as_tensor
from bijepa_core._support.checks import check_kind, inference
from bijepa_core.model import BiJEPA, Term
from bijepa_core.stochastic import StochasticPredictor


def _tensor(embedding: Data) -> Tensor:
    """An array as a tensor; a tensor as it is, with its graph."""
    return embedding if isinstance(embedding, Tensor) else as_tensor("embedding", embedding)


def norm(embedding: Data) -> Tensor:
    """Euclidean norm of each embedding, ``(..., d)`` to ``(...)``."""
    return _tensor(embedding).norm(dim=-1)


def variance(embedding: Data) -> Tensor:
    """Variance over the batch, averaged over dimensions: 0 is complete collapse.

    Args:
        embedding: ``(*seeds, batch, d)``.

    Returns:
        ``(*seeds,)``, with the population's divisor.
    """
    return _tensor(embedding).var(dim=-2, correction=0).mean(-1)


def varying_share(embedding: Data) -> Tensor:
    """The share of the mean square that differs between samples: :func:`variance` without scale.

    Args:
        embedding: ``(*seeds, batch, d)``.

    Returns:
        ``(*seeds,)``, from 0 (all samples have one embedding) to 1 (their mean is zero).
    """
    embedding = _tensor(embedding)
    tiny = torch.finfo(embedding.dtype).tiny
    return variance(embedding) / embedding.square().mean((-2, -1)).clamp_min(tiny)


def relative_loss(terms: Sequence[Term]) -> Tensor:
    """The loss in units of the target's variance, averaged over the directions in use.

    The raw loss shrinks when embeddings shrink and grows when they grow. This ratio does
    neither: it is the fraction of the target embedding's variance left unexplained, 1 for a
    predictor that knows only the mean. Where the target is constant but for rounding, which
    :func:`varying_share` tells, there is nothing else to know, and the ratio is 1.

    Args:
        terms: the directions' terms, those of :class:`bijepa_core.model.Losses`. On held-out
            windows, after ``model.eval()``: ``relative_loss(model(x, y).terms)``.

    Returns:
        ``(*seeds,)``.
    """
    rounding = (4 * torch.finfo(terms[0].target.dtype).eps) ** 2
    ratios = [
        torch.where(
            (varying_share(term.target) <= rounding) & term.loss.isfinite(),
            1.0,
            term.loss.detach() / variance(term.target),
        )
        for term in terms
    ]
    return torch.stack(ratios).mean(0)


def effective_rank(embedding: Data) -> Tensor:
    """RankMe: the exponential of the entropy of the normalized singular values.

    Args:
        embedding: ``(*seeds, batch, d)``, not centered, as in the source.

    Returns:
        ``(*seeds,)``, from 1 (all on one line through the origin) to ``min(batch, d)``; NaN where
        an embedding is not finite.

    Source:
        Garrido et al. 2023, arXiv 2210.02885, Eq. 1.
    """
    # float64 on the CPU: singular values of nearly collapsed embeddings, on any device
    embedding = _tensor(embedding)
    e = embedding.detach().cpu().double()
    finite = torch.isfinite(e).all(-1).all(-1)  # (*seeds,)
    # the decomposition refuses NaN; a seed that has exploded must not stop the others' report
    sigma = torch.linalg.svdvals(torch.where(finite[..., None, None], e, 0.0))
    share = sigma / sigma.sum(-1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    rank = torch.special.entr(share).sum(-1).exp()
    return torch.where(finite, rank, float("nan")).to(embedding)


def loop_spectrum(model: BiJEPA, x: Tensor) -> Tensor:
    """Eigenvalues of the linearized predictor loop at each embedding (section 5.3).

    The paper argues with a linear system ``h -> W h``. Here W is what the trained predictors
    give: the Jacobian of ``s -> P_bwd(P_fwd(s))`` at ``s = embed(x)``.

    Args:
        model: a model with both predictors (0 < alpha < 1).
        x: ``(*seeds, batch, *view)``.

    Returns:
        Complex eigenvalues, ``(*seeds, batch, d)``, the largest modulus first; NaN where the
        Jacobian is not finite.

    Raises:
        ValueError: if a predictor is missing or x does not fit.
    """
    forward, backward = map(_answer, both_predictors(model))
    s = model.embed(x).requires_grad_(True)  # (*seeds, batch, d)
    with torch.enable_grad():
        around = backward(forward(s))
        # rows of the Jacobian; samples do not interact, so one sum serves the whole batch
        rows = [
            torch.autograd.grad(around[..., k].sum(), s, retain_graph=True)[0]
            for k in range(s.shape[-1])
        ]
    jacobian = torch.stack(rows, dim=-2).cpu().double()  # (*seeds, batch, d, d)
    finite = torch.isfinite(jacobian).all(-1).all(-1)[..., None]  # (*seeds, batch, 1)
    # LAPACK may crash on NaN, and a model that has exploded must not take the process with it
    values = torch.linalg.eigvals(torch.where(finite[..., None], jacobian, 0.0))
    order = values.abs().argsort(dim=-1, descending=True)
    return torch.where(finite, values.gather(-1, order), complex(float("nan"), 0.0))


def inconsistency(model: BiJEPA, x: Tensor) -> Tensor:
    """Forward-backward inconsistency: how far the loop there and back misses (section 5.6).

    Under whitening a part of it is the whitening: what a predictor gives is whitened by that
    share, what the other one learned from is not.

    Args and errors as :func:`loop_spectrum`.

    Returns:
        ``||P_bwd(P_fwd(s)) - s||^2 / ||s||^2`` for each sample, ``(*seeds, batch)``.
    """
    forward, backward = map(_answer, both_predictors(model))
    s = model.embed(x)
    with inference(model):
        missed = backward(forward(s)) - s
    tiny = torch.finfo(s.dtype).tiny
    return missed.square().sum(-1) / s.square().sum(-1).clamp_min(tiny)


def both_predictors(model: BiJEPA) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The forward and the backward predictor.

    Raises:
        ValueError: if one does not exist.
    """
    check_kind("model must be a BiJEPA.", model, BiJEPA)
    if model.forward_predictor is None or model.backward_predictor is None:
        raise ValueError(
            f"this needs both predictors; alpha = {model.alpha:g} leaves one out. "
            "Train with alpha strictly between 0 and 1."
        )
    return model.forward_predictor, model.backward_predictor


def _answer(predictor: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    """One embedding for each: of a predictor that samples, the mean."""
    return predictor.mean if isinstance(predictor, StochasticPredictor) else predictor
