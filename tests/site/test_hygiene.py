"""The notebooks as they are stored: complete, clean, and readable wherever they are opened."""

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mypy import api as mypy

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
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
    "08-evidence.ipynb": {"verdict-66"},
}

# How a solution is folded away: in Colab, in JupyterLab, on the site.
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-cell"]}

COLAB_CELL = f"""\
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "bijepa-core @ git+{PROJECT["urls"]["Repository"]}"
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

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


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


def tags(cell: Json) -> set[str]:
    """Give the cell's tags."""
    return set(cell["metadata"].get("tags", []))


def texts(cell: Json) -> list[str]:
    """Give whatever the cell's outputs hold as text."""
    found = []
    for output in cell["outputs"]:
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


@each_notebook
def test_every_code_cell_was_executed_in_order(path: Path) -> None:
    """Without a count nbval compares nothing, and gaps betray cells run by hand."""
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "run `make run`"


@each_notebook
def test_it_is_stored_as_make_run_leaves_it(path: Path) -> None:
    """No widgets, no metadata of editors or of papermill, in the form in which Jupyter writes."""
    assert path.read_text("utf-8") == TOOL["dumps"](TOOL["clean"](load(path))), "run `make run`"


@each_notebook
def test_its_metadata_names_a_plain_kernel_and_nothing_else(path: Path) -> None:
    """In particular no widget state, which would make the page fetch scripts from elsewhere."""
    notebook = load(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]


@each_notebook
def test_outputs_hold_no_error_stderr_or_widget(path: Path) -> None:
    """A stored widget is a dead control on the page."""
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            assert output["output_type"] != "error", cell["id"]
            assert output.get("name") != "stderr", cell["id"]
            assert TOOL["WIDGET"] not in output.get("data", {}), cell["id"]


@each_notebook
def test_nothing_in_it_tells_of_a_machine(path: Path) -> None:
    """No path in source or outputs."""
    for cell in load(path)["cells"]:
        for text in [source(cell), *texts({"outputs": [], **cell})]:
            assert not (found := MACHINE_PATH.search(text)), (cell["id"], found)


@each_notebook
def test_outputs_hold_no_warning_time_or_memory_address(path: Path) -> None:
    """They would change with every run."""
    for cell in cells(path, "code"):
        for text in texts(cell):
            assert not (found := VARYING_TEXT.search(text)), (cell["id"], found)


@each_notebook
def test_it_weighs_less_than_a_megabyte_and_a_half(path: Path) -> None:
    """So that it opens at once, in Colab too."""
    assert path.stat().st_size < 1_500_000


@each_notebook
def test_every_figure_has_alt_text_and_a_caption(path: Path) -> None:
    """One figure a cell, for the metadata that describes it holds for the whole cell."""
    for cell in cells(path, "code"):
        found, described = images(cell), cell["metadata"].get("mystnb", {})
        if not found and not described:
            continue
        assert len(found) == 1, (
            f"{cell['id']}: one figure a cell, and a figure where one is described"
        )
        alt = described.get("image", {}).get("alt", "").strip()
        caption = described.get("figure", {}).get("caption", "").strip()
        assert len(alt) >= 30, f"{cell['id']}: metadata mystnb.image.alt says what the figure shows"
        assert caption, f"{cell['id']}: metadata mystnb.figure.caption is missing"
        assert alt != caption, f"{cell['id']}: alt text and caption have different jobs"
    for cell in cells(path, "markdown"):
        assert "![](" not in source(cell), f"{cell['id']}: an image without alt text"


@each_notebook
def test_tags_are_known_ones(path: Path) -> None:
    """A misspelled tag does nothing, and `nbval-skip` would hide a cell from the tests."""
    for cell in load(path)["cells"]:
        assert tags(cell) <= ALLOWED_TAGS, cell["id"]


def test_only_the_listed_cells_escape_comparison() -> None:
    """And no entry of the list is stale."""
    found = {
        path.name: {c["id"] for c in cells(path, "code") if "nbval-ignore-output" in tags(c)}
        for path in NOTEBOOKS
    }
    assert {name: ids for name, ids in found.items() if ids} == NOT_COMPARED


