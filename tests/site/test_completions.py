"""Many completions in the page: held to the core's for given noise, and used as a reader would."""

import math
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import torch
from torch import Tensor, nn

from bijepa_book.evidence.futures.completions import together
from bijepa_book.int8 import unpack
from bijepa_book.records import results_folder
from bijepa_core.data import mnist
from bijepa_core.experiments import MNIST
from bijepa_core.networks import Decoder
from bijepa_core.stochastic import EnergyPredictor
from tests.site.test_demos import (
    SAME,
    fill,
    open_demo,
    status,
    until_status,
    wait_for,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.site
NAME = "completions"
WEIGHTS = results_folder() / "futures" / "mnist-futures-energy-expressive-weights.npz"
COUNT, NOISE = 5, 16  # of samples to compare, of numbers in z
DEMO = f"document.querySelector('[data-demo={NAME}]').demo"


def completed(given: mnist.Side, pixels: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """The core's drawings of halves ``(n, 392)``, their mean's behind them, and scores of each.

    They are ``(count + 1, n, 392)`` and ``(count + 1, n, 10)``.
    """
    weights = unpack(WEIGHTS)
    if given == "right":
        own = {name: one for name, one in weights.items() if name.startswith("right.")}
        weights |= {name.replace("right.", "online."): one for name, one in own.items()}
    way = "forward" if given == "left" else "backward"
    encoder, decoder = MNIST.encoder(MNIST, True), Decoder(MNIST.embed_dim, 28 * 14)
    predictor = EnergyPredictor(MNIST.embed_dim, MNIST.hidden_dim, NOISE)
    classifier = nn.Sequential(nn.Linear(28 * 28, 256), nn.ReLU(), nn.Linear(256, 10))
    fill(encoder, weights, "online.")
    fill(predictor.net, weights, f"{way}_predictor.")
    fill(decoder, weights, f"decoder.{way}.")
    fill(classifier, weights, "classifier.")
    center, scale = (weights[f"decoder.{way}.{name}"] for name in ("center", "scale"))
    with torch.no_grad():
        s = encoder(((pixels - mnist.MEAN) / mnist.STD).view(-1, 1, 28, 14))
        found = predictor(s, z)
        found = torch.cat([found, found.mean(0, keepdim=True)])
        drawn = torch.stack([decoder(one) for one in (found - center) / scale])
        return drawn, classifier(together(given, pixels, drawn))


def test_completions_in_the_page_are_the_cores(page: "Page", served: str) -> None:
    """Of the same rounded weights, for the same z, both ways; and so are the digits' scores."""
    open_demo(page, NAME, served)
    until_status(page, NAME, "Of 64 completions")
    source = torch.Generator().manual_seed(0)
    smooth = nn.functional.interpolate(torch.rand(2, 1, 7, 4, generator=source), (28, 14))
    halves = torch.cat([smooth.flatten(1), torch.zeros(1, 28 * 14)])
    z = torch.randn(COUNT, len(halves), NOISE, generator=source)
    sides: tuple[mnist.Side, ...] = ("left", "right")
    for given in sides:
        drawn, scores = completed(given, halves, z)
        assert (drawn[0] - drawn[1]).abs().max() > 100 * SAME
        for i, half in enumerate(halves):
            found = page.evaluate(
                f"""async ([given, half, z, count]) => {{
                    const floats = [half, z].map(one => Float32Array.from(one));
                    const {{drawn, scores}} = await {DEMO}.ask(given, ...floats, count);
                    return [[...drawn], [...scores]];
                }}""",
                [given, half.tolist(), z[:, i].flatten().tolist(), COUNT],
            )
            for name, mine, core in zip(("drawn", "scores"), found, (drawn, scores), strict=True):
                gap = (torch.tensor(mine) - core[:, i].flatten()).abs().max().item()
                print(f"{given}, half {i}, {name}: at most {gap:.1e} apart")
                assert gap < SAME, (given, name)


SHOWN = f"""() => {{
    const {{drawn}} = {DEMO}.answer();
    return [...Array(8).keys()].map(i => [...drawn.subarray(392 * i, 392 * (i + 1))]);
}}"""


def shown(page: "Page") -> Tensor:
    """The completions on the page, ``(8, 392)``."""
    return torch.tensor(page.evaluate(SHOWN))


def changed(page: "Page", act: "Locator", key: str) -> None:
    """Press a key on a control, and wait for what follows."""
    page.evaluate(f"() => {{ window.old = {DEMO}.answer(); }}")
    act.focus()
    page.keyboard.press(key)
    wait_for(page, f"{DEMO}.answer() !== window.old")


def test_completions_are_drawn_anew_and_come_again_with_their_address(
    page: "Page", served: str
) -> None:
    """All by keyboard: Again draws others, the first ones come back, and without z all agree."""
    section = open_demo(page, NAME, served)
    until_status(page, NAME, "Of 64 completions")
    first = shown(page)
    assert len(first.unique(dim=0)) == 8
    again = section.get_by_role("button", name="Again")
    changed(page, again, "Enter")
    assert "draw.2" in unquote(page.url)
    second = shown(page)
    assert (first - second).abs().max() > 0.1
    took = page.evaluate(f"() => {DEMO}.took()")
    print(f"from a click to 64 completions: {took:.0f} ms")

    section = open_demo(page, NAME, served, "?completions=draw.2")
    until_status(page, NAME, "Of 64 completions")
    assert torch.equal(shown(page), second)
    changed(page, section.get_by_role("slider", name="z times"), "Home")
    alike = shown(page)
    assert (alike - alike[0]).abs().max() < SAME
    shares = section.locator(".demo-share").all_inner_texts()
    assert sorted(shares)[-1] == "100 %"
    assert status(section).startswith("Of 64 completions 64 are read as")


def test_a_drawn_half_is_completed_whichever_it_is(page: "Page", served: str) -> None:
    """Drawn by keyboard; the completions keep their z, and follow the half."""
    section = open_demo(page, NAME, served, "?completions=digit.none~given.left")
    until_status(page, NAME, "The half is empty")
    pad = section.locator(".demo-pad")
    changed(page, pad, "Space")
    assert status(section).startswith("Of 64 completions")
    section.get_by_role("combobox", name="you draw").select_option("right")
    until_status(page, NAME, "The half is empty")
    digits = [int(one) for one in section.locator(".demo-several figcaption").all_inner_texts()]
    assert len(digits) == 9  # the mean, too
    assert all(0 <= digit <= 9 for digit in digits)
    total = sum(float(one.split()[0]) for one in section.locator(".demo-share").all_inner_texts())
    assert math.isclose(total, 100, abs_tol=5)  # each share is rounded
