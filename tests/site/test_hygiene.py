"""The notebooks as they are stored: complete, clean, and readable wherever they are opened."""

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mypy import api as mypy

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
# The others are appendices that only read records: nothing to choose, to solve, or to move.
CHAPTERS = [path for path in NOTEBOOKS if re.match(r"\d\d-|evidence-first", path.stem)]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TOOL = runpy.run_path(str(ROOT / "tools" / "run_notebooks.py"))

ALLOWED_TAGS = {
    "parameters",  # papermill writes below it
    "nbval-ignore-output",  # run, but not compared: only in the cells listed below
    "hide-input",  # these five act on the site alone
    "hide-output",
    "hide-cell",
    "remove-output",
    "remove-cell",
}
# Cells whose output depends on the machine, or is a widget, by notebook and cell id.
NOT_COMPARED: dict[str, set[str]] = {
    "01-jepa.ipynb": {"method-71"},
    "02-explosion.ipynb": {"explosion-47"},
    "03-sphere.ipynb": {"sphere-65"},
    "04-lorenz.ipynb": {"lorenz-58"},
    "05-mnist.ipynb": {"mnist-07", "mnist-57"},
    "06-alpha.ipynb": {"alpha-39"},
    "07-own-data.ipynb": {"own-48"},
    "08-evidence.ipynb": {"holds-desk"},
    "09-why.ipynb": {"why-49"},
    "10-stable.ipynb": {"stable-desk"},
    "10-relatives.ipynb": {"relatives-desk"},
    "11-futures.ipynb": {"futures-desk"},
    "evidence-first.ipynb": {"verdict-66"},
}

# How a solution is folded away: in Colab, in JupyterLab, on the site.
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-cell"]}

COLAB_CELL = f"""\
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules:
    %pip install -q --no-deps "bijepa-core @ git+{PROJECT["urls"]["Repository"]}"
elif not find_spec("bijepa_core"):
    hint = 'pip install "bijepa-core @ git+{PROJECT["urls"]["Repository"]}"'
    raise ModuleNotFoundError(f"bijepa_core is not installed: {{hint}}")
""".rstrip()

MACHINE_PATH = re.compile(r"/home/|/root/|/tmp/|/Users/|\b[A-Za-z]:\\|site-packages|/content/")
VARYING_TEXT = re.compile(
    r"Warning\b"
    r"|\bat 0x[0-9a-f]{6,}"
    r"|\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d"
    r"|\b\d\d:\d\d:\d\d\b"
    r"|\d ?(it/s|s/it)\b"
)
DIRECTIVE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})\s*\{", re.M)
ROLE = re.compile(r"(?<!`)\{[a-z:-]+\}`[^`]+`")
OTHER_SPHINX = re.compile(
    r"^\s*:{3,}"  # colon fence
    r"|^\([\w-]+\)=\s*$"  # target
    r"|\{\{.*\}\}"  # substitution
    r"|^\s*\{[#.][^}]*\}\s*$"  # attributes
    r"|^%",  # comment
    re.M,
)

Json = dict[str, Any]

pytestmark = pytest.mark.notebook


@cache
def load(path: Path) -> Json:
    """Read the notebook's JSON."""
    notebook: Json = json.loads(path.read_text("utf-8"))
    return notebook


def source(cell: Json) -> str:
    """Give the cell's source as one string."""
    return "".join(cell["source"])


def cells(path: Path, kind: str) -> list[Json]:
    """Give the notebook's cells of one kind, `code` or `markdown`."""
    return [cell for cell in load(path)["cells"] if cell["cell_type"] == kind]


def each_cell(*kinds: str) -> Iterator[tuple[str, Json]]:
    """Give the book's cells of these kinds, each behind its place: `01-jepa: method-07`."""
    for path in NOTEBOOKS:
        for cell in load(path)["cells"]:
            if cell["cell_type"] in kinds:
                yield f"{path.stem}: {cell['id']}", cell


def tags(cell: Json) -> set[str]:
    """Give the cell's tags."""
    return set(cell["metadata"].get("tags", []))


def texts(cell: Json) -> list[str]:
    """Give whatever the cell's outputs hold as text."""
    found = []
    for output in cell.get("outputs", []):
        found.append("".join(output.get("text", "")))
        for mime, data in output.get("data", {}).items():
            if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
                found.append("".join(data))
    return found


def images(cell: Json) -> list[str]:
    """Give the types of the images among the cell's outputs."""
    return [
        mime
        for output in cell["outputs"]
        for mime in output.get("data", {})
        if mime.startswith("image/")
    ]


def as_script(path: Path) -> str:
    """Give the notebook's code as a Python script; its magics become `pass`."""
    code = "\n\n".join(source(cell) for cell in cells(path, "code"))
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.M) + "\n"


