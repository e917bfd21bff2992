"""What the welcome page says was found is what the records say."""

import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bijepa_book import records
from bijepa_book.chapters.explosion import at_step
from bijepa_book.evidence import runner

BOOK = Path(__file__).parents[2] / "book"
PAGE = (BOOK / "index.md").read_text("utf-8")


def record(name: str) -> dict[str, Any]:
    """A chapter's record."""
    return records.load(name)


def findings() -> list[str]:
    """The bold beginnings of the list of findings."""
    part = PAGE.split("## What was found, at a glance")[1].split("\n## ")[0]
    return [" ".join(found.split()) for found in re.findall(r"^- \*\*(.+?)\*\*", part, re.M | re.S)]


def test_the_papers_numbers_come_back() -> None:
    tables = record("tables")
    for table in ("table_1", "table_3"):
        for row in tables[table]:
            for column in ("protocol_a", "protocol_b"):
                if column in row:
                    paper, replayed = row[column]["paper"], row[column]["replayed"]
                    assert replayed == pytest.approx(paper, rel=0.2), row["configuration"]


def test_the_explosion_is_a_drift_of_scale() -> None:
    long = record("explosion")["long"]["curves"]
    early = {name: at_step(long[name], 1_999) for name in long}
    late = {name: at_step(long[name], 19_999) for name in long}
    first = at_step(long["unconstrained"], 150)
    assert early["unconstrained"]["loss"] > 5 * first["loss"]  # the rebound
    assert early["unconstrained"]["relative_loss"] < first["relative_loss"] / 2
    assert late["unconstrained"]["norm"] < early["unconstrained"]["norm"]
    assert late["expressive"]["norm"] > late["unconstrained"]["norm"]
    assert median(measures("sine-unconstrained-long")["relative_rebound"]) < 1.25


def test_layer_norm_and_tau_act_and_decay_does_not() -> None:
    explosion = record("explosion")
    norm = {name: row["norm"] for name, row in explosion["summaries"].items()}
    assert norm["decay alone"] == pytest.approx(norm["unconstrained"], rel=0.05)
    assert norm["LayerNorm alone"] == pytest.approx(norm["expressive"], rel=0.05)
    assert norm["unconstrained"] > 1.3 * norm["expressive"]
    taus = explosion["taus"]["unconstrained"]
    assert taus["tau 0.9"]["norm"] > 5 * taus["tau 0.999"]["norm"]
    loop = explosion["loop"]["unconstrained"]
    assert loop["radius_at_half_norm"] < 0.6 < 0.9 < loop["radius_last"]


def test_stop_gradient_and_predictor_prevent_collapse() -> None:
    both_ways = record("jepa")["both ways"]
    error = {name: row["fair_a"] for name, row in both_ways["errors"].items()}
    assert error["no EMA"] < 1.2 * error["complete"]
    for safeguard in ("no stop-gradient", "no predictor"):
        assert error[safeguard] > 5 * error["untrained"]


def test_the_spheres_cost_belongs_to_the_probe() -> None:
    chapter = record("sphere")
    sphere, expressive = chapter["probes"]["restrictive"], chapter["probes"]["expressive"]
    assert sphere["paper_a"] > 7 * expressive["paper_a"]
    for column in ("fair_a", "fair_b"):
        assert sphere[column] < 1.2 * expressive[column]
    assert chapter["gain"]["sphere"]["gain"] > 2 * chapter["gain"]["expressive"]["gain"]


def test_but_it_doubles_the_error_on_lorenz_and_collapses_on_digits() -> None:
    for name in ("fair_a", "fair_b"):
        errors = [
            median(measures(f"lorenz-{c}-paper")[name]) for c in ("restrictive", "expressive")
        ]
        assert errors[0] / errors[1] == pytest.approx(2, rel=0.2)
        longer = [median(measures(f"lorenz-{c}-long")[name]) for c in ("restrictive", "expressive")]
        assert longer[0] / longer[1] < 1.25
    assert median(measures("mnist-restrictive-paper")["rank"]) < 2


def test_the_embedding_keeps_the_past() -> None:
    for experiment in ("sine", "lorenz"):
        ours, *others = (
            median(measures(f"{experiment}-{c}-paper")["past_a"])
            for c in ("expressive", "classic", "classic-batch")
        )
        assert ours < 0.26 * min(others)


