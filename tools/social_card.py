"""A Sphinx extension: the picture that others show beside a link to the book, drawn by code.

It is drawn when the site is built and belongs to every page. Nothing is fetched: the type is
matplotlib's own.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from sphinx.application import Sphinx
from sphinx.config import Config

CARD = "_static/card.png"  # below the site's root
SIZE = (1200, 630)  # pixels; what most sites that show cards ask for
ALT = (
    "Two circles, x and y, joined by a blue arrow from x to y and an orange one back. "
    "BiJEPA: the executable book."
)
PAPER, INK, GREY = "#ffffff", "#1b1b1b", "#6e6e6e"
FORWARD, BACKWARD = "#0f7fbf", "#d55e00"  # the logo's


def draw(address: str) -> Figure:
    """Draw the card: the logo's two circles and arrows, the title, and where the book is.

    Args:
        address: the published address, shown without its scheme.
    """
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE[0]), ylim=(0, SIZE[1]))
    axes.set_axis_off()
    left, right, height = 150, 420, 330
    for center, name in ((left, "x"), (right, "y")):
        axes.add_patch(Circle((center, height), 52, color="#808080"))
        axes.text(
            center, height, name, size=34, color=PAPER, style="italic", ha="center", va="center"
        )
    for start, end, color, bend in (
        ((left + 15, height + 65), (right - 15, height + 65), FORWARD, -0.55),
        ((right - 15, height - 65), (left + 15, height - 65), BACKWARD, -0.55),
    ):
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle="-|>",
                mutation_scale=42,
                linewidth=9,
                color=color,
            )
        )
    axes.text(540, 375, "BiJEPA", size=82, weight="bold", color=INK)
    axes.text(545, 300, "the executable book", size=34, color=INK)
    lines = "Prediction both ways in latent space:\nevery experiment rerun, measured and explained."
    axes.text(545, 175, lines, size=17, color=GREY, linespacing=1.5)
    parts = urlsplit(address)
    axes.text(60, 40, parts.netloc + parts.path.rstrip("/"), size=16, color=GREY)
    return figure


def name_card(app: Sphinx, config: Config) -> None:
    """Tell the Open Graph extension about the card."""
    config.ogp_image = CARD
    config.ogp_image_alt = ALT
    config.ogp_custom_meta_tags = [
        f'<meta property="og:image:width" content="{SIZE[0]}" />',
        f'<meta property="og:image:height" content="{SIZE[1]}" />',
        '<meta name="twitter:card" content="summary_large_image" />',
    ]


def save_card(app: Sphinx, exception: Exception | None) -> None:
    """Draw the card into the finished site."""
    if exception is None and app.builder.format == "html":
        draw(app.config.html_baseurl).savefig(Path(app.outdir) / CARD)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("config-inited", name_card)
    app.connect("build-finished", save_card)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
