"""A browser and a server for the tests of the built site."""

from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.site.browsing import FLAGS, PREFIX, SITE, Pages, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
