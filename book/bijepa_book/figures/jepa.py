"""Collapse made visible: what the loss shows, and what the embedding shows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from torch import Tensor

from bijepa_book.style import COLORS, LABELS, WIDTH, band, look, style
from bijepa_core.history import History

PANELS = ("loss", "variance", "relative_loss", "effective_rank")
MARKS = ("o", "^", "s", "x")


def learning(courses: Mapping[str, Sequence[float]]) -> Figure:
    """A first learning curve: the loss of each step.

    Args:
        courses: by model, one loss a step.

    Returns:
        One panel with a logarithmic axis.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 3.6), layout="constrained")
        for i, (label, losses) in enumerate(courses.items()):
            color, dash, _ = look(label, i)
            axis.plot(losses, color=color, linestyle=dash, label=label)
        axis.set(xlabel="training step", ylabel="loss", yscale="log")
        axis.legend()
    return figure


def shares(rows: Mapping[str, tuple[float, float]]) -> Figure:
    """What three tasks leave unlearned, and what noise their embeddings hold.

    Args:
        rows: by task, the loss in units of the target's variance, and the share of noise in
            the embedding's variance.

    Returns:
        Two panels of bars, side by side.
    """
    names = (
        "loss that is left\n(% of target's variance)",
        "noise in the embedding\n(% of variance)",
    )
    with style():
        figure, axes = plt.subplots(
            1, 2, figsize=(WIDTH, 2.6), layout="constrained", sharey=True, sharex=True
        )
        for k, (axis, name) in enumerate(zip(axes, names, strict=True)):
            bars = axis.barh(list(rows), [100 * row[k] for row in rows.values()], color=COLORS[k])
            axis.bar_label(bars, fmt="%.0f", padding=3)
            axis.set(xlabel=name, xlim=(0, 100), xticks=(0, 50, 100))
        axes[0].invert_yaxis()
    return figure


def gaps(differences: Mapping[str, Tensor]) -> Figure:
    """How far two implementations of one method drift apart, step by step.

    Args:
        differences: by label, relative differences, ``(steps,)``; zeros are left out.

    Returns:
        One panel with a logarithmic axis.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
        for i, (label, values) in enumerate(differences.items()):
            shown = torch.where(values > 0, values, torch.nan)
            color = look(label.split(", ")[0], i).color  # of the model, whatever the precision
            axis.plot(shown, MARKS[i], color=color, markersize=3, alpha=0.7, label=label)
        axis.set(xlabel="training step", ylabel="relative difference", yscale="log")
        axis.set_ylim(1e-17, 1e-6)
        axis.legend(loc="center right", markerscale=2)
    return figure


def collapse(histories: Mapping[str, History]) -> Figure:
    """The loss, and beside it what the embedding does; one curve a run.

    Args:
        histories: a label for each run; several seeds are shown as their median and range.

    Returns:
        Four panels: loss, variance, relative loss and effective rank against the step.
    """
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 6.4), layout="constrained", sharex=True)
        for axis, name in zip(axes.flat, PANELS, strict=True):
            for i, (label, history) in enumerate(histories.items()):
                if name == "loss":
                    band(axis, *history.smooth_loss(), label, i)
                else:
                    band(axis, history.logged_steps, history.diagnostics[name], label, i)
            axis.set_title(LABELS.get(name, name), fontsize=12)
            axis.set_yscale("linear" if name == "effective_rank" else "log")
            axis.yaxis.set_minor_formatter(NullFormatter())
        axes[1, 0].axhline(1, color="black", linewidth=1)
        axes[1, 1].set_ylim(0, None)
        figure.supxlabel("training step")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def embeddings(clouds: Mapping[str, Tensor], values: Tensor) -> Figure:
    """Embeddings of the same waves in each run's own principal plane, all on one scale.

    Args:
        clouds: by label, embeddings ``(n, d)``.
        values: one number a wave, ``(n,)``, shown as shade.

    Returns:
        Two panels a row.
    """
    with style():
        rows = -(-len(clouds) // 2)
        figure, axes = plt.subplots(
            rows,
            2,
            figsize=(WIDTH, 1 + 2.5 * rows),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for axis in axes.flat[len(clouds) :]:
            axis.set_visible(False)
        for axis, (label, cloud) in zip(axes.flat, clouds.items(), strict=False):
            plane = principal_plane(cloud)
            points = axis.scatter(*plane.T, c=values, cmap="viridis", s=10, linewidth=0)
            axis.set_title(label, fontsize=12)
            axis.set_aspect("equal")
        figure.colorbar(
            points,
            ax=axes,
            location="bottom",
            shrink=0.7,
            aspect=35,
            label="next sample",
            ticks=(-1, 0, 1),
        )
    return figure


def principal_plane(cloud: Tensor) -> Tensor:
    """Coordinates along the two directions of largest variance.

    Args:
        cloud: ``(n, d)``.

    Returns:
        ``(n, 2)``, centered.
    """
    centered = (cloud - cloud.mean(0)).double()
    _, _, directions = torch.linalg.svd(centered, full_matrices=False)
    return centered @ directions[:2].mT
