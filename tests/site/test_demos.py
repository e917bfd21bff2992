"""The demos that compute in the page, used as a reader would, and held to the core's numbers."""

import gzip
import json
import re
import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from torch import Tensor, nn

from bijepa_book.chapters.attractor import runge_kutta
from bijepa_book.chapters.jepa import Ablated, Safeguards
from bijepa_book.chapters.lorenz import Forecaster, Scale, guesses
from bijepa_book.evidence.second.recording import load
from bijepa_book.evidence.second.why import recorded
from bijepa_book.evidence.stable.kinds import KINDS
from bijepa_book.evidence.stable.relatives import relative
from bijepa_book.evidence.statistics import geometric_mean
from bijepa_book.int8 import unpack
from bijepa_book.style import LOOKS, OTHERS
from bijepa_core.constraints import Constraint
from bijepa_core.data import mnist
from bijepa_core.data.sine import SineBatches
from bijepa_core.evaluation.probes import LinearProbe
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE, Configuration
from bijepa_core.model import BiJEPA
from bijepa_core.networks import Decoder
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.seeds import init_stacked
from bijepa_core.training import pretrain
from tests.site.browsing import (
    CONTRAST,
    DESK,
    OVERFLOW,
    ROOT,
    SETTLING,
    SITE,
    SMALL,
    STANDARD,
    THEMES,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

CHAPTERS = {
    "explosion": "02-explosion",
    "lorenz": "04-lorenz",
    "hallucination": "05-mnist",
    "position": "09-why",
    "well": "11-futures",
    "completions": "11-futures",
}
NEEDS = {
    "explosion": ["explosion", "data-looks"],
    "lorenz": ["lorenz", "data-looks", "data-lorenz"],
    "hallucination": ["hallucination", "data-hallucination", "data-images", "data-training"],
    "position": ["position", "data-looks", "data-position"],
    "well": ["well", "data-looks", "data-well"],
    "completions": ["completions", "data-completions", "data-images"],
}
SAYS = {
    "lorenz": "forecast is off",
    "hallucination": "most likely",
    "position": "the ratio is",
    "well": "Place it and guess",
    "completions": "Of 64 completions",
}
"""What the status says of those that answer at once."""
WEIGHTS = ROOT / "book" / "interactive" / "weights"
SAME = 1e-4  # what the page may differ from the core by
CLOSE = 60_000  # milliseconds that a busy machine may take
FOLDER = SITE / "interactive"

pytestmark = pytest.mark.site
each_demo = pytest.mark.parametrize("name", CHAPTERS)


def open_demo(page: "Page", name: str, base: str, query: str = "") -> "Locator":
    """Come to a demo; it has loaded when this returns."""
    page.goto(f"{base}{CHAPTERS[name]}.html{query}")
    return come_to(page, name)


def come_to(page: "Page", name: str) -> "Locator":
    """Scroll to a demo of the page; it has loaded when this returns."""
    section = page.locator(f"[data-demo={name}]")
    section.scroll_into_view_if_needed()
    page.locator(f"[data-demo={name}][data-ready]").wait_for(timeout=CLOSE)
    return section


def wait_for(page: "Page", condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    page.wait_for_function(f"() => {condition}", timeout=CLOSE)


def status(section: "Locator") -> str:
    """What the demo says last."""
    return section.get_by_role("status").inner_text()


def until_status(page: "Page", name: str, text: str) -> None:
    """Wait until the demo says something."""
    place = json.dumps(f"[data-demo={name}] [role=status]")
    wait_for(page, f"document.querySelector({place})?.textContent.includes({json.dumps(text)})")


# How a page gets its demo


@pytest.mark.slow
@each_demo
def test_demo_waits_for_a_reader_and_is_for_every_reader(
    page: "Page", served: str, axe: str, name: str
) -> None:
    """Not loaded before one comes near; then it works, light and dark, on a desk and on a phone."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{served}{CHAPTERS[name]}.html")
    page.wait_for_timeout(SETTLING)
    assert "loader.js" in asked
    assert not {f"{script}.js" for script in NEEDS[name]} & set(asked)

    section = come_to(page, name)
    works(page, section, name)
    assert flaws_for_some_reader(page, section, name, axe) == []


def flaws_for_some_reader(page: "Page", section: "Locator", name: str, axe: str) -> list[str]:
    """What is wrong with a demo by axe, on a desk or a phone, light or dark, or under a finger."""
    page.evaluate(axe)
    place = {"include": [[f"[data-demo={name}]"]]}
    flaws = []
    for width in (DESK, SMALL):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(SETTLING)
        flaws += [f"{width} pixels: {one}" for one in violations(page, STANDARD, place)]
        flaws += [f"{width} pixels: {one} sticks out" for one in page.evaluate(OVERFLOW)]
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(SETTLING)
            flaws += [
                f"{theme}, {width} pixels: {one}" for one in violations(page, CONTRAST, place)
            ]
    controls = section.locator("button:visible, select:visible, .demo-check:visible").all()
    assert controls
    for control in controls:
        box = control.bounding_box()
        assert box is not None
        if box["width"] < 24 or box["height"] < 40:  # smaller than a finger
            flaws.append(f"{control.inner_text()!r} is {box['width']} by {box['height']}")
    return flaws


def test_demos_are_light() -> None:
    """Under 2.5 MB a demo, compressed; its weights under 2 MB, as they are."""
    for name, needed in NEEDS.items():
        sizes = [len(gzip.compress((FOLDER / f"{script}.js").read_bytes())) for script in needed]
        print(name, dict(zip(needed, sizes, strict=True)))
        assert sum(sizes) < 2.5e6, name
        weights = FOLDER / f"data-{name}.js"
        assert not weights.exists() or weights.stat().st_size < 2e6, name


@each_demo
def test_demo_works_from_the_file_system(page: "Page", name: str) -> None:
    section = open_demo(page, name, f"{SITE.as_uri()}/")
    works(page, section, name)


def works(page: "Page", section: "Locator", name: str) -> None:
    """The demo does what it is there for."""
    if name == "explosion":
        section.get_by_role("button", name="One step").click()
        until_status(page, name, "Run B after 1 step:")
    else:
        until_status(page, name, SAYS[name])


@pytest.mark.slow
def test_the_welcome_page_trains_two_models_at_the_press_of_a_button(
    page: "Page", served: str
) -> None:
    """An experiment to choose and what runs it, without the switches; curves are named."""
    page.goto(served)
    section = come_to(page, "explosion")
    chosen = section.get_by_role("combobox")
    assert chosen.count() == 1
    chosen.select_option("collapse: no stop-gradient")
    section.get_by_role("button", name="Train").click()
    wait_for(page, "document.querySelector('.demo-progress').textContent.startsWith('step')")
    section.get_by_role("button", name="Pause").click()
    until_status(page, "explosion", "Run B after")
    said = section.locator(".demo-legend").inner_text()
    assert "run A: expressive, no stop-gradient" in said
    assert section.get_by_role("button").all_inner_texts() == ["Go on", "Pause", "Restart"]
    assert section.locator(".demo-chart:visible").count() == 3


def test_without_scripts_a_picture_and_a_sentence_stand_there(
    browser: "Browser", served: str
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        for name, chapter in CHAPTERS.items():
            page.goto(f"{served}{chapter}.html")
            section = page.locator(f"[data-demo={name}]")
            assert "needs JavaScript" in section.inner_text(), name
            assert section.locator("img").get_attribute("alt"), name
            assert (FOLDER / f"still-{name}.png").stat().st_size > 5_000, name


# The explosion lab


def plain(model: nn.Module) -> dict[str, Any]:
    """A model's weights as the page takes them; there a decoder is named as other heads are."""
    return {
        re.sub(r"^forward_predictor\.(?=\d)", "forward_predictor.net.", name): {
            "shape": list(value.shape),
            "data": value.flatten().tolist(),
        }
        for name, value in model.state_dict().items()
    }


def without_stop() -> BiJEPA:
    """The core's model without its stop-gradient."""
    return init_stacked(partial(Ablated, Safeguards(stop_gradient=False)), 0)


def sine(configuration: Configuration, tau: float = 0.995) -> Callable[[], BiJEPA]:
    """A fresh model of the first experiment."""
    return lambda: replace(SINE, tau=tau).model(configuration, 0)


def penalized(kind: str, penalty: str, alpha: float = 0.5) -> "Setting":
    """A penalty of the hunt's, with a weight that tells, and what the page calls it."""
    build = partial(KINDS[kind].build, SINE, 1.0, alpha)
    return build, {"penalty": penalty, "weight": 1.0}


def whitened(share: float, alpha: float = 0.5, decay: float = 0.0) -> Callable[[], BiJEPA]:
    """A fresh model whose targets are whitened by a share."""
    return sine(Configuration(Constraint(False, decay, whitening=share), alpha))


def other_way(method: str, setting: float, layer_norm: bool) -> "Setting":
    """A relative of the book's, by the name that the page gives it."""
    way = method.lower().replace(" ", "-")
    build = partial(relative, way, setting, SINE, layer_norm)
    return build, {"method": method, "layerNorm": layer_norm}


Setting = tuple[Callable[[], BiJEPA], dict[str, Any]]
FALLS = {"falls": {"over": 15, "to": 0.3}}  # five steps before the end the rate has fallen
SETTINGS: dict[str, Setting] = {
    "expressive": (sine(CONFIGURATIONS["expressive"]), {}),
    "unconstrained": (sine(CONFIGURATIONS["unconstrained"]), {}),
    "restrictive": (sine(CONFIGURATIONS["restrictive"], tau=0.9), {}),
    "classic, strong decay": (sine(Configuration(Constraint(True, 0.1), 1.0)), {}),
    "backward alone": (sine(Configuration(Constraint(), 0.0), tau=0.0), {}),
    "weighted": (sine(Configuration(Constraint(), 0.25)), {}),
    "no stop-gradient": (without_stop, {"stopGradient": False}),
    "scale": penalized("scale", "scale"),
    "scale and decay, forward alone": penalized("scale-decay", "scale", alpha=1.0),
    "loose covariance": penalized("covariance-loose", "loose covariance"),
    "variance and covariance": penalized("vicreg", "VICReg"),
    "whitened": (whitened(0.2), {}),
    "whitened, a falling rate": (whitened(0.2), FALLS),
    "whitened wholly, forward alone, decay at a falling rate": (whitened(1.0, 1.0, 10.0), FALLS),
    "autoencoder": other_way("autoencoder", 0.0, layer_norm=True),
    "predictive autoencoder": other_way("predictive autoencoder", 0.0, layer_norm=False),
    "SimCLR": other_way("SimCLR", 0.2, layer_norm=False),
    "VICReg": other_way("VICReg", 25.0, layer_norm=True),
    "BYOL": other_way("BYOL", 0.99, layer_norm=True),
}
"""How a model is built in the core, and what of its settings in the page its own do not tell."""
STEPS = {"VICReg": 5}
"""Twenty, but for a loss of 20: soon its fourth decimal place is rounding, in the core, too."""
FEW = 0.01
"""Weights of which AdamW may make more: where hardly anything fires, a gradient is all rounding."""


@pytest.fixture(scope="module")
def lab(browser: "Browser", served: str) -> "Iterator[Page]":
    """A page with the lab, for comparisons."""
    with browser.new_context() as context:
        page = context.new_page()
        open_demo(page, "explosion", served)
        yield page


def trained(lab: "Page", name: str) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Some steps of one setting: losses and last weights, the page's, and the core's."""
    build, others = SETTINGS[name]
    steps = STEPS.get(name, 20)
    torch.manual_seed(0)
    model = build()
    weights, stream = plain(model), SineBatches(0)
    pairs = [[view.flatten().tolist() for view in stream(step)] for step in range(steps)]
    falls = others.get("falls")
    history = pretrain(
        model,
        stream,
        steps=steps,
        make_optimizer=falling_adamw(falls["over"], falls["to"]) if falls else fused_adamw,
        device="cpu",
        progress=False,
    )
    constraint = model.constraint
    settings = {
        "method": "JEPA",
        "layerNorm": constraint.layer_norm,
        "sphere": constraint.sphere,
        "decay": constraint.weight_decay,
        "whitening": constraint.whitening,
        "penalty": "none",
        "stopGradient": True,
        "alpha": model.alpha,
        "tau": model.tau,
        "rate": SINE.learning_rate,
        **others,
    }
    seen = lab.evaluate(
        """([settings, weights, pairs]) => {
            for (const one of Object.values(weights)) one.data = Float32Array.from(one.data);
            return document.querySelector("[data-demo]").demo.compare(settings, weights, pairs);
        }""",
        [settings, weights, pairs],
    )
    for i, direction in enumerate(("forward", "backward")):
        found = [float("nan") if step[i] is None else step[i] for step in seen["terms"]]
        yield (
            direction,
            torch.tensor(found, dtype=torch.float64),
            history.losses[direction].double(),
        )
    last = [one for name, one in model.state_dict().items() if not name.startswith("target.")]
    yield "weights", torch.tensor(seen["weights"]), torch.cat([one.flatten() for one in last])


@pytest.mark.slow
def test_twenty_steps_in_the_page_have_the_cores_losses(lab: "Page") -> None:
    apart = {}
    for name in SETTINGS:
        for what, found, core in trained(lab, name):
            off = ~torch.isclose(found, core, rtol=0, atol=SAME, equal_nan=True)
            if off.double().mean() > (FEW if what == "weights" else 0):
                apart[f"{name}, {what}"] = (found - core).abs().max().item()
    assert apart == {}


@pytest.mark.slow
def test_lab_trains_pauses_steps_and_goes_on(page: "Page", served: str) -> None:
    """Two runs with the same settings and seed end alike, wherever each of them was paused."""
    section = open_demo(page, "explosion", served, "?explosion=seed.3~bnorm.0~bdecay.0")
    page.evaluate(
        """() => {
            window.longest = 0;
            new PerformanceObserver(list => {
                for (const one of list.getEntries())
                    window.longest = Math.max(window.longest, one.duration);
            }).observe({entryTypes: ["longtask"]});
        }"""
    )

    def press(name: str) -> None:
        section.get_by_role("button", name=name).click()

    press("Train")
    wait_for(page, "/step [1-9]/.test(document.querySelector('.demo-progress').textContent)")
    press("Pause")
    until_status(page, "explosion", "Run A after")
    paused = section.locator(".demo-progress").first.inner_text()
    press("One step")
    step = int(paused.split()[1].replace(",", ""))
    wait_for(
        page,
        f"document.querySelector('.demo-progress').textContent.startsWith('step {step + 1:,} ')",
    )
    press("Go on")
    until_status(page, "explosion", "Run B after 2,000 steps")
    print("explosion:", *section.locator(".demo-progress").all_inner_texts(), sep="\n  ")
    print("longest task of the page's thread:", page.evaluate("() => window.longest"), "ms")
    first, second = re.findall(r"Run [AB] after 2,000 steps: ([^:]+)\.(?= Run|$)", status(section))
    assert first == second
    assert section.get_by_role("button", name="Restart").is_enabled()


def test_a_run_that_diverges_is_said_to_diverge(page: "Page", served: str) -> None:
    """No control goes as far as that in 2,000 steps: a rate is slipped in on the worker's way."""
    page.add_init_script(
        """
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (said, ...rest) {
            if (said.settings) said.settings.rate = 1e30;
            return post.call(this, said, ...rest);
        };
        """
    )
    section = open_demo(page, "explosion", served, "?explosion=two.0")
    section.get_by_role("button", name="Train").click()
    until_status(page, "explosion", "Run A diverged after")
    assert "the loss is no number" in section.locator(".demo-progress").first.inner_text()


@pytest.mark.slow
def test_what_was_set_stands_in_the_address(page: "Page", served: str) -> None:
    section = open_demo(page, "explosion", served)
    layer_norm = section.get_by_role("checkbox", name="LayerNorm").first
    layer_norm.check()
    section.get_by_label("seed").select_option("5")
    address = page.url
    assert "anorm.1" in address
    assert address.endswith("#explosion-lab")
    page.goto("about:blank")
    page.goto(address)
    page.locator("[data-demo=explosion][data-ready]").wait_for(timeout=CLOSE)
    assert layer_norm.is_checked()
    assert section.get_by_label("seed").input_value() == "5"


def test_lab_opens_with_recorded_runs_and_says_when_settings_count(
    page: "Page", served: str
) -> None:
    """One step tells of one model; a changed run begins anew, the other one goes on."""
    section = open_demo(page, "explosion", served)
    assert "two recorded runs" in status(section)
    for key in ("unconstrained", "expressive"):
        assert section.get_by_text(f"recorded: {key}").is_visible()
    menu = section.get_by_role("combobox", name="experiment")
    menu.select_option("exercise 2: decay in place of LayerNorm")
    decays = section.get_by_role("combobox", name="weight decay")
    assert [one.input_value() for one in decays.all()] == ["0.01", "10"]
    works(page, section, "explosion")
    assert menu.input_value().startswith("exercise 2")
    numbers = re.findall(r"([a-z ]+) (\d[\d.,]*)(?=[,.])", status(section))
    assert {"loss", "norm", "variance"} < {name.strip() for name, _ in numbers}

    decays.first.select_option("1")
    assert menu.input_value() == "own"
    late = section.get_by_text("They count from the next start")
    assert [one.is_visible() for one in late.all()] == [True, False]
    assert section.get_by_role("button", name="Train").is_enabled()
    section.get_by_role("button", name="One step").click()
    until_status(page, "explosion", "Run A after 1 step: ")
    until_status(page, "explosion", "Run B after 2 steps: ")
    assert not late.first.is_visible()


@pytest.mark.slow
def test_every_configuration_trains_and_shows_what_counts_and_what_is_read(
    page: "Page", served: str
) -> None:
    """Two at a time, a step each; a relative has no switches of BiJEPA's."""
    section = open_demo(page, "explosion", served)
    menus = section.get_by_role("combobox", name="configuration").all()
    names = [one for one in menus[0].locator("option").all_inner_texts() if one != "own"]
    relatives = ["autoencoder", "predictive autoencoder", "SimCLR", "VICReg", "BYOL"]
    assert {*relatives, "expressive", "scale 0.01", "loose covariance 0.01"} < {*names}
    flaws = []
    for pair in zip(names, names[::-1], strict=True):
        for menu, name in zip(menus, pair, strict=True):
            menu.select_option(name)
        section.get_by_role("button", name="Restart").click()
        section.get_by_role("button", name="Pause").click()
        until_status(page, "explosion", "Run B after")
        page.wait_for_timeout(SETTLING)
        said = re.split("(?=Run B)", status(section))
        cells = section.locator(".demo-readings td").all_inner_texts()
        runs = section.locator(".demo-run").all()
        for name, words, run, read in zip(pair, said, runs, (cells[:3], cells[3:]), strict=True):
            jepa = name not in relatives
            shown = run.get_by_label("sphere").is_visible(), run.get_by_label("alpha").is_visible()
            line = run.locator(".demo-loss").inner_text()
            kept = (
                shown == (jepa, jepa)
                and ("Eq. 8" in line) == jepa
                and ("relative loss" in words) == (jepa or "autoencoder" in name)
                and run.get_by_label("penalty weight").is_visible() == ("leaves out" in line)
                and all(0.001 < float(one) < 1 for one in read)
            )
            if not kept:
                flaws.append((name, words, line, shown, read))
    assert flaws == []


STROKES = """section => [...section.querySelectorAll(".demo-legend .demo-entry")]
    .filter(one => one.checkVisibility())
    .map(one => {
        const drawn = one.querySelector("canvas"), [width, height] = [drawn.width, drawn.height];
        const often = {willReadFrequently: true};
        const copy = new OffscreenCanvas(width, height).getContext("2d", often);
        copy.drawImage(drawn, 0, 0);
        const line = copy.getImageData(0, height >> 1, width, 1).data;
        const hex = i => [...line.slice(4 * i, 4 * i + 3)]
            .map(part => part.toString(16).padStart(2, "0")).join("");
        const inked = [...Array(width).keys()].filter(i => line[4 * i + 3] > 100);
        const counts = Map.groupBy(inked.map(hex), color => color);
        const [color] = [...counts].sort((a, b) => b[1].length - a[1].length)[0];
        return [one.textContent, ["#" + color, inked.length === width ? "solid" : "dashed"]];
    })"""  # of each entry of a legend: its text, and the color and kind of its line


def test_runs_are_drawn_as_their_models_are_in_the_figures(page: "Page", served: str) -> None:
    """Whichever run it is, and as what it was trained; recorded runs likewise, only paler."""
    tool = runpy.run_path(str(ROOT / "tools" / "demo_data.py"))
    models = {name: tool["page_look"](look) for name, look in LOOKS.items()}
    others = [tool["page_look"](look) for look in OTHERS]

    def drawn(look: dict[str, Any], kind: str = "ink") -> list[str]:
        return [look[kind]["light"], "dashed" if look["dash"] else "solid"]

    page.emulate_media(color_scheme="light")
    section = open_demo(page, "explosion", served)
    page.wait_for_timeout(SETTLING)
    found = dict(section.evaluate(STROKES))
    recorded = {name: found.pop(f"recorded: {name}") for name in ("unconstrained", "expressive")}
    assert found == {
        "run A: unconstrained": drawn(models["unconstrained"]),
        "run B: expressive": drawn(models["expressive"]),
    }
    for name, (color, kind) in recorded.items():
        wanted, dash = drawn(models[name], "pale")
        assert to_rgb(color) == pytest.approx(to_rgb(wanted), abs=0.02)  # blurred edges are rounded
        assert kind == dash
    works(page, section, "explosion")
    section.get_by_label("recorded runs").uncheck()
    section.get_by_role("combobox", name="configuration").first.select_option("classic")
    section.get_by_role("combobox", name="tau", exact=True).last.select_option("0.9")
    page.wait_for_timeout(SETTLING)
    assert [name for name, _ in section.evaluate(STROKES)] == [
        "run A: unconstrained",
        "run B: expressive",
    ]  # what is drawn is still theirs
    section.get_by_role("button", name="Restart").click()
    page.wait_for_timeout(SETTLING)
    assert dict(section.evaluate(STROKES)) == {
        "run A: classic": drawn(models["classic"]),
        "run B: own": drawn(others[1]),
    }


# The Lorenz explorer


def lorenz_forecaster(configuration: str = "expressive", prefix: str = "") -> Forecaster:
    """A model of the explorer's in the core."""
    weights = unpack(WEIGHTS / "lorenz.npz")
    model = LORENZ.model(CONFIGURATIONS[configuration], 0)
    fill(model, weights, prefix)
    weight, bias = (weights[f"{prefix}reader.{name}"].double() for name in ("weight", "bias"))
    readout = LinearProbe(weight, bias, Tensor())
    scale = Scale(*(weights[name].double().view(1, 1) for name in ("mean", "std")))
    return Forecaster(model, readout, scale)


def fill(module: nn.Module, weights: dict[str, Tensor], prefix: str = "") -> None:
    """Put exported weights into a module of the core; all that inference uses must be there."""
    own = {
        name: weights[prefix + name]
        for name in module.state_dict()
        if not name.startswith("target.") and not name.endswith("num_batches_tracked")
    }
    module.load_state_dict(own, strict=False)
    module.eval()


def test_forecasts_and_truth_in_the_page_are_the_cores(page: "Page", served: str) -> None:
    open_demo(page, "lorenz", served, "?lorenz=x.3~y.-2.5~z.31~settle.4.8~ahead.3~back.2")
    until_status(page, "lorenz", "forecast is off by")
    found = page.evaluate(
        """async () => {
            const {demo} = document.querySelector("[data-demo]");
            const {all, from} = demo.truth();
            const window = all.slice(from, from + 20).flat();
            return {all, ...await demo.ask({window, ahead: 3, back: 2})};
        }"""
    )
    start = runge_kutta(np.array([[3, -2.5, 31]]), 1, 4.0, 400)[:, 0]
    truth = runge_kutta(start, 8 * 20)[0, 2 * 20 :]  # four windows can be asked for, two are
    assert np.abs(np.array(found["all"]) - truth).max() < 1e-6
    guessed = guesses(lorenz_forecaster(), truth, 2, 3)
    std = float(lorenz_forecaster().scale.std)
    ahead = np.array(found["ahead"]).reshape(-1, 3)
    back = np.array(found["back"])[::-1].reshape(-1, 3)
    seen_on = truth[2 * 20 :]  # without a backward predictor there is no past to infer
    guessed["classic"] = guesses(lorenz_forecaster("classic", "classic."), seen_on, 0, 3)[
        "forecast"
    ]
    classic = np.array(found["classic"]).reshape(-1, 3)
    for name, mine in (("forecast", ahead), ("inferred past", back), ("classic", classic)):
        gap = np.abs(mine - guessed[name]).max() / std
        print(f"{name}: at most {gap:.1e} standard deviations apart")
        assert gap < SAME


def open_explorer(
    page: "Page", served: str, query: str = ""
) -> "tuple[Locator, Locator, FloatRect]":
    """Come to the Lorenz explorer: the demo, its picture in space, and where that lies."""
    section = open_demo(page, "lorenz", served, query)
    until_status(page, "lorenz", "forecast is off by")
    space = section.locator(".demo-space")
    space.scroll_into_view_if_needed()
    box = space.bounding_box()
    assert box is not None
    return section, space, box


def drag(
    page: "Page", start: tuple[float, float], end: tuple[float, float], steps: int = 1
) -> None:
    """Move the pressed mouse from one place to another."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def test_explorer_is_turned_and_its_start_dragged(page: "Page", served: str) -> None:
    section, space, box = open_explorer(page, served)
    before = status(section)
    drag(page, (box["x"] + 20, box["y"] + 20), (box["x"] + 120, box["y"] + 40))
    assert section.get_by_role("slider", name="turn").input_value() == "-110"
    assert status(section) == before
    space.focus()
    page.keyboard.press("ArrowLeft")
    assert section.get_by_role("slider", name="turn").input_value() == "-105"
    start = section.get_by_role("slider", name="start x")
    start.focus()
    page.keyboard.press("PageUp")
    assert float(start.input_value()) > 7.7
    wait_for(
        page,
        f"document.querySelector('[data-demo] [role=status]').textContent !== {json.dumps(before)}",
    )


@pytest.mark.slow
def test_slow_drags_turn_as_far_as_fast_ones(page: "Page", served: str) -> None:
    """Whole degrees must not swallow moves of a pixel, in either direction."""
    section, _, box = open_explorer(page, served)
    tilt = section.get_by_role("slider", name="tilt")
    for way, degrees in ((-1, "95"), (1, "75")):
        x, y = box["x"] + 20, box["y"] + 80
        drag(page, (x, y), (x, y + way * 40), steps=40)
        assert tilt.input_value() == degrees


def test_start_is_dragged_by_its_handle(page: "Page", served: str) -> None:
    """The ringed point is where the start is drawn, and takes the start along."""
    center = "?lorenz=x.0~y.0~z.25"  # of the picture
    section, _, box = open_explorer(page, served, center)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, (x, y), (x, y - 60), steps=5)
    assert float(section.get_by_role("slider", name="start z").input_value()) > 28
    assert section.get_by_role("slider", name="turn").input_value() == "-60"


def test_the_window_that_is_seen_stays_whatever_else_is_shown(page: "Page", served: str) -> None:
    section, _, _ = open_explorer(page, served, "?lorenz=settle.0.5~ahead.12~back.4")
    assert "Before the start there is no past" in status(section)  # of four windows two are there
    seen = set()
    for windows in ("0", "1", "2", "4"):
        section.get_by_role("slider", name="windows back").fill(windows)
        found = page.evaluate(
            """() => {
                const {all, from} = document.querySelector("[data-demo]").demo.truth();
                return [all.length, JSON.stringify(all.slice(from, from + 20))];
            }"""
        )
        assert found[0] == 20 * (min(int(windows), 2) + 1 + 12)
        seen.add(found[1])
    assert len(seen) == 1


def test_the_race_runs_pauses_and_is_left(page: "Page", served: str) -> None:
    section, space, _ = open_explorer(page, served)
    forecasts, at_rest = status(section), space.screenshot()
    section.get_by_role("button", name="Play the race").click()
    page.wait_for_timeout(600)
    section.get_by_role("button", name="Pause").click()
    until_status(page, "lorenz", "Lyapunov times the neighbors that began")
    assert space.screenshot() != at_rest
    section.get_by_role("button", name="Back to the forecasts").click()
    until_status(page, "lorenz", forecasts)
    assert section.get_by_role("button", name="Play the race").is_visible()


# The hallucination pad


@pytest.fixture(scope="module")
def pad(browser: "Browser", served: str) -> "Iterator[Page]":
    """A page with the pad, for comparisons."""
    with browser.new_context() as context:
        page = context.new_page()
        open_demo(page, "hallucination", served)
        until_status(page, "hallucination", "most likely")
        yield page


def test_hallucinations_in_the_page_are_the_cores(pad: "Page") -> None:
    weights = unpack(WEIGHTS / "hallucination.npz")
    model = MNIST.model(CONFIGURATIONS["expressive"], 0)
    fill(model, weights)
    generator = torch.Generator().manual_seed(0)
    smooth = nn.functional.interpolate(torch.rand(6, 1, 7, 4, generator=generator), (28, 14))
    features: dict[tuple[str, str], Callable[[Tensor], Tensor]] = {
        ("encoder", "left"): model.embed,
        ("forward", "left"): model.predict_forward,
        ("backward", "right"): model.predict_backward,
    }
    for (way, given), feature in features.items():
        decoder = Decoder(MNIST.embed_dim, 28 * 14)
        fill(decoder, weights, f"decoder.{way}.")
        probe = LinearProbe(weights[f"probe.{way}.weight"], weights[f"probe.{way}.bias"], Tensor())
        for pixels in [*smooth, torch.zeros(1, 28, 14)]:
            s = feature(((pixels - mnist.MEAN) / mnist.STD)[None])
            with torch.no_grad():
                drawn, shares = decoder(s)[0], torch.softmax(probe(s), -1)[0]
            found = pad.evaluate(
                """async ([given, way, pixels]) => {
                    const {demo} = document.querySelector("[data-demo]");
                    const {found} = await demo.ask(given, Float32Array.from(pixels));
                    return {drawn: [...found[way].drawn], shares: found[way].shares};
                }""",
                [given, way, pixels.flatten().tolist()],
            )
            assert (torch.tensor(found["drawn"]) - drawn).abs().max() < SAME, way
            assert (torch.tensor(found["shares"]) - shares).abs().max() < SAME, way


def test_pad_answers_a_stroke_by_mouse(page: "Page", served: str) -> None:
    section = open_demo(page, "hallucination", served, "?hallucination=digit.none")
    until_status(page, "hallucination", "The half is empty")
    place = section.locator(".demo-pad")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5, steps=8)
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.8, steps=8)
    page.mouse.up()
    until_status(page, "hallucination", "from the encoder: most likely")
    wait_for(
        page, "!document.querySelector('[data-demo] [role=status]').textContent.includes('empty')"
    )
    took = page.evaluate("() => document.querySelector('[data-demo]').demo.took()")
    print(f"from a stroke to both completions: {took:.0f} ms")


def test_pad_is_used_from_the_keyboard(page: "Page", served: str) -> None:
    section = open_demo(page, "hallucination", served, "?hallucination=digit.none~given.right")
    until_status(page, "hallucination", "through the backward predictor")
    section.locator(".demo-pad").focus()
    for key in ("ArrowDown", "Space", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    wait_for(
        page, "!document.querySelector('[data-demo] [role=status]').textContent.includes('empty')"
    )
    page.keyboard.press("Escape")
    until_status(page, "hallucination", "The half is empty")


def test_pad_has_room_on_a_phone_and_its_rows_are_erased(page: "Page", served: str) -> None:
    """A stroke goes on what is seen: the rows stay erased, and the sliders go back."""
    page.set_viewport_size({"width": 390, "height": 844})
    section = open_demo(page, "hallucination", served, "?hallucination=digit.none")
    until_status(page, "hallucination", "The half is empty")
    box = section.locator(".demo-pad").bounding_box()
    assert box is not None
    assert box["width"] > 220
    pad = section.locator(".demo-pad")
    pad.focus()
    page.keyboard.press("Space")
    empty = "document.querySelector('[data-demo] [role=status]').textContent.includes('empty')"
    wait_for(page, f"!{empty}")
    end = section.get_by_role("slider", name="up to")
    end.fill("28")
    assert "end.28" in page.url
    wait_for(page, empty)
    pad.focus()
    page.keyboard.press("Space")
    wait_for(page, f"!{empty}")
    assert end.input_value() == "0"


def test_pad_searches_training_images(page: "Page", served: str) -> None:
    section = open_demo(page, "hallucination", served)
    until_status(page, "hallucination", "most likely")
    if not page.evaluate("() => Boolean(document.querySelector('[data-demo]').demo.training())"):
        pytest.skip("the site was built without MNIST")
    # the model embeds 2,000 images first: that can take a busy machine minutes
    page.locator("[data-banked]").wait_for(timeout=4 * CLOSE)
    wait_for(page, "document.querySelector('.demo-way .demo-nears figcaption')?.textContent !== ''")
    assert section.locator(".demo-nears figure").count() == 15
    ways = section.locator(".demo-way:visible").filter(has_text="its doubt")
    assert ways.count() == 2


# The position cursor


def test_the_cursor_says_what_the_record_says_and_keeps_to_what_there_is(
    page: "Page", served: str
) -> None:
    """Errors and their ratio at a place; the keyboard moves it; digits offer fewer models."""
    query = "?position=system.lorenz~read.embedding~pair.outward-over-classic~at.x3"
    section = open_demo(page, "position", served, query)
    study = load()
    ours, theirs = (
        recorded(study, "lorenz", name, "embedding")["x"][:, [2]] for name in ("outward", "classic")
    )
    middle, low, high = (float(one[0]) for one in geometric_mean(ours / theirs))
    said = status(section)
    assert said.startswith("x, state 3 of 20.")
    assert f"the ratio is {middle:.2f} [{low:.2f}, {high:.2f}]" in said

    place = section.get_by_role("slider")
    place.focus()
    page.keyboard.press("ArrowRight")
    assert place.get_attribute("aria-valuetext") == "x, state 4 of 20"
    assert "at.x4" in unquote(page.url)
    box = section.locator(".demo-plot").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    assert status(section).startswith("z, state 20 of 20.")

    section.get_by_label("system").select_option("mnist")
    assert section.get_by_label("models").input_value() == "bijepa-over-classic"
    assert section.get_by_label("models").locator("option:disabled").count() == 6
    assert status(section).startswith("right from left, column 1 from the seam.")
