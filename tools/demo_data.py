"""Pack looks, weights, images and records of the demos as scripts: a part of `make book`.

Scripts, because browsers load them from the file system, too. Where MNIST cannot be had, the pads
are built without images to choose from; their models still complete what is drawn.
"""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.colors import to_hex, to_rgb
from torch import Tensor

from bijepa_book.controls.why import PAIRS
from bijepa_book.evidence.futures import well
from bijepa_book.evidence.second.recording import load
from bijepa_book.evidence.second.why import (
    EMBEDDING,
    FORECAST,
    IMAGE_NAMES,
    IMAGES,
    recorded,
)
from bijepa_book.evidence.statistics import Array, geometric_mean
from bijepa_book.evidence.verdicts import Records
from bijepa_book.figures.why import LABELS
from bijepa_book.int8 import stored
from bijepa_book.records import results_folder
from bijepa_book.style import LOOKS, OTHERS, Look
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core._support.files import atomic_write
from bijepa_core.data import mnist

WEIGHTS = Path(__file__).parents[1] / "book" / "interactive" / "weights"
MODELS = {
    "lorenz": WEIGHTS / "lorenz.npz",
    "hallucination": WEIGHTS / "hallucination.npz",
    "completions": results_folder() / "futures" / "mnist-futures-energy-expressive-weights.npz",
}
PAGES = {"light": ("white", "black", 4.5, 3.0), "dark": ("#121212", "white", 6.5, 4.0)}
"""The ground, what stands out from it most, and the contrasts of curves and of pale ones.

WCAG 1.4.11 asks for 3; thin lines on a dark ground need more.
"""
TRAINING, EACH = 2_000, 20  # training images to search; test images of each digit to choose from


def script(name: str, value: object) -> bytes:
    """A script that puts a value where the demo of that name looks for it."""
    return f"(globalThis.bijepaData ??= {{}}).{name} = {json.dumps(value)};\n".encode()


def looks() -> dict[str, Any]:
    """The models' looks, and those for anything else."""
    return {
        "models": {name: page_look(one) for name, one in LOOKS.items()},
        "others": [page_look(one) for one in OTHERS],
    }


def page_look(look: Look) -> dict[str, Any]:
    """Dashes in widths of the line; inks for light and dark pages, and for a reader's own colors.

    A color that stands out from the page too little is mixed with black or white until it does.
    """
    gray = len(set(to_rgb(look.color))) == 1
    own = {"forced": "CanvasText" if gray else "LinkText"}
    clear, pale = dict(own), dict(own)
    for page, (ground, far, least, faint) in PAGES.items():
        darker = mixtures(look.color, far)
        clear[page] = next(one for one in darker if contrast(one, ground) >= least)
        paler = mixtures(clear[page], ground)
        pale[page] = [one for one in paler if contrast(one, ground) >= faint][-1]
    return {"ink": clear, "pale": pale, "dash": [] if look.dash == "-" else list(look.dash[1])}


def mixtures(color: str, other: str) -> list[str]:
    """From one color to another, in hundredths."""
    start, end = np.array(to_rgb(color)), np.array(to_rgb(other))
    return [to_hex(start + share * (end - start)) for share in np.linspace(0, 1, 101)]


