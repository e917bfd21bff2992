"""Every number that is reported, once: how it is computed, and the name it is stored under.

Of a training run: :func:`training_summary`. Of a frozen model: :mod:`.scores`. Here also what both
build on. A result is a list of one number a seed (:func:`per_seed`).
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bijepa_core._support.arrays import takes_arrays
from bijepa_core._support.checks import (
    check_comparable,
    check_counts,
    check_labels,
    check_table,
    is_number,
)
from bijepa_core.diagnostics import variance
from bijepa_core.history import History

NEIGHBORS = 10
SMALL = 1e-12


def per_seed(values: Tensor) -> list[float]:
    """One float a seed, of a tensor ``(*seeds,)``."""
    return torch.atleast_1d(values.detach()).double().tolist()


@takes_arrays
def fraction_unexplained(guess: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error over the truth's variance: 1 knows no more than the mean.

    Args:
        guess, truth: ``(*seeds, n, d)``.

    Returns:
        ``(*seeds,)``.

    Raises:
        ValueError: if n and d are not the same for both.
    """
    check_comparable(guess, truth)
    return (guess - truth).square().mean((-2, -1)) / variance(truth)


# --- of a training run -------------------------------------------------------------------------


def training_summary(history: History) -> dict[str, list[float]]:
    """A training run in a few numbers, one a seed. Losses are means of the directions in use.

    Args:
        history: of a run; at least one row of diagnostics.

    Returns:
        ``train_loss``, the mean of the last 100 steps, as the paper reports it;
        ``lowest_loss`` (of means over 20 steps); ``rebound``, the loss over the last tenth over the
        lowest; ``relative_rebound``, the relative loss over the last tenth over its lowest mean
        over a twentieth; ``norm_growth``, the last norm over the first; ``late_growth``, the norm
        over the last tenth of the run over that of the tenth before; ``rises``, the share of
        means over 100 steps that lie above the one before; ``roughness`` of the loss that was
        minimized, and ``roughness_forward``, ``roughness_backward``; and, over the last tenth,
        the means ``norm``, ``variance``, ``relative_loss`` and ``effective_rank``.
    """
    loss, rows = history.mean_loss(), history.diagnostics
    _, means = history.smooth_loss()
    _, hundreds = history.smooth_loss(100)
    relative, lowest = rows["relative_loss"], means.amin(0)
    twentieths = torch.stack([part.mean(0) for part in relative.split(_part(relative, 20))])
    numbers = {
        "lowest_loss": lowest,
        "rebound": _tenth(loss) / lowest,
        "norm_growth": _tenth(rows["norm"]) / rows["norm"][0],
        "late_growth": _tenth(rows["norm"]) / _tenth(rows["norm"], before_last=1),
        **{name: _tenth(values) for name, values in rows.items()},
        "relative_rebound": _tenth(relative) / twentieths.amin(0),
        **{
            "roughness" if name == "total" else f"roughness_{name}": roughness(curve)
            for name, curve in history.losses.items()
            if not curve.isnan().any()
        },
        "rises": (hundreds.diff(dim=0) > 0).double().mean(0),
        "train_loss": loss[-100:].mean(0),
    }
    return {name: per_seed(value) for name, value in numbers.items()}


