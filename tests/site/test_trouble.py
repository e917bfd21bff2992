"""Readers whom browser, network, fingers or paper put in another place than a desk.

A demo that cannot go on says so, once, and what to do. Addresses, gestures, paper, colors of the
reader's own and a browser that stores nothing are each tried as they are met.
"""

import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from tests.site.browsing import DESK, PAPER, SMALL, THEMES
from tests.site.test_demos import CHAPTERS, CLOSE, NEEDS, SAYS, open_demo, until_status, works

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, Route

pytestmark = [pytest.mark.site, pytest.mark.slow]

Obstacle = Callable[["BrowserContext", str], object]


def policy(rule: str) -> Obstacle:
    """Pages come with a rule of the network's on what they may do."""

    def answer(route: "Route") -> None:
        found = route.fetch()
        route.fulfill(response=found, headers={**found.headers, "content-security-policy": rule})

    return lambda context, _: context.route(re.compile(r"\.html\b"), answer)


def scripted(script: str) -> Obstacle:
    """The browser itself is another one."""
    return lambda context, _: context.add_init_script(script)


def script_of_a_demo(place: int, do: Callable[["Route"], None]) -> Obstacle:
    """One of the scripts that a demo needs does not come as it should: its own, or its last."""
    return lambda context, name: context.route(f"**/interactive/{NEEDS[name][place]}.js", do)


def damage(route: "Route") -> None:
    """Answer with something that is no script."""
    route.fulfill(body="}{", content_type="text/javascript")


TRAINED = ("explosion", "well")  # these ask nothing of their workers until a reader presses Train
HUNG: list["Route"] = []
HELD = """
    const post = Worker.prototype.postMessage, held = [];
    Worker.prototype.postMessage = function (...said) { held.push(() => post.apply(this, said)); };
    window.release = () => {
        Worker.prototype.postMessage = post;
        held.splice(0).forEach(one => one());
    };
"""
OBSTACLES: dict[str, tuple[Obstacle, str]] = {
    "a browser without workers": (
        scripted("window.Worker = class { constructor() { throw new Error('none'); } };"),
        "does not let it work in the background",
    ),
    "workers forbidden": (policy("worker-src 'none'"), "does not let it work in the background"),
    "WebAssembly forbidden": (
        policy("script-src 'self' 'unsafe-inline' blob:"),
        "the browser reports",
    ),
    "a silent worker": (scripted(HELD), "not answered for 30 seconds"),
}
# Before the demo is there: these are the loader's to tell, which is one for all of them.
LOSSES: dict[str, tuple[Obstacle, str]] = {
    "a script that is lost": (
        script_of_a_demo(-1, lambda route: route.abort()),
        "did not arrive",
    ),
    "a script that hangs": (
        script_of_a_demo(-1, lambda route: HUNG.append(route)),
        "not arrived for 30 seconds",
    ),
    "a damaged script": (script_of_a_demo(0, damage), "is damaged"),
    "damaged data": (script_of_a_demo(-1, damage), "is damaged"),
}


def test_what_keeps_a_demo_from_computing_is_said_with_its_remedy(
    browser: "Browser", served: str
) -> None:
    """In one sentence, in place of the status; and taken back if it was only slow."""
    working = [name for name in CHAPTERS if name != "position"]  # that one only looks up
    met = [(name, *one) for name in working for one in OBSTACLES.items()]
    flaws = []
    for name, obstacle, (arrange, why) in [*met, *(("lorenz", *one) for one in LOSSES.items())]:
        with browser.new_context() as context:
            context.route("**/mathjax/*", lambda route: route.abort())
            arrange(context, name)
            page = context.new_page()
            page.clock.install()
            page.goto(f"{served}{CHAPTERS[name]}.html?{name}=", wait_until="domcontentloaded")
            section = page.locator(f"[data-demo={name}]")
            if name in TRAINED:
                train_if_it_can(section)
            if "30 seconds" in why:
                page.wait_for_timeout(300)
                page.clock.fast_forward(31_000)
            said = until_noted(section, why)
            if "Reload the page" not in said or section.locator(".demo-status").is_visible():
                flaws.append(f"{name}, {obstacle}: {section.inner_text()}")
            elif obstacle == "a silent worker" and name not in TRAINED:
                page.evaluate("release()")
                until_status(page, name, SAYS[name])
                if section.get_by_role("alert").is_visible():
                    flaws.append(f"{name}, {obstacle}: goes on and says {said}")
            for route in HUNG:
                route.abort()
            HUNG.clear()
    assert flaws == []


