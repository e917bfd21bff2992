"""What tests in a browser share: the built site, a server for it, what is noted of a page."""

import os
import shutil
import tomllib
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
MISSING = SITE / "404.html"
PAGES = sorted(
    path for path in SITE.glob("**/*.html") if "_static" not in path.parts and path != MISSING
)
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
PREFIX = urlsplit(URLS["Documentation"]).path  # /bijepa-book/

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
DESK, LAPTOP, TABLET, PHONE, SMALL = 1400, 1100, 768, 390, 320  # pixels across
# Widths, and letters of their usual size: WCAG 1.4.4 and 1.4.10. At 1,100 pixels the theme has no
# margin left, at 768 no sidebar.
SIZES = [(DESK, "200%"), (LAPTOP, "200%"), (LAPTOP, "100%"), (TABLET, "100%"), (PHONE, "100%")]
SIZES += [(SMALL, "200%"), (SMALL, "100%")]
SETTLING = 400  # milliseconds: 300 after a change the theme lets the keyboard reach what scrolls

FLAGS = [
    "--no-sandbox",  # containers have none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# WCAG 2.1, levels A and AA; contrast apart, because it takes axe longer than all the rest.
STANDARD = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "rules": {"color-contrast": {"enabled": False}},
    "resultTypes": ["violations"],
    "preload": False,  # else it fetches every style sheet again
}
CONTRAST = {**STANDARD, "runOnly": {"type": "rule", "values": ["color-contrast"]}, "rules": {}}
SCROLLING = {
    **STANDARD,
    "runOnly": {"type": "rule", "values": ["scrollable-region-focusable"]},
    "rules": {},
}
FRAME = {"exclude": [["article"]]}
ONE_OF_A_KIND = {"include": [["[data-first]"]]}

# What sticks out of the window, and what is cut in a box that does not scroll.
OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    const outside = ({left, right}, from, to) => left < from - 1 || right > to + 1;
    const scrolls = one => one && one !== document.body && (
        ["auto", "scroll"].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
    const cut = [...document.querySelectorAll(
            "article :is(mjx-container, pre, table, img, svg, canvas, .demo-body)")]
        .filter(one => !one.parentElement.closest("mjx-container") && one.checkVisibility())
        .filter(one => !scrolls(one.parentElement))
        .filter(one => outside(one.getBoundingClientRect(), 0, width));
    const wide = document.scrollingElement.scrollWidth <= width ? []
        : [...document.querySelectorAll("body *")]
            .filter(one => one.getBoundingClientRect().right > width + 1);
    return [...cut, ...wide].map(one => one.tagName + "." + one.className).slice(0, 5);
}"""

# What a page is like on paper, when it is looked at while it is printed.
PAPER = """() => {
    const shown = one => one.checkVisibility({opacityProperty: true, visibilityProperty: true});
    const light = one => {
        const [r, g, b, a] = getComputedStyle(one).backgroundColor.match(/[\\d.]+/g).map(Number);
        return a === 0 || Math.min(r, g, b) > 200;
    };
    const pale = one => {
        const rgb = getComputedStyle(one).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
        return Math.min(...rgb) > 150;
    };
    const article = document.querySelector("article") ?? new DocumentFragment();
    const all = [...article.querySelectorAll("*:not(.demo *, mjx-container *)")].filter(shown);
    const told = one => one.outerHTML.slice(0, 80);
    return {
        dark: [document.body, ...all].filter(one => !light(one)).map(told),
        pale: all.filter(one => !one.matches("svg *") && one.innerText?.trim() && pale(one))
            .map(told),
        folded: [...article.querySelectorAll("details > :not(summary)")]
            .filter(one => !shown(one)).map(told),
        empty: [...article.querySelectorAll("div.cell_input, div.cell_output, pre")]
            .filter(one => shown(one) && !one.innerText.trim()
                && !one.querySelector("img, svg, canvas")).map(told),
        split: [...article.querySelectorAll("pre")]
            .filter(one => getComputedStyle(one).overflowX !== "visible").map(told),
        filtered: [...article.querySelectorAll("img")]
            .filter(one => getComputedStyle(one).filter !== "none").map(told),
    };
}"""


@dataclass
class Visit:
    """What was noted of one page: what went wrong, its looks, what sticks out, what axe finds."""

    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    look: dict[str, Any] = field(default_factory=dict)
    themes: list[str] = field(default_factory=list)
    overflow: dict[str, list[str]] = field(default_factory=dict)
    paper: dict[str, list[str]] = field(default_factory=dict)
    contrast: dict[str, list[str]] = field(default_factory=dict)
    violations: dict[int, list[str]] = field(default_factory=dict)


class Pages(SimpleHTTPRequestHandler):
    """Serves the site below its sub-path as GitHub Pages does, its own page for what is missing."""

    def translate_path(self, path: str) -> str:
        """Find the file for an address; nothing lies outside the sub-path."""
        if not path.startswith(PREFIX):
            return str(SITE / "nothing here")
        return super().translate_path("/" + path.removeprefix(PREFIX))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's own page."""
        content = MISSING.read_bytes()
        self.send_response(code, message)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def chromium() -> str | None:
    """A Chromium of this machine's; None for Playwright's own."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("BIJEPA_CHROMIUM") or next((path for path in found if path), None)


def own_only(context: "BrowserContext", served: str, visit: Visit) -> None:
    """Note what would leave the site, and let nothing out."""

    def stop(route: Any) -> None:
        visit.foreign.append(route.request.url)
        route.abort()

    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(served))
    context.route(lambda url: url.startswith("http") and not url.startswith(origin), stop)


def watch(page: "Page", visit: Visit) -> None:
    """Note what goes wrong."""
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on(
        "console",
        lambda said: visit.errors.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("requestfailed", lambda request: visit.failed.append(request.url))
    page.on(
        "response", lambda answer: visit.failed.append(answer.url) if answer.status >= 400 else None
    )


def violations(
    page: "Page", options: dict[str, Any], context: dict[str, Any] | None = None
) -> list[str]:
    """What axe-core finds, each with the places where it finds it."""
    found = page.evaluate(
        "([context, options]) => axe.run(context ?? document, options)", [context, options]
    )
    return [
        f"{one['id']}: {one['help']} at "
        + "; ".join(" ".join(map(str, node["target"])) for node in one["nodes"][:5])
        for one in found["violations"]
    ]
