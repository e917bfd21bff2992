"""The appendices say what the chapters and the package say."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK, PACKAGE = ROOT / "book", ROOT / "bijepa_core"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md"))]
BIBLIOGRAPHY = (BOOK / "references.bib").read_text("utf-8")
# Not to be looked up: what runs the command line, and what only this package's own modules use.
INTERNAL = {"__main__", "cli", "files", "interrupts", "progress"}


def prose(path: Path) -> str:
    """A page's Markdown."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def anchors(page: str) -> set[str]:
    """What a link to a heading of a Markdown page may say."""
    headings = re.findall(r"^#+ (.+)$", (BOOK / page).read_text("utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_work_that_is_linked_is_in_the_bibliography(path: Path) -> None:
    """ArXiv by its number, others by their address or DOI."""
    text = prose(path)
    for number in re.findall(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", text):
        assert f"{{{number}}}" in BIBLIOGRAPHY, number
    for doi in re.findall(r"doi\.org/(10\.[^\s)\"]+)", text):
        assert f"{{{doi}}}" in BIBLIOGRAPHY, doi
    for forum in re.findall(r"https://openreview\.net/\S+?(?=[)\s])", text):
        assert forum in BIBLIOGRAPHY, forum


def test_no_work_is_in_the_bibliography_twice() -> None:
    for field in ("eprint", "doi", "title"):
        found = re.findall(rf"^ +{field} += \{{(.+)\}},$", BIBLIOGRAPHY, flags=re.M)
        assert len(set(found)) == len(found), field
    keys = re.findall(r"^@\w+\{(\w+),", BIBLIOGRAPHY, flags=re.M)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_to_the_glossary_meet_a_term(path: Path) -> None:
    """So they do in JupyterLab and on GitHub, where no build would notice."""
    for term in re.findall(r"\]\(glossary\.md#([^)]*)\)", prose(path)):
        assert term in anchors("glossary.md"), term


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = re.findall(r"^## (.+)$", (BOOK / "glossary.md").read_text("utf-8"), flags=re.M)
    assert terms == sorted(terms, key=str.casefold)


def test_every_module_of_the_package_is_in_the_api_reference() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in PACKAGE.glob("**/*.py")
        if path.stem not in {*INTERNAL, "__init__"}
    }
    shown = [
        module
        for page in BOOK.glob("api-*.md")
        for module in re.findall(r"automodule:: (\S+)", page.read_text("utf-8"))
    ]
    assert len(set(shown)) == len(shown)
    assert set(shown) == modules


def test_every_chapter_has_its_running_times() -> None:
    times = json.loads((BOOK / "results" / "times.json").read_text("utf-8"))
    assert times["hardware"]
    assert set(times["notebooks"]) == {path.stem for path in NOTEBOOKS}, "tools/timings.py"
    for seconds in times["notebooks"].values():
        assert 0 < seconds["smoke"] < seconds["paper"]
