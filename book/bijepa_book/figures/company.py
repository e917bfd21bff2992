"""Relatives, side by side."""

import math
from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bijepa_book.evidence.stable.choice import READINGS, chosen, score
from bijepa_book.evidence.stable.company import Member, key, members
from bijepa_book.evidence.stable.selection import Records
from bijepa_book.evidence.stable.standing import CALLED, Family, One, Ratio
from bijepa_book.evidence.statistics import Array
from bijepa_book.style import COLORS, DASHES, WIDTH, Look, factor_rows, look, stacked_panels, style

FAMILIES: Mapping[Family, Look] = {
    "foretells": Look(COLORS[0], "-", "o"),
    "draws": Look(COLORS[1], (0, (5, 2)), "^"),
    "makes alike": Look(COLORS[2], (0, (1, 1.2)), "s"),
    "is not trained": Look("0.45", (0, (5, 2, 1, 2)), "|"),
    "knows the answer": Look("0.45", (0, (8, 3)), "D"),
}
"""A color, a dash and a marker for what somebody learns by."""
NORMED = {True: "LayerNorm in the encoder", False: "plain"}
MARKS = {True: "o", False: "^"}
ROW = 0.29  # inches
GAP = 0.046  # between names, of the axis
FARTHEST = 10.0  # a factor beyond is drawn at the edge
GRAY = "0.8"  # of lines that nobody asks about


def tuning(records: Records, data: str) -> Figure:
    """Every setting of everybody, the chosen one full.

    Args:
        records: of the tuning, complete on this data set.
        data: see :data:`bijepa_book.evidence.stable.company.DATA`.

    Returns:
        A row each; circles with LayerNorm, triangles without (where both were tried), the larger
        the setting. What errs ten times as much or more is at the edge; what collapsed is left out.
    """
    readings, best = READINGS[data], chosen(records)[data]
    scores = {
        one: score(records[key(data, "tuning", one.label)], readings) for one in members(data)
    }
    least = min(scores.values())
    marks = {NORMED[one.layer_norm]: MARKS[one.layer_norm] for one in scores}
    names = list(dict.fromkeys(one.name for one in scores))
    with style():
        figure, (axis,) = stacked_panels(1, 1.3 + ROW * len(names))
        for one, value in scores.items():
            if math.isfinite(value):
                row = len(names) - 1 - names.index(one.name)
                shift = 0.13 if one.layer_norm else -0.13
                place = row + shift * (len(marks) > 1)
                _setting(axis, one, math.exp(value - least), place, one in best)
        called = [CALLED.get(name, name).removesuffix(", tuned") for name in names[::-1]]
        factor_rows(axis, called, (1, 1.5, 2, 3, 5, 10))
        axis.set_ylim(-0.6, len(names) - 0.4)
        finite = [value for value in scores.values() if math.isfinite(value)]
        beyond = max(finite) - least > math.log(FARTHEST)
        edge = f" (at the edge: {FARTHEST:g} times or more)" if beyond else ""
        axis.set_xlabel(f"error, over the least{edge}")
        handles = [Line2D([], [], marker=m, color="0.4", linestyle="") for m in marks.values()]
        if len(marks) > 1:
            figure.legend(handles, list(marks), loc="outside upper center", ncols=2)
    return figure


def _setting(axis: Axes, one: Member, factor: float, place: float, best: bool) -> None:
    settings = sorted({other.setting for other in members("sine") if other.name == one.name})
    axis.plot(
        min(factor, FARTHEST),
        place,
        MARKS[one.layer_norm],
        markersize=4 + 1.1 * settings.index(one.setting),
        color=COLORS[1] if best else "0.5",
        markerfacecolor=COLORS[1] if best else "white",
        zorder=3 if best else 2,
    )


