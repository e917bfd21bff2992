"""A Sphinx extension: what needs the site's published address gets it from `html_baseurl`.

So the address stands in `_config.yml` once. Open Graph wants absolute addresses, because whoever
shows a card fetches its picture from elsewhere. The page for a missing address is served at any
depth, so that its links start at the root of the server.
"""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config


def pass_on(app: Sphinx, config: Config) -> None:
    """Give the address to the extensions that ask for it under names of their own."""
    config.ogp_site_url = config.html_baseurl
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("config-inited", pass_on, priority=400)  # before those extensions look
    return {"parallel_read_safe": True, "parallel_write_safe": True}
