"""Write the tables of verdicts into README and welcome page: python tools/verdicts.py."""

import re
from collections.abc import Sequence
from pathlib import Path

from bijepa_book.evidence.report import verdict_markdown
from bijepa_book.evidence.runner import load
from bijepa_book.evidence.verdicts import Verdict, judge

ROOT = Path(__file__).parent.parent
# The README has room for six: the explosion, its cure, both series, digits, the target.
SIX = ("explosion", "sphere-cost", "sine-b", "lorenz-b", "mnist-accuracy", "ema")
BETWEEN = re.compile(r"(<!-- verdicts -->\n).*?(<!-- end of verdicts -->)", re.S)


def tables(verdicts: Sequence[Verdict]) -> dict[Path, str]:
    """The table of each page: the welcome page has every claim, the README six of them."""
    by_id = {v.claim.id: v for v in verdicts}
    return {
        ROOT / "README.md": verdict_markdown([by_id[name] for name in SIX]),
        ROOT / "book" / "index.md": verdict_markdown(verdicts),
    }


def with_table(page: str, table: str) -> str:
    """A page with the table between its two marks.

    Raises:
        ValueError: if the page has no marks, or more than one pair.
    """
    found, count = BETWEEN.subn(lambda m: f"{m[1]}\n{table}\n\n{m[2]}", page)
    if count != 1:
        raise ValueError(f"a page needs one pair of marks, <!-- verdicts -->; found {count}.")
    return found


def main() -> None:
    """Renew the table on both pages."""
    for page, table in tables(judge(load())).items():
        page.write_text(with_table(page.read_text("utf-8"), table), "utf-8")
        print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
