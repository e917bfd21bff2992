"""A Sphinx extension: notes on where the paper and its script differ stand in the margin.

In a notebook such a note is a plain block quote that begins with the words of `LEAD` in bold, so
that it reads well wherever the notebook is opened. On the site it becomes an element of the class
that the theme puts into the margin beside the text, or into the text on a narrow screen.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LEAD = "Where paper and script differ."
CLASSES = ("margin", "margin-note")


def is_note(quote: nodes.block_quote) -> bool:
    """Tell whether a block quote begins with the bold lead."""
    paragraph = quote.next_node(nodes.paragraph)
    bold = quote.next_node(nodes.strong)
    return (
        paragraph is not None
        and bold is not None
        and bold.astext() == LEAD
        and paragraph.astext().startswith(LEAD)
    )


class MarginNotes(SphinxTransform):
    """Turn each such block quote into a container that the theme places."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for quote in list(self.document.findall(nodes.block_quote)):
            if is_note(quote):
                quote.replace_self(nodes.container("", *quote.children, classes=list(CLASSES)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(MarginNotes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
