"""From records to verdicts, second edition: direction and size, by a rule fixed before the runs.

An ask's **direction** is *holds* where the mean over seeds lies on the claimed side of no effect
(or of the number that the claim names): Student's t test says so at 5 % after Holm's correction for
its family, and the bootstrap interval of 95 % agrees. It *does not hold* where the mean lies on the
other side by the same standard, and is *open* otherwise. Families: all asks that decide claims are
one; those asked in another way are one for each way.

An ask's **size** compares the same interval with half of what the paper reports, and with all of
it: *as large as claimed* above half, *larger* above all of it, *smaller* below half, *open* where
the interval says neither. Where the paper reports no size, 10 % is the border: *10 % or more*,
*under 10 %*. A number that a claim names has no size beyond itself.

A claim **holds** where all its asks hold, **does not hold** where one does not, and is **open**
otherwise; its size is that of its weakest ask.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bijepa_book.evidence.claims import TEN_PERCENT, Criterion
from bijepa_book.evidence.second.claims import CLAIMS, Claim
from bijepa_book.evidence.statistics import LEVEL, Effect, effect, holm
from bijepa_book.evidence.verdicts import Records, margins, pairs

Direction = Literal["holds", "does not hold", "open", "not judged"]
Size = Literal[
    "as large as claimed",
    "larger than claimed",
    "smaller than claimed",
    "10 % or more",
    "under 10 %",
    "open",
    "",
]
WEAKEST_FIRST: tuple[Size, ...] = (
    "smaller than claimed",
    "under 10 %",
    "open",
    "as large as claimed",
    "10 % or more",
    "larger than claimed",
    "",
)
DECIDES = ""
"""The name of the family of asks that decide claims."""


@dataclass(frozen=True)
class Answer:
    """One ask beside the data.

    Args:
        ask: what was asked.
        effect: of the paired margins, above zero on the claimed side: logarithms of ratios, or
            differences; None where data are missing.
        values, others: what was compared, one number a seed.
        reached: how many seeds by themselves show an effect as large as asked.
        p: corrected for its family.
        direction, size: see the module.
        missing: what is not in the records.
    """

    ask: Criterion
    effect: Effect | None
    values: tuple[float, ...]
    others: tuple[float, ...]
    reached: int = 0
    p: float = 1.0
    direction: Direction = "open"
    size: Size = "open"
    missing: str = ""


@dataclass(frozen=True)
class Verdict:
    """One claim, judged.

    Args:
        claim: what the paper says.
        direction, size: the two labels.
        answers: to its asks.
        also: to the same in other ways.
    """

    claim: Claim
    direction: Direction
    size: Size
    answers: tuple[Answer, ...]
    also: Mapping[str, tuple[Answer, ...]]

    @property
    def qualifiers(self) -> list[str]:
        """In which other ways the answer is another one: "only ...", "not ...", or "open ..."."""
        words = []
        for way, answers in self.also.items():
            there = overall(answers)
            if self.direction in ("holds", "not judged") and there == "does not hold":
                words.append(f"not {way}")
            elif self.direction == "holds" and there == "open":
                words.append(f"open {way}")
            elif self.direction in ("does not hold", "open") and there == "holds":
                words.append(f"only {way}")
        return words


def claimed(ask: Criterion) -> float | None:
    """The size that the paper reports, as a margin: a logarithm, or a difference; None for none."""
    if not isinstance(ask.than, str):
        return None
    size = ask.by if ask.difference else math.log(ask.by)
    return size or None


def asked(ask: Criterion) -> float:
    """The margin that a seed, or the interval, must lie above to be as large as asked."""
    whole = claimed(ask)
    if whole is not None:
        return whole / 2  # for a ratio, the logarithm of half(by)
    if not isinstance(ask.than, str) or ask.difference:
        return 0.0
    return math.log(TEN_PERCENT)


def judge(
    records: Records,
    claims: Sequence[Claim] = CLAIMS,
    without: Mapping[str, Sequence[int]] | None = None,
) -> list[Verdict]:
    """All verdicts.

    Args:
        records: by key; what is missing leaves its asks open.
        claims: one family of claims.
        without: seeds to leave out, by experiment.

    Returns:
        One verdict a claim, in order.
    """
    left_out = (
        records
        if without is None
        else {k: _without(r, without[k.split("-")[0]]) for k, r in records.items()}
    )
    ways = dict.fromkeys([DECIDES, *(way for claim in claims for way in claim.also)])
    answers: dict[tuple[str, str], tuple[Answer, ...]] = {}
    for way in ways:
        asks = [(c.id, c.asks if way == DECIDES else c.also.get(way, ())) for c in claims]
        looked = [_look(ask, left_out) for _, several in asks for ask in several]
        # what has no data yet is a question, too: more results must not make old ones less sure
        corrected = holm([answer.p for answer in looked])
        judged = iter([_answered(a, p) for a, p in zip(looked, corrected, strict=True)])
        answers |= {(name, way): tuple(next(judged) for _ in several) for name, several in asks}
    return [
        Verdict(
            claim,
            overall(answers[claim.id, DECIDES]),
            weakest(answers[claim.id, DECIDES]),
            answers[claim.id, DECIDES],
            {way: answers[claim.id, way] for way in claim.also},
        )
        for claim in claims
    ]


def overall(answers: Sequence[Answer]) -> Direction:
    """The direction of several asks together."""
    if not answers:
        return "not judged"
    directions = {answer.direction for answer in answers}
    if "does not hold" in directions:
        return "does not hold"
    return "holds" if directions == {"holds"} else "open"


def weakest(answers: Sequence[Answer]) -> Size:
    """The size of the weakest ask; none where no ask has one, or where the direction is refuted."""
    if not answers or overall(answers) == "does not hold":
        return ""
    return min((answer.size for answer in answers), key=WEAKEST_FIRST.index)


def _without(record: Mapping[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
    kept = [i for i, seed in enumerate(record["seeds"]) if seed not in seeds]
    columns = {name: [values[i] for i in kept] for name, values in record["measures"].items()}
    return {**record, "seeds": [record["seeds"][i] for i in kept], "measures": columns}


def _look(ask: Criterion, records: Records) -> Answer:
    """One ask by itself: its p is not corrected yet, and nothing is said."""
    try:
        values, others = pairs(ask, records)
        beyond = margins(even(ask), values, others)
        seen = effect(beyond)
    except (KeyError, ValueError) as error:
        return Answer(ask, None, (), (), missing=str(error.args[0]))
    reached = sum(margin > asked(ask) for margin in beyond)
    return Answer(ask, seen, tuple(values), tuple(others), reached, seen.p)


def even(ask: Criterion) -> Criterion:
    """The same without a size: its margin is above zero on the claimed side of no effect."""
    return replace(ask, by=0.0 if ask.difference else 1.0)


def _answered(answer: Answer, p: float) -> Answer:
    seen = answer.effect
    if seen is None:
        return replace(answer, p=p)
    direction: Direction = "open"
    if p < LEVEL and seen.low > 0:
        direction = "holds"
    if p < LEVEL and seen.high < 0:
        direction = "does not hold"
    return replace(answer, p=p, direction=direction, size=size_of(answer.ask, seen))


def size_of(ask: Criterion, seen: Effect) -> Size:
    """What an interval says of the size of an effect."""
    whole, border = claimed(ask), asked(ask)
    if whole is None and (not isinstance(ask.than, str) or ask.difference):
        return ""
    if seen.high < border:
        return "under 10 %" if whole is None else "smaller than claimed"
    if seen.low <= border:
        return "open"
    if whole is None:
        return "10 % or more"
    return "larger than claimed" if seen.low > whole else "as large as claimed"


def each(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, str, Answer]]:
    """Every answer with its verdict and the way in which it was asked."""
    for verdict in verdicts:
        for way, answers in {DECIDES: verdict.answers, **verdict.also}.items():
            for answer in answers:
                yield verdict, way, answer
