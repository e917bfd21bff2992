"""The recorded study is whole, and the pages say what it says."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from bijepa_book.evidence import runner
from bijepa_book.evidence.claims import CLAIMS, GROUPS
from bijepa_book.evidence.grid import all_conditions
from bijepa_book.evidence.post_hoc import LATER
from bijepa_book.evidence.report import deciding, measured
from bijepa_book.evidence.verdicts import Verdict, judge

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
CHAPTER = ROOT / "book" / "08-evidence.ipynb"
# A verdict as the chapters cite it.
CITED = re.compile(r"`([a-z][a-z-]*)`\s+\*\*([^*]+)\*\*")
WITH_NUMBERS = re.compile(r"`([a-z][a-z-]*)`\s+\*\*[^*]+\*\* \(([^()]*asked[^()]*)\)")


@pytest.fixture(scope="module")
def records() -> dict[str, dict[str, Any]]:
    """The recorded study."""
    return runner.load()


@pytest.fixture(scope="module")
def verdicts(records: dict[str, dict[str, Any]]) -> dict[str, Verdict]:
    """By the claim's id."""
    return {v.claim.id: v for v in judge(records)}


def prose(path: Path) -> str:
    """A notebook's Markdown, line breaks as spaces."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def test_the_record_has_every_condition_of_the_study_with_all_its_seeds(
    records: dict[str, dict[str, Any]],
) -> None:
    known = {c.key: c for c in all_conditions()}
    assert set(records) == set(known)
    assert runner.tasks(list(known.values()), runner.SEEDS, records) == []


def test_no_seed_of_the_record_diverged_unseen(records: dict[str, dict[str, Any]]) -> None:
    for key, record in records.items():
        for name, numbers in record["measures"].items():
            missing = [s for s, v in zip(record["seeds"], numbers, strict=True) if v is None]
            once = key == "mnist-baselines-paper" and len(numbers) - len(missing) == 1
            assert once or set(missing) <= set(record["diverged"]), (key, name)


def test_records_say_how_they_were_made(records: dict[str, dict[str, Any]]) -> None:
    for key, record in records.items():
        parts = record["provenance"]["parts"]
        assert sorted(seed for part in parts for seed in part["seeds"]) == record["seeds"], key
        assert all(part["commit"] and part["torch"] and part["seconds"] > 0 for part in parts), key


@pytest.fixture(scope="module")
def cited(records: dict[str, dict[str, Any]], verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """What a text may cite: those asked after the runs as well."""
    return verdicts | {v.claim.id: v for v in judge(records, LATER)}


def test_the_summary_tables_are_what_the_records_say(verdicts: dict[str, Verdict]) -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "verdicts.py"))
    tables = tool["tables"](list(verdicts.values()))
    for path, table in tables.items():
        page = path.read_text("utf-8")
        assert tool["with_table"](page, table) == page, f"{path.name}: run `make verdicts`"
    assert all(claim.claim.rstrip(".") in tables[ROOT / "book" / "index.md"] for claim in CLAIMS)


def test_a_page_without_marks_is_refused() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "verdicts.py"))
    with pytest.raises(ValueError, match="<!-- verdicts -->"):
        tool["with_table"]("no marks", "a table")


def test_every_claim_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(claim.id for claim in CLAIMS)


def test_verdicts_in_the_chapters_are_the_records(cited: dict[str, Verdict]) -> None:
    """And every chapter cites one, chapter 8 all."""
    said = {path.stem: CITED.findall(prose(path)) for path in NOTEBOOKS}
    assert [chapter for chapter, found in said.items() if not found] == []
    wrong = [
        f"{chapter}: {name} **{word}**"
        for chapter, found in said.items()
        for name, word in found
        if name not in cited or word != cited[name].word
    ]
    assert wrong == []
    assert {name for name, _ in said[CHAPTER.stem]} == {claim.id for claim in (*CLAIMS, *LATER)}


def test_chapters_one_to_seven_cite_the_numbers_of_the_record(verdicts: dict[str, Verdict]) -> None:
    """And lead to chapter 8, which explains them."""
    flaws = []
    for path in NOTEBOOKS:
        if path == CHAPTER:
            continue
        text = prose(path)
        if "08-evidence.ipynb" not in text:
            flaws.append(f"{path.stem}: no link to chapter 8")
        if not (numbered := WITH_NUMBERS.findall(text)):
            flaws.append(f"{path.stem}: no numbers")
        for name, numbers in numbered:
            decisive = deciding(verdicts[name])
            if decisive is None or numbers != measured(decisive):
                flaws.append(f"{path.stem}: {name} ({numbers})")
    assert flaws == []
