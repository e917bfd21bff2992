"""A Sphinx extension: figures that hold pictures of things have a second version for dark pages.

There a chart is shown with light and dark exchanged, hues kept (`book/_static/custom.css`). Where a
figure shows images, as of digits, that would turn white strokes black, and lie. Such a figure is
known by its large dark areas, which no chart has: in its dark version these stay as they are.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from docutils import nodes
from numpy.typing import NDArray
from scipy import ndimage
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

Pixels = NDArray[np.float64]
DARK, LEAST = (
    0.2,
    0.2,
)  # brightness; the share of dark pixels. Charts have an eighth of that at most.
SIZE = 30  # pixels that an image is high and wide, and no letter
# What the style sheet does to charts: CSS's invert(0.93) and hue-rotate(180deg).
INVERT = 0.93
HUES = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])


def in_the_dark(pixels: Pixels) -> Pixels:
    """Exchange light and dark around the images of a figure, pixels of (height, width, 3)."""
    inverted = INVERT - (2 * INVERT - 1) * pixels
    found = np.clip(inverted @ HUES.T, 0, 1)
    areas, _ = ndimage.label(pixels.mean(-1) < DARK)
    for place in ndimage.find_objects(areas):
        if min(side.stop - side.start for side in place) > SIZE:
            found[place] = pixels[place]
    return found


class Photographs(SphinxTransform):
    """Put the dark version behind each such figure; the theme shows one of them."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for image in list(self.document.findall(nodes.image)):
            path = Path(f"{self.env.srcdir}/{image['uri']}")  # MyST-NB begins it with a slash
            if path.suffix != ".png" or not path.is_file():
                continue
            pixels = plt.imread(path)[..., :3].astype(float)
            if (pixels.mean(-1) < DARK).mean() < LEAST:
                continue
            plt.imsave(path.with_stem(f"{path.stem}-dark"), in_the_dark(pixels))
            dark = image.deepcopy()
            dark["uri"] = image["uri"].replace(".png", "-dark.png")
            dark["classes"].append("only-dark")
            image["classes"].append("only-light")
            image.parent.insert(image.parent.index(image) + 1, dark)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(Photographs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
