"""Halves, drawings and doubt, checked on values that can be worked out by hand."""

import math
import urllib.request
from pathlib import Path

import pytest
import torch

from bijepa_book.chapters import mnist as h
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data import mnist
from bijepa_core.experiments import MNIST
from bijepa_core.model import BiJEPA


@pytest.fixture(scope="module")
def halves() -> h.Halves:
    digits = mnist.load("digits")
    few = mnist.Digits(
        digits.train[:300], digits.train_labels[:300], digits.test[:60], digits.test_labels[:60]
    )
    return h.prepare(few, "cpu")


@pytest.fixture(scope="module")
def models(halves: h.Halves) -> dict[str, BiJEPA]:
    return {name: h.train(name, halves.train, 0, 1, progress=False)[0] for name in h.MODELS}


@pytest.fixture(scope="module")
def one(models: dict[str, BiJEPA], halves: h.Halves) -> h.Hallucinator:
    return h.hallucinator(models["BiJEPA"], "encoder", halves.train, 0, 2, progress=False)


def test_without_mnist_the_stand_in_is_taken_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = mnist.load

    def load(dataset: mnist.Dataset = "mnist", root: Path | None = None) -> mnist.Digits:
        if dataset == "mnist":
            print("Downloading ...")
            raise DataNotFoundError("nowhere")
        return real(dataset, root)

    monkeypatch.setattr(mnist, "load", load)
    digits, name = h.images()
    assert (name, len(digits.train)) == ("digits", 1500)
    assert capsys.readouterr() == ("", "")


def test_the_stand_in_can_be_asked_for_without_a_look_at_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert h.images("digits")[1] == "digits"


def test_halves_are_cut_normalized_and_scaled_alike(halves: h.Halves) -> None:
    views = halves.test
    assert views.left.shape == (60, 1, 28, 14)
    for side in ("left", "right"):
        scaled = (views.pixels(side).unflatten(1, (1, 28, 14)) - mnist.MEAN) / mnist.STD
        torch.testing.assert_close(scaled, views.half(side))
    assert len(views.first(7).labels) == 7


def test_both_models_start_from_the_same_encoder(halves: h.Halves) -> None:
    first = [MNIST.model(configuration, 3) for configuration in h.MODELS.values()]
    for one, other in zip(*(model.online.parameters() for model in first), strict=True):
        assert torch.equal(one, other)


def test_each_source_gives_what_it_says(models: dict[str, BiJEPA], halves: h.Halves) -> None:
    model, test = models["BiJEPA"], halves.test
    expected = {
        "encoder": model.embed(test.left),
        "as in the script": model.embed(test.left_pixels.unflatten(1, (1, 28, 14))),
        "forward predictor": model.predict_forward(test.left),
        "backward predictor": model.predict_backward(test.right),
        "encoder, right half": model.embed(test.right),
        "pixels": test.left_pixels,
    }
    assert set(expected) == set(h.SOURCES)
    for name, features in expected.items():
        source = h.SOURCES[name]
        torch.testing.assert_close(source.features(model)(source.view(test)), features)
        assert {source.given, source.missing} == {"left", "right"}


def test_classic_cannot_look_back_and_says_why(models: dict[str, BiJEPA], halves: h.Halves) -> None:
    with pytest.raises(ValueError, match="no backward predictor, because alpha = 1"):
        h.hallucinator(models["classic"], "backward predictor", halves.train, 0)
    with pytest.raises(ValueError, match="source must be one of"):
        h.hallucinator(models["classic"], "dreams", halves.train, 0)


def test_the_probe_may_be_brought_along(
    one: h.Hallucinator, models: dict[str, BiJEPA], halves: h.Halves
) -> None:
    again = h.hallucinator(
        models["BiJEPA"], "encoder", halves.train, 0, 1, probe=one.probe, progress=False
    )
    assert again.probe is one.probe


def test_neighbors_of_a_training_image_begin_with_itself(
    one: h.Hallucinator, halves: h.Halves
) -> None:
    rows = one.neighbors(halves.train.left[:20], 3)
    assert rows[:, 0].tolist() == list(range(20))
    futures = one.futures(halves.train.left[:20], 3)
    assert torch.equal(futures[:, 0], halves.train.right_pixels[:20])


def test_nearest_and_vote() -> None:
    bank = torch.tensor([[0.0], [1.0], [5.0], [6.0], [7.0]])
    assert h.nearest(torch.tensor([[6.2]]), bank, 3).tolist() == [[3, 4, 2]]
    assert h.vote(torch.tensor([[1, 2, 2], [3, 1, 0]])).tolist() == [2, 0]
    labels, truth = torch.tensor([0, 0, 1, 1, 1]), torch.tensor([1, 0, 1])
    queries = torch.tensor([[6.0], [0.0], [0.4]])
    assert h.neighbor_accuracy(queries, bank, truth, labels, 2) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="at most the 5 rows"):
        h.nearest(queries, bank, 6)


def test_sharpness_is_one_for_the_truth_and_falls_with_contrast() -> None:
    truth = torch.zeros(2, 28, 14)
    truth[:, 5:9, 3:7] = 1  # a square: 16 edges of height 1
    truth = truth.flatten(1)
    assert h.total_variation(truth).tolist() == [16, 16]
    assert h.sharpness(truth, truth) == 1
    assert h.sharpness(truth / 4, truth) == pytest.approx(0.25)
    assert h.sharpness(torch.ones(2, 392), truth) == 0


