"""The claims as data: each can be decided, from measures that exist, by the margins it states."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from bijepa_book.evidence import claims, metrics
from bijepa_book.evidence.claims import CLAIMS, TEN_PERCENT, Claim, Criterion, half, needed
from bijepa_book.evidence.grid import BASELINES, all_conditions, conditions
from bijepa_book.evidence.metrics import Halves, image_measures
from bijepa_book.evidence.post_hoc import LATER
from bijepa_book.evidence.verdicts import judge
from bijepa_book.evidence.worker import run_part
from bijepa_core import runs
from bijepa_core.data.mnist import Digits
from bijepa_core.experiments import Name

CONDITIONS = {c.key: c for c in all_conditions()}
Records = dict[str, dict[str, Any]]
ALL = (*CLAIMS, *LATER)
each_claim = pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)


def criteria(claim: Claim) -> Iterator[Criterion]:
    yield from (*claim.fair, *claim.paper)


def sides(c: Criterion) -> list[tuple[str, str]]:
    """The record and the measure on each side; one side alone where a number is on the other."""
    found = [(f"{c.experiment}-{c.condition}-{c.length}", c.measure)]
    if isinstance(c.than, str):
        length = "paper" if c.than == BASELINES else c.length
        found.append((f"{c.experiment}-{c.than}-{length}", c.of or c.measure))
    return found


# Form


def test_ids_are_short_names_of_their_own() -> None:
    ids = [claim.id for claim in ALL]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


@each_claim
def test_every_claim_says_what_would_confirm_and_refute_it(claim: Claim) -> None:
    assert len(claim.quote.split()) >= 3
    assert re.fullmatch(r"abstract|[A-Z]|\d(\.\d)*", claim.section)
    for text in (claim.claim, claim.confirms, claim.refutes):
        assert text.endswith((".", ".)"))


def test_one_claim_alone_cannot_be_judged_and_says_so() -> None:
    without = [claim for claim in ALL if not claim.fair]
    assert [claim.id for claim in without] == ["weighting"]
    assert without[0].confirms.startswith("Not judged here")
    assert not without[0].paper


@each_claim
def test_the_papers_group_has_the_papers_length_and_the_fair_one_no_paper_probe(
    claim: Claim,
) -> None:
    assert {c.length for c in claim.paper} <= {"paper"}
    assert not any("paper" in measure for c in claim.fair for _, measure in sides(c))


@each_claim
def test_no_criterion_is_asked_twice_or_compares_a_thing_with_itself(claim: Claim) -> None:
    for group in (claim.fair, claim.paper):
        assert len(set(group)) == len(group)
    for c in criteria(claim):
        assert len(set(sides(c))) == len(sides(c))


# Conditions and measures


@each_claim
def test_every_condition_is_in_the_study_at_that_length(claim: Claim) -> None:
    asked = {key for c in criteria(claim) for key, _ in sides(c)}
    assert asked <= set(CONDITIONS)
    assert claim in LATER or asked <= needed()


def test_needed_is_what_the_claims_compare_and_no_more() -> None:
    assert needed() == {key for claim in CLAIMS for c in criteria(claim) for key, _ in sides(c)}
    assert "sine-baselines-long" not in needed()
    assert {"mnist-classic-batch-paper", "sine-unconstrained-long"} <= needed()


def test_a_long_training_is_compared_with_the_one_set_of_baselines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What needs no training has one length."""
    (claim,) = (claim for claim in CLAIMS if claim.id == "sine-dynamics")
    longer = replace(claim, fair=tuple(replace(c, length="long") for c in claim.fair))
    monkeypatch.setattr(claims, "CLAIMS", (longer,))
    assert needed() == {"sine-expressive-long", "sine-baselines-paper"}


def kind(key: str) -> str:
    """What decides which measures a condition has."""
    condition = CONDITIONS[key]
    if condition.name == BASELINES:
        return f"{condition.experiment.name}-baselines"
    images = "mnist" if condition.experiment.name == "mnist" else "series"
    return f"{images}-classic" if condition.configuration.alpha == 1 else f"{images}-both"


