"""The study is spread, stopped, killed and resumed, and its numbers stay the same."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import torch

from bijepa_book import cli
from bijepa_book.evidence import metrics, runner
from bijepa_book.evidence.grid import Condition, all_conditions, conditions
from bijepa_book.evidence.runner import load, run_study, tasks
from bijepa_book.evidence.worker import run_part
from bijepa_core._support.locks import folder_lock
from bijepa_core.data import series

SEEDS = {"sine": 20}  # two chunks: 0 to 15, and 16 to 19
PATIENCE = 120  # seconds until a test gives up on a process; a quiet machine needs three
Call = tuple[str, tuple[int, ...]]


def some(*names: str, steps: int = 20) -> list[Condition]:
    """Conditions of sine, shortened; three of them if none is named."""
    wanted = names or ("baselines", "classic", "expressive")
    return [
        replace(c, experiment=replace(c.experiment, steps=steps))
        for c in conditions("sine")
        if c.name in wanted
    ]


# Parts: here, for another process to import


def invented(*what: object) -> float:
    return zlib.crc32(repr(what).encode()) / 2**32


def made_up(
    notes: Path, condition: Condition, seeds: tuple[int, ...], device: str
) -> dict[str, Any]:
    """Numbers that depend on condition and seed alone; each call leaves a file."""
    call = {"key": condition.key, "seeds": seeds, "device": device}
    (notes / f"{uuid4().hex}.call").write_text(json.dumps(call))
    first = [invented(condition.key, seed) for seed in seeds]
    return {
        "seeds": list(seeds),
        "measures": {"first": first, "second": [None if a < 0.2 else -a for a in first]},
        "curves": {"steps": [0, 10], "norm": [[a, 2 * a] for a in first]},
        "diverged": [seed for seed, a in zip(seeds, first, strict=True) if a < 0.2],
        "provenance": {"seconds": 1.5, "device": device},
    }


def stuck(notes: Path, condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
    """The same, but the second chunk of the condition classic is never done with."""
    if condition.name == "classic" and seeds[0] == 16:
        (notes / "stuck").touch()
        time.sleep(PATIENCE)
    return made_up(notes, condition, seeds, device)


def fatal_once(
    notes: Path, condition: Condition, seeds: tuple[int, ...], device: str
) -> dict[str, Any]:
    """The same, but the first process that comes to the condition classic is killed."""
    if condition.name == "classic" and not (notes / "killed").exists():
        (notes / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return made_up(notes, condition, seeds, device)


def trained(condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
    """The study's own part, on a tenth of the data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "PROBE", 200)
        patch.setattr(series, "HELD_OUT", 300)
        patch.setattr(metrics, "LOOKED_AT", 100)
        return run_part(condition, seeds, device)


def calls(notes: Path) -> list[Call]:
    """What was asked of the parts, sorted."""
    made = [json.loads(path.read_text()) for path in notes.glob("*.call")]
    return sorted((call["key"], tuple(call["seeds"])) for call in made)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where parts note that they were called."""
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def straight(tmp_path: Path) -> dict[str, bytes]:
    """The files of an uninterrupted run."""
    folder = tmp_path / "straight-notes"
    folder.mkdir()
    out = tmp_path / "straight"
    return content(run_made_up(some(), out, folder))


@pytest.fixture(scope="module")
def no_process_stays() -> Iterator[None]:
    """Ends joblib's processes, which would wait for more work."""
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def run_made_up(wanted: list[Condition], out: Path, notes: Path, **options: Any) -> list[Path]:
    """A silent study with invented numbers."""
    defaults: dict[str, Any] = {
        "jobs": 1,
        "say": lambda _: None,
        "part": partial(made_up, notes),
        "seeds": SEEDS,
    }
    return run_study(wanted, folder=out, **(defaults | options))


