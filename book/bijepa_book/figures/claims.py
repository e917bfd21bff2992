"""Claim by claim: what was asked and answered, each answer with a strip of its seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bijepa_book.evidence.second.findings import finding
from bijepa_book.evidence.second.report import SIGNS, answer_text, ask_text, label
from bijepa_book.evidence.second.verdicts import Answer, Verdict, asked, even
from bijepa_book.evidence.verdicts import margins

WIDTH, HEIGHT, RIM = 300.0, 26.0, 8.0
"""Of a strip, in the units of its drawing; it grows with the page."""


def strip(answer: Answer, reach: float) -> str:
    """One answer as a drawing: a dot a seed, a bar for the interval, and no effect in the middle.

    Args:
        answer: with data.
        reach: the margin at the right edge; the left one is as far away.

    Returns:
        SVG without words, in the page's own color; right of the middle it is as the paper says.
        The short stroke stands where an effect is as large as asked.
    """
    seen = answer.effect
    assert seen is not None
    middle, half = HEIGHT / 2, WIDTH / 2 - RIM

    def at(margin: float) -> str:
        return f"{WIDTH / 2 + half * max(-1.0, min(1.0, margin / reach)):.1f}"

    beyond = margins(even(answer.ask), list(answer.values), list(answer.others))
    count = max(len(beyond) - 1, 1)
    dots = "".join(
        f'<circle cx="{at(one)}" cy="{4 + (HEIGHT - 8) * i / count:.1f}" r="1.8"/>'
        for i, one in enumerate(beyond)
    )
    line = f'<path d="M{WIDTH / 2} 0V{HEIGHT:g}" stroke-dasharray="2 2"/>'
    border = asked(answer.ask)
    mark = f'<path d="M{at(border)} {HEIGHT - 7:g}V{HEIGHT:g}" stroke-width="2"/>' if border else ""
    bar = f'<path d="M{at(seen.low)} {middle:g}H{at(seen.high)}" stroke-width="4"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" aria-hidden="true" stroke="currentColor" '
        f'fill="currentColor"><g opacity=".45" stroke="none">{dots}</g>{line}{mark}{bar}</svg>'
    )


def reach_of(answers: Sequence[Answer], difference: bool) -> float:
    """The largest margin of any seed, so that strips of one kind share a scale."""
    beyond = [
        abs(margin)
        for a in answers
        if a.effect is not None and a.ask.difference is difference
        for margin in (*margins(even(a.ask), list(a.values), list(a.others)), asked(a.ask))
    ]
    return max(beyond, default=1.0) or 1.0


def answers(v: Verdict) -> str:
    """All answers of a verdict as a list in HTML, each with its strip."""
    ways = {"": v.answers, **v.also}
    kept = [answer for several in ways.values() for answer in several]
    reach = {kind: reach_of(kept, kind) for kind in (False, True)}
    return f"<ul>{''.join(_asked(a, way, reach) for way in ways for a in ways[way])}</ul>"


@dataclass(frozen=True)
class ClaimCards:
    """Claims in full, for a notebook to show.

    Args:
        verdicts: of one heading.
        pooled: the same claims with the seen seeds as well, by id.
        first: the first edition's word for each, by id.
    """

    verdicts: Sequence[Verdict]
    pooled: Mapping[str, Verdict]
    first: Mapping[str, str]

    def __repr__(self) -> str:
        return "\n".join(
            f"{v.claim.id}: {label(v)} (with the seen seeds: {label(self.pooled[v.claim.id])}; "
            f"first edition: {self.first.get(v.claim.id, 'not asked')})"
            for v in self.verdicts
        )

    def _repr_html_(self) -> str:
        return "".join(map(self._card, self.verdicts))

    def _card(self, v: Verdict) -> str:
        claim = v.claim
        place = {"abstract": "abstract", "A": "appendix A"}.get(
            claim.section, f"section {claim.section}"
        )
        notes = [
            f"<b>Found:</b> {escape(finding(v))}",
            f"<b>With the seen seeds:</b> {escape(label(self.pooled[claim.id]))}. "
            f"<b>First edition:</b> {escape(self.first.get(claim.id, 'not asked'))}.",
        ]
        if claim.remark and claim.asks:
            notes.append(f"<b>Note:</b> {escape(claim.remark)}")
        if claim.changed:
            notes.append(f"<b>Changed:</b> {escape(claim.changed)}")
        said = "".join(f"<p>{note}</p>" for note in notes)
        return (
            f'<section class="claim" id="{claim.id}"><h3>{claim.id}</h3>'
            f"<p>“{escape(claim.quote)}” ({place}). {escape(claim.claim)}</p>"
            f"<p><strong>{SIGNS[v.direction]} {escape(label(v))}</strong></p>"
            f"{answers(v)}{said}</section>"
        )


def _asked(answer: Answer, way: str, reach: Mapping[bool, float]) -> str:
    way = f"<i>{escape(way)}:</i> " if way else ""
    drawn = "" if answer.effect is None else strip(answer, reach[answer.ask.difference])
    return f"<li>{way}{escape(ask_text(answer))}: {escape(answer_text(answer))}{drawn}</li>"
