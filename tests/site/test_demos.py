"""The demos that compute in the page, used as a reader would, and held to the core's numbers."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_book.chapters.attractor import runge_kutta
from bijepa_book.chapters.jepa import Ablated, Safeguards
from bijepa_book.chapters.lorenz import Forecaster, Scale, guesses
from bijepa_book.int8 import unpack
from bijepa_core.constraints import Constraint
from bijepa_core.data import mnist
from bijepa_core.data.sine import SineBatches
from bijepa_core.evaluation.probes import LinearProbe
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE, Configuration
from bijepa_core.model import BiJEPA
from bijepa_core.networks import Decoder
from bijepa_core.seeds import init_stacked
from bijepa_core.training import pretrain
from tests.site.browsing import (
    CONTRAST,
    DESK,
    OVERFLOW,
    PHONE,
    ROOT,
    SETTLING,
    SITE,
    STANDARD,
    THEMES,
    Theme,
    Visit,
    own_only,
    violations,
    watch,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

CHAPTERS = {"explosion": "02-explosion", "lorenz": "04-lorenz", "hallucination": "05-mnist"}
NEEDS = {
    "explosion": ["explosion"],
    "lorenz": ["lorenz", "data-lorenz"],
    "hallucination": ["hallucination", "data-hallucination", "data-images"],
}
ANCHORS = {
    "explosion": "explosion-lab",
    "lorenz": "lorenz-explorer",
    "hallucination": "hallucination-pad",
}
WEIGHTS = ROOT / "book" / "interactive" / "weights"
SAME = 1e-4  # what the page may differ from the core by
CLOSE = 60_000  # milliseconds that a busy machine may take
FOLDER = SITE / "interactive"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "loader.js").is_file(), reason="the site is not built: make book"
)
axe = pytest.importorskip("axe_playwright_python.base", exc_type=ImportError)
each_demo = pytest.mark.parametrize("name", CHAPTERS)
each_theme = pytest.mark.parametrize("theme", THEMES)


@pytest.fixture
def visit() -> Visit:
    """What is noted of the pages of one test."""
    return Visit()


@pytest.fixture
def page(browser: "Browser", served: str, visit: Visit) -> "Iterator[Page]":
    """A page that is watched, and that nothing leaves; it must not have complained at the end."""
    with browser.new_context(viewport={"width": DESK, "height": 900}) as context:
        own_only(context, served, visit)
        found = context.new_page()
        watch(found, visit)
        yield found
        assert not visit.errors
        assert not visit.foreign


def open_demo(page: "Page", name: str, base: str, query: str = "") -> "Locator":
    """Come to a demo; it has loaded when this returns."""
    page.goto(f"{base}{CHAPTERS[name]}.html{query}")
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


@each_demo
def test_demo_is_not_loaded_before_a_reader_comes_near(
    page: "Page", served: str, name: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.goto(f"{served}{CHAPTERS[name]}.html")
    page.wait_for_timeout(SETTLING)
    assert "loader.js" in asked
    assert not {f"{script}.js" for script in NEEDS[name]} & set(asked)


@each_demo
def test_demo_is_light(name: str) -> None:
    """Under 2.5 MB a demo, compressed; its weights under 2 MB, as they are."""
    scripts = [FOLDER / f"{script}.js" for script in NEEDS[name]]
    sizes = [len(gzip.compress(path.read_bytes())) for path in scripts]
    print(name, dict(zip(NEEDS[name], sizes, strict=True)))
    assert sum(sizes) < 2.5e6
    weights = FOLDER / f"data-{name}.js"
    assert not weights.exists() or weights.stat().st_size < 2e6


@each_demo
def test_demo_works_from_the_file_system(page: "Page", name: str) -> None:
    section = open_demo(page, name, f"{SITE.as_uri()}/")
    works(page, section, name)


def works(page: "Page", section: "Locator", name: str) -> None:
    """The demo does what it is there for."""
    if name == "explosion":
        section.get_by_role("button", name="One step").click()
        until_status(page, name, "Run B after 1 steps")
    else:
        until_status(page, name, "forecast is off" if name == "lorenz" else "most likely")


@each_demo
def test_without_scripts_a_picture_and_a_sentence_stand_there(
    browser: "Browser", served: str, name: str
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{served}{CHAPTERS[name]}.html")
        section = page.locator(f"[data-demo={name}]")
        assert "needs JavaScript" in section.inner_text()
        assert section.locator("img").get_attribute("alt")
        assert (FOLDER / f"still-{name}.png").stat().st_size > 5_000


@each_demo
def test_a_stopped_download_gives_a_sentence(browser: "Browser", served: str, name: str) -> None:
    with browser.new_context() as context:
        context.route(f"**/interactive/{NEEDS[name][-1]}.js", lambda route: route.abort())
        page = context.new_page()
        page.goto(f"{served}{CHAPTERS[name]}.html")
        page.locator(f"[data-demo={name}]").scroll_into_view_if_needed()
        note = page.locator(f"[data-demo={name}] .demo-note")
        note.wait_for(timeout=CLOSE)
        assert "did not arrive" in note.inner_text()


@each_demo
@pytest.mark.parametrize(
    "nonsense", ["nothing", "x.1e999~__proto__.1", "%00~a.~seed.NaN", "%E2%9C%93.2"]
)
def test_an_address_with_nonsense_gives_a_sentence(
    page: "Page", served: str, name: str, nonsense: str
) -> None:
    section = open_demo(page, name, served, f"?{name}={nonsense}")
    until_status(page, name, "something this demo does not have")
    assert section.locator(".demo-body").is_visible()


@each_theme
@each_demo
def test_demo_is_accessible_and_fits_a_phone(
    page: "Page", served: str, name: str, theme: Theme
) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    section = open_demo(page, name, served)
    works(page, section, name)
    page.evaluate(axe.AXE_FILE_PATH.read_text("utf-8"))
    place = {"include": [[f"[data-demo={name}]"]]}
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(SETTLING)
        assert not violations(page, STANDARD, place)
        assert not violations(page, CONTRAST, place)
        assert not page.evaluate(OVERFLOW)


@each_demo
def test_controls_are_as_large_as_a_finger(page: "Page", served: str, name: str) -> None:
    page.set_viewport_size({"width": PHONE, "height": 900})
    section = open_demo(page, name, served)
    for control in section.locator("button:visible, select:visible, .demo-check:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, control.inner_text()
        assert box["height"] >= 40, control.inner_text()


# The explosion lab


def plain(model: nn.Module) -> dict[str, Any]:
    """A model's weights as the page takes them."""
    return {
        name: {"shape": list(value.shape), "data": value.flatten().tolist()}
        for name, value in model.state_dict().items()
    }


