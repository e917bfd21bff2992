"""What a solution prints beside the book's numbers, and what of it is compared."""

import re
from pathlib import Path

from bijepa_book.text import beside

SANITIZER = Path(__file__).parents[1] / "nbval.cfg"


def test_this_runs_number_stands_beside_the_books() -> None:
    first, second = beside(("norm", 4.2406, 4.2), ("rank at the end", 1e-6, 7.7)).splitlines()
    assert first.split() == ["norm", "reached", "4.2", "book", "4.2"]
    assert second.split() == ["rank", "at", "the", "end", "reached", "1e-06", "book", "7.7"]
    assert first.index("reached") == second.index("reached")


def test_stored_outputs_are_compared_but_for_what_was_reached() -> None:
    pattern, replacement = re.findall(r"^re\w+: (.*)$", SANITIZER.read_text("utf-8"), flags=re.M)

    def kept(reached: float, book: float) -> str:
        return re.sub(pattern, replacement, beside(("norm", reached, book)))

    assert kept(4.2, 4.2) == kept(0.000123, 4.2)
    assert kept(4.2, 4.2) != kept(4.2, 4.3)