def test_entropy_is_in_bits() -> None:
    shares = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])
    torch.testing.assert_close(h.entropy(shares), torch.tensor([0.0, 1.0, 2.0]))


def test_calibration_of_a_doubt_that_is_right() -> None:
    doubt = torch.rand(200_000, generator=torch.Generator().manual_seed(0)) / 4
    curve = h.calibration(doubt, doubt)
    assert curve["foretold"] == curve["measured"]
    centers = [(i + 0.5) / 32 for i in range(8)]
    assert curve["foretold"] == pytest.approx(centers, abs=1e-3)


def test_confidence_in_tenths() -> None:
    top = torch.linspace(0.1, 1, 100)
    shares = torch.zeros(100, 10)
    shares[:, 0] = top
    labels = (torch.arange(100) < 50).long()  # right in the more confident half
    curve = h.confidence(shares, labels)
    assert curve["accuracy"] == [0.0] * 5 + [1.0] * 5
    assert curve["confidence"][0] == pytest.approx(float(top[:10].mean()), rel=1e-6)


def test_open_pairs_count_mistakes_both_ways() -> None:
    guess, labels = torch.tensor([4, 9, 9, 3, 1]), torch.tensor([9, 4, 4, 8, 1])
    assert h.open_pairs(guess, labels) == {"4 or 9": 0.75, "3 or 8": 0.25}
    assert h.open_pairs(labels, labels) == {}


def test_undecided_finds_the_evenest_image_of_the_pair() -> None:
    shares = torch.zeros(4, 10)
    shares[0, 3], shares[0, 8] = 0.9, 0.1
    shares[1, 3], shares[1, 8] = 0.6, 0.4
    shares[2, 3], shares[2, 8] = 0.5, 0.5  # evener still, but a 5
    shares[3, 4], shares[3, 9] = 0.5, 0.5
    rows = h.undecided(shares, torch.tensor([3, 8, 5, 9]))
    assert rows[:2].tolist() == [1, 3]


def test_one_of_each_is_the_first_of_each(halves: h.Halves) -> None:
    labels = halves.train.labels
    rows = h.one_of_each(labels)
    assert labels[rows].tolist() == list(range(10))
    assert all(int(labels[row]) not in labels[:row].tolist() for row in rows.tolist())


def test_erased_rows_are_black_and_the_original_stays() -> None:
    half = torch.ones(1, 1, 28, 14)
    changed = h.erase(half, 3, 5)
    assert changed[..., 3:5, :].unique().tolist() == [pytest.approx(-mnist.MEAN / mnist.STD)]
    assert int((changed == 1).sum()) == 26 * 14
    assert bool((half == 1).all())
    with pytest.raises(ValueError, match="received 5, 3"):
        h.erase(half, 5, 3)


def test_pairing_removes_what_both_get_right() -> None:
    other = torch.tensor([True] * 90 + [False] * 10)
    right = torch.tensor([True] * 95 + [False] * 5)
    scores = h.paired_difference(right, other)
    assert scores["difference"] == pytest.approx(5)
    by_hand = 100 * math.sqrt(0.05 * 0.95 / 99)
    assert scores["standard error"] == pytest.approx(by_hand)
    assert scores["unpaired"] > scores["standard error"]


def test_the_sections_have_their_numbers(one: h.Hallucinator, halves: h.Halves) -> None:
    test = halves.test
    assert set(h.table_row(one, halves)) == {"accuracy", "decoder", "test"}
    scores = h.drawing_scores(one, test)
    assert scores["test"] == pytest.approx(h.table_row(one, halves)["test"])
    shift = h.shift_scores(one, test)
    assert shift["normalized"] == pytest.approx(h.table_row(one, halves)["accuracy"])
    erased = h.erased_scores(one, test)
    assert erased["nothing"]["accuracy"] == shift["normalized"]
    blank = one.probabilities(h.erase(test.left[:1], 0, 28))
    assert erased["all"]["entropy"] == pytest.approx(float(h.entropy(blank)[0]), rel=1e-4)
    doubt = h.doubts(one, test)
    assert doubt["maps"]["gray"]["measured"] == pytest.approx(scores["test"], rel=1e-5)
    assert 0 <= doubt["entropy"] <= math.log2(10)


def test_one_future_errs_more_than_the_mean_of_many(one: h.Hallucinator, halves: h.Halves) -> None:
    scores = h.sample_scores(one, halves.test, 8)
    assert scores["ratio"] > 1
    assert scores["sharpness of one"] > scores["sharpness of the mean"]


def test_references_span_the_scale(halves: h.Halves) -> None:
    rows = h.references(halves, "right")
    mean = halves.train.right_pixels.mean(0)
    assert rows["mean image"]["test"] == pytest.approx(
        float((halves.test.right_pixels - mean).square().mean())
    )
    assert rows["truth"]["test"] == 0
    assert rows["truth"]["sharpness"] == 1
    assert rows["mean image"]["recognized"] < rows["truth"]["recognized"]


def test_end_to_end_learns(halves: h.Halves) -> None:
    scores = h.supervised_scores(halves, 0, 12)
    assert scores["accuracy"] > 0.3
    assert scores["mse"] < h.references(halves, "right")["mean image"]["test"]
