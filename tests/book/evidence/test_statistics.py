"""Intervals, tests and corrections against closed forms, enumeration and simulation."""

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, ttest_1samp

from bijepa_book.evidence import statistics
from bijepa_book.evidence.statistics import (
    LEVEL,
    bootstrap_interval,
    effect,
    geometric_mean,
    holm,
    t_test,
)

Array = NDArray[np.float64]


def sample(count: int = 12, seed: int = 0) -> Array:
    """A skewed sample with a mean of about 0.3."""
    return np.random.default_rng(seed).exponential(size=count) - 0.7


WRONG = [
    [],
    [1.0],
    1.0,
    [[1.0, 2.0], [3.0, 4.0]],
    [1.0, math.nan, 2.0],
    [1.0, math.inf],
]


@pytest.mark.parametrize("statistic", [effect, bootstrap_interval, t_test])
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_what_cannot_be_compared_is_refused(statistic: object, wrong: object) -> None:
    """The message holds the rule, the values, and what to do."""
    assert callable(statistic)
    with pytest.raises(ValueError, match="two or more finite numbers, one a seed") as caught:
        statistic(wrong)
    assert f"received {wrong!r}" in str(caught.value)
    assert "Train more seeds" in str(caught.value)


def test_geometric_means_have_the_interval_of_a_t_test_of_logarithms() -> None:
    values = np.exp(np.stack([sample(seed=0), sample(seed=1)], axis=1))
    found = geometric_mean(values)
    for i, column in enumerate(np.log(values).T):
        interval = ttest_1samp(column, 0).confidence_interval(1 - LEVEL)
        expected = np.exp([column.mean(), interval.low, interval.high])
        np.testing.assert_allclose([one[i] for one in found], expected)
    for wrong in ([[1.0, 2.0]], [[1.0], [0.0]], [1.0, 2.0]):
        with pytest.raises(ValueError, match="two or more seeds, a row each"):
            geometric_mean(wrong)


# The bootstrap interval


def test_the_interval_covers_a_known_mean_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The count of hits lies where that of 300 throws of a coin of 95 % would."""
    monkeypatch.setattr(statistics, "RESAMPLES", 400)
    draws, times = np.random.default_rng(1), 300
    fewest, most = binom.interval(0.999, times, 1 - LEVEL)
    for samples in (draws.normal(1.0, 2.0, (times, 40)), draws.exponential(1.0, (times, 40))):
        ends = [bootstrap_interval(values) for values in samples]
        assert fewest <= sum(low < 1 < high for low, high in ends) <= most


def test_the_interval_leans_with_the_skew_as_theory_says() -> None:
    """Efron 1987: the ends lie near mean + se (z + (2 z^2 + 1) skew / (6 sqrt n)).

    Without the acceleration and the bias correction the lean would be a third of that.
    """
    n, z = 200, 1.959964
    values = -np.log(1 - (np.arange(n) + 0.5) / n)  # quantiles of the exponential distribution
    centered = values - values.mean()
    deviation = math.sqrt(float((centered**2).mean()))
    skew = float((centered**3).mean()) / deviation**3
    lean = (2 * z**2 + 1) * skew / (6 * math.sqrt(n))
    low, high = (
        (end - values.mean()) / (deviation / math.sqrt(n)) for end in bootstrap_interval(values)
    )
    assert lean > 0.15
    assert (low, high) == pytest.approx((lean - z, lean + z), abs=0.07)


def test_the_interval_moves_and_stretches_with_the_values() -> None:
    """A negative factor exchanges the ends."""
    values = sample()
    ends = bootstrap_interval(values)
    for factor, shift in ((1.0, 5.0), (1e-3, 0.0), (250.0, -3.0), (-2.0, 1.0)):
        expected = sorted(factor * end + shift for end in ends)
        moved = bootstrap_interval(factor * values + shift)
        assert moved == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_same_values_always_have_the_same_interval() -> None:
    values = sample()
    np.random.seed(1)  # noqa: NPY002
    first = bootstrap_interval(values)
    np.random.seed(2)  # noqa: NPY002
    assert bootstrap_interval(list(values)) == first


@pytest.mark.parametrize("values", [[2.0, 2.0], [0.0] * 5, [-0.3] * 3, [1.0, 1.0 + 1e-13, 1.0]])
def test_the_interval_of_equal_values_is_their_mean(values: list[float]) -> None:
    """Rounding apart, and without a warning."""
    low, high = bootstrap_interval(values)
    assert low == high == pytest.approx(values[0], rel=1e-12)


# The t test


def test_two_values_follow_the_law_of_cauchy() -> None:
    """One degree of freedom: p = 1 - (2 / pi) arctan |t|, and t = (a + b) / |a - b|."""
    assert t_test([1.0, 2.0]) == pytest.approx(1 - 2 / math.pi * math.atan(3))
    assert t_test([1, -2]) == pytest.approx(1 - 2 / math.pi * math.atan(1 / 3))


def test_three_values_follow_students_law_in_closed_form() -> None:
    """Two degrees of freedom: p = 1 - |t| / sqrt(t^2 + 2); here t = 2 sqrt 3."""
    assert t_test([1.0, 2.0, 3.0]) == pytest.approx(1 - math.sqrt(12 / 14))


def test_the_t_test_agrees_with_flipping_signs() -> None:
    """If the mean is zero, every difference could as well have the other sign: count them all."""
    values = np.random.default_rng(3).normal(0.5, 1.0, 12)
    means = np.array(list(product((-1, 1), repeat=12))) @ values
    exact = float((np.abs(means) >= abs(values.sum()) - 1e-12).mean())
    assert 0.01 < exact < 0.5
    assert t_test(values) == pytest.approx(exact, abs=0.02)


def test_the_t_test_is_scipys_and_two_sided() -> None:
    values = sample(20)
    assert t_test(values) == pytest.approx(float(ttest_1samp(values, 0).pvalue))
    assert t_test(-values) == pytest.approx(t_test(values))
    assert t_test(1e3 * values) == pytest.approx(t_test(values))


def test_equal_values_leave_no_doubt() -> None:
    assert t_test([0.0, 0.0]) == 1
    assert t_test([0.3] * 4) == 0
    assert t_test([-0.3, -0.3, -0.3 - 1e-14]) == 0


# Holm's correction


def test_holm_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, 0.03 x 2, then 0.04 x 1, which must not fall below the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.2, 0.5, 0.6]) == pytest.approx([0.6, 1.0, 1.0])
    assert holm([0.02, 0.02, 0.9]) == pytest.approx([0.06, 0.06, 0.9])
    assert holm([0.3]) == [0.3]
    assert holm([0.0, 1.0]) == [0.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni() -> None:
    draws = np.random.default_rng(5)
    for count in (2, 5, 40):
        raw = draws.uniform(size=count) ** 3
        corrected = np.array(holm(raw.tolist()))
        assert (np.diff(corrected[np.argsort(raw)]) >= 0).all()
        assert (corrected >= raw).all()
        assert (corrected <= np.minimum(count * raw, 1) + 1e-15).all()
        assert corrected[raw.argmin()] == pytest.approx(min(count * raw.min(), 1))
        shuffle = draws.permutation(count)
        assert holm(raw[shuffle].tolist()) == pytest.approx(corrected[shuffle].tolist())


def stepped_down(p_values: list[float], level: float) -> set[int]:
    """Holm's procedure as he states it: reject the smallest while it passes, then stop."""
    left, rejected = list(range(len(p_values))), set()
    while left:
        smallest = min(left, key=lambda i: p_values[i])
        if p_values[smallest] >= level / len(left):
            break
        rejected.add(smallest)
        left.remove(smallest)
    return rejected