def test_bijepa_forecasts_better_than_classic() -> None:
    probes = record("sphere")["probes"]
    assert probes["expressive"]["fair_b"] < probes["classic"]["fair_b"]
    lorenz = record("lorenz")
    rows = lorenz["state_20"]["paper (Euler)"]
    for column in ("paper_b", "fair_b"):
        ours, classic = rows["expressive"][column], rows["classic"][column]
        assert rows["expressive"]["extrapolate"] < ours < classic / 2
    ahead = lorenz["ahead"]["on the attractor"]
    rules = ("copy_last", "extrapolate", "ridge_on_raw_windows")
    assert all(ahead["expressive"]["1"] < ahead[rule]["1"] / 2 for rule in rules)


def measures(key: str) -> dict[str, list[float]]:
    """What the study measured under a condition."""
    found: dict[str, list[float]] = runner.load()[key]["measures"]
    return found


def test_on_digits_the_advantage_is_small() -> None:
    ours, classic = measures("mnist-expressive-paper"), measures("mnist-classic-paper")
    gaps = [a - b for a, b in zip(ours["fair_accuracy_a"], classic["fair_accuracy_a"], strict=True)]
    assert f"advantage is {100 * sum(gaps) / len(gaps):.1f} points" in " ".join(PAGE.split())
    assert sum(gap > 0 for gap in gaps) == 6
    assert max(ours["knn_accuracy"]) < min(classic["knn_accuracy"])
    errors = [a / b for a, b in zip(ours["fair_decoder"], classic["fair_decoder"], strict=True)]
    assert sum(errors) / len(errors) == pytest.approx(0.97, abs=0.005)
    longer = measures("mnist-classic-steps-paper")["fair_decoder"]
    errors = [a / b for a, b in zip(longer, classic["fair_decoder"], strict=True)]
    assert sum(errors) / len(errors) < 0.985  # more than half of the way
    drawn = record("mnist")["right from left"]
    assert drawn["BiJEPA"]["fair_sharpness"] < 1.05 * drawn["classic"]["fair_sharpness"]


def test_without_constraints_the_model_forecasts_best() -> None:
    for experiment in ("sine", "lorenz"):
        best = median(measures(f"{experiment}-unconstrained-paper")["fair_b"])
        for other in ("expressive", "restrictive", "classic", "shared"):
            assert best < 0.85 * median(measures(f"{experiment}-{other}-paper")["fair_b"])
    ours, expressive = (measures(f"mnist-{c}-paper") for c in ("unconstrained", "expressive"))
    assert median(ours["fair_accuracy_a"]) < median(expressive["fair_accuracy_a"])
    ours, expressive = (measures(f"sine-{c}-paper") for c in ("unconstrained", "expressive"))
    for name in ("whole_a", "past_a"):
        assert 1 < median(ours[name]) / median(expressive[name]) < 1.4


def test_one_half_lies_on_a_plateau() -> None:
    clean = record("alpha")["clean"]
    plateau = [clean[name]["fair_a"] for name in ("0.25", "0.5", "0.75")]
    assert max(plateau) < 1.2 * min(plateau)
    assert clean["1"]["fair_a"] > 1.2 * clean["0.5"]["fair_a"]
    less, half = (
        median(measures(f"lorenz-{c}-paper")["fair_b"]) for c in ("alpha-0.25", "expressive")
    )
    assert less < 0.9 * half


# Words of each finding's bold beginning, and what holds it to the records.
HELD = {
    "numbers come back": test_the_papers_numbers_come_back,
    "drift of scale": test_the_explosion_is_a_drift_of_scale,
    "Without any constraint": test_without_constraints_the_model_forecasts_best,
    "LayerNorm and tau": test_layer_norm_and_tau_act_and_decay_does_not,
    "Stop-gradient and predictor": test_stop_gradient_and_predictor_prevent_collapse,
    "sphere's": test_the_spheres_cost_belongs_to_the_probe,
    "better than classic JEPA": test_bijepa_forecasts_better_than_classic,
    "keeps the past": test_the_embedding_keeps_the_past,
    "On digits": test_on_digits_the_advantage_is_small,
    "plateau": test_one_half_lies_on_a_plateau,
}


def test_every_finding_is_held_to_a_record() -> None:
    """A new line needs a test of its own, here above."""
    assert findings()
    held = {finding: [words for words in HELD if words in finding] for finding in findings()}
    assert {finding: words for finding, words in held.items() if len(words) != 1} == {}
    assert sorted(words for (words,) in held.values()) == sorted(HELD)
