"""The study on a Dask cluster: real processes on loopback, and what becomes of it when they die."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bijepa_book.cli import main
from bijepa_book.evidence import runner
from bijepa_book.evidence.grid import Condition, conditions
from bijepa_book.evidence.runner import run_study
from bijepa_book.evidence.worker import run_part

pytest.importorskip("distributed")

SEEDS = {"sine": 2}
PATIENCE = 120  # seconds until a test gives up on a process; a quiet machine needs two
ADDRESS = "tcp://127.0.0.1:1"


def short() -> list[Condition]:
    """Four conditions of sine, 20 steps each."""
    wanted = ("baselines", "classic", "expressive", "restrictive")
    return [
        replace(c, experiment=replace(c.experiment, steps=20))
        for c in conditions("sine")
        if c.name in wanted
    ]


# Parts, for a worker to import: this file is on its path


def some(condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
    """The study's own part for the condition expressive; the others' have a number in no time."""
    if condition.name == "expressive":
        return run_part(condition, seeds, device)
    return instant(condition, seeds, device)


def fatal_once(
    notes: Path, condition: Condition, seeds: tuple[int, ...], device: str
) -> dict[str, Any]:
    """The same, but the first worker that comes to the condition classic is killed."""
    alone = notes / f"{os.getpid()}.running"
    alone.touch(exist_ok=False)  # a process does one part at a time, whatever its threads
    (notes / f"{condition.name}.{os.getpid()}").touch()
    if condition.name == "classic" and len(list(notes.glob("classic.*"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    result = some(condition, seeds, device)
    alone.unlink()
    return result


def always_fatal(condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def instant(condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
    values = [seed + len(condition.key) / 7 for seed in seeds]
    return {
        "seeds": list(seeds), "measures": {"made-up": values}, "curves": {},
        "diverged": [], "provenance": {"seconds": 0.0},
    }  # fmt: skip


# The cluster


class Cluster:
    """A scheduler and its workers, each a process of its own.

    Args:
        folder: for the scheduler's address and what the processes print.
        failures: workers that a part may kill before the scheduler gives it up.
    """

    def __init__(self, folder: Path, failures: int) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)]),
            "DASK_TEMPORARY_DIRECTORY": str(folder),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(failures),
        }
        self.start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(self.file),
        )  # fmt: skip
        self.address = json.loads(awaited(self._written))["address"]

    def _written(self) -> str | None:
        """What is in the scheduler's file, once that is there and whole."""
        text = self.file.read_text() if self.file.is_file() else ""
        return text if text.rstrip().endswith("}") else None

    def start(self, program: str, *options: str) -> None:
        with open(self.folder / f"{len(self.processes)}.log", "wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", f"distributed.cli.{program}", *options],
                    stdout=log, stderr=log, cwd=self.folder, env=self.environment,
                )
            )  # fmt: skip

    def worker(self, threads: int = 1) -> None:
        """Start a worker, without the nanny that would start it again."""
        self.start(
            "dask_worker", self.address, "--host", "127.0.0.1", "--no-nanny", "--no-dashboard",
            "--nthreads", str(threads), "--local-directory", str(self.folder),
        )  # fmt: skip

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def awaited(condition: Callable[[], str | None]) -> str:
    """What a condition gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := condition()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers, which gives a part up that has killed two of them."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Cluster(folder, failures=1)
    try:
        yield started
    finally:
        started.close()


def numbers(files: list[Path]) -> list[dict[str, Any]]:
    """Records without their provenance, which holds times."""
    records = [json.loads(path.read_text()) for path in files]
    return [{k: v for k, v in record.items() if k != "provenance"} for record in records]


@pytest.mark.slow
def test_the_life_of_a_cluster(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one test, because each of its processes needs seconds to import PyTorch
    notes, there, said = tmp_path / "notes", tmp_path / "there", list[str]()
    notes.mkdir()

    def run(part: runner.Part, conditions: list[Condition] | None = None) -> list[Path]:
        return run_study(
            conditions or short(), SEEDS, there, dask=cluster.address, resume=True,
            say=said.append, part=part,
        )  # fmt: skip

    # without workers
    with monkeypatch.context() as patch:
        patch.setattr(runner, "APPEAR", 0.5)
        with pytest.raises(OSError, match=rf"no worker after 0\.5 s.*{cluster.address} --nthreads"):
            run(instant)

    # a package that is on this side alone
    for _ in range(2):
        cluster.worker(threads=2)
    absent = ModuleType("only_on_this_side")
    exec("def part(condition, seeds, device): pass", absent.__dict__)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, absent.__name__, absent)
        with pytest.raises(OSError, match=r"could not load the study\. Install the same version"):
            run(absent.part)
    assert not list(there.glob("*.json"))

    # a worker is killed midway
    said.clear()
    files = run(partial(fatal_once, notes))
    assert sorted((p.wait(0) if p.poll() else 0) for p in cluster.processes) == [-9, 0, 0]
    assert len(list(notes.glob("classic.*"))) == 2  # two processes have tried it
    assert len(said) == 1 + len(files) == 5  # each part is told of once
    here = run_study(short(), SEEDS, tmp_path / "here", jobs=1, say=said.append, part=some)
    assert numbers(files) == numbers(here)
    assert sorted(there.glob("*.json*")) == sorted(files)  # no half-written file beside them

    # a part that kills whoever tries it
    cluster.worker()
    fifth = replace(short()[0], name="fifth")
    with pytest.raises(OSError, match=r"a part killed every worker .* --resume"):
        run(always_fatal, [*short(), fifth])
    assert sorted(there.glob("*.json*")) == sorted(files)


def test_nobody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "CONNECT", 1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        began = time.monotonic()
        assert main(["evidence", "--dask", address, "--results", str(tmp_path / "r")]) == 2
    assert time.monotonic() - began < PATIENCE
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"bijepa: no Dask scheduler answers at {address}")
    assert not list((tmp_path / "r").glob("*.json"))


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    for address in ("nonsense://127.0.0.1:1", "127.0.0.1:no-number"):
        with pytest.raises(OSError, match=f"no Dask scheduler answers at {address}"):
            run_study(short(), SEEDS, tmp_path, dask=address, say=lambda _: None, part=instant)


def test_without_dask_the_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'bijepa-core\[cluster\]'"):
        run_study(short(), SEEDS, tmp_path, dask=ADDRESS, say=lambda _: None, part=instant)