def test_corrected_values_below_the_level_are_those_that_stepping_down_rejects() -> None:
    draws = np.random.default_rng(6)
    sizes = set()
    for _ in range(200):
        raw = (draws.uniform(size=6) ** 4).tolist()
        found = {i for i, p in enumerate(holm(raw)) if p < LEVEL}
        assert found == stepped_down(raw, LEVEL)
        sizes.add(len(found))
    assert sizes >= {0, 1, 2, 3, 4}


def test_one_family_in_twenty_errs() -> None:
    """With nothing to find in 20 questions, one or more is found in 5 % of families."""
    draws = np.random.default_rng(7)
    wrong = sum(min(holm(draws.uniform(size=20).tolist())) < LEVEL for _ in range(2000))
    fewest, most = binom.interval(0.999, 2000, LEVEL)
    assert fewest <= wrong <= most


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"p-values lie in \[0, 1\]; received \[0.5, ") as caught:
        holm([0.5, wrong])
    assert repr(wrong) in str(caught.value)


# All of it together


def test_an_effect_is_the_sum_of_its_parts() -> None:
    values = sample(9)
    found = effect(values)
    assert found.mean == pytest.approx(math.fsum(values) / 9)
    assert (found.low, found.high) == bootstrap_interval(values)
    assert found.p == t_test(values)
    assert found.improvement == pytest.approx(sum(v > 0 for v in values) / 9)
    assert found.seeds == 9
    assert found.low < found.mean < found.high


def test_an_effect_turned_around() -> None:
    values = sample(9)
    there, back = effect(values), effect(-values)
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert back.p == pytest.approx(there.p)
    assert back.improvement == pytest.approx(1 - there.improvement)


@pytest.mark.parametrize(
    ("values", "p", "improvement"),
    [([0.25] * 4, 0, 1), ([-0.25] * 4, 0, 0), ([0.0] * 4, 1, 0.5)],
)
def test_an_effect_without_spread(values: list[float], p: float, improvement: float) -> None:
    found = effect(values)
    assert found.mean == found.low == found.high == values[0]
    assert (found.p, found.improvement, found.seeds) == (p, improvement, 4)


def test_ties_count_half() -> None:
    assert effect([0.0, 0.0, 1.0, -1.0]).improvement == 0.5
    assert effect([0.0, 1.0, 2.0, -1.0]).improvement == 0.625
    assert effect([0.0, 1.0]).improvement == 0.75


def test_two_seeds_are_enough() -> None:
    """Only three means can be drawn; the interval reaches from the smaller to the larger value."""
    found = effect([1, 2])
    assert (found.mean, found.low, found.high, found.seeds) == (1.5, 1.0, 2.0, 2)
    assert found.p > LEVEL
