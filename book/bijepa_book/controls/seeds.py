"""The control of chapter 8: choose a claim, take seeds away, and see label and interval."""

from collections.abc import Sequence

import ipywidgets

from bijepa_book.controls.evidence import with_seeds
from bijepa_book.controls.shared import NAMED
from bijepa_book.evidence.second.claims import CLAIMS
from bijepa_book.evidence.second.report import SIGNS, label
from bijepa_book.evidence.second.verdicts import Verdict, judge
from bijepa_book.evidence.verdicts import Records
from bijepa_book.figures.claims import answers

COUNTS: Sequence[int] = (2, 3, 4, 6, 8, 12, 16, 24, 32)


class SeedsDesk:
    """Judge a claim again with fewer seeds.

    All claims are judged each time, because the correction depends on all of them.

    Args:
        records: the study's, by key, with the fresh seeds alone.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.claim = ipywidgets.Dropdown(
            options=[claim.id for claim in CLAIMS if claim.asks],
            value="sine-b",
            description="claim",
            style=NAMED,
        )
        self.seeds = ipywidgets.SelectionSlider(
            options=COUNTS,
            value=COUNTS[-1],
            description="seeds",
            continuous_update=False,
            style=NAMED,
        )
        self.status = ipywidgets.HTML()
        for control in (self.claim, self.seeds):
            control.observe(self.draw, names="value")
        self.panel = ipywidgets.VBox([self.claim, self.seeds, self.status])
        self.draw()

    def verdict(self) -> Verdict:
        """The chosen claim's verdict with as many seeds."""
        verdicts = judge(with_seeds(self.records, self.seeds.value))
        return next(v for v in verdicts if v.claim.id == self.claim.value)

    def draw(self, _: object = None) -> None:
        """Put the verdict, and its answers with their seeds, into the panel."""
        found = self.verdict()
        said = f"<p><b>{SIGNS[found.direction]} {label(found)}</b></p>"
        self.status.value = said + answers(found)
