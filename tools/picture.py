"""Make the pictures that stand outside of chapters: python tools/picture.py.

The README's is taken out of chapter 2; the architecture (Figure 1) is drawn for light and for dark
pages.
"""

import base64
import io
import json
from pathlib import Path

import matplotlib as mpl

from bijepa_book.figures.diagram import DARK, LIGHT, Palette, architecture

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"
CHAPTER, FIGURE = ROOT / "book" / "02-explosion.ipynb", "explosion-diagnostics"
PICTURE = STATIC / "explosion.png"
ARCHITECTURE = {
    STATIC / "architecture-light.svg": LIGHT,
    STATIC / "architecture-dark.svg": DARK,
}


def stored_figure(chapter: Path = CHAPTER, name: str = FIGURE) -> bytes:
    """The PNG that a chapter stores for the figure of a name."""
    for cell in json.loads(chapter.read_text())["cells"]:
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if figure.get("name") == name:
            data = next(o["data"] for o in cell["outputs"] if "image/png" in o.get("data", {}))
            return base64.b64decode(data["image/png"])
    raise LookupError(f"{chapter.name} has no figure named {name!r}.")


def drawing(palette: Palette) -> bytes:
    """The architecture as SVG, the same bytes at every call."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "bijepa"}):
        architecture(palette).savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    lines = buffer.getvalue().decode().splitlines()
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode()


def main() -> None:
    """Write all pictures."""
    PICTURE.write_bytes(stored_figure())
    for path, palette in ARCHITECTURE.items():
        path.write_bytes(drawing(palette))
    for path in (PICTURE, *ARCHITECTURE):
        print(path)


if __name__ == "__main__":
    main()
