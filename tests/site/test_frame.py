"""What is written in several files is the same in all of them."""

import os
import re
import runpy
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import bijepa_core

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
DOCUMENTATION = PROJECT["urls"]["Documentation"]
ADDRESS = runpy.run_path(str(ROOT / "tools" / "set_address.py"))


def read(name: str) -> str:
    """Read a text file of the repository."""
    return (ROOT / name).read_text("utf-8")


def read_yaml(name: str) -> dict[str, Any]:
    """Read a YAML file of the repository."""
    content: dict[str, Any] = yaml.safe_load(read(name))
    return content


def supported_pythons() -> list[str]:
    """Give the minor versions that pyproject.toml names, oldest first."""
    return [name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if ":: Python :: 3." in name]


def tracked_files() -> list[Path]:
    """List the repository's files as git knows them, those not yet added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_no_python_is_refused_for_being_new() -> None:
    assert PROJECT["requires-python"] == f">={supported_pythons()[0]}"


def test_what_is_installed_is_every_package_and_no_test() -> None:
    roots = {"bijepa_core": "bijepa_core", "book/bijepa_book": "bijepa_book"}
    found = {
        ".".join((package, *path.parent.relative_to(ROOT / root).parts))
        for root, package in roots.items()
        for path in (ROOT / root).rglob("*.py")
    }
    records = {
        f"bijepa_book.results{end}" for end in ("", ".evidence", ".futures", ".second", ".stable")
    }  # these hold no code
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found | records
    assert "prune tests" in read("MANIFEST.in").splitlines()


def test_environment_asks_for_the_pythons_of_pyproject() -> None:
    python, pip, _ = read_yaml("environment.yml")["dependencies"]
    newest = int(supported_pythons()[-1].removeprefix("3."))
    assert python == f"python{PROJECT['requires-python']},<3.{newest + 1}"
    assert pip == "pip"


def test_environment_installs_what_make_installs_and_pins_nothing_itself() -> None:
    (*_, from_pip) = read_yaml("environment.yml")["dependencies"]
    (requirement,) = from_pip["pip"]
    match = re.fullmatch(r"-e (\.\[([a-z,]+)\])", requirement)
    assert match
    assert set(match[2].split(",")) == set(PROJECT["optional-dependencies"])
    assert f'-e "{match[1]}"' in read("Makefile")


def test_make_refuses_exactly_the_pythons_that_pyproject_refuses() -> None:
    match = re.search(r"sys\.version_info < \(3, (\d+)\)", read("Makefile"))
    assert match
    assert PROJECT["requires-python"] == f">=3.{match[1]}"


def test_tools_check_for_the_oldest_python() -> None:
    oldest = supported_pythons()[0]
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")


def test_workflows_test_the_oldest_and_the_newest_python() -> None:
    matrix = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]
    pythons = supported_pythons()
    assert matrix["python"] == [pythons[0], pythons[-1]]


def test_workflows_run_what_a_reader_runs() -> None:
    steps = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["steps"]
    commands = [step.get("run") for step in steps]
    assert commands.index("make check") < commands.index(".ci/run")
    assert read(".ci/run").rstrip().endswith("make test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    steps = read_yaml(".github/workflows/publish.yml")["jobs"]["build"]["steps"]
    commands = [step.get("run", "") for step in steps]
    (addressed,) = (i for i, run in enumerate(commands) if "make set-address" in run)
    assert addressed < commands.index("make book")


def test_workflows_run_only_commits_and_may_do_only_what_they_must() -> None:
    """A tag can be moved to other code; a right that nobody needs helps only a thief."""
    faults = []
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for used in re.findall(r"uses: (.+)", path.read_text("utf-8")):
            if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", used):
                faults.append(f"{path.name}: {used} names no commit")
        workflow = read_yaml(f".github/workflows/{path.name}")
        rights = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
        deploying = {"publish": {"pages": "write", "id-token": "write"}}
        given = {name: right for name, right in rights.items() if right}
        if workflow["permissions"] != {"contents": "read"} or given not in ({}, deploying):
            faults.append(f"{path.name}: {workflow['permissions']}, {given}")
        for name, job in workflow["jobs"].items():
            for step in job["steps"]:
                keeps = step.get("with", {}).get("persist-credentials", True)
                if step.get("uses", "").startswith("actions/checkout@") and keeps:
                    faults.append(f"{path.name}: {name} keeps the checkout's credentials")
            if given.get(name) and any("run" in step for step in job["steps"]):
                faults.append(f"{path.name}: {name} runs commands with rights to write")
    assert faults == []


def test_version_stands_in_the_package_alone() -> None:
    """Which pyproject.toml says; whoever repeats it would have to renew it."""
    assert "version" in PROJECT["dynamic"]
    places = ("pyproject.toml", "CITATION.cff", "_config.yml", "environment.yml", "README.md")
    assert [name for name in places if bijepa_core.__version__ in read(name)] == []


def test_licenses_agree() -> None:
    assert PROJECT["license"] == read_yaml("CITATION.cff")["license"]
    assert read("LICENSE").startswith(f"{PROJECT['license']} License")


def test_citation_names_the_paper() -> None:
    (paper,) = read_yaml("CITATION.cff")["references"]
    number = paper["identifiers"][0]["value"].removeprefix("arXiv:")
    bibliography = re.sub(r"[{}]", "", read("book/references.bib"))
    (entry,) = (one for one in bibliography.split("\n@") if number in one)
    assert paper["title"] in entry


def test_table_of_contents_lists_every_page() -> None:
    listed = re.findall(r"^ *(?:- file|root): (\S+)$", read("_toc.yml"), flags=re.M)
    pages = [page for kind in ("*.md", "*.ipynb") for page in (ROOT / "book").glob(kind)]
    assert sorted(listed) == sorted(page.stem for page in pages)


def test_titles_and_links_have_the_chapters_number() -> None:
    """Written by hand, so that Colab has it too: in a chapter's title, and in links that count."""
    flaws = []
    for path in [
        *(ROOT / "book").glob("*.md"),
        *(ROOT / "book").glob("*.ipynb"),
        ROOT / "README.md",
    ]:
        text = path.read_text("utf-8")
        chapter = re.match(r"(\d\d)-", path.name)
        if chapter and not re.search(rf'"# {int(chapter[1])}b?\. ', text):  # 10 has two halves
            flaws.append(f"{path.name}: its title has no number")
        flaws += [
            f"{path.name}: {link[0]}"
            for link in re.finditer(r"\[([^][]*)\]\((?:book/)?(\d\d)-[\w-]+\.ipynb", text)
            if (counted := re.match(r"(?:chapter )?(\d+)", link[1], re.IGNORECASE))
            and int(counted[1]) != int(link[2])
        ]
    assert flaws == []


