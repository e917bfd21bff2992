"""Half images and what is drawn for the missing half, maps of doubt, calibration, seeds."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import Tensor

from bijepa_book.style import COLORS, DASHES, PLAIN, WIDTH, Look, look, style
from bijepa_book.text import a_digit
from bijepa_core.data.mnist import COLUMNS, ROWS, Side

OTHERS = (Look("0.55", DASHES[1], "^"), Look("0", DASHES[0], "D"))  # of what is no model
MOST_DOUBT = 0.25  # the variance of a pixel that is black or white, half of the time each


def picture(pixels: Tensor) -> Tensor:
    """Half an image as rows and columns, ``(..., 392)`` to ``(..., 28, 14)``."""
    return pixels.detach().cpu().float().unflatten(-1, (ROWS, COLUMNS))


def whole(left: Tensor, right: Tensor) -> Tensor:
    """Two halves side by side, ``(..., 392)`` each to ``(..., 28, 28)``."""
    return torch.cat([picture(left), picture(right)], dim=-1)


def show(axis: Axes, pixels: Tensor, cmap: str = "gray", top: float = 1.0) -> AxesImage:
    """Put pixels on a panel without ticks or frame; NaN is left white.

    Args:
        axis: where.
        pixels: ``(rows, columns)``.
        cmap: matplotlib's name of the colors.
        top: the brightest value; 0 is the darkest.

    Returns:
        The picture, to which a scale can be drawn.
    """
    image = axis.imshow(pixels.numpy(), cmap=cmap, vmin=0, vmax=top, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return image


def show_doubt(axis: Axes, pixels: Tensor) -> None:
    """A map of doubt, ``(rows, columns)``, with its scale: the variance of each pixel."""
    image = show(axis, pixels, "magma", MOST_DOUBT)
    scale = axis.figure.colorbar(image, ax=axis, ticks=[0, MOST_DOUBT], shrink=0.8)
    scale.ax.set_yticklabels(["0", "1/4"], fontsize=11)


def cut_line(axis: Axes) -> None:
    """The line between what was given and what was drawn."""
    axis.axvline(COLUMNS - 0.5, color=COLORS[1], linewidth=1.2)


def completions(
    left: Tensor, right: Tensor, drawn: Mapping[str, Tensor], given: Side = "left", columns: int = 5
) -> Figure:
    """Given halves, the truth, and what was drawn, one column a digit.

    Args:
        left, right: the true halves in 0..1, ``(n, 392)``.
        drawn: by label, the missing halves as drawn, ``(n, 392)``.
        given: which half was given, ``"left"`` or ``"right"``.
        columns: digits side by side; more go below.

    Returns:
        A block of rows for every ``columns`` digits: the given half, the truth, each drawing.
    """
    nothing = torch.full_like(left, float("nan"))  # shown as the page's white

    def beside(missing: Tensor) -> Tensor:
        return whole(left, missing) if given == "left" else whole(missing, right)

    rows = {"given": beside(nothing), "truth": whole(left, right)}
    rows |= {label: beside(pixels) for label, pixels in drawn.items()}
    blocks = -(-len(left) // columns)
    height = 1.08 * len(rows) * blocks
    with style():
        figure, axes = plt.subplots(
            len(rows) * blocks,
            columns,
            figsize=(WIDTH, height),
            layout="constrained",
            squeeze=False,
        )
        for axis in axes.flat:
            axis.set_axis_off()
        for i in range(len(left)):
            block, column = divmod(i, columns)
            for k, (label, pictures) in enumerate(rows.items()):
                axis = axes[block * len(rows) + k, column]
                axis.set_axis_on()
                show(axis, pictures[i])
                cut_line(axis)
                if column == 0:
                    axis.set_ylabel(label, fontsize=12)
    return figure


def futures(
    left: Tensor, right: Tensor, drawn: Tensor, doubt: Tensor, samples: Tensor, labels: Tensor
) -> Figure:
    """Left halves that leave much open: the drawing, its doubt, and what stood there elsewhere.

    Args:
        left, right: the true halves in 0..1, ``(n, 392)``.
        drawn: the right halves as drawn, ``(n, 392)``.
        doubt: the variance of each pixel, ``(n, 392)``.
        samples: right halves of similar training images, ``(n, k, 392)``.
        labels: their digits, ``(n, k)``.

    Returns:
        Two rows of pictures an image: truth, drawing and doubt; below, the left half with each
        sample.
    """
    count = samples.shape[1]
    with style():
        figure = plt.figure(figsize=(WIDTH, 2.75 * len(left)), layout="constrained")
        parts = figure.subfigures(len(left), 1, squeeze=False)[:, 0]
        for i, part in enumerate(parts):
            upper, lower = part.subfigures(2, 1, height_ratios=(1.25, 1))
            above = upper.subplots(1, 4)
            show(above[0], whole(left, torch.full_like(left, float("nan")))[i])
            show(above[1], whole(left, right)[i])
            show(above[2], whole(left, drawn)[i])
            show_doubt(above[3], whole(torch.full_like(left, float("nan")), doubt)[i])
            for axis, title in zip(above, ("given", "truth", "drawn", "doubt"), strict=True):
                axis.set_title(title, fontsize=12)
                cut_line(axis)
            below = lower.subplots(1, count)
            for axis, half, label in zip(below, samples[i], labels[i].tolist(), strict=True):
                show(axis, whole(left[i], half))
                cut_line(axis)
                axis.set_xlabel(a_digit(label), fontsize=12)
    return figure


def reliability(
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    names: tuple[str, str],
    text: tuple[str, str],
) -> Figure:
    """What was predicted against what came; on the diagonal both agree.

    Args:
        curves: by label, two lists of the same length; one or two labels.
        names: the lists' names, the predicted one first.
        text: labels of the two axes.

    Returns:
        One panel.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
        for i, (label, values) in enumerate(curves.items()):
            x, y = (values[name] for name in names)
            own = look(label)
            color, dash, mark = OTHERS[i] if own is PLAIN else own
            axis.plot(x, y, mark, color=color, linestyle=dash, label=label)
        ends = [point for values in curves.values() for n in names for point in values[n]]
        line = [min(ends), max(ends)]
        axis.plot(line, line, ":", color="0.4", linewidth=1.2, label="foretold is what came")
        axis.set(xlabel=text[0], ylabel=text[1])
        axis.legend()
    return figure


