"""The built site, page by page: whole, self-contained, and with its addresses right.

`make book` builds it; until then the run ends with a line that says what was not tested.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
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

COLAB = "https://colab.research.google.com/github"

pytestmark = pytest.mark.site


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
        self.tells: dict[str, str] = defaultdict(str)
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


def test_no_page_or_style_fetches_from_another_host() -> None:
    fetched = [(path.stem, address) for path in PAGES for address in read(path).loads]
    assert fetched
    assert [f"{page}: {address}" for page, address in fetched if is_foreign(address)] == []
    foreign = re.compile(r"(url\(|@import)\s*['\"]?\s*(https?:)?//")
    sheets = list(SITE.glob("**/*.css"))
    assert sheets
    assert [sheet.name for sheet in sheets if foreign.search(sheet.read_text("utf-8"))] == []


def flaw_of_address(page: Path, address: str) -> str | None:
    """Say what is wrong with an address within the site, if anything is.

    It must work below a sub-path of a server and from the file system: none starts at a root.
    """
    if address.startswith("/"):
        return "starts at the root"
    file, fragment = target(page, address)
    if not file.is_file():
        return "leads nowhere"
    if fragment and file.suffix == ".html" and fragment not in read(file).ids:
        return "points at nothing on its page"
    return None


def test_everything_on_the_pages_and_behind_their_links_is_there() -> None:
    own = [
        (path, address)
        for path in PAGES
        for address in [*read(path).loads, *read(path).links]
        if not is_foreign(address) and not urlsplit(address).scheme
    ]
    assert own
    flaws = [
        f"{path.stem}: {address} {flaw}"
        for path, address in own
        if (flaw := flaw_of_address(path, address))
    ]
    assert flaws == []


def test_pages_have_a_language_a_title_of_their_own_and_an_outline_without_gaps() -> None:
    flaws = []
    for path in WRITTEN:
        page = read(path)
        levels = page.headings
        if page.language != "en" or not page.title:
            flaws.append(f"{path.stem}: {page.language!r}, {page.title!r}")
        if levels[:1] != [1] or levels.count(1) != 1:
            flaws.append(f"{path.stem}: does not open with its only title")
        if any(after > before + 1 for before, after in pairwise(levels)):
            flaws.append(f"{path.stem}: skips a level of {levels}")
    assert flaws == []
    titles = [read(path).title for path in PAGES]
    assert sorted(titles) == sorted(set(titles))


def test_every_image_has_alt_text() -> None:
    shown = [(path.stem, *image) for path in PAGES for image in read(path).images]
    assert any(source.startswith("_images/") for _, source, _ in shown), "no figure of a chapter"
    flaws = [
        f"{page}: {source}: {alt!r}"
        for page, source, alt in shown
        if not alt.strip() or Path(source).stem in alt  # a file's name says nothing
    ]
    assert flaws == []


def test_maths_is_drawn_by_the_sites_own_mathjax() -> None:
    """That it is there and not from another host, the tests above see to."""
    with_maths = [path for path in PAGES if 'class="math' in path.read_text("utf-8")]
    assert with_maths
    without = [
        path.stem
        for path in with_maths
        if not any("mathjax" in address.lower() for address in read(path).loads)
    ]
    assert without == [], "is sphinx-mathjax-offline installed?"


def test_no_control_waits_for_a_kernel() -> None:
    traces = ("application/vnd.jupyter.widget", "thebe", "data-lite", "binder")
    found = [
        f"{path.stem}: {trace}"
        for path in PAGES
        for trace in traces
        if trace in path.read_text("utf-8")
    ]
    assert found == []


def test_chapters_open_in_colab_and_can_be_downloaded_as_they_are_stored() -> None:
    """In Colab from the published address; from the site, byte for byte."""
    slug = URLS["Repository"].removeprefix("https://github.com/")
    flaws = []
    for path in NOTEBOOKS:
        links, copy = read(SITE / f"{path.stem}.html").links, f"_sources/{path.name}"
        if (
            f"https://colab.research.google.com/github/{slug}/blob/main/book/{path.name}"
            not in links
        ):
            flaws.append(f"{path.stem}: no link to Colab")
        if copy not in links or (SITE / copy).read_bytes() != path.read_bytes():
            flaws.append(f"{path.stem}: no download, or an old one")
    assert flaws == []


def flaws_of_card(path: Path) -> Iterator[str]:
    """Say what is wrong with what a page tells search engines and those who link to it."""
    page, published = read(path), URLS["Documentation"]
    told, address = page.tells, published + path.relative_to(SITE).as_posix()
    if f'<link rel="canonical" href="{address}"' not in path.read_text("utf-8"):
        yield "no canonical link, which tells the book from its copies"
    if path not in WRITTEN:
        return
    if told["og:url"] != address:
        yield f"og:url is {told['og:url']}"
    if told["og:title"] not in page.title:
        yield f"og:title is {told['og:title']}"
    if len(told["og:description"]) <= 20 or told["og:description"] != told["description"]:
        yield f"og:description is {told['og:description']}"
    if not told["og:image:alt"]:
        yield "og:image:alt is empty"
    image = told["og:image"]
    if not image.startswith(published) or not (SITE / image.removeprefix(published)).is_file():
        yield f"og:image is {image}"


def test_pages_name_their_published_address_and_have_a_card_for_where_they_are_linked() -> None:
    """The canonical link and Open Graph: all addresses whole, and on the published site."""
    assert [f"{path.stem}: {flaw}" for path in PAGES for flaw in flaws_of_card(path)] == []


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
