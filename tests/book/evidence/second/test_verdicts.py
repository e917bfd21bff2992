"""Direction and size, families, and qualifiers."""

import math

import numpy as np
import pytest

from bijepa_book.evidence.claims import on_mnist, on_sine
from bijepa_book.evidence.grid import BASELINES
from bijepa_book.evidence.second.claims import CLAIMS, MECHANISM, SENSITIVITY, Claim
from bijepa_book.evidence.second.grid import recordings
from bijepa_book.evidence.second.verdicts import each, judge
from bijepa_book.evidence.statistics import equivalent, seeds_needed

SEEDS = list(range(20))


def record(**measures: np.ndarray) -> dict[str, object]:
    return {"seeds": SEEDS, "measures": {name: list(v) for name, v in measures.items()}}


def noisy(mean: float, spread: float = 0.1) -> np.ndarray:
    """Numbers whose logarithms have exactly this mean, and nearly this spread."""
    z = np.random.default_rng(0).standard_normal(len(SEEDS))
    return mean * np.exp(spread * (z - z.mean()))


def verdict_of(ratio: float, by: float, spread: float = 0.1) -> tuple[str, str]:
    """Of a claim that a measure is lower by a factor, where it is so by another."""
    records = {
        "sine-expressive-paper": record(fair_b=noisy(ratio, spread)),
        "sine-classic-paper": record(fair_b=np.ones(len(SEEDS))),
    }
    ask = on_sine("fair_b", "expressive", "lower", "classic", by)
    (verdict,) = judge(records, [Claim("it", "", "", "", "", (ask,))])
    return verdict.direction, verdict.size


@pytest.mark.parametrize(
    ("ratio", "by", "spread", "labels"),
    [
        (1 / 3, 4.0, 0.1, ("holds", "as large as claimed")),  # beyond the half, 1/2; short of 1/4
        (1 / 8, 4.0, 0.1, ("holds", "larger than claimed")),
        (0.8, 4.0, 0.1, ("holds", "smaller than claimed")),
        (0.5, 4.0, 0.5, ("holds", "open")),  # the half itself
        (1.0, 4.0, 0.1, ("open", "smaller than claimed")),
        (1.3, 4.0, 0.1, ("does not hold", "")),  # what points the other way has no claimed size
        (0.8, 1.0, 0.1, ("holds", "10 % or more")),
        (0.97, 1.0, 0.01, ("holds", "under 10 %")),
    ],
)
def test_direction_and_size_are_told_apart(
    ratio: float, by: float, spread: float, labels: tuple[str, str]
) -> None:
    assert verdict_of(ratio, by, spread) == labels


def test_the_way_in_which_it_is_asked_qualifies_and_is_a_family_of_its_own() -> None:
    ones = np.ones(len(SEEDS))
    records = {
        "sine-unconstrained-paper": record(rebound=noisy(4.0), relative_rebound=noisy(0.7)),
        "sine-expressive-paper": record(rebound=ones, relative_rebound=ones),
    }
    ask, raw = (
        on_sine(name, "unconstrained", "higher", "expressive", 9.5)
        for name in ("relative_rebound", "rebound")
    )
    many = [Claim(f"{i}", "", "", "", "", (ask,)) for i in range(5)]
    verdicts = judge(records, [Claim("it", "", "", "", "", (ask,), {"by raw loss": (raw,)}), *many])
    assert (verdicts[0].direction, verdicts[0].qualifiers) == (
        "does not hold",
        ["only by raw loss"],
    )
    p = {way: answer.p for _, way, answer in each(verdicts[:1])}
    alone = {way: answer.effect.p for _, way, answer in each(verdicts[:1]) if answer.effect}
    assert p["by raw loss"] == alone["by raw loss"]
    assert p[""] == pytest.approx(6 * alone[""])


def test_what_is_missing_stays_open_and_seeds_can_be_left_out() -> None:
    ask = on_mnist("accuracy", "expressive", "higher", BASELINES, 0.02, "raw", difference=True)
    values = np.where(np.arange(len(SEEDS)) < 8, 0.0, 0.03) + noisy(0.001)
    records = {
        "mnist-expressive-paper": record(accuracy=values),
        "mnist-baselines-paper": record(raw=np.zeros(len(SEEDS))),
    }
    claims = [Claim("it", "", "", "", "", (ask,))]
    every, unseen = (
        judge(records, claims, left)[0].answers[0] for left in (None, {"mnist": range(8)})
    )
    assert (len(every.values), len(unseen.values)) == (20, 12)
    assert (every.reached, unseen.reached) == (12, 12)
    assert (every.size, unseen.size) == ("as large as claimed", "larger than claimed")
    (nothing,) = judge({}, claims)
    assert (nothing.direction, nothing.size) == ("open", "open")
    assert "mnist-expressive-paper" in nothing.answers[0].missing


def test_every_ask_is_of_something_that_is_recorded() -> None:
    known = {recording.key for recording in recordings()}
    asked = {
        key
        for claim in (*CLAIMS, *MECHANISM, *SENSITIVITY)
        for asks in (claim.asks, *claim.also.values())
        for ask in asks
        for key, _ in ask.sides
    }
    assert asked <= known, sorted(asked - known)
    names = [claim.id for claim in (*CLAIMS, *MECHANISM, *SENSITIVITY)]
    assert len(set(names)) == len(names)


def test_equivalence_is_shown_and_not_assumed() -> None:
    z = np.random.default_rng(0).standard_normal(24)
    z = (z - z.mean()) / z.std(ddof=1)
    # of 24, the interval of 90 % reaches 1.714 / sqrt(24) = 0.35 deviations either way
    assert equivalent(0.001 * z, 0.0004)
    assert not equivalent(0.001 * z, 0.0003)
    assert not equivalent(0.001 * z + 0.001, 0.0004)


def test_the_seeds_that_a_test_needs() -> None:
    spread_of_one = np.array([-1.0, 1.0]) / math.sqrt(2)
    # tables of the t test for one sample, two-sided, 5 %, power 90 % and 80 %
    assert seeds_needed(spread_of_one, 0.5) == 44
    assert seeds_needed(spread_of_one, 0.5, power=0.8) == 34
