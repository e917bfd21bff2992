"""One embedding under two probes (chapter 3): scores, steps, scales, and what is left of a gain."""

from collections.abc import Mapping, Sequence
from statistics import median

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from bijepa_book.names import words
from bijepa_book.style import WIDTH, band, label_log, look, stacked_panels, style
from bijepa_core.experiments import SINE

PROTOCOLS = {"a": "Protocol A (encoder)", "b": "Protocol B (predictor)"}
PROBES = {  # shift of a row, face of its marks, name
    "paper": (-0.17, "white", "the paper's probe"),
    "fair": (0.17, None, "fair probe, held out"),
}
GRAY = "0.35"


def probe_scores(
    rows: Mapping[str, Mapping[str, Sequence[float]]], lines: Mapping[str, float]
) -> Figure:
    """The paper's probe (hollow) and the fair one (filled) side by side, one point a seed.

    Args:
        rows: scores by configuration: ``paper_a``, ``fair_a``, ``paper_b`` and ``fair_b``.
        lines: errors of forecasts without pretraining, drawn across both panels.

    Returns:
        Two panels, Protocol A above B; a bar at each median.
    """
    with style():
        figure, axes = stacked_panels(2, 7.2, sharex=True)
        for axis, (letter, title) in zip(axes, PROTOCOLS.items(), strict=True):
            for i, (row, scores) in enumerate(rows.items()):
                color, _, marker = look(row, i)
                for probe, (shift, face, _) in PROBES.items():
                    values, height = scores[f"{probe}_{letter}"], i + shift
                    axis.scatter(
                        values,
                        [height] * len(values),
                        edgecolor=color,
                        facecolor=face or color,
                        marker=marker,
                        s=32,
                        label=f"{row}: {probe}",
                    )
                    bar = [height - 0.14, height + 0.14]
                    axis.plot([median(values)] * 2, bar, color="black", linewidth=2)
            for i, (name, value) in enumerate(lines.items()):
                axis.axvline(value, color=GRAY, linestyle=("--", ":", "-.")[i], linewidth=1.4)
                if letter == "a":
                    label = f" {words(name)}"
                    axis.text(value, -0.62, label, rotation=35, fontsize=10, va="bottom")
            axis.set(yticks=range(len(rows)), yticklabels=list(rows), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.text(0.99, 0.03, title, transform=axis.transAxes, ha="right", va="bottom")
        label_log(axes[-1], "x")
        figure.supxlabel("mean squared error on sample 10")
        handles = [
            Line2D([], [], color=GRAY, ls="", marker="o", markerfacecolor=face or GRAY, label=name)
            for _, face, name in PROBES.values()
        ]
        handles.append(Line2D([], [], color="black", linewidth=2, ls="", marker="|", ms=12, mew=2))
        handles[-1].set_label("median")
        figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def probe_courses(
    courses: Mapping[str, Tensor], least: Mapping[str, float], marks: Sequence[int]
) -> Figure:
    """The paper's probe, given more steps; thin, the least error of any linear map.

    Args:
        courses: by configuration, the error at each mark, ``(marks, seeds)``.
        least: by configuration.
        marks: the steps that were looked at.

    Returns:
        One panel.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 4.6), layout="constrained")
        for i, (name, curve) in enumerate(courses.items()):
            band(axis, curve.new_tensor(list(marks)), curve, name, i)
            color, dash, _ = look(name, i)
            axis.axhline(least[name], color=color, linestyle=dash, linewidth=0.8)
        axis.axvline(SINE.probe_steps, color="black", linewidth=1)
        axis.set(xscale="log", yscale="log", xlabel="steps of the probe")
        axis.set_ylabel("error on the probe's own waves")
        label_log(axis, "x")
        label_log(axis, "y")
        axis.text(SINE.probe_steps * 1.08, axis.get_ylim()[1] * 0.7, "the paper stops here")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def scaled(looks: Mapping[str, Mapping[str, Tensor]], factors: Sequence[float]) -> Figure:
    """Errors against the spread of a coordinate, for embeddings multiplied by a number.

    Args:
        looks: by configuration, see :func:`bijepa_book.chapters.sphere.scaled`.
        factors: the numbers, 1 among them: a large mark shows it.

    Returns:
        One panel: the paper's probe with marks, the fair one without.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 5.2), layout="constrained")
        here = list(factors).index(1.0)
        for i, (name, values) in enumerate(looks.items()):
            spread, paper, fair = (
                values[column].quantile(0.5, dim=1) for column in ("spread", "paper_a", "fair_a")
            )
            color, dash, marker = look(name, i)
            axis.plot(spread, paper, ls=dash, color=color, marker=marker, ms=4, label=name)
            axis.plot(spread, fair, ls=dash, color=color, linewidth=1)
            axis.plot(spread[here], paper[here], marker, color=color, markersize=13)
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="standard deviation of a coordinate",
            ylabel="mean squared error",
        )
        label_log(axis, "x")
        label_log(axis, "y")
        handles, _ = axis.get_legend_handles_labels()
        handles += [
            Line2D([], [], color=GRAY, marker="o", ms=4, label="paper's probe"),
            Line2D([], [], color=GRAY, linewidth=1, label="fair probe"),
            Line2D([], [], color=GRAY, ls="", marker="o", ms=11, label="as it is"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1.2)
    return figure


def panels(rows: Mapping[str, Mapping[str, Sequence[float]]], label: str) -> Figure:
    """A panel for each column of a table, one point a seed, a bar at the median.

    Args:
        rows: by model or features, and by column.
        label: what the numbers are.

    Returns:
        The panels, stacked.
    """
    with style():
        columns = list(next(iter(rows.values())))
        height = 0.8 + len(columns) * (0.5 + 0.36 * len(rows))
        figure, axes = stacked_panels(len(columns), height, sharex=True)
        for axis, column in zip(axes, columns, strict=True):
            for i, (row, values) in enumerate(rows.items()):
                color, _, marker = look(row)
                numbers = values[column]
                axis.scatter(
                    numbers, [i] * len(numbers), color=color, marker=marker, alpha=0.7, s=28
                )
                axis.plot([median(numbers)] * 2, [i - 0.3, i + 0.3], color="black", linewidth=2)
            axis.set(yticks=range(len(rows)), yticklabels=list(map(words, rows)), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.set_title(words(column), fontsize=12, loc="left")
        label_log(axes[-1], "x")
        figure.supxlabel(label)
    return figure
