"""Write the address of the published repository everywhere it is needed.

The address stands in `pyproject.toml`, under `[project.urls]`. What cannot read it there (the
site's configuration, the citation, the notebooks' first cell, links in the text) repeats it, and
is changed together with it here. Needs nothing but Python.
"""

import argparse
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = (
    "pyproject.toml",
    "_config.yml",
    "CITATION.cff",
    "README.md",
    "book/*.md",
    "book/*.ipynb",
)
GITHUB = "https://github.com/"


def addresses(repo: str) -> dict[str, str]:
    """Give the two addresses of a repository, named as in `[project.urls]`.

    Args:
        repo: `owner/name`.

    Raises:
        ValueError: `repo` is not of that form.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", repo):
        raise ValueError(f"expected REPO=owner/name, as on GitHub; got {repo!r}")
    owner, name = repo.split("/")
    # The repository <owner>.github.io is the one whose pages are served without a sub-path.
    path = "" if name.lower() == f"{owner}.github.io".lower() else f"{name}/"
    return {"Repository": GITHUB + repo, "Documentation": f"https://{owner}.github.io/{path}"}


def published(root: Path = ROOT) -> dict[str, str]:
    """Read the addresses from `pyproject.toml`."""
    text = (root / "pyproject.toml").read_text("utf-8")
    urls: dict[str, str] = tomllib.loads(text)["project"]["urls"]
    return urls


def set_address(repo: str, root: Path = ROOT) -> list[Path]:
    """Replace the published address by another in every place that has it.

    Args:
        repo: The new `owner/name`.
        root: The checkout.

    Returns:
        The files changed.

    Raises:
        ValueError: `repo` is not of the form `owner/name`.
    """
    new, old = addresses(repo), published(root)
    # A link to Colab says github/owner/name for github.com/owner/name: this matches both, but no
    # repository whose name is longer.
    slug = re.escape(old["Repository"].removeprefix(GITHUB))
    repository = re.compile(rf"(github(?:\.com)?/){slug}(?![A-Za-z0-9_-])")
    changed = []
    for path in sorted(path for place in PLACES for path in root.glob(place)):
        before = path.read_text("utf-8")
        after = before.replace(old["Documentation"], new["Documentation"])
        after = repository.sub(rf"\g<1>{repo}", after)
        if after != before:
            path.write_text(after, "utf-8")
            changed.append(path)
    return changed


def main() -> None:
    """Set the address of the repository named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repo", nargs="?", default="", help="owner/name, as on GitHub")
    try:
        changed = set_address(parser.parse_args().repo)
    except ValueError as error:
        parser.error(str(error))
    for path in changed:
        print(path.relative_to(ROOT))
    print(f"{len(changed)} files changed")


if __name__ == "__main__":
    main()
