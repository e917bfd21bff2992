"""Chapter 11: its records in words, and completions from the stored weights."""

import numpy as np
import pytest
import torch

from bijepa_book.evidence.futures import criteria, report, well
from bijepa_core.data.mnist import Side

WORLDS, HALVES = report.recorded()


def test_tables_of_distances_begin_with_the_optimum_and_end_with_the_climatology() -> None:
    rows = report.distances(WORLDS, "linear")
    assert [row[0] for row in rows[1:3]] + [rows[-1][0]] == ["energy", "flow", "climatology"]
    ours = criteria.column(WORLDS, "linear", "energy", "energy_forward")
    best = criteria.column(WORLDS, "linear", "exact", "energy_forward")
    mean = np.mean([100 * (ours[seed] / best[seed] - 1) for seed in ours])
    assert rows[1][1].startswith(f"{mean:.1f} [")
    assert report.distances({}, "wing")[1:] == []


def test_verdicts_are_the_criterias_and_leave_out_what_was_not_recorded() -> None:
    found = report.verdicts(WORLDS, "linear")
    judged = {
        (claim.text, report.WAYS[claim.way]): criteria.judge(claim, WORLDS)  # type: ignore[index]
        for claim in criteria.claims()
        if claim.world == "linear"
    }
    assert {(text, way) for text, ways in found.items() for way in ways} == set(judged)
    for (text, way), one in judged.items():
        said = found[text][way]
        assert (said.direction, said.size, said.seeds) == (
            *(one["direction"], one["size"], one["seeds"]),
        )
    without = {key: one for key, one in WORLDS.items() if key != "linear-gaussian"}
    left_out = set(found) - set(report.verdicts(without, "linear"))
    assert left_out == {text for text in found if "gaussian" in text}
    lines = report.verdict_table(found).splitlines()
    assert len(lines) == len(found) + len(judged)
    assert max(map(len, lines)) <= 76


def test_a_claim_stays_where_its_rival_was_not_recorded() -> None:
    """Without the Gaussian head's record a failure under whitened targets shows all the same.

    What lies between the wells is beyond the five points there, on most seeds.
    """
    whitened, _ = report.recorded("whitened")
    text = "what lies between the wells is right within 5 points"
    (claim, _) = (one for one in criteria.claims() if one.text == text)
    assert claim.rival == "gaussian"
    assert not any(one.size for one in report.verdicts(whitened, "well")[text].values())
    del whitened["well-gaussian"]
    for one in report.verdicts(whitened, "well")[text].values():
        assert one.direction is None
        assert not one.size
    assert all(one.size for one in report.verdicts(WORLDS, "well")[text].values())
    trained = {
        one.text
        for one in criteria.claims()
        if one.world == "well" and f"well-{one.head}" in whitened
    }
    assert set(report.verdicts(whitened, "well")) == trained


def test_on_the_ridge_the_law_is_the_optimum_and_its_middle_far_from_it() -> None:
    law = well.law(torch.zeros(1, 1))[0].numpy()
    assert report.on_ridge(law) == pytest.approx(0, abs=1e-9)
    assert report.on_ridge(law.reshape(50, 4).sum(-1)) < 0.02  # in bars of a tenth
    always = np.zeros(200)
    always[100] = 1
    least = law @ abs(well.GRID.numpy()[:, None] - well.GRID.numpy()) @ law / 2
    missed = law @ abs(well.GRID.numpy() - well.GRID.numpy()[100])
    assert report.on_ridge(always) == pytest.approx(100 * missed / least - 100)


def test_every_learning_rate_that_was_tried_is_told_and_the_least_was_taken() -> None:
    (_, *rates), *rows = report.tried()
    assert set(map(float, rates)) >= set(criteria.RATES)
    assert len(rows) == 3 * 5
    for name, *cells in rows:
        scores = {float(rate): float(cell) for rate, cell in zip(rates, cells, strict=True) if cell}
        taken = WORLDS[name.replace(", ", "-")]["about"]["settings"]["learning_rate"]
        assert scores[taken] == min(scores.values()), name


def test_curves_of_calibration_weigh_seeds_by_how_often_they_say_a_thing() -> None:
    worlds = {
        "wing-energy": {
            "curves": {
                "often_forward": [[0.75, 0.25], [0.25, 0.75]],
                "claimed_forward": [[0.1, 0.9], [0.2, 0.8]],
                "true_forward": [[0.0, 1.0], [0.4, 0.6]],
            }
        }
    }
    often, claimed, true = report.reliability(worlds, "wing", "energy")
    assert often == pytest.approx([0.5, 0.5])
    assert claimed == pytest.approx([0.125, 0.825])
    assert true == pytest.approx([0.1, 0.7])


def test_the_stored_weights_draw_what_the_records_say() -> None:
    """Of halves on which neighbors agree, in both directions: the digit, and near the truth."""
    completer, kept = report.Completer(), report.pictures("energy-expressive")
    sides: tuple[tuple[Side, str], ...] = (("left", ""), ("right", "past_"))
    for side, prefix in sides:
        given, truth, labels = (kept[prefix + one][-4:] for one in ("given", "truth", "labels"))
        z = torch.randn(6, 4, completer.z_dim, generator=torch.Generator().manual_seed(0))
        drawn = completer.draw(side, given, z)
        assert (completer.digits(side, given, drawn) == labels).all()
        nearer = (drawn - truth).norm(dim=-1) < (drawn - truth.roll(1, 0)).norm(dim=-1)
        assert nearer.all()
        assert (drawn[0] - drawn[1]).abs().max() > 0.1  # z matters
        still = completer.draw(side, given, torch.zeros(2, 4, completer.z_dim))
        assert torch.equal(still[0], still[1])


def test_answers_about_images_do_without_a_head_that_was_not_recorded() -> None:
    answered = report.image_answers(HALVES)
    assert answered["score"][0] == "holds"
    assert {"heads", "label"} <= set(answered)
    assert "label" not in report.image_answers(HALVES, "past_")
