"""Execute the book's notebooks, and keep of an execution only what belongs in the book.

A notebook run at the scale that its own `parameters` cell states is renewed in place. At another
scale its outputs would contradict its source, so the result goes to `_build/notebooks/<scale>/`.
"""

import argparse
import base64
import io
import json
import os
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from PIL import Image

STORED_SCALE = "paper"  # what the `parameters` cell of every notebook says
SCALES = ("smoke", "paper", "full")
ELSEWHERE = Path(__file__).parents[1] / "_build" / "notebooks"

# What folds a solution away in Colab (cellView) and JupyterLab (jupyter) stays as well.
KEPT_CELL_METADATA = ("cellView", "jupyter", "mystnb", "tags")
WIDGET = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}

Json = dict[str, Any]


def join_streams(outputs: list[Json]) -> list[Json]:
    """Join neighboring pieces of one stream, which arrive cut up by chance."""
    joined: list[Json] = []
    for output in outputs:
        # Only streams have a name: two outputs without one never match here.
        if joined and output.get("name") is not None and joined[-1].get("name") == output["name"]:
            text = "".join(joined[-1]["text"]) + "".join(output["text"])
            joined[-1]["text"] = text.splitlines(keepends=True)
        else:
            joined.append(deepcopy(output))
    return joined


def light(picture: str) -> str:
    """A picture in at most 256 colors, at about a third of its weight.

    Figures are lines, dots and letters on white: nothing that an eye could see is lost. A picture
    that has a palette already stays as it is.

    Args:
        picture: a PNG file, base64.

    Returns:
        The same, lighter.
    """
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        if image.mode == "P":
            return picture
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, format="PNG", optimize=True, dpi=image.info.get("dpi"))
    return base64.b64encode(buffer.getvalue()).decode() + "\n"


def clean(notebook: Json) -> Json:
    """Copy a notebook without what differs from run to run or from machine to machine.

    Gone are the cell that papermill adds, and its metadata; times of execution; the editor's
    metadata; the kernel's versions; widgets (random names, and dead without a kernel). Execution
    counts become 1, 2, 3, ... where a cell was executed. Pictures become :func:`light`. Cleaning
    twice changes nothing more.

    Args:
        notebook: The notebook's JSON, of format 4.5; it is not changed.
    """
    cells = []
    executed = 0
    for cell in deepcopy(notebook["cells"]):
        metadata = {k: cell["metadata"][k] for k in KEPT_CELL_METADATA if cell["metadata"].get(k)}
        if "injected-parameters" in metadata.get("tags", []):
            continue
        cell["metadata"] = metadata
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        cell["outputs"] = join_streams(
            [o for o in cell["outputs"] if WIDGET not in o.get("data", {})]
        )
        if cell["execution_count"] is not None:
            executed += 1
            cell["execution_count"] = executed
        for output in cell["outputs"]:
            if output["output_type"] == "execute_result":
                output["execution_count"] = cell["execution_count"]
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = light("".join(output["data"]["image/png"]))
    return {**notebook, "cells": cells, "metadata": NOTEBOOK_METADATA}


def dumps(notebook: Json) -> str:
    """Give the notebook's text in the form in which Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def run(path: Path, scale: str, elsewhere: Path = ELSEWHERE) -> Path:
    """Execute one notebook in its own folder.

    Args:
        path: The notebook.
        scale: `smoke`, `paper` or `full`.
        elsewhere: The folder for results at another than the stored scale.

    Returns:
        The file written: `path` itself at the stored scale, else one below `elsewhere`.

    Raises:
        papermill.PapermillExecutionError: A cell failed; the file is left as it was.
    """
    import papermill  # here, for the rest needs nothing installed

    destination = path if scale == STORED_SCALE else elsewhere / scale / path.name
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".run-") as folder:
        executed = Path(folder) / path.name
        papermill.execute_notebook(
            str(path),
            str(executed),
            parameters={} if scale == STORED_SCALE else {"scale": scale},
            kernel_name="python3",
            cwd=str(path.parent),
            progress_bar=False,
        )
        executed.write_text(dumps(clean(json.loads(executed.read_text("utf-8")))), "utf-8")
        os.replace(executed, destination)
    return destination


def main() -> None:
    """Run the notebooks named on the command line, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--scale", choices=SCALES, default=STORED_SCALE)
    arguments = parser.parse_args()
    for path in arguments.notebooks:
        print(f"{path}: running at scale {arguments.scale!r} ...", flush=True)
        print(f"{path}: written to {run(path, arguments.scale)}", flush=True)


if __name__ == "__main__":
    main()
