"""One style for every figure: readable on a phone, in dark mode, and without color.

Curves differ by dash as well as by color (the palette is Okabe and Ito's, safe for color
blindness), points by shape.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import Tensor

WIDTH = 6.4  # inches: one column; type stays legible when a phone shrinks it
STYLE: Any = {
    "figure.dpi": 150,
    "figure.facecolor": "white",  # a light card under dark pages
    "savefig.facecolor": "white",
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 2, 1, 2)), (0, (8, 3)), "-")


class Look(NamedTuple):
    """How one model is drawn, wherever it is."""

    color: str
    dash: Any
    marker: str


PLAIN = Look("0.25", DASHES[0], "o")
LOOKS = {
    "expressive": Look(COLORS[0], DASHES[0], "o"),
    "unconstrained": Look(COLORS[1], DASHES[1], "^"),
    "classic": Look(COLORS[2], DASHES[2], "s"),
    "restrictive": Look(COLORS[4], DASHES[4], "D"),
    "classic, unconstrained": Look(COLORS[3], DASHES[3], "v"),
    # the expressive model with a part of its constraint
    "LayerNorm alone": Look("0.45", DASHES[0], "o"),
    "decay alone": Look("0.45", DASHES[1], "^"),
    # chapter 10: a penalty on the scale, and nothing else
    "scale": Look("#000000", (0, (6, 1.5, 1.5, 1.5)), "P"),
    # chapter 1: every safeguard in place, as in the expressive model; then some taken out
    "complete": Look(COLORS[0], DASHES[0], "o"),
    "no EMA": Look("#E69F00", DASHES[1], "<"),
    "no stop-gradient": Look("#882255", DASHES[2], "X"),
    "no predictor": Look("#888820", DASHES[3], "P"),
    "no EMA, no predictor": Look("#000000", DASHES[4], ">"),
    "no stop-gradient, no predictor": Look("#882255", DASHES[2], "*"),
    # chapter 9: other directions
    "mirror": Look("#E69F00", DASHES[1], "<"),
    "outward": Look("#882255", DASHES[3], "D"),
    "ahead": Look("#000000", DASHES[4], "v"),
    # what needs no training
    **dict.fromkeys(("raw", "untrained", "mean", "mean_state"), Look("0.45", DASHES[0], "|")),
    "best": Look("0.45", DASHES[0], "|"),
    "copy_last": Look("0.45", DASHES[2], "|"),
    "extrapolate": Look("0.45", DASHES[3], "|"),
    "ridge_on_raw_windows": Look("#000000", DASHES[1], "|"),
    "equations_from_expressive": Look("#E69F00", DASHES[3], "|"),
}
"""By the name in tables and records."""
OTHERS = (
    Look("#8A3FFC", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "h"),
    Look("#8C510A", (0, (9, 2, 3, 2)), "p"),
    Look("#0F8B8D", (0, (2.5, 1.5)), "d"),
    Look("#C1121F", (0, (7, 1.5, 1, 1.5, 1, 1.5, 1, 1.5)), "H"),
)
"""For what is none of these: colors and dashes that no model has."""
LABELS = {
    "relative_loss": "relative loss",
    "norm": "embedding norm",
    "variance": "embedding variance",
    "effective_rank": "effective rank",
}


@contextmanager
def style() -> Iterator[None]:
    """The book's style, for the figures drawn inside.

    ``plt.rc_context`` would restore every setting, and so undo what a notebook's backend sets
    up when the first figure is made: no later figure would be shown.
    """
    before = {name: plt.rcParams[name] for name in STYLE}
    plt.rcParams.update(STYLE)
    try:
        yield
    finally:
        plt.rcParams.update(before)


def stacked_panels(count: int, height: float, **settings: Any) -> tuple[Figure, list[Axes]]:
    """Panels one below the other, as wide as a page's column.

    Args:
        count: of panels.
        height: of the figure, in inches.
        settings: of matplotlib's ``subplots``, such as ``sharex``.

    Returns:
        The figure, and its panels from top to bottom.
    """
    figure, axes = plt.subplots(
        count, 1, figsize=(WIDTH, height), layout="constrained", squeeze=False, **settings
    )
    return figure, list(axes.flat)


def factor_rows(axis: Axes, names: Sequence[str], ticks: Sequence[float]) -> None:
    """Rows with names, and factors across on a log scale.

    Args:
        axis: with what it shows.
        names: of its rows, the lowest first.
        ticks: of factors; those that lie outside are left out.
    """
    axis.set_yticks(range(len(names)), names)
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    shown = [tick for tick in ticks if low < tick < high]
    axis.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()


def look(name: str, i: int | None = None) -> Look:
    """A model's own look; for anything else, the i-th.

    Args:
        name: of a model, as the tables have it, or of anything.
        i: its place among what the figure shows; None where it stands in a row of its own and
            needs no color.

    Returns:
        Color, dash and marker.
    """
    ith = PLAIN if i is None else Look(COLORS[i % len(COLORS)], DASHES[i % len(DASHES)], "o")
    return LOOKS.get(name, ith)


def band(axis: Axes, steps: Tensor, values: Tensor, label: str, i: int) -> None:
    """Draw a curve; of several seeds, their median and the range around it.

    Args:
        axis: where.
        steps: ``(n,)``.
        values: ``(n, *seeds)``.
        label: in the legend; a model's name decides its :func:`look`.
        i: which color and dash, where it does not.
    """
    color, dash, _ = look(label, i)
    if values.ndim == 1:
        axis.plot(steps, values, label=label, color=color, linestyle=dash)
        return
    axis.plot(steps, values.quantile(0.5, dim=1), label=label, color=color, linestyle=dash)
    axis.fill_between(steps, values.amin(1), values.amax(1), color=color, alpha=0.15, linewidth=0)


def label_log(axes: Axes, which: str) -> None:
    """Label a logarithmic axis as closely as its length asks for, in plain numbers if it can be.

    It ends at labelled ticks: no point lies beyond the last number that a reader sees.

    Args:
        axes: with everything drawn.
        which: ``x`` or ``y``.
    """
    together = getattr(axes, f"get_shared_{which}_axes")().get_siblings(axes)
    low = min(getattr(one.dataLim, f"minpos{which}") for one in together)
    high = max(getattr(one.dataLim, f"{which}max") for one in together)
    spans = {5: (1, 1.5, 2, 3, 4, 5, 7), 300: (1, 2, 5)}
    marks = next((marks for most, marks in spans.items() if high / low < most), (1,))
    grid = sorted(mark * 10.0**k for k in range(-40, 40) for mark in marks)
    first = max(i for i, mark in enumerate(grid) if mark <= low)
    last = min(i for i, mark in enumerate(grid) if mark >= high and i > first)
    ticks = grid[first : last + 1]
    getattr(axes, f"set_{which}lim")(ticks[0], ticks[-1])
    if 1e-3 <= ticks[0] < ticks[-1] <= 1e5:  # else powers of ten are read with less trouble
        getattr(axes, f"set_{which}ticks")(ticks, [f"{tick:,g}" for tick in ticks])
        getattr(axes, f"{which}axis").set_minor_locator(NullLocator())
