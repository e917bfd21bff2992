"""What would count as many futures, fixed before the runs.

**Worlds and heads.** In each world (the double well, the linear system, Lorenz's wing) all heads
have the same encoder, batches, steps and seeds, under the paper's expressive constraint, and one
read-out, fitted to target embeddings. Beside them stand the exact law and the climatology. Settings
were tried on the hunting seeds (96 to 103): sizes by hand, with few tries (named in
:mod:`.recordings`), and for each head in each world the learning rate of the least CRPS (the
geometric mean over seeds and directions; the linear world's energy score counts alike) among
:data:`RATES`, on 4 of those seeds; of the flow's on 2. Verdicts are of the fresh seeds 64 to 95 (of
the flow 64 to 71, because it trains many times as slowly).

**Verdicts** have two parts. *Direction*: the 95 % bootstrap interval of the paired differences
between a head and a rival lies on the claimed side of zero. *Size*: the interval of the head's own
mean lies within the claim's bounds. *Excess* is the ratio of a score to the exact law's on the same
pairs, less 1. Every claim is made of the future and of the past.

**In the well**: the energy predictor's CRPS is at most 5 % in excess, the deterministic model's at
least 25 %, and a single Gaussian's at least 5 %; between -1/2 and 1/2, around the ridge, its shares
of the right well miss the exact ones by at most 5 points on average; on the ridge it puts at most 5
points more or less than the exact law between the wells (-0.3 to 0.3); the Brier score of "right
well" is at most 5 % in excess; intervals of 80 % hold 77 to 83 %; z spreads samples as far as they
miss, within 10 %.

**In the linear world**: the energy predictor's energy score of the hidden window, and a Gaussian
head's, are at most 5 % above that of the Kalman filter and smoother; the deterministic model's is
at least 20 % above it; intervals of 80 % hold 77 to 83 %.

**On the attractor** the paper says that systems such as Lorenz's are "inherently stochastic or
multi-modal", and that z gives "a distribution of possible futures rather than a single mean-field
prediction". That is judged thus: at least a quarter of the futures are open, which is to say that
the exact law gives each wing a fifth or more; the energy predictor's Brier score of the wing ahead
is at most 10 % in excess, the deterministic model's at least 25 %; its probabilities miss how often
they come true by at most 5 points; its CRPS ahead is at most 5 % in excess. Of the past nothing can
be known there: its CRPS is within 5 % of the climatology's.
(Mended after the runs: at first this was computed over the exact law's, which does not say what
the sentence says. The exact law knows more of the past than the climatology does.)

**Another constraint.** (Added when the records under the expressive constraint were there, before
any run of this.) The energy and the deterministic predictor are also trained under what chapter 10
recommends for series, :data:`bijepa_core.constraints.WHITENED`, at learning rates chosen as above,
in the well and in the linear world. The same is claimed of the energy predictor; and that its score
is even with its own under the expressive constraint, as rivals are. (The wing was added later
still, before any run of it there: the claims above, and that its CRPS is even.)
(Mended after these runs: at first a claim was passed over where its rival had not been trained
under the constraint. Now its size is judged, and of its direction nothing is said. No claim and no
bound has changed. It concerns what lies between the wells, where the rival is the Gaussian head:
under this constraint that is not right within 5 points.)

**Rivals.** Mixture and flow are compared with the energy predictor on the same seeds in each
world; a difference under 2 % is called none. No size is claimed.

**Further learning rates.** (Added when all of the above was recorded and told, before any run of
this.) Of 21 choices among three rates thirteen fell on an end of them, and a least score at an end
is no least. So wherever it lies at the end of the rates that were tried, the next one of
:data:`RUNGS` is tried on the same seeds, until it does not. That holds for every head, the energy
predictor too, in each world and under both constraints. Who then has another rate is trained again
on its fresh seeds, and these records take the place of the former. Claims and bounds stay.
Gaussian and mixture are trained under chapter 10's constraint as well. What is claimed of the
Gaussian above is asked there, too; of the mixture nothing is claimed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import numpy as np

from bijepa_book.evidence.futures import well
from bijepa_book.evidence.futures.grid import FORK_BINS, RANGE
from bijepa_book.evidence.futures.skill import BINS
from bijepa_book.evidence.statistics import bootstrap_interval

RATES = (3e-4, 1e-3, 3e-3)
RUNGS = (3e-5, 1e-4, *RATES, 1e-2, 3e-2)
"""Learning rates, in order; :data:`RATES` are tried first."""
NEAR_RIDGE, BETWEEN = 0.5, 0.3
OPEN = slice(BINS // 5, 4 * BINS // 5)  # of forecast probabilities: a fifth to four fifths
EVEN = 0.02
DEMANDED = {"well": "crps", "linear": "energy", "wing": "crps"}
"""The score by which a learning rate is chosen, and by which rivals are compared."""

Records = Mapping[str, Mapping[str, Any]]
Measure = Callable[[Records, str, str, str], dict[int, float]]
"""Of records, a world, a head and a direction: a number for each seed."""


def column(records: Records, world: str, head: str, name: str) -> dict[int, float]:
    """A measure by seed.

    Raises:
        KeyError: if the head was not recorded there, or not so measured.
    """
    record = records[f"{world}-{head}"]
    return dict(zip(record["seeds"], record["measures"][name], strict=True))


def score(name: str) -> Measure:
    """A measure as it is."""
    return lambda records, world, head, way: column(records, world, head, f"{name}_{way}")


def excess(name: str, over: str = "exact") -> Measure:
    """A score's ratio to the exact law's, or to another head's, less 1."""

    def of(records: Records, world: str, head: str, way: str) -> dict[int, float]:
        mine = column(records, world, head, f"{name}_{way}")
        best = column(records, world, over, f"{name}_{way}")
        return {seed: value / best[seed] - 1 for seed, value in mine.items()}

    return of


