"""The appendices say what the chapters and the package say."""

import json
import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
PACKAGES = (ROOT / "bijepa_core", BOOK / "bijepa_book")
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md"))]
BIBLIOGRAPHY = (BOOK / "references.bib").read_text("utf-8")
# Not to be looked up: what runs the command line, and what only these packages' own modules use.
INTERNAL = {
    "archives",
    "arguments",
    "__main__",
    "checks",
    "cli",
    "files",
    "interrupts",
    "locks",
    "process",
    "progress",
}
TOOL = runpy.run_path(str(ROOT / "tools" / "api_reference.py"))


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


def test_every_work_that_is_linked_is_in_the_bibliography() -> None:
    """ArXiv by its number, others by their address or DOI."""
    patterns = {
        r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})": "{%s}",
        r"doi\.org/(10\.[^\s)\"]+)": "{%s}",
        r"(https://openreview\.net/\S+?)(?=[)\s])": "%s",
    }
    linked = [
        (path.name, entry % work)
        for path in PAGES
        for pattern, entry in patterns.items()
        for work in re.findall(pattern, prose(path))
    ]
    assert linked
    missing = [f"{page}: {work}" for page, work in linked if work not in BIBLIOGRAPHY]
    assert missing == []


def test_no_work_is_in_the_bibliography_twice() -> None:
    for field in ("eprint", "doi", "title"):
        found = re.findall(rf"^ +{field} += \{{(.+)\}},$", BIBLIOGRAPHY, flags=re.M)
        assert len(set(found)) == len(found), field
    keys = re.findall(r"^@\w+\{(\w+),", BIBLIOGRAPHY, flags=re.M)
    assert len(set(keys)) == len(keys)


def test_links_to_the_glossary_meet_a_term() -> None:
    """So they do in JupyterLab and on GitHub, where no build would notice."""
    linked = [
        (path.name, term)
        for path in PAGES
        for term in re.findall(r"\]\(glossary\.md#([^)]*)\)", prose(path))
    ]
    assert linked
    known = anchors("glossary.md")
    assert [f"{page}: {term}" for page, term in linked if term not in known] == []


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = re.findall(r"^## (.+)$", (BOOK / "glossary.md").read_text("utf-8"), flags=re.M)
    assert terms == sorted(terms, key=str.casefold)


def test_every_module_of_the_packages_is_in_the_api_reference_once() -> None:
    modules = [
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for package in PACKAGES
        for path in package.glob("**/*.py")
        if path.stem not in {*INTERNAL, "__init__"}
    ]
    text = "\n".join(page.read_text("utf-8") for page in BOOK.glob("api-*.md"))
    shown = re.findall(r"automodule:: (\S+)", text)
    for package in re.findall(r"\{package\} (\S+)", text):
        shown += TOOL["public_modules"](package)
    assert sorted(shown) == sorted(modules), "name it on one of the pages book/api-*.md"


def test_every_chapter_has_its_running_times() -> None:
    times = json.loads((BOOK / "results" / "times.json").read_text("utf-8"))
    assert times["hardware"]
    chapters = {path.stem for path in NOTEBOOKS if '"parameters"' in path.read_text("utf-8")}
    assert set(times["notebooks"]) == chapters, "tools/timings.py"
    for seconds in times["notebooks"].values():
        assert 0 < seconds["smoke"] < seconds["paper"]
