"""The company's desk: where, what is read, and over whom."""

import html
from collections.abc import Mapping

import ipywidgets

from bijepa_book import text
from bijepa_book.controls.shared import NAMED
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.distractor import STRENGTHS
from bijepa_book.evidence.stable.selection import Records
from bijepa_book.evidence.stable.standing import HALVES, READ, WAVES, One, known, over

DRIFT = {"wave": "wave", "drift": "drift"}
PLACES: Mapping[str, tuple[str, float, Mapping[str, str]]] = {
    "sine waves": ("sine", 0.0, READ | WAVES),
    "Lorenz": ("lorenz", 0.0, READ),
    **{
        f"waves under a drift of {s:g}": ("distracted", s, DRIFT if s else {"wave": "wave"})
        for s in STRENGTHS
    },
    "digits": ("mnist", 0.0, HALVES),
}
"""By name: the data set, the strength of its drift, and what is read there, as it is called."""


class CompanyDesk:
    """Choose a data set, a reading and a rival, and see everybody's errors over the rival's.

    Args:
        records: of tuning and comparison.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.place = ipywidgets.Dropdown(options=list(PLACES), description="data", style=NAMED)
        self.reading = ipywidgets.Dropdown(description="missed of", style=NAMED)
        self.rival = ipywidgets.Dropdown(description="over", style=NAMED)
        self.said = ipywidgets.HTML()
        self.place.observe(self._other_place, "value")
        self.reading.observe(self._other_reading, "value")
        self.rival.observe(self._say, "value")
        self.panel = ipywidgets.VBox([self.place, self.reading, self.rival, self.said])
        self._other_place()

    def _other_place(self, _: object = None) -> None:
        readings = [(name, reading) for reading, name in PLACES[self.place.value][2].items()]
        if tuple(readings) != self.reading.options:
            self.reading.options = readings  # the first of them is chosen, and asked for
        else:
            self._other_reading()

    def _other_reading(self, _: object = None) -> None:
        if self.reading.value is None:  # between two places
            return
        before = self.rival.value
        options = [(one.called, one.label) for one in self._known()]
        labels = [label for _, label in options]
        self.rival.options = options
        self.rival.value = before if before in labels else AS_IN_THE_PAPER.label
        self._say()

    def _known(self) -> list[One]:
        where, strength, _ = PLACES[self.place.value]
        return known(self.records, where, self.reading.value, strength)

    def _say(self, _: object = None) -> None:
        where, strength, readings = PLACES[self.place.value]
        if self.reading.value not in readings or self.rival.value is None:  # between two places
            return
        reading, rival = self.reading.value, {"rival": self.rival.value}
        found = {
            one.called: over(self.records, where, one.label, reading, strength, **rival)
            for one in self._known()
        }
        ratios = {name: ratio for name, ratio in found.items() if ratio is not None}
        order = sorted(ratios, key=lambda name: ratios[name].value)
        table = text.text_table([["", "error"], *([name, str(ratios[name])] for name in order)])
        self.said.value = f"<pre>{html.escape(table)}</pre>"
