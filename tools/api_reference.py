"""A Sphinx extension: the API reference out of this project's docstrings.

Autodoc reads them, and napoleon's parser turns their sections (`Args`, `Returns`, `Raises`,
`Source`) into fields. Two things are done here that neither does:

* The line below a constant is its description; napoleon would take all before a colon for a type.
* What a docstring or a type hint names but no page describes (a class of another package, a plain
  constant) is shown as code without a link. A name of this project that does not exist stays an
  error.
"""

from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring

PACKAGES = ("bijepa_core.", "bijepa_book.")
STYLE: Any = Config(napoleon_custom_sections=["Source"], napoleon_use_rtype=False)
WITHOUT_SECTIONS = ("attribute", "data", "property")


def read_sections(
    app: Sphinx, what: str, name: str, subject: Any, options: Any, lines: list[str]
) -> None:
    """Turn a docstring's sections into fields, in place."""
    if what not in WITHOUT_SECTIONS:
        lines[:] = GoogleDocstring(lines, STYLE, app, what, name, subject, options).lines()


def is_ours(name: str) -> bool:
    """Tell whether a dotted name begins with one of this project's packages."""
    return name.startswith(PACKAGES)


def exists(name: str) -> bool:
    """Tell whether a dotted name leads to something in this project."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def show_as_code(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Leave a name without a link where it is not of this project, or is not described."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    names = [name for name in (target, f"{node.get('py:module')}.{target}") if is_ours(name)]
    foreign = "." in target and not is_ours(target) and not any(exists(name) for name in names)
    return content if foreign or any(exists(name) for name in names) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", read_sections)
    app.connect("missing-reference", show_as_code, priority=900)  # where nothing else answers
    return {"parallel_read_safe": True, "parallel_write_safe": True}
