"""Who reads how well in the company, from records whose ratios are known."""

import math
from typing import Any

import pytest

from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.company import ALIKE, Member, joined, key
from bijepa_book.evidence.stable.standing import (
    WINNER,
    Ratio,
    by_position,
    errors,
    everybody,
    guesses,
    leaders,
    over,
    settings_over,
    work,
)
from bijepa_core.experiments import LORENZ, MNIST, SINE
from tests.book.evidence.stable.known import compared_records, tuned


def test_everybody_has_a_name_of_its_own_and_a_family() -> None:
    found = everybody(tuned("sine"), "sine")
    assert len({one.called for one in found}) == len({one.label for one in found}) == len(found)
    families = {one.called: one.family for one in found}
    assert [families[n] for n in ("BYOL", "expressive", "raw")] == [
        "makes alike",
        "foretells",
        "is not trained",
    ]
    assert {one.label for one in joined([WINNER])} < {one.label for one in found}


def test_two_are_compared_at_each_setting_and_where_either_is_best() -> None:
    ours = [Member("two-headed-autoencoder", setting, True) for setting in (0.0, 1.0)]
    theirs = [Member("bijepa", setting, True) for setting in (1.0, 2.0)]
    missed = [[2.0, 8.0], [4.0, 4.0], [1.0, 4.0], [8.0, 8.0]]
    records = {
        key("sine", "tuning", one.label): {"measures": {"past": errors_of}}
        for one, errors_of in zip([*ours, *theirs], missed, strict=True)
    }
    each, best = settings_over(records, "sine", "past", ours, theirs)
    assert [one.value for one in each] == pytest.approx([2.0, 0.5])
    assert best == pytest.approx((2.0, 2.0, 2.0))


def test_a_reading_is_compared_seed_by_seed_with_the_paper() -> None:
    records = compared_records({"vicreg": {"fair": 2.0}, "lejepa": {"fair": 0.97}})
    labels = {one.called: one.label for one in everybody(records, "sine")}
    found = {n: over(records, "sine", labels[n], "fair") for n in ("VICReg", "LeJEPA", "BYOL")}
    assert found["VICReg"] == pytest.approx((2.0, 2.0, 2.0))
    assert [one.says for one in found.values() if one is not None] == ["worse", "none", "none"]
    assert over(records, "sine", labels["BYOL"], "fair", rival=labels["VICReg"]) == pytest.approx(
        (0.5, 0.5, 0.5)
    )
    assert over(records, "sine", labels["BYOL"], "kept") is None
    half = records[key("sine", "company", labels["VICReg"])]
    half["seeds"], half["measures"]["fair"] = [67, 64], [4.4, 0.9]  # 4 and 1 times the paper's
    assert over(records, "sine", labels["VICReg"], "fair") == pytest.approx((2, 1, 4), rel=0.01)
    assert errors(records, "lorenz", labels["BYOL"], "fair") is None
    assert Ratio(0.9, 0.8, 1.01).says == Ratio(1.2, 0.99, 1.4).says == "none"
    assert Ratio(0.9, 0.8, 0.99).says == "better"


def test_who_leads_is_even_with_the_best_by_the_rule() -> None:
    records = compared_records({"vicreg": {"fair": 0.5}, "lejepa": {"fair": 0.51}})
    asked = [one for one in everybody(records, "sine") if one.family == "makes alike"]
    assert [one.called for one in leaders(records, "sine", "fair", asked)] == ["VICReg", "LeJEPA"]
    wide = records[key("sine", "company", asked[0].label)]["measures"]
    wide["fair"] = [0.5, 0.6, 2.0, 0.3]  # a fifth behind, and no interval says so
    assert asked[0] in leaders(records, "sine", "fair", asked)


def test_a_curve_is_a_geometric_mean_over_seeds() -> None:
    records = {"sine-company-raw": {"curves": {"kept": [[1.0, 2.0], [4.0, 8.0]]}}}
    assert by_position(records, "sine", "raw", "kept") == pytest.approx([2, 4])


def test_what_invariance_throws_away_is_judged_part_by_part() -> None:
    records = compared_records(
        {
            "byol": {"phase_a": 3.0, "frequency_a": 1.5, "grown": 4.0},
            "simclr": {"phase_a": 1.9, "frequency_a": 2.0, "grown": 2.0},
            "predictive-autoencoder": {"grown": 3.0},
        }
    )
    found = {(one.who, one.what): one for one in guesses(records)}
    assert len(found) == 4 * len(ALIKE)
    byol, simclr = (
        {
            what: (round(one.found.value, 6), one.held)
            for (who, what), one in found.items()
            if who == n
        }
        for n in ("byol", "simclr")
    )
    assert byol == {
        "phase": (3.0, True),
        "phase over frequency": (2.0, True),
        "drift over autoencoder": (4.0, True),
        "drift over predictive autoencoder": (round(4 / 3, 6), True),
    }
    assert simclr == {
        "phase": (1.9, False),
        "phase over frequency": (0.95, False),
        "drift over autoencoder": (2.0, True),
        "drift over predictive autoencoder": (round(2 / 3, 6), False),
    }


def test_work_is_counted_by_hand() -> None:
    model = AS_IN_THE_PAPER.model(SINE, 0)
    assert model.forward_predictor is not None

    def weights(part: Any) -> int:
        return sum(p.numel() for p in part.parameters() if p.ndim == 2)

    first = SINE.in_dim * SINE.hidden_dim  # no gradient goes on to the window
    encoder, predictor = weights(model.online), weights(model.forward_predictor)
    # two views: forward, by target as well, and back to weights and to inputs; two predictors
    passes = 2 * (encoder + encoder + 2 * encoder - first) + 2 * 3 * predictor
    assert work(AS_IN_THE_PAPER, SINE) == 2 * SINE.batch_size * passes
    classic, relative = (Member(n, 1.0, True) for n in ("classic", "simclr"))
    assert work(classic, LORENZ) < work(AS_IN_THE_PAPER, LORENZ)
    assert math.isfinite(work(relative, MNIST))