@pytest.fixture(scope="module")
def measured() -> Records:
    """By :func:`kind`, what a short training of such a condition leaves behind, on few data."""
    with pytest.MonkeyPatch.context() as patch:
        for name, few in (("PROBE", 100), ("TRAIN", 100), ("HELD_OUT", 200)):
            patch.setattr(runs, name, few)
        patch.setattr(metrics, "LOOKED_AT", 100)
        return short_runs()


def short_runs() -> Records:
    """One of each kind."""

    def part(name: Name, condition: str, steps: int = 40) -> dict[str, Any]:
        found = next(c for c in conditions(name) if c.name == condition)
        short = replace(found.experiment, steps=steps, probe_steps=2)
        return run_part(replace(found, experiment=short), (0, 1))

    pixels = torch.Generator().manual_seed(0)
    images = torch.randint(256, (2, 12, 28, 28), generator=pixels, dtype=torch.uint8)
    labels = torch.arange(12) % 2
    halves = Halves(Digits(images[0], labels, images[1], labels), torch.device("cpu"))
    classic = next(c for c in conditions("mnist") if c.name == "classic")
    classic = replace(classic, experiment=replace(classic.experiment, probe_steps=1))
    drawn = image_measures(classic.model(0), classic, halves, 0)
    mnist = {"seeds": [0, 1], "measures": {name: 2 * values for name, values in drawn.items()}}
    return {
        "sine-baselines": part("sine", BASELINES),
        "lorenz-baselines": part("lorenz", BASELINES),
        "series-classic": part("sine", "classic"),
        "series-both": part("sine", "expressive", steps=200),  # two means over 100 steps
        "mnist-classic": mnist,
        "mnist-both": mnist,  # at least: no claim about images asks for the backward predictor
    }


def test_every_measure_is_one_that_a_run_leaves_behind(measured: Records) -> None:
    wrong = [
        (claim.id, key, measure)
        for claim in ALL
        for c in criteria(claim)
        for key, measure in sides(c)
        if measure not in measured[kind(key)]["measures"]
    ]
    assert wrong == []


def test_results_of_all_that_is_needed_leave_nothing_missing(measured: Records) -> None:
    """From runs to findings: records and rules fit each other."""
    verdicts = judge({key: measured[kind(key)] for key in needed()})
    assert [f.missing for v in verdicts for f in (*v.fair, *v.paper) if f.missing] == []


# Margins


def compared(claim: Claim) -> list[Criterion]:
    """Ratios of one condition to another: those that the rule of the margins is for."""
    return [c for c in criteria(claim) if isinstance(c.than, str) and not c.difference]


IN_OTHER_WORDS = {
    "adaptor": ("half as large, or less", 2.0),
    "amplitude": ("by a factor of two", 2.0),
    "lorenz-mean-field": ("and less than BiJEPA's", 1.0),
    "anomaly": ("no less often than a plain distance", 1.0),
}
"""Margins that are neither 10 % nor half of a reported effect, with the words that say so."""


def reported(claim: Claim) -> list[float]:
    """The factors that a sentence gives as reported, as it rounds them."""
    _, _, rest = claim.confirms.partition("half of the reported ")
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", rest)]
    return [1 + number / 100 for number in numbers] if "%" in rest else numbers


@each_claim
def test_margins_are_ten_percent_or_half_of_what_is_reported(claim: Claim) -> None:
    """The number in the sentence and the number in the criterion are one."""
    margins = [c.by for c in compared(claim)]
    if not margins:
        return
    if claim.id in IN_OTHER_WORDS:
        words, margin = IN_OTHER_WORDS[claim.id]
        assert words in claim.confirms
        assert margins == [margin] * len(margins)
    elif "half of the reported" in claim.confirms:
        halves = [c.by for c in claim.fair if c in compared(claim)]
        factors = reported(claim) if len(reported(claim)) > 1 else reported(claim) * len(halves)
        assert [by**2 for by in halves] == pytest.approx(factors, rel=0.03)
        assert [c.by for c in claim.paper] == (halves if claim in CLAIMS else [])
    else:
        assert "10 %" in claim.confirms
        expected = 1 / 1.1 if "at most 10 % higher" in claim.confirms else 1.1
        assert margins == pytest.approx([expected] * len(margins))


