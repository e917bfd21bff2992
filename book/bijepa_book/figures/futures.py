"""Many futures: laws beside samples, what z decides, calibration, completions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from bijepa_book.evidence.futures import well
from bijepa_book.evidence.futures.skill import BINS
from bijepa_book.figures.mnist import cut_line, show, whole
from bijepa_book.style import DASHES, OTHERS, WIDTH, Look, look, stacked_panels, style
from bijepa_core.data.mnist import Side
from bijepa_core.model import Direction

Array = NDArray[np.float64]
LOOKS: Mapping[str, Look] = {
    "deterministic": look("expressive"),
    "energy": OTHERS[0],
    "gaussian": OTHERS[1],
    "mixture": OTHERS[2],
    "flow": OTHERS[3],
    "exact": Look("#000000", DASHES[0], "D"),
    "climatology": Look("0.45", DASHES[2], "|"),
    "neighbors": Look("0.45", DASHES[1], "^"),
}
"""Of the heads. The deterministic one is the expressive model."""
BAR, REACH = 0.1, 2.0  # of histograms; places that are shown
WORDS: Mapping[Direction, str] = {"forward": "place, 2 later", "backward": "place, 2 earlier"}
"""Of the hidden view, by direction."""


def _density(axis: Axes, law: Tensor, **settings: object) -> None:
    """A law on the grid, as a line."""
    axis.plot(well.GRID, law / well.WIDTH, color="black", linewidth=2.2, **settings)  # type: ignore[arg-type]


def _histogram(axis: Axes, values: Tensor, name: str, label: str | None = None) -> None:
    bins = torch.arange(-REACH, REACH + BAR, BAR)
    color = LOOKS[name].color
    axis.hist(values.numpy(), bins.tolist(), density=True, color=color, alpha=0.45, label=label)


def fork(paths: Tensor, law: Tensor, shown: int = 24) -> Figure:
    """Particles that are on the ridge in the middle of their way, before and after.

    Args:
        paths: where they are, ``(times, particles)``, from ``-TIME`` to ``TIME``.
        law: of both ends, on the grid.
        shown: ways that are drawn.

    Returns:
        Their ways; below, where they came from and where they went, beside the exact law.
    """
    with style():
        figure, panels = plt.subplot_mosaic(
            "AA;BC", figsize=(WIDTH, 5.8), layout="constrained", height_ratios=(1.15, 1)
        )
        above, *below = (panels[name] for name in "ABC")
        below[1].sharey(below[0])  # they are to be compared
        times = np.linspace(-well.TIME, well.TIME, len(paths))
        for i, way in enumerate(paths[:, :shown].T):
            gray = 0.25 + 0.5 * i / shown
            above.plot(times, way, color=str(gray), linewidth=0.8)
        above.plot(0, 0, "o", color="#D55E00", markersize=9, zorder=5)
        above.set(xlabel="time", ylabel="place q", ylim=(-REACH, REACH))
        for axis, end, words in zip(
            below, (paths[0], paths[-1]), ("2 before", "2 after"), strict=True
        ):
            bins = torch.arange(-REACH, REACH + BAR, BAR).tolist()
            axis.hist(end.numpy(), bins, density=True, color="0.7", label="particles")
            _density(axis, law, label="exact law")
            axis.set(xlabel=f"place, {words}", xlim=(-REACH, REACH), yticks=[])
        handles, labels = below[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def answers(single: Tensor, samples: Mapping[str, Tensor], laws: Tensor) -> Figure:
    """From every place: the law, a single answer, and samples.

    Args:
        single: the deterministic answers at :data:`.well.PLACES`, ``(places,)``.
        samples: by the name of a panel, ``(count, places)``.
        laws: on the grid, ``(places, cells)``.

    Returns:
        A panel for the exact law, and one for each entry; the darker, the likelier.
    """
    places = well.PLACES[:, 0].numpy()
    edges = np.linspace(-REACH, REACH, 41)
    exact = laws.numpy() @ _to_bars(edges)
    panels = {"the exact law": exact} | {
        name: np.stack([np.histogram(one.numpy(), edges)[0] / len(one) for one in drawn.T])
        for name, drawn in samples.items()
    }
    with style():
        figure, axes = plt.subplots(
            *(1, len(panels)), figsize=(WIDTH, 3.6), layout="constrained", sharey=True
        )
        for axis, (name, shares) in zip(axes, panels.items(), strict=True):
            axis.pcolormesh(places, (edges[1:] + edges[:-1]) / 2, shares.T, cmap="Greys", vmin=0,
                            vmax=exact.max(), shading="nearest", rasterized=True)  # fmt: skip
            axis.plot(places, single, color=LOOKS["deterministic"].color, linewidth=3,
                      label="one answer, P(s)")  # fmt: skip
            axis.set_title(name, fontsize=12)
            axis.set(xlabel="place now", xticks=(-1, 0, 1))
            axis.grid(False)
        axes[0].set_ylabel("place, 2 later")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center")
    return figure


def _to_bars(edges: Array) -> Array:
    """Which cell of the grid lies in which bar, ``(cells, bars)``."""
    at = np.digitize(well.GRID.numpy(), edges) - 1
    return np.equal.outer(at, np.arange(len(edges) - 1)).astype(float)


def ridge(drawn: Mapping[str, tuple[Tensor, float]], law: Tensor, name: str = "energy") -> Figure:
    """On the ridge: samples, the single answer, and the law.

    Args:
        drawn: by the name of a panel, samples ``(count,)`` and the deterministic answer.
        law: on the grid.
        name: of the head that samples.

    Returns:
        A panel an entry.
    """
    with style():
        figure, axes = plt.subplots(
            *(1, len(drawn)), figsize=(WIDTH, 3.3), layout="constrained", sharey=True
        )
        for axis, (words, (samples, single)) in zip(np.ravel(axes), drawn.items(), strict=True):
            _histogram(axis, samples, name, "samples, P(s, z)")
            _density(axis, law, label="exact law")
            color, dash = LOOKS["deterministic"].color, (0, (4, 1.5))
            axis.axvline(single, color=color, linewidth=3, linestyle=dash, label="one answer, P(s)")
            axis.set(xlabel=words, xlim=(-REACH, REACH), yticks=[])
        handles, labels = np.ravel(axes)[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2)
    return figure


def bent(curve: Tensor, places: Tensor, samples: Tensor, single: Tensor) -> Figure:
    """The embedding of a line is a bent curve: where its samples lie, and where the mean does.

    Args:
        curve: embeddings of places in order, ``(n, d)``.
        places: these, ``(n,)``.
        samples: ``(count, d)``, of one place.
        single: ``(d,)``, the mean of all that may come.

    Returns:
        All in the plane of the curve's two widest directions.
    """
    middle = curve.mean(0)
    plane = torch.linalg.svd(curve - middle, full_matrices=False).Vh[:2].T
    flat, cloud, mean = ((one - middle) @ plane for one in (curve, samples, single[None]))
    with style():
        figure, (axis,) = stacked_panels(1, 3.6)
        axis.plot(*flat.T, color="0.3", linewidth=1.5, label="embeddings of places")
        color, _, marker = LOOKS["energy"]
        axis.plot(*cloud.T, marker, color=color, markersize=4, alpha=0.45, linestyle="none",
                  label="samples, P(s, z)")  # fmt: skip
        axis.plot(*mean.T, "*", color=LOOKS["deterministic"].color, markersize=18,
                  markeredgecolor="white", linestyle="none", label="their mean")  # fmt: skip
        for place in (-1, 0, 1):
            at = flat[(places - place).abs().argmin()]
            axis.plot(*at, "|", color="black", markersize=10)
            axis.annotate(f"q = {place:g}", at.tolist(), xytext=(6, 7), textcoords="offset points")
        axis.set(xlabel="widest direction", ylabel="second widest")
        figure.legend(loc="outside lower center", ncols=3, columnspacing=1, handletextpad=0.5)
    return figure


def decided(outcomes: Mapping[str, Tensor], reach: float) -> Figure:
    """What each z makes of one place: the plane of z, and where its futures lie.

    Args:
        outcomes: by the name of a panel, ``(rows, columns)``: z's second number, its first.
        reach: of both numbers, from minus to plus.

    Returns:
        A panel an entry; the thick line parts the wells.
    """
    with style():
        figure, axes = plt.subplots(
            1, len(outcomes), figsize=(WIDTH, 2.9), layout="constrained", sharey=True
        )
        for axis, (words, plane) in zip(np.ravel(axes), outcomes.items(), strict=True):
            line = np.linspace(-reach, reach, len(plane))
            image = axis.pcolormesh(line, line, plane, cmap="PuOr", vmin=-1.5, vmax=1.5,
                                    shading="nearest", rasterized=True)  # fmt: skip
            if plane.min() < 0 < plane.max():
                axis.contour(line, line, plane, levels=[0], colors="black", linewidths=2.2)
            axis.contour(line, line, plane, levels=[-1, 1], colors="0.3", linewidths=0.8)
            around = np.linspace(0, 2 * np.pi, 100)
            axis.plot(np.cos(around), np.sin(around), color="0.25", linestyle=":", linewidth=1.2)
            axis.set_title(words, fontsize=12)
            axis.set(xlabel="first of z", aspect="equal", xticks=(-2, 0, 2), yticks=(-2, 0, 2))
            axis.grid(False)
        np.ravel(axes)[0].set_ylabel("second of z")
        scale = figure.colorbar(image, ax=axes, shrink=0.8, ticks=(-1, 0, 1), pad=0.02)
        scale.set_label("place, 2 later")
    return figure


def rivals(
    shares: Mapping[str, Array], law: Tensor, singles: Mapping[str, Array] | None = None
) -> Figure:
    """On the ridge, by head: the mean histogram of all seeds beside the law.

    Args:
        shares: by head, ``(50,)``, bars of a tenth from -2.5 to 2.5, in any unit.
        law: on the grid.
        singles: likewise of single seeds, ``(seeds, 50)``, drawn as thin lines.

    Returns:
        A panel a head.
    """
    with style():
        rows = (len(shares) + 1) // 2
        figure, axes = plt.subplots(
            *(rows, 2), figsize=(WIDTH, 0.6 + 1.7 * rows), layout="constrained", sharex=True
        )
        middles = -2.45 + BAR * np.arange(50)
        for axis in axes.flat[len(shares) :]:
            axis.set_visible(False)
        for axis, (name, values) in zip(axes.flat, shares.items(), strict=False):
            color = LOOKS[name].color
            axis.bar(middles, values / values.sum() / BAR, width=BAR, color=color, alpha=0.35)
            edges = -2.5 + BAR * np.arange(51)
            for one in (singles or {}).get(name, ()):
                axis.stairs(one / one.sum() / BAR, edges, color=color, linewidth=0.9)
            _density(axis, law)
            axis.set(xlim=(-REACH, REACH), yticks=[], ylim=(0, 1.15))
            axis.set_title(name, fontsize=12)
        figure.supxlabel("place, 2 after the ridge", fontsize=12)
    return figure


def wings(sides: Mapping[str, tuple[Tensor, Tensor]], attractor: Tensor) -> Figure:
    """Noisy windows of Lorenz's attractor, and states before or after that fit them.

    Args:
        sides: by the name of a panel, what is seen ``(times, 3)``, and draws from the exact law
            ``(count, 3)``, both in the units of the views.
        attractor: ``(n, 3)``, as the ground.

    Returns:
        A panel an entry, the first coordinate across and the third up.
    """
    with style():
        figure, axes = plt.subplots(
            *(1, len(sides)), figsize=(WIDTH, 3.7), layout="constrained", sharey=True
        )
        for axis, (words, (seen, drawn)) in zip(axes, sides.items(), strict=True):
            axis.plot(*attractor[:, (0, 2)].T, ".", color="0.85", markersize=2, zorder=1)
            axis.plot(*drawn[:, (0, 2)].T, "D", color="black", markersize=5, linestyle="none",
                      alpha=0.6, label="drawn from the exact law")  # fmt: skip
            axis.plot(*seen[:, (0, 2)].T, "o", color="#D55E00", markersize=7, linestyle="none",
                      markeredgecolor="white", label="what is seen")  # fmt: skip
            axis.axvline(0, color="0.4", linewidth=1, linestyle=":")
            axis.set_title(words, fontsize=12)
            axis.set(xlabel="first coordinate", xlim=(-2.8, 2.8), ylim=(-2.7, 3))
            axis.grid(False)
        axes[0].set_ylabel("third coordinate")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def reliable(said: Mapping[str, Array]) -> Figure:
    """How often forecasts of a side come true, and how often they are made.

    Args:
        said: by head, ``(3, BINS)``: the share of views, the mean probability, how often it came
            true, means over seeds.

    Returns:
        Two panels: calibration, and the shares.
    """
    with style():
        figure, (above, below) = stacked_panels(2, 6.0, sharex=True, height_ratios=(1.6, 1))
        above.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        for i, (name, (often, claimed, true)) in enumerate(said.items()):
            color, dash, marker = LOOKS[name]
            made = often > 0.002
            above.plot(claimed[made], true[made], color=color, linestyle=dash, marker=marker,
                       markersize=6, label=name)  # fmt: skip
            middles = (np.arange(BINS) + 0.5) / BINS
            width = 0.8 / BINS / len(said)
            shift = width * (i - (len(said) - 1) / 2)
            below.bar(middles + shift, 100 * often, width=width, color=color, label=name)
        above.set_ylabel("how often it was")
        below.set(xlabel="probability of the right wing that was said", ylabel="views (%)")
        figure.legend(*above.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def halves(
    given: Tensor, rows: Mapping[str, Tensor], side: Side = "left", columns: int = 8
) -> Figure:
    """Halves with what was drawn for them, as whole images.

    Args:
        given: ``(n, 392)`` in 0..1.
        rows: by name, ``(n, count, 392)``.
        side: which half is given.
        columns: images in a row.

    Returns:
        For each half a block with a row an entry.
    """
    blank = 0.25  # of a row, below each block
    heights = ([1.0] * len(rows) + [blank]) * len(given)
    with style():
        figure, axes = plt.subplots(
            *(len(heights), columns),
            figsize=(WIDTH, 0.88 * WIDTH * sum(heights) / columns),
            squeeze=False,
            height_ratios=heights,
        )
        figure.subplots_adjust(0.17, 0.0, 0.995, 0.995, wspace=0.06, hspace=0.08)
        for axis in axes.flat:
            axis.set_axis_off()
        for i, half in enumerate(given):
            for j, (name, drawn) in enumerate(rows.items()):
                line = axes[i * (len(rows) + 1) + j]
                for axis, one in zip(line, drawn[i], strict=False):
                    axis.set_axis_on()
                    known = half.expand_as(one)
                    parts = (known, one) if side == "left" else (one, known)
                    show(axis, whole(*parts))
                    cut_line(axis)
                line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    return figure


def doubt(curves: Mapping[str, Sequence[float]]) -> Figure:
    """By tenths of the halves, from those whose neighbors agree to those where they do not.

    Args:
        curves: by name, ten mean entropies in nats.

    Returns:
        A curve an entry.
    """
    with style():
        figure, (axis,) = stacked_panels(1, 3.4)
        for name, values in curves.items():
            color, dash, marker = LOOKS[name]
            axis.plot(range(1, 11), values, color=color, linestyle=dash, marker=marker,
                      markersize=7, label=name)  # fmt: skip
        axis.set(xlabel="tenth of the halves, by what neighbors leave open", xticks=range(1, 11),
                 ylabel="entropy of classes (nats)", ylim=(-0.03, None))  # fmt: skip
        figure.legend(loc="outside upper center", ncols=4, columnspacing=1.2)
    return figure


def placed(ways: Mapping[str, tuple[Tensor, Tensor]], law: Tensor) -> Figure:
    """For the live control: futures and pasts of one place, as a figure that pyplot does not show.

    Args:
        ways: by words, samples ``(count,)`` and the single answer ``()``.
        law: of both.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
        axes = figure.subplots(1, len(ways), sharey=True, squeeze=False).flat
        for axis, (words, (samples, single)) in zip(axes, ways.items(), strict=True):
            _histogram(axis, samples, "energy", "samples, P(s, z)")
            _density(axis, law, label="exact law")
            color = LOOKS["deterministic"].color
            axis.axvline(float(single), color=color, linewidth=3, label="one answer, P(s)")
            axis.set(xlabel=words, xlim=(-REACH, REACH), yticks=[])
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2)
    return figure