@each_notebook
def test_parameters_are_literals_with_the_papers_scale_first(path: Path) -> None:
    """Papermill writes below this cell: what follows from a parameter must stand further down."""
    (cell,) = (cell for cell in cells(path, "code") if "parameters" in tags(cell))
    parameters = {}
    for statement in ast.parse(source(cell)).body:
        assert isinstance(statement, ast.Assign | ast.AnnAssign), "assignments only"
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        assert isinstance(target, ast.Name)
        assert statement.value is not None
        parameters[target.id] = ast.literal_eval(statement.value)
    assert parameters["scale"] == TOOL["STORED_SCALE"] == "paper"
    assert isinstance(parameters.get("seed"), int), "a seed that papermill can change"


@each_notebook
def test_the_first_code_cell_is_the_colab_cell(path: Path) -> None:
    """The same in every notebook, with the address from pyproject.toml."""
    assert source(cells(path, "code")[0]) == COLAB_CELL


def solutions(path: Path) -> list[Json]:
    """Give the notebook's folded solutions."""
    return [cell for cell in cells(path, "code") if "hide-cell" in tags(cell)]


@each_notebook
def test_three_exercises_each_with_a_folded_solution_and_an_answer(path: Path) -> None:
    """An exercise, its solution in code, its answer in words; in this order, numbered from 1."""
    everything = load(path)["cells"]
    posed = [
        (i, int(match[1]))
        for i, cell in enumerate(everything)
        if cell["cell_type"] == "markdown"
        if (match := re.search(r"^\*\*Exercise (\d+)\.\*\*", source(cell), re.M))
    ]
    numbers = [number for _, number in posed]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3
    assert len(solutions(path)) == len(numbers)
    for i, number in posed:
        solution, answer = everything[i + 1 : i + 3]
        assert source(solution).startswith(f"# @title Solution to exercise {number}\n")
        assert solution["metadata"] == FOLDED, solution["id"]
        assert f"<summary>Answer to exercise {number}</summary>" in source(answer)


@each_notebook
def test_it_has_a_live_control(path: Path) -> None:
    """A cell that shows a widget where there is a kernel, and nothing on the page."""
    live = [c for c in cells(path, "code") if tags(c) == {"nbval-ignore-output", "remove-output"}]
    assert live
    assert all("bijepa_book.controls" in source(cell) for cell in live)


@each_notebook
def test_cell_ids_are_names_and_differ(path: Path) -> None:
    """A name like `explosion-figure` stays; a random one changes with each editor."""
    ids = [cell["id"] for cell in load(path)["cells"]]
    assert len(set(ids)) == len(ids)
    for name in ids:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), name
        assert not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?", name), name


@each_notebook
def test_it_opens_with_its_only_title_and_skips_no_heading_level(path: Path) -> None:
    """The outline is what screen readers and the page's contents go by."""
    first = load(path)["cells"][0]
    assert first["cell_type"] == "markdown"
    assert source(first).startswith("# ")
    text = without_code("\n\n".join(source(cell) for cell in cells(path, "markdown")))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.M)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@each_notebook
def test_markdown_reads_well_without_sphinx(path: Path) -> None:
    """Colab and JupyterLab show directives and roles raw."""
    for cell in cells(path, "markdown"):
        text = source(cell)
        assert not (found := DIRECTIVE.search(text)), (cell["id"], found)
        assert not (found := ROLE.search(without_fences(text))), (cell["id"], found)
        # Maths may hold double braces.
        assert not (found := OTHER_SPHINX.search(prose(text))), (cell["id"], found)


@each_notebook
def test_maths_is_written_between_dollars(path: Path) -> None:
    """The one notation that the site, JupyterLab, Colab and GitHub share."""
    for cell in cells(path, "markdown"):
        for left_over in ("$", r"\(", r"\[", r"\begin{"):
            assert left_over not in prose(source(cell)), (cell["id"], left_over)


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


@each_notebook
def test_it_runs_small_with_another_seed_from_an_empty_folder(path: Path, tmp_path: Path) -> None:
    """As for a reader who has the package and this one file."""
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "executed.ipynb")]
    workplace = tmp_path / "empty"
    workplace.mkdir()
    command += ["--kernel", "python3", "--cwd", str(workplace), "--no-progress-bar"]
    command += ["-p", "scale", "smoke", "-p", "seed", "7"]
    # One thread: two that spin beside another program on the same cores take many times as long.
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        command, cwd=workplace, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
