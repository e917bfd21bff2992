"""One embedding under two probes (chapter 3): scores, steps, scales, and waves with a gain."""

from collections.abc import Mapping, Sequence
from statistics import median

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.names import words
from bijepa_book.style import COLORS, DASHES, WIDTH, band, style
from bijepa_core.experiments import SINE

MARKERS = ("o", "s", "^", "D", "v", "P")
PROTOCOLS = {"a": "Protocol A (encoder)", "b": "Protocol B (predictor)"}
PROBES = {  # shift of a row, marker and color, name
    "paper": (-0.17, "x", COLORS[1], "the paper's probe"),
    "fair": (0.17, "o", COLORS[0], "fair probe, held out"),
}


def probe_scores(
    rows: Mapping[str, Mapping[str, Sequence[float]]], lines: Mapping[str, float]
) -> Figure:
    """The paper's probe and the fair one side by side, one point a seed.

    Args:
        rows: scores by configuration: ``paper_a``, ``fair_a``, ``paper_b`` and ``fair_b``.
        lines: errors of forecasts without pretraining, drawn across both panels.

    Returns:
        Two panels, Protocol A above B; a bar at each median.
    """
    with style():
        figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 7.2), layout="constrained", sharex=True)
        for axis, (letter, title) in zip(axes, PROTOCOLS.items(), strict=True):
            for i, scores in enumerate(rows.values()):
                for probe, (shift, marker, color, name) in PROBES.items():
                    values, height = scores[f"{probe}_{letter}"], i + shift
                    axis.scatter(
                        values,
                        [height] * len(values),
                        color=color,
                        marker=marker,
                        alpha=0.75,
                        s=30,
                        label=name if i == 0 else None,
                    )
                    bar = [height - 0.14, height + 0.14]
                    axis.plot([median(values)] * 2, bar, color="black", linewidth=2)
            for i, (name, value) in enumerate(lines.items()):
                axis.axvline(value, color="0.35", linestyle=DASHES[i + 1], linewidth=1.4)
                if letter == "a":
                    label = f" {words(name)}"
                    axis.text(value, -0.62, label, rotation=35, fontsize=10, va="bottom")
            axis.set(yticks=range(len(rows)), yticklabels=list(rows), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.text(0.99, 0.03, title, transform=axis.transAxes, ha="right", va="bottom")
        figure.supxlabel("mean squared error on sample 10")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def probe_courses(courses: Mapping[str, Mapping[str, Tensor]], marks: Sequence[int]) -> Figure:
    """The paper's probe, given more steps; thin, the least error of any linear map.

    Args:
        courses: by configuration, see :func:`bijepa_book.chapters.sphere.probe_courses`.
        marks: the steps that were looked at.

    Returns:
        Two panels, Protocol A above B.
    """
    with style():
        figure, axes = plt.subplots(
            2, 1, figsize=(WIDTH, 7), layout="constrained", sharex=True, sharey=True
        )
        for axis, (letter, title) in zip(axes, PROTOCOLS.items(), strict=True):
            for i, (name, values) in enumerate(courses.items()):
                curve = values[f"paper_{letter}"]
                band(axis, curve.new_tensor(list(marks)), curve, name, i)
                least = float(values[f"least_{letter}"].quantile(0.5))
                axis.axhline(least, color=COLORS[i], linestyle=DASHES[i], linewidth=0.8)
            axis.axvline(SINE.probe_steps, color="black", linewidth=1)
            axis.set(xscale="log", yscale="log")
            axis.set_title(title, fontsize=12, loc="left")
        top = axes[0].get_ylim()[1]
        axes[0].text(SINE.probe_steps * 1.08, top * 0.6, "the paper stops here")
        figure.supxlabel("steps of the probe")
        figure.supylabel("error on the probe's own training set")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
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
        figure, axis = plt.subplots(figsize=(WIDTH, 5), layout="constrained")
        here = list(factors).index(1.0)
        for i, (name, values) in enumerate(looks.items()):
            spread, paper, fair = (
                values[column].quantile(0.5, dim=1) for column in ("spread", "paper_a", "fair_a")
            )
            look = {"color": COLORS[i], "linestyle": DASHES[i]}
            axis.plot(spread, paper, marker=MARKERS[i], markersize=4, label=name, **look)
            axis.plot(spread, fair, linewidth=1, **look)
            axis.plot(spread[here], paper[here], MARKERS[i], color=COLORS[i], markersize=13)
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="standard deviation of a coordinate",
            ylabel="mean squared error",
        )
        figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def gain_scores(rows: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """What is left unexplained of gain and next value, one point a seed.

    Args:
        rows: by features, see :func:`bijepa_book.chapters.sphere.loudness`.

    Returns:
        Two panels, gain above next value.
    """
    with style():
        targets = list(next(iter(rows.values())))
        figure, axes = plt.subplots(
            len(targets),
            1,
            figsize=(WIDTH, 0.8 + len(targets) * (0.5 + 0.36 * len(rows))),
            layout="constrained",
            sharex=True,
        )
        for axis, target in zip(axes, targets, strict=True):
            for i, values in enumerate(rows.values()):
                numbers = values[target]
                axis.scatter(numbers, [i] * len(numbers), color=COLORS[0], alpha=0.7, s=26)
                axis.plot([median(numbers)] * 2, [i - 0.3, i + 0.3], color="black", linewidth=2)
            axis.set(yticks=range(len(rows)), yticklabels=list(map(words, rows)), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.set_title(words(target), fontsize=12, loc="left")
            axis.axvline(1, color="black", linewidth=1)
        figure.supxlabel("share of the variance left unexplained")
    return figure
