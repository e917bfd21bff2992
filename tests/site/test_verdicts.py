"""Both editions of the study are whole, and the pages say what they say."""

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
from bijepa_book.evidence.second.grid import recordings
from bijepa_book.evidence.second.recording import fresh, load
from bijepa_book.evidence.second.report import label
from bijepa_book.evidence.second.verdicts import Verdict as SecondVerdict
from bijepa_book.evidence.second.verdicts import judge as judge_again
from bijepa_book.evidence.verdicts import Verdict, judge

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
FIRST = ROOT / "book" / "evidence-first.ipynb"
# A verdict as the chapters cite it.
CITED = re.compile(r"`([a-z][a-z-]*)`\s+\*\*([^*]+)\*\*")
# The same in the second edition, where a size in italics may follow.
SAID = re.compile(
    r"`([a-z][a-z-]*)`\s+(?:is\s+)?\*\*([^*]+)\*\*"
    r"(?:,?\s+(?:and\s+|with an effect\s+)?\*([^*]+)\*)?"
)


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


def test_every_claim_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(claim.id for claim in CLAIMS)


def test_the_first_editions_page_says_what_its_record_says(cited: dict[str, Verdict]) -> None:
    """And names every claim of it."""
    said = CITED.findall(prose(FIRST))
    assert [(name, word) for name, word in said if word != cited[name].word] == []
    assert {name for name, _ in said} == {claim.id for claim in (*CLAIMS, *LATER)}


# --- the second edition -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def second() -> dict[str, dict[str, Any]]:
    """Its records."""
    return load()


@pytest.fixture(scope="module")
def judged(second: dict[str, dict[str, Any]]) -> dict[str, SecondVerdict]:
    """Its verdicts, on fresh seeds, by the claim's id."""
    return {v.claim.id: v for v in judge_again(fresh(second))}


def test_every_record_is_of_the_study_with_its_seeds_and_its_provenance(
    second: dict[str, dict[str, Any]],
) -> None:
    known = {one.key: one for one in recordings()}
    flaws = []
    for key, record in second.items():
        parts = record["provenance"]
        if key not in known or not set(record["seeds"]) <= set(known[key].seeds):
            flaws.append(f"{key}: not of the study")
        if sorted(s for part in parts for s in part["seeds"]) != sorted(record["seeds"]):
            flaws.append(f"{key}: seeds of unknown origin")
        if not all(part["commit"] and part["torch"] and part["seconds"] > 0 for part in parts):
            flaws.append(f"{key}: does not say how it was made")
        flaws += [f"{key}: {name}" for name, v in record["measures"].items() if None in v]
    assert flaws == []


def test_pages_that_quote_verdicts_quote_the_record(judged: dict[str, SecondVerdict]) -> None:
    """README's table, and a box in each of chapters 1 to 7, which leads to chapter 8."""
    tool = runpy.run_path(str(ROOT / "tools" / "verdicts.py"))
    pages = tool["pages"](list(judged.values()))
    stale = [path.name for path, text in pages.items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make verdicts`"
    texts = {path.stem: prose_by_lines(path) for path in pages}
    boxes = {name: tool["QUOTED"].findall(page) for name, page in texts.items()}
    without = {name for name, found in boxes.items() if not found}
    later = {"10-stable", "10-relatives", "11-futures"}
    assert without <= {"README", "08-evidence", "09-why"} | later
    assert all("08-evidence.ipynb" in page for name, page in texts.items() if boxes[name])


def test_a_page_without_marks_is_refused() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "verdicts.py"))
    with pytest.raises(ValueError, match="<!-- verdicts -->"):
        tool["with_table"]("no marks", "a table")


def prose_by_lines(path: Path) -> str:
    """A page's Markdown as it is written."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def test_verdicts_in_prose_are_those_of_the_record(judged: dict[str, SecondVerdict]) -> None:
    """Behind a claim's name: its direction, or its whole label. A size in italics is its size."""
    wrong = []
    for path in [*NOTEBOOKS, *sorted((ROOT / "book").glob("*.md")), ROOT / "README.md"]:
        if path == FIRST:
            continue
        text = re.sub(r"(?<!\n)\n(?!\n)", " ", prose_by_lines(path))
        for found in SAID.finditer(text):
            v = judged.get(found[1])
            if v is None or found[2] not in (v.direction, label(v)):
                wrong.append(f"{path.name}: {found[0]}")
            elif found[3] and found[3] != v.size:
                wrong.append(f"{path.name}: {found[0]}, {v.size}")
    assert wrong == []


def test_every_check_that_a_page_prints_says_yes() -> None:
    """Statements in chapter 8's text that its own cells hold to the record."""
    cells = json.loads((ROOT / "book" / "08-evidence.ipynb").read_text("utf-8"))["cells"]
    printed = "".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", ()))
    assert len(re.findall(r"^yes  ", printed, re.M)) >= 10
    assert re.findall(r"^no   .*", printed, re.M) == []
