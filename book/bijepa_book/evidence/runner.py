"""The whole study: spread over processes or a cluster, stopped and resumed at will."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from joblib import cpu_count

from bijepa_book.evidence import stored
from bijepa_book.evidence.grid import BASELINES, Condition
from bijepa_book.evidence.worker import CHUNKS, merged, run_part
from bijepa_book.process import end_with, unheard_by_children
from bijepa_book.records import in_lines, results_folder
from bijepa_core._support.checks import check_counts
from bijepa_core._support.files import atomic_write
from bijepa_core._support.locks import folder_lock

COST = {"sine": 1.0, "lorenz": 2.5, "mnist": 60.0}
"""Seconds of one core per 2,000 steps and seed, roughly: for the time left, nothing else."""
SEEDS = {"sine": 32, "lorenz": 32, "mnist": 8}
Part = Callable[[Condition, tuple[int, ...], str], dict[str, Any]]
Indexed = tuple[int, dict[str, Any]]
Spread = Callable[[Iterable[Callable[[], Indexed]]], Iterator[Indexed]]
"""From calls to their results, as they come."""
CONNECT, APPEAR = 10, 60  # seconds until a Dask scheduler answers, until it has a worker
STORED = {"in_dim": "inputs", "hidden_dim": "hidden", "embed_dim": "embedding"}
"""What the records, which are never renamed, call sizes."""
ALONE = threading.Lock()
"""Held by the part that a process is at: PyTorch's threads and generator are the process's."""


class Task(NamedTuple):
    """A part of the study that is still to do."""

    condition: Condition
    seeds: tuple[int, ...]

    @property
    def cost(self) -> float:
        """Roughly, in seconds of one core."""
        experiment = self.condition.experiment
        larger = experiment.batch_size / (256 if experiment.name == "mnist" else 64)
        steps = 200 if self.condition.name == BASELINES else experiment.steps * larger
        return COST[experiment.name] * steps / 2_000 * len(self.seeds)


def load(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The study's records.

    Args:
        folder: where; the recorded study by default.

    Returns:
        By :attr:`Condition.key`.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: naming one that is not whole, or not of the study.
    """
    place = folder or results_folder() / "evidence"
    records = {path.stem: stored.read(path) for path in sorted(place.glob("*.json"))}
    if not records:
        raise FileNotFoundError(
            f"no results in {place}. Make some with: bijepa evidence --results {place}"
        )
    return records


def description(condition: Condition) -> dict[str, Any]:
    """A condition as plain data: what a record must agree on to be added to."""
    return {
        "condition": condition.name,
        "length": condition.length,
        "shared_predictor": condition.shared,
        "experiment": {STORED.get(k, k): v for k, v in condition.experiment.plain().items()},
        "configuration": condition.configuration.plain(),
    }


def tasks(
    conditions: Sequence[Condition], seeds: Mapping[str, int], records: Mapping[str, Any]
) -> list[Task]:
    """What is missing, in chunks of seeds with fixed borders.

    Args:
        conditions: to run.
        seeds: how many, by experiment: seeds 0, 1, ...
        records: what is there, by key.

    Returns:
        The tasks, in the order of the conditions.

    Raises:
        ValueError: if a record is of another condition than its name says.
    """
    todo = []
    for condition in conditions:
        name = condition.experiment.name
        record = records.get(condition.key)
        done = set(record["seeds"]) if record else set()
        if record and any(record[k] != v for k, v in description(condition).items()):
            raise ValueError(
                f"the record {condition.key} was made under other settings than the study's now. "
                "Results of two kinds must not mix: choose other --results, or move the file away."
            )
        for start in range(0, seeds[name], CHUNKS[name]):
            chunk = range(start, min(start + CHUNKS[name], seeds[name]))
            left = tuple(seed for seed in chunk if seed not in done)
            if left:
                todo.append(Task(condition, left))
    return todo


