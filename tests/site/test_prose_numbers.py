"""What prose says in numbers is what cells print and records hold.

A number in a page's prose is found, as it is rounded there, in the outputs and the code of the
cells around it or among the protocol's constants; or `prose_ties.py` says where it comes from.
"""

import re
from collections.abc import Sequence

from tests.site.prose import PROTOCOL, Number, Section, numbers, sections
from tests.site.prose_ties import NEAR, TIES, UNTIED, WORDS

CHAPTERS = (
    *("01-jepa", "02-explosion", "03-sphere", "04-lorenz", "05-mnist"),
    *("06-alpha", "07-own-data", "08-evidence", "09-why"),
    *("10-stable", "10-relatives", "11-futures"),
)
APPENDICES = ("evidence-claims", "evidence-conditions", "evidence-first")
PAGES = (
    *(f"book/{name}.ipynb" for name in CHAPTERS + APPENDICES),
    *(f"book/{name}.md" for name in ("index", "switches", "glossary")),
    "README.md",
)
SPOKEN = re.compile(rf"\b(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b")


def spans(phrase: str, section: Section) -> list[tuple[int, int]]:
    """Where a phrase stands in a section, wherever its lines break, in a quote or not."""
    pattern = r"[\s>]+".join(map(re.escape, phrase.split()))
    return [found.span() for found in re.finditer(pattern, section.text)]


def said(phrase: str) -> list[Number | str]:
    """A phrase's numbers, in digits and in words, in order."""
    found: list[tuple[int, Number | str]] = [(n.span[0], n) for n in numbers(phrase)]
    found += [(word.start(), word[0]) for word in SPOKEN.finditer(phrase)]
    return [one for _, one in sorted(found, key=lambda entry: entry[0])]


def holds(one: Number | str, value: float) -> bool:
    """Whether a number of a phrase is the value that its tie gives."""
    if isinstance(one, Number):
        return one.shows(value)
    return abs(value / WORDS[one] - 1) <= NEAR


def loose(page: str) -> list[str]:
    """The numbers of a page that neither its cells nor a phrase of the tables accounts for."""
    phrases = [*TIES.get(page, ()), *UNTIED.get(page, ())]
    found = []
    for section in sections(page):
        covered = [span for phrase in phrases for span in spans(phrase, section)]
        for number in numbers(section.text):
            begin, end = number.span
            if not (
                number.found_in(section.pool | PROTOCOL)
                or any(first <= begin < last for first, last in covered)
            ):
                found.append(f"{page}: {section.text[max(begin - 40, 0) : end + 20]!r}")
    return found


def test_every_number_in_prose_is_shown_nearby_or_tied_to_a_record() -> None:
    found = [number for page in PAGES for number in loose(page)]
    assert found == [], "mend the sentence, or say in prose_ties.py where its number comes from"


def test_ties_hold() -> None:
    wrong = []
    for page, ties in TIES.items():
        for phrase, expression in ties.items():
            given = expression()
            values = list(given) if isinstance(given, Sequence) else [given]
            shown = said(phrase)
            if len(shown) != len(values) or not all(map(holds, shown, values)):
                wrong.append(f"{page}: {phrase!r} for {[f'{v:.4g}' for v in values]}")
    assert wrong == []


def test_the_tables_quote_pages_word_for_word() -> None:
    stale = [
        f"{page}: {phrase!r}"
        for table in (TIES, UNTIED)
        for page, phrases in table.items()
        for phrase in phrases
        if not any(spans(phrase, section) for section in sections(page))
    ]
    assert stale == [], "the sentence has changed: look at its numbers, and quote it anew"


def test_what_is_no_result_is_no_number() -> None:
    text = "Section 4.2, Eq. 1 to 9 of 2024: `12`, $3 \\times 4$. It falls by 12 %, to 0.50."
    seen = [(n.value, n.decimals, n.percent) for n in numbers(text)]
    assert seen == [(12.0, 0, True), (0.5, 2, False)]


def test_a_number_in_other_digits_is_told_apart() -> None:
    (shown,) = numbers("an error of 0.013")
    assert shown.found_in({0.01346})
    assert not shown.found_in({0.01351, 1.3})
    assert holds("tenfold", 11.4)
    assert not holds("tenfold", 8.0)
