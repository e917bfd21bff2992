"""The hunt's desk: a kind of constraint, its strength, and what both cost."""

import math
from collections.abc import Mapping
from typing import Any

import ipywidgets

from bijepa_book.controls.shared import NAMED
from bijepa_book.evidence.second.report import PLACES
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.kinds import KINDS
from bijepa_book.evidence.stable.selection import costs, settled_on_both
from bijepa_book.figures.stable import called


class HuntDesk:
    """Choose a kind and a strength of the hunt, and read its errors and whether it settles.

    Args:
        records: of the hunt.
    """

    def __init__(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        self.records, self.settled = records, {one.name for one in settled_on_both(records)}
        self.kind = ipywidgets.Dropdown(
            options=[(called(kind), kind) for kind in KINDS], description="kind", style=NAMED
        )
        self.strength = ipywidgets.SelectionSlider(
            options=KINDS[self.kind.value].strengths, description="strength", style=NAMED
        )
        self.said = ipywidgets.HTML()
        self.kind.observe(self._other_kind, "value")
        self.strength.observe(self._say, "value")
        self.panel = ipywidgets.VBox([self.kind, self.strength, self.said])
        self._say()

    def _other_kind(self, _: object = None) -> None:
        self.strength.options = KINDS[self.kind.value].strengths
        self._say()

    def _say(self, _: object = None) -> None:
        candidate = Candidate(self.kind.value, self.strength.value)
        found = costs(self.records, candidate)
        factors = [f"{PLACES[name]} {math.exp(cost):.2f}" for name, cost in found.items()]
        asked = f"sine-hunt-{candidate.name}-long" in self.records
        rest = "settled" if candidate.name in self.settled else "not settled"
        self.said.value = (
            f"{KINDS[self.kind.value].about}: errors over the better one of the paper's two: "
            f"{', '.join(factors)}; {rest if asked else 'not trained ten times as long'}."
        )