def without_fences(markdown: str) -> str:
    """Leave out fenced code, in which anything may stand."""
    return re.sub(r"^(`{3,}|~{3,}).*?^\1", "", markdown, flags=re.M | re.S)


def without_code(markdown: str) -> str:
    """Leave out inline code too."""
    return re.sub(r"(`+)(?:(?!\1).)+\1", "", without_fences(markdown))


def prose(markdown: str) -> str:
    """Leave out code and what stands between dollars."""
    text = without_code(markdown).replace(r"\$", "")
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    return re.sub(r"\$[^$]+\$", "", text)


def test_the_book_has_notebooks() -> None:
    """Else every other test here would pass over nothing."""
    assert NOTEBOOKS, f"there is no notebook in {ROOT / 'book'}"


def test_every_code_cell_was_executed() -> None:
    """Without a count nbval compares nothing."""
    missed = [place for place, cell in each_cell("code") if cell["execution_count"] is None]
    assert missed == [], "run `make notebooks`"


def test_each_is_stored_as_make_run_leaves_it() -> None:
    """In order, without widgets or the metadata of editors and papermill, as Jupyter writes it."""
    differing = [
        path.stem
        for path in NOTEBOOKS
        if path.read_text("utf-8") != TOOL["dumps"](TOOL["clean"](load(path)))
        or (load(path)["nbformat"], load(path)["nbformat_minor"]) != (4, 5)
    ]
    assert differing == [], "run `make notebooks`"


def test_outputs_hold_no_error_or_stderr() -> None:
    found = [
        place
        for place, cell in each_cell("code")
        for output in cell["outputs"]
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]
    assert found == []


def test_nothing_tells_of_a_machine_and_outputs_hold_nothing_that_varies() -> None:
    """No path in source or outputs; no warning, time or memory address in outputs."""
    found = [
        f"{place}: {match[0]}"
        for place, cell in each_cell("code", "markdown")
        for pattern, found_in in (
            (MACHINE_PATH, [source(cell), *texts(cell)]),
            (VARYING_TEXT, texts(cell)),
        )
        for text in found_in
        if (match := pattern.search(text))
    ]
    assert found == []


def test_each_weighs_less_than_a_megabyte_and_a_half() -> None:
    """So that it opens at once, in Colab too."""
    heavy = {path.stem: path.stat().st_size for path in NOTEBOOKS}
    assert {name: size for name, size in heavy.items() if size >= 1_500_000} == {}


def flaws_of_figures(cell: Json) -> Iterator[str]:
    """Say what is wrong with the figure of a code cell."""
    described = cell["metadata"].get("mystnb", {})
    if len(images(cell)) != 1:
        yield "one figure a cell, and a figure where one is described"
    alt = described.get("image", {}).get("alt", "").strip()
    caption = described.get("figure", {}).get("caption", "").strip()
    if len(alt) < 30:
        yield "metadata mystnb.image.alt says what the figure shows"
    if not caption:
        yield "metadata mystnb.figure.caption is missing"
    if alt == caption:
        yield "alt text and caption have different jobs"


