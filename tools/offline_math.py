"""A Sphinx extension: maths drawn by a MathJax that the site carries itself.

Pages then ask no other host for anything and work without a network, also when opened straight
from the file system. MathJax comes from the Python package `sphinx-mathjax-offline`. Of its many
builds the site takes the one that is a single file, all of TeX in and SVG out: it needs no fonts,
which browsers may refuse to a page opened from a file.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.fileutil import copy_asset

PACKAGE = "sphinx-mathjax-offline"
BUILD = "static/mathjax/tex-svg-full.js"
DESTINATION = "mathjax"  # below _static

logger = logging.getLogger(__name__)


def find_mathjax() -> Path | None:
    """Find MathJax's file in the installed package; None where that is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / BUILD
    return path if path.is_file() else None


def use_own_mathjax(app: Sphinx, config: Config) -> None:
    """Point Sphinx at the site's own copy."""
    mathjax = find_mathjax()
    if mathjax is None:
        logger.info("%s is not installed: maths will be fetched from a CDN", PACKAGE)
        return
    config.mathjax_path = f"{DESTINATION}/{mathjax.name}"
    # The context menu loads parts that are not in this file: it would be a dead control.
    config.mathjax3_config = {"options": {"enableMenu": False}}


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy the file into the finished site."""
    mathjax = find_mathjax()
    if exception is None and mathjax is not None and app.builder.format == "html":
        copy_asset(mathjax, app.outdir / "_static" / DESTINATION)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("config-inited", use_own_mathjax)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