def without_stop() -> BiJEPA:
    """The core's model without its stop-gradient."""
    return init_stacked(partial(Ablated, Safeguards(stop_gradient=False)), 0)


SETTINGS: dict[str, tuple[Configuration, float]] = {
    "expressive": (CONFIGURATIONS["expressive"], 0.995),
    "unconstrained": (CONFIGURATIONS["unconstrained"], 0.995),
    "restrictive": (CONFIGURATIONS["restrictive"], 0.9),
    "classic, strong decay": (Configuration(Constraint(True, 0.1), 1.0), 0.995),
    "backward alone": (Configuration(Constraint(), 0.0), 0.0),
    "weighted": (Configuration(Constraint(), 0.25), 0.995),
    "no stop-gradient": (CONFIGURATIONS["expressive"], 0.995),
}


@pytest.fixture(scope="module")
def lab(browser: "Browser", served: str) -> "Iterator[Page]":
    """A page with the lab, for comparisons."""
    with browser.new_context() as context:
        page = context.new_page()
        open_demo(page, "explosion", served)
        yield page


@pytest.mark.parametrize("name", SETTINGS)
def test_twenty_steps_in_the_page_have_the_cores_losses(lab: "Page", name: str) -> None:
    configuration, tau = SETTINGS[name]
    stop = name != "no stop-gradient"
    model = replace(SINE, tau=tau).model(configuration, 0) if stop else without_stop()
    weights, stream = plain(model), SineBatches(0)
    pairs = [[view.flatten().tolist() for view in stream(step)] for step in range(20)]
    history = pretrain(model, stream, steps=20, device="cpu", progress=False)
    constraint = configuration.constraint
    settings = {
        "layerNorm": constraint.layer_norm,
        "sphere": constraint.sphere,
        "decay": constraint.weight_decay,
        "stopGradient": stop,
        "alpha": configuration.alpha,
        "tau": tau,
        "rate": SINE.learning_rate,
    }
    terms = lab.evaluate(
        """([settings, weights, pairs]) => {
            for (const one of Object.values(weights)) one.data = Float32Array.from(one.data);
            return document.querySelector("[data-demo]").demo.compare(settings, weights, pairs);
        }""",
        [settings, weights, pairs],
    )
    for i, direction in enumerate(("forward", "backward")):
        found = [step[i] for step in terms]
        if found[0] is None:
            assert history.losses[direction].isnan().all()
            continue
        core = history.losses[direction].double()
        gap = float((torch.tensor(found, dtype=torch.float64) - core).abs().max())
        print(f"{name}, {direction}: at most {gap:.1e} apart")
        assert gap < SAME


