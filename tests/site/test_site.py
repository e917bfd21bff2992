"""The built site, page by page: whole, self-contained, and with its addresses right.

`make book` builds it; until then there is nothing here to test.
"""

import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
MISSING = SITE / "404.html"  # served at any depth, and therefore unlike the others
PAGES = sorted(
    path for path in SITE.glob("**/*.html") if "_static" not in path.parts and path != MISSING
)
WRITTEN = [path for path in PAGES if path.stem != "search"]  # that one is Sphinx's
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]

pytestmark = pytest.mark.skipif(not PAGES, reason="the site is not built: make book")
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class Page(HTMLParser):
    """What the tests ask of a page, gathered in one reading.

    Attributes:
        links: Where its `<a>` lead.
        loads: What a browser fetches to show it: scripts, styles, images, icons.
        ids: What a link can point at.
        images: Each image's source and alt text.
        headings: The levels of the article's headings, in order.
        language: The page's language.
        title: The page's title.
        tells: What its `<meta>` elements say, by property or name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.images: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self.language = ""
        self.title = ""
        self.tells: dict[str, str] = {}
        self._open = ""
        self._in_article = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self._open = tag
        self._in_article |= tag == "article"
        if self._in_article and re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "meta" and (name := given.get("property", given.get("name", ""))):
            self.tells[name] = given.get("content", "")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "img":
            self.images.append((given["src"], given.get("alt", "")))
        if "src" in given:
            self.loads.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loads.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        """Note the article's end."""
        self._in_article &= tag != "article"

    def handle_data(self, data: str) -> None:
        """Note the title."""
        if self._open == "title" and not self.title:
            self.title = data.strip()


read = cache(Page)


def is_foreign(address: str) -> bool:
    """Tell whether a browser would leave the site for this address."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def target(page: Path, address: str) -> tuple[Path, str]:
    """Give the file and the fragment that an address on a page points at."""
    parts = urlsplit(address)
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return (file / "index.html" if file.is_dir() else file), unquote(parts.fragment)


@each_page
def test_nothing_is_fetched_from_another_host(path: Path) -> None:
    assert not [address for address in read(path).loads if is_foreign(address)]


def test_styles_fetch_nothing_from_another_host() -> None:
    for sheet in SITE.glob("**/*.css"):
        found = re.search(r"(url\(|@import)\s*['\"]?\s*(https?:)?//", sheet.read_text("utf-8"))
        assert not found, sheet


@each_page
def test_everything_on_the_page_is_there(path: Path) -> None:
    """Also below a sub-path of a server, and from the file system: no address starts at a root."""
    for address in read(path).loads:
        if urlsplit(address).scheme == "data":
            continue
        assert not address.startswith("/"), address
        assert target(path, address)[0].is_file(), address


@each_page
def test_links_within_the_site_lead_somewhere(path: Path) -> None:
    for address in read(path).links:
        if is_foreign(address) or urlsplit(address).scheme:
            continue
        assert not address.startswith("/"), address
        file, fragment = target(path, address)
        assert file.is_file(), address
        if fragment and file.suffix == ".html":
            assert fragment in read(file).ids, address


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_page_has_language_title_and_an_outline_without_gaps(path: Path) -> None:
    page = read(path)
    assert page.language == "en"
    assert page.title
    assert page.headings.count(1) == 1
    assert page.headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(page.headings))


def test_titles_tell_pages_apart() -> None:
    titles = [read(path).title for path in PAGES]
    assert len(set(titles)) == len(titles)


@each_page
def test_every_image_has_alt_text(path: Path) -> None:
    for source, alt in read(path).images:
        assert alt.strip(), source
        assert Path(source).stem not in alt, f"{source}: a file's name says nothing"


@each_page
def test_maths_is_drawn_by_the_sites_own_mathjax(path: Path) -> None:
    loaded = [address for address in read(path).loads if "mathjax" in address.lower()]
    if 'class="math' in path.read_text("utf-8"):
        assert loaded, "is sphinx-mathjax-offline installed?"
    for address in loaded:
        assert target(path, address)[0].is_file()


@each_page
def test_no_control_waits_for_a_kernel(path: Path) -> None:
    text = path.read_text("utf-8")
    for trace in ("application/vnd.jupyter.widget", "thebe", "data-lite", "binder"):
        assert trace not in text, trace


@each_notebook
def test_chapter_opens_in_colab_from_the_published_address(path: Path) -> None:
    slug = URLS["Repository"].removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{slug}/blob/main/book/{path.name}"
    assert address in read(SITE / f"{path.stem}.html").links


@each_notebook
def test_chapter_can_be_downloaded_as_it_is_stored(path: Path) -> None:
    address = f"_sources/{path.name}"
    assert address in read(SITE / f"{path.stem}.html").links
    assert (SITE / address).read_bytes() == path.read_bytes()


@each_page
def test_page_names_its_published_address(path: Path) -> None:
    """The canonical link, by which search engines tell the book from its copies."""
    address = URLS["Documentation"] + path.relative_to(SITE).as_posix()
    assert f'<link rel="canonical" href="{address}"' in path.read_text("utf-8")


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_page_has_a_card_for_where_it_is_linked(path: Path) -> None:
    """Open Graph: all addresses whole, and on the published site."""
    page = read(path)
    assert page.tells["og:url"] == URLS["Documentation"] + path.relative_to(SITE).as_posix()
    assert page.tells["og:title"] in page.title
    assert page.tells["og:site_name"] == "BiJEPA: the executable book"
    assert len(page.tells["og:description"]) > 20
    assert page.tells["og:description"] == page.tells["description"]
    assert page.tells["og:image:alt"]
    assert page.tells["og:image"].startswith(URLS["Documentation"])
    assert (SITE / page.tells["og:image"].removeprefix(URLS["Documentation"])).is_file()


def test_the_page_for_a_missing_address_works_at_any_depth() -> None:
    """What it loads and links to starts at the server's root, and is there."""
    page, prefix = read(MISSING), urlsplit(URLS["Documentation"]).path
    assert page.headings.count(1) == 1
    own = [one for one in [*page.loads, *page.links] if not is_foreign(one)]
    assert len(own) > 20
    for address in own:
        if not address.startswith(("#", "data:")):
            assert address.startswith(prefix), address
            assert target(SITE / "x", address.removeprefix(prefix))[0].is_file(), address
