"""The Lorenz attractor, chaos on it, and forecasts along it (the paper's Figure 3 and beyond)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from bijepa_book.chapters.attractor import WINDOW_TIMES
from bijepa_book.chapters.lorenz import MEAN
from bijepa_book.names import words
from bijepa_book.paper.replay import Replay
from bijepa_book.style import COLORS, DASHES, WIDTH, look, stacked_panels, style
from bijepa_core.data.lorenz import CONTEXT, DT, Array, split
from bijepa_core.evaluation.probes import protocol_a, protocol_b

TRUTH: dict[str, Any] = {"color": "0.5", "linewidth": 1.2}
ELEVATION, AZIMUTH = 18, -60
HIGHEST = 3.0  # error that is shown


def space(figure: Figure, rows: int = 1, columns: int = 1, position: int = 1) -> Any:
    """A panel in three dimensions, with few ticks."""
    axis: Any = figure.add_subplot(rows, columns, position, projection="3d")
    axis.view_init(elev=ELEVATION, azim=AZIMUTH)
    axis.set_box_aspect((1, 1, 0.9), zoom=1.08)
    axis.patch.set_visible(False)  # else a panel hides its left neighbor's label
    for name in "xyz":
        getattr(axis, f"set_{name}label")(name, labelpad=-4)
        getattr(axis, f"{name}axis").set_major_locator(MaxNLocator(4))
        getattr(axis, f"{name}axis").set_tick_params(labelsize=9, pad=-2)
    return axis


def orbit(attractor: Array, trajectories: Array) -> Figure:
    """The attractor, and the paper's trajectories before and after they come near it.

    Args:
        attractor: one long orbit on it, ``(n, 3)``.
        trajectories: ``(k, length, 3)``, the starts first.

    Returns:
        One panel in three dimensions.
    """
    with style():
        figure = plt.figure(figsize=(WIDTH, 4.8), layout="constrained")
        axis = space(figure)
        axis.plot(*attractor.T, color="0.75", linewidth=0.5, label="attractor")
        for i, states in enumerate(trajectories):
            look: Any = {"color": COLORS[i % len(COLORS)]}
            axis.plot(*states[: CONTEXT + 1].T, **look, label="context" if not i else None)
            axis.plot(*states[CONTEXT:].T, ":", **look, label="target" if not i else None)
            axis.scatter(*states[0], s=36, **look, label="start" if not i else None)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def separation(gaps: Mapping[str, Array], rates: Mapping[str, float], begin: int) -> Figure:
    """Distance between near neighbors against time, and the exponential fitted to it.

    Args:
        gaps: distances after each step, by system.
        rates: the fitted growth rate of each.
        begin: the step from which it was fitted.

    Returns:
        One panel; the length of a window is shaded.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 4.0), layout="constrained")
        axis.axvspan(0, CONTEXT * DT, color="0.8", label="one window")
        for i, (name, gap) in enumerate(gaps.items()):
            time = DT * (np.arange(len(gap)) + 1)
            look: Any = {"color": COLORS[i], "linestyle": DASHES[i]}
            axis.plot(time, gap, label=f"{name}: rate {rates[name]:.2f}", **look)
            line = gap[begin] * np.exp(rates[name] * (time - time[begin]))
            axis.plot(time, line, color=COLORS[i], linewidth=0.8)
        axis.set(xlabel="time units", ylabel="distance", yscale="log", ylim=(3e-7, 100))
        axis.legend(loc="lower right")
    return figure


def transients(distances: Mapping[str, Array], gaps: Mapping[str, Array]) -> Figure:
    """How far the states of trajectories are from the attractor, and Euler's from the truth.

    Args:
        distances: by data set, ``(n, length)``.
        gaps: Euler's error by kind of start, ``(n, length)``.

    Returns:
        Two panels: medians, and the bands that hold the middle 80 %.
    """
    with style():
        figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 6.6), layout="constrained", sharex=True)
        for axis, rows in zip(axes, (distances, gaps), strict=True):
            for i, (name, values) in enumerate(rows.items()):
                low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
                steps = np.arange(values.shape[1])
                axis.plot(steps, middle, color=COLORS[i], linestyle=DASHES[i], label=name)
                axis.fill_between(steps, low, high, color=COLORS[i], alpha=0.15, linewidth=0)
            axis.axvline(CONTEXT - 0.5, color="0.4", linewidth=1)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=11)
        axes[0].set_ylabel("distance to attractor")
        axes[1].set(ylabel="error of Euler", xlabel="state (0 to 19: context, 20 to 39: target)")
    return figure


def _state_forecasts(replay: Replay) -> tuple[Tensor, Tensor, Tensor]:
    """Truth and both protocols' forecasts of state 20 of the test series, ``(20, 3)`` each."""
    views, future = split(replay.test_series)
    a = replay.probe_a(protocol_a(replay.model)(views))
    b = replay.probe_b(protocol_b(replay.model)(views))
    return future[:, :3], a, b


