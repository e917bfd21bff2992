"""One embedding under two probes (chapter 3): scores, steps, scales, and waves with a gain."""

from collections.abc import Mapping, Sequence
from statistics import median

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.style import COLORS, DASHES, WIDTH, band, style

MARKERS = ("o", "s", "^", "D", "v", "P")


def probe_scores(
    rows: Mapping[str, Mapping[str, Sequence[float]]], lines: Mapping[str, float]
) -> Figure:
    """The paper's probe and the converged one side by side, one point a seed.

    Args:
        rows: by configuration, see :func:`bijepa_book.chapters.sphere.both_probes`.
        lines: errors of forecasts without pretraining, drawn across both panels.

    Returns:
        Two panels, Protocol A above B.
    """
    with style():
        figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 7.2), layout="constrained", sharex=True)
        for axis, letter, title in zip(axes, "AB", ("A (encoder)", "B (predictor)"), strict=True):
            for i, values in enumerate(rows.values()):
                for measure, shift, marker in (("paper", -0.17, "x"), ("converged", 0.17, "o")):
                    _points(axis, values[f"{letter}, {measure}"], i + shift, marker, measure, i)
            for i, (name, value) in enumerate(lines.items()):
                axis.axvline(value, color="0.35", linestyle=DASHES[i + 1], linewidth=1.4)
                if letter == "A":
                    axis.text(value, -0.62, f" {name}", rotation=35, fontsize=10, va="bottom")
            axis.set(yticks=range(len(rows)), yticklabels=list(rows), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.text(
                0.99, 0.03, f"Protocol {title}", transform=axis.transAxes, ha="right", va="bottom"
            )
        figure.supxlabel("mean squared error on sample 10")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _points(
    axis: Axes, values: Sequence[float], height: float, marker: str, measure: str, i: int
) -> None:
    """One seed a point and a bar at the median."""
    color = COLORS[1] if measure == "paper" else COLORS[0]
    name = {"paper": "the paper's probe", "converged": "converged, held out"}[measure]
    axis.scatter(
        values,
        [height] * len(values),
        color=color,
        marker=marker,
        alpha=0.75,
        s=30,
        label=name if i == 0 else None,
    )
    axis.plot([median(values)] * 2, [height - 0.14, height + 0.14], color="black", linewidth=2)


def probe_courses(
    courses: Mapping[str, Mapping[str, Tensor]], marks: Sequence[int], at: int = 100
) -> Figure:
    """The paper's probe, given more steps; dotted, the least error of any linear map.

    Args:
        courses: see :func:`bijepa_book.chapters.sphere.probe_courses`.
        marks: the steps that were looked at.
        at: where the paper stops.

    Returns:
        Two panels, Protocol A above B.
    """
    with style():
        figure, axes = plt.subplots(
            2, 1, figsize=(WIDTH, 7), layout="constrained", sharex=True, sharey=True
        )
        for axis, letter in zip(axes, "AB", strict=True):
            for i, (name, values) in enumerate(courses.items()):
                curve = values[letter]
                band(axis, _steps(marks, curve), curve, name, i)
                least = float(values[f"{letter}, least"].quantile(0.5))
                axis.axhline(least, color=COLORS[i], linestyle=DASHES[i], linewidth=0.8)
            axis.axvline(at, color="black", linewidth=1)
            axis.set(xscale="log", yscale="log")
            axis.set_title(
                f"Protocol {'A (encoder)' if letter == 'A' else 'B (predictor)'}",
                fontsize=12,
                loc="left",
            )
        axes[0].text(at * 1.08, axes[0].get_ylim()[1] * 0.6, "the paper stops here")
        figure.supxlabel("steps of the probe")
        figure.supylabel("error on the probe's own training set")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _steps(marks: Sequence[int], like: Tensor) -> Tensor:
    return like.new_tensor(list(marks))


def scaled(looks: Mapping[str, Mapping[str, Tensor]], factors: Sequence[float]) -> Figure:
    """Errors against the spread of a coordinate, for embeddings multiplied by a number.

    Args:
        looks: see :func:`bijepa_book.chapters.sphere.scaled`.
        factors: the numbers; where 1 is among them, a large mark shows it.

    Returns:
        One panel: the paper's probe with marks, the converged one without.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 5), layout="constrained")
        for i, (name, values) in enumerate(looks.items()):
            spread, paper, converged = (
                values[column].quantile(0.5, dim=1) for column in ("spread", "paper", "converged")
            )
            look = {"color": COLORS[i], "linestyle": DASHES[i]}
            axis.plot(spread, paper, marker=MARKERS[i], markersize=4, label=name, **look)
            axis.plot(spread, converged, linewidth=1, **look)
            if 1.0 in factors:
                j = list(factors).index(1.0)
                axis.plot(spread[j], paper[j], MARKERS[i], color=COLORS[i], markersize=13)
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
        rows: see :func:`bijepa_book.chapters.sphere.loudness`.

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
            axis.set(yticks=range(len(rows)), yticklabels=list(rows), xscale="log")
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.set_title(target, fontsize=12, loc="left")
            axis.axvline(1, color="black", linewidth=1)
        figure.supxlabel("share of the variance left unexplained")
    return figure
