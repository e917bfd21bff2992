"""The architecture as a picture (Figure 1): classic JEPA, and what BiJEPA adds."""

from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from bijepa_book.style import WIDTH, style

COLUMNS = {"view": 0.0, "encoder": 1.15, "embedding": 2.3, "predictor": 3.45, "prediction": 4.6}
LOSS = 5.75


@dataclass(frozen=True)
class Palette:
    """Ink and the fills of trained, averaged and other parts, on a page of some brightness."""

    ink: str
    trained: str
    averaged: str
    plain: str


LIGHT = Palette(ink="#1a1a1a", trained="#cfe3f3", averaged="#f7dcc6", plain="#ffffff00")
DARK = Palette(ink="#e8e8e8", trained="#12466b", averaged="#6b3410", plain="#ffffff00")


def architecture(palette: Palette = LIGHT) -> Figure:
    """Both panels of Figure 1, drawn for a light or a dark page.

    Boxes with a solid rim are trained by gradients, boxes with a dashed rim follow as a moving
    average (Eq. 5); two strokes across an arrow stop the gradient. What the target encoder says
    has a bar, which the paper leaves out.

    Args:
        palette: :data:`LIGHT` or :data:`DARK`.

    Returns:
        The figure, on a transparent background.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 7.1), layout="constrained")
        figure.patch.set_alpha(0)
        above, below = figure.subplots(2, 1, height_ratios=[2.45, 4.25])
        _direction(above, palette, 0.5, ("x", "y"), r"P_\phi", "L", z="z")
        _finish(above, palette, "(A)  Classic JEPA predicts one way", (-1.25, 1.2))
        _direction(below, palette, 2.15, ("x", "y"), r"P_{fwd}", "L_{fwd}", z="z_1")
        _direction(below, palette, -0.05, ("y", "x"), r"P_{bwd}", "L_{bwd}", z="z_2")
        _total(below, palette, 2.15, -0.05)
        _finish(
            below, palette, "(B)  BiJEPA predicts both ways, with the same encoders", (-1.4, 2.85)
        )
    return figure


def _direction(
    axis: Axes,
    palette: Palette,
    y: float,
    views: tuple[str, str],
    predictor: str,
    loss: str,
    z: str,
) -> None:
    """One direction of prediction: two rows, the upper one trained, the lower one its target."""
    source, goal = views
    low = y - 1
    upper = [
        ("view", f"${source}$", palette.plain, "-", False),
        ("encoder", r"$f_\theta$", palette.trained, "-", True),
        ("embedding", f"$s_{source}$", palette.plain, "-", False),
        ("predictor", f"${predictor}$", palette.trained, "-", True),
        ("prediction", rf"$\hat{{s}}_{goal}$", palette.plain, "-", False),
    ]
    lower = [
        ("view", f"${goal}$", palette.plain, "-", False),
        ("encoder", r"$f_{\bar\theta}$", palette.averaged, "--", True),
        ("prediction", rf"$\bar{{s}}_{goal}$", palette.plain, "-", False),  # not the online one
    ]
    for height, row in ((y, upper), (low, lower)):
        for column, text, fill, rim, boxed in row:
            _part(axis, palette, (COLUMNS[column], height), text, fill, rim, boxed)
        # arrows begin and end at the rim of a box, or beside a letter
        rims = [(COLUMNS[column], 0.38 if boxed else 0.2) for column, *_, boxed in row]
        for (start, behind), (stop, before) in pairwise(rims):
            _arrow(axis, palette, (start + behind, height), (stop - before, height))
    middle = (y + low) / 2
    _part(axis, palette, (LOSS, middle), f"${loss}$", palette.plain, "-", True)
    _arrow(axis, palette, (COLUMNS["prediction"] + 0.24, y), (LOSS - 0.3, middle + 0.26))
    _arrow(axis, palette, (COLUMNS["prediction"] + 0.24, low), (LOSS - 0.3, middle - 0.26))
    _part(axis, palette, (COLUMNS["predictor"], y + 0.62), f"${z}$", palette.plain, "-", False, 11)
    _arrow(axis, palette, (COLUMNS["predictor"], y + 0.47), (COLUMNS["predictor"], y + 0.3))
    for shift in (-0.05, 0.05):  # the stop-gradient, across the target's arrow
        x = (COLUMNS["encoder"] + COLUMNS["prediction"]) / 2 + shift
        axis.plot([x - 0.06, x + 0.06], [low - 0.16, low + 0.16], color=palette.ink, linewidth=1.6)
    x = (COLUMNS["encoder"] + COLUMNS["prediction"]) / 2
    axis.text(x, low - 0.2, "stop-gradient", ha="center", va="top", fontsize=9.5, color=palette.ink)
    _arrow(axis, palette, (COLUMNS["encoder"], y - 0.29), (COLUMNS["encoder"], low + 0.3), ":")
    axis.text(COLUMNS["encoder"] + 0.1, middle, "EMA", va="center", fontsize=9.5, color=palette.ink)


def _total(axis: Axes, palette: Palette, upper: float, lower: float) -> None:
    """The weighted sum of both directions (Eq. 8)."""
    places = (upper - 0.5, lower - 0.5)
    middle = sum(places) / 2
    _part(axis, palette, (LOSS, middle), "$L_{total}$", palette.plain, "-", True)
    for place, weight, sign in zip(places, (r"$\alpha$", r"$1-\alpha$"), (1, -1), strict=True):
        _arrow(axis, palette, (LOSS, place - sign * 0.29), (LOSS, middle + sign * 0.3))
        axis.text(
            LOSS + 0.1, (place + middle) / 2, weight, va="center", fontsize=11, color=palette.ink
        )


def _part(
    axis: Axes,
    palette: Palette,
    place: tuple[float, float],
    text: str,
    fill: str,
    rim: str,
    boxed: bool,
    size: float = 14,
) -> None:
    """A name, in a box where it stands for a network or a loss."""
    x, y = place
    if boxed:
        corner, width, height = (x - 0.36, y - 0.26), 0.72, 0.52
        axis.add_patch(
            FancyBboxPatch(
                corner,
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=fill,
                edgecolor=palette.ink,
                linestyle=rim,
                linewidth=1.3,
            )
        )
    axis.text(x, y, text, ha="center", va="center", fontsize=size, color=palette.ink)


def _arrow(
    axis: Axes,
    palette: Palette,
    start: tuple[float, float],
    stop: tuple[float, float],
    line: str = "-",
) -> None:
    axis.annotate(
        "",
        stop,
        start,
        arrowprops={
            "arrowstyle": "-|>" if line == "-" else "->",
            "color": palette.ink,
            "linestyle": line,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )


def _finish(axis: Axes, palette: Palette, title: str, heights: tuple[float, float]) -> None:
    axis.set(xlim=(-0.4, LOSS + 0.75), ylim=(heights[0], heights[1] + 0.2))
    axis.set_axis_off()
    axis.set_title(title, loc="left", fontsize=12.5, color=palette.ink)