def run_study(
    conditions: Sequence[Condition],
    seeds: Mapping[str, int],
    folder: Path,
    *,
    jobs: int = -1,
    resume: bool = False,
    dask: str | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = print,
    part: Part = run_part,
) -> list[Path]:
    """Run what is missing and write each result as it comes.

    Only this process writes, and it writes files whole: whatever is killed, and whenever, a
    second start with ``resume`` does what is missing and ends with the same numbers. It holds the
    folder's lock, and reads a file again before it writes it: what another machine, which the
    lock may not reach, has put there stays.

    Args:
        conditions: to run, in order of importance.
        seeds: how many, by experiment.
        folder: for one JSON a condition.
        jobs: processes; -1 for one a core; never more than parts. Ignored with ``dask``.
        resume: add to results that are there already.
        dask: address of a Dask scheduler, such as ``tcp://host:8786``. Its workers had best be
            processes of one thread: in one process, parts wait for each other.
        device: for the workers.
        say: told what has finished and how long the rest may take.
        part: does one task; the study's own by default.

    Returns:
        The files of the conditions, in order.

    Raises:
        ValueError: if there are results and ``resume`` is not set, or they do not fit, or a
            number is out of range; before any work.
        FolderError: if the folder cannot be written to, or another study is writing there; before
            any work.
        ModuleNotFoundError: if ``dask`` is asked for and not installed; before any work.
        OSError: if no scheduler or no worker answers, before any work; if processes that do
            the work were killed, or a file cannot be written.
    """
    check_counts(**{f"seeds of {name}": count for name, count in seeds.items()})
    if jobs == 0 or jobs < -1:
        raise ValueError(f"jobs must be positive, or -1 for one a core; received {jobs}.")
    with folder_lock(folder):
        there = [c for c in conditions if file(c, folder).is_file()]
        records = {c.key: stored.read(file(c, folder)) for c in there}
        if records and not resume:
            raise ValueError(
                f"{folder} holds results already ({len(records)} of {len(conditions)} conditions). "
                "Add --resume to do only what is missing, or choose other --results."
            )
        todo = tasks(conditions, seeds, records)
        began, spent, total = time.perf_counter(), 0.0, sum(task.cost for task in todo)
        count = max(min(cpu_count() if jobs == -1 else jobs, len(todo)), 1)
        who = f"{count} process(es) of one thread" if dask is None else f"the cluster at {dask}"
        say(f"{len(todo)} parts to do in {len(conditions)} conditions: {who}, on {device}")
        with _processes(count) if dask is None else _cluster(dask) as results_of:
            calls = (partial(_indexed, part, i, task, device) for i, task in enumerate(todo))
            for done, (i, result) in enumerate(results_of(calls), start=1):
                task = todo[i]
                key, path = task.condition.key, file(task.condition, folder)
                before = [records[key]] if key in records else []
                if path.is_file():
                    before.append(stored.read(path))
                records[key] = _joined(task.condition, before, result)
                atomic_write(path, in_lines(records[key]))
                spent += task.cost
                passed = time.perf_counter() - began
                say(
                    f"{key}: seeds {task.seeds[0]} to {task.seeds[-1]} in "
                    f"{result['provenance']['seconds']:.0f} s; {done} of {len(todo)} parts, about "
                    f"{_clock(passed * (total - spent) / spent)} left"
                )
    return [file(c, folder) for c in conditions]


def file(condition: Condition, folder: Path) -> Path:
    """The file of a condition's results."""
    return folder / f"{condition.key}.json"


def _indexed(part: Part, i: int, task: Task, device: str) -> Indexed:
    with ALONE:
        return i, part(task.condition, task.seeds, device)


@contextmanager
def _processes(jobs: int) -> Iterator[Spread]:
    """Processes of this machine: one a core and a thread each, for the models are small."""
    from joblib import Parallel, delayed, parallel_config

    def results_of(calls: Iterable[Callable[[], Indexed]]) -> Iterator[Indexed]:
        parallel = Parallel(
            return_as="generator_unordered",
            pre_dispatch="2 * n_jobs",
            initializer=end_with,
            initargs=(os.getpid(),),
        )
        with unheard_by_children():  # here they start
            return parallel(delayed(call)() for call in calls)

    with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        try:
            yield results_of
        except BrokenExecutor as error:
            raise OSError(
                "a process that did the work was killed, perhaps for want of memory. What had "
                "finished is written: go on with --resume, and with fewer --jobs."
            ) from error


@contextmanager
def _cluster(address: str) -> Iterator[Spread]:
    """A Dask cluster.

    Not through joblib, which waits for ever where a worker cannot load the package, or dies again
    and again.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "--dask needs Dask: pip install 'bijepa-core[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no Dask scheduler answers at {address}. Start one with: dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=APPEAR)
        except TimeoutError as error:
            raise OSError(
                f"the Dask scheduler at {address} has no worker after {APPEAR} s. Start one with: "
                f"dask worker {address} --nthreads 1"
            ) from error

        def results_of(calls: Iterable[Callable[[], Indexed]]) -> Iterator[Indexed]:
            futures = [client.submit(call, pure=False) for call in calls]
            finished = as_completed(futures, loop=client.loop, with_results=True)
            return (result for _, result in finished)

        try:
            yield results_of
        except (KilledWorker, CancelledError) as error:
            raise OSError(
                f"the Dask cluster at {address} lost its scheduler, or a part killed every worker "
                "that tried it. What had finished is written: go on with --resume."
            ) from error
        except RuntimeError as error:
            if "deserialization" not in str(error):  # which is Dask's word alone
                raise
            raise OSError(
                f"the Dask cluster at {address} could not load the study. Install the same version "
                "of bijepa-core wherever its scheduler and its workers run."
            ) from error


def _joined(
    condition: Condition, before: list[dict[str, Any]], result: dict[str, Any]
) -> dict[str, Any]:
    """What is known of a condition, with one more part; of a seed that comes twice, the first."""
    parts: list[dict[str, Any]] = []
    found: set[int] = set()
    origin = {"seeds": result["seeds"], **result["provenance"]}
    for part in [*(p for record in before for p in record["provenance"]["parts"]), origin]:
        new = [seed for seed in part["seeds"] if seed not in found]
        if new:
            parts.append({**part, "seeds": new})
            found.update(new)
    parts.sort(key=lambda part: part["seeds"])
    return {
        **description(condition),
        **merged([*before, result]),
        "provenance": {
            "core_seconds": round(sum(part["seconds"] for part in parts), 1),
            "parts": parts,
        },
    }


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
