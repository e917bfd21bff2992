"""What alpha changes: errors in both directions, what an embedding remembers, corrupted views."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.style import COLORS, DASHES, LOOKS, WIDTH, band, look, stacked_panels, style

Values = Mapping[str, Sequence[float]]
OTHER = 5  # the look of what is no model with a look of its own: black
MARKERS = ("o", "s")  # of the two directions


def both_ways(rows: Mapping[float, Values], raw: float) -> Figure:
    """Errors of fair probes and relative losses against alpha, in both directions.

    Args:
        rows: alpha, then what was measured, one number a seed.
        raw: the error of the same probe on the raw samples.

    Returns:
        Three panels, alphas evenly spaced: Protocol A, Protocol B, relative loss.
    """
    panels = {
        "squared error, Protocol A (encoder)": ("fair_a", "before_a"),
        "squared error, Protocol B (predictor)": ("fair_b", "before_b"),
        "relative loss": ("forward", "backward"),
    }
    labels = ("forward: the future from x", "backward: the past from y")
    with style():
        figure, axes = plt.subplots(3, 1, figsize=(WIDTH, 8.6), layout="constrained", sharex=True)
        for axis, (title, names) in zip(axes, panels.items(), strict=True):
            for i, (name, label) in enumerate(zip(names, labels, strict=True)):
                _against_alpha(axis, rows, name, label, i)
            if "error" in title:
                axis.axhline(raw, color="0.4", linewidth=1.2, linestyle=DASHES[2])
                axis.text(len(rows) - 1, raw * 0.96, "raw samples", ha="right", va="top")
            axis.set_title(title, loc="left", fontsize=12)
            if "error" in title:
                axis.set_ylim(bottom=raw * 0.7)
            _log_axis(axis, (0.005, 0.01, 0.02, 0.03, 0.04, 0.06))
        axes[-1].set_xticks(range(len(rows)), [f"{alpha:.3g}" for alpha in rows])
        axes[-1].set_xlabel("alpha (evenly spaced, not to scale)")
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=2, fontsize=11)
    return figure


def _log_axis(axis: Axes, ticks: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers, at those of the ticks that lie on it."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_yticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()


def _against_alpha(
    axis: Axes, rows: Mapping[float, Values], name: str, label: str, look: int
) -> None:
    """The median over seeds, and the range around it, where the number exists."""
    places = [i for i, row in enumerate(rows.values()) if name in row]
    values = torch.tensor([list(row[name]) for row in rows.values() if name in row])
    band(axis, torch.tensor(places), values, label, look)
    middle = values.quantile(0.5, dim=1)
    axis.plot(places, middle, MARKERS[look], color=COLORS[look], markersize=5)


def remembered(errors: Mapping[str, Tensor]) -> Figure:
    """Which samples of its window an embedding has kept.

    Args:
        errors: a name for each model, then the error of reading each sample back,
            ``(seeds, 10)``.

    Returns:
        One panel.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
        for name, values in errors.items():
            steps = torch.arange(values.shape[-1])
            band(axis, steps, values.T, name, OTHER)
            color, _, marker = look(name, OTHER)
            marker = marker if name in LOOKS else "^"  # black's line is solid, as another's is
            axis.plot(steps, values.quantile(0.5, dim=0), marker, color=color, markersize=5)
        axis.set(xlabel="position in the window", ylabel="squared error of reading it back")
        _log_axis(axis, (0.003, 0.005, 0.01, 0.02, 0.04))
        axis.set_xticks(range(10))
        legend = figure.legend(loc="outside upper center", ncols=3)
        for line, drawn in zip(legend.get_lines(), axis.lines[1::2], strict=True):
            line.set_marker(drawn.get_marker())
    return figure


def views(clean: tuple[Tensor, Tensor], seen: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """One wave, and what the model sees of it under each condition.

    Args:
        clean: context and target, ``(10,)`` each.
        seen: a label for each condition, then both views of it.

    Returns:
        One panel a condition, stacked.
    """
    with style():
        figure, axes = plt.subplots(
            len(seen), 1, figsize=(WIDTH, 0.6 + 1.9 * len(seen)), layout="constrained", sharex=True
        )
        first, second = range(10), range(10, 20)
        for axis, (label, (x, y)) in zip(axes, seen.items(), strict=True):
            axis.plot([*first, *second], torch.cat(clean), color="0.75", linewidth=4, label="wave")
            axis.plot(first, x, "o", color=COLORS[0], markersize=5, label="view x")
            axis.plot(second, y, "^", color=COLORS[1], markersize=6, label="view y")
            axis.set_title(label, loc="left", fontsize=12)
            axis.margins(y=0.12)  # no marker is cut
            axis.set_ylabel("value")
        axes[-1].set_xticks(range(0, 20, 2))
        axes[-1].set_xlabel("sample")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def corrupted(
    conditions: Mapping[str, Mapping[float, Values]], by_information: Mapping[str, float]
) -> Figure:
    """Errors of both encoder probes against alpha, where y is corrupted.

    Each seed's error is divided by the same seed's error at alpha = 0.5, so that directions of
    very different difficulty share a panel.

    Args:
        conditions: a label, then alpha (0.5 among them), then ``fair_a`` and ``before_a``, one
            number a seed.
        by_information: each condition's alpha by Eq. 13.

    Returns:
        One panel a condition, stacked, each with a line at Eq. 13's alpha.
    """
    with style():
        figure, axes = stacked_panels(
            len(conditions), 0.8 + 2.5 * len(conditions), sharex=True, sharey=True
        )
        curves = {"fair_a": "future from clean x", "before_a": "past from corrupted y"}
        for axis, (label, rows) in zip(axes, conditions.items(), strict=True):
            axis.axvline(by_information[label], color="0.6", linewidth=5, label="alpha by Eq. 13")
            alphas = sorted(rows)
            for i, (name, legend) in enumerate(curves.items()):
                values = torch.tensor([list(rows[alpha][name]) for alpha in alphas])
                ratios = values / values[alphas.index(0.5)]
                band(axis, torch.tensor(alphas), ratios, legend, i)
                middle = ratios.quantile(0.5, dim=1)
                axis.plot(alphas, middle, MARKERS[i], color=COLORS[i], markersize=5)
            axis.set_title(label, loc="left", fontsize=12)
        for axis in axes:
            _log_axis(axis, (0.7, 1, 1.5, 2, 3, 5, 8))
        shown = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
        axes[-1].set_xticks(shown, [f"{alpha:g}" for alpha in shown])
        axes[-1].set_xlabel("alpha")
        figure.supylabel("squared error over that at alpha 0.5", fontsize=12)
        rule, *curve_handles = zip(*axes[0].get_legend_handles_labels(), strict=True)
        handles, labels = zip(*curve_handles, rule, strict=True)  # Eq. 13 in a column of its own
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure
