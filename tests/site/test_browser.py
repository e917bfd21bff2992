"""The built site as a reader's browser shows it: in headless Chromium, light and dark.

Every page is visited once, from a web server, below the sub-path of the published address: on a
desk in light mode and in dark mode, then on a laptop and on a phone. What there is to know of it is
noted in one go, and the tests below look at the notes.

Needs `make book`, the `test` extra, and a Chromium: the one that `BIJEPA_CHROMIUM` names, one on
the path, or Playwright's own (`playwright install chromium`).
"""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.site.browsing import (
    CONTRAST,
    DESK,
    FRAME,
    ONE_OF_A_KIND,
    OVERFLOW,
    PAGES,
    PAPER,
    SCROLLING,
    SETTLING,
    SITE,
    SIZES,
    SMALL,
    STANDARD,
    THEMES,
    Visit,
    own_only,
    violations,
    watch,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = [pytest.mark.site, pytest.mark.slow]

# Marks the first text of each look: same element, color, ground, size and weight. The thousandth
# number in a listing has the contrast of the first, and so has one on the next page.
MARK = """known => {
    const seen = new Set(known), fresh = [];
    document.querySelectorAll("[data-first]").forEach(one => delete one.dataset.first);
    const ground = one => {
        for (; one; one = one.parentElement) {
            const color = getComputedStyle(one).backgroundColor;
            if (color !== "rgba(0, 0, 0, 0)") return color;
        }
    };
    for (const one of document.querySelectorAll("body *:not(svg *)")) {
        const own = [...one.childNodes].some(
            part => part.nodeType === Node.TEXT_NODE && part.data.trim());
        if (!own || !one.checkVisibility()) continue;
        const style = getComputedStyle(one);
        const look = [one.tagName, one.className, style.color, style.opacity, ground(one),
            style.fontSize, style.fontWeight].join();
        if (seen.has(look)) continue;
        one.dataset.first = "";
        seen.add(look);
        fresh.push(look);
    }
    return fresh;
}"""

# Waits until the page has come to rest.
REST = """async () => {
    if (window.MathJax?.startup) await MathJax.startup.promise;
    await document.fonts.ready;
    await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
    // the theme's scripts add to the page once it is there, and it is drawn twice after that
    for (let i = 0; i < 2; i++) await new Promise(done => requestAnimationFrame(done));
}"""

# What a page looks like once it has come to rest.
LOOK = r"""() => {
    const article = document.querySelector("article") ?? document.body;
    const prose = article.cloneNode(true);
    prose.querySelectorAll("pre, code, script, mjx-container").forEach(part => part.remove());
    const maths = [...document.querySelectorAll(".math")];
    return {
        maths: maths.length,
        undrawn: maths.filter(one => !one.querySelector("mjx-container"))
            .map(one => one.textContent),
        faulty: [...document.querySelectorAll("[data-mjx-error]")]
            .map(one => one.dataset.mjxError),
        raw: prose.textContent.match(/\\[([][^\n]*|\$\$[^\n]*/g) ?? [],
        images: [...document.images].map(image => ({
            source: image.src, alt: image.alt, width: image.naturalWidth,
        })),
    };
}"""


def look_at(context: "BrowserContext", address: str, axe: str, looks: set[str]) -> Visit:
    """Visit one page and note everything; a look whose contrast is known is not measured again.

    Args:
        context: where the page is opened.
        address: the page's.
        axe: the script of axe-core.
        looks: the looks seen so far; those of this page are added.
    """
    visit = Visit()
    own_only(context, address, visit)
    page = context.new_page()
    watch(page, visit)
    page.goto(address, wait_until="load")
    page.evaluate(REST)
    visit.look = page.evaluate(LOOK)
    page.evaluate(axe)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.evaluate(REST)
        visit.themes.append(page.evaluate("document.documentElement.dataset.theme"))
        if fresh := page.evaluate(MARK, sorted(looks)):
            looks.update(fresh)
            visit.contrast[theme] = violations(page, CONTRAST, ONE_OF_A_KIND)
    page.wait_for_timeout(SETTLING)
    visit.violations[DESK] = violations(page, STANDARD)
    for width, size in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
        page.evaluate(REST)
        visit.overflow[f"{width} pixels, letters of {size}"] = page.evaluate(OVERFLOW)
    page.wait_for_timeout(SETTLING)
    # in the narrow article nothing is new but what scrolls; around it are other controls
    visit.violations[SMALL] = violations(page, SCROLLING) + violations(page, STANDARD, FRAME)
    page.emulate_media(media="print")
    page.evaluate(REST)
    visit.paper = page.evaluate(PAPER)
    page.close()
    context.unroute_all()
    return visit


Visits = dict[str, Visit]


@pytest.fixture(scope="module")
def visits(browser: "Browser", served: str, axe: str) -> Visits:
    """Every page, by its name."""
    looks: set[str] = set()
    with browser.new_context(
        viewport={"width": DESK, "height": 900}, reduced_motion="reduce"
    ) as context:
        names = [path.relative_to(SITE).as_posix() for path in PAGES]
        return {name: look_at(context, served + name, axe, looks) for name in names}


def test_pages_say_nothing_on_the_console(visits: Visits) -> None:
    assert {name: visit.errors for name, visit in visits.items() if visit.errors} == {}


def test_pages_ask_their_own_site_alone_and_get_what_they_ask_for(visits: Visits) -> None:
    lost = {name: visit.foreign + visit.failed for name, visit in visits.items()}
    assert {name: addresses for name, addresses in lost.items() if addresses} == {}


def test_pages_follow_the_readers_choice_of_light_or_dark(visits: Visits) -> None:
    themes = {name: visit.themes for name, visit in visits.items()}
    assert {name: found for name, found in themes.items() if found != list(THEMES)} == {}


def test_all_maths_is_drawn_and_none_is_faulty(visits: Visits) -> None:
    assert any(visit.look["maths"] for visit in visits.values())
    flaws = [
        f"{name}: {kind}: {text}"
        for name, visit in visits.items()
        for kind in ("undrawn", "faulty", "raw")
        for text in visit.look[kind]
    ]
    assert flaws == []


def test_all_images_are_there_and_described(visits: Visits) -> None:
    shown = [(name, image) for name, visit in visits.items() for image in visit.look["images"]]
    assert shown
    flaws = [
        f"{name}: {image['source']}"
        for name, image in shown
        if not image["alt"].strip() or not image["width"]
    ]
    assert flaws == []


def test_nothing_sticks_out_of_the_window_or_is_cut(visits: Visits) -> None:
    """From desk to small phone; large letters, too."""
    flaws = [
        f"{name}, {at}: {element}"
        for name, visit in visits.items()
        for at, elements in visit.overflow.items()
        for element in elements
    ]
    assert flaws == []


def test_on_paper_every_page_is_light_open_and_whole(visits: Visits) -> None:
    """However it stood on the screen: here in the dark."""
    flaws = [
        f"{name}: {kind}: {element}"
        for name, visit in visits.items()
        for kind, elements in visit.paper.items()
        for element in elements[:3]
    ]
    assert flaws == []


def test_in_the_dark_figures_have_the_pages_own_ground(browser: "Browser", served: str) -> None:
    """Charts and pictures of digits alike; what is white in a picture stays white."""
    flaws = []
    with browser.new_context(
        color_scheme="dark", viewport={"width": DESK, "height": 900}
    ) as context:
        # a demo that comes as its place draws near would move a figure while it is taken
        context.route("**/interactive/**", lambda route: route.abort())
        page = context.new_page()
        for name in ("02-explosion", "05-mnist"):
            page.goto(f"{served}{name}.html")
            for figure in page.locator(".cell_output img:visible").all():
                shot = np.asarray(Image.open(BytesIO(figure.screenshot())).convert("L"))
                rim = np.concatenate([shot[2], shot[-3], shot[:, 2], shot[:, -3]])
                if np.median(rim) > 40:
                    flaws.append(f"{name}: {figure.get_attribute('alt')}")
            pictures = page.locator(".cell_output img.only-dark").count()
            assert (pictures > 0) == (name == "05-mnist")
    assert flaws == []


def test_every_figure_shows_its_caption(browser: "Browser", served: str) -> None:
    """By day, in the dark and on paper: a picture of digits shares it with its dark version."""
    unseen = []
    for theme in THEMES:
        with browser.new_context(color_scheme=theme) as context:
            page = context.new_page()
            page.goto(f"{served}05-mnist.html")
            for media in ("screen", "print"):
                page.emulate_media(media=media)
                captions = page.locator(".cell_output figure figcaption").all()
                assert captions
                unseen += [(theme, media, c.text_content()) for c in captions if not c.is_visible()]
    assert unseen == []


def test_pages_are_accessible(visits: Visits) -> None:
    """By what axe-core can tell of WCAG 2.1, A and AA, light and dark, on a desk and on a phone."""
    assert {theme for visit in visits.values() for theme in visit.contrast} == set(THEMES)
    flaws = [
        f"{name}, {at}: {violation}"
        for name, visit in visits.items()
        for at, found in [*visit.contrast.items(), *visit.violations.items()]
        for violation in found
    ]
    assert flaws == []


def test_pages_open_in_the_dark_straight_from_the_file_system(browser: "Browser") -> None:
    """A page of each kind: nothing is missing, and nothing is said on the console."""
    with browser.new_context(color_scheme="dark") as context:
        for name in ("index", "01-jepa", "api-method"):
            visit = Visit()
            page = context.new_page()
            watch(page, visit)
            page.goto((SITE / f"{name}.html").as_uri(), wait_until="load")
            page.evaluate(REST)
            assert page.evaluate("document.documentElement.dataset.theme") == "dark", name
            assert not page.evaluate(LOOK)["undrawn"], name
            assert visit == Visit(), name


@pytest.mark.parametrize("start", ["server", "file system"])
def test_search_finds_a_chapter(browser: "Browser", served: str, start: str) -> None:
    """From the field beside the text to the results, and on to the page found."""
    home = served if start == "server" else (SITE / "index.html").as_uri()
    visit = Visit()
    with browser.new_context(viewport={"width": DESK, "height": 900}) as context:
        own_only(context, served, visit)
        page = context.new_page()
        page.goto(home)
        page.locator(".search-button-field:visible").first.click()
        page.locator("input[type=search]:visible").first.fill("explosion")
        page.keyboard.press("Enter")
        result = page.locator("#search-results li a", has_text="Representation explosion").first
        result.click()
        page.wait_for_url("**/02-explosion.html*")
        assert page.locator("article h1").first.inner_text().startswith("2. Representation")
    assert not visit.foreign


@pytest.mark.parametrize("depth", ["nowhere.html", "a/deep/er/nowhere"])
def test_a_missing_address_leads_back(browser: "Browser", served: str, depth: str) -> None:
    """Whatever its depth: the page has its style, and its links lead into the site."""
    visit = Visit()
    with browser.new_context(viewport={"width": DESK, "height": 900}) as context:
        own_only(context, served, visit)
        page = context.new_page()
        watch(page, visit)
        page.goto(served + depth)
        assert page.locator("article h1").first.inner_text().startswith("Page not found")
        assert visit.failed == [served + depth]  # the page itself: all it loads was there
        page.locator("nav.bd-links a").first.click()
        page.wait_for_url(served + "index.html")
    assert not visit.foreign
