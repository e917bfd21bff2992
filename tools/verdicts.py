"""Write the table of verdicts into README and welcome page: python tools/verdicts.py."""

import re
from pathlib import Path

from bijepa_book.evidence.report import verdict_markdown
from bijepa_book.evidence.runner import load
from bijepa_book.evidence.verdicts import judge

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "book" / "index.md")
BETWEEN = re.compile(r"(<!-- verdicts -->\n).*?(<!-- end of verdicts -->)", re.S)


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
    table = verdict_markdown(judge(load()))
    for page in PAGES:
        page.write_text(with_table(page.read_text("utf-8"), table), "utf-8")
        print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
