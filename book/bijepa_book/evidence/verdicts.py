"""From recorded results to verdicts, by a rule that was fixed before the runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from bijepa_book.evidence.claims import CLAIMS, Claim, Criterion
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
    columns = [_column(records, key, measure) for key, measure in criterion.sides]
    if not isinstance(criterion.than, str):
        (ours,) = columns
        return list(ours.values()), [float(criterion.than)] * len(ours)
    ours, theirs = columns
    both = [seed for seed in ours if seed in theirs]
    return [ours[seed] for seed in both], [theirs[seed] for seed in both]


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
    sign = criterion.sign
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
    c, seen = finding.criterion, finding.effect
    if seen is None:
        raise ValueError(f"there is nothing to show: {finding.missing}.")
    values = list(finding.values)
    if isinstance(c.than, str):
        paired = zip(finding.values, finding.others, strict=True)
        values = [a - b if c.difference else a / b for a, b in paired]

    def unit(margin: float) -> float:
        if c.difference:
            return c.even + c.sign * (margin + c.by)
        return c.even * math.exp(c.sign * (margin + math.log(c.by)))

    low, high = sorted((unit(seen.low), unit(seen.high)))
    wins = sum((c.sign * (v - c.even) > 0) + (v == c.even) / 2 for v in values)
    return Shown(values, unit(seen.mean), low, high, c.demand, wins / len(values))


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
    looked = [_look(c, records) for claim in claims for c in (*claim.fair, *claim.paper)]
    # what has no data yet counts as a question too: more results must not make old ones less sure
    corrected = holm([finding.p for finding in looked])
    findings = iter(
        replace(finding, p=p, says=_says(finding.effect, p))
        for finding, p in zip(looked, corrected, strict=True)
    )
    verdicts = []
    for claim in claims:
        fair = tuple(next(findings) for _ in claim.fair)
        paper = tuple(next(findings) for _ in claim.paper)
        verdicts.append(Verdict(claim, _word(fair, paper), fair, paper))
    return verdicts


def _look(criterion: Criterion, records: Records) -> Finding:
    """One criterion by itself: its p is not corrected yet, and nothing is said."""
    try:
        values, others = pairs(criterion, records)
        seen = effect(margins(criterion, values, others))
    except (KeyError, ValueError) as error:
        return Finding(criterion, None, (), (), 1.0, "open", str(error.args[0]))
    return Finding(criterion, seen, tuple(values), tuple(others), seen.p, "open")


def _says(seen: Effect | None, p: float) -> Says:
    if seen is None or p >= LEVEL:
        return "open"
    if seen.low > 0:
        return "met"
    return "not met" if seen.high < 0 else "open"


def _word(fair: tuple[Finding, ...], paper: tuple[Finding, ...]) -> Word:
    if fair and all(f.says == "met" for f in fair):
        return "holds"
    if any(f.says == "not met" for f in fair):
        if paper and all(f.says == "met" for f in paper):
            return "only under the paper's probe"
        return "does not hold"
    return "not decidable"
