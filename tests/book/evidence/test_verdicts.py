"""Verdicts on made-up results, and how they are shown."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import ttest_1samp

from bijepa_book.cli import main
from bijepa_book.evidence.claims import CLAIMS, TEN_PERCENT, Claim, Criterion
from bijepa_book.evidence.post_hoc import LATER
from bijepa_book.evidence.report import (
    claim_text,
    condition_table,
    plain_verdicts,
    verdict_markdown,
    verdict_table,
)
from bijepa_book.evidence.statistics import holm
from bijepa_book.evidence.verdicts import Finding, Verdict, judge, margins, pairs

Record = dict[str, Any]
Values = Sequence[float | None]

LOWER = Criterion("sine", "error", "new", "lower", "old", TEN_PERCENT)
HIGHER = replace(LOWER, expects="higher")
LEVEL = Criterion("sine", "rank", "new", "higher", 2.0)
POINTS = Criterion("mnist", "accuracy", "new", "higher", "old", 0.01, difference=True)
SHARE = Criterion("sine", "rises", "new", "lower", 0.05, 0.01, difference=True)
WAVES = [1.0, 1.02, 0.97, 1.01, 0.99, 1.03, 0.98, 1.0]
"""Eight seeds that differ a little."""


def record(seeds: Sequence[int] = range(8), **measures: Values) -> Record:
    return {"seeds": list(seeds), "measures": {k: list(v) for k, v in measures.items()}}


def claim(
    *fair: Criterion, paper: tuple[Criterion, ...] = (), name: str = "made-up", section: str = "4"
) -> Claim:
    return Claim(name, "so it is said", section, "It is so.", "If not.", fair, paper)


def scaled(factor: float) -> list[float]:
    return [factor * w for w in WAVES]


def errors(fair: float, paper: float = 1.0) -> dict[str, Record]:
    """Records in which the new errors are so many times the old ones, seeds differing a little."""
    old = [1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 0.97, 1.03]
    return {
        "sine-new-paper": record(error=scaled(fair), paper=scaled(paper), rank=scaled(2 * fair)),
        "sine-old-paper": record(error=old, paper=old),
    }


def the(criterion: Criterion, records: Mapping[str, Record]) -> Finding:
    """The one finding of a claim with one criterion."""
    (verdict,) = judge(records, (claim(criterion),))
    (finding,) = verdict.fair
    return finding


# Margins


def test_margins_by_hand() -> None:
    """Half the error, asked for a tenth less: ln 2 - ln 1.1 of room."""
    room = math.log(2) - math.log(1.1)
    assert margins(LOWER, [0.5], [1.0]) == pytest.approx([room])
    assert margins(HIGHER, [1.0, 3.0], [0.5, 1.5]) == pytest.approx([room, room])
    assert margins(LOWER, [1.0], [1.0]) == pytest.approx([-math.log(1.1)])
    assert margins(POINTS, [0.95, 0.90], [0.93, 0.93]) == pytest.approx([0.01, -0.04])
    lower = replace(POINTS, expects="lower")
    assert margins(lower, [0.95, 0.90], [0.93, 0.93]) == pytest.approx([-0.03, 0.02])


@pytest.mark.parametrize("criterion", [LOWER, HIGHER, LEVEL, POINTS, SHARE])
def test_the_margin_is_zero_where_the_demand_is_just_met(criterion: Criterion) -> None:
    """And above zero a little further on the side that is asked for."""
    sign = 1 if criterion.expects == "higher" else -1
    other = 0.7 if isinstance(criterion.than, str) else criterion.than
    edge = criterion.demand
    if isinstance(criterion.than, str):
        edge = other + edge if criterion.difference else other * edge
    beyond = edge + sign * 0.001 if criterion.difference else edge * 1.001**sign
    at, past = margins(criterion, [edge, beyond], [other, other])
    assert at == pytest.approx(0, abs=1e-12)
    assert 0 < past < 0.0011


@pytest.mark.parametrize("difference", [True, False])
def test_without_a_least_margin_the_sign_turns_with_what_is_expected(difference: bool) -> None:
    criterion = replace(LOWER, by=0.0 if difference else 1.0, difference=difference)
    values, others = [0.2, 1.5, 3.0], [0.4, 1.5, 1.0]
    there = margins(criterion, values, others)
    assert there == [-m for m in margins(replace(criterion, expects="higher"), values, others)]
    assert [math.copysign(1, m) * bool(m) for m in there] == [1, 0, -1]


@pytest.mark.parametrize("criterion", [LOWER, HIGHER])
def test_ratios_do_not_know_the_unit(criterion: Criterion) -> None:
    values, others = [0.2, 1.5, 3.0], [0.4, 1.4, 1.0]
    found = margins(criterion, values, others)
    for unit in (1e-6, 400.0):
        in_unit = margins(criterion, [unit * v for v in values], [unit * v for v in others])
        assert in_unit == pytest.approx(found)


def test_a_measure_of_zero_has_a_margin_too() -> None:
    at_zero = margins(LOWER, [0.0], [0.1])
    assert math.isfinite(at_zero[0])
    assert at_zero[0] > 20
    assert margins(LOWER, [0.0], [0.0]) == pytest.approx([-math.log(1.1)])


def test_at_most_ten_percent_higher_is_what_the_shared_predictor_is_asked() -> None:
    """There the error is the other side's: 9 % higher passes, 11 % higher does not."""
    (shared,) = (c for c in CLAIMS if c.id == "shared")
    for criterion in shared.fair:
        assert margins(criterion, [1.0], [1.09])[0] > 0 > margins(criterion, [1.0], [1.11])[0]


