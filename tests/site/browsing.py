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
DESK, LAPTOP, PHONE = 1400, 1100, 320  # pixels across
LETTERS = ("200%", "100%")  # of their usual size: WCAG 1.4.4 and 1.4.10
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

# What sticks out to the right of the window.
OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter(one => one.getBoundingClientRect().right > width + 1)
        .map(one => one.tagName + "." + one.className).slice(0, 5);
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
