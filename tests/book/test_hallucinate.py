"""What is drawn from is what the source's name says; neighbors are real halves."""

import pytest
import torch

from bijepa_book.hallucinate import SOURCES, Hallucinator, other, train_hallucinator
from bijepa_core.data.mnist import ImageData
from bijepa_core.model import BiJEPA


def test_each_source_gives_what_it_says(models: dict[str, BiJEPA], halves: ImageData) -> None:
    model, test = models["BiJEPA"], halves.test
    expected = {
        "encoder": model.embed(test.left),
        "as in the script": model.embed(test.left_pixels.unflatten(1, (1, 28, 14))),
        "forward predictor": model.predict_forward(test.left),
        "backward predictor": model.predict_backward(test.right),
        "encoder, right half": model.embed(test.right),
        "pixels": test.left_pixels,
    }
    assert set(expected) == set(SOURCES)
    for name, features in expected.items():
        make, given = SOURCES[name]
        torch.testing.assert_close(make(model)(test.half(given)), features)
        assert {given, other(given)} == {"left", "right"}


def test_classic_cannot_look_back_and_says_why(
    models: dict[str, BiJEPA], halves: ImageData
) -> None:
    with pytest.raises(ValueError, match="no backward predictor, because alpha = 1"):
        train_hallucinator(models["classic"], "backward predictor", halves.train, 0)
    with pytest.raises(ValueError, match="source must be one of"):
        train_hallucinator(models["classic"], "dreams", halves.train, 0)


def test_neighbors_of_a_training_image_begin_with_itself(
    hallucinator: Hallucinator, halves: ImageData
) -> None:
    known = halves.train.first(20)
    assert hallucinator.neighbors(known.left, 3)[:, 0].tolist() == list(range(20))
    assert torch.equal(hallucinator.futures(known.left, 3)[:, 0], known.right_pixels)


def test_correct_is_where_the_highest_probability_is_the_labels(
    hallucinator: Hallucinator, halves: ImageData
) -> None:
    test = halves.test
    shares = hallucinator.probabilities(test.left)
    torch.testing.assert_close(shares.sum(-1), torch.ones(60))
    right = [
        int(row.argmax()) == int(label) for row, label in zip(shares, test.labels, strict=True)
    ]
    assert hallucinator.correct(test).tolist() == right
