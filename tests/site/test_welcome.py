"""What the welcome page says was found is what the records say."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from bijepa_book.evidence.futures import report
from bijepa_book.evidence.futures.criteria import DEMANDED, excess
from bijepa_book.evidence.second.recording import fresh, load
from bijepa_book.evidence.stable import digits, judgment, selection, standing
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER, chosen
from bijepa_book.evidence.stable.company import ALIKE, joined
from bijepa_book.figures.findings import column, ratios
from bijepa_core.experiments import LORENZ, MNIST, SINE

BOOK = Path(__file__).parents[2] / "book"
PAGE = (BOOK / "index.md").read_text("utf-8")
RECORDS = fresh(load())


def findings() -> list[str]:
    """The bold beginnings of the list of findings."""
    part = PAGE.split("## What was found, at a glance")[1].split("\n## ")[0]
    return [" ".join(found.split()) for found in re.findall(r"^- \*\*(.+?)\*\*", part, re.M | re.S)]


def ratio(measure: str, ours: str, theirs: str, of: str | None = None) -> float:
    """One model's measure over another's, the geometric mean over fresh seeds."""
    found = ratios(RECORDS, (f"{ours}", measure), (f"{theirs}", of or measure))
    return math.exp(sum(map(math.log, found)) / len(found))


def test_two_directions_forecast_better() -> None:
    for system, share in (("sine", 2 / 5), ("lorenz", 0.18)):
        ours = f"{system}-expressive-paper"
        assert ratio("fair_b", ours, f"{system}-classic-paper") == pytest.approx(share, rel=0.1)
        for other in ("classic-batch", "classic-steps"):
            if f"{system}-{other}-paper" in RECORDS:
                assert ratio("fair_b", ours, f"{system}-{other}-paper") < 0.55


def test_what_explodes_is_a_scale() -> None:
    ours = RECORDS["sine-unconstrained-paper"]["measures"]
    assert math.exp(sum(map(math.log, ours["norm_growth"])) / 32) == pytest.approx(12, rel=0.05)
    free, held = "sine-unconstrained-paper", "sine-expressive-paper"
    assert ratio("rebound", free, held) > 10
    assert ratio("relative_rebound", free, held) == pytest.approx(1, abs=0.03)
    assert max(RECORDS["sine-unconstrained-long"]["measures"]["late_growth"]) < 1


def test_constraints_are_not_what_forecasts_need() -> None:
    free, held, ball = (
        f"sine-{name}-paper" for name in ("unconstrained", "expressive", "restrictive")
    )
    assert ratio("fair_b", free, held) == pytest.approx(0.75, abs=0.05)
    lorenz = [key.replace("sine", "lorenz") for key in (free, held)]
    assert ratio("fair_b", *lorenz) == pytest.approx(0.25, abs=0.05)
    assert ratio("paper_a", ball, held) > 6 > 1.3 > ratio("fair_a", ball, held)
    assert ratio("gain_drift", ball, held) > 1.3
    assert ratio("gain_drift", free, held) > 5


def test_the_rival_to_beat_reads_the_raw_window() -> None:
    raw, ours = "sine-baselines-paper", "sine-expressive-paper"
    assert ratio("whole_b", ours, raw, "kernel_whole") > 1.1
    assert ratio("kernel_whole_b", ours, raw, "kernel_whole") < 0.95
    raw, ours = "lorenz-baselines-paper", "lorenz-expressive-paper"
    assert ratio("fair_b", ours, raw, "kernel_first") > 100
    assert ratio("kernel_whole_b", ours, raw, "kernel_whole") < 0.5


def test_on_digits_the_lead_is_half_a_point() -> None:
    def points(other: str) -> float:
        ours, theirs = (
            column(RECORDS, f"mnist-{name}-paper", "fair_accuracy_a")
            for name in ("expressive", other)
        )
        return 100 * sum(ours[seed] - theirs[seed] for seed in ours) / len(ours)

    assert points("classic") == pytest.approx(0.5, abs=0.1)
    assert abs(points("classic-steps")) < 0.15
    drawn = ratio("fair_decoder", "mnist-expressive-paper", "mnist-classic-paper")
    assert drawn == pytest.approx(0.97, abs=0.005)


def test_whitened_targets_are_stable_and_precise() -> None:
    study = selection.recorded()
    (winner, *_) = selection.finalists(study)
    assert winner.name == "whitened-falling-0.2"
    verdicts = judgment.successes(judgment.demands(winner, study, load()))
    assert verdicts == {"stable": True, "precise": True, "ambition": False}


def test_many_futures_come_near_the_optimum() -> None:
    worlds, _ = report.recorded()
    for world, least, most in (("well", 0.0, 0.02), ("linear", 0.0, 0.02), ("wing", 0.2, 0.3)):
        score = excess(DEMANDED[world])
        found = score(worlds, world, "energy", "forward").values()
        assert least < sum(found) / len(found) < most


def test_embeddings_keep_what_losses_ask_for() -> None:
    records = selection.recorded()
    parts = [one for one in standing.guesses(records) if one.what.startswith("phase")]
    assert len(parts) == 2 * len(ALIKE)
    assert all(one.held for one in parts)
    label = {one.called: one.label for one in standing.everybody(records, "sine")}
    drawn, whitened = label["predictive autoencoder"], label[standing.WINNER.name]
    for reading, most in {"phase_a": 1.2, "frequency_a": 0.5}.items():
        found = standing.over(records, "sine", whitened, reading, rival=drawn)
        assert found is not None
        assert found.high < most
    for system, end in {"sine": "plain", "lorenz": "norm"}.items():
        drawing = f"drawing-predictive-autoencoder-0.001-{end}"
        ours = records[f"{system}-final-{standing.WINNER.name}-paper"]["measures"]["whole_b"]
        theirs = standing.errors(records, system, drawing, "whole")
        assert theirs is not None
        assert np.log(theirs).mean() < np.log(ours).mean() + 0.02


def test_two_heads_tell_more_than_two_directions_of_embeddings() -> None:
    records, heads = selection.recorded(), standing.two_headed(selection.recorded())
    known = digits.complete(records, load())
    asked = {"sine": "past", "lorenz": "past", "mnist": "right_label_error"}
    for data, reading in asked.items():
        tuned = {one.name: one.label for one in chosen(records)[data]}["bijepa"]
        whitened = joined([standing.WINNER])[0].label
        for rival in (tuned, whitened, AS_IN_THE_PAPER.label):
            found = standing.over(known, data, heads[data].label, reading, rival=rival)
            assert found is not None
            assert found.says == "better"
    kept = standing.over(records, "sine", heads["sine"].label, "frequency_a")
    assert kept is not None
    assert kept.says == "worse"
    whole = {one: standing.work(AS_IN_THE_PAPER, one) for one in (SINE, LORENZ, MNIST)}
    shares = [standing.work(heads[one.name], one) / work for one, work in whole.items()]
    assert sum(shares) / 3 == pytest.approx(0.8, abs=0.02)


# Words of each finding's bold beginning, and what holds it to the records.
HELD = {
    "Two directions": test_two_directions_forecast_better,
    "is a scale": test_what_explodes_is_a_scale,
    "Constraints": test_constraints_are_not_what_forecasts_need,
    "rival to beat": test_the_rival_to_beat_reads_the_raw_window,
    "On digits": test_on_digits_the_lead_is_half_a_point,
    "Stable and precise": test_whitened_targets_are_stable_and_precise,
    "embedding keeps": test_embeddings_keep_what_losses_ask_for,
    "does not need embeddings": test_two_heads_tell_more_than_two_directions_of_embeddings,
    "many futures": test_many_futures_come_near_the_optimum,
}


def test_every_finding_is_held_to_a_record() -> None:
    """A new line needs a test of its own, here above."""
    assert findings()
    held = {finding: [words for words in HELD if words in finding] for finding in findings()}
    assert {finding: words for finding, words in held.items() if len(words) != 1} == {}
    assert sorted(words for (words,) in held.values()) == sorted(HELD)
