"""Sine waves and their forecasts (after the paper's Figures 2, 5 and 6)."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.paper.replay import Replay
from bijepa_book.style import COLORS, WIDTH, stacked_panels, style
from bijepa_core.data.sine import CONTEXT, split
from bijepa_core.evaluation.probes import protocol_a, protocol_b


def samples(series: Tensor) -> Figure:
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


def _forecasts(replay: Replay) -> tuple[Tensor, Tensor, Tensor]:
    """Truth and both protocols' forecasts of the first value of the test series, ``(20,)``."""
    views, future = split(replay.test_series)
    a = replay.probe_a(protocol_a(replay.model)(views))[:, 0]
    b = replay.probe_b(protocol_b(replay.model)(views))[:, 0]
    return future[:, 0], a, b


def _rows(replays: Mapping[str, Replay], draw: Callable[[Axes, Replay], None]) -> Figure:
    """One panel a run, stacked, with a common legend."""
    with style():
        figure, axes = stacked_panels(
            len(replays), 0.8 + 2.1 * len(replays), sharex=True, sharey=True
        )
        for axis, (label, replay) in zip(axes, replays.items(), strict=True):
            draw(axis, replay)
            axis.set_title(label, fontsize=12, loc="left")
        axes[0].set(ylim=(-1.5, 1.5), yticks=(-1.5, -1, -0.5, 0, 0.5, 1, 1.5))  # noise passes 1
        handles, labels = axes[0].get_legend_handles_labels()
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


def single_forecast(replays: Mapping[str, Replay]) -> Figure:
    """The first test wave's context and both forecasts of its next value (Figure 2, right panels).

    Args:
        replays: a label for each run.

    Returns:
        One panel a run.
    """

    def draw(axis: Axes, replay: Replay) -> None:
        _, a, b = _forecasts(replay)
        series = replay.test_series[0]
        time = range(len(series))
        axis.plot(time[:CONTEXT], series[:CONTEXT], ".-", color=COLORS[0], label="context")
        axis.plot(time[CONTEXT:], series[CONTEXT:], ".:", color="0.55", label="future")
        axis.plot(CONTEXT, a[0], "x", color=COLORS[1], markersize=9, label="A (encoder)")
        axis.plot(CONTEXT, b[0], "^", color=COLORS[2], markersize=7, label="B (predictor)")

    figure = _rows(replays, draw)
    figure.axes[-1].set_xticks(range(0, 20, 2))
    figure.supxlabel("sample")
    figure.supylabel("amplitude")
    return figure
