"""What happens while a model trains, and where it ends: losses, diagnostics, final values."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.names import words
from bijepa_book.style import LABELS, WIDTH, band, label_log, look, stacked_panels, style
from bijepa_core.history import History


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
                axis.plot(curve, color=look(label, i).color, alpha=0.18, linewidth=0.6)
            band(axis, *history.smooth_loss(), label, i)
        axis.set(xlabel="training step", ylabel="loss, mean of directions", yscale="log")
        label_log(axis, "y")
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
                label_log(axis, "y")
        figure.supxlabel("training step")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def final_values(rows: Mapping[str, Sequence[float]], label: str) -> Figure:
    """One number a seed and condition, as points, with the median as a bar.

    Args:
        rows: condition, or a stored name, then one value a seed.
        label: what the numbers are.

    Returns:
        One panel, conditions from top to bottom.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 1.2 + 0.5 * len(rows)), layout="constrained")
        for i, (name, values) in enumerate(rows.items()):
            color, _, marker = look(name)
            axis.scatter(values, [i] * len(values), color=color, marker=marker, alpha=0.7, s=28)
            middle = median(values)
            axis.plot([middle] * 2, [i - 0.3, i + 0.3], color="black", linewidth=2)
        axis.set(
            yticks=range(len(rows)),
            yticklabels=[words(n) for n in rows],
            xlabel=label,
            xscale="log",
        )
        label_log(axis, "x")
        axis.invert_yaxis()
    return figure


def recorded(
    runs: Mapping[str, Mapping[str, Sequence[Any]]], quantities: Mapping[str, str]
) -> Figure:
    """Curves of a record, one panel a quantity, against the step on a logarithmic axis.

    Args:
        runs: by label: ``steps``, and for each quantity a median, a lowest and a highest value a
            step.
        quantities: a name in the record, and what to write beside it.

    Returns:
        The panels, stacked.
    """
    with style():
        figure, axes = stacked_panels(len(quantities), 0.9 + 2.5 * len(quantities), sharex=True)
        for axis, (name, label) in zip(axes, quantities.items(), strict=True):
            for i, (run, values) in enumerate(runs.items()):
                steps = [step + 1 for step in values["steps"]]  # the first on a logarithmic axis
                middle, low, high = zip(*values[name], strict=True)
                color, dash, _ = look(run, i)
                axis.plot(steps, middle, color=color, linestyle=dash, label=run)
                axis.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)
            axis.set(ylabel=label, xscale="log")
            if name != "norm":
                axis.set_yscale("log")
                label_log(axis, "y")
        figure.supxlabel("training step")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def loop(watched: Mapping[str, Mapping[str, Tensor]], steps: Sequence[int]) -> Figure:
    """Both encoders' norms, and the predictor loop's largest eigenvalue, during training.

    Args:
        watched: by label, ``online``, ``target`` and ``radius``, each ``(looks, seeds)``.
        steps: of the looks.

    Returns:
        Two panels, stacked; the target encoder is drawn thinner.
    """
    with style():
        figure, axes = stacked_panels(2, 6.4, sharex=True)
        for i, (label, looks) in enumerate(watched.items()):
            color, dash, _ = look(label, i)
            band(axes[0], torch.tensor(steps), looks["online"], label, i)
            target = looks["target"].quantile(0.5, dim=1)
            axes[0].plot(
                steps, target, color=color, linestyle=dash, lw=0.9, label=f"{label}: target"
            )
            band(axes[1], torch.tensor(steps), looks["radius"], label, i)
        axes[0].set_ylabel("embedding norm")
        axes[1].axhline(1, color="black", linewidth=1)
        axes[1].set(ylabel="largest eigenvalue", xlabel="training step", ylim=(0, None))
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure
