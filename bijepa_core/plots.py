"""Figures in one style: readable on a phone, in dark mode, and without color.

Curves differ by dash as well as by color (the palette is Okabe and Ito's, safe for color
blindness), points by shape. Every function takes results, draws one figure and returns it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_core.data.sine import CONTEXT, split
from bijepa_core.history import History
from bijepa_core.probes import protocol_a, protocol_b
from bijepa_core.replay import Replay

WIDTH = 6.4  # inches: one column; type stays legible when a phone shrinks it
STYLE: Any = {
    "figure.dpi": 150,
    "figure.facecolor": "white",  # a light card under dark pages
    "savefig.facecolor": "white",
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 2, 1, 2)), (0, (8, 3)), "-")
LABELS = {
    "relative_loss": "relative loss",
    "norm": "embedding norm",
    "variance": "embedding variance",
    "effective_rank": "effective rank",
}


@contextmanager
def style() -> Iterator[None]:
    """The book's style, for the figures drawn inside.

    ``plt.rc_context`` would restore every setting, and so undo what a notebook's backend sets
    up when the first figure is made: no later figure would be shown.
    """
    before = {name: plt.rcParams[name] for name in STYLE}
    plt.rcParams.update(STYLE)
    try:
        yield
    finally:
        plt.rcParams.update(before)


def losses(histories: Mapping[str, History]) -> Figure:
    """Training loss against the step, one curve a run (Figure 2, left panels).

    Args:
        histories: a label for each run; several seeds are shown as their median and range.

    Returns:
        One panel; single batches faint, means of 20 steps on top.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
        for i, (label, history) in enumerate(histories.items()):
            curve = history.mean_loss()
            if curve.ndim == 1:
                axis.plot(curve, color=COLORS[i], alpha=0.18, linewidth=0.6)
            _band(axis, *history.smooth_loss(), label, i)
        axis.set(xlabel="training step", ylabel="loss, mean of directions", yscale="log")
        axis.legend()
    return figure


def diagnostics(histories: Mapping[str, History]) -> Figure:
    """Norm, variance, effective rank and relative loss against the step, one curve a run.

    Args:
        histories: a label for each run; several seeds are shown as their median and range.

    Returns:
        Four panels.
    """
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 6.4), layout="constrained", sharex=True)
        order = ("norm", "variance", "effective_rank", "relative_loss")
        for axis, name in zip(axes.flat, order, strict=True):
            for i, (label, history) in enumerate(histories.items()):
                _band(axis, history.logged_steps, history.diagnostics[name], label, i)
            axis.set_title(LABELS[name], fontsize=12)
            if name in ("variance", "relative_loss"):
                axis.set_yscale("log")
        figure.supxlabel("training step")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _band(axis: Axes, steps: Tensor, values: Tensor, label: str, i: int) -> None:
    look = {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[i % len(DASHES)]}
    if values.ndim == 1:
        axis.plot(steps, values, label=label, **look)
        return
    axis.plot(steps, values.quantile(0.5, dim=1), label=label, **look)
    axis.fill_between(
        steps, values.amin(1), values.amax(1), color=look["color"], alpha=0.15, linewidth=0
    )


def _forecasts(replay: Replay) -> tuple[Tensor, Tensor, Tensor]:
    """Truth and both protocols' forecasts of the first value of the test series, ``(20,)``."""
    views, future = split(replay.test_series)
    a = replay.probe_a(protocol_a(replay.model)(views))[:, 0]
    b = replay.probe_b(protocol_b(replay.model)(views))[:, 0]
    return future[:, 0], a, b


def _rows(replays: Mapping[str, Replay], draw: Callable[[Axes, Replay], None]) -> Figure:
    """One panel a run, stacked, with a common legend."""
    with style():
        figure, axes = plt.subplots(
            len(replays),
            1,
            figsize=(WIDTH, 0.8 + 2.1 * len(replays)),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for axis, (label, replay) in zip(axes.flat, replays.items(), strict=True):
            draw(axis, replay)
            axis.set_title(label, fontsize=12, loc="left")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def batch_forecasts(replays: Mapping[str, Replay]) -> Figure:
    """The 20 test waves' next value and both protocols' forecasts (Figure 2, middle panels).

    Args:
        replays: a label for each run.

    Returns:
        One panel a run.
    """

    def draw(axis: Axes, replay: Replay) -> None:
        truth, a, b = _forecasts(replay)
        axis.scatter(range(len(truth)), truth, s=70, color="0.65", label="truth")
        axis.scatter(range(len(a)), a, marker="x", color=COLORS[1], label="A (encoder)")
        axis.scatter(range(len(b)), b, marker="^", s=22, color=COLORS[2], label="B (predictor)")

    figure = _rows(replays, draw)
    figure.axes[-1].set_xticks(range(0, 20, 2))
    figure.supxlabel("test wave")
    figure.supylabel("sample 10")
    return figure


def single_forecast(replays: Mapping[str, Replay], wave: int = 0) -> Figure:
    """One test wave's context and both forecasts of its next value (Figure 2, right panels).

    Args:
        replays: a label for each run.
        wave: which of the 20 test waves.

    Returns:
        One panel a run.
    """

    def draw(axis: Axes, replay: Replay) -> None:
        _, a, b = _forecasts(replay)
        series = replay.test_series[wave]
        time = range(len(series))
        axis.plot(time[:CONTEXT], series[:CONTEXT], ".-", color=COLORS[0], label="context")
        axis.plot(time[CONTEXT:], series[CONTEXT:], ".:", color="0.55", label="future")
        axis.plot(CONTEXT, a[wave], "x", color=COLORS[1], markersize=9, label="A (encoder)")
        axis.plot(CONTEXT, b[wave], "^", color=COLORS[2], markersize=7, label="B (predictor)")

    figure = _rows(replays, draw)
    figure.axes[-1].set_xticks(range(0, 20, 2))
    figure.supxlabel("sample")
    figure.supylabel("amplitude")
    return figure


def waves(series: Tensor) -> Figure:
    """Noisy waves, context solid and target dotted (Figure 5).

    Args:
        series: ``(n, 20)``.

    Returns:
        One panel.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
        for i, wave in enumerate(series):
            axis.plot(wave[:CONTEXT], ".-", color=COLORS[i])
            axis.plot(range(CONTEXT, len(wave)), wave[CONTEXT:], ".:", color=COLORS[i])
        axis.axvline(CONTEXT - 0.5, color="0.4", linewidth=1)
        axis.text(CONTEXT - 0.7, 1.25, "context x", ha="right")
        axis.text(CONTEXT - 0.3, 1.25, "target y", ha="left")
        axis.set(xlabel="sample", ylabel="amplitude", ylim=(-1.4, 1.5))
        axis.set_xticks(range(0, 20, 2))
    return figure


def final_values(rows: Mapping[str, Sequence[float]], label: str) -> Figure:
    """One number a seed and condition, as points, with the median as a bar.

    Args:
        rows: condition, then one value a seed.
        label: what the numbers are.

    Returns:
        One panel, conditions from top to bottom.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 1.2 + 0.5 * len(rows)), layout="constrained")
        for i, values in enumerate(rows.values()):
            axis.scatter(values, [i] * len(values), color=COLORS[i % len(COLORS)], alpha=0.7, s=28)
            middle = median(values)
            axis.plot([middle] * 2, [i - 0.3, i + 0.3], color="black", linewidth=2)
        axis.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=label, xscale="log")
        axis.invert_yaxis()
    return figure