def contrast(one: str, other: str) -> float:
    """The contrast of two colors, as WCAG defines it: from 1 to 21."""
    dark, bright = sorted(map(_luminance, (one, other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = np.array(to_rgb(color))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def packed(path: Path) -> dict[str, Any]:
    """The arrays of a file of weights, end to end, and where each of them begins."""
    arrays = stored(path)
    # numbers of four bytes first, so that each begins where four divides
    order = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    listed, content = [], b""
    for name in order:
        values = arrays[name]
        listed.append([name, list(values.shape), values.dtype.name, len(content)])
        content += values.tobytes()
    return {"arrays": listed, "data": encoded(content)}


def encoded(content: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(content).decode()


def images() -> dict[str, dict[str, str] | None]:
    """Halves to choose from and to search, None where MNIST cannot be had."""
    try:
        digits = mnist.load()
    except DataNotFoundError as error:
        print(f"The pads get no images to choose from: {error}", file=sys.stderr)
        return {"images": None, "training": None}
    chosen = [row for digit in range(10) for row in rows_of(digits.test_labels, digit)]
    return {
        "images": halves(digits.test[chosen], digits.test_labels[chosen]),
        "training": halves(digits.train[:TRAINING], digits.train_labels[:TRAINING]),
    }


def rows_of(labels: Tensor, digit: int) -> list[int]:
    """The first rows with a digit."""
    found: list[int] = (labels == digit).nonzero().flatten()[:EACH].tolist()
    return found


def halves(pictures: Tensor, labels: Tensor) -> dict[str, str]:
    """Pixels of both halves and labels, a byte each."""
    left, right = mnist.halves(pictures)
    parts = {"left": left, "right": right, "labels": labels.byte()}
    return {name: encoded(part.numpy().tobytes()) for name, part in parts.items()}


UNITS = {"sine": "sample", "lorenz": "state", IMAGES: "column"}
NEAR = 9  # columns from the seam; further off, the pixels are nearly all black
WINDOWS = {name: name for name in "wxyz"}
HALVES = {"x": "left from right", "y": "right from left"}


def positions(study: Records) -> dict[str, Any]:
    """What the position cursor shows: errors and their ratios by position, with intervals."""
    pairs = [[f"{ours}-over-{theirs}", ours, theirs] for ours, theirs in PAIRS]
    return {
        "labels": LABELS,
        "models": {name: label.partition(" (")[0] for name, label in LABELS.items()},
        "pairs": pairs,
        "systems": {system: _system(study, system, pairs) for system in UNITS},
    }


def _system(study: Records, system: str, pairs: list[list[str]]) -> dict[str, Any]:
    digits = system == IMAGES
    there = set(IMAGE_NAMES) if digits else {name for pair in PAIRS for name in pair}
    size, readings = 0, {}
    for reading in (EMBEDDING, FORECAST):
        errors = {name: recorded(study, system, name, reading) for name in sorted(there)}
        if digits:
            errors = {name: _near(windows) for name, windows in errors.items()}
        windows = list(errors["classic"])
        size = errors["classic"]["y"].shape[-1]
        rows = {name: np.concatenate([*one.values()], axis=-1) for name, one in errors.items()}
        readings[reading] = {
            "windows": windows,
            "models": {name: _curve(row) for name, row in rows.items()},
            "pairs": {
                key: _curve(rows[ours] / rows[theirs])
                for key, ours, theirs in pairs
                if {ours, theirs} <= there
            },
        }
    names = HALVES if digits else WINDOWS
    return {"size": size, "unit": UNITS[system], "names": names, "readings": readings}


def _near(windows: Mapping[str, Array]) -> dict[str, Array]:
    """The columns near the seam: the last of a left half, the first of a right one."""
    return {name: one[:, -NEAR:] if name == "x" else one[:, :NEAR] for name, one in windows.items()}


def _curve(values: Array) -> list[list[float]]:
    """The geometric means over seeds, and both ends of their intervals: four digits each."""
    return [[float(f"{v:.4g}") for v in row] for row in geometric_mean(values)]


STEP, FAR, EVERY = 0.05, 1.8, 2  # between places, the farthest, and cells that become one


def double_well() -> dict[str, Any]:
    """The well's constants, and its laws on a coarser grid for each place that the page offers.

    They are the laws of future and past alike.
    """
    count = round(FAR / STEP)
    starts = torch.arange(-count, count + 1, dtype=torch.float64) * STEP
    laws = [coarse(row, digits=5) for row in well.law(starts[:, None])]
    return {
        "sigma": well.SIGMA,
        "time": well.TIME,
        "dt": well.DT,
        "edge": well.EDGE,
        "starts": [round(start, 2) for start in starts.tolist()],
        "stationary": coarse(well.stationary(), digits=8),
        "laws": laws,
    }


def coarse(probabilities: Tensor, digits: int) -> list[float]:
    """The probabilities of cells so many at a time, rounded."""
    return [
        round(value, digits) for value in probabilities.unflatten(-1, (-1, EVERY)).sum(-1).tolist()
    ]


def main() -> None:
    """Write one script a demo's data into the folder that is named."""
    out = Path(sys.argv[1])
    atomic_write(out / "data-looks.js", script("looks", looks()))
    for name, path in MODELS.items():
        atomic_write(out / f"data-{name}.js", script(name, packed(path)))
    for name, value in images().items():
        atomic_write(out / f"data-{name}.js", script(name, value))
    atomic_write(out / "data-position.js", script("position", positions(load())))
    atomic_write(out / "data-well.js", script("well", double_well()))


if __name__ == "__main__":
    main()
