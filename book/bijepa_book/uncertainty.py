"""What a half image leaves open: doubt about pixels, doubt about the digit, and their worth."""

from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from bijepa_book.hallucinate import Hallucinator
from bijepa_core.data.mnist import Halves

BINS = 8  # of a calibration curve
PAIRS = ((3, 8), (4, 9), (1, 7))
"""Digits that may share a left half."""


class Uncertainty(NamedTuple):
    """Two maps of doubt for each drawing, and how wrong it was, each ``(m, 392)``."""

    gray: Tensor
    """p (1 - p) of the drawn pixel p: the variance of a pixel that is black or white."""
    spread: Tensor
    """The variance of that pixel among the neighbors' true halves."""
    error: Tensor
    """The squared difference from the truth."""


def pixel_uncertainty(hallucinator: Hallucinator, test: Halves) -> Uncertainty:
    """Where the drawings are in doubt.

    Args:
        hallucinator: what draws.
        test: images; 32 halves for each are held at once.

    Returns:
        Both maps and the squared error.
    """
    given = test.half(hallucinator.given)
    drawn = hallucinator.draw(given)
    error = (drawn - test.pixels(hallucinator.missing)).square()
    return Uncertainty(drawn * (1 - drawn), hallucinator.futures(given).var(1), error)


def calibration(doubt: Tensor, error: Tensor) -> dict[str, list[float]]:
    """Whether a predicted variance is the squared error that came.

    Args:
        doubt, error: of the same shape; doubt in 0..0.25.

    Returns:
        ``predicted`` and ``measured``: means in each of eight equal bins that holds at least a
        thousandth of the pixels.
    """
    place = (doubt * 4 * BINS).long().clamp(0, BINS - 1).flatten()
    number = torch.bincount(place, minlength=BINS).double()
    kept = number >= place.numel() / 1000

    def means(values: Tensor) -> list[float]:
        sums = torch.bincount(place, values.flatten().double(), minlength=BINS)
        return (sums / number)[kept].tolist()

    return {"predicted": means(doubt), "measured": means(error)}


def map_scores(maps: Uncertainty) -> dict[str, dict[str, float]]:
    """Both maps of doubt in a few numbers.

    Args:
        maps: see :func:`pixel_uncertainty`.

    Returns:
        For ``gray`` and ``spread``: ``predicted``, the mean variance; ``measured``, the mean
        squared error; ``images`` and ``pixels``: the correlation of both over images and over
        pixels.
    """

    def correlation(doubt: Tensor, error: Tensor) -> float:
        return float(torch.corrcoef(torch.stack([doubt, error]).double())[0, 1])

    return {
        name: {
            "predicted": float(doubt.mean()),
            "measured": float(maps.error.mean()),
            "images": correlation(doubt.mean(1), maps.error.mean(1)),
            "pixels": correlation(doubt.flatten(), maps.error.flatten()),
        }
        for name, doubt in (("gray", maps.gray), ("spread", maps.spread))
    }


def entropy(shares: Tensor) -> Tensor:
    """How many bits a distribution leaves open, ``(..., classes)`` to ``(...)``."""
    return torch.special.entr(shares).sum(-1) / torch.log(torch.tensor(2.0)).to(shares)


def confidence(shares: Tensor, labels: Tensor) -> dict[str, list[float]]:
    """Accuracy against confidence, in tenths of the test images, the least confident first.

    Args:
        shares: class probabilities, ``(m, 10)``.
        labels: ``(m,)``.

    Returns:
        ``confidence`` (mean highest probability) and ``accuracy`` of each tenth.
    """
    top, guess = shares.max(-1)
    order = top.argsort()

    def tenths(values: Tensor) -> list[float]:
        return [float(part.mean()) for part in values[order].double().tensor_split(10)]

    return {"confidence": tenths(top), "accuracy": tenths(guess == labels)}


def confused_pairs(guess: Tensor, labels: Tensor) -> dict[str, float]:
    """Which two digits are taken for each other, as shares of all mistakes.

    Args:
        guess, labels: ``(m,)``.

    Returns:
        ``"4 or 9"`` and so on, the commonest pair first; no mistakes give an empty dictionary.
    """
    table = torch.bincount(labels.cpu() * 10 + guess.cpu(), minlength=100).view(10, 10)
    mistakes = int(table.sum() - table.diagonal().sum())
    counts = {f"{a} or {b}": int(table[a, b] + table[b, a]) for a, b in combinations(range(10), 2)}
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return {pair: number / mistakes for pair, number in ordered if number}


def undecided(shares: Tensor, labels: Tensor) -> Tensor:
    """For each pair of digits, the image that the probe finds hardest to tell.

    Args:
        shares: class probabilities, ``(m, 10)``.
        labels: ``(m,)``.

    Returns:
        Rows, one for each of :data:`PAIRS`: among images of either digit, the one whose smaller
        probability of the two is the largest.
    """
    rows = []
    for a, b in PAIRS:
        doubt = torch.minimum(shares[:, a], shares[:, b])
        rows.append(torch.where((labels == a) | (labels == b), doubt, -1.0).argmax())
    return torch.stack(rows)
