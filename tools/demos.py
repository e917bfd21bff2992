"""A Sphinx extension: demos that compute in the reader's browser, each in its chapter.

In a notebook a block quote that begins with one of the bold leads of `DEMOS` says what the page
offers. On the site the demo itself follows the quote: first a still picture and a sentence, which
its script replaces when the reader comes near. The scripts are made by `make book` before Sphinx
runs; without them the pictures stay.
"""

import shutil
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "_build" / "interactive"
STILLS = ROOT / "book" / "interactive" / "stills"
FOLDER = "interactive"  # below the site's root
STYLE, LOADER = "demos.css", "loader.js"

logger = logging.getLogger(__name__)


class Demo(NamedTuple):
    """A demo and what stands in its place until it is there.

    Args:
        name: of its script.
        anchor: its place on the page, which addresses name.
        label: its name for readers.
        alt: what its picture shows.
        needs: scripts with data that it waits for.
        look: a class of its element, by which the style leaves parts of it out.
        still: the name of its picture, if not its own.
    """

    name: str
    anchor: str
    label: str
    alt: str
    needs: tuple[str, ...] = ()
    look: str = "demo-whole"
    still: str = ""


DEMOS = {
    "In the page: the explosion lab.": Demo(
        "explosion",
        "explosion-lab",
        "Explosion lab",
        "The explosion lab after a run: controls of two runs, and curves of loss, relative loss, "
        "norm, variance and effective rank for the unconstrained and the expressive model, "
        "recorded runs thin and pale behind them; below, what a linear probe misses of the next "
        "value, the whole target and the context.",
        ("data-looks",),
    ),
    "Press Train.": Demo(
        "explosion",
        "two-trainings",
        "Two trainings",
        "Two trainings of 2,000 steps. Without constraints the loss falls, turns and climbs, and "
        "the norm grows; with LayerNorm and weight decay both stay level. The relative losses fall "
        "alike, the unconstrained one a little lower.",
        ("data-looks",),
        look="demo-short",
        still="explosion-short",
    ),
    "In the page: the Lorenz explorer.": Demo(
        "lorenz",
        "lorenz-explorer",
        "Lorenz explorer",
        "The Lorenz explorer: a trajectory in space, the window that the models see, forecasts of "
        "the expressive model and of classic JEPA, an inferred past and a near neighbor; below, "
        "distances from the truth ahead, and of four neighbors over 25 Lyapunov times.",
        ("data-looks", "data-lorenz"),
    ),
    "In the page: the hallucination pad.": Demo(
        "hallucination",
        "hallucination-pad",
        "Hallucination pad",
        "The hallucination pad: the left half of a digit, two completions of it, the doubt "
        "in each, the probability of each digit and the most similar training images.",
        ("data-hallucination", "data-images", "data-training"),
    ),
    "In the page: the position cursor.": Demo(
        "position",
        "position-cursor",
        "Position cursor",
        "The position cursor on sine waves: errors of the expressive model and of classic JEPA, "
        "read off the forecast, along the windows x, y and z, and both errors at the first sample "
        "of y.",
        ("data-looks", "data-position"),
    ),
    "In the page: the well.": Demo(
        "well",
        "the-well",
        "The well",
        "The well in training, the particle on the ridge: its futures above and its pasts "
        "below, each with two peaks, the samples of the model close to the exact law; the "
        "deterministic model's only answer stands between the peaks. Below, scores that fall "
        "toward the optimum.",
        ("data-looks", "data-well"),
    ),
    "In the page: many completions.": Demo(
        "completions",
        "many-completions",
        "Many completions",
        "Many completions: the left half of a digit, eight right halves that the model draws for "
        "it, some of which make it a 2, others a 3; the drawing of their mean, which is a bit of "
        "both; and how often 64 of them are read as each digit.",
        ("data-completions", "data-images"),
    ),
}


def lead(quote: nodes.block_quote) -> str:
    """The bold words that a block quote begins with, if it does."""
    paragraph, bold = quote.next_node(nodes.paragraph), quote.next_node(nodes.strong)
    if paragraph is None or bold is None or not paragraph.astext().startswith(bold.astext()):
        return ""
    return bold.astext()


def element(demo: Demo) -> str:
    """The demo as HTML."""
    needs = " ".join(demo.needs)
    return f"""<section class="demo {demo.look}" id="{demo.anchor}" data-demo="{demo.name}" \
data-needs="{needs}" aria-label="{escape(demo.label)}">
<div class="demo-still">
<img src="{FOLDER}/still-{demo.still or demo.name}.png" alt="{escape(demo.alt)}" decoding="async">
<p>This picture shows the demo, which computes in the browser; the book's figures show what it
finds. <span class="noprint">The demo needs JavaScript and takes the picture's place as you come
near. If it does not, reload the page.</span></p>
</div>
<p class="demo-status" role="status"></p>
</section>"""


class Places(SphinxTransform):
    """Put each demo behind its quote."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document in place."""
        for quote in list(self.document.findall(nodes.block_quote)):
            demo = DEMOS.get(lead(quote))
            if demo is not None:
                place = quote.parent.index(quote) + 1
                shown = nodes.raw("", element(demo), format="html", names=[demo.anchor])
                self.document.note_explicit_target(shown)  # [text](#anchor) leads there
                quote.parent.insert(place, shown)
                self.env.metadata[self.env.docname]["demo"] = demo.name


def add_loader(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load style and loader on pages with a demo, and on no others."""
    if doctree is None or "demo" not in app.env.metadata.get(page, {}):
        return
    root = context["pathto"]("", 1).rstrip("/")
    prefix = f"{root}/" if root not in ("", ".") else ""
    context["metatags"] = context.get("metatags", "") + (
        f'\n<link rel="stylesheet" href="{prefix}{FOLDER}/{STYLE}">'
        f'\n<script defer src="{prefix}{FOLDER}/{LOADER}"></script>'
    )


def copy_demos(app: Sphinx, exception: Exception | None) -> None:
    """Copy scripts and pictures into the finished site."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(STILLS, target)
    if BUILT.is_dir():
        shutil.copytree(BUILT, target, dirs_exist_ok=True)
    else:
        logger.info("%s is not there: demos stay pictures. make book builds them", BUILT)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_transform(Places)
    app.connect("html-page-context", add_loader)
    app.connect("build-finished", copy_demos)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
