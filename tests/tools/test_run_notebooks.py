"""`make notebooks` keeps a notebook's source and outputs, and nothing of the run that made them."""

import copy
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "run_notebooks.py"))


def code(name: str, count: int | None, *outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Build a code cell as a run leaves it."""
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {
            "execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"},
            "papermill": {"duration": 0.1},
            "tags": [],
            **metadata,
        },
        "source": [f"{name}()"],
        "execution_count": count,
        "outputs": list(outputs),
    }


@pytest.fixture
def executed() -> dict[str, Any]:
    """A notebook as papermill leaves it, all that may stand in one included."""
    printed = [
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "tw"]},
        {"output_type": "stream", "name": "stdout", "text": ["o\n"]},
        {"output_type": "stream", "name": "stderr", "text": ["three\n"]},
    ]
    widget = {
        "output_type": "display_data",
        "metadata": {},
        "data": {TOOL["WIDGET"]: {"model_id": "0f"}, "text/plain": ["Slider()"]},
    }
    result = {
        "output_type": "execute_result",
        "metadata": {},
        "execution_count": 4,
        "data": {"text/plain": ["1"]},
    }
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "name": "other"},
            "language_info": {"name": "python", "version": "3.12.1"},
            "papermill": {"duration": 1.0},
            "widgets": {"state": {}},
        },
        "cells": [
            {"cell_type": "markdown", "id": "title", "metadata": {"tags": []}, "source": ["# T"]},
            code("parameters", 1, tags=["parameters"]),
            code("injected", 2, tags=["injected-parameters"]),
            code("prints", 3, *printed),
            code("shows", 4, widget, result, mystnb={"image": {"alt": "a figure"}}),
            code("waits", None),
        ],
    }


def test_only_what_belongs_in_the_book_is_left(executed: dict[str, Any]) -> None:
    cleaned = TOOL["clean"](executed)
    cells = {cell["id"]: cell for cell in cleaned["cells"]}

    assert cleaned["metadata"] == TOOL["NOTEBOOK_METADATA"]
    assert list(cells) == ["title", "parameters", "prints", "shows", "waits"]
    assert [cell["metadata"] for cell in cells.values()] == [
        {},
        {"tags": ["parameters"]},
        {},
        {"mystnb": {"image": {"alt": "a figure"}}},
        {},
    ]


def test_cells_are_counted_as_if_nothing_had_been_injected(executed: dict[str, Any]) -> None:
    cells = TOOL["clean"](executed)["cells"]
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == [1, 2, 3, None]
    assert cells[3]["outputs"][0]["execution_count"] == 3


def test_pieces_of_one_stream_are_joined_and_widgets_dropped(executed: dict[str, Any]) -> None:
    cells = TOOL["clean"](executed)["cells"]
    assert [output["text"] for output in cells[2]["outputs"]] == [["one\n", "two\n"], ["three\n"]]
    assert [output["output_type"] for output in cells[3]["outputs"]] == ["execute_result"]


def test_cleaning_again_changes_nothing_and_leaves_its_argument(executed: dict[str, Any]) -> None:
    before = copy.deepcopy(executed)
    once = TOOL["clean"](executed)
    assert executed == before
    assert TOOL["clean"](once) == once


def store(folder: Path, source: str) -> Path:
    """Write a notebook of two cells, its parameters and the given source."""
    cells = [
        code("parameters", None, tags=["parameters"]) | {"source": ['scale = "paper"']},
        code("result", None) | {"source": [source]},
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path = folder / "tiny.ipynb"
    path.write_text(TOOL["dumps"](TOOL["clean"](notebook)), "utf-8")
    return path


def printed(path: Path) -> str:
    """Give what the last cell of a notebook printed."""
    return "".join(json.loads(path.read_text("utf-8"))["cells"][-1]["outputs"][0]["text"])


@pytest.mark.notebook
def test_the_stored_scale_runs_in_place_and_in_the_notebooks_folder(tmp_path: Path) -> None:
    path = store(tmp_path, "import os\n\nprint(scale, os.path.basename(os.getcwd()))")
    assert TOOL["run"](path, "paper") == path
    assert printed(path) == f"paper {tmp_path.name}\n"
    assert path.read_text("utf-8") == TOOL["dumps"](TOOL["clean"](json.loads(path.read_text())))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.notebook
def test_another_scale_is_written_elsewhere(tmp_path: Path) -> None:
    path = store(tmp_path, "print(scale)")
    before = path.read_bytes()
    written = TOOL["run"](path, "smoke", tmp_path / "elsewhere")
    assert written == tmp_path / "elsewhere" / "smoke" / "tiny.ipynb"
    assert printed(written) == "smoke\n"
    assert path.read_bytes() == before


@pytest.mark.notebook
def test_a_notebook_that_fails_is_left_as_it_was(tmp_path: Path) -> None:
    path = store(tmp_path, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        TOOL["run"](path, "paper")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