@takes_arrays
def roughness(curve: Tensor) -> Tensor:
    """How much a loss jumps from one batch to the next, relative to itself.

    The standard deviation of the change of the logarithm, over the second half of the curve,
    divided by the root of two: for a constant with independent noise on it, the noise's relative
    standard deviation. A slow drift hardly counts.

    Args:
        curve: losses, positive, ``(steps, *seeds)``.

    Returns:
        ``(*seeds,)``.
    """
    changes = curve.log().diff(dim=0)
    return changes[len(changes) // 2 :].std(0) / math.sqrt(2)


def _part(curve: Tensor, parts: int) -> int:
    return max(len(curve) // parts, 1)


def _tenth(curve: Tensor, before_last: int = 0) -> Tensor:
    """Mean over the last tenth of a curve, or over one that many tenths before it."""
    size = _part(curve, 10)
    stop = len(curve) - before_last * size
    return curve[stop - size : stop].mean(0)


# --- of features -------------------------------------------------------------------------------


@takes_arrays
def neighbor_errors(seen: Tensor, targets: Tensor, unseen: Tensor, truth: Tensor) -> list[float]:
    """Error of the mean target of the ten nearest neighbors, on standardized features (``knn_``).

    Args:
        seen, targets: ``(*seeds, n, d)`` and ``(*seeds, n, k)``.
        unseen, truth: held-out ones.

    Returns:
        One number a seed.

    Raises:
        ValueError: if shapes do not fit, values are not finite, or there are fewer than ten rows.
    """
    if seen.ndim == 2:  # no seed axis: one seed
        seen, targets, unseen, truth = seen[None], targets[None], unseen[None], truth[None]
    check_table(seen, targets, 2, ("seen", "targets"))
    check_table(unseen, truth, 2, ("unseen", "truth"))
    if targets.ndim != 3 or truth.ndim != 3 or targets.shape[-1] != truth.shape[-1]:
        raise ValueError(
            "targets and truth must be (*seeds, n, k), with the same k; received "
            f"{tuple(targets.shape)} and {tuple(truth.shape)}. A single number a sample is "
            "(n, 1): y[:, None]."
        )
    known, asked = seen.cpu().double(), unseen.cpu().double()
    center = known.mean(-2, keepdim=True)
    scale = known.std(-2, keepdim=True).clamp_min(SMALL)
    bank, queries = (known - center) / scale, (asked - center) / scale
    errors = [
        (t[nearest(q, b, NEIGHBORS)].mean(-2) - y).square().mean()
        for b, q, t, y in zip(bank, queries, targets, truth, strict=True)
    ]
    return per_seed(torch.stack(errors))


@takes_arrays
def neighbor_accuracy(
    queries: Tensor, bank: Tensor, truth: Tensor, labels: Tensor, count: int = 5
) -> float:
    """How often the commonest label among the nearest rows is the true one (``knn_accuracy``).

    Args:
        queries: ``(m, d)``; ``truth``, ``(m,)``, their labels.
        bank: ``(n, d)``; ``labels``, ``(n,)``, its labels.
        count: neighbors that vote; the lowest of equally common labels wins.

    Returns:
        A share.

    Raises:
        ValueError: if shapes do not fit, values are not finite, or there are fewer rows than
            neighbors.
    """
    truth, labels = check_labels(truth), check_labels(labels)
    check_table(bank, labels, 1, ("bank", "labels"))
    check_table(queries, truth, 1, ("queries", "truth"))
    near = labels[nearest(queries, bank, count)]  # (m, count)
    votes = F.one_hot(near, int(labels.max()) + 1).sum(-2).argmax(-1)
    return float((votes == truth).double().mean())


@takes_arrays
def nearest(queries: Tensor, bank: Tensor, count: int) -> Tensor:
    """Rows of the bank ``(n, d)`` nearest to each query ``(m, d)``.

    Returns:
        ``(m, count)``, the nearest first.

    Raises:
        ValueError: if there are fewer rows than neighbors.
    """
    check_counts(count=count)
    if count > len(bank):
        raise ValueError(f"{count} neighbors need as many rows or more; received {len(bank)}.")
    bank = bank.to(queries)
    parts = queries.split(500)  # 500 x 60,000 distances take 120 MB
    return torch.cat([torch.cdist(p, bank).topk(count, largest=False).indices for p in parts])


@takes_arrays
def mahalanobis(good: Tensor, floor: float = 0.0) -> Callable[[Tensor], Tensor]:
    """Squared distance from the mean in units of the covariance: the classical anomaly score.

    Args:
        good: normal samples, ``(n, d)``.
        floor: added to each variance, as a share of the mean variance. Windows of 60 numbers may
            vary in a few directions only; without a floor the others' variance is rounding error,
            and so is the distance.

    Returns:
        Maps samples ``(m, d)`` to scores ``(m,)``.

    Raises:
        ValueError: if there are fewer than two samples, some are not finite, or floor is negative.
    """
    if not is_number(floor) or not 0 <= floor < float("inf"):
        raise ValueError(f"floor must be a finite number >= 0; received {floor!r}.")
    f = good.cpu().double()
    if f.ndim != 2 or len(f) < 2 or not bool(f.isfinite().all()):
        raise ValueError(
            f"good must be two or more finite samples, (n, d); received {tuple(f.shape)}, "
            f"{int((~f.isfinite()).sum())} values of them not finite."
        )
    covariance = torch.cov(f.T)
    values, vectors = torch.linalg.eigh(covariance)
    scale = (values.clamp_min(0) + floor * covariance.diagonal().mean()).rsqrt()

    @takes_arrays
    def distance(others: Tensor) -> Tensor:
        return ((others.cpu().double() - f.mean(0)) @ vectors * scale).square().sum(-1)

    return distance


@takes_arrays
def auroc(good: Tensor, odd: Tensor) -> float:
    """The chance that an odd sample scores higher than a good one; ties count half.

    Raises:
        ValueError: if there are no scores of one kind, or some are NaN.
    """
    from scipy.stats import rankdata

    if 0 in (good.numel(), odd.numel()) or bool(good.isnan().any() | odd.isnan().any()):
        raise ValueError(
            f"auroc compares scores, some of each kind and none NaN; received {good.numel()} good "
            f"and {odd.numel()} odd, {int(good.isnan().sum() + odd.isnan().sum())} NaN."
        )
    ranks = rankdata(torch.cat([good.flatten(), odd.flatten()]).double().numpy())
    n, m = good.numel(), odd.numel()
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


# --- of drawings -------------------------------------------------------------------------------


@takes_arrays
def sharpness(drawn: Tensor, truth: Tensor) -> float:
    """Total variation of drawings in units of the truth's: 1 has as much edge as the truth.

    Args:
        drawn, truth: pictures ``(m, rows, columns)``.

    Returns:
        A ratio of means; blurring lowers it.
    """
    return float(total_variation(drawn).mean() / total_variation(truth).mean())


def total_variation(pictures: Tensor) -> Tensor:
    """The sum of absolute differences of neighbors, ``(..., rows, columns)`` to ``(...)``."""
    across = pictures.diff(dim=-1).abs().sum((-2, -1))
    return across + pictures.diff(dim=-2).abs().sum((-2, -1))
