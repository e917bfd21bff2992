"""Chapter 5's record: one number is the same wherever it comes up; all can be made again."""

import json
from functools import partial
from typing import Any

import pytest

from bijepa_book import records
from bijepa_book.chapters import mnist_record as chapter
from bijepa_book.chapters.mnist import occlude
from bijepa_book.hallucinate import Hallucinator
from bijepa_book.uncertainty import entropy
from bijepa_core.data.mnist import ImageData, image_data
from bijepa_core.evaluation import probes


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
    blank = hallucinator.probabilities(occlude(test.left[:1], 0, 28))
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
