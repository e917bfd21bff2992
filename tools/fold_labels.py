"""A Sphinx extension: a fold says what is in it.

MyST-NB writes "Show code cell source" over every folded cell. A reader wants to know whether it is
the solution of an exercise or the code that checks and draws.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LABELS = {
    "tag_hide-cell": "Solution",
    "tag_hide-input": "Code behind this",
    "tag_hide-output": "What it shows",
}


def label(app: Sphinx, document: nodes.document) -> None:
    """Write its label on every fold of a page."""
    for cell in document.findall(nodes.container):
        for tag, words in LABELS.items():
            if tag in cell["classes"] and "prompt_show" in cell:
                cell["prompt_show"] = f"{words} (show)"
                cell["prompt_hide"] = f"{words} (hide)"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", label)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
