"""The referee's desk: choose a claim, demand more or less, use fewer seeds, and see the verdict."""

from dataclasses import replace
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.evidence.claims import CLAIMS, Claim, Criterion
from bijepa_book.evidence.verdicts import Records, Verdict, judge
from bijepa_book.figures.evidence import forest


def demanding(criterion: Criterion, share: float) -> Criterion:
    """A criterion that asks for another share of its margin.

    Args:
        criterion: of a claim.
        share: 1 leaves it, 0 asks for any difference at all, 2 for twice the margin (of a factor,
            on the logarithmic scale).

    Returns:
        The criterion; one that is compared with a number alone stays as it is.
    """
    if criterion.difference:
        return replace(criterion, by=criterion.by * share)
    return replace(criterion, by=criterion.by**share)


def with_seeds(records: Records, count: int) -> dict[str, dict[str, Any]]:
    """Records as if only the first seeds had been run.

    Args:
        records: by key.
        count: how many seeds to keep.

    Returns:
        Copies with at most that many.
    """
    return {
        key: {
            **record,
            "seeds": record["seeds"][:count],
            "measures": {name: column[:count] for name, column in record["measures"].items()},
        }
        for key, record in records.items()
    }


class RefereeDesk:
    """Judge a claim again with another margin and fewer seeds.

    All claims are judged each time, because the correction depends on all of them.

    Args:
        records: the study's, by key.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        judged = [claim for claim in CLAIMS if claim.fair]
        self.claim = ipywidgets.Dropdown(
            options=[(claim.id, claim) for claim in judged], description="claim", style=NAMED
        )
        self.share = ipywidgets.FloatSlider(
            value=1.0,
            min=0.0,
            max=2.0,
            step=0.25,
            description="margin asked",
            continuous_update=False,
            style=NAMED,
        )
        self.seeds = ipywidgets.SelectionSlider(
            options=[2, 3, 4, 6, 8, 12, 16, 24, 32],
            value=32,
            description="seeds",
            continuous_update=False,
            style=NAMED,
        )
        self.status = ipywidgets.HTML()
        self.picture = picture()
        controls = [self.claim, self.share, self.seeds]
        for control in controls:
            control.observe(self.draw, names="value")
        self.panel = ipywidgets.VBox([*controls, self.status, self.picture])
        self.draw()

    def verdict(self) -> Verdict:
        """The chosen claim's verdict under the controls' settings."""
        chosen: Claim = self.claim.value
        share: float = self.share.value

        def asked(criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
            return tuple(demanding(criterion, share) for criterion in criteria)

        claims = tuple(
            replace(claim, fair=asked(claim.fair), paper=asked(claim.paper))
            if claim.id == chosen.id
            else claim
            for claim in CLAIMS
        )
        verdicts = judge(with_seeds(self.records, self.seeds.value), claims)
        return next(v for v in verdicts if v.claim.id == chosen.id)

    def draw(self, _: object = None) -> None:
        """Put the verdict and its figure into the panel."""
        found = self.verdict()
        claim = found.claim
        self.status.value = (
            f"<p><i>{claim.claim}</i></p><p>Confirmed if: {claim.confirms}</p>"
            f"<p><b>{found.word}</b></p>"
        )
        if any(f.effect is not None for f in (*found.fair, *found.paper)):
            self.picture.value = png(forest([found], Figure))
        else:
            self.status.value += "<p>There are no results for this claim yet.</p>"
            self.picture.value = b""
