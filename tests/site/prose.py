"""Numbers in a page's prose, and where each may come from without further ado."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bijepa_core.experiments import LORENZ, MNIST, SINE

ROOT = Path(__file__).parents[2]
_DIGITS = r"\d{1,3}(?:,\d{3})+|\d+"
NUMBER = re.compile(
    rf"(?<![\w.,/-])(?P<digits>(?:{_DIGITS})(?:\.\d+)?)(?P<percent>\s?%)?(?![\w/]|\.\d)"
)
PRINTED = re.compile(rf"(?<![\w.])(?:{_DIGITS})(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_PLACE = r"(?:[A-Z]\.)?\d+(?:\.\d+)*(?:\([a-z]\))?"
_KIND = r"(?:[Ss]ections?|[Cc]hapters?|[Ee]xercises?|Eq\.|Fig(?:ure)?s?\.?|Tables?|[Aa]ppendix|§)"
NO_RESULTS = re.compile(
    "|".join(
        (
            r"^```.*?^```",
            r"`[^`]*`",
            r"\$\$.*?\$\$",
            r"\$[^$]*\$",
            r"\]\([^)]*\)|\]\[[^\]]*\]",
            r"<!-- verdicts -->.*?<!-- end of verdicts -->",  # held by test_verdicts.py
            r"^> - `[a-z-]+` \*\*[^\n]*",
            r"^\|[^\n]*\]\(\d\d-[^\n]*\|$",  # a row of switches, held by test_switches.py
            r"<[^>]+>",
            rf"(?:\b\d )?{_KIND}\s?{_PLACE}(?:(?:,|,? to|,? and|,? or)\s{_PLACE})*",
            r"\b(?:19|20)\d\d\b",
            r"^#+ \d+\.|^\[\d+\. |^(?:> )?\d+\. ",  # of headings, chapters and lists
            r"\(\d to \d\)",  # chapters of a part
            r"\*\*Time\.\*\*[^\n]*",  # rounded up, for readers; running-times.md has measured them
        )
    ),
    re.M | re.S,
)
"""Code, formulas, addresses, places, years; and what other tests hold to the records."""

PROTOCOL = {
    float(value) * factor
    for experiment in (SINE, LORENZ, MNIST)
    for value in vars(experiment).values()
    if isinstance(value, int | float)
    for factor in (1, 10)  # "ten times longer"
} | {
    *(0, 1, 0.5, 0.9, 0.999),  # alpha and tau where they are named as settings
    *(10, 20, 40, 14, 28, 60_000),  # of a window, a series, an image, MNIST
    *(0.05, 0.01),  # the waves' noise; Lorenz's time step, and the rate of the paper's probe
    *(100, 200, 1_000, 2_000, 10_000),  # of the probes: steps, and what they see
    *(8, 24, 32),  # seeds
    *(3.11, 5, 95),  # Python; percent of tests and intervals
}
"""What every page may name without showing it."""


@dataclass(frozen=True)
class Number:
    """A number as prose shows it: its value, its decimals, whether in percent, and its place."""

    value: float
    decimals: int
    percent: bool
    span: tuple[int, int]

    def shows(self, value: float) -> bool:
        """Whether a value, rounded as this is, gives this."""
        return abs(self.value - value) <= 0.5000001 * 10.0**-self.decimals

    def found_in(self, pool: Iterable[float]) -> bool:
        """Whether some value of a pool gives this, or a share of which this is the percentage.

        A count is found among whole numbers alone, and what has decimals among those that have.
        """
        return any(
            (self.shows(v) and (v % 1 == 0) == (self.decimals == 0))
            or (self.percent and v % 1 != 0 and self.shows(100 * v))
            for v in pool
        )


@dataclass(frozen=True)
class Section:
    """A part of a page below one heading: its prose, and the numbers in its cells."""

    text: str
    pool: frozenset[float]


def numbers(text: str) -> Iterator[Number]:
    """The results among the numbers of a Markdown text."""
    for found in NUMBER.finditer(blanked(text)):
        shown = found["digits"].replace(",", "")
        decimals = len(shown.partition(".")[2])
        yield Number(float(shown), decimals, bool(found["percent"]), found.span())


def blanked(text: str) -> str:
    """A text with spaces for everything that holds no result, so that places stay."""
    return NO_RESULTS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def printed(text: str) -> set[float]:
    """All numbers in what a cell printed."""
    return {float(found.replace(",", "")) for found in PRINTED.findall(text)}


def literals(code: str) -> set[float]:
    """All numbers in a cell's code."""
    tree = ast.parse(re.sub(r"^(\s*)%.*", r"\1pass", code, flags=re.M))
    return {
        float(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    }


@cache
def sections(page: str) -> list[Section]:
    """A page's sections; those of a notebook may quote what their own cells print and say.

    Args:
        page: its path below the repository's root.

    Returns:
        In order. What stands before the first heading, the settings, every section may quote.
    """
    path = ROOT / page
    texts, pools = [""], [set[float]()]
    cells: list[dict[str, Any]] = (
        [{"cell_type": "markdown", "source": path.read_text("utf-8"), "outputs": []}]
        if path.suffix == ".md"
        else json.loads(path.read_text("utf-8"))["cells"]
    )
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            first, *more = re.split(r"^(?=## )", source, flags=re.M)
            texts[-1] += "\n\n" + first
            texts += more
            pools += [set[float]() for _ in more]
            continue
        pools[-1] |= literals(source)
        for output in cell["outputs"]:
            data = {"text/plain": output.get("text", ""), **output.get("data", {})}
            pools[-1] |= printed("".join(data["text/plain"]))
    return [Section(text, frozenset(pools[0] | pools[i])) for i, text in enumerate(texts)]