def test_site_and_citation_have_the_published_addresses() -> None:
    site, citation = read_yaml("_config.yml"), read_yaml("CITATION.cff")
    assert site["repository"]["url"] == citation["repository-code"] == REPOSITORY
    assert site["html"]["baseurl"] == citation["url"] == DOCUMENTATION


def test_published_addresses_belong_together() -> None:
    slug = REPOSITORY.removeprefix(ADDRESS["GITHUB"])
    assert ADDRESS["addresses"](slug) == {"Repository": REPOSITORY, "Documentation": DOCUMENTATION}


def test_every_file_with_an_address_is_one_that_set_address_changes() -> None:
    reached = {path for place in ADDRESS["PLACES"] for path in ROOT.glob(place)}
    slug = REPOSITORY.removeprefix(ADDRESS["GITHUB"]).encode()
    holding = {path for path in tracked_files() if slug in path.read_bytes()}
    assert holding
    assert sorted(holding - reached) == []


def test_no_other_address_of_this_book_is_left_anywhere() -> None:
    """A link written by hand to a repository that has since moved."""
    name = REPOSITORY.rsplit("/", 1)[1]
    addresses = rf"github(?:\.com)?/([\w-]+/{name})\b|https://([\w-]+)\.github\.io/{name}\b"
    slug = REPOSITORY.removeprefix(ADDRESS["GITHUB"])
    found = [
        (path.name, match[0], match[1] or f"{match[2]}/{name}")
        for place in ADDRESS["PLACES"]
        for path in ROOT.glob(place)
        for match in re.finditer(addresses, path.read_text("utf-8"))
    ]
    assert found
    assert [f"{page}: {address}" for page, address, whose in found if whose != slug] == []


def test_a_checkout_has_the_line_ends_that_a_shell_reads_whatever_git_is_set_to() -> None:
    assert read(".gitattributes").splitlines()[0] == "* text=auto eol=lf"
    assert b"\r" not in (ROOT / ".ci" / "run").read_bytes()