def batch_forecasts(replays: Mapping[str, Replay]) -> Figure:
    """The x-coordinate of state 20 of the test trajectories (Figure 3, middle panels).

    Args:
        replays: a label for each run.

    Returns:
        One panel a run.
    """
    with style():
        figure, axes = stacked_panels(
            len(replays), 0.8 + 2.4 * len(replays), sharex=True, sharey=True
        )
        for axis, (label, replay) in zip(axes, replays.items(), strict=True):
            truth, a, b = (values[:, 0] for values in _state_forecasts(replay))
            axis.scatter(range(len(truth)), truth, s=70, color="0.65", label="truth")
            axis.scatter(range(len(a)), a, marker="x", color=COLORS[1], label="A (encoder)")
            axis.scatter(range(len(b)), b, marker="^", s=22, color=COLORS[2], label="B (predictor)")
            axis.set_title(label, fontsize=12, loc="left")
            axis.set_xticks(range(0, 20, 2))
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        figure.supxlabel("test trajectory")
        figure.supylabel("x at state 20 (normalized)")
    return figure


def single_forecast(replays: Mapping[str, Replay]) -> Figure:
    """The first test trajectory in phase space with both forecasts (Figure 3, right panels).

    Args:
        replays: a label for each run.

    Returns:
        One panel a run.
    """
    with style():
        figure = plt.figure(figsize=(WIDTH, 3.9), layout="constrained")
        for i, (label, replay) in enumerate(replays.items()):
            axis = space(figure, 1, len(replays), i + 1)
            _, a, b = (values[0] for values in _state_forecasts(replay))
            series = replay.test_series[0]
            axis.plot(*series[:CONTEXT].T, ".-", color=COLORS[0], markersize=4, label="context")
            axis.plot(*series[CONTEXT - 1 :].T, ".:", color="0.55", markersize=4, label="future")
            axis.scatter(*a, marker="x", s=60, color=COLORS[1], label="A (encoder)")
            axis.scatter(*b, marker="^", s=40, color=COLORS[2], label="B (predictor)")
            axis.set_title(label, fontsize=12)
        handles, labels = axis.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def horizons(panels: Mapping[str, Mapping[str, Tensor]], label: str) -> Figure:
    """Errors against how far a forecast reaches, a panel a data set.

    Args:
        panels: by title, then by name: errors at each state away, ``(*seeds, states)``; the mean
            state, if among them, is drawn as a thin line.
        label: of the horizontal axis, which counts windows.

    Returns:
        Medians over seeds, bands from the lowest to the highest; where there is room, a line one
        Lyapunov time away.
    """
    with style():
        figure, axes = stacked_panels(len(panels), 1.2 + 3.0 * len(panels))
        named: dict[str, Any] = {}
        for axis, (title, curves) in zip(axes, panels.items(), strict=True):
            for i, (name, curve) in enumerate(curves.items()):
                away = torch.arange(1, curve.shape[-1] + 1) / CONTEXT
                if name == MEAN:
                    level = curve.reshape(-1, curve.shape[-1]).mean(0)
                    axis.plot(away, level, color="0.4", linewidth=1, label=words(MEAN))
                    continue
                color, dash, _ = look(name, i)
                rows = curve.reshape(-1, curve.shape[-1])
                axis.plot(away, rows.quantile(0.5, dim=0), color=color, ls=dash, label=words(name))
                axis.fill_between(away, rows.amin(0), rows.amax(0), color=color, alpha=0.15, lw=0)
            if away[-1] > 1 / WINDOW_TIMES:
                axis.axvline(1 / WINDOW_TIMES, color="0.4", linewidth=1)
                axis.text(1 / WINDOW_TIMES, 1e-4, " one Lyapunov time", fontsize=11)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set(yscale="log", ylim=(5e-5, HIGHEST), ylabel="error (MSE)")
            axis.set_title(title, fontsize=12, loc="left")
            handles, labels = axis.get_legend_handles_labels()
            named |= dict(zip(labels, handles, strict=True))
        axes[-1].set_xlabel(label)
        figure.legend(named.values(), named.keys(), loc="outside upper center", ncols=2)
    return figure


def rollout(
    truth: Array,
    seen: slice,
    guesses: Mapping[str, Array],
    make: Callable[..., Figure] = plt.figure,
) -> Figure:
    """One trajectory in phase space, with what models and rules make of it.

    Args:
        truth: ``(states, 3)``.
        seen: the states that the model is shown.
        guesses: states ``(k, 3)`` by name, drawn with a marker each.
        make: builds the figure; a widget passes ``Figure``, which pyplot does not show.

    Returns:
        One panel in three dimensions; guesses that leave the truth's surroundings are cut there.
    """
    marks: Sequence[str] = ("^", "v", "x", "+", "s")
    with style():
        figure = make(figsize=(WIDTH, 5.4), layout="constrained")
        axis = space(figure)
        low, high = truth.min(0), truth.max(0)
        margin = 0.35 * (high - low) + 1
        axis.plot(*truth.T, label="truth", **TRUTH)
        axis.plot(*truth[seen].T, color="black", linewidth=3, label="seen")
        for i, (name, states) in enumerate(guesses.items()):
            inside = ((states > low - margin) & (states < high + margin)).all(1, keepdims=True)
            shown = np.where(inside, states, np.nan)
            axis.plot(
                *shown.T,
                linestyle="none",
                marker=marks[i % len(marks)],
                markersize=4.5,
                color=COLORS[i % len(COLORS)],
                label=name,
            )
        figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