def test_lab_trains_pauses_steps_and_goes_on(page: "Page", served: str) -> None:
    section = open_demo(page, "explosion", served)

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
    for run in ("A", "B"):
        until_status(page, "explosion", f"Run {run} after 2,000 steps")
    print("explosion:", *section.locator(".demo-progress").all_inner_texts(), sep="\n  ")


def test_a_seed_gives_the_same_run_again(page: "Page", served: str) -> None:
    said = []
    for _ in range(2):
        section = open_demo(page, "explosion", served, "?explosion=two.0~seed.3")
        section.get_by_role("button", name="Train").click()
        until_status(page, "explosion", "Run A after 2,000 steps")
        said.append(status(section))
    assert said[0] == said[1]


def test_a_run_that_diverges_is_said_to_diverge(page: "Page", served: str) -> None:
    """Without constraints, at a hundred times the paper's learning rate, with strong decay."""
    wild = "?explosion=two.0~arate.0.1~adecay.1~anorm.0~atau.0~astop.0"
    section = open_demo(page, "explosion", served, wild)
    section.get_by_role("button", name="Train").click()
    wait_for(
        page, "/diverged|step 2,000/.test(document.querySelector('.demo-progress').textContent)"
    )
    until_status(page, "explosion", "Run A")


def test_page_stays_responsive_while_it_trains(page: "Page", served: str) -> None:
    """The longest that the page's own thread is busy in one go; it is printed."""
    section = open_demo(page, "explosion", served)
    page.evaluate(
        """() => {
            window.longest = 0;
            new PerformanceObserver(list => {
                for (const one of list.getEntries())
                    window.longest = Math.max(window.longest, one.duration);
            }).observe({entryTypes: ["longtask"]});
        }"""
    )
    section.get_by_role("button", name="Train").click()
    until_status(page, "explosion", "Run B after 2,000 steps")
    print("longest task of the page's thread:", page.evaluate("() => window.longest"), "ms")
    assert section.get_by_role("button", name="Restart").is_enabled()


def test_what_was_set_stands_in_the_address(page: "Page", served: str) -> None:
    section = open_demo(page, "explosion", served)
    section.get_by_label("LayerNorm").first.check()
    section.get_by_label("seed").select_option("5")
    address = page.url
    assert "anorm.1" in address
    assert address.endswith("#explosion-lab")
    page.goto("about:blank")
    page.goto(address)
    page.locator("[data-demo=explosion][data-ready]").wait_for(timeout=CLOSE)
    assert section.get_by_label("LayerNorm").first.is_checked()
    assert section.get_by_label("seed").input_value() == "5"


# The Lorenz explorer


