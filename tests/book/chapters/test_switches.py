"""The page of switches and effects says what the records say."""

import math
import re
from pathlib import Path

import pytest

from bijepa_book import records
from bijepa_book.chapters.explosion import fresh_seeds

PAGE = (Path(__file__).parents[3] / "book" / "switches.md").read_text("utf-8")
MEASURES = ("norm", "relative_loss", "rank", "fair_b")
# By the page's heading, then by row: a condition of the study's second edition.
CONDITIONS = {
    "From the expressive model": {
        "*nothing switched*": "expressive",
        "LayerNorm off": "plain-decay-0.0001",
        "weight decay off": "norm-decay-0",
        "sphere on": "restrictive",
        "tau 0": "tau-0",
        "alpha 1: classic JEPA": "classic",
        "learning rate: a third": "expressive-rate-third",
        "learning rate: threefold": "expressive-rate-triple",
        "ten times longer": "expressive",
        "ten times longer, LayerNorm off": "plain-decay-0.0001",
    },
    "From the unconstrained model": {
        "*nothing switched*": "unconstrained",
        "tau 0.999: slower target": "unconstrained-tau-0.999",
        "tau 0.9: faster target": "unconstrained-tau-0.9",
        "tau 0": "unconstrained-tau-0",
        "alpha 1: one direction": "classic-unconstrained",
        "learning rate: a third": "unconstrained-rate-third",
        "learning rate: threefold": "unconstrained-rate-triple",
        "ten times longer": "unconstrained",
        "ten times longer, alpha 1": "classic-unconstrained",
    },
}
# And of chapter 1's record.
SAFEGUARDS = {
    "*nothing switched*": "complete",
    "stop-gradient off (and so no EMA)": "no stop-gradient",
    "predictor off": "no predictor",
    "tau 0 (no EMA)": "no EMA",
    "predictor off, tau 0": "no EMA, no predictor",
    "predictor and stop-gradient off": "no stop-gradient, no predictor",
}


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading: what each row's first cell is, then its numbers and its link."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:2] == "| "]
    return {name: cells for name, *cells in table[2:]}


def rounded(shown: str, value: float) -> bool:
    """Whether a number is shown as it is, in the digits that are shown."""
    decimals = len(shown.partition(".")[2])
    return math.isclose(float(shown), value, abs_tol=0.5001 * 10**-decimals)


def test_every_number_is_the_records() -> None:
    wrong = []
    for heading, conditions in CONDITIONS.items():
        shown = rows(heading)
        assert list(shown) == list(conditions)
        for name, condition in conditions.items():
            length = "long" if name.startswith("ten times") else "paper"
            found = fresh_seeds({name: condition}, MEASURES, length)[name]
            wrong += [
                f"{heading}, {name}: {cell} for {found[measure]}"
                for measure, cell in zip(MEASURES, shown[name], strict=False)
                if not rounded(cell, found[measure])
            ]
    recorded = records.load("jepa")["both ways"]
    shown = rows("What stands against collapse")
    assert list(shown) == list(SAFEGUARDS)
    for name, condition in SAFEGUARDS.items():
        end, error = recorded["endings"][condition], recorded["errors"][condition]["fair_a"]
        values = (end["variance"], end["relative_loss"], end["effective_rank"], error)
        wrong += [
            f"{name}: {cell} for {value}"
            for cell, value in zip(shown[name], values, strict=False)
            if not rounded(cell, value)
        ]
    assert wrong == []
    assert f"{recorded['errors']['untrained']['fair_a']:.4f}" in PAGE


def test_every_row_says_where_it_is_shown() -> None:
    tables = [rows(heading) for heading in (*CONDITIONS, "What stands against collapse")]
    unlinked = [n for table in tables for n, c in table.items() if not re.search(r"\]\(", c[-1])]
    assert unlinked == []


def test_a_number_in_other_digits_is_told_apart() -> None:
    assert rounded("0.031", 0.03149)
    assert not rounded("0.031", 0.0316)


def test_a_condition_without_a_record_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no-such"):
        fresh_seeds({"a": "no-such"}, MEASURES)
