"""Criteria, findings and verdicts as text, tables and plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from textwrap import wrap
from typing import Any

from bijepa_book.evidence.claims import Criterion
from bijepa_book.evidence.grid import Length, Name, conditions
from bijepa_book.evidence.verdicts import Finding, Records, Verdict, shown
from bijepa_book.names import MEASURES
from bijepa_book.text import text_table

WIDTH = 78
"""Characters in a line of running text."""


def named(criterion: Criterion) -> str:
    """A criterion in a few words, in two lines."""
    c = criterion
    what = MEASURES.get(c.measure, c.measure)
    place = "" if c.experiment == "sine" else {"lorenz": "Lorenz ", "mnist": "MNIST "}[c.experiment]
    long = ", 10x longer" if c.length == "long" else ""
    if not isinstance(c.than, str):
        return f"{place}{what}{long}\n{c.condition}"
    return f"{place}{what}{long}\n{c.condition} {'-' if c.difference else '/'} {c.other}"


def measured(finding: Finding) -> str:
    """A finding in one line: the mean with its interval, what was asked, and the share of seeds.

    The share is the probability of improvement: of the pairs, so many are on the claimed side of
    no difference at all.
    """
    if finding.effect is None:
        return finding.missing
    seen = shown(finding)
    side = ">" if finding.criterion.expects == "higher" else "<"
    return (
        f"{seen.mean:.3g} [{seen.low:.3g}, {seen.high:.3g}], asked {side} {seen.demand:.3g}; "
        f"{seen.improvement:.0%} of {len(seen.values)}"
    )


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Each claim with its place, its verdict and how many of its criteria are met."""

    def met(findings: Sequence[Finding]) -> str:
        return f"{sum(f.says == 'met' for f in findings)} of {len(findings)}" if findings else "-"

    header = ["claim", "section", "verdict", "fair", "paper's own"]
    rows = [[v.claim.id, v.claim.section, v.word, met(v.fair), met(v.paper)] for v in verdicts]
    return text_table([header, *rows])


def claim_text(verdicts: Sequence[Verdict]) -> str:
    """Each claim in words with its verdict, and each of its criteria with what was measured.

    An open criterion shows its corrected p.
    """
    lines: list[str] = []

    def put(text: str, first: str = "  ", rest: str = "  ") -> None:
        lines.extend(wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest))

    for v in verdicts:
        section = v.claim.section
        place = {"abstract": "abstract", "A": "appendix A"}.get(section, f"section {section}")
        put(f"{v.claim.id}: {v.word}", "")
        put(v.claim.claim)
        put(f'"{v.claim.quote}" ({place})')
        for kind, findings in (("fair", v.fair), ("paper", v.paper)):
            for f in findings:
                what = named(f.criterion).replace("\n", ", ")
                # a reader wants to know how far an open question is from an answer
                says = f"open (p {f.p:.3g})" if f.says == "open" and f.effect else f.says
                put(f"{kind}, {says}: {what}: {measured(f)}", "  - ", "    ")
        lines.append("")
    return "\n".join(lines).rstrip()


def deciding(verdict: Verdict) -> Finding | None:
    """What a verdict hangs on: the first fair finding that is not met, or open, or the first."""
    order = ("not met", "open", "met")
    return min(verdict.fair, key=lambda finding: order.index(finding.says), default=None)


def verdict_markdown(verdicts: Sequence[Verdict]) -> str:
    """The summary table of README and welcome page, in Markdown."""
    lines = ["| The paper says | Section | Verdict | What decides |", "| --- | --- | --- | --- |"]
    for v in verdicts:
        finding = deciding(v)
        what = f"{named(finding.criterion)}: {measured(finding)}" if finding else "not tested"
        cells = [v.claim.claim.rstrip("."), v.claim.section, f"**{v.word}**", what]
        lines.append("| " + " | ".join(cell.replace("\n", ", ") for cell in cells) + " |")
    return "\n".join(lines)


def condition_table(
    records: Records, experiment: Name, length: Length, measures: Mapping[str, str]
) -> str:
    """Every condition of an experiment, medians over its seeds.

    Args:
        records: the study's.
        experiment: ``sine``, ``lorenz`` or ``mnist``.
        length: of the training; ``paper`` or ``long``.
        measures: columns and the measures they show; ``-`` where a model has no such thing.

    Returns:
        A table, rows in the order of the study.
    """
    cells = [["", *measures]]
    for condition in conditions(experiment)[1:]:  # the first is the baselines
        record = records.get(f"{experiment}-{condition.name}-{length}")
        if record is None:
            continue
        row = [condition.name]
        for measure in measures.values():
            values = [v for v in record["measures"].get(measure, []) if v is not None]
            row.append(f"{median(values):.3g}" if values else "-")
        cells.append(row)
    return text_table(cells)


def plain_verdicts(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain data, for JSON."""
    return [
        {
            "id": v.claim.id,
            "section": v.claim.section,
            "quote": v.claim.quote,
            "claim": v.claim.claim,
            "verdict": v.word,
            **{
                kind: [
                    {**asdict(f.criterion), "says": f.says, "missing": f.missing, "p": f.p}
                    | ({} if f.effect is None else asdict(f.effect) | {"p": f.p})
                    for f in findings
                ]
                for kind, findings in (("fair", v.fair), ("paper", v.paper))
            },
        }
        for v in verdicts
    ]