def lorenz_forecaster() -> Forecaster:
    """The explorer's model in the core."""
    weights = unpack(WEIGHTS / "lorenz.npz")
    model = LORENZ.model(CONFIGURATIONS["expressive"], 0)
    fill(model, weights)
    readout = LinearProbe(
        weights["reader.weight"].double(), weights["reader.bias"].double(), Tensor()
    )
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
    open_demo(page, "lorenz", served, "?lorenz=x.3~y.-2.5~z.31~settle.4~ahead.3~back.2")
    until_status(page, "lorenz", "forecast is off")
    found = page.evaluate(
        """async () => {
            const {demo} = document.querySelector("[data-demo]");
            const {all, from} = demo.truth();
            const window = all.slice(from, from + 20).flat();
            return {all, ...await demo.ask({window, ahead: 3, back: 2})};
        }"""
    )
    start = runge_kutta(np.array([[3, -2.5, 31]]), 1, 4.0, 400)[:, 0]
    truth = runge_kutta(start, 6 * 20)[0]
    assert np.abs(np.array(found["all"]) - truth).max() < 1e-6
    guessed = guesses(lorenz_forecaster(), truth, 2, 3)
    std = float(lorenz_forecaster().scale.std)
    ahead = np.array(found["ahead"]).reshape(-1, 3)
    back = np.array(found["back"])[::-1].reshape(-1, 3)
    for name, mine in (("forecast", ahead), ("inferred past", back)):
        gap = np.abs(mine - guessed[name]).max() / std
        print(f"{name}: at most {gap:.1e} standard deviations apart")
        assert gap < SAME


def open_explorer(
    page: "Page", served: str, query: str = ""
) -> "tuple[Locator, Locator, FloatRect]":
    """Come to the Lorenz explorer: the demo, its picture in space, and where that lies."""
    section = open_demo(page, "lorenz", served, query)
    until_status(page, "lorenz", "forecast is off")
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
    assert section.get_by_role("slider", name="turn").input_value() == "-10"
    assert status(section) == before
    space.focus()
    page.keyboard.press("ArrowLeft")
    assert section.get_by_role("slider", name="turn").input_value() == "-5"
    section.get_by_role("slider", name="start x").focus()
    page.keyboard.press("PageUp")
    assert section.get_by_role("slider", name="start x").input_value() != "1"
    wait_for(
        page,
        f"document.querySelector('[data-demo] [role=status]').textContent !== {json.dumps(before)}",
    )


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
    assert float(section.get_by_role("slider", name="start z").input_value()) > 30
    assert section.get_by_role("slider", name="turn").input_value() == "40"


# The hallucination pad


@pytest.fixture(scope="module")
def pad(browser: "Browser", served: str) -> "Iterator[Page]":
    """A page with the pad, for comparisons."""
    with browser.new_context() as context:
        page = context.new_page()
        open_demo(page, "hallucination", served)
        until_status(page, "hallucination", "most likely")
        yield page


@pytest.mark.parametrize(
    ("way", "given"), [("encoder", "left"), ("forward", "left"), ("backward", "right")]
)
def test_hallucinations_in_the_page_are_the_cores(pad: "Page", way: str, given: str) -> None:
    weights = unpack(WEIGHTS / "hallucination.npz")
    model = MNIST.model(CONFIGURATIONS["expressive"], 0)
    fill(model, weights)
    decoder = Decoder(MNIST.embed_dim, 28 * 14)
    fill(decoder, weights, f"decoder.{way}.")
    probe = LinearProbe(weights[f"probe.{way}.weight"], weights[f"probe.{way}.bias"], Tensor())
    generator = torch.Generator().manual_seed(0)
    smooth = nn.functional.interpolate(torch.rand(6, 1, 7, 4, generator=generator), (28, 14))
    for pixels in [*smooth, torch.zeros(1, 28, 14)]:
        view = ((pixels - mnist.MEAN) / mnist.STD)[None]
        features: dict[str, Callable[[Tensor], Tensor]] = {
            "encoder": model.embed,
            "forward": model.predict_forward,
            "backward": model.predict_backward,
        }
        s = features[way](view)
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
        assert (torch.tensor(found["drawn"]) - drawn).abs().max() < SAME
        assert (torch.tensor(found["shares"]) - shares).abs().max() < SAME


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


def test_pad_searches_training_images(page: "Page", served: str) -> None:
    section = open_demo(page, "hallucination", served)
    until_status(page, "hallucination", "most likely")
    if not page.evaluate("() => Boolean(document.querySelector('[data-demo]').demo.images())"):
        pytest.skip("the site was built without MNIST")
    page.locator("[data-banked]").wait_for(timeout=CLOSE)
    wait_for(page, "document.querySelector('.demo-way .demo-nears figcaption')?.textContent !== ''")
    assert section.locator(".demo-nears figure").count() == 15
