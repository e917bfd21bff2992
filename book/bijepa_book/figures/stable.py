"""What holds the embedding's scale, and what it costs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bijepa_book.evidence.second.report import PLACES
from bijepa_book.evidence.stable.criteria import SAY
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.judgment import Demand
from bijepa_book.evidence.stable.kinds import KINDS
from bijepa_book.evidence.stable.selection import SERIES, costs, settled_on_both
from bijepa_book.evidence.stable.without import HALF, WAYS, Answer
from bijepa_book.style import COLORS, OTHERS, WIDTH, factor_rows, look, stacked_panels, style

Records = Mapping[str, Mapping[str, Any]]
FARTHEST = 3.0  # a cost beyond is drawn at the edge
READ = {
    "fair_b": "next value",
    "whole_b": "whole target",
    "past_b": "past",
    "fair_accuracy_a": "label",
    "fair_decoder": "drawing",
}
"""What the readings are called where they are drawn."""
KINDS_CALLED = {
    "layernorm": "LayerNorm, decay",
    "layernorm-encoder": "LayerNorm in the encoder, decay",
    "layernorm-predictor": "LayerNorm in the predictors, decay",
    "covariance-loose": "loose covariance",
    "vicreg": "VICReg",
    "sigreg": "SIGReg",
    "visreg": "VISReg",
    "standardized": "standardized targets",
    "whitened": "whitened targets",
    "relative": "loss over its target's variance",
    "falling-rate": "falling rate",
    "decay-strong": "more decay",
    "scale-decay": "scale, decay 0.1",
    "covariance-loose-decay": "loose covariance, decay 0.1",
    "vicreg-decay": "VICReg, decay 0.1",
    "whitened-scale": "scale, whitened a fifth",
    "whitened-decay": "decay, whitened a fifth",
}
"""Kinds whose key is no name."""
FALLS = "-falling"
WAYS_CALLED = {"no-ema": "without EMA", "no-stop": "without stop-gradient, too"}
DEAREST = 4.0  # an error beyond is drawn at the edge


def called(kind: str) -> str:
    """A kind's name in figures and tables."""
    steady = kind.removesuffix(FALLS)
    name = KINDS_CALLED.get(steady, steady)
    return name if steady == kind else f"{name}, falling rate"


def hunt(records: Records) -> Figure:
    """Every kind at its five strengths: what it costs on the series, and whether it stands still.

    Args:
        records: of the hunt.

    Returns:
        A row a kind. A large point is the largest strength; full points have settled on both
        series at ten times the paper's length, empty ones have not, dots were not tried there.
    """
    settled = {one.name for one in settled_on_both(records)}
    order = sorted(KINDS, key=lambda kind: -min(_cost(records, kind)))
    with style():
        figure, (axis,) = stacked_panels(1, 0.9 + 0.31 * len(order))
        for row, kind in enumerate(order):
            factors = [min(math.exp(one), FARTHEST) for one in _cost(records, kind)]
            axis.plot(factors, [row] * len(factors), color="0.75", linewidth=1.2, zorder=1)
            for i, (strength, factor) in enumerate(
                zip(KINDS[kind].strengths, factors, strict=True)
            ):
                name = Candidate(kind, strength).name
                long = all(f"{series}-hunt-{name}-long" in records for series in SERIES)
                color = COLORS[5] if long else "0.55"
                face = color if name in settled or not long else "white"
                size = (4 + 1.6 * i) if long else 2.5
                marker = ">" if factor == FARTHEST else "o"
                axis.plot(factor, row, marker, markersize=size, color=color, markerfacecolor=face)
        axis.axvline(math.exp(SAY), color="0.4", linewidth=1, linestyle=":")
        ticks = (0.9, 1, 1.1, 1.3, 1.6, 2, FARTHEST)
        _factors(axis, [called(kind) for kind in order], ticks)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks[:-1]] + ["3+"])
        axis.set_xlabel("error, over the better one of the paper's")
        axis.set_ylim(-0.7, len(order) - 0.3)
    return figure


def _cost(records: Records, kind: str) -> list[float]:
    """Of each strength, the mean over the series."""
    found = (costs(records, Candidate(kind, strength)) for strength in KINDS[kind].strengths)
    return [float(np.mean([one[name] for name in SERIES])) for one in found]