# Pairs


def test_pairs_are_matched_by_seed_and_not_by_position() -> None:
    """Each new error is half of its own seed's old one, which stands elsewhere in the record."""
    records = {
        "sine-new-paper": record([0, 1, 2, 3], error=[1.0, 10.0, 100.0, 1000.0]),
        "sine-old-paper": record([2, 0, 3, 1], error=[200.0, 2.0, 2000.0, 20.0]),
    }
    assert pairs(LOWER, records) == ([1, 10, 100, 1000], [2, 20, 200, 2000])
    found = the(LOWER, records)
    assert found.says == "met"
    assert found.effect is not None
    assert (found.effect.low, found.effect.high) == pytest.approx((math.log(2 / 1.1),) * 2)


def test_seeds_that_one_side_lacks_are_left_out_of_both() -> None:
    """None where training diverged; and the records need not hold the same seeds."""
    records = {
        "sine-new-paper": record([0, 1, 2, 3], error=[1.0, None, 3.0, 4.0]),
        "sine-old-paper": record([1, 2, 3, 4], error=[20.0, None, 40.0, 50.0]),
    }
    assert pairs(LOWER, records) == ([4], [40])
    records["sine-old-paper"] = record([0, 1, 2, 3], error=[10.0, 20.0, None, 40.0])
    found = the(LOWER, records)
    assert (found.values, found.others) == ((1, 4), (10, 40))
    assert found.effect is not None
    assert found.effect.seeds == 2


def test_a_number_stands_beside_every_seed_that_did_not_diverge() -> None:
    records = {"sine-new-paper": record([0, 1, 2], rank=[3.0, None, 5.0])}
    assert pairs(LEVEL, records) == ([3, 5], [2, 2])


def test_the_other_side_may_have_another_measure_and_the_baselines_one_length() -> None:
    records = {
        "sine-new-long": record([0, 1], error=[1.0, 2.0]),
        "sine-baselines-paper": record([0, 1], error=[7.0, 7.0], raw=[3.0, 4.0]),
        "sine-old-paper": record([0, 1], error=[8.0, 8.0]),
        "sine-old-long": record([0, 1], error=[5.0, 6.0]),
    }
    long = replace(LOWER, length="long")
    assert pairs(replace(long, than="baselines", of="raw"), records) == ([1, 2], [3, 4])
    assert pairs(long, records) == ([1, 2], [5, 6])