def away(name: str, ideal: float) -> Measure:
    """How far a measure is from what it should be."""

    def of(records: Records, world: str, head: str, way: str) -> dict[int, float]:
        return {s: abs(v - ideal) for s, v in score(name)(records, world, head, way).items()}

    return of


def _curve(records: Records, world: str, head: str, name: str) -> dict[int, np.ndarray]:
    record = records[f"{world}-{head}"]
    return {
        seed: np.asarray(values)
        for seed, values in zip(record["seeds"], record["curves"][name], strict=True)
    }


def share_gap(records: Records, world: str, head: str, way: str) -> dict[int, float]:
    """How far the shares of the right well miss the exact ones around the ridge, on average."""
    near = well.PLACES[:, 0].abs().numpy() <= NEAR_RIDGE + 1e-6
    exact = well.right(well.law(well.PLACES)).numpy()
    curves = _curve(records, world, head, f"right_{way}")
    return {seed: float(abs(curve - exact)[near].mean()) for seed, curve in curves.items()}


def between_gap(records: Records, world: str, head: str, way: str) -> dict[int, float]:
    """How much more or less than the exact law a head puts between the wells, on the ridge."""
    row = well.law(well.PLACES[len(well.PLACES) // 2])
    exact = float(row[well.GRID.abs() < BETWEEN].sum())
    curves = _curve(records, world, head, f"fork_{way}")
    centers = (np.arange(FORK_BINS) + 0.5) * 2 * RANGE / FORK_BINS - RANGE
    middle = np.abs(centers) < BETWEEN
    return {seed: float(abs(curve[middle].sum() - exact)) for seed, curve in curves.items()}


def open_share(records: Records, world: str, head: str, way: str) -> dict[int, float]:
    """The share of views for which a head leaves the side open."""
    curves = _curve(records, world, head, f"often_{way}")
    return {seed: float(curve[OPEN].sum()) for seed, curve in curves.items()}


@dataclass(frozen=True)
class Claim:
    """One thing that should be so.

    Args:
        text: in words.
        world, head, way: where, who, in which direction.
        of: its measure.
        rival: the head that it is compared with.
        low, high: bounds of size. With an upper bound the claim is to be below the rival, with a
            lower one above it.
    """

    text: str
    world: str
    head: str
    way: str
    of: Measure
    rival: str
    low: float = -inf
    high: float = inf


def claims() -> list[Claim]:
    """All of them; see the head of this file."""
    found: list[Claim] = []
    for way in ("forward", "backward"):
        add = partial(_claim, found, way)
        for name, most in (("crps", 0.05), ("brier", 0.05)):
            text = f"the energy predictor's {name} is at most 5 % in excess"
            add(text, "well", "energy", excess(name), "deterministic", high=most)
        add("the deterministic model's crps is at least 25 % in excess",
            "well", "deterministic", excess("crps"), "exact", low=0.25)  # fmt: skip
        add("a single Gaussian's crps is at least 5 % in excess",
            "well", "gaussian", excess("crps"), "energy", low=0.05)  # fmt: skip
        add("shares around the ridge are right within 5 points",
            "well", "energy", share_gap, "climatology", high=0.05)  # fmt: skip
        add("what lies between the wells is right within 5 points",
            "well", "energy", between_gap, "gaussian", high=0.05)  # fmt: skip
        for world in ("well", "linear"):
            add("intervals of 80 % hold 77 to 83 %",
                world, "energy", away("coverage", 0.8), "deterministic", high=0.03)  # fmt: skip
        add("z spreads samples as far as they miss, within 10 %",
            "well", "energy", away("spread_to_error", 1.0), "energy", high=0.1)  # fmt: skip
        for head in ("energy", "gaussian"):
            add(f"the {head} head's energy score is at most 5 % in excess",
                "linear", head, excess("energy"), "deterministic", high=0.05)  # fmt: skip
        add("the deterministic model's energy score is at least 20 % in excess",
            "linear", "deterministic", excess("energy"), "exact", low=0.2)  # fmt: skip
    ahead, back = (partial(_claim, found, way) for way in ("forward", "backward"))
    ahead("a quarter of the futures are open",
          "wing", "exact", open_share, "deterministic", low=0.25)  # fmt: skip
    ahead("the energy predictor's brier is at most 10 % in excess",
          "wing", "energy", excess("brier"), "deterministic", high=0.1)  # fmt: skip
    ahead("the deterministic model's brier is at least 25 % in excess",
          "wing", "deterministic", excess("brier"), "exact", low=0.25)  # fmt: skip
    ahead("probabilities miss how often they come true by at most 5 points",
          "wing", "energy", score("miscalibration"), "deterministic", high=0.05)  # fmt: skip
    ahead("the energy predictor's crps is at most 5 % in excess",
          "wing", "energy", excess("crps"), "deterministic", high=0.05)  # fmt: skip
    back("of the past no more is said than the climatology knows, within 5 %",
         "wing", "energy", excess("crps", "climatology"), "deterministic", high=0.05)  # fmt: skip
    return found


def _claim(
    found: list[Claim],
    way: str,
    text: str,
    world: str,
    head: str,
    of: Measure,
    rival: str,
    **bounds: float,
) -> None:
    found.append(Claim(text, world, head, way, of, rival, **bounds))


def judge(claim: Claim, records: Records) -> dict[str, Any]:
    """A claim's verdict.

    Args:
        claim: one of :func:`claims`.
        records: of fresh seeds under one constraint, by world and head.

    Returns:
        ``mean``, ``low``, ``high`` of the head's measure with its interval, ``seeds``, and the two
        parts: ``direction`` (None where head and rival are one, or where the rival was not
        recorded) and ``size``.
    """
    mine = claim.of(records, claim.world, claim.head, claim.way)
    low, high = bootstrap_interval(list(mine.values()))
    direction = None
    if claim.rival != claim.head and f"{claim.world}-{claim.rival}" in records:
        other = claim.of(records, claim.world, claim.rival, claim.way)
        apart = [mine[seed] - other[seed] for seed in mine if seed in other]
        less, more = bootstrap_interval(apart)
        direction = more < 0 if claim.high < inf else less > 0
    return {
        "mean": float(np.mean(list(mine.values()))),
        "low": low,
        "high": high,
        "seeds": len(mine),
        "direction": direction,
        "size": bool(claim.low <= low and high <= claim.high),
    }


def compared(
    records: Records, world: str, head: str, way: str, rival: str = "energy"
) -> dict[str, Any]:
    """A head's score over a rival's, on the seeds that both have.

    Args:
        records: of fresh seeds under one constraint, by world and head.
        world, head, way: where, who, in which direction.
        rival: the other.

    Returns:
        ``ratio`` (a geometric mean) with its interval ``low`` and ``high``, and ``better``: the
        head, the rival, or None where the interval reaches into :data:`EVEN` of 1.
    """
    name = f"{DEMANDED[world]}_{way}"
    mine, other = (column(records, world, one, name) for one in (head, rival))
    logs = [float(np.log(mine[seed] / other[seed])) for seed in mine if seed in other]
    low, high = (float(np.exp(end)) for end in bootstrap_interval(logs))
    better = head if high < 1 - EVEN else rival if low > 1 + EVEN else None
    ratio = float(np.exp(np.mean(logs)))
    return {"ratio": ratio, "low": low, "high": high, "better": better}
