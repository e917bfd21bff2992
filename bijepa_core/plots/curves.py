"""What happens while a model trains, and where it ends: losses, diagnostics, final values."""

from collections.abc import Mapping, Sequence
from statistics import median

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bijepa_core.history import History
from bijepa_core.plots.style import COLORS, LABELS, WIDTH, band, style


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
            band(axis, *history.smooth_loss(), label, i)
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
                band(axis, history.logged_steps, history.diagnostics[name], label, i)
            axis.set_title(LABELS[name], fontsize=12)
            if name in ("variance", "relative_loss"):
                axis.set_yscale("log")
        figure.supxlabel("training step")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
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