def test_a_missing_record_leaves_its_criterion_open() -> None:
    for gone in ("sine-new-paper", "sine-old-paper"):
        records = errors(0.5)
        del records[gone]
        found = the(LOWER, records)
        assert (found.says, found.p, found.effect) == ("open", 1.0, None)
        assert found.missing == f"no record of {gone}"
        assert (found.values, found.others) == ((), ())


def test_a_missing_measure_leaves_its_criterion_open() -> None:
    """As in a record all of whose seeds diverged."""
    records = {**errors(0.5), "sine-old-paper": record(rank=WAVES)}
    assert the(LOWER, records).missing == "no error in the record of sine-old-paper"
    nothing: Record = {"seeds": [0, 1], "measures": {}, "diverged": [0, 1]}
    found = the(LOWER, {**records, "sine-new-paper": nothing})
    assert found.missing == "no error in the record of sine-new-paper"
    assert found.says == "open"


def test_one_seed_in_common_leaves_its_criterion_open() -> None:
    records = {
        "sine-new-paper": record([0, 1], error=[1.0, 1.0]),
        "sine-old-paper": record([1, 2], error=[9.0, 9.0]),
    }
    found = the(LOWER, records)
    assert found.says == "open"
    assert "two or more finite numbers" in found.missing
    assert "Train more seeds" in found.missing


# Findings


@pytest.mark.parametrize(
    ("factor", "says"),
    [(0.5, "met"), (0.85, "met"), (1 / 1.1, "open"), (0.95, "not met"), (1.3, "not met")],
)
def test_a_real_difference_that_is_too_small_is_not_met(factor: float, says: str) -> None:
    """Asked for 10 % less: 5 % less is a difference, and not the one that is claimed."""
    assert the(LOWER, errors(factor)).says == says


def test_seeds_that_disagree_leave_it_open() -> None:
    spread = [0.2, 3.0, 0.5, 1.4, 0.3, 2.0, 0.9, 1.1]
    records = {
        "sine-new-paper": record(error=spread),
        "sine-old-paper": record(error=WAVES),
    }
    found = the(LOWER, records)
    assert found.says == "open"
    assert found.missing == ""
    assert found.effect is not None
    assert found.effect.low < 0 < found.effect.high


@pytest.mark.parametrize(("sign", "wanted"), [(1, "met"), (-1, "not met")])
def test_test_and_interval_must_agree(sign: int, wanted: str) -> None:
    """One far-off seed makes the two disagree, either way round; then it stays open."""
    difference = replace(POINTS, by=0.0)

    def found(values: list[float]) -> Finding:
        seeds = range(len(values))
        return the(
            difference,
            {
                "mnist-new-paper": record(seeds, accuracy=[sign * v for v in values]),
                "mnist-old-paper": record(seeds, accuracy=[0.0] * len(values)),
            },
        )

    by_test = found([1.0, 1.1] * 15 + [1.05, -7.0])
    by_interval = found([0.1, 0.12] * 15 + [0.11, 6.0])
    assert by_test.p < 0.05 < by_interval.p
    assert by_test.effect is not None
    assert by_interval.effect is not None
    assert by_test.effect.low < 0 < by_test.effect.high
    assert by_interval.effect.low * by_interval.effect.high > 0
    assert (by_test.says, by_interval.says) == ("open", "open")
    assert found([1.0, 1.1] * 15 + [1.05, -1.0]).says == wanted


# Verdicts

PAPER = replace(LOWER, measure="paper")
TOO_FEW = replace(LOWER, condition="absent")


@pytest.mark.parametrize(
    ("fair", "paper", "word"),
    [
        (0.5, 0.5, "holds"),
        (0.5, 1.5, "holds"),
        (1.5, 0.5, "only under the paper's probe"),
        (0.95, 0.5, "only under the paper's probe"),
        (1.5, 1.5, "does not hold"),
        (1.5, 1 / 1.1, "does not hold"),
        (1 / 1.1, 0.5, "not decidable"),
        (1 / 1.1, 1.5, "not decidable"),
    ],
)
def test_each_word_with_a_fair_criterion_and_the_papers(
    fair: float, paper: float, word: str
) -> None:
    """The paper's own criterion counts only where the fair one is not met."""
    (verdict,) = judge(errors(fair, paper), (claim(LOWER, paper=(PAPER,)),))
    assert verdict.word == word


