"""Measure how long the notebooks take: python tools/timings.py [NOTEBOOK ...].

Runs each at both scales of the table, and keeps nothing but the time. Let nothing else run
meanwhile.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from bijepa_book import records
from bijepa_core._support.provenance import provenance

ROOT = Path(__file__).parents[1]
SCALES = ("smoke", "paper")
NAME = "times"


def hardware(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What this machine computes on, in words."""
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} CPU cores ({model}), {gpu}"


def measure(path: Path, scale: str) -> float:
    """Execute a notebook in an empty folder and give the seconds it took.

    Raises:
        papermill.PapermillExecutionError: A cell failed.
    """
    import papermill  # here, for the rest needs nothing installed

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        papermill.execute_notebook(
            str(path),
            None,
            parameters={"scale": scale},
            kernel_name="python3",
            cwd=folder,
            progress_bar=False,
        )
    return round(time.perf_counter() - began, 1)


def main(notebooks: list[Path]) -> None:
    """Measure the named notebooks, or all; the others' times stay as recorded."""
    began = time.perf_counter()
    known = (records.results_folder() / f"{NAME}.json").is_file()
    times: dict[str, Any] = records.load(NAME)["notebooks"] if notebooks and known else {}
    for path in notebooks or sorted((ROOT / "book").glob("*.ipynb")):
        times[path.stem] = {scale: measure(path, scale) for scale in SCALES}
        print(path.stem, times[path.stem], flush=True)
    made = provenance(torch.device("cpu"), time.perf_counter() - began)
    content = {"hardware": hardware(), "notebooks": times, "provenance": made}
    print(records.save(NAME, content))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path)
    main(parser.parse_args().notebooks)
