"""Figure 1: every part is named, and the drawing is the same each time."""

import runpy
from pathlib import Path

import pytest
from matplotlib.patches import FancyBboxPatch

from bijepa_book.figures.diagram import DARK, LIGHT, Palette, architecture

TOOL = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "picture.py"))


def test_both_panels_name_their_parts() -> None:
    classic, both_ways = architecture().axes
    names = [text.get_text() for text in classic.texts]
    assert names.count(r"$P_\phi$") == 1
    assert names.count("stop-gradient") == names.count("EMA") == 1
    names = [text.get_text() for text in both_ways.texts]
    for part in ("$P_{fwd}$", "$P_{bwd}$", "$L_{total}$", r"$\alpha$", r"$1-\alpha$"):
        assert names.count(part) == 1, part
    assert names.count(r"$f_\theta$") == names.count("stop-gradient") == 2


def test_what_the_average_moves_has_another_rim_as_well_as_another_fill() -> None:
    boxes = [patch for patch in architecture().axes[1].patches if isinstance(patch, FancyBboxPatch)]
    looks = {(box.get_linestyle(), box.get_facecolor()[:3]) for box in boxes}
    assert len({rim for rim, _ in looks}) == 2
    assert sum(box.get_linestyle() == "--" for box in boxes) == 2  # the target encoder, twice


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_nothing_is_cut_off(palette: Palette) -> None:
    figure = architecture(palette)
    figure.canvas.draw()
    frame = figure.bbox
    for axis in figure.axes:
        for artist in (*axis.texts, *axis.patches):
            extent = artist.get_window_extent()
            assert frame.x0 <= extent.x0, artist
            assert extent.x1 <= frame.x1, artist
            if isinstance(artist, FancyBboxPatch):
                assert axis.bbox.y0 <= extent.y0, artist
                assert extent.y1 <= axis.bbox.y1, artist


def test_a_drawing_is_the_same_each_time() -> None:
    first = TOOL["drawing"](LIGHT)
    assert first == TOOL["drawing"](LIGHT) != TOOL["drawing"](DARK)
    assert b"<svg" in first
    assert b"dc:date" not in first
