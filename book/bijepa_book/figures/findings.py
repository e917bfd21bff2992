"""The findings of chapter 8: seeds side by side, curves over training, errors by position."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bijepa_book.evidence.statistics import bootstrap_interval
from bijepa_book.evidence.verdicts import Records
from bijepa_book.figures.evidence import DPI, _few_ticks
from bijepa_book.names import MODELS
from bijepa_book.style import COLORS, DASHES, WIDTH, look, stacked_panels, style

Row = Sequence[float]
"""A number a seed."""


def column(records: Records, key: str, measure: str) -> dict[int, float]:
    """A measure by seed; empty where there is no record of it."""
    record = records.get(key)
    if record is None or measure not in record["measures"]:
        return {}
    numbers = zip(record["seeds"], record["measures"][measure], strict=True)
    return {seed: value for seed, value in numbers if value is not None}


def ratios(records: Records, over: tuple[str, str], under: tuple[str, str]) -> list[float]:
    """One measure over another, seed by seed.

    Args:
        records: by key.
        over, under: a record's key and a measure.

    Returns:
        A number for each seed that both have; empty where one has no record.
    """
    ours, theirs = column(records, *over), column(records, *under)
    return [ours[seed] / theirs[seed] for seed in ours if seed in theirs]


def strips(
    panels: Mapping[str, Mapping[str, Row]],
    label: str,
    *,
    lines: Mapping[str, Mapping[str, float]] | None = None,
    marks: Mapping[str, Mapping[str, float]] | None = None,
    even: float | None = None,
    log: bool = True,
    words: str = "",
) -> Figure:
    """A panel a system, a row a model or comparison: every seed, and the mean's 95 % interval.

    Args:
        panels: a panel's title, then its rows from above; a row without numbers stays empty.
        label: of the axis.
        lines: what else stands in a panel, as upright lines: name and place.
        marks: what the paper says, as a triangle: panel, row, place.
        even: where nothing differs.
        log: of the axis; then means are geometric.
        words: what the triangles are, in the legend.

    Returns:
        The figure.
    """
    counts = [len(rows) for rows in panels.values()]
    height = sum(0.75 + 0.36 * count for count in counts) + 1.0
    with style():
        figure, axes = stacked_panels(
            len(panels), height, dpi=DPI, height_ratios=[0.6 + 0.36 * c for c in counts]
        )
        for axis, (title, rows) in zip(axes, panels.items(), strict=True):
            for y, values in enumerate(rows.values()):
                _strip(axis, y, values, log)
            for i, (name, place) in enumerate((lines or {}).get(title, {}).items()):
                axis.axvline(place, color="0.25", linestyle=DASHES[i % 5], lw=1.4, label=name)
            for row, place in (marks or {}).get(title, {}).items():
                at = list(rows).index(row)
                axis.plot(
                    [place], [at], "^", color="white", mec="black", ms=9, zorder=4, label=words
                )
            if even is not None:
                axis.axvline(even, color="0.45", linestyle=DASHES[2], lw=1.4)
            if log:
                axis.set_xscale("log")
                _few_ticks(axis)
            axis.set(yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5))
            axis.set_yticklabels(list(rows), fontsize=10.5)
            axis.set_title(title, loc="left", fontsize=12)
        drawn = [
            one for axis in axes for one in zip(*axis.get_legend_handles_labels(), strict=True)
        ]
        unique = {name: handle for handle, name in drawn}
        if unique:
            figure.legend(
                unique.values(), unique.keys(), loc="outside upper center", ncols=2, fontsize=10
            )
        figure.supxlabel(label, fontsize=11.5)
    return figure


def _strip(axis: Axes, y: int, values: Row, log: bool) -> None:
    if len(values) < 2:
        return
    spread = np.linspace(-0.25, 0.25, len(values))
    axis.scatter(values, y + spread, s=13, color=COLORS[0], alpha=0.5, lw=0.9)
    logs = np.log(values) if log else np.asarray(values)
    ends = np.array([logs.mean(), *bootstrap_interval(logs)])
    mean, low, high = np.exp(ends) if log else ends
    axis.plot([low, high], [y, y], color="black", lw=3.2, solid_capstyle="butt")
    axis.plot([mean], [y], marker="D", color="black", markersize=5)


def training(
    records: Records, keys: Mapping[str, str], curves: Mapping[str, str], steps: int, end: int
) -> Figure:
    """What is watched while models train: the median over seeds, and the middle half.

    Args:
        records: by key.
        keys: what a curve is called, and its record's key.
        curves: a panel's title, and the curve's name in the records.
        steps: of the training.
        end: where the paper's training ends, as an upright line.

    Returns:
        A panel a curve.
    """
    with style():
        figure, axes = stacked_panels(len(curves), 2.6 * len(curves) + 0.5, dpi=DPI, sharex=True)
        for axis, (title, curve) in zip(axes, curves.items(), strict=True):
            for i, (name, key) in enumerate(keys.items()):
                if key not in records:
                    continue
                seen = np.array(records[key]["curves"][curve])
                at = steps * np.arange(seen.shape[1]) / seen.shape[1]  # the first look is at step 0
                low, middle, high = np.quantile(seen, (0.25, 0.5, 0.75), axis=0)
                color, dash, _ = look(name, i)
                axis.plot(at, middle, color=color, linestyle=dash, label=name)
                axis.fill_between(at, low, high, color=color, alpha=0.15, lw=0)
            axis.axvline(end, color="0.45", linestyle=DASHES[2], lw=1.4)
            axis.set_ylim(bottom=0)
            axis.set_title(title, loc="left", fontsize=12)
        figure.supxlabel("step", fontsize=11.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def positions(records: Records, panels: Mapping[str, Mapping[str, str]], label: str) -> Figure:
    """Errors by position in a window, small multiples.

    Args:
        records: by key.
        panels: a panel's title, then what a curve is called and where it is: ``key curve``.
        label: of the horizontal axes.

    Returns:
        The geometric mean over seeds at each position.
    """
    rows = -(-len(panels) // 2)
    with style():
        figure, axes = plt.subplots(
            rows, 2, figsize=(WIDTH, 2.3 * rows + 0.7), layout="constrained", dpi=DPI, squeeze=False
        )
        for axis, (title, curves) in zip(axes.flat, panels.items(), strict=False):
            for i, (name, place) in enumerate(curves.items()):
                key, curve = place.split()
                if key not in records or curve not in records[key]["curves"]:
                    continue
                middle = np.exp(np.log(np.array(records[key]["curves"][curve])).mean(0))
                color, dash, _ = look(name, i)
                places = np.arange(1, len(middle) + 1)
                axis.plot(places, middle, color=color, linestyle=dash, label=name)
            axis.set_yscale("log")
            axis.set_title(title, loc="left", fontsize=11)
            axis.tick_params(labelsize=9.5)
            _few_ticks(axis, axis.yaxis)
        for axis in list(axes.flat)[len(panels) :]:
            axis.remove()
        figure.supxlabel(label, fontsize=11.5)
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=2, fontsize=10)
    return figure


def named(keys: Sequence[str], experiment: str, length: str = "paper") -> dict[str, str]:
    """Conditions as a reader knows them, and their records' keys."""
    return {MODELS.get(name, name): f"{experiment}-{name}-{length}" for name in keys}
