"""Chapter 5: what the left half of a digit tells about the right one, and what it leaves open."""

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor

from bijepa_book.records import load
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data import mnist
from bijepa_core.data.mnist import COLUMNS, MEAN, ROWS, STD, Dataset, Digits, Halves, Side
from bijepa_core.evaluation.metrics import neighbor_accuracy, sharpness

MODELS = ("classic", "expressive")
"""The two models of Table 2."""
LOOKED_AT = 2_000  # test images where every one is compared with every training image
KNOWN = 8  # seeds that the study's first edition had seen; the second judges by those after
Rows = dict[str, dict[str, float]]


def images(wanted: Dataset) -> tuple[Digits, Dataset]:
    """MNIST where it can be had, else the stand-in that needs no download.

    Args:
        wanted: ``"digits"`` asks for the stand-in straight away.

    Returns:
        The images, and which data set they are.

    Raises:
        CorruptDataError: if a file of MNIST is cut short or altered.
        ModuleNotFoundError: if the stand-in is needed and scikit-learn is missing.
    """
    try:
        # torchvision announces its attempts on both streams; a notebook would keep them
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return mnist.load(wanted), wanted
    except DataNotFoundError:
        return mnist.load("digits"), "digits"


def first_of_each(labels: Tensor) -> Tensor:
    """The first image of each digit, ``(10,)``: fixed, and chosen by nobody."""
    return torch.stack([(labels == digit).int().argmax() for digit in range(10)])


def recorded() -> dict[str, Any]:
    """The chapter's record, its rows under the names that the book's tables have."""
    found: dict[str, Any] = _named(load("mnist"))
    return found


def _named(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    return {key.replace("BiJEPA", "expressive"): _named(one) for key, one in content.items()}


# --- tables ----------------------------------------------------------------------------------


def accuracy_table(record: Mapping[str, Any], tables: Mapping[str, Any]) -> Rows:
    """Table 2's accuracy in percent: as printed, with the paper's seed, and with others.

    Args:
        record: see :func:`recorded`.
        tables: the record of :func:`bijepa_book.paper.tables.reproduce`.

    Returns:
        Rows of ``classic``, ``expressive`` and their ``difference``, expressive minus classic.
    """
    table_2 = tables["table_2"]
    found = {
        "paper": (table_2["printed"], "paper_accuracy"),
        f"seed {tables['seed']}": (table_2["rerun"], "paper_accuracy"),
        **{f"seed {seed}": (t, "paper_accuracy") for seed, t in record["table"].items()},
    }
    return _with_differences(found, 100)


def decoder_table(record: Mapping[str, Any], tables: Mapping[str, Any]) -> Rows:
    """Table 2's squared error of drawings, on the decoder's own training images.

    Args and Returns as :func:`accuracy_table`; the paper's seed also with the script's images.
    """
    table_2 = tables["table_2"]
    found = {
        "paper": (table_2["printed"], "paper_decoder"),
        f"seed {tables['seed']}, as in the script": (table_2["rerun"], "paper_decoder"),
        f"seed {tables['seed']}": (table_2["rerun"], "decoder_training"),
        **{f"seed {seed}": (t, "decoder_training") for seed, t in record["table"].items()},
    }
    return _with_differences(found, 1)


def _with_differences(found: Mapping[str, tuple[Mapping[str, Any], str]], factor: float) -> Rows:
    rows = {}
    for name, (table, number) in found.items():
        classic, expressive = (factor * table[model][number] for model in MODELS)
        rows[name] = dict(zip(MODELS, (classic, expressive), strict=True))
        rows[name]["difference"] = expressive - classic
    return rows


def fresh(condition: str, measure: str) -> list[float]:
    """What the study's second edition found, a number for each of its 24 fresh seeds.

    Args:
        condition: its name in ``results/second``, such as ``"classic-steps"``.
        measure: one of its numbers, of all 10,000 test images.

    Returns:
        In the order of the seeds, so that conditions can be compared seed by seed.
    """
    found: list[float] = load(f"second/mnist-{condition}-paper")["measures"][measure]
    return found[KNOWN:]


# --- scores -----------------------------------------------------------------------------------


def paired_difference(right: Tensor, other: Tensor) -> dict[str, float]:
    """Two classifiers on the same images: the difference, and its standard error over images.

    Args:
        right, other: which images each got right, booleans ``(m,)``.

    Returns:
        In percentage points: ``difference``, ``standard error`` of paired images, and
        ``unpaired``, what it would be if the two had been tested on different images.
    """
    a, b = right.double(), other.double()
    gap, m = a - b, len(a)
    apart = (a.var() / m + b.var() / m).sqrt()
    return {
        "difference": 100 * float(gap.mean()),
        "standard error": 100 * float(gap.std() / m**0.5),
        "unpaired": 100 * float(apart),
    }


def occlude(half: Tensor, start: int, stop: int) -> Tensor:
    """Paint rows of halves black.

    Args:
        half: normalized, ``(m, 1, 28, 14)``.
        start, stop: rows, from 0; stop excluded.

    Returns:
        A changed copy.

    Raises:
        ValueError: if the rows are not rows.
    """
    if not 0 <= start <= stop <= ROWS:
        raise ValueError(
            f"rows must satisfy 0 <= start <= stop <= {ROWS}; received {start}, {stop}."
        )
    changed = half.clone()
    changed[..., start:stop, :] = -MEAN / STD  # black, normalized
    return changed


def held_out_scores(drawn: Tensor, side: Side, train: Halves, test: Halves) -> dict[str, float]:
    """Drawings of test images against the truth.

    Args:
        drawn: ``(m, 392)``.
        side: the half that is drawn.
        train, test: the images.

    Returns:
        ``fair_decoder``, the mean squared error; ``fair_sharpness``; ``fair_true``: the share of
        the first drawings in which a neighbor vote among real halves of training images sees the
        true digit.
    """
    truth, few = test.pixels(side), slice(LOOKED_AT)
    pictures = (pixels.unflatten(-1, (ROWS, COLUMNS)) for pixels in (drawn, truth))
    return {
        "fair_decoder": float((drawn - truth).square().mean()),
        "fair_sharpness": sharpness(*pictures),
        "fair_true": neighbor_accuracy(
            drawn[few], train.pixels(side), test.labels[few], train.labels
        ),
    }
