"""A Sphinx extension: printed sentences wrap, printed tables scroll.

What a cell prints keeps its line ends. On a narrow page a table must not lose them, or its columns
are gone; sentences may.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

COLUMNS = re.compile(
    r"^.{5,}\S {2,}\S", re.M
)  # a gap, but for the one behind a first "yes" or "no"


class Printed(SphinxTransform):
    """Mark what is printed without columns."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for block in self.document.findall(nodes.literal_block):
            if "output" in block["classes"] and not COLUMNS.search(block.astext()):
                block["classes"].append("sentences")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(Printed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
