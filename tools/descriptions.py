"""A Sphinx extension: a page's first paragraph describes it to search engines and in cards.

A chapter opens with its goals in a block quote, and a page may open with a table: neither says what
the page is about. The first paragraph of plain text does.
"""

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 200  # characters; what cards and results show at most


def shorten(text: str, longest: int = LONGEST) -> str:
    """Cut a text after its last whole sentence, or else word, that fits."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    sentences = text[: longest + 1].rfind(". ")
    if sentences > longest // 3:
        return text[: sentences + 1]
    return text[: longest - 3].rsplit(" ", 1)[0].rstrip(",;:") + " ..."


def first_paragraph(document: nodes.document) -> str:
    """Give the first paragraph that stands in a section itself."""
    for paragraph in document.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.document):
            return paragraph.astext()
    return ""


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Give the page its description, for the Open Graph extension and for search engines."""
    if document is None or not (text := shorten(first_paragraph(document))):
        return
    context["meta"] = {**(context.get("meta") or {}), "og:description": text}
    context["metatags"] += f'<meta name="description" content="{html.escape(text)}" />\n'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", describe, priority=400)  # before Open Graph's own guess
    return {"parallel_read_safe": True, "parallel_write_safe": True}