@pytest.mark.parametrize(
    ("judged", "factor", "word"),
    [
        (claim(LOWER), 0.5, "holds"),
        (claim(LOWER), 1.5, "does not hold"),
        (claim(LOWER, TOO_FEW), 0.5, "not decidable"),
        (claim(LOWER, TOO_FEW), 1.5, "does not hold"),
        (claim(LOWER, HIGHER), 0.5, "does not hold"),
        (claim(TOO_FEW, paper=(LOWER,)), 0.5, "not decidable"),
        (claim(HIGHER, paper=(LOWER, LOWER)), 0.5, "only under the paper's probe"),
        (claim(HIGHER, paper=(LOWER, HIGHER)), 0.5, "does not hold"),
        (claim(HIGHER, paper=(LOWER, TOO_FEW)), 0.5, "does not hold"),
        (claim(), 0.5, "not decidable"),
        (claim(paper=(LOWER,)), 0.5, "not decidable"),
    ],
)
def test_each_word_with_other_groups(judged: Claim, factor: float, word: str) -> None:
    """All fair criteria for a yes, one for a no; all of the paper's for its own probe."""
    (verdict,) = judge(errors(factor), (judged,))
    assert verdict.word == word


def test_verdicts_keep_the_order_of_claims_and_criteria() -> None:
    claims = (
        claim(LOWER, HIGHER, paper=(PAPER,), name="a"),
        claim(name="b"),
        claim(TOO_FEW, name="c"),
        claim(LEVEL, paper=(HIGHER, PAPER), name="d"),
    )
    verdicts = judge(errors(0.5, 0.7), claims)
    assert [v.claim for v in verdicts] == list(claims)
    for verdict in verdicts:
        assert tuple(f.criterion for f in verdict.fair) == verdict.claim.fair
        assert tuple(f.criterion for f in verdict.paper) == verdict.claim.paper
    says = [[f.says for f in (*v.fair, *v.paper)] for v in verdicts]
    assert says == [["met", "not met", "met"], [], ["open"], ["not met", "not met", "met"]]


# Many questions


def weak() -> dict[str, Record]:
    """A difference that is found if it is all that is asked: p about 0.01."""
    new = [0.5, 0.8, 0.4, 0.95, 0.6, 0.35, 0.85, 0.55]
    return {
        "sine-new-paper": record(error=new, noise=[3.0, 0.3, 2.0, 0.5, 1.1, 0.9, 4.0, 0.25]),
        "sine-old-paper": record(error=[1.0] * 8, noise=[1.0] * 8),
    }


def test_many_hopeless_claims_turn_a_weak_finding_open() -> None:
    hopeless = tuple(claim(replace(LOWER, measure="noise"), name="hopeless") for _ in range(40))
    (alone,) = judge(weak(), (claim(LOWER),))
    among, *rest = judge(weak(), (claim(LOWER), *hopeless))
    assert alone.word == "holds"
    assert among.word == "not decidable"
    assert {v.word for v in rest} == {"not decidable"}
    assert among.fair[0].effect == alone.fair[0].effect
    assert among.fair[0].p == pytest.approx(41 * alone.fair[0].p)


def test_the_papers_criteria_count_among_the_questions() -> None:
    noise = replace(LOWER, measure="noise")
    (with_paper,) = judge(weak(), (claim(LOWER, paper=(noise,) * 40),))
    assert with_paper.fair[0].says == "open"


def test_what_is_missing_is_a_question_all_the_same() -> None:
    """Else a verdict could change when results are added that have nothing to do with it."""
    (alone,) = judge(weak(), (claim(LOWER),))
    among, *_ = judge(weak(), (claim(LOWER, TOO_FEW), *[claim(TOO_FEW)] * 30))
    assert among.fair[0].p == pytest.approx(min(1.0, 32 * alone.fair[0].p))


