"""A Sphinx extension: notes on where the paper and its script differ look like what they are.

In a notebook such a note is a plain block quote that begins with the words of `LEAD` in bold, right
behind what it is about. On the site it stays there, at every width: beside the text it would stand
next to whatever comes after.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LEAD = "Where paper and script differ."


class ScriptNotes(SphinxTransform):
    """Give each such block quote a class of its own."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for quote in self.document.findall(nodes.block_quote):
            bold = quote.next_node(nodes.strong)
            if bold is not None and bold.astext() == LEAD and quote.astext().startswith(LEAD):
                quote["classes"].append("script-note")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(ScriptNotes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
