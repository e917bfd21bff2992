"""Write the second edition's verdicts wherever the book quotes them: python tools/verdicts.py."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bijepa_book.evidence.second.findings import finding
from bijepa_book.evidence.second.recording import fresh, load
from bijepa_book.evidence.second.report import label, verdict_markdown
from bijepa_book.evidence.second.verdicts import Verdict, judge

ROOT = Path(__file__).parent.parent
# The README has room for six: the explosion, its cure, both series, digits, the target.
SIX = ("explosion", "sphere-cost", "sine-b", "lorenz-b", "mnist-accuracy", "ema")
BETWEEN = re.compile(r"(<!-- verdicts -->\n).*?(<!-- end of verdicts -->)", re.S)
QUOTED = re.compile(r"^> - `([a-z][a-z-]*)` \*\*[^*]+\*\*: .*$", re.M)
"""A verdict in a chapter's box: the claim, its label, what was found, in one line."""


def table(verdicts: Sequence[Verdict]) -> str:
    """The README's table."""
    by_id = {v.claim.id: v for v in verdicts}
    return verdict_markdown([by_id[name] for name in SIX])


def with_table(page: str, table: str) -> str:
    """A page with the table between its two marks.

    Raises:
        ValueError: if the page has no marks, or more than one pair.
    """
    found, count = BETWEEN.subn(lambda m: f"{m[1]}\n{table}\n\n{m[2]}", page)
    if count != 1:
        raise ValueError(f"a page needs one pair of marks, <!-- verdicts -->; found {count}.")
    return found


def with_quotes(text: str, verdicts: Mapping[str, Verdict]) -> str:
    """A chapter's text with the verdicts in its boxes as they are now."""

    def renewed(quote: re.Match[str]) -> str:
        v = verdicts[quote[1]]
        return f"> - `{v.claim.id}` **{label(v)}**: {finding(v)}"

    return QUOTED.sub(renewed, text)


def pages(verdicts: Sequence[Verdict]) -> dict[Path, str]:
    """Every page that quotes verdicts, as it should be."""
    by_id = {v.claim.id: v for v in verdicts}
    readme = ROOT / "README.md"
    found = {readme: with_table(readme.read_text("utf-8"), table(verdicts))}
    for path in sorted((ROOT / "book").glob("[0-9]*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = with_quotes("".join(cell["source"]), by_id)
                cell["source"] = text.splitlines(keepends=True)
        found[path] = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return found


def main() -> None:
    """Renew what differs."""
    for path, text in pages(judge(fresh(load()))).items():
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
