"""`make set-address` moves every address at once, and can move them back."""

import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "set_address.py"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of every file that holds an address."""
    for place in TOOL["PLACES"]:
        for path in ROOT.glob(place):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(path, copy)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    """Read every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_old_address_is_gone_and_the_new_one_is_everywhere(checkout: Path) -> None:
    before = contents(checkout)
    old = TOOL["published"](checkout)
    slug = old["Repository"].removeprefix(TOOL["GITHUB"])
    changed = TOOL["set_address"]("some-one/a-book.2", checkout)
    after = contents(checkout)

    assert TOOL["published"](checkout) == TOOL["addresses"]("some-one/a-book.2")
    assert not [path for path, text in after.items() if slug.encode() in text]
    assert not [path for path, text in after.items() if old["Documentation"].encode() in text]
    assert set(changed) == {path for path in before if before[path] != after[path]}
    assert {"pyproject.toml", "_config.yml", "CITATION.cff"} <= {path.name for path in changed}


def test_setting_it_back_restores_every_byte(checkout: Path) -> None:
    before = contents(checkout)
    slug = TOOL["published"](checkout)["Repository"].removeprefix(TOOL["GITHUB"])
    TOOL["set_address"]("someone/else", checkout)
    assert contents(checkout) != before
    TOOL["set_address"](slug, checkout)
    assert contents(checkout) == before


def test_links_to_colab_move_and_longer_names_stay(checkout: Path) -> None:
    slug = TOOL["published"](checkout)["Repository"].removeprefix(TOOL["GITHUB"])
    page = checkout / "book" / "links.md"
    page.write_text(f"research/github/{slug}/blob/main github.com/{slug}-two github.com/{slug}.git")
    TOOL["set_address"]("someone/else", checkout)
    assert page.read_text() == (
        f"research/github/someone/else/blob/main github.com/{slug}-two github.com/someone/else.git"
    )


def test_a_site_of_its_own_has_no_sub_path() -> None:
    assert TOOL["addresses"]("Ann/ann.github.io")["Documentation"] == "https://Ann.github.io/"
    assert TOOL["addresses"]("Ann/notes")["Documentation"] == "https://Ann.github.io/notes/"


def test_anything_but_owner_and_name_is_refused() -> None:
    for repo in ("", "name", "a/b/c", "https://github.com/a/b", "a b/c", "-a/b"):
        with pytest.raises(ValueError, match="owner/name") as refusal:
            TOOL["addresses"](repo)
        assert repr(repo) in str(refusal.value)