def test_half_of_an_effect_taken_twice_is_the_effect() -> None:
    for factor in (1.0, 1.1, 9.5, 16.0):
        assert half(factor) * half(factor) == pytest.approx(factor)
        assert half(1 / factor) == pytest.approx(1 / half(factor))
    assert TEN_PERCENT == 1.1


def test_the_rebound_is_half_of_the_factor_in_its_sentence() -> None:
    (rebound,) = (claim for claim in CLAIMS if claim.id == "rebound")
    assert reported(rebound) == [9.5]
    assert all(c.by**2 == pytest.approx(9.5) and c.than == 1 for c in criteria(rebound))


def test_points_and_shares_are_compared_by_difference() -> None:
    """Half of 2.74 points; one point; any advantage at all; and a share below a number."""
    found = {(claim.id, c.by) for claim in ALL for c in criteria(claim) if c.difference}
    assert found == {
        ("mnist-accuracy", 0.0274 / 2),
        ("mnist-sharper", 0.01),
        ("mnist-exposure", 0.0),
        ("lorenz-monotone", 0.0),
        ("sphere-limits", 0.01),
    }


def test_every_ratio_has_a_logarithm() -> None:
    for claim in ALL:
        for c in criteria(claim):
            assert c.difference or c.by > 0
            assert isinstance(c.than, str) or c.difference or c.than > 0
            assert c.of is None or isinstance(c.than, str)


# Each can come out each way


def made_up(claim: Claim, fair: bool, paper: bool) -> Records:
    """Records under which the criteria of each group are far on the wanted side, or far off."""
    records: Records = {}
    for group, met in ((claim.paper, paper), (claim.fair, fair)):
        for c in group:
            far = 1000.0 if (c.expects == "higher") == met else 0.001
            for value, (key, measure) in zip((far, 1.0), sides(c), strict=False):
                record = records.setdefault(key, {"seeds": [0, 1, 2], "measures": {}})
                record["measures"][measure] = [value] * 3
    return records


CAN_BE_JUDGED = [claim for claim in ALL if claim.fair]


@pytest.mark.parametrize("claim", CAN_BE_JUDGED, ids=lambda claim: claim.id)
def test_every_claim_can_hold_and_can_fail(claim: Claim) -> None:
    """No criterion asks for the impossible, and no two of one claim exclude each other."""
    for met, word, says in ((True, "holds", "met"), (False, "does not hold", "not met")):
        (verdict,) = judge(made_up(claim, fair=met, paper=met), (claim,))
        assert verdict.word == word
        assert {f.says for f in (*verdict.fair, *verdict.paper)} == {says}


def apart(claim: Claim) -> bool:
    """The two groups look at different measures."""
    fair, paper = ({sides(c)[0] for c in group} for group in (claim.fair, claim.paper))
    return bool(claim.paper) and not fair & paper


@pytest.mark.parametrize("claim", [c for c in CLAIMS if apart(c)], ids=lambda claim: claim.id)
def test_a_claim_can_hold_under_the_papers_probe_alone(claim: Claim) -> None:
    (verdict,) = judge(made_up(claim, fair=False, paper=True), (claim,))
    assert verdict.word == "only under the paper's probe"


def test_nothing_can_be_decided_without_records() -> None:
    verdicts = judge({})
    assert [v.claim for v in verdicts] == list(CLAIMS)
    assert {v.word for v in verdicts} == {"not decidable"}
    findings = [f for v in verdicts for f in (*v.fair, *v.paper)]
    assert all(f.missing.startswith("no record of ") for f in findings)
    assert all(f.effect is None and f.p == 1 and f.says == "open" for f in findings)
