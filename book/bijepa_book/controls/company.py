"""The company's desk: where, what is read, and over whom."""

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets

from bijepa_book import text
from bijepa_book.controls.shared import NAMED
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.distractor import STRENGTHS
from bijepa_book.evidence.stable.standing import everybody, over

WAVES = {"frequency": "frequency_a", "phase": "phase_a"}
SERIES = {"next value": "fair", "target": "whole", "past": "past", "window": "kept"}
DRIFT = {"wave": "wave", "drift": "drift"}
PLACES: Mapping[str, tuple[str, float, Mapping[str, str]]] = {
    "sine waves": ("sine", 0.0, SERIES | WAVES),
    "Lorenz": ("lorenz", 0.0, SERIES),
    **{
        f"waves under a drift of {s:g}": ("distracted", s, DRIFT if s else {"wave": "wave"})
        for s in STRENGTHS
    },
}
"""By name: the data set, the strength of its drift, and what is read there."""


class CompanyDesk:
    """Choose a data set, a reading and a rival, and see everybody's errors over the rival's.

    Args:
        records: of tuning and comparison.
    """

    def __init__(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        self.records = records
        self.place = ipywidgets.Dropdown(options=list(PLACES), description="data", style=NAMED)
        self.reading = ipywidgets.Dropdown(description="missed of", style=NAMED)
        self.rival = ipywidgets.Dropdown(description="over", style=NAMED)
        self.said = ipywidgets.HTML()
        self.place.observe(self._other_place, "value")
        self.reading.observe(self._say, "value")
        self.rival.observe(self._say, "value")
        self.panel = ipywidgets.VBox([self.place, self.reading, self.rival, self.said])
        self._other_place()

    def _other_place(self, _: object = None) -> None:
        where, _strength, readings = PLACES[self.place.value]
        self.reading.options = list(readings)
        self.rival.options = [(one.called, one.label) for one in everybody(self.records, where)]
        self.rival.value = AS_IN_THE_PAPER.label
        self._say()

    def _say(self, _: object = None) -> None:
        where, strength, readings = PLACES[self.place.value]
        reading = readings.get(self.reading.value)
        if reading is None or self.rival.value is None:  # between two places
            return
        rival = {"rival": self.rival.value}
        found = {
            one.called: over(self.records, where, one.label, reading, strength, **rival)
            for one in everybody(self.records, where)
        }
        ratios = {name: ratio for name, ratio in found.items() if ratio is not None}
        order = sorted(ratios, key=lambda name: ratios[name].value)
        table = text.text_table([["", "error"], *([name, str(ratios[name])] for name in order)])
        self.said.value = f"<pre>{html.escape(table)}</pre>"
