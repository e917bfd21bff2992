"""Findings are filled in from the answers, and every rendering of a verdict says the same."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bijepa_book.cli import main
from bijepa_book.evidence.claims import on_mnist, on_sine
from bijepa_book.evidence.second.claims import CLAIMS, Claim
from bijepa_book.evidence.second.findings import FINDINGS, SHORT, Seen, finding, short
from bijepa_book.evidence.second.recording import SEEN, fresh, load, pooled
from bijepa_book.evidence.second.report import (
    SIGNS,
    VerdictTable,
    answer_text,
    condition_table,
    label,
    model,
    verdict_markdown,
    verdict_text,
)
from bijepa_book.evidence.second.verdicts import Verdict, judge
from bijepa_book.evidence.verdicts import Records

SEEDS = list(range(64, 80))
SPREAD = np.exp(0.05 * np.cos(np.arange(16)))


def record(seeds: list[int] = SEEDS, **measures: object) -> dict[str, object]:
    """A record of some seeds."""
    return {"seeds": seeds, "measures": measures}


def asked(records: Records, *asks: object) -> Verdict:
    """A claim of some asks, judged."""
    (verdict,) = judge(records, [Claim("it", "here", "", "", "It is <so>.", asks)])  # type: ignore[arg-type]
    return verdict


RATIO = {
    "sine-expressive-paper": record(fair_b=list(0.4 * SPREAD)),
    "sine-classic-paper": record(fair_b=[1.0] * 16),
}
ASK = on_sine("fair_b", "expressive", "lower", "classic", 4.0)


def test_numbers_in_a_sentence_are_those_of_the_answer() -> None:
    (answer,) = asked(RATIO, ASK).answers
    mean = float(np.exp(np.log(0.4 * SPREAD).mean()))
    assert Seen(answer).ends[0] == pytest.approx(mean)
    said = f"{Seen(answer):x}|{Seen(answer):inverse}|{Seen(answer):lower/higher}"
    minus = "\N{MINUS SIGN}"
    assert said == f"0.40 [0.39, 0.41]|2.5 [2.5, 2.5]|60 % lower [{minus}61, {minus}59]"
    assert f"{Seen(answer):seeds}" == "16 of 16 seeds"
    points = on_mnist("a", "expressive", "higher", "classic", 0.027, difference=True)
    records = {
        "mnist-expressive-paper": record(a=[0.915 + 0.001 * (i % 2) for i in range(16)]),
        "mnist-classic-paper": record(a=[0.91] * 16),
    }
    (answer,) = asked(records, points).answers
    assert f"{Seen(answer):points}".startswith("0.55 points [0.5")
    value = on_sine("fair_b", "expressive", "lower", 0.8)
    (answer,) = asked(RATIO, value).answers
    assert f"{Seen(answer):mean}" == "0.40"
    assert [short(x) for x in (0, 17034.0, 1.146, -0.5, 0.0088)] == [
        "0",
        "17,000",
        "1.15",
        "\N{MINUS SIGN}0.50",
        "0.0088",
    ]


def test_every_judged_claim_has_a_finding_even_without_records() -> None:
    assert set(FINDINGS) == {claim.id for claim in CLAIMS if claim.asks}
    for verdict in judge({}):
        assert "no record yet" in finding(verdict) or not verdict.claim.asks
    used = set(re.findall(r"\{(\w+)\[", " ".join(FINDINGS.values())))
    assert used == set(SHORT.values())


def test_labels_name_direction_size_and_what_qualifies_them() -> None:
    verdict = asked(RATIO, ASK)
    assert label(verdict) == "holds, as large as claimed"
    assert label(replace(verdict, direction="open", size="open")) == "open"
    assert label(replace(verdict, size="open")) == "holds, size open"
    assert len(set(SIGNS.values())) == 4


def test_text_markdown_and_html_say_the_same() -> None:
    verdict = replace(asked(RATIO, ASK), claim=replace(CLAIMS[0], asks=(ASK,)))
    verdict = next(v for v in judge(RATIO) if v.claim.id == "sine-b")
    page = VerdictTable([verdict])._repr_html_()
    for said in (verdict_text([verdict]), verdict_markdown([verdict]), page):
        assert SIGNS[verdict.direction] in said
        assert "Classic JEPA makes 2.5" in " ".join(said.split())
    assert repr(VerdictTable([verdict])) == verdict_text([verdict])
    assert 'href="evidence-claims.html#sine-b"' in page
    assert "asked below 1 (size: below 0.505)" in answer_text(verdict.answers[0])
    assert page.count("<details>") == 1


def test_conditions_have_names_also_those_of_another_size() -> None:
    assert model("expressive-d-half") == "expressive, d half"
    assert model("unconstrained-tau-0.9") == "unconstrained, tau 0.9"
    assert model("alpha-0.25") == "alpha-0.25"
    table = condition_table(RATIO, {"ours": "sine-expressive-paper", "no": "x"}, {"B": "fair_b"})
    assert table.splitlines()[2:] == ["ours  0.4"] or "ours" in table
    assert "no" not in table.split("ours")[1]


def test_fresh_seeds_and_all_seeds() -> None:
    second = {"sine-classic-paper": record([64, 65], a=[1.0, 2.0], new=[3.0, 4.0])}
    first = {"sine-classic-paper": record([0, 1], a=[5.0, 6.0])}
    both = pooled(first, second)
    assert both["sine-classic-paper"]["seeds"] == [0, 1, 64, 65]
    assert both["sine-classic-paper"]["measures"] == {
        "a": [5.0, 6.0, 1.0, 2.0],
        "new": [None, None, 3.0, 4.0],
    }
    assert fresh(both)["sine-classic-paper"]["measures"] == second["sine-classic-paper"]["measures"]
    images = {"mnist-classic-paper": record([7, 8], a=[1.0, 2.0])}
    assert pooled({"mnist-classic-paper": record([0], a=[9.0])}, images) == images
    assert fresh(images)["mnist-classic-paper"]["seeds"] == [8]
    assert 7 in SEEN["mnist"]


def test_the_command_prints_both_labels(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    assert main(["claims", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "✓ sine-b: holds, as large as claimed" in printed
    plain = {v["id"]: v for v in json.loads(path.read_text("utf-8"))["verdicts"]}
    assert list(plain) == [claim.id for claim in CLAIMS]
    assert (plain["sine-b"]["direction"], plain["sine-b"]["size"]) == (
        "holds",
        "as large as claimed",
    )


def test_records_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="record_study"):
        load(tmp_path)
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(ValueError, match="no record of the second edition"):
        load(tmp_path)
