"""The referee's figures: every seed, the interval, what was demanded, and the baselines."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from matplotlib.transforms import blended_transform_factory

from bijepa_book.evidence.grid import BASELINES
from bijepa_book.evidence.report import named
from bijepa_book.evidence.statistics import bootstrap_interval
from bijepa_book.evidence.verdicts import Finding, Records, Verdict, shown
from bijepa_book.style import COLORS, DASHES, WIDTH, stacked_panels, style

DPI = 125  # hundreds of points a figure: at the 150 of the other figures these would weigh too much


def forest(verdicts: Sequence[Verdict], make: Callable[..., Figure] = plt.figure) -> Figure:
    """A panel a claim, a row a criterion: every seed, the mean with its interval, the demand.

    Args:
        verdicts: those of one group of claims.
        make: builds the figure; a widget passes ``Figure``, which pyplot does not show.

    Returns:
        Circles are fair criteria, crosses the paper's own. A triangle stands at what the criterion
        demands and points to the side that meets it. At the right stands the share of seeds on the
        claimed side of no difference.
    """
    drawn = []
    for verdict in verdicts:
        found = [f for f in (*verdict.fair, *verdict.paper) if f.effect is not None]
        # ratios and differences have axes of their own
        parts = [[f for f in found if f.criterion.difference is kind] for kind in (False, True)]
        title = f"{verdict.claim.id}: {verdict.word}"
        for part in parts:
            if part:
                drawn.append((verdict, part, title))
                title = ""
    heights = [(0.55 if title else 0.3) + 0.5 * len(part) for _, part, title in drawn]
    with style():
        figure = make(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained", dpi=DPI)
        axes = figure.subplots(len(drawn), 1, height_ratios=heights, squeeze=False)
        for axis, (verdict, findings, title) in zip(axes[:, 0], drawn, strict=True):
            _panel(axis, verdict, findings, title)
    return figure


def _panel(axis: Axes, verdict: Verdict, findings: Sequence[Finding], title: str) -> None:
    plain = all(f.criterion.difference for f in findings)
    for y, f in enumerate(findings):
        values, mean, low, high, demand, improvement = shown(f)
        fair = any(f is one for one in verdict.fair)  # a criterion may stand in both groups
        color, marker = (COLORS[0], "o") if fair else (COLORS[1], "x")
        # seeds side by side, in order, so that none hides another
        spread = np.linspace(-0.24, 0.24, len(values)) if len(values) > 1 else [0.0]
        axis.scatter(
            values, [y + s for s in spread], s=13, color=color, marker=marker, alpha=0.6, lw=0.9
        )
        axis.plot([low, high], [y, y], color="black", lw=3.2, solid_capstyle="butt")
        axis.plot([mean], [y], marker="D", color="black", markersize=5)
        side = ">" if f.criterion.expects == "higher" else "<"
        axis.plot(
            [demand],
            [y],
            marker=side,
            color="white",
            markeredgecolor="black",
            markersize=9,
            zorder=4,
        )
        axis.plot([demand, demand], [y - 0.38, y + 0.38], color="black", lw=1, zorder=3)
        axis.text(
            1.01,
            y,
            f"{improvement:.0%}",
            transform=axis.get_yaxis_transform(),
            fontsize=9.5,
            va="center",
        )
    if any(isinstance(f.criterion.than, str) for f in findings):
        axis.axvline(0.0 if plain else 1.0, color="0.45", linestyle=DASHES[2], lw=1.4)
    if not plain:
        axis.set_xscale("log")
        _few_ticks(axis)
    axis.set(yticks=range(len(findings)))
    axis.set_yticklabels([named(f.criterion) for f in findings], fontsize=9.5)
    axis.set_ylim(len(findings) - 0.45, -0.55)
    axis.tick_params(axis="x", labelsize=9.5)
    if not title:
        return
    axis.set_title(" ", fontsize=11.5)  # room for the line below, which begins at the left edge
    axis.text(
        0.01,
        1.06,
        title,
        transform=blended_transform_factory(axis.figure.transFigure, axis.transAxes),
        fontsize=11.5,
        fontweight="bold",
        in_layout=False,
    )


def _few_ticks(axis: Axes, which: Axis | None = None) -> None:
    """Plain numbers on a logarithmic axis (the horizontal one), few enough to be read."""
    along = axis.xaxis if which is None else which
    low, high = along.get_view_interval()
    decades = math.log10(high / low)
    steps: tuple[int, ...] = (1, 2, 5) if decades < 2.2 else (1,)
    if decades < 0.5:
        steps = tuple(range(1, 10)) if decades > 0.25 else ()
    ticks = [
        s * 10.0**k
        for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for s in steps
        if low <= s * 10.0**k <= high
    ]
    if len(ticks) < 2:
        ticks = [float(f"{t:.2g}") for t in np.geomspace(low, high, 5)[1:-1]]
    if len(ticks) > 6:
        ticks = ticks[:: math.ceil(len(ticks) / 6)]
    along.set_ticks(ticks, labels=[f"{t:g}" for t in ticks])
    along.set_minor_locator(NullLocator())


def errors(
    records: Records,
    experiment: str,
    conditions: Sequence[str],
    lines: Mapping[str, str],
    measures: Mapping[str, tuple[str, str]],
    label: str,
    length: str = "paper",
) -> Figure:
    """Both probes on several conditions, every seed a point, baselines as lines.

    Args:
        records: the study's.
        experiment: ``sine``, ``lorenz`` or ``mnist``.
        conditions: rows, from the top.
        lines: a baseline's measure and what it is called.
        measures: a panel's title, and the measures of the paper's probe and of the fair one.
        label: of the axis.
        length: of the training.

    Returns:
        A panel for each of ``measures``.
    """
    baselines = records[f"{experiment}-{BASELINES}-paper"]["measures"]
    with style():
        figure, axes = stacked_panels(
            len(measures),
            len(measures) * (0.9 + 0.42 * len(conditions)) + 0.6,
            dpi=DPI,
            sharex=True,
        )
        for axis, (title, pair) in zip(axes, measures.items(), strict=True):
            for y, name in enumerate(conditions):
                found = records[f"{experiment}-{name}-{length}"]["measures"]
                for measure, shift, kind in zip(pair, (-0.17, 0.17), (1, 0), strict=True):
                    if measure in found:
                        _row(axis, found[measure], y + shift, kind)
            for i, (measure, name) in enumerate(lines.items()):
                value = median(v for v in baselines[measure] if v is not None)
                axis.axvline(
                    value, color="0.3", linestyle=DASHES[i % 5], lw=1.5, label=name, zorder=1
                )
            axis.set_xscale("log")
            _few_ticks(axis)
            axis.set(yticks=range(len(conditions)), yticklabels=conditions)
            axis.set_ylim(len(conditions) - 0.5, -0.5)
            axis.set_title(title, loc="left", fontsize=12)
        figure.supxlabel(label)
        handles, labels = axes[0].get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(
            unique.values(), unique.keys(), loc="outside upper center", ncols=2, fontsize=10
        )
    return figure


def _row(axis: Axes, values: Sequence[float | None], y: float, kind: int) -> None:
    numbers = [v for v in values if v is not None]
    name = ("fair probe, held out", "the paper's probe")[kind]
    axis.scatter(
        numbers,
        [y] * len(numbers),
        s=16,
        color=COLORS[kind],
        marker=("o", "x")[kind],
        alpha=0.6,
        lw=0.9,
        label=name,
        zorder=2,
    )
    axis.plot([median(numbers)] * 2, [y - 0.15, y + 0.15], color="black", lw=2, zorder=3)


def sweeps(
    records: Records,
    experiment: str,
    rows: Mapping[str, Mapping[str, str]],
    measures: Mapping[str, str],
) -> Figure:
    """One setting at a time: every seed, and the mean with its interval.

    Args:
        records: the study's.
        experiment: ``sine`` or ``lorenz``.
        rows: a row's name, then the setting's value and the condition that has it.
        measures: the measures of the columns and what they are called.

    Returns:
        A panel for each of ``rows`` and ``measures``; intervals are of the logarithm's mean.
    """
    with style():
        figure, axes = plt.subplots(
            len(rows),
            len(measures),
            figsize=(WIDTH, 2.3 * len(rows) + 0.3),
            layout="constrained",
            sharey="col",
            squeeze=False,
        )
        for line, (title, settings) in zip(axes, rows.items(), strict=True):
            for i, (axis, measure) in enumerate(zip(line, measures, strict=True)):
                _sweep(axis, records, experiment, settings, measure, i)
                axis.set_yscale("log")
                axis.set_xticks(range(len(settings)), list(settings), fontsize=10)
            line[0].set_ylabel(title, fontsize=10.5)
        for axis, name in zip(axes[0], measures.values(), strict=True):
            axis.set_title(name, fontsize=11.5, loc="left")
        for axis in axes[0]:
            _few_ticks(axis, axis.yaxis)
    return figure


def _sweep(
    axis: Axes,
    records: Records,
    experiment: str,
    settings: Mapping[str, str],
    measure: str,
    i: int,
) -> None:
    middles: list[tuple[float, float]] = []
    for x, condition in enumerate(settings.values()):
        record: Mapping[str, Any] = records.get(f"{experiment}-{condition}-paper", {})
        numbers = [v for v in record.get("measures", {}).get(measure, []) if v is not None]
        if len(numbers) < 2:
            continue
        logs = np.log(numbers)
        low, high = bootstrap_interval(logs)
        axis.scatter(
            [x] * len(numbers), numbers, s=10, color=COLORS[i], marker="ox"[i], alpha=0.35, lw=0.8
        )
        axis.plot([x, x], np.exp([low, high]), color="black", lw=3, solid_capstyle="butt")
        middles.append((x, float(np.exp(logs.mean()))))
    axis.plot(*zip(*middles, strict=True), color=COLORS[i], linestyle=DASHES[i])


def measured_ways(
    records: Records,
    experiments: Mapping[str, Mapping[str, str]],
    measures: Mapping[str, str],
    pair: tuple[str, str] = ("expressive", "classic"),
) -> Figure:
    """One comparison, measured in many ways: does the answer depend on how one asks?

    Args:
        records: the study's.
        experiments: a panel's experiment, then lengths and what they are called, two at most.
        measures: rows, and what they are called.
        pair: the conditions; the first over the second.

    Returns:
        A panel an experiment: every seed's ratio, and the geometric mean with its interval.
    """
    with style():
        figure, axes = stacked_panels(
            len(experiments),
            len(experiments) * (0.8 + 0.44 * len(measures)) + 0.8,
            dpi=DPI,
            sharex=True,
        )
        for axis, (experiment, lengths) in zip(axes, experiments.items(), strict=True):
            for i, (length, name) in enumerate(lengths.items()):
                keys = [f"{experiment}-{condition}-{length}" for condition in pair]
                if not all(key in records for key in keys):
                    continue
                for y, measure in enumerate(measures):
                    over, under = (records[key]["measures"][measure] for key in keys)
                    ratios = [
                        a / b for a, b in zip(over, under, strict=False) if None not in (a, b)
                    ]
                    at = y + 0.36 * (i - (len(lengths) - 1) / 2)
                    axis.scatter(
                        ratios,
                        [at] * len(ratios),
                        s=12,
                        color=COLORS[i],
                        marker="o^"[i],
                        alpha=0.45,
                        lw=0.8,
                        label=name if y == 0 else "_",
                    )
                    low, high = np.exp(bootstrap_interval(np.log(ratios)))
                    axis.plot([low, high], [at, at], color="black", lw=3.5, solid_capstyle="butt")
            axis.axvline(1.0, color="0.45", linestyle=DASHES[2], lw=1.4)
            axis.set_xscale("log")
            axis.set(yticks=range(len(measures)), yticklabels=list(measures.values()))
            axis.set_ylim(len(measures) - 0.5, -0.5)
            axis.set_title(
                {"lorenz": "Lorenz", "mnist": "MNIST"}.get(experiment, experiment),
                loc="left",
                fontsize=12,
            )
        _few_ticks(axes[-1])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=10)
        figure.supxlabel(f"error, {pair[0]} / {pair[1]}")
    return figure