def leads(rows: Mapping[str, Sequence[float]], claimed: float) -> Figure:
    """Differences of two models, a point a seed, with their mean as a bar.

    Args:
        rows: by way of measuring, one difference a seed, in percentage points.
        claimed: the paper's, as a line.

    Returns:
        One panel, ways from top to bottom.
    """
    with style():
        figure, axis = plt.subplots(figsize=(WIDTH, 1.9 + 0.6 * len(rows)), layout="constrained")
        axis.axvline(0, color="0.4", linewidth=1)
        axis.axvline(claimed, color="0.4", linestyle="--")
        axis.annotate(
            f"the paper's {claimed:g}",
            (claimed, len(rows) - 0.6),
            (-6, 0),
            ha="right",
            textcoords="offset points",
        )
        for i, values in enumerate(rows.values()):
            middle = sum(values) / len(values)
            axis.scatter(values, [i] * len(values), color="0.25", alpha=0.5, s=26)
            axis.plot([middle] * 2, [i - 0.32, i + 0.32], color="black", linewidth=2.5)
            words = f"{middle:+.2f}".replace("-", "\N{MINUS SIGN}")
            axis.annotate(words, (middle, i - 0.36), ha="center", va="bottom")
        axis.set(
            yticks=range(len(rows)),
            yticklabels=list(rows),
            ylim=(len(rows) - 0.5, -0.75),
            xlabel="expressive minus classic, percentage points",
        )
    return figure
