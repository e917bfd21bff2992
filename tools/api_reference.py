"""A Sphinx extension: the API reference out of this project's docstrings.

Autodoc reads them, and napoleon's parser turns their sections (`Args`, `Returns`, `Raises`,
`Source`) into fields. Three things are done here that neither does:

* The directive `package` describes every public module of a package, each under a heading, so that
  a new module needs no line on any page.
* The line below a constant is its description; napoleon would take all before a colon for a type.
* What a docstring or a type hint names but no page describes (a class of another package, a plain
  constant) is shown as code without a link. A name of this project that does not exist stays an
  error.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.docutils import SphinxDirective

PACKAGES = ("bijepa_core.", "bijepa_book.")
STYLE: Any = Config(napoleon_custom_sections=["Source"], napoleon_use_rtype=False)
WITHOUT_SECTIONS = ("attribute", "data", "property")
WITHOUT_MODULE = ("NDArray",)  # numpy's alias, whose module a hint no longer names since numpy 2.5


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
    foreign = target in WITHOUT_MODULE or ("." in target and not is_ours(target))
    return content if foreign or any(exists(name) for name in names) else None


def public_modules(package: str) -> list[str]:
    """The dotted names of a package's own modules, in alphabetical order.

    Args:
        package: its dotted name, such as `bijepa_book.chapters`.
    """
    found = iter_modules(import_module(package).__path__)
    names = (module.name for module in found if not module.ispkg)
    return sorted(f"{package}.{name}" for name in names if not name.startswith("_"))


class Package(SphinxDirective):
    """Every public module of a package: a heading, and below it what autodoc finds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make a section a module."""
        return [self.section(module) for module in public_modules(self.arguments[0])]

    def section(self, module: str) -> nodes.section:
        """A module's section, under its name without that of the distribution."""
        title = module.partition(".")[2]
        section = nodes.section("", nodes.title("", title), names=[title])
        self.state.document.note_implicit_target(section, section)
        lines = ["```{eval-rst}", f".. automodule:: {module}", "```"]
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, section)
        return section


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("package", Package)
    app.connect("autodoc-process-docstring", read_sections)
    app.connect("missing-reference", show_as_code, priority=900)  # where nothing else answers
    return {"parallel_read_safe": True, "parallel_write_safe": True}
