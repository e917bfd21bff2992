"""Verdicts of the second edition as text, Markdown, HTML and plain data."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from statistics import median
from textwrap import wrap
from typing import Any

from bijepa_book.evidence.grid import BASELINES
from bijepa_book.evidence.report import WIDTH
from bijepa_book.evidence.second.findings import Seen, finding
from bijepa_book.evidence.second.verdicts import Answer, Direction, Size, Verdict, asked
from bijepa_book.evidence.verdicts import Records
from bijepa_book.names import BASELINE_MEASURES, MEASURES, MODELS, words
from bijepa_book.text import text_table

SIGNS: Mapping[Direction, str] = {
    "holds": "✓",
    "does not hold": "✗",
    "open": "?",
    "not judged": "\N{EN DASH}",
}
"""What tells labels apart without color."""
PLACES = {"sine": "sine", "lorenz": "Lorenz", "mnist": "MNIST"}
CLAIM_PAGE = "evidence-claims.html"


def label(verdict: Verdict) -> str:
    """Direction and size, and in which other ways the answer is another one."""
    return "; ".join([_short_label(verdict.direction, verdict.size), *verdict.qualifiers])


def _short_label(direction: Direction, size: Size) -> str:
    named = "size open" if size == "open" else size
    if not named or (direction, size) == ("open", "open"):
        return direction
    return f"{direction}, {named}"


def model(name: str) -> str:
    """A condition as a reader knows it; one of another size with its size."""
    kept = [known for known in MODELS if name.startswith(f"{known}-")]
    if name in MODELS or not kept:
        return MODELS.get(name, name)
    known = max(kept, key=len)
    return f"{MODELS[known]}, {name.removeprefix(f'{known}-').replace('-', ' ')}"


def ask_text(answer: Answer) -> str:
    """What was asked: the measure, of what, beside what."""
    c = answer.ask
    what = f"{PLACES[c.experiment]}, {MEASURES.get(c.measure, words(c.measure))}"
    if c.length == "long":
        what += ", ten times longer"
    if not isinstance(c.than, str):
        return f"{what}: {model(c.condition)}"
    other = model(c.than) if c.than != BASELINES else BASELINE_MEASURES.get(c.of or "", c.of or "")
    return f"{what}: {model(c.condition)} {'less' if c.difference else 'over'} {other}"


def answer_text(answer: Answer) -> str:
    """One answer in a line: direction and size, mean with interval, what was asked, seeds."""
    if answer.effect is None:
        return f"open ({answer.missing})"
    c = answer.ask
    side = "above" if c.expects == "higher" else "below"
    says = _short_label(answer.direction, answer.size)
    line = f"{says}: {Seen(answer):x}, asked {side} {c.even:.3g}"
    border = c.even + c.sign * asked(answer.ask)
    if not c.difference:
        border = c.even * math.exp(c.sign * asked(answer.ask))
    if asked(answer.ask):
        line += f" (size: {side} {border:.3g})"
    return f"{line}; {Seen(answer):seeds}; p {answer.p:.2g}"


def counts(verdicts: Sequence[Verdict]) -> Counter[str]:
    """How many claims have each direction."""
    return Counter(v.direction for v in verdicts)


# --- text ---------------------------------------------------------------------------------------


def verdict_text(verdicts: Sequence[Verdict]) -> str:
    """Claims under their headings: sentence, label and finding."""
    lines: list[str] = []
    for heading in dict.fromkeys(v.claim.heading for v in verdicts):
        lines += [heading, "-" * len(heading)]
        for v in verdicts:
            if v.claim.heading != heading:
                continue
            lines.append(f"{SIGNS[v.direction]} {v.claim.id}: {label(v)}")
            for said in (v.claim.claim, finding(v)):
                lines += wrap(said, WIDTH, initial_indent="  ", subsequent_indent="    ")
        lines.append("")
    return "\n".join(lines).rstrip()


def verdict_markdown(verdicts: Sequence[Verdict]) -> str:
    """The summary table of the README, in Markdown."""
    lines = ["| The paper says | Verdict | Finding |", "| --- | --- | --- |"]
    lines += [
        f"| {v.claim.claim.rstrip('.')} | {SIGNS[v.direction]} **{label(v)}** | {finding(v)} |"
        for v in verdicts
    ]
    return "\n".join(lines)


@dataclass(frozen=True)
class VerdictTable:
    """A row a claim: a sentence, the label, the finding; what was asked is folded.

    A notebook shows it as a table, the site's style makes blocks of its rows on a phone, and
    ``print`` gives plain text.

    Args:
        verdicts: under one heading.
    """

    verdicts: Sequence[Verdict]

    def __repr__(self) -> str:
        return verdict_text(self.verdicts)

    def _repr_html_(self) -> str:
        head = "<thead><tr><th>The paper says</th><th>Verdict</th><th>Finding</th></tr></thead>"
        rows = "".join(map(_row, self.verdicts))
        return f'<table class="verdicts">{head}<tbody>{rows}</tbody></table>'


def _row(v: Verdict) -> str:
    address = f"{CLAIM_PAGE}#{v.claim.id}"
    said = escape(v.claim.claim)
    word = f"<strong>{SIGNS[v.direction]} {v.direction}</strong>"
    rest = escape(label(v).removeprefix(v.direction).lstrip(",; "))
    kind = v.direction.replace(" ", "-")
    asks = "".join(f"<li>{escape(ask_text(a))}: {escape(answer_text(a))}</li>" for a in v.answers)
    folded = f"<details><summary>criteria</summary><ul>{asks}</ul></details>" if asks else ""
    return (
        f'<tr class="{kind}"><td>{said} <a href="{address}">{v.claim.id}</a></td>'
        f"<td>{word}<br>{rest}</td><td>{escape(finding(v))}{folded}</td></tr>"
    )


# --- tables and plain data ----------------------------------------------------------------------


def condition_table(
    records: Records, keys: Mapping[str, str], measures: Mapping[str, str], decimals: int = 3
) -> str:
    """Conditions and some of their measures, medians over seeds.

    Args:
        records: by key.
        keys: what a row is called, and its record's key; rows without a record are left out.
        measures: what a column is called, and its measure; ``-`` where there is none.
        decimals: significant digits.

    Returns:
        Aligned text.
    """
    rows = [["", *measures]]
    for name, key in keys.items():
        if key not in records:
            continue
        row = [name]
        for measure in measures.values():
            values = [v for v in records[key]["measures"].get(measure, []) if v is not None]
            row.append(f"{median(values):.{decimals}g}" if values else "-")
        rows.append(row)
    return text_table(rows)


def plain_verdicts(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain data, for JSON."""

    def plain(answer: Answer) -> dict[str, Any]:
        said = {name: getattr(answer, name) for name in ("direction", "size", "reached", "missing")}
        effect = {} if answer.effect is None else asdict(answer.effect)
        return {**asdict(answer.ask), **said, **effect, "p": answer.p}

    return [
        {
            "id": v.claim.id,
            "heading": v.claim.heading,
            "section": v.claim.section,
            "quote": v.claim.quote,
            "claim": v.claim.claim,
            "direction": v.direction,
            "size": v.size,
            "qualifiers": v.qualifiers,
            "finding": finding(v),
            "asks": [plain(a) for a in v.answers],
            "also": {way: [plain(a) for a in answers] for way, answers in v.also.items()},
        }
        for v in verdicts
    ]