def test_p_values_are_students_corrected_for_all_criteria_together() -> None:
    """Worked out apart, with scipy, from the logarithms."""
    noise = replace(LOWER, measure="noise")
    records = weak()
    claims = (claim(LOWER, paper=(noise,)), claim(TOO_FEW), claim(HIGHER))
    new = [math.log(v) for v in records["sine-new-paper"]["measures"]["error"]]
    odd = [math.log(v) for v in records["sine-new-paper"]["measures"]["noise"]]
    raw = [
        float(ttest_1samp(values, mean).pvalue)
        for values, mean in (
            (new, -math.log(1.1)),
            (odd, -math.log(1.1)),
            (new, math.log(1.1)),
        )
    ]
    first, absent, last = judge(records, claims)
    found = [first.fair[0].p, first.paper[0].p, last.fair[0].p]
    assert found == pytest.approx(holm([*raw, 1.0])[:3])
    assert absent.fair[0].p == 1
    assert first.fair[0].effect is not None
    assert first.fair[0].effect.p == pytest.approx(raw[0])


# Shown


@pytest.fixture
def verdicts() -> list[Verdict]:
    """Each word once."""
    return judge(
        errors(0.5, 0.7),
        (
            claim(LOWER, PAPER, name="good"),
            claim(HIGHER, LOWER, paper=(PAPER,), name="probe-alone", section="abstract"),
            claim(HIGHER, name="bad"),
            claim(TOO_FEW, LOWER, name="unknown"),
            claim(name="beyond"),
        ),
    )


def test_the_table_has_each_claim_with_its_word_and_counts(verdicts: list[Verdict]) -> None:
    header, rule, *rows = verdict_table(verdicts).splitlines()
    assert header.split() == ["claim", "section", "verdict", "fair", "paper's", "own"]
    assert set(rule) == {"-", " "}
    cells = [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]
    assert cells == [
        ["good", "4", "holds", "2 of 2", "-"],
        ["probe-alone", "abstract", "only under the paper's probe", "1 of 2", "1 of 1"],
        ["bad", "4", "does not hold", "0 of 1", "-"],
        ["unknown", "4", "not decidable", "1 of 2", "-"],
        ["beyond", "4", "not decidable", "-", "-"],
    ]
    assert len({len(line) for line in (header, rule, *rows)}) == 1


def test_plain_verdicts_survive_json(verdicts: list[Verdict]) -> None:
    plain = plain_verdicts(verdicts)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert [v["verdict"] for v in plain] == [v.word for v in verdicts]
    assert [v["id"] for v in plain] == ["good", "probe-alone", "bad", "unknown", "beyond"]
    assert {v["quote"] for v in plain} == {"so it is said"}
    assert plain[1]["section"] == "abstract"
    assert (plain[4]["fair"], plain[4]["paper"]) == ([], [])


def test_a_plain_finding_holds_question_and_answer(verdicts: list[Verdict]) -> None:
    """Its p is the corrected one."""
    finding, plain = verdicts[0].fair[0], plain_verdicts(verdicts)[0]["fair"][0]
    assert finding.effect is not None
    assert (plain["measure"], plain["condition"], plain["than"]) == ("error", "new", "old")
    assert (plain["expects"], plain["by"], plain["length"]) == ("lower", 1.1, "paper")
    assert (plain["says"], plain["missing"], plain["seeds"]) == ("met", "", 8)
    assert plain["mean"] == finding.effect.mean
    assert plain["low"] < plain["mean"] < plain["high"]
    assert plain["improvement"] == 1
    assert plain["p"] == finding.p > finding.effect.p
    absent = plain_verdicts(verdicts)[3]["fair"][0]
    assert (absent["says"], absent["p"]) == ("open", 1.0)
    assert absent["missing"] == "no record of sine-absent-paper"
    assert "mean" not in absent


# In words


