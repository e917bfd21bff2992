"""From recorded results to verdicts, by a rule that was fixed before the runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bijepa_book.evidence.claims import CLAIMS, Claim, Criterion
from bijepa_book.evidence.grid import BASELINES
from bijepa_book.evidence.statistics import LEVEL, Effect, effect, holm

Records = Mapping[str, Mapping[str, Any]]
"""A condition's key, then its record."""
Says = Literal["met", "not met", "open"]
Word = Literal["holds", "only under the paper's probe", "does not hold", "not decidable"]


@dataclass(frozen=True)
class Finding:
    """One criterion beside the data.

    Args:
        criterion: what was asked.
        effect: the paired margin over what the criterion demands, above zero where it is met, as
            a logarithm of a ratio or a difference; None where the data are missing.
        values, others: what was compared, one number a seed.
        p: of the margin, corrected by Holm's procedure for all criteria of all claims.
        says: ``met``, ``not met`` or ``open``.
        missing: what is not in the records.
    """

    criterion: Criterion
    effect: Effect | None
    values: tuple[float, ...]
    others: tuple[float, ...]
    p: float
    says: Says
    missing: str = ""


@dataclass(frozen=True)
class Verdict:
    """One claim, judged.

    Args:
        claim: what the paper says.
        word: the verdict.
        fair, paper: the findings that it rests on.
    """

    claim: Claim
    word: Word
    fair: tuple[Finding, ...]
    paper: tuple[Finding, ...]


def pairs(criterion: Criterion, records: Records) -> tuple[list[float], list[float]]:
    """What a criterion compares, for the seeds that both sides have.

    Args:
        criterion: the comparison.
        records: by key.

    Returns:
        The values of its condition and those they are compared with.

    Raises:
        KeyError: naming the record or the measure that is missing.
    """
    c = criterion
    left = _column(records, f"{c.experiment}-{c.condition}-{c.length}", c.measure)
    if not isinstance(c.than, str):
        return list(left.values()), [float(c.than)] * len(left)
    length = "paper" if c.than == BASELINES else c.length
    right = _column(records, f"{c.experiment}-{c.than}-{length}", c.of or c.measure)
    both = [seed for seed in left if seed in right]
    return [left[seed] for seed in both], [right[seed] for seed in both]


def _column(records: Records, key: str, measure: str) -> dict[int, float]:
    if key not in records:
        raise KeyError(f"no record of {key}")
    record = records[key]
    if measure not in record["measures"]:
        raise KeyError(f"no {measure} in the record of {key}")
    numbers = zip(record["seeds"], record["measures"][measure], strict=True)
    return {seed: value for seed, value in numbers if value is not None}


def margins(criterion: Criterion, values: list[float], others: list[float]) -> list[float]:
    """How far each seed is beyond what the criterion demands.

    Args:
        criterion: the comparison.
        values, others: one number a seed each.

    Returns:
        Above zero where the seed meets it: a logarithm of a ratio, or a difference.
    """
    sign = 1 if criterion.expects == "higher" else -1
    if criterion.difference:
        return [sign * (a - b) - criterion.by for a, b in zip(values, others, strict=True)]
    least, tiny = math.log(criterion.by), 1e-12
    return [
        sign * (math.log(max(a, tiny)) - math.log(max(b, tiny))) - least
        for a, b in zip(values, others, strict=True)
    ]


class Shown(NamedTuple):
    """A finding in the units of a figure: values by seed, their mean, its interval, the demand.

    ``improvement`` is the share of pairs on the claimed side of no difference at all, the margin
    left aside; ties count half.
    """

    values: list[float]
    mean: float
    low: float
    high: float
    demand: float
    improvement: float


def shown(finding: Finding) -> Shown:
    """A finding as a reader wants it.

    Args:
        finding: with data.

    Returns:
        For each seed the ratio (or difference, or, where it is compared with a number, the value
        itself); their mean (of ratios and values, the geometric one); the ends of its bootstrap
        interval; and what the criterion demands.

    Raises:
        ValueError: if the finding has no data.
    """
    c, found = finding.criterion, finding.effect
    if found is None:
        raise ValueError(f"there is nothing to show: {finding.missing}.")
    sign = 1 if c.expects == "higher" else -1
    fixed = float(c.than) if not isinstance(c.than, str) else None
    if c.difference:
        base = 0.0 if fixed is None else fixed
        values = [
            a - (b if fixed is None else 0.0)
            for a, b in zip(finding.values, finding.others, strict=True)
        ]
        ends = sorted(base + sign * (end + c.by) for end in (found.low, found.high))
        middle, demand = base + sign * (found.mean + c.by), base + sign * c.by
        return Shown(values, middle, ends[0], ends[1], demand, _beyond(values, base, sign))
    base = 1.0 if fixed is None else fixed
    values = [
        a / (b if fixed is None else 1.0)
        for a, b in zip(finding.values, finding.others, strict=True)
    ]

    def back(margin: float) -> float:
        return base * math.exp(sign * (margin + math.log(c.by)))

    low, high = sorted((back(found.low), back(found.high)))
    demand = base * c.by**sign
    return Shown(values, back(found.mean), low, high, demand, _beyond(values, base, sign))


def _beyond(values: list[float], base: float, sign: int) -> float:
    wins = sum((sign * (v - base) > 0) + (v == base) / 2 for v in values)
    return wins / len(values)


def judge(records: Records, claims: tuple[Claim, ...] = CLAIMS) -> list[Verdict]:
    """All verdicts.

    A criterion is *met* where the mean margin over seeds is above zero: Student's t test says so
    at 5 % after Holm's correction for all criteria of all claims together, and the bootstrap
    interval of 95 % agrees. It is *not met* where the margin is below zero by the same standard,
    and *open* otherwise. Then

    * all fair criteria met: **holds**;
    * one or more not met, the paper's own all met: **only under the paper's probe**;
    * one or more not met: **does not hold**;
    * otherwise: **not decidable** with these data.

    Args:
        records: by key; what is missing leaves its criteria open.
        claims: to judge.

    Returns:
        One verdict a claim, in order.
    """
    asked = [c for claim in claims for c in (*claim.fair, *claim.paper)]
    looked: list[tuple[Effect | None, list[float], list[float], str]] = []
    for c in asked:
        try:
            values, others = pairs(c, records)
            looked.append((effect(margins(c, values, others)), values, others, ""))
        except (KeyError, ValueError) as error:
            looked.append((None, [], [], str(error.args[0])))
    # what has no data yet counts as a question too: more results must not make old ones less sure
    corrected = holm([1.0 if e is None else e.p for e, _, _, _ in looked])
    findings = iter(
        Finding(c, e, tuple(values), tuple(others), p, _says(e, p), missing)
        for c, p, (e, values, others, missing) in zip(asked, corrected, looked, strict=True)
    )
    verdicts = []
    for claim in claims:
        fair = tuple(next(findings) for _ in claim.fair)
        paper = tuple(next(findings) for _ in claim.paper)
        verdicts.append(Verdict(claim, _word(fair, paper), fair, paper))
    return verdicts


def _says(found: Effect | None, p: float) -> Says:
    if found is None or p >= LEVEL:
        return "open"
    if found.low > 0:
        return "met"
    return "not met" if found.high < 0 else "open"


def _word(fair: tuple[Finding, ...], paper: tuple[Finding, ...]) -> Word:
    if fair and all(f.says == "met" for f in fair):
        return "holds"
    if any(f.says == "not met" for f in fair):
        if paper and all(f.says == "met" for f in paper):
            return "only under the paper's probe"
        return "does not hold"
    return "not decidable"
