"""A browser and a server for the tests of the built site."""

from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.site.browsing import DESK, FLAGS, PREFIX, SITE, Pages, Visit, chromium, own_only, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The address of the site on a web server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One browser for all tests of the site."""
    playwright = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
    with playwright.sync_playwright() as tool:
        try:
            found = tool.chromium.launch(executable_path=chromium(), args=FLAGS)
        except playwright.Error as error:
            reason = str(error).strip().splitlines()[0]
            pytest.skip(f"no Chromium: playwright install chromium ({reason})")
        yield found
        found.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which tells what keeps a page from being used by everybody."""
    base = pytest.importorskip("axe_playwright_python.base", exc_type=ImportError)
    return str(base.AXE_FILE_PATH.read_text("utf-8"))


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