def test_an_open_question_says_how_far_it_is_from_an_answer() -> None:
    asked = (claim(LEVEL),)
    unsure = {"sine-new-paper": record(range(4), rank=[1.8, 2.4, 2.2, 2.0])}
    (verdict,) = judge(unsure, asked)
    (finding,) = verdict.fair
    assert finding.says == "open"
    assert f"fair, open (p {finding.p:.3g}): effective rank" in claim_text([verdict])
    assert "fair, open: effective rank" in claim_text(judge({}, asked))


def test_a_claim_without_criteria_is_called_untested() -> None:
    assert verdict_markdown(judge({}, (claim(),))).endswith("| **not decidable** | not tested |")


def test_a_table_of_conditions_has_medians_and_a_dash_where_there_is_no_such_measure() -> None:
    records = {
        "sine-expressive-paper": record(range(3), error=[3.0, 1.0, 2.0], past=[None, 4.0, 5.0]),
        "sine-classic-paper": record(range(3), error=[0.125, 0.25, 0.5]),
        "sine-expressive-long": record(range(3), error=[9.0, 9.0, 9.0]),
    }
    table = condition_table(records, "sine", "paper", {"B": "error", "past": "past"})
    assert [line.split() for line in table.splitlines() if "---" not in line] == [
        ["B", "past"],
        ["classic", "0.25", "-"],
        ["expressive", "2", "4.5"],
    ]


# At a terminal


def write(folder: Path, records: Mapping[str, Record]) -> Path:
    folder.mkdir(parents=True)
    for key, content in records.items():
        (folder / f"{key}.json").write_text(json.dumps(content))
    return folder


def eigenvalues(factor: float) -> dict[str, Record]:
    """Results for the one claim that rests on one record, as they are stored."""
    row = record(radius_growing=scaled(factor))
    rest: dict[str, Any] = {
        "condition": "unconstrained",
        "length": "paper",
        "shared_predictor": False,
        "experiment": {"name": "sine"},
        "configuration": {},
        "curves": {},
        "diverged": [],
        "provenance": {"parts": [{"seeds": row["seeds"], "seconds": 1.0}]},
    }
    return {"sine-unconstrained-paper": {**rest, **row}}


FIRST = ["--edition", "first"]


@pytest.mark.parametrize(("factor", "word"), [(1.5, "holds"), (0.5, "does not hold")])
def test_the_command_prints_and_writes_the_verdicts(
    factor: float, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = write(tmp_path / "results", eigenvalues(factor)), tmp_path / "verdicts.json"
    assert main(["claims", *FIRST, "--results", str(folder), "--json", str(path)]) == 0
    first, second = capsys.readouterr().out.split("\n\nAsked after the runs:\n\n")
    (_, _, *rows), (_, _, *later) = first.splitlines(), second.splitlines()
    assert [row.split()[0] for row in rows] == [c.id for c in CLAIMS]
    assert [row.split()[0] for row in later] == [c.id for c in LATER]
    (row,) = (row for row in rows if row.startswith("eigenvalues "))
    assert word in row
    plain = json.loads(path.read_text())
    assert [v["id"] for v in plain["later"]] == [c.id for c in LATER]
    written = {v["id"]: v for v in plain["verdicts"]}
    assert list(written) == [c.id for c in CLAIMS]
    assert written["eigenvalues"]["verdict"] == word
    assert {v["verdict"] for v in written.values()} == {word, "not decidable"}


def test_without_a_folder_the_books_own_results_are_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "evidence", eigenvalues(1.5))
    monkeypatch.setattr("bijepa_book.evidence.runner.results_folder", lambda: tmp_path)
    assert main(["claims", *FIRST]) == 0
    (row,) = (r for r in capsys.readouterr().out.splitlines() if r.startswith("eigenvalues "))
    assert "holds" in row


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_results_is_an_error_that_says_how_to_make_some(
    there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = tmp_path / "results", tmp_path / "verdicts.json"
    if there:
        folder.mkdir()
        (folder / "notes.txt").write_text("no results yet")
    assert main(["claims", *FIRST, "--results", str(folder), "--json", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"bijepa: no results in {folder}")
    assert f"bijepa evidence --results {folder}" in output.err
    assert not path.exists()