def demands(found: Mapping[str, Sequence[Demand]]) -> Figure:
    """What finalists were asked, with intervals: ratios of errors, the limit dashed.

    Args:
        found: by finalist, the demands of one success that are ratios, in one order.

    Returns:
        A row a question, a mark a finalist.
    """
    questions = list(next(iter(found.values())))
    with style():
        figure, (axis,) = stacked_panels(1, 1.3 + 0.36 * len(questions))
        for i, (name, answers) in enumerate(found.items()):
            drawn = OTHERS[i]
            shift = 0.22 * (i - (len(found) - 1) / 2)
            for row, one in enumerate(answers):
                if one.met is None:  # not recorded
                    continue
                place = len(questions) - 1 - row - shift
                axis.plot([one.low, one.high], [place, place], color=drawn.color)
                axis.plot(
                    one.value,
                    place,
                    drawn.marker,
                    color=drawn.color,
                    markersize=6,
                    markerfacecolor=drawn.color if one.met else "white",
                    label=name if row == 0 else None,
                )
                ends = [place - 0.11, place + 0.11]
                axis.plot([one.limits[1]] * 2, ends, color="0.3", linewidth=1.2)
        names = [f"{PLACES[one.experiment]}, {one.length}: {READ[one.what]}" for one in questions]
        _factors(axis, names[::-1], (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2))
        axis.set_xlabel("error, over the better of the two")
        figure.legend(loc="outside upper center", ncols=1)
    return figure


def _factors(axis: Axes, names: Sequence[str], ticks: Sequence[float]) -> None:
    """Rows with names, factors on errors across, and a line where nothing is lost or won."""
    axis.axvline(1, color="0.4", linewidth=1)
    factor_rows(axis, names, ticks)


def digits(records: Records, named: Sequence[str]) -> Figure:
    """Half images: how many directions an embedding uses, and the labels that are missed.

    Args:
        records: of the hunt.
        named: candidates that are labelled.

    Returns:
        A point a candidate.
    """
    with style():
        figure, (axis,) = stacked_panels(1, 3.9)
        for key, record in records.items():
            head, _, rest = key.partition("mnist-hunt-")
            if head or not rest:
                continue
            name = rest.removesuffix("-short")
            rank = float(np.mean(record["measures"]["effective_rank"]))
            missed = 100 * float(np.mean(record["measures"]["label_error"]))
            model = look(name)
            here = name in named
            axis.plot(
                rank,
                missed,
                model.marker,
                color=model.color if here else "0.6",
                markersize=8 if here else 5,
            )
            if here:
                axis.annotate(name, (rank, missed), xytext=(7, 5), textcoords="offset points")
        axis.set(xlabel="effective rank", ylabel="labels missed (%)")
    return figure


def rungs(costs_of: Mapping[str, Mapping[str, float]]) -> Figure:
    """What each hard constraint costs.

    Args:
        costs_of: by system, then by constraint: the factor on the error.

    Returns:
        A row a constraint, a mark a system.
    """
    names = list(next(iter(costs_of.values())))
    with style():
        figure, (axis,) = stacked_panels(1, 1.2 + 0.4 * len(names))
        for i, (system, factors) in enumerate(costs_of.items()):
            drawn = OTHERS[i]
            places = [len(names) - 1 - row for row in range(len(names))]
            axis.plot(
                list(factors.values()),
                places,
                drawn.marker,
                color=drawn.color,
                markersize=7,
                label=system,
            )
        _factors(axis, names[::-1], (0.8, 1, 1.5, 2, 3, 5))
        axis.set_xlabel("error, over the unconstrained model's")
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def without(found: Sequence[Answer]) -> Figure:
    """Penalties without EMA, and without the stop-gradient: ranks above, errors below.

    Args:
        found: every penalty at every strength, both ways.

    Returns:
        A column a way, a line a penalty; over the same penalty with both. Below the dotted line a
        rank is said not to hold.
    """
    with style():
        figure, axes = plt.subplots(
            2, 2, figsize=(WIDTH, 5.6), layout="constrained", sharex=True, sharey="row"
        )
        for column, way in enumerate(WAYS):
            above, below = axes[:, column]
            mine = [one for one in found if one.way == way]
            for i, penalty in enumerate(dict.fromkeys(one.penalty for one in mine)):
                drawn = look(called(penalty), i)
                lines = [one for one in mine if one.penalty == penalty]
                weights = [one.strength for one in lines]
                for axis, values in (
                    (above, [one.rank for one in lines]),
                    (below, [min(one.error, DEAREST) for one in lines]),
                ):
                    axis.plot(
                        weights,
                        values,
                        color=drawn.color,
                        linestyle=drawn.dash,
                        marker=drawn.marker,
                        label=called(penalty) if axis is axes[0, 0] else None,
                    )
            above.set_title(WAYS_CALLED[way], fontsize=12)
            above.axhline(HALF, color="0.4", linewidth=1, linestyle=":")
            below.axhline(1, color="0.4", linewidth=1)
            below.set(xscale="log", yscale="log", xlabel="weight of the penalty")
        ticks = (0.5, 0.7, 1, 1.4, 2, 3, DEAREST)
        axes[1, 0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes[1, 0].minorticks_off()
        axes[0, 0].set(ylabel="effective rank", ylim=(0, None))
        axes[1, 0].set_ylabel("error")
        figure.legend(loc="outside upper center", ncols=3)
    return figure
