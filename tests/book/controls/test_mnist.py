"""The pad draws what its controls say, and survives whatever they say."""

from collections.abc import Callable

import pytest

from bijepa_book.controls.mnist import HallucinationPad
from bijepa_book.hallucinate import Hallucinator
from bijepa_book.uncertainty import pixel_uncertainty
from bijepa_core.data.mnist import ImageData
from bijepa_core.evaluation.probes import TrainedDecoder

Ways = dict[str, Hallucinator]


@pytest.fixture(scope="module")
def ways(drawer: Callable[[str], Hallucinator], hallucinator: Hallucinator) -> Ways:
    return {"from the encoder": hallucinator, "left from right": drawer("backward predictor")}


@pytest.fixture
def pad(ways: Ways, halves: ImageData) -> HallucinationPad:
    return HallucinationPad(ways, halves.test)


def test_it_draws_at_once_and_again_at_each_change(pad: HallucinationPad) -> None:
    pictures = [bytes(pad.picture.value)]
    assert pictures[0].startswith(b"\x89PNG")
    pad.index.value = 7
    pictures.append(bytes(pad.picture.value))
    pad.rows.value = (0, 14)
    pictures.append(bytes(pad.picture.value))
    pad.way.value = "left from right"
    pictures.append(bytes(pad.picture.value))
    assert len(set(pictures)) == 4


def test_the_sentence_is_about_the_chosen_image(
    pad: HallucinationPad, halves: ImageData, ways: Ways
) -> None:
    pad.index.value = 5
    assert pad.choice == 5
    label = int(halves.test.labels[5])
    shares = ways["from the encoder"].probabilities(halves.test.left[5:6])[0]
    assert pad.status.value.startswith(
        f"A {label}. The probe says {int(shares.argmax())} with probability {shares.max():.2f};"
    )


def test_erasing_all_rows_leaves_the_same_for_every_image(pad: HallucinationPad) -> None:
    pad.rows.value = (0, 28)
    sentences = set()
    for image in (0, 3, 9):
        pad.index.value = image
        sentences.add(pad.status.value.split("Squared")[0].split(". ", 1)[1])
    assert len(sentences) == 1


def test_a_chosen_digit_is_the_only_one_shown(pad: HallucinationPad, halves: ImageData) -> None:
    pad.index.value = 2
    count = int((halves.test.labels == 4).sum())
    pad.digit.value = 4
    assert pad.index.max == count - 1
    for i in range(count):
        pad.index.value = i
        assert int(halves.test.labels[pad.choice]) == 4
        assert pad.status.value.startswith("A 4.")
    pad.digit.value = -1
    assert pad.index.max == len(halves.test.labels) - 1


def test_a_digit_that_is_not_there_is_said_to_be_missing(ways: Ways, halves: ImageData) -> None:
    labels = halves.test.labels
    pad = HallucinationPad(ways, halves.test.rows(labels != 6))
    before = bytes(pad.picture.value)
    pad.digit.value = 6
    assert "no 6" in pad.status.value
    assert bytes(pad.picture.value) == before
    pad.rows.value = (0, 5)  # still none to draw
    assert "no 6" in pad.status.value
    pad.digit.value = 5
    assert pad.status.value.startswith("A 5.")


def test_an_error_becomes_a_sentence(
    pad: HallucinationPad, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the embedding is not finite")

    monkeypatch.setattr(TrainedDecoder, "__call__", fail)
    pad.index.value = 1
    assert pad.status.value == "the embedding is not finite"
    monkeypatch.undo()
    pad.index.value = 2
    assert pad.status.value.startswith("A ")


def test_ways_must_be_there(halves: ImageData) -> None:
    with pytest.raises(ValueError, match="ways must be one or more"):
        HallucinationPad({}, halves.test)


def test_an_eight_has_its_article(pad: HallucinationPad) -> None:
    pad.digit.value = 8
    assert pad.status.value.startswith("An 8. ")


def test_doubt_is_the_variance_of_neighbors_halves(ways: Ways, halves: ImageData) -> None:
    pad = HallucinationPad(ways, halves.test)
    maps = pixel_uncertainty(ways["from the encoder"], halves.test.first(1))
    assert f"doubt {float(maps.spread.mean()):.4f}" in pad.status.value
    assert f"drawing {float(maps.error.mean()):.4f}" in pad.status.value
