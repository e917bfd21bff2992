"""A Sphinx extension: the table of running times, out of the record `book/results/times.json`.

    {"hardware": "2 cores ...", "notebooks": {"02-explosion": {"paper": 95.2, "smoke": 6.1}}}

Times are in seconds. `tools/timings.py` makes the record.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

RECORD = Path("results") / "times.json"  # below the book's sources
SCALES = ("smoke", "paper")


def spoken(seconds: float) -> str:
    """A time as a reader wants it: seconds, or minutes from a minute and a half on."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"


def entry(*content: nodes.Node) -> nodes.entry:
    """A table's cell."""
    return nodes.entry("", nodes.paragraph("", "", *content))


def chapter_link(chapter: str) -> nodes.Node:
    """A link to a chapter, under its title; Sphinx fills both in."""
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=f"/{chapter}", refexplicit=False
    )
    link += nodes.inline("", chapter)
    return link


def table(times: Mapping[str, Mapping[str, float]]) -> nodes.table:
    """The table: a row for each chapter, a column for each scale, and their sum below.

    Args:
        times: a notebook's name, then a scale's, then seconds.
    """
    header = nodes.row("", entry(nodes.Text("Chapter")))
    header += [entry(nodes.literal("", scale)) for scale in SCALES]
    rows = []
    for chapter, seconds in sorted(times.items()):
        row = nodes.row("", entry(chapter_link(chapter)))
        row += [entry(nodes.Text(spoken(seconds[scale]))) for scale in SCALES]
        rows.append(row)
    total = nodes.row("", entry(nodes.Text("All")))
    total += [
        entry(nodes.Text(spoken(sum(one[scale] for one in times.values())))) for scale in SCALES
    ]
    group = nodes.tgroup("", cols=1 + len(SCALES))
    group += [nodes.colspec("", colwidth=width) for width in (60, 20, 20)]
    group += nodes.thead("", header)
    group += nodes.tbody("", *rows, total)
    return nodes.table("", group)


class RunningTimes(SphinxDirective):
    """The measured times, and on what they were measured."""

    def run(self) -> list[nodes.Node]:
        """Read the record and show it."""
        path = Path(self.env.srcdir) / RECORD
        if not path.is_file():
            raise self.error(f"there is no {path.name}: run make timings")
        self.env.note_dependency(str(path))
        record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        where = nodes.paragraph("", f"Measured on {record['hardware']}.")
        return [table(record["notebooks"]), where]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_directive("running-times", RunningTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