def until_noted(section: "Locator", text: str) -> str:
    """What the demo says is wrong, once it says this; nothing if it never does."""
    note = section.get_by_role("alert").filter(has_text=text)
    for _ in range(100):
        if note.is_visible():
            return note.inner_text()
        section.page.wait_for_timeout(50)
    return ""


def train_if_it_can(section: "Locator") -> None:
    """Press Train, unless the lab has said already that it cannot."""
    section.and_(section.page.locator("[data-ready], [data-failed]")).wait_for(timeout=CLOSE)
    button = section.get_by_role("button", name="Train")
    if button.is_visible() and button.is_enabled():
        button.click()


def test_a_complaint_about_an_address_stays_until_the_reader_changes_something(
    browser: "Browser", served: str
) -> None:
    """It names every part that makes no sense; the address, too, stays as it is until then."""
    nonsense = ["nothing", "x.1e999", "__proto__.1", "a.", "seed.NaN", "\N{CHECK MARK}.2"]
    nonsense += ["given.RIGHT", "alpha.", "near.2", "digit.10", "tilt.-1", "two.yes"]
    changes = {
        "explosion": ("seed", "5"),
        "lorenz": ("near neighbor", "1"),
        "hallucination": ("you draw", "right"),
        "position": ("models", "ahead-over-classic"),
    }
    with browser.new_context() as context:
        page = context.new_page()
        for name, (label, value) in changes.items():
            query = f"?{name}={quote('~'.join(nonsense))}"
            section = open_demo(page, name, served, query)
            works(page, section, name)
            note = section.get_by_role("alert")
            assert f"does not have ({', '.join(nonsense)})" in note.inner_text(), name
            assert page.url.endswith(query), name
            section.get_by_role("combobox", name=label).select_option(value)
            assert not note.is_visible(), name
            assert not page.url.endswith(query), name


