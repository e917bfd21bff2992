"""Chapter 5's tables and scores, checked on values that can be worked out by hand."""

import json
import math
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from bijepa_book import records
from bijepa_book.chapters import mnist as chapter
from bijepa_book.hallucinate import Hallucinator
from bijepa_book.uncertainty import entropy
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data import mnist
from bijepa_core.data.mnist import ImageData, image_data
from bijepa_core.evaluation import probes
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
    data, name = chapter.images("mnist", 0)
    assert (name, len(data.train.labels)) == ("digits", 1500)
    assert capsys.readouterr() == ("", "")


def test_the_stand_in_can_be_asked_for_without_a_look_at_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert chapter.images("digits", 0)[1] == "digits"


def test_both_models_start_from_the_same_encoder() -> None:
    first = [MNIST.model(CONFIGURATIONS[name], 3) for name in chapter.MODELS.values()]
    for one, other in zip(*(model.online.parameters() for model in first), strict=True):
        assert torch.equal(one, other)


def test_first_of_each_digit(halves: ImageData) -> None:
    labels = halves.train.labels
    rows = chapter.first_of_each(labels)
    assert labels[rows].tolist() == list(range(10))
    assert all(int(labels[row]) not in labels[:row].tolist() for row in rows.tolist())


def test_table_2_beside_other_seeds() -> None:
    recorded, tables = records.load("mnist"), records.load("tables")
    accuracy = chapter.accuracy_table(recorded, tables)
    assert list(accuracy) == ["paper", "seed 42", "seed 0", "seed 2"]
    assert accuracy["paper"] == pytest.approx(
        {"classic": 89.14, "BiJEPA": 91.88, "difference": 2.74}
    )
    rerun = tables["table_2"]["rerun"]["expressive"]
    assert accuracy["seed 42"]["BiJEPA"] == 100 * rerun["paper_accuracy"]
    drawn = chapter.decoder_table(recorded, tables)
    assert drawn["paper"]["BiJEPA"] == 0.0298
    assert drawn["seed 42, as in the script"]["BiJEPA"] == rerun["paper_decoder"]
    assert drawn["seed 2"]["BiJEPA"] == recorded["table"]["2"]["BiJEPA"]["decoder_training"]


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


def test_one_number_is_the_same_in_every_section(
    hallucinator: Hallucinator, halves: ImageData
) -> None:
    test = halves.test
    row, drawn = chapter.table_row(hallucinator, test), chapter.drawing_scores(hallucinator, test)
    error = (hallucinator.draw(test.left) - test.right_pixels).square().mean()
    assert row["fair_decoder"] == pytest.approx(float(error))
    assert {name: drawn[name] for name in ("decoder_training", "fair_decoder")} == pytest.approx(
        {name: row[name] for name in ("decoder_training", "fair_decoder")}
    )
    occluded = chapter.occlusion_scores(hallucinator, test)
    accuracies = {
        "by hand": float(hallucinator.correct(test).double().mean()),
        "shift": chapter.shift_scores(hallucinator, test)["paper_accuracy"],
        "occluded": occluded["nothing"]["paper_accuracy"],
    }
    assert accuracies == dict.fromkeys(accuracies, row["paper_accuracy"])
    blank = hallucinator.probabilities(chapter.occlude(test.left[:1], 0, 28))
    assert occluded["all"]["entropy"] == pytest.approx(float(entropy(blank)[0]), rel=1e-4)


def test_one_future_errs_more_than_the_mean_of_many(
    hallucinator: Hallucinator, halves: ImageData
) -> None:
    scores = chapter.sample_scores(hallucinator, halves.test)
    assert scores["ratio"] > 1
    assert scores["single_sharpness"] > scores["mean_sharpness"]


def test_references_span_the_scale(halves: ImageData) -> None:
    rows = chapter.references(halves, "right")
    mean = halves.train.right_pixels.mean(0)
    assert rows["mean image"]["fair_decoder"] == pytest.approx(
        float((halves.test.right_pixels - mean).square().mean())
    )
    assert rows["truth"]["fair_decoder"] == 0
    assert rows["truth"]["fair_sharpness"] == 1
    assert rows["mean image"]["fair_true"] < rows["truth"]["fair_true"]


def shape(content: Any) -> Any:
    """A record's names, without its numbers."""
    if isinstance(content, dict):
        return {name: shape(value) for name, value in content.items()}
    return type(content).__name__


@pytest.mark.slow
def test_the_record_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of the stored record is made, on other images; networks end to end do learn."""
    monkeypatch.setattr(chapter, "image_data", partial(image_data, dataset="digits"))
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (1e-2,))  # quick to converge
    made, stored = chapter.record(), records.load("mnist")
    json.dumps(made)
    pairs = stored["uncertainty"].pop("pairs")
    assert set(made["uncertainty"].pop("pairs")) <= {
        f"{a} or {b}" for b in range(10) for a in range(b)
    }
    assert sum(pairs.values()) == pytest.approx(1)
    for models in made["training"].values():  # the summary has grown since
        for name, numbers in models.items():
            models[name] = {key: numbers[key] for key in stored["training"]["0"][name]}
    del stored["provenance"]
    assert shape(made) == shape(stored)
    assert made["supervised"]["accuracy"] > 0.3
    assert made["supervised"]["mse"] < made["right from left"]["mean image"]["fair_decoder"]
