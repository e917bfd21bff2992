"""Take the README's picture out of chapter 2: python tools/picture.py."""

import base64
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHAPTER, FIGURE = ROOT / "book" / "02-explosion.ipynb", "explosion-diagnostics"
PICTURE = ROOT / "book" / "_static" / "explosion.png"


def stored_figure(chapter: Path = CHAPTER, name: str = FIGURE) -> bytes:
    """The PNG that a chapter stores for the figure of a name."""
    for cell in json.loads(chapter.read_text())["cells"]:
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if figure.get("name") == name:
            data = next(o["data"] for o in cell["outputs"] if "image/png" in o.get("data", {}))
            return base64.b64decode(data["image/png"])
    raise LookupError(f"{chapter.name} has no figure named {name!r}.")


if __name__ == "__main__":
    PICTURE.write_bytes(stored_figure())
    print(PICTURE)