def swipe(touch: "CDPSession", start: tuple[float, float], by: tuple[float, float]) -> None:
    """Draw a finger over the screen."""
    for i in range(13):
        point = {"x": start[0] + by[0] * i / 12, "y": start[1] + by[1] * i / 12}
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": "touchMove" if i else "touchStart", "touchPoints": [point]},
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_scrolls_the_page_or_turns_the_picture_but_never_both(
    browser: "Browser", served: str
) -> None:
    """Up and down scrolls, sideways turns; on the pad a finger draws."""
    with browser.new_context(
        viewport={"width": SMALL, "height": 700}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        touch = context.new_cdp_session(page)
        section = open_demo(page, "lorenz", served)
        until_status(page, "lorenz", "off by")
        space = section.locator(".demo-space")
        flaws = []
        for across, down, turns in (
            (0, -90, False),
            (20, 90, False),
            (90, 0, True),
            (90, 30, True),
        ):
            page.evaluate(
                "place => place.scrollIntoView({block: 'center'})", space.element_handle()
            )
            box = space.bounding_box()
            assert box is not None
            before = view(page)
            swipe(touch, (box["x"] + 30, box["y"] + box["height"] / 2), (across, down))
            page.wait_for_timeout(200)
            after = view(page)
            scrolled, turned = after[0] != before[0], after[1:] != before[1:]
            if (scrolled, turned) != (not turns, turns):
                flaws.append(f"{across} across, {down} down: scrolled {scrolled}, turned {turned}")
        assert flaws == []

        section = open_demo(page, "hallucination", served, "?hallucination=digit.none")
        until_status(page, "hallucination", "The half is empty")
        pad = section.locator(".demo-pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        at = page.evaluate("scrollY")
        swipe(touch, (box["x"] + 40, box["y"] + 20), (0, 90))
        page.wait_for_function(
            "() => !document.querySelector('[role=status]').textContent.includes('empty')"
        )
        assert page.evaluate("scrollY") == at


def view(page: "Page") -> list[str]:
    """How far the page is scrolled, how the picture is turned, and the address."""
    found: list[str] = page.evaluate(
        """() => [String(scrollY), ...[...document.querySelectorAll("[data-demo] [type=range]")]
            .map(one => one.value), location.href]"""
    )
    return found


# What paper gets is only there while it is printed: this looks at it then.
PRINTED = f"""() => matchMedia("print").addEventListener("change", ({{matches}}) => {{
    if (!matches) return;
    const shown = one => one.checkVisibility();
    window.printed = ({PAPER})();
    window.printed.demos = [...document.querySelectorAll(".demo")].map(
        one => [".demo-still img", ".demo-body"].map(part => shown(one.querySelector(part))));
}})"""


def test_paper_is_light_and_unfolded_and_has_a_picture_of_the_demo(
    browser: "Browser", served: str
) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        for chapter, demos in (("02-explosion", [[True, False]]), ("08-evidence", [])):
            page.goto(f"{served}{chapter}.html?explosion=")
            page.locator("[data-demo]:not([data-ready])").wait_for(state="detached", timeout=CLOSE)
            folded = page.locator("details:not([open])").count()
            page.evaluate(PRINTED)
            page.pdf(print_background=True)
            found = page.evaluate("printed")
            assert found.pop("demos") == demos, chapter
            assert {fault: where for fault, where in found.items() if where} == {}, chapter
            assert page.locator("html").get_attribute("data-theme") == "dark", chapter
            assert page.locator("details:not([open])").count() == folded, chapter


def inked(place: "Locator") -> float:
    """The share of pixels that stand out from the commonest color: 3 to 1, as WCAG 1.4.11 asks."""
    shot = np.asarray(Image.open(BytesIO(place.screenshot())).convert("RGB"), dtype=float) / 255
    linear = np.where(shot <= 0.04045, shot / 12.92, ((shot + 0.055) / 1.055) ** 2.4)
    light = (linear @ [0.2126, 0.7152, 0.0722]).round(3) + 0.05
    values, counts = np.unique(light, return_counts=True)
    ground = values[counts.argmax()]
    ratio = np.maximum(light, ground) / np.minimum(light, ground)
    return float((ratio >= 3).mean())


# What takes the focus and does not show it by an outline, which alone is left.
RINGLESS = """() => [...document.querySelectorAll(
        "a[href], button, select, input, summary, [tabindex='0']")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
    .filter(one => {
        one.focus({preventScroll: true});
        return document.activeElement === one && getComputedStyle(one).outlineStyle === "none";
    }).map(one => one.outerHTML.slice(0, 120))"""


def test_the_readers_own_colors_leave_bars_lines_and_focus_to_be_seen(
    browser: "Browser", served: str
) -> None:
    """Forced colors, as Windows has them for high contrast: backgrounds and shadows are gone."""
    places = {
        "explosion": [".demo-legend .demo-swatch >> nth=0", ".demo-legend .demo-swatch >> nth=3"],
        "lorenz": [".demo-space", ".demo-dot", ".demo-swatch >> nth=2"],
        "hallucination": ["li:nth-child(4) .demo-track >> nth=0"],
        "position": [".demo-swatch >> nth=0", ".demo-swatch >> nth=1", ".demo-plot"],
    }
    flaws = []
    for theme in THEMES:
        with browser.new_context(color_scheme=theme, forced_colors="active") as context:
            page = context.new_page()
            for name, drawn in places.items():
                section = open_demo(page, name, served)
                if name != "explosion":
                    works(page, section, name)
                for place in drawn:
                    share = inked(section.locator(place))
                    if share < 0.003:
                        flaws.append(f"{theme}, {name}: {place}: {share:.4f} stand out")
                page.keyboard.press("Tab")  # the keyboard is in use: what has the focus gets a ring
                flaws += [f"{theme}, {name}: no ring: {one}" for one in page.evaluate(RINGLESS)]
    assert flaws == []


STORELESS = """
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
        configurable: true, get() { throw new DOMException("denied", "SecurityError"); },
    });
"""


def test_a_browser_that_stores_nothing_leaves_theme_and_search_at_work(
    browser: "Browser", served: str
) -> None:
    errors: list[str] = []
    with browser.new_context(viewport={"width": DESK, "height": 900}) as context:
        context.add_init_script(STORELESS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served + "02-explosion.html")
        root = page.locator("html")
        themes = []
        for _ in range(3):
            page.locator(".theme-switch-button:visible").first.click()
            themes.append(root.get_attribute("data-mode"))
        assert sorted(map(str, themes)) == ["auto", "dark", "light"]
        page.locator(".search-button-field:visible").first.click()
        page.locator("input[type=search]:visible").first.fill("explosion")
        page.keyboard.press("Enter")
        page.locator("#search-results li a", has_text="Representation explosion").first.wait_for()
    assert errors == []