def content(files: list[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files}


def whole(folder: Path) -> list[Path]:
    """The results in a folder, after a look that each can be read."""
    files = sorted(folder.glob("*.json"))
    for path in files:
        json.loads(path.read_text())
    return files


def wait_for(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    """Until a condition holds that a process is to bring about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the process has ended before its time"
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def python(script: str, log: Path, *arguments: object) -> "subprocess.Popen[bytes]":
    """A Python process of its own group, which can import this file; what it says is logged."""
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    with open(log, "wb") as said:
        return subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True, stdout=said, stderr=said,
        )  # fmt: skip


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(PATIENCE)


# What is written


def test_each_condition_is_a_file_with_all_seeds_and_their_origin(
    tmp_path: Path, notes: Path
) -> None:
    out, wanted = tmp_path / "results", some()
    files = run_made_up(wanted, out, notes, device="cuda")
    assert sorted(out.glob("*.json")) == sorted(files)
    assert [path.stem for path in files] == [c.key for c in wanted]
    for condition, path in zip(wanted, files, strict=True):
        record = json.loads(path.read_text())
        first = [invented(condition.key, seed) for seed in range(20)]
        assert record["seeds"] == list(range(20))
        assert record["measures"]["first"] == first
        assert record["curves"] == {"steps": [0, 10], "norm": [[a, 2 * a] for a in first]}
        assert record["diverged"] == [seed for seed in range(20) if first[seed] < 0.2]
        assert record["condition"] == condition.name
        assert record["length"] == "paper"
        assert record["experiment"]["steps"] == 20
        assert record["configuration"]["alpha"] == condition.configuration.alpha
        origin = record["provenance"]
        assert origin["core_seconds"] == 3.0
        assert [(p["seeds"][0], p["seeds"][-1], p["device"]) for p in origin["parts"]] == [
            (0, 15, "cuda"),
            (16, 19, "cuda"),
        ]
    assert load(out) == {path.stem: json.loads(path.read_text()) for path in files}


@pytest.mark.slow
def test_two_processes_give_exactly_what_one_gives(tmp_path: Path, no_process_stays: None) -> None:
    wanted = some("classic", "expressive")
    records = []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        run_study(wanted, {"sine": 2}, out, jobs=jobs, say=lambda _: None, part=trained)
        records.append(load(out))
    one, two = records
    assert one.keys() == two.keys() == {c.key for c in wanted}
    for key, record in one.items():
        assert len(record["measures"]["fair_a"]) == 2
        origins = [record.pop("provenance"), two[key].pop("provenance")]
        assert origins[0]["parts"][0]["torch"] == torch.__version__.split("+")[0]
        assert [p["threads"] for origin in origins for p in origin["parts"]] == [1, 1]
        assert record == two[key]


def test_no_results_are_no_study(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="bijepa evidence --results"):
        load(tmp_path)


# Stop and resume


def test_results_are_not_added_to_unasked(tmp_path: Path, notes: Path) -> None:
    first, *rest = some()
    files = run_made_up([first], tmp_path / "r", notes)
    before, done = content(files), calls(notes)
    with pytest.raises(ValueError, match=r"\(1 of 3 conditions\)\. Add --resume"):
        run_made_up([first, *rest], tmp_path / "r", notes)
    assert content(whole(tmp_path / "r")) == before
    assert calls(notes) == done
    run_made_up(rest, tmp_path / "r", notes)  # other conditions are no obstacle


def test_only_what_is_missing_is_done(
    tmp_path: Path, notes: Path, straight: dict[str, bytes]
) -> None:
    out, wanted = tmp_path / "r", some()
    files = run_made_up(wanted, out, notes, seeds={"sine": 16})
    files[1].unlink()
    before = calls(notes)
    (again := tmp_path / "again").mkdir()
    run_made_up(wanted, out, again, resume=True)
    baselines, classic, expressive = (c.key for c in wanted)
    late = tuple(range(16, 20))
    assert calls(again) == [
        (baselines, late), (classic, tuple(range(16))), (classic, late), (expressive, late)
    ]  # fmt: skip
    assert len(before) == 3
    assert content(files) == straight
    (idle := tmp_path / "idle").mkdir()
    assert run_made_up(wanted, out, idle, resume=True) == files
    assert calls(idle) == []


def test_fewer_seeds_than_recorded_are_no_work(tmp_path: Path, notes: Path) -> None:
    files = run_made_up(some(), tmp_path / "r", notes)
    before = content(files)
    (idle := tmp_path / "idle").mkdir()
    run_made_up(some(), tmp_path / "r", idle, seeds={"sine": 3}, resume=True)
    assert calls(idle) == []
    assert content(files) == before


def test_chunks_have_fixed_borders(tmp_path: Path, notes: Path) -> None:
    wanted = some("classic")
    (path,) = run_made_up(wanted, tmp_path / "r", notes, seeds={"sine": 5})
    record = json.loads(path.read_text())
    left = tasks(wanted, {"sine": 40}, {wanted[0].key: record})
    assert [(t.seeds[0], t.seeds[-1]) for t in left] == [(5, 15), (16, 31), (32, 39)]


def test_results_of_two_kinds_do_not_mix(tmp_path: Path, notes: Path) -> None:
    files = run_made_up(some(), tmp_path / "r", notes)
    before, done = content(files), calls(notes)
    with pytest.raises(ValueError, match=r"sine-baselines-paper .* or move the file away"):
        run_made_up(some(steps=21), tmp_path / "r", notes, resume=True)
    assert content(files) == before
    assert calls(notes) == done


def test_what_another_machine_has_written_meanwhile_stays(
    tmp_path: Path, notes: Path, straight: dict[str, bytes]
) -> None:
    """A lock may not reach over a network: each file is read again before it is written."""
    out, there = tmp_path / "r", tmp_path / "there"
    run_made_up(some(), there, notes)
    expected, at_once = content(whole(there)), iter([True])

    def part(condition: Condition, seeds: tuple[int, ...], device: str) -> dict[str, Any]:
        if next(at_once, False):
            for path in whole(there):
                record = json.loads(path.read_text())
                late = [i for i, seed in enumerate(record["seeds"]) if seed > 10]
                record["seeds"] = record["seeds"][11:]
                for name, values in record["measures"].items():
                    record["measures"][name] = [values[i] for i in late]
                norms = record["curves"]["norm"]
                record["curves"]["norm"] = [norms[i] for i in late]
                record["diverged"] = [seed for seed in record["diverged"] if seed > 10]
                for origin in record["provenance"]["parts"]:
                    origin["seeds"] = [seed for seed in origin["seeds"] if seed > 10]
                (out / path.name).write_text(json.dumps(record))
        return made_up(notes, condition, seeds, device)

    files = run_made_up(some(), out, notes, part=part, seeds={"sine": 16})
    for path in files:  # 0 to 15 are ours, 16 to 19 the other's; 11 to 15 both had
        ours, all_of_them = json.loads(path.read_text()), json.loads(expected[path.name])
        for record in (ours, all_of_them):
            del record["provenance"]
        assert ours == all_of_them
    assert load(out).keys() == load(there).keys()


def test_a_second_study_in_a_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with folder_lock(tmp_path):
        assert cli.main(["evidence", "--results", str(tmp_path)]) == 2
    assert f"another run is writing to {tmp_path}" in capsys.readouterr().err


def test_there_are_never_more_processes_than_parts(tmp_path: Path, notes: Path) -> None:
    said: list[str] = []
    run_made_up(some("classic"), tmp_path, notes, seeds={"sine": 3}, jobs=40, say=said.append)
    assert said[0] == "1 parts to do in 1 conditions: 1 process(es) of one thread, on cpu"


def test_a_record_of_wrong_content_is_named_before_any_work(tmp_path: Path, notes: Path) -> None:
    (path,) = run_made_up(some("classic"), tmp_path / "r", notes)
    good, done = json.loads(path.read_text()), calls(notes)

    def changed(**parts: Any) -> bytes:
        return json.dumps({**good, **parts}).encode()

    first, norm = good["measures"]["first"], good["curves"]["norm"]
    wrong = {
        "is no record (it holds no object": b"[]",
        "is not whole": b"{",
        "is not whole (it holds NaN": changed(measures={"first": [float("nan")] * 20}),
        "is not whole ('utf-8'": b"\xff\xfe",
        "it has no condition": b"{}",
        "its seeds is no list": changed(seeds=3),
        "it is of the condition sine-expressive-paper": changed(condition="expressive"),
        "its seeds are not distinct": changed(seeds=[0, 0, *range(2, 20)]),
        "seeds diverged that it does not have": changed(diverged=[77]),
        "first is not a number (or null) for each of its 20": changed(
            measures={"first": first[1:]}
        ),
        "x is not a number": changed(measures={"x": ["1.5"] * 20}),
        "y is not a number": changed(measures={"y": [True] * 20}),
        "the steps of its curves": changed(curves={"steps": ["a"]}),
        "the curve norm is not 2 numbers": changed(curves={"steps": [0, 10], "norm": norm[1:]}),
        "its provenance does not say": changed(provenance={}),
        "its provenance is of other seeds": changed(provenance={"parts": []}),
    }
    for said, text in wrong.items():
        path.write_bytes(text)
        for attempt in (
            lambda: load(path.parent),
            lambda: run_made_up(some("classic"), path.parent, notes, resume=True),
        ):
            with pytest.raises(ValueError, match=re.escape(said)) as raised:
                attempt()
            assert str(path) in str(raised.value)
            assert "Move it away" in str(raised.value)
        assert path.read_bytes() == text
    assert calls(notes) == done


KILLED_IN_A_PART = """
import sys
from pathlib import Path
from functools import partial
from tests.book.evidence.test_runner import SEEDS, some, stuck
from bijepa_book.evidence.runner import run_study
out, notes = map(Path, sys.argv[1:])
run_study(some(), SEEDS, out, jobs=1, part=partial(stuck, notes))
"""
KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from functools import partial
from tests.book.evidence.test_runner import SEEDS, made_up, some
from bijepa_book.evidence.runner import run_study
out, notes = map(Path, sys.argv[1:])
replace, seen = os.replace, []
def die(*paths):
    seen.append(paths)
    if len(seen) == 4:  # a new file is written and not yet in its place; an old one is there
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = die
run_study(some(), SEEDS, out, jobs=1, part=partial(made_up, notes))
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [KILLED_IN_A_PART, KILLED_WHILE_WRITING])
def test_after_a_kill_nothing_is_lost(
    script: str, tmp_path: Path, notes: Path, straight: dict[str, bytes]
) -> None:
    out = tmp_path / "r"
    process = python(script, tmp_path / "log", out, notes)
    try:
        if script is KILLED_IN_A_PART:
            wait_for(process, lambda: (notes / "stuck").exists())
            process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL, (tmp_path / "log").read_text()
    finally:
        end_group(process)
    kept = whole(out)
    assert kept
    there = {(path.stem, seed) for path in kept for seed in json.loads(path.read_text())["seeds"]}
    (again := tmp_path / "again").mkdir()
    files = run_made_up(some(), out, again, resume=True)
    repeated = {(key, seed) for key, seeds in calls(again) for seed in seeds}
    assert len(repeated) + len(there) == 3 * 20  # each seed once, none that was written
    assert not repeated & there
    assert content(files) == straight


@pytest.mark.slow
def test_a_killed_worker_is_a_plain_error_and_nothing_is_lost(
    tmp_path: Path, notes: Path, straight: dict[str, bytes], no_process_stays: None
) -> None:
    out = tmp_path / "r"
    with pytest.raises(OSError, match=r"killed, perhaps for want of memory\. .* --resume"):
        run_made_up(some(), out, notes, jobs=2, part=partial(fatal_once, notes))
    whole(out)
    files = run_made_up(some(), out, notes, part=partial(fatal_once, notes), resume=True)
    assert content(files) == straight


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
from bijepa_book.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "r"
    wanted = [c.name for c in conditions("sine")[:8]]  # so many that a busy test is not too late
    process = python(
        INTERRUPTED, tmp_path / "log", "evidence", "--experiment", "sine", "--length", "paper",
        *(word for name in wanted for word in ("--condition", name)),
        "--num-seeds", "1", "--jobs", "1", "--results", out,
    )  # fmt: skip
    try:
        wait_for(process, lambda: (out / "sine-baselines-paper.json").exists())
        process.send_signal(signal.SIGINT)
        status = process.wait(PATIENCE)
    finally:
        end_group(process)
    said = (tmp_path / "log").read_text()
    assert status == 130, said
    assert said.splitlines()[-1].startswith("bijepa: ")
    assert said.splitlines()[-1].endswith("; go on with --resume")
    assert "Traceback" not in said
    found = [path.stem for path in whole(out)]
    assert "sine-baselines-paper" in found
    assert len(found) < len(wanted)


def test_ctrl_c_between_two_trainings_has_words_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_study", stopped)
    assert cli.main(["evidence"]) == 130
    assert capsys.readouterr().err == "bijepa: stopped; go on with --resume\n"


# What is said, and what is refused


def test_progress_names_condition_seeds_parts_and_time_left(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(0, 360_000, 3_600))
    clock = SimpleNamespace(perf_counter=lambda: next(hours))  # an hour between two looks
    said: list[str] = []
    monkeypatch.setattr(runner, "time", clock)
    run_made_up(some("classic", "expressive"), tmp_path / "r", notes, say=said.append)
    # 16 seeds took one hour, so that 4 + 16 + 4 more take 90 minutes; and so on
    assert said == [
        "4 parts to do in 2 conditions: 1 process(es) of one thread, on cpu",
        "sine-classic-paper: seeds 0 to 15 in 2 s; 1 of 4 parts, about 1 h 30 min left",
        "sine-classic-paper: seeds 16 to 19 in 2 s; 2 of 4 parts, about 2 h 0 min left",
        "sine-expressive-paper: seeds 0 to 15 in 2 s; 3 of 4 parts, about 20 min left",
        "sine-expressive-paper: seeds 16 to 19 in 2 s; 4 of 4 parts, about 0 min left",
    ]


def test_longer_trainings_and_larger_batches_count_for_more() -> None:
    by_name = {c.key: c for c in all_conditions()}

    def cost(key: str, count: int = 1) -> float:
        return runner.Task(by_name[key], tuple(range(count))).cost

    once = cost("sine-classic-paper")
    assert cost("sine-classic-paper", 3) == pytest.approx(3 * once)
    assert cost("sine-classic-steps-paper") == pytest.approx(2 * once)
    assert cost("sine-classic-batch-paper") == pytest.approx(2 * once)
    assert cost("sine-classic-long") == pytest.approx(10 * once)
    assert cost("sine-baselines-paper") < once / 2


def test_numbers_out_of_range_come_before_any_work(tmp_path: Path, notes: Path) -> None:
    for options, error in (
        ({"jobs": 0}, "jobs must be positive, or -1 for one a core; received 0"),
        ({"jobs": -2}, "received -2"),
        ({"seeds": {"sine": 0}}, "seeds of sine must be positive and whole; received 0"),
    ):
        with pytest.raises(ValueError, match=re.escape(error)):
            run_made_up(some(), tmp_path / "r", notes, **options)
    assert calls(notes) == []
    assert not (tmp_path / "r").exists()


# The command line


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What the command line asks of the study, which does nothing."""
    found: list[SimpleNamespace] = []

    def remember(
        wanted: list[Condition], seeds: object, folder: Path, **options: Any
    ) -> list[Path]:
        found.append(SimpleNamespace(wanted=wanted, seeds=seeds, folder=folder, **options))
        return [folder / condition.key for condition in wanted]

    monkeypatch.setattr(runner, "run_study", remember)
    return found


def test_arguments_reach_the_study(
    asked: list[SimpleNamespace], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evidence", "--experiment", "sine", "--condition", "expressive"]
    arguments += [
        "--length",
        "paper",
        "--num-seeds",
        "1",
        "--jobs",
        "1",
        "--results",
        str(tmp_path),
    ]
    assert cli.main(arguments) == 0
    assert f"1 conditions in {tmp_path}" in capsys.readouterr().out
    more = ["--resume", "--dask", "tcp://host:8786", "--device", "cuda"]
    assert cli.main([*arguments, "--condition", "classic", *more]) == 0
    first, second = asked
    assert [c.key for c in first.wanted] == ["sine-expressive-paper"]
    assert (first.seeds["sine"], first.folder, first.jobs) == (1, tmp_path, 1)
    assert (first.resume, first.dask, first.device) == (False, None, "cpu")
    assert {c.key for c in second.wanted} == {"sine-classic-paper", "sine-expressive-paper"}
    assert (second.resume, second.dask, second.device) == (True, "tcp://host:8786", "cuda")
    first.say("a sentence")
    assert capsys.readouterr().err == "a sentence\n"


def test_without_arguments_everything_is_asked_for(asked: list[SimpleNamespace]) -> None:
    assert cli.main(["evidence"]) == 0
    assert [c.key for c in asked[0].wanted] == [c.key for c in all_conditions()]
    assert asked[0].seeds == {"sine": 32, "lorenz": 32, "mnist": 8}
    assert (asked[0].jobs, asked[0].resume, asked[0].folder) == (-1, False, Path("evidence"))


def test_an_unknown_condition_is_refused_with_the_list(
    asked: list[SimpleNamespace], capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, named in (
        (["--condition", "nonsense"], "nonsense. The study has: baselines"),
        (["--experiment", "mnist", "--condition", "alpha-0"], "alpha-0."),
        (["--experiment", "mnist", "--length", "long"], "none is left."),
    ):
        assert cli.main(["evidence", *arguments]) == 2
        error = capsys.readouterr().err
        assert f"no such condition here: {named}" in error
        assert [c.key for c in all_conditions() if c.name not in error] == []
    assert not asked


def test_an_error_of_the_study_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r").write_text("a file")
    assert cli.main(["evidence", "--results", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err == (
        f"bijepa: {tmp_path / 'r'} cannot be written to (File exists). Choose another folder.\n"
    )
