"""A Sphinx extension: pages go on working where the browser lets them store nothing.

The theme's scripts read `localStorage` unasked and die of a browser that blocks it, and the switch
between light and dark and the search die with them. A few lines at the top of each page lend them a
storage that lasts as long as the page.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LENT = """
<script>
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].setItem("probe", "");
    window[name].removeItem("probe");
  } catch {
    const kept = new Map();
    Object.defineProperty(window, name, { value: {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
    } });
  }
}
</script>"""


def lend(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the lines where they run before any script of the theme's."""
    context["metatags"] = LENT + context.get("metatags", "")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", lend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
