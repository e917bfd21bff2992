"""Paired comparisons over seeds: intervals, tests, and a correction for asking many questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
LEVEL = 0.05
"""One interval in twenty misses, and so does one family of corrected tests."""
RESAMPLES = 10_000
"""Draws with replacement for a bootstrap interval."""


@dataclass(frozen=True)
class Effect:
    """What seeds that are compared in pairs say together.

    Args:
        mean: of the paired differences.
        low, high: the ends of a bootstrap interval of 95 % for the mean.
        p: of a two-sided t test of the mean against zero, uncorrected.
        improvement: the share of pairs above zero, ties counted half.
        seeds: how many pairs.
    """

    mean: float
    low: float
    high: float
    p: float
    improvement: float
    seeds: int


def effect(differences: ArrayLike) -> Effect:
    """Sum up paired differences, one a seed.

    Args:
        differences: ``(seeds,)``, at least 2, finite.

    Returns:
        The mean with its interval and test.

    Raises:
        ValueError: if there are fewer than two, or one is not finite.
    """
    values = _checked(differences)
    low, high = bootstrap_interval(values)
    share = np.mean(values > 0) + np.mean(values == 0) / 2
    return Effect(float(values.mean()), low, high, t_test(values), float(share), len(values))


def bootstrap_interval(values: ArrayLike) -> tuple[float, float]:
    """An interval of 95 % for the mean: bootstrap, bias-corrected and accelerated.

    Args:
        values: ``(n,)``, at least 2, finite.

    Returns:
        Low and high end; both the mean where all values are equal. The same values always give
        the same interval.

    Raises:
        ValueError: if there are fewer than two values, or one is not finite.

    Source:
        Efron 1987, Journal of the American Statistical Association 82(397), as in scipy.
    """
    from scipy.stats import bootstrap

    v = _checked(values)
    if np.ptp(v) <= 1e-12 * np.abs(v).max():  # nothing to resample
        return float(v.mean()), float(v.mean())
    interval = bootstrap(
        (v,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=1 - LEVEL,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def geometric_mean(values: ArrayLike) -> tuple[Array, Array, Array]:
    """Geometric means over seeds, each with Student's interval of 95 %: for curves.

    Args:
        values: ``(seeds, n)``, at least 2 seeds, positive.

    Returns:
        The means and both ends of their intervals, ``(n,)`` each.

    Raises:
        ValueError: if there is one seed only, or a value that has no logarithm.
    """
    from scipy.stats import t as student

    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 2 or len(v) < 2 or not np.all((v > 0) & np.isfinite(v)):
        raise ValueError(
            "a geometric mean needs two or more seeds, a row each, of finite positive numbers; "
            f"received {values!r}."
        )
    logarithms = np.log(v)
    seeds = len(logarithms)
    middle = logarithms.mean(0)
    error = logarithms.std(0, ddof=1) / np.sqrt(seeds)
    reach = student.ppf(1 - LEVEL / 2, seeds - 1) * error
    return np.exp(middle), np.exp(middle - reach), np.exp(middle + reach)


def t_test(values: ArrayLike) -> float:
    """Two-sided p of Student's t test of the mean against zero.

    Args:
        values: ``(n,)``, at least 2, finite.

    Returns:
        The p-value; 1 where all values are zero, 0 where they are equal and not zero.

    Raises:
        ValueError: if there are fewer than two values, or one is not finite.
    """
    from scipy.stats import ttest_1samp

    v = _checked(values)
    if np.ptp(v) <= 1e-12 * np.abs(v).max():
        return float(v.mean() == 0)
    return float(ttest_1samp(v, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number: Holm's step-down procedure.

    Args:
        p_values: uncorrected, each in [0, 1].

    Returns:
        Corrected ones in the same order. Calling those below 0.05 findings errs, in one family
        out of twenty at most, in any of them.

    Raises:
        ValueError: if one is outside [0, 1].

    Source:
        Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p-values lie in [0, 1]; received {list(p_values)}.")
    order = np.argsort(p, kind="stable")
    steps = p[order] * (len(p) - np.arange(len(p)))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in corrected]


def equivalent(differences: ArrayLike, margin: float) -> bool:
    """Whether a mean difference is shown to be less than a margin either way.

    Two one-sided t tests at 5 %: the interval of 90 % for the mean lies within the margins. It is
    the answer to a question that finding no difference does not answer.

    Args:
        differences: ``(seeds,)``, at least 2, finite.
        margin: what would matter, positive.

    Returns:
        True where both tests say so.

    Raises:
        ValueError: if there are fewer than two values, or one is not finite.

    Source:
        Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15(6).
    """
    from scipy.stats import ttest_1samp

    v = _checked(differences)
    if np.ptp(v) <= 1e-12 * np.abs(v).max():
        return bool(abs(v.mean()) < margin)
    above = ttest_1samp(v, -margin, alternative="greater").pvalue
    below = ttest_1samp(v, margin, alternative="less").pvalue
    return bool(max(above, below) < LEVEL)


def seeds_needed(differences: ArrayLike, size: float, power: float = 0.9) -> int:
    """How many pairs a two-sided t test at 5 % needs to find a mean difference of a size.

    Args:
        differences: of a first study; only their spread is used.
        size: to be found, not zero.
        power: the chance to find it, where it is there.

    Returns:
        The least number of pairs, at least 2.

    Raises:
        ValueError: if there are fewer than two values, or one is not finite.
    """
    from scipy.stats import nct
    from scipy.stats import t as student

    spread = float(np.std(_checked(differences), ddof=1))
    for count in range(2, 100_000):
        shift = abs(size) / max(spread, 1e-12) * np.sqrt(count)
        border = student.ppf(1 - LEVEL / 2, count - 1)
        if 1 - nct.cdf(border, count - 1, shift) + nct.cdf(-border, count - 1, shift) >= power:
            return count
    return 100_000


def _checked(values: ArrayLike) -> Array:
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or len(v) < 2 or not np.all(np.isfinite(v)):
        raise ValueError(
            f"a comparison needs two or more finite numbers, one a seed; received {values!r}. "
            "Train more seeds; a seed that diverged has no finite measure."
        )
    return v
