"""A watch's recordings, predators and prey, what can be read of them, and what goes unnoticed."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.chapters.own_data import WINDOW, Ecosystems
from bijepa_book.style import COLORS, DASHES, WIDTH, band, stacked_panels, style

MARKERS = ("o", "s", "^", "D", "v", "P")
ROWS = {"counts": 0, "raw window": 0, "products": 1, "mean and spread": 1, "untrained": 2}
ROWS |= {"A": 3, "B": 4, "copy": 5}
"""Whose color and marker, the same in every figure; others come in their order."""


def recordings(series: Mapping[str, Tensor], channels: Sequence[str], seconds: float) -> Figure:
    """A few multivariate series, gaps left open.

    Args:
        series: what to write above each, and its values, ``(time, channels)``.
        channels: to draw, the first of the series' own.
        seconds: between two values.

    Returns:
        One panel a series, all on the same scale.
    """
    with style():
        figure, axes = stacked_panels(len(series), 1 + 1.6 * len(series), sharex=True, sharey=True)
        for axis, (title, values) in zip(axes, series.items(), strict=True):
            times = seconds * torch.arange(len(values))
            for i, channel in enumerate(channels):
                axis.plot(
                    times,
                    values[:, i],
                    color=COLORS[i],
                    linestyle=DASHES[i],
                    linewidth=1.4,
                    label=channel,
                )
            axis.set_title(title, loc="left", fontsize=12)
        figure.supxlabel("seconds")
        figure.supylabel("acceleration")
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(channels)
        )
    return figure


def generalization(steps: Sequence[int], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Relative loss during training, on what is learned from and on what is held out.

    Args:
        steps: at which it was looked at.
        curves: a label, and one value a step.

    Returns:
        One panel; the dotted line at 1 is knowing the mean.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 3.8), layout="constrained")
        for i, (label, values) in enumerate(curves.items()):
            band(axis, torch.tensor(steps), torch.tensor(values), label, i)
        axis.axhline(1, color="0.4", linewidth=1.2, linestyle=(0, (1, 1.2)))
        axis.set(xlabel="training step", ylabel="relative loss", yscale="log")
        axis.legend()
    return figure


def systems(drawn: Ecosystems) -> Figure:
    """Counted prey, as context and target, and the predators that nobody counts.

    Args:
        drawn: a few systems.

    Returns:
        One panel a system, stacked.
    """
    with style():
        count = len(drawn.pace)
        figure, axes = stacked_panels(count, 0.8 + 1.9 * count, sharex=True)
        for axis, prey, predators, pace in zip(axes, *drawn, strict=True):
            axis.plot(
                predators, color="0.6", linewidth=1.4, linestyle=(0, (5, 2)), label="predators"
            )
            axis.plot(prey[:WINDOW], ".-", color=COLORS[0], label="prey, x")
            axis.plot(
                range(WINDOW, len(prey)),
                prey[WINDOW:],
                "^:",
                color=COLORS[1],
                ms=4,
                label="prey, y",
            )
            axis.set_title(f"pace {float(pace):.2f}", loc="left", fontsize=12)
        figure.supxlabel("count")
        figure.supylabel("logarithm of number")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def dots(
    table: Mapping[str, Mapping[str, float]], label: str, chance: float, *, log: bool = False
) -> Figure:
    """A table as points: one line for each of its columns, one marker for each of its rows.

    Markers of one line stand a little apart, so that equal numbers do not hide each other.

    Args:
        table: a row's name, then a column's, then the number.
        label: what the numbers are.
        chance: the value of knowing nothing, drawn as a line.
        log: a logarithmic axis.

    Returns:
        One panel, columns of the table from top to bottom.
    """
    columns = list(next(iter(table.values())))
    with style():
        figure, axis = plt.subplots(
            figsize=(WIDTH, 1.8 + 0.55 * len(columns)), layout="constrained"
        )
        for i, (row, values) in enumerate(table.items()):
            k = ROWS.get(row, i)
            axis.plot(
                [values[column] for column in columns],
                [j + 0.14 * (i - (len(table) - 1) / 2) for j in range(len(columns))],
                MARKERS[k],
                color=COLORS[k],
                markersize=8,
                markerfacecolor=COLORS[k] if k % 2 else "white",
                markeredgewidth=1.8,
                label=row,
            )
        axis.axvline(chance, color="0.4", linewidth=1.2, linestyle=(0, (1, 1.2)))
        axis.set(yticks=range(len(columns)), yticklabels=columns, xlabel=label)
        if log:
            axis.set_xscale("log")
        axis.invert_yaxis()
        figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure
