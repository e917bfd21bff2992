"""What the live controls share: a place for pictures, and room for names."""

import io

import ipywidgets
from matplotlib.figure import Figure

NAMED = {"description_width": "8em"}
"""The style of a control with a name beside it: names line up below each other."""


def picture() -> ipywidgets.Image:
    """An empty picture, as wide as the page allows; put :func:`png` into its ``value``."""
    image = ipywidgets.Image(format="png", value=b"")
    image.layout.max_width = "100%"
    return image


def png(figure: Figure) -> bytes:
    """A figure as a PNG file's bytes. Make it with ``Figure(...)``: pyplot would show it twice."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
