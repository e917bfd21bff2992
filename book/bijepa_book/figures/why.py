"""What an encoder keeps, position by position, and where that makes one model better than another.

Lines are geometric means over seeds, bands their intervals of 95 % (Student's).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from bijepa_book.evidence.statistics import geometric_mean
from bijepa_book.style import COLORS, DASHES, Look, look, stacked_panels, style

LABELS = {
    **{name: name for name in ("untrained", "classic")},
    "batch": "classic, doubled batch",
    "ahead": "ahead (classic, also on y)",
    "mirror": "mirror (backward only)",
    "outward": "outward (never sees y)",
    "bijepa": "expressive",
    "half-gap-classic": "classic, half a window on",
    "half-gap-bijepa": "expressive, half a window on",
    "gap-classic": "classic, trained on z",
    "gap-bijepa": "expressive, trained on z",
}
"""What the conditions are called where they are drawn."""
SYSTEMS = (COLORS[1], COLORS[5])
"""Their colors, which no model of the chapter's figures has."""
MARKERS = ("o", "s", "^", "D", "v", "x")
STEPS = ((1, 2, 5), (1, 1.2, 1.5, 2, 3, 5, 7), (1, 1.1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))
"""Round numbers within a decade, sparse to dense."""

Panels = Mapping[str, Mapping[str, ArrayLike]]
"""A title, then a condition or a label, then positive numbers, ``(seeds, positions)``."""


def by_position(
    panels: Panels, across: str, upward: str, *, even: bool = False, first: int = 1
) -> Figure:
    """Curves against the position in a window.

    Args:
        panels: errors, or ratios of errors.
        across: what the positions are.
        upward: what the numbers are.
        even: they are ratios, so that a line at 1 says "no difference".
        first: the number of the first position.

    Returns:
        A panel each, stacked, on a logarithmic axis.
    """
    with style():
        figure, axes = stacked_panels(len(panels), 0.9 + 2.5 * len(panels))
        for axis, (title, curves) in zip(axes, panels.items(), strict=True):
            for i, (name, values) in enumerate(curves.items()):
                places = first + np.arange(np.shape(values)[-1])
                curve(axis, places, values, LABELS.get(name, name), i)
            axis.set_title(title, loc="left", fontsize=12)
            axis.set(ylabel=upward, yscale="log")
            axis.set_xticks(places if len(places) < 15 else places[::2])
            if even:
                _even(axis)
            _round_ticks(axis)
        axes[-1].set_xlabel(across)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _look(label: str, i: int) -> Look:
    """A model's look; where it is read "off" something else, its color with other strokes."""
    model, _, elsewhere = label.partition(", off ")
    drawn = look(model.partition(" (")[0], i + 3)  # what is no model has no model's color
    if elsewhere:
        return drawn._replace(dash=DASHES[(i + 1) % len(DASHES)], marker=MARKERS[i])
    return drawn


def curve(axis: Axes, places: ArrayLike, values: ArrayLike, label: str, i: int) -> None:
    """The means over seeds along positions, and the band of their intervals.

    Args:
        axis: where.
        places: ``(positions,)``.
        values: positive, ``(seeds, positions)``.
        label: in the legend; a model's name decides its look.
        i: its place among the curves, which decides where no name does.
    """
    middle, low, high = geometric_mean(values)
    color, dash, marker = _look(label, i)
    axis.plot(
        places,
        middle,
        label=label,
        color=color,
        linestyle=dash,
        marker=marker,
        markersize=4.5,
    )
    axis.fill_between(places, low, high, color=color, alpha=0.18, linewidth=0)


def _round_ticks(axis: Axes, which: Literal["x", "y"] = "y") -> None:
    """Round numbers along a logarithmic axis, as many as there is room for."""
    low, high = getattr(axis, f"get_{which}lim")()
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    for steps in STEPS:
        ticks = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(ticks) >= 3:
            break
    getattr(axis, f"set_{which}ticks")(ticks, [f"{tick:.4g}" for tick in ticks])
    axis.minorticks_off()


def _even(axis: Axes) -> None:
    """A ratio's axis: a line where two models are alike."""
    axis.axhline(1, color="0.35", linewidth=1.2)
    axis.set_ylim(top=max(axis.get_ylim()[1], 1.1))


def two_by_two(ratios: Mapping[str, Mapping[str, ArrayLike]], rows: Mapping[str, str]) -> Figure:
    """Four ways to train, one below the other: every seed's ratio, and the mean with its interval.

    Args:
        ratios: a system, then a condition, then an error over classic's, ``(seeds,)``.
        rows: for each condition, from top to bottom, what is written beside it.

    Returns:
        One panel; the systems differ by color and by marker.
    """
    with style():
        figure, (axis,) = stacked_panels(1, 1.2 + 0.85 * len(rows))
        count = len(ratios)
        for i, (system, conditions) in enumerate(ratios.items()):
            for row, name in enumerate(rows):
                at, values = row + 0.3 * (i - (count - 1) / 2), np.asarray(conditions[name])
                spread = at + np.linspace(-0.1, 0.1, len(values))
                axis.plot(values, spread, MARKERS[i], color=SYSTEMS[i], markersize=3, alpha=0.35)
                middle, low, high = (float(one[0]) for one in geometric_mean(values[:, None]))
                axis.plot([low, high], [at, at], color=SYSTEMS[i], linewidth=3.5)
                label = system if row == 0 else None
                axis.plot(
                    [middle],
                    [at],
                    MARKERS[i],
                    color=SYSTEMS[i],
                    markersize=8,
                    markeredgecolor="black",
                    label=label,
                )
        axis.axvline(1, color="0.35", linewidth=1.2)
        axis.set_yticks(range(len(rows)), list(rows.values()))
        axis.invert_yaxis()
        axis.set(xscale="log", xlabel="error at y's first position, over classic's")
        _round_ticks(axis, "x")
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def moved(panels: Mapping[str, tuple[float, Mapping[str, Sequence[ArrayLike]]]]) -> Figure:
    """The expressive model's error over classic's along x, y and z.

    Args:
        panels: a title; where the window begins that was forecast, in windows from the beginning
            of x; and for each system the ratios in x, in y and in z, ``(seeds, positions)`` each.

    Returns:
        A panel each, stacked; gray: the window that was forecast.
    """
    with style():
        figure, axes = stacked_panels(
            len(panels), 0.9 + 2.1 * len(panels), sharex=True, sharey=True
        )
        for axis, (title, (target, systems)) in zip(axes, panels.items(), strict=True):
            axis.axvspan(target, target + 1, color="0.88", zorder=0)
            for i, (system, windows) in enumerate(systems.items()):
                values = np.concatenate([np.asarray(one) for one in windows], axis=-1)
                size = values.shape[-1] // len(windows)
                places = (np.arange(values.shape[-1]) + 0.5) / size
                middle, low, high = geometric_mean(values)
                axis.plot(
                    places,
                    middle,
                    color=SYSTEMS[i],
                    marker=MARKERS[i],
                    markersize=3.5,
                    linestyle=DASHES[i],
                    label=system,
                )
                axis.fill_between(places, low, high, color=SYSTEMS[i], alpha=0.18, linewidth=0)
            for border in (1, 2):
                axis.axvline(border, color="0.6", linewidth=1)
            axis.set_title(title, loc="left", fontsize=12)
            axis.set(yscale="log", xlim=(0, 3))
        for axis in axes:
            _even(axis)
            _round_ticks(axis)
        axes[-1].set_xticks([0.5, 1.5, 2.5], ["x", "y", "z"])
        figure.supylabel("expressive model's error over classic's")
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(systems)
        )
    return figure