def test_every_figure_has_alt_text_and_a_caption() -> None:
    """One figure a cell, for the metadata that describes it holds for the whole cell."""
    figures = [
        (place, cell)
        for place, cell in each_cell("code")
        if images(cell) or "mystnb" in cell["metadata"]
    ]
    assert figures
    flaws = [f"{place}: {flaw}" for place, cell in figures for flaw in flaws_of_figures(cell)]
    flaws += [
        f"{place}: an image without alt text"
        for place, cell in each_cell("markdown")
        if "![](" in source(cell)
    ]
    assert flaws == []


def test_tags_are_known_ones() -> None:
    """A misspelled tag does nothing, and `nbval-skip` would hide a cell from the tests."""
    unknown = [
        f"{place}: {tag}"
        for place, cell in each_cell("code", "markdown")
        for tag in sorted(tags(cell) - ALLOWED_TAGS)
    ]
    assert unknown == []


def test_only_the_listed_cells_escape_comparison() -> None:
    """And no entry of the list is stale."""
    found = {
        path.name: {c["id"] for c in cells(path, "code") if "nbval-ignore-output" in tags(c)}
        for path in NOTEBOOKS
    }
    assert {name: ids for name, ids in found.items() if ids} == NOT_COMPARED


def flaws_of_parameters(path: Path) -> Iterator[str]:
    """Say what is wrong with the notebook's cell of parameters."""
    (cell,) = (cell for cell in cells(path, "code") if "parameters" in tags(cell))
    parameters = {}
    for statement in ast.parse(source(cell)).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.expr() as value) | ast.AnnAssign(
                ast.Name(name), _, ast.expr() as value
            ):
                parameters[name] = ast.literal_eval(value)
            case _:
                yield f"not an assignment: {ast.unparse(statement)}"
    if parameters.get("scale") != TOOL["STORED_SCALE"]:
        yield f"scale is {parameters.get('scale')!r}"
    if not isinstance(parameters.get("seed"), int):
        yield "no seed that papermill can change"


def test_parameters_are_literals_with_the_papers_scale_first() -> None:
    """Papermill writes below this cell: what follows from a parameter must stand further down."""
    flaws = [f"{path.stem}: {flaw}" for path in CHAPTERS for flaw in flaws_of_parameters(path)]
    assert flaws == []


def test_the_first_code_cell_is_the_colab_cell() -> None:
    """The same in every notebook, with the address from pyproject.toml."""
    others = [path.stem for path in NOTEBOOKS if source(cells(path, "code")[0]) != COLAB_CELL]
    assert others == []


def flaws_of_exercises(path: Path) -> Iterator[str]:
    """Say what is wrong with the notebook's exercises, folded solutions and answers."""
    everything = load(path)["cells"]
    posed = [
        (i, int(match[1]))
        for i, cell in enumerate(everything)
        if cell["cell_type"] == "markdown"
        if (match := re.search(r"^\*\*Exercise (\d+)\.\*\*", source(cell), re.M))
    ]
    numbers = [number for _, number in posed]
    if len(numbers) < 3 or numbers != list(range(1, len(numbers) + 1)):
        yield f"exercises {numbers}"
    if sum("hide-cell" in tags(cell) for cell in everything) != len(numbers):
        yield "a folded cell for each exercise, and no other"
    for i, number in posed:
        solution, answer = everything[i + 1 : i + 3]
        if not source(solution).startswith(f"# @title Solution to exercise {number}\n"):
            yield f"{solution['id']}: no title"
        if solution["metadata"] != FOLDED:
            yield f"{solution['id']}: not folded"
        if f"<summary>Answer to exercise {number}</summary>" not in source(answer):
            yield f"{answer['id']}: no answer to exercise {number}"


