"""The built site as a reader's browser shows it: in headless Chromium, light and dark.

Every page is visited twice: in light mode from a web server, below the sub-path of the published
address, and in dark mode straight from the file system. What there is to know of a visit is noted
in one go, and the tests below look at the notes.

Needs `make book`, the `test` extra, and a Chromium: the one that `BIJEPA_CHROMIUM` names, one on
the path, or Playwright's own (`playwright install chromium`).
"""

from typing import TYPE_CHECKING

import pytest

from tests.site.browsing import (
    CONTRAST,
    DESK,
    LAPTOP,
    ONE_OF_A_KIND,
    OVERFLOW,
    PAGES,
    PHONE,
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
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not PAGES, reason="the site is not built: make book")
playwright = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
axe = pytest.importorskip("axe_playwright_python.base", exc_type=ImportError)

# Marks the first text of each look: same element, color, ground, size and weight. The thousandth
# number in a listing has the contrast of the first.
MARK = """() => {
    const seen = new Set();
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
        if (!seen.has(look)) one.dataset.first = "";
        seen.add(look);
    }
    return seen.size;
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
        theme: document.documentElement.dataset.theme,
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


def look_at(browser: "Browser", address: str, theme: Theme, served: str) -> Visit:
    """Visit one page and note everything; what does not depend on colors, in light mode alone."""
    visit = Visit()
    with browser.new_context(
        color_scheme=theme, viewport={"width": DESK, "height": 900}, reduced_motion="reduce"
    ) as context:
        own_only(context, served, visit)
        page = context.new_page()
        watch(page, visit)
        page.goto(address, wait_until="load")
        page.evaluate(REST)
        visit.look = page.evaluate(LOOK)
        page.evaluate(axe.AXE_FILE_PATH.read_text("utf-8"))
        page.wait_for_timeout(SETTLING)
        visit.violations[DESK] = violations(page, STANDARD)
        page.evaluate(MARK)
        visit.violations[DESK] += violations(page, CONTRAST, ONE_OF_A_KIND)
        if theme == "dark":
            return visit
        for width in (LAPTOP, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(REST)
            visit.overflow[width] = page.evaluate(OVERFLOW)
        page.wait_for_timeout(SETTLING)
        visit.violations[PHONE] = violations(page, STANDARD)  # colors are the same at any width
    return visit


@pytest.fixture(scope="module")
def visits(browser: "Browser", served: str) -> dict[tuple[str, Theme], Visit]:
    """Every page in both themes: light from the server, dark from the file system."""
    found: dict[tuple[str, Theme], Visit] = {}
    for path in PAGES:
        name = path.relative_to(SITE).as_posix()
        found[name, "light"] = look_at(browser, served + name, "light", served)
        found[name, "dark"] = look_at(browser, path.as_uri(), "dark", served)
    return found


Visits = dict[tuple[str, Theme], Visit]
each_page = pytest.mark.parametrize("name", [path.relative_to(SITE).as_posix() for path in PAGES])
each_theme = pytest.mark.parametrize("theme", THEMES)


@each_theme
@each_page
def test_page_says_nothing_on_the_console(visits: Visits, name: str, theme: Theme) -> None:
    assert not visits[name, theme].errors


@each_theme
@each_page
def test_page_asks_its_own_site_alone_and_gets_what_it_asks_for(
    visits: Visits, name: str, theme: Theme
) -> None:
    assert not visits[name, theme].foreign
    assert not visits[name, theme].failed


@each_theme
@each_page
def test_page_follows_the_readers_choice_of_light_or_dark(
    visits: Visits, name: str, theme: Theme
) -> None:
    assert visits[name, theme].look["theme"] == theme


@each_theme
@each_page
def test_all_maths_is_drawn_and_none_is_faulty(visits: Visits, name: str, theme: Theme) -> None:
    look = visits[name, theme].look
    assert not look["undrawn"]
    assert not look["faulty"]
    assert not look["raw"]


@each_theme
@each_page
def test_all_images_are_there_and_described(visits: Visits, name: str, theme: Theme) -> None:
    for image in visits[name, theme].look["images"]:
        assert image["alt"].strip(), image["source"]
        assert image["width"] > 0, image["source"]


@each_page
def test_nothing_sticks_out_of_the_window(visits: Visits, name: str) -> None:
    """On a phone and on a small laptop, where the theme has no margin left."""
    overflow = visits[name, "light"].overflow
    assert overflow == {LAPTOP: [], PHONE: []}


@each_theme
@each_page
def test_page_is_accessible(visits: Visits, name: str, theme: Theme) -> None:
    """By what axe-core can tell of WCAG 2.1, levels A and AA, on a desk and on a phone."""
    for width, found in visits[name, theme].violations.items():
        assert not found, f"at {width} pixels"


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
        assert page.locator("article h1").first.inner_text().startswith("Representation explosion")
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
