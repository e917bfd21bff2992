"""Digits: what is borrowed reads as the company does, and the guesses are judged by its rule."""

from typing import Any

import pytest

from bijepa_book.evidence.second import images
from bijepa_book.evidence.stable import standing
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.company import joined, key, measure_images
from bijepa_book.evidence.stable.digits import ALSO, BORROWED, MISSED, complete, guesses
from bijepa_core.experiments import CONFIGURATIONS
from tests.book.evidence.stable.known import TINY, tuned

SEEDS = [7, 8, 9, 10]
WINNER, _ = (one.label for one in joined([standing.WINNER]))


def second_records() -> dict[str, Any]:
    """Chapter 8's: seed 7 is none of the company's."""
    met = {"fair_accuracy_a": [0.1, 0.8, 0.9, 0.85], "right_accuracy": [0.1, 0.7, 0.8, 0.75]}
    also = {"decoder_ten": [9.0, 0.03, 0.04, 0.05], "rank": [1.0, 20.0, 22.0, 24.0]}
    return {name: {"seeds": SEEDS, "measures": met | also} for name in BORROWED.values()}


def test_what_is_borrowed_has_the_companys_seeds_and_says_what_is_missed() -> None:
    mine = {"mnist-company-unconstrained": {"seeds": [8], "measures": {"label_error": [0.5]}}}
    found = complete(mine, second_records())
    assert found["mnist-company-unconstrained"] == mine["mnist-company-unconstrained"]
    record = found[key("mnist", "company", AS_IN_THE_PAPER.label)]
    assert record["seeds"] == [8, 9, 10]
    assert record["measures"]["label_error"] == pytest.approx([0.2, 0.1, 0.15])
    assert record["measures"]["effective_rank"] == [20.0, 22.0, 24.0]
    assert complete({}, {}) == {}


def test_pixels_and_an_untrained_encoder_are_borrowed_from_the_baselines() -> None:
    met = {"raw_accuracy": [0.1, 0.86, 0.86], "untrained_accuracy": [0.1, 0.7, 0.8]}
    found = complete({}, {"mnist-baselines-paper": {"seeds": [7, 8, 9], "measures": met}})
    assert found["mnist-company-raw"]["measures"]["label_error"] == pytest.approx([0.14, 0.14])
    assert found["mnist-company-untrained"]["measures"] == {
        "label_error": pytest.approx([0.3, 0.2])
    }


@pytest.mark.usefixtures("few")
def test_both_chapters_read_the_same_of_the_same_model() -> None:
    ours = measure_images(AS_IN_THE_PAPER, TINY, (8, 9), "cpu").measures
    theirs = images.configured(CONFIGURATIONS["expressive"], TINY, 1, (8, 9), "cpu").measures
    for mine, name in MISSED.items():
        assert ours[mine] == pytest.approx([1 - share for share in theirs[name]], abs=1e-6)
    for mine, name in ALSO.items():
        assert ours[mine] == pytest.approx(theirs[name], rel=1e-4)


def test_guesses_are_judged_by_what_is_recorded() -> None:
    assert guesses({}) == []
    records = {**complete(tuned("mnist"), second_records())}
    assert guesses(records) == []
    labels = {one.called: one.label for one in standing.everybody(records, "mnist")}
    base = records[key("mnist", "company", WINNER)]["measures"]

    def learn(name: str, factor: float, **others: float) -> None:
        factors = {"label_error": factor} | others
        measures = {r: [factors.get(r, 1.0) * v for v in values] for r, values in base.items()}
        records[key("mnist", "company", labels[name])] = {"seeds": SEEDS[1:], "measures": measures}

    learn("predictive autoencoder", 0.8, right_label_error=1.5, decoder_ten=0.98)
    learn("VICReg", 0.82)
    learn("BYOL", 1.2)
    found = {one.what: one for one in guesses(records)}
    assert {what: round(one.found.value, 4) for what, one in found.items()} == {
        "VICReg over predictive autoencoder, labels": round(0.82 / 0.8, 4),
        "the winner over predictive autoencoder, labels": 1.25,
        "predictive autoencoder over the winner, right labels": 1.5,
        "the winner over predictive autoencoder, drawings": round(1 / 0.98, 4),
        "VICReg over the winner, labels": 0.82,
        "BYOL over the winner, labels": 1.2,
    }
    assert [one.held for one in found.values()] == [False, True, True, False, False, True]
    known = {one.called for one in standing.known(records, "mnist", "label_error")}
    assert {"unconstrained", "with the answers"} < known
    assert "Barlow Twins" not in known
    del records[key("mnist", "company", labels["VICReg"])]
    base["label_error"] = [0.99 * value for value in base["label_error"]]
    names = [one.what for one in guesses(records)]  # the winner is the closest, and is named once
    assert names[0] == "the winner over predictive autoencoder, labels"
    assert len(names) == len(set(names)) == 4
    del records[key("mnist", "company", WINNER)]
    assert [one.what for one in guesses(records)] == [
        "expressive over predictive autoencoder, labels"
    ]
