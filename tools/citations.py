"""A Sphinx extension: the bibliography is a list of list items to a screen reader.

Docutils gives its entries a role that ARIA has withdrawn, so that the list around them seems empty.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def open_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    """Open an entry, and the list before the first one."""
    before = node.parent.index(node) - 1
    if before < 0 or not isinstance(node.parent[before], nodes.citation):
        writer.body.append('<div role="list" class="citation-list">\n')
    writer.body.append(writer.starttag(node, "div", CLASS="citation", role="listitem"))


def close_citation(writer: HTML5Translator, node: nodes.citation) -> None:
    """Close the entry, and the list after the last one."""
    writer.body.append("</div>\n")
    after = node.parent.index(node) + 1
    if after == len(node.parent) or not isinstance(node.parent[after], nodes.citation):
        writer.body.append("</div>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_node(nodes.citation, override=True, html=(open_citation, close_citation))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
