"""Doubt, checked on values that can be worked out by hand."""

import pytest
import torch

from bijepa_book.hallucinate import NEIGHBORS, Hallucinator
from bijepa_book.uncertainty import (
    calibration,
    confidence,
    confused_pairs,
    entropy,
    map_scores,
    pixel_uncertainty,
    undecided,
)
from bijepa_core.data.mnist import ImageData


def test_entropy_is_in_bits() -> None:
    shares = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])
    torch.testing.assert_close(entropy(shares), torch.tensor([0.0, 1.0, 2.0]))


def test_spread_is_the_variance_of_the_nearest_true_halves(
    hallucinator: Hallucinator, halves: ImageData
) -> None:
    test = halves.test.first(3)
    maps = pixel_uncertainty(hallucinator, test)
    distances = torch.cdist(hallucinator.features(test.left), hallucinator.bank)
    for i in range(3):
        near = distances[i].argsort()[:NEIGHBORS]
        torch.testing.assert_close(maps.spread[i], halves.train.right_pixels[near].var(0))
    drawn = hallucinator.draw(test.left)
    torch.testing.assert_close(maps.gray, drawn - drawn.square())
    scores = map_scores(maps)
    assert scores["gray"]["measured"] == pytest.approx(
        float(torch.nn.functional.mse_loss(drawn, test.right_pixels)), rel=1e-5
    )


def test_calibration_of_a_doubt_that_is_right() -> None:
    doubt = torch.rand(200_000, generator=torch.Generator().manual_seed(0)) / 4
    curve = calibration(doubt, doubt)
    assert curve["predicted"] == curve["measured"]
    centers = [(i + 0.5) / 32 for i in range(8)]
    assert curve["predicted"] == pytest.approx(centers, abs=1e-3)


def test_confidence_in_tenths() -> None:
    top = torch.linspace(0.1, 1, 100)
    shares = torch.zeros(100, 10)
    shares[:, 0] = top
    labels = (torch.arange(100) < 50).long()  # right in the more confident half
    curve = confidence(shares, labels)
    assert curve["accuracy"] == [0.0] * 5 + [1.0] * 5
    assert curve["confidence"][0] == pytest.approx(float(top[:10].mean()), rel=1e-6)


def test_confused_pairs_count_mistakes_both_ways() -> None:
    guess, labels = torch.tensor([4, 9, 9, 3, 1]), torch.tensor([9, 4, 4, 8, 1])
    assert confused_pairs(guess, labels) == {"4 or 9": 0.75, "3 or 8": 0.25}
    assert confused_pairs(labels, labels) == {}


def test_undecided_finds_the_evenest_image_of_the_pair() -> None:
    shares = torch.zeros(4, 10)
    shares[0, 3], shares[0, 8] = 0.9, 0.1
    shares[1, 3], shares[1, 8] = 0.6, 0.4
    shares[2, 3], shares[2, 8] = 0.5, 0.5  # evener still, but a 5
    shares[3, 4], shares[3, 9] = 0.5, 0.5
    rows = undecided(shares, torch.tensor([3, 8, 5, 9]))
    assert rows[:2].tolist() == [1, 3]
