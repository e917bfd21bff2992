"""The position cursor: choose where to look, and see what two models make of it."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.evidence.second.why import EMBEDDING, FORECAST, recorded
from bijepa_book.evidence.statistics import Array, geometric_mean
from bijepa_book.evidence.verdicts import Records
from bijepa_book.figures.why import LABELS, curve
from bijepa_book.style import style

PAIRS = (
    ("bijepa", "classic"),
    ("outward", "classic"),
    ("ahead", "classic"),
    ("batch", "classic"),
    ("bijepa", "outward"),
    ("bijepa", "ahead"),
    ("half-gap-bijepa", "half-gap-classic"),
    ("gap-bijepa", "gap-classic"),
)
"""Whom to compare with whom, the study's question first."""


def compared(middle: float, low: float, high: float) -> str:
    """A ratio of two errors, with the ends of its interval, in words."""
    numbers = f"{middle:.2f} [{low:.2f}, {high:.2f}]"
    if low <= 1 <= high:
        return f"No difference is shown: the ratio is {numbers}."
    factor, word = (1 / middle, "smaller") if middle < 1 else (middle, "larger")
    return f"The first one's is {factor:.2f} times {word}: the ratio is {numbers}."


class PositionCursor:
    """Choose a system, what is read off, two models and a position; see both errors there.

    Args:
        study: the records, by key.
        systems: which of them to offer.
    """

    def __init__(self, study: Records, systems: Sequence[str]) -> None:
        self.study = study
        self.system = ipywidgets.Dropdown(options=systems, description="system", style=NAMED)
        self.reading = ipywidgets.Dropdown(
            options=[("the forecast", FORECAST), ("the embedding of x", EMBEDDING)],
            description="read off",
            style=NAMED,
        )
        self.pair = ipywidgets.Dropdown(
            options=[(f"{LABELS[a]} / {LABELS[b]}", (a, b)) for a, b in PAIRS],
            description="models",
            style=NAMED,
        )
        self.place = ipywidgets.IntSlider(
            min=0, max=1, description="position", readout=False, style=NAMED
        )
        self.status, self.picture = ipywidgets.HTML(), picture()
        self._fit()
        for control in (self.system, self.reading):
            control.observe(self._fit, names="value")
        controls = (self.system, self.reading, self.pair, self.place)
        for control in controls:
            control.observe(self.show, names="value")
        self.panel = ipywidgets.VBox([*controls, self.status, self.picture])
        self.show()

    def windows(self, condition: str) -> Mapping[str, Array]:
        """What is read of a condition, with the controls as they are."""
        return recorded(self.study, self.system.value, condition, self.reading.value)

    def _fit(self, _: object = None) -> None:
        """Let the slider reach over all windows that are read; it begins where y does."""
        there = self.windows("classic")
        size = there["y"].shape[-1]
        self.place.max = len(there) * size - 1
        self.place.value = list(there).index("y") * size

    def show(self, _: object = None) -> None:
        """Draw both curves and the cursor, and say what stands there."""
        rows = {name: self.windows(name) for name in self.pair.value}
        errors = {name: np.concatenate(list(row.values()), axis=-1) for name, row in rows.items()}
        windows = list(rows[self.pair.value[0]])
        at, size = self.place.value, (self.place.max + 1) // len(windows)
        here = {name: values[:, [at]] for name, values in errors.items()}
        ours, theirs = here.values()
        said = ", ".join(
            f"{LABELS[name]} {float(geometric_mean(values)[0][0]):.4f}"
            for name, values in here.items()
        )
        ratio = compared(*(float(one[0]) for one in geometric_mean(ours / theirs)))
        self.status.value = (
            f"{windows[at // size]}, position {at % size + 1} of {size}. Error: {said}. {ratio}"
        )
        with style():
            self.picture.value = png(self.figure(errors, windows, at))

    def figure(self, errors: Mapping[str, Array], windows: Sequence[str], at: int) -> Figure:
        """Both curves over the windows, one after the other, and the cursor."""
        figure = Figure(figsize=(9, 3.6), dpi=90, layout="constrained")
        axis = figure.subplots()
        count = next(iter(errors.values())).shape[-1]
        for i, (name, values) in enumerate(errors.items()):
            curve(axis, np.arange(count), values, LABELS[name], i)
        axis.axvline(at, color="black", linewidth=1.2)
        size = count // len(windows)
        for i in range(1, len(windows)):
            axis.axvline(i * size - 0.5, color="0.7", linewidth=1)
        axis.set_xticks([(i + 0.5) * size - 0.5 for i in range(len(windows))], windows)
        axis.set(yscale="log", ylabel="error")
        figure.legend(loc="outside upper center", ncols=2)
        return figure
