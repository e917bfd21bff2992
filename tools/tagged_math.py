r"""A Sphinx extension: displayed equations of several lines keep the number given by `\tag`.

Sphinx puts an equation with a line break in it into `split`, where MathJax allows no `\tag` and
shows an error instead of the equation. Such an equation goes into `equation*` here.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class TaggedMath(SphinxTransform):
    """Wrap equations that have both a line break and a tag."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for block in self.document.findall(nodes.math_block):
            equation = block.astext()
            if not block.get("nowrap") and r"\\" in equation and r"\tag" in equation:
                wrapped = f"\\begin{{equation*}}\n{equation.strip()}\n\\end{{equation*}}"
                block.children = [nodes.Text(wrapped)]
                block.children[0].parent = block
                block["nowrap"] = True


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(TaggedMath)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
