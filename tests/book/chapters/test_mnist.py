"""Chapter 5's tables and scores, checked on values that can be worked out by hand."""

import json
import math
import urllib.request
from pathlib import Path

import pytest
import torch

from bijepa_book import records
from bijepa_book.chapters import mnist as chapter
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data import mnist
from bijepa_core.data.mnist import ImageData
from bijepa_core.experiments import CONFIGURATIONS, MNIST


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
    data, name = chapter.images("mnist")
    assert (name, len(data.train_labels)) == ("digits", 1500)
    assert capsys.readouterr() == ("", "")


def test_the_stand_in_can_be_asked_for_without_a_look_at_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert chapter.images("digits")[1] == "digits"


def test_both_models_start_from_the_same_encoder() -> None:
    first = [MNIST.model(CONFIGURATIONS[name], 3) for name in chapter.MODELS]
    for one, other in zip(*(model.online.parameters() for model in first), strict=True):
        assert torch.equal(one, other)


def test_first_of_each_digit(halves: ImageData) -> None:
    labels = halves.train.labels
    rows = chapter.first_of_each(labels)
    assert labels[rows].tolist() == list(range(10))
    assert all(int(labels[row]) not in labels[:row].tolist() for row in rows.tolist())


def test_table_2_beside_other_seeds() -> None:
    recorded, tables = chapter.recorded(), records.load("tables")
    accuracy = chapter.accuracy_table(recorded, tables)
    assert list(accuracy) == ["paper", "seed 42", "seed 0", "seed 2"]
    assert accuracy["paper"] == pytest.approx(
        {"classic": 89.14, "expressive": 91.88, "difference": 2.74}
    )
    rerun = tables["table_2"]["rerun"]["expressive"]
    assert accuracy["seed 42"]["expressive"] == 100 * rerun["paper_accuracy"]
    drawn = chapter.decoder_table(recorded, tables)
    assert drawn["paper"]["expressive"] == 0.0298
    assert drawn["seed 42, as in the script"]["expressive"] == rerun["paper_decoder"]
    assert drawn["seed 2"]["expressive"] == recorded["table"]["2"]["expressive"]["decoder_training"]


def test_the_record_is_read_under_the_names_of_the_tables() -> None:
    stored, read = records.load("mnist"), chapter.recorded()
    assert read["table"]["2"]["expressive"] == stored["table"]["2"]["BiJEPA"]
    assert (
        read["left from right"]["expressive, predictor"]["fair_decoder"]
        == (stored["left from right"]["BiJEPA, predictor"]["fair_decoder"])
    )
    assert "BiJEPA" not in json.dumps(read)


def test_fresh_seeds_are_those_that_the_first_edition_had_not_seen() -> None:
    stored = records.load("second/mnist-classic-paper")
    numbers = stored["measures"]["fair_accuracy_a"]
    assert chapter.fresh("classic", "fair_accuracy_a") == numbers[8:]
    assert stored["seeds"][8:] == list(range(8, 32))


def test_occluded_rows_are_black_and_the_original_stays() -> None:
    half = torch.ones(1, 1, 28, 14)
    changed = chapter.occlude(half, 3, 5)
    assert changed[..., 3:5, :].unique().tolist() == [pytest.approx(-mnist.MEAN / mnist.STD)]
    assert int((changed == 1).sum()) == 26 * 14
    assert bool((half == 1).all())
    with pytest.raises(ValueError, match="received 5, 3"):
        chapter.occlude(half, 5, 3)


def test_pairing_removes_what_both_get_right() -> None:
    other = torch.tensor([True] * 90 + [False] * 10)
    right = torch.tensor([True] * 95 + [False] * 5)
    scores = chapter.paired_difference(right, other)
    assert scores["difference"] == pytest.approx(5)
    by_hand = 100 * math.sqrt(0.05 * 0.95 / 99)
    assert scores["standard error"] == pytest.approx(by_hand)
    assert scores["unpaired"] > scores["standard error"]
