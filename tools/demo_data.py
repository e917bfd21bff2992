"""Pack the weights and images of the demos as scripts: a part of `make book`.

Scripts, because browsers load them from the file system, too. Where MNIST cannot be had, the
hallucination pad is built without images to choose from; its model still completes what is drawn.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from bijepa_book.int8 import stored
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core._support.files import atomic_write
from bijepa_core.data import mnist

WEIGHTS = Path(__file__).parents[1] / "book" / "interactive" / "weights"
NAMES = ("lorenz", "hallucination")
TRAINING, EACH = 2_000, 20  # training images to search; test images of each digit to choose from


def script(name: str, value: object) -> bytes:
    """A script that puts a value where the demo of that name looks for it."""
    return f"(globalThis.bijepaData ??= {{}}).{name} = {json.dumps(value)};\n".encode()


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


def images() -> dict[str, Any] | None:
    """Halves to choose from and to search, or None where MNIST cannot be had."""
    try:
        digits = mnist.load()
    except DataNotFoundError as error:
        print(f"The hallucination pad gets no images to choose from: {error}", file=sys.stderr)
        return None
    chosen = [row for digit in range(10) for row in rows_of(digits.test_labels, digit)]
    return {
        "train": halves(digits.train[:TRAINING], digits.train_labels[:TRAINING]),
        "test": halves(digits.test[chosen], digits.test_labels[chosen]),
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


def main() -> None:
    """Write one script a demo's data into the folder that is named."""
    out = Path(sys.argv[1])
    for name in NAMES:
        atomic_write(out / f"data-{name}.js", script(name, packed(WEIGHTS / f"{name}.npz")))
    atomic_write(out / "data-images.js", script("images", images()))


if __name__ == "__main__":
    main()