def standings(everybody: Sequence[One], found: Mapping[str, Mapping[str, Ratio]]) -> Figure:
    """Who reads how well: errors over those of BiJEPA as in the paper, with intervals.

    Args:
        everybody: in the rows' order.
        found: by reading, then by label; who is missing has no mark.

    Returns:
        A row each, a panel a reading; what is ten times as large, or a tenth, is at the edge. Full
        marks are differences that count by the company's rule, empty ones are not.
    """
    count = len(everybody)
    with style():
        figure, axes = plt.subplots(
            1,
            len(found),
            figsize=(WIDTH, 1.5 + ROW * count),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for axis, (reading, ratios) in zip(axes.flat, found.items(), strict=True):
            axis.axvline(1, color="0.4", linewidth=1)
            for row, one in enumerate(everybody):
                if one.label not in ratios:
                    continue
                _mark(axis, count - 1 - row, ratios[one.label], FAMILIES[one.family])
            left, right = axis.get_xlim()
            ticks = (0.5, 1, 2) if right < FARTHEST * left else (0.2, 1, 5)
            factor_rows(axis, [one.called for one in everybody[::-1]], ticks)
            axis.set_ylim(-0.6, count - 0.4)
            axis.tick_params(labelsize=9, axis="x")
            axis.set_title(reading, fontsize=12)
        _legend(figure, [one.family for one in everybody])
        figure.supxlabel("error, over the expressive model's", fontsize=12)
    return figure


def _mark(axis: Axes, place: float, ratio: Ratio, drawn: Look) -> None:
    """A ratio with its interval, within the range; full where the difference counts."""
    low = 1 / FARTHEST
    ends = np.clip([ratio.low, ratio.high], low, FARTHEST)
    axis.plot(ends, [place] * 2, color=drawn.color)
    value = min(max(ratio.value, low), FARTHEST)
    axis.plot(
        value,
        place,
        {low: "<", FARTHEST: ">"}.get(value, drawn.marker),
        color=drawn.color,
        markersize=6,
        markeredgewidth=1.6,
        markerfacecolor="white" if ratio.says == "none" else drawn.color,
    )


def beside(found: Mapping[str, Mapping[str, Mapping[str, Ratio]]]) -> Figure:
    """One of the company over several forms of another: errors, with intervals.

    Args:
        found: by data set, by form, by reading; the same forms, three at most, on all.

    Returns:
        A panel for each data set, a row for each reading. Full marks are differences that count.
    """
    readings = [list(next(iter(forms.values()))) for forms in found.values()]  # of each panel
    rows = [len(asked) for asked in readings]
    names = list(next(iter(found.values())))
    looks = [Look(COLORS[i], DASHES[i], mark) for i, mark in enumerate("o^s"[: len(names)])]
    with style():
        figure, axes = plt.subplots(
            len(found),
            1,
            figsize=(WIDTH, 1.6 + 0.42 * sum(rows) + 0.4 * len(rows)),
            height_ratios=rows,
            layout="constrained",
            sharex=True,
            squeeze=False,
        )
        for axis, (data, forms), asked in zip(axes.flat, found.items(), readings, strict=True):
            axis.axvline(1, color="0.4", linewidth=1)
            for i, ratios in enumerate(forms.values()):
                for row, reading in enumerate(reversed(asked)):
                    place = row + 0.24 * ((len(names) - 1) / 2 - i)
                    _mark(axis, place, ratios[reading], looks[i])
            axis.set_ylim(-0.6, len(asked) - 0.4)
            axis.set_title(data, fontsize=12)
        for axis, asked in zip(axes.flat, readings, strict=True):  # all share one range
            factor_rows(axis, asked[::-1], (0.2, 0.5, 1, 2))
        axes.flat[-1].set_xlabel("error, over the other's")
        handles = [
            Line2D([], [], marker=one.marker, color=one.color, linestyle="") for one in looks
        ]
        figure.legend(handles, names, loc="outside upper center", ncols=len(names), fontsize=11)
    return figure


def _legend(figure: Figure, families: Sequence[Family]) -> None:
    """What colors and marks say."""
    shown = list(dict.fromkeys(families))
    handles = [
        Line2D([], [], marker=FAMILIES[f].marker, color=FAMILIES[f].color, linestyle="")
        for f in shown
    ]
    figure.legend(handles, shown, loc="outside upper center", ncols=3, fontsize=11)


def positions(lines: Mapping[str, tuple[Array, Array]]) -> Figure:
    """What is missed of a window and of what follows, by position, off the window's embedding.

    Args:
        lines: by name: of the window and of the target, ``(positions,)`` each.

    Returns:
        A line each; the window ends at the vertical line.
    """
    with style():
        figure, (axis,) = stacked_panels(1, 4.4)
        for i, (name, (kept, future)) in enumerate(lines.items()):
            drawn = look(name, i)
            axis.plot(
                np.arange(-len(kept), len(future)) + 0.5,
                np.concatenate([kept, future]),
                color=drawn.color,
                linestyle=drawn.dash,
                label=name,
            )
        axis.axvline(0, color="0.4", linewidth=1)
        axis.set(yscale="log", xlabel="position, from the end of the window", ylabel="missed")
        figure.legend(loc="outside upper center", ncols=2, fontsize=11)
    return figure


def distracted(
    lines: Mapping[str, Sequence[float]],
    families: Mapping[str, Family],
    strengths: Sequence[float],
    named: Collection[str] | None = None,
) -> Figure:
    """What is missed of the wave, against the strength of a drift.

    Args:
        lines: by name: the error at each strength.
        families: by name.
        strengths: of the drift.
        named: those that are drawn in their family's color, each with another dash; the rest is
            gray. Everybody by default.

    Returns:
        A line each, names at their ends.
    """
    named = lines if named is None else named
    colors: list[str] = []  # of those drawn so far
    with style():
        figure, (axis,) = stacked_panels(1, 5.6)
        for name, values in lines.items():
            drawn, there = FAMILIES[families[name]], range(len(strengths))
            if name not in named:
                axis.plot(there, values, color=GRAY, linewidth=1, zorder=1)
                continue
            axis.plot(
                there,
                values,
                color=drawn.color,
                linestyle=DASHES[colors.count(drawn.color) % len(DASHES)],
                marker=drawn.marker,
                markersize=5,
            )
            colors.append(drawn.color)
        axis.set_yscale("log")
        _ends(axis, {name: (len(strengths) - 1, line[-1]) for name, line in lines.items()}, named)
        axis.set_xticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
        axis.set(xlabel="strength of the drift", ylabel="missed of the wave's next value")
        _legend(figure, [families[name] for name in lines if name in named])
    return figure


def _ends(
    axis: Axes,
    points: Mapping[str, tuple[float, float]],
    named: Collection[str] | None = None,
) -> None:
    """Names at the right, beside their points, moved apart where they would cover one another.

    Those that are not ``named`` are gray.
    """
    low, high = np.log(axis.get_ylim())
    order = sorted(points, key=lambda name: points[name][1])
    wanted = [(math.log(points[name][1]) - low) / (high - low) for name in order]
    for name, place in zip(order, _apart(wanted, GAP), strict=True):
        axis.annotate(
            name,
            points[name],
            xytext=(1.04, place),
            textcoords="axes fraction",
            fontsize=10,
            va="center",
            color="black" if named is None or name in named else "0.5",
            arrowprops={
                "arrowstyle": "-",
                "color": "0.75",
                "linewidth": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
            },
        )


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """Rising places, moved until they are a gap apart, the last one at 1 at most."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + gap) if found else place)
    for i in reversed(range(len(found))):
        limit = 1.0 if i == len(found) - 1 else found[i + 1] - gap
        found[i] = min(found[i], limit)
    return found


def alike(points: Mapping[str, tuple[Ratio, Ratio]], families: Mapping[str, Family]) -> Figure:
    """What is missed of frequency and of phase, over the predictive autoencoder.

    Args:
        points: by name: of frequency, of phase.
        families: by name.

    Returns:
        A point each with intervals, names at the right.
    """
    with style():
        figure, (axis,) = stacked_panels(1, 4.6)
        for name, (frequency, phase) in points.items():
            drawn = FAMILIES[families[name]]
            axis.plot([frequency.low, frequency.high], [phase.value] * 2, color=drawn.color)
            axis.plot([frequency.value] * 2, [phase.low, phase.high], color=drawn.color)
            axis.plot(frequency.value, phase.value, drawn.marker, color=drawn.color, markersize=7)
        axis.set(xscale="log", yscale="log")
        _ends(axis, {name: (f.value, p.value) for name, (f, p) in points.items()})
        for scale in (axis.xaxis, axis.yaxis):
            low, high = scale.get_view_interval()
            ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if low <= t <= high]
            scale.set_ticks(ticks, [f"{t:g}" for t in ticks])
        axis.minorticks_off()
        axis.set_xlabel("frequency: error, over the predictive autoencoder's")
        axis.set_ylabel("phase: the same")
        _legend(figure, [families[name] for name in points])
    return figure