def test_three_exercises_each_with_a_folded_solution_and_an_answer() -> None:
    """An exercise, its solution in code, its answer in words; in this order, numbered from 1."""
    flaws = [f"{path.stem}: {flaw}" for path in CHAPTERS for flaw in flaws_of_exercises(path)]
    assert flaws == []


def test_each_has_a_live_control() -> None:
    """A cell that shows a widget where there is a kernel, and nothing on the page."""
    live = {
        path.stem: [
            "bijepa_book.controls" in source(cell)
            for cell in cells(path, "code")
            if tags(cell) == {"nbval-ignore-output", "remove-output"}
        ]
        for path in CHAPTERS
    }
    assert [name for name, found in live.items() if not found or not all(found)] == []


def test_cell_ids_are_names_and_differ() -> None:
    """A name like `explosion-figure` stays; a random one changes with each editor."""
    places = [place for place, _ in each_cell("code", "markdown", "raw")]
    name = re.compile(r"\S+: (?![0-9a-f]{8}(-|$))[a-z][a-z0-9]*(-[a-z0-9]+)*")
    assert [place for place in places if not name.fullmatch(place)] == []
    assert sorted(places) == sorted(set(places))


def flaws_of_outline(path: Path) -> Iterator[str]:
    """Say what is wrong with the notebook's headings."""
    first = load(path)["cells"][0]
    if first["cell_type"] != "markdown" or not source(first).startswith("# "):
        yield "does not open with its title"
    text = without_code("\n\n".join(source(cell) for cell in cells(path, "markdown")))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.M)]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} titles"
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield f"skips a level of {levels}"


def test_each_opens_with_its_only_title_and_skips_no_heading_level() -> None:
    """The outline is what screen readers and the page's contents go by."""
    flaws = [f"{path.stem}: {flaw}" for path in NOTEBOOKS for flaw in flaws_of_outline(path)]
    assert flaws == []


def test_markdown_reads_well_without_sphinx() -> None:
    """Colab and JupyterLab show directives and roles raw."""
    raw = [
        f"{place}: {match[0]}"
        for place, cell in each_cell("markdown")
        for match in (
            DIRECTIVE.search(source(cell)),
            ROLE.search(without_fences(source(cell))),
            OTHER_SPHINX.search(prose(source(cell))),  # maths may hold double braces
        )
        if match
    ]
    assert raw == []


def test_maths_is_written_between_dollars() -> None:
    """The one notation that the site, JupyterLab, Colab and GitHub share."""
    written = [(place, prose(source(cell)), source(cell)) for place, cell in each_cell("markdown")]
    assert any("$" in text for _, _, text in written)
    left_over = [
        f"{place}: {mark}"
        for place, text, _ in written
        for mark in ("$", r"\(", r"\[", r"\begin{")
        if mark in text
    ]
    assert left_over == []


@pytest.mark.slow
def test_code_is_typed_like_the_rest_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mypy, as strict as for the package, on each notebook's code cells."""
    monkeypatch.chdir(ROOT)
    scripts = []
    for path in NOTEBOOKS:
        script = tmp_path / f"chapter_{path.stem.replace('-', '_')}.py"
        script.write_text(as_script(path), "utf-8")
        scripts.append(str(script))
    # IPython's `display` has no types, and a reader should not meet a comment about that.
    options = ["--config-file", "pyproject.toml", "--allow-untyped-calls"]
    report, problems, status = mypy.run([*options, *scripts])
    assert status == 0, report + problems


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)  # half a minute each
def test_it_runs_small_with_another_seed_from_an_empty_folder(path: Path, tmp_path: Path) -> None:
    """As for a reader who has the package and this one file."""
    # One thread: two that spin beside another program on the same cores take many times as long.
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    workplace = tmp_path / "empty"
    workplace.mkdir()
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / path.name)]
    command += ["--kernel", "python3", "--cwd", str(workplace), "--no-progress-bar"]
    command += ["-p", "scale", "smoke", "-p", "seed", "7"]
    done = subprocess.run(
        command, cwd=workplace, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
