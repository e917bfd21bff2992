"""The command line as a person at a terminal meets it."""

import contextlib
import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bijepa_book import cli
from bijepa_book.cli import main, parser
from bijepa_book.process import leave, leaving_at_once
from bijepa_core.data import mnist
from bijepa_core.experiments import CONFIGURATIONS, EXPERIMENTS, PREDICTORS

FAST = ["--device", "cpu"]


def written(path: Path, *arguments: str) -> dict[str, Any]:
    """What a command writes as JSON."""
    assert main([*arguments, *FAST, "--json", str(path)]) == 0
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_run_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = written(tmp_path / "r.json", "run", "sine", "--num-seeds", "2", "--steps", "3")
    printed = capsys.readouterr().out
    mean = sum(result["scores"]["paper_a"]) / 2
    assert "A, paper" in printed
    assert f"{mean:.4f}" in printed


def test_options_reach_the_run(tmp_path: Path) -> None:
    """One seed is seed 42 unless said otherwise; alpha overrides the configuration's own."""
    run = ("run", "lorenz", "--steps", "1")
    for extra, seeds, alpha in (
        ((), [42], 0.5),
        (("--seed", "7", "--alpha", "0.25"), [7], 0.25),
        (("--num-seeds", "2", "--configuration", "classic"), [0, 1], 1.0),
        (("--config", "classic"), [42], 1.0),  # argparse takes what only one option begins with
    ):
        result = written(tmp_path / "r.json", *run, *extra)
        assert result["seeds"] == seeds
        assert result["configuration"]["alpha"] == alpha


def test_checkpoint_and_resume(tmp_path: Path) -> None:
    run = ("run", "sine", "--steps")
    folder = ("--checkpoint", str(tmp_path / "c"))
    assert main([*run, "5", *folder, *FAST]) == 0
    resumed = written(tmp_path / "r.json", *run, "9", *folder, "--resume")
    straight = written(tmp_path / "s.json", *run, "9")
    assert resumed["history"] == straight["history"]


def test_a_predictor_that_samples_is_measured_as_one_and_goes_on_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ("--checkpoint", str(tmp_path / "c"))
    run = ("run", "sine", "--steps")
    energy = (*run, "4", "--predictor", "energy")
    first = written(tmp_path / "r.json", *energy, *folder)
    assert first["configuration"]["predictor"] == "energy"
    assert "sine, predictor energy, 4 steps" in (said := capsys.readouterr().out)
    assert "spread of samples, backward " in said
    assert said.rstrip().endswith("too unsure.")
    assert written(tmp_path / "r.json", *energy, *folder, "--resume")["scores"] == first["scores"]
    for other, here in (((), "None"), (("--predictor", "gaussian"), "GaussianPredictor")):
        assert main([*run, "6", *other, *folder, "--resume", *FAST]) == 2
        told = capsys.readouterr().err.splitlines()[-1]
        assert "sampling_predictor: '\"EnergyPredictor(z_dim=8, samples=8)\"' there, " in told
        assert here in told.partition(" there, ")[2]
        assert "shapes" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run sine --configuration nonsense", "classic, expressive, restrictive, unconstrained"),
        ("run sine --alpha 1.5", "alpha must lie in [0, 1]; received 1.5"),
        ("run sine --predictor mlp", "--predictor: invalid choice: 'mlp' (choose from"),
        ("run sine --configuration classic --alpha 0.5", "classic is alpha = 1"),
        ("run sine --steps 0", "--steps must be a whole number from 1 to 100,000,000; rec"),
        ("run sine --num-seeds 0", "--num-seeds must be a whole number from 1 to"),
        ("run sine --seed -1", "--seed must be a whole number from 0 to"),
        ("run sine --device abacus", "--device must be auto, cpu"),
        ("run sine --resume", "resume needs the folder"),
        ("run sine --json no/such/folder/r.json", "--json needs a file"),
        ("replay lorenz --configuration restrictive", "lorenz: classic, expressive"),
    ],
)
def test_a_plain_error_is_one_line_on_standard_error(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    output = capsys.readouterr()
    assert said in output.err
    *news, last = output.err.splitlines()
    assert last.startswith("bijepa: ")
    assert not news or news == ["computing on cpu, 1 thread(s)"]
    assert "Traceback" not in output.err
    assert output.out == ""


def test_absent_mnist_is_an_error_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setattr(mnist, "search_places", lambda root=None: [tmp_path])
    assert main(["reproduce", "--quick"]) == 2
    assert "--dataset digits" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("stopped after 3 of 9 steps")

    monkeypatch.setattr("bijepa_core.experiments.run", stopped)
    assert main(["run", "sine", "--checkpoint", str(tmp_path)]) == 130
    said = capsys.readouterr().err
    assert "stopped after 3 of 9 steps" in said
    assert f"--checkpoint {tmp_path} --resume" in said
    assert main(["run", "sine"]) == 130
    assert capsys.readouterr().err.splitlines()[1:] == ["bijepa: stopped after 3 of 9 steps"]


def test_every_command_says_what_it_does_and_what_trains_says_how_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    overview = parser().format_help()
    for command in ("run", "replay", "reproduce", "evidence", "claims"):
        assert f"\n    {command}" in overview
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        said = capsys.readouterr().out
        assert command == "claims" or "minutes" in said or " s (" in said


def test_the_package_is_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bijepa", "claims", "--results", "no/such/folder"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("bijepa_book", run_name="__main__")
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("bijepa: no results in no/such/folder")


# Whatever is typed wrong

LONG = "n" * 300
WRONG = f"""
--nonsense | nonsense | run | run nonsense | run sine lorenz | run sine --nosuch | run ""
run sine --steps | run sine --steps x | run sine --steps -5 | run sine --steps 1.5
run sine --steps 1e3 | run sine --steps nan | run sine --steps 1000000000000 | run sine --steps " "
run sine --steps {"9" * 5000} | run sine --num-seeds 0 | run sine --num-seeds 1000000000
run sine --num-seeds 2 --seed 42 | run sine --seed 42 --num-seeds 2 | run sine --seed √4
run sine --seed 18446744073709551616 | run sine --seed -1 | run sine --seed "" | run sine --seed 0x1
run sine --alpha nan | run sine --alpha -inf | run sine --alpha half | run sine --alpha
run sine --configuration Expressive | run sine --configuration é | run sine --configuration ""
run sine --device meta | run sine --device cuda:999 | run sine --device CPU | run sine --device ""
run sine --predictor | run sine --predictor Energy | run sine --predictor ""
run sine --dataset digits | run sine --dataset cifar | run sine --resume | run sine --resume yes
run sine --checkpoint "" | run sine --checkpoint file | run sine --checkpoint file/below
run sine --checkpoint loop | run sine --checkpoint loop/x | run sine --checkpoint {LONG}
run sine --json "" | run sine --json folder | run sine --json loop | run sine --json {LONG}
run sine --json no/such/x | run sine --json file/x | run sine --json
replay | replay mnist | replay sine | replay lorenz --configuration restrictive
replay sine --configuration x | replay sine --steps 3 | reproduce now | reproduce --quick yes
reproduce --dataset cifar | reproduce --device meta | reproduce --json folder
evidence nonsense | evidence --experiment cos | evidence --condition x | evidence --condition ""
evidence --length short | evidence --experiment mnist --length long | evidence --num-seeds 1e1
evidence --num-seeds 1000000000 | evidence --num-seeds 0 | evidence --jobs 0 | evidence --jobs -2
evidence --jobs two | evidence --jobs 100000 | evidence --device meta | evidence --json x
evidence --results "" | evidence --results file | evidence --results loop | evidence --res x
evidence --results {LONG} | claims extra | claims --results nowhere | claims --results file
claims --results loop | claims --results folder | claims --json loop | claims --json folder
"""


def test_whatever_is_typed_wrong_is_one_sentence_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("a file")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    unlike = []
    for typed in WRONG.replace("\n", " | ").strip(" |").split(" | "):
        status = main(shlex.split(typed))
        output = capsys.readouterr()
        *news, last = output.err.splitlines()
        told = last.startswith("bijepa: ") and all(n.startswith("computing on") for n in news)
        if status != 2 or output.out or not told or len(last) > 1000:
            unlike.append((typed[:60], status, output.err))
    assert unlike == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "loop"]


def test_what_the_parser_offers_is_what_there_is() -> None:
    assert list(cli.EXPERIMENTS) == list(EXPERIMENTS)
    assert list(cli.CONFIGURATIONS) == list(CONFIGURATIONS)
    assert list(cli.PREDICTORS) == list(PREDICTORS)


def bijepa(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """The program as a process; what it says is text."""
    path = os.pathsep.join(filter(None, sys.path))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from bijepa_book.cli import main; sys.exit(main())",
            *arguments,
        ],
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        **(pipes | options),
    )


@pytest.mark.slow
def test_a_reader_who_leaves_and_a_disk_that_is_full() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        left = bijepa("claims", stdout=gone)
    assert (left.returncode, left.stderr) == (141, "")
    if not Path("/dev/full").exists():
        return
    with open("/dev/full", "w") as full:
        lost = bijepa("claims", stdout=full)
    assert lost.returncode == 2
    assert lost.stderr.startswith("bijepa: standard output cannot be written to (No space left")
    assert lost.stderr.count("\n") == 1


def test_a_result_is_printed_before_its_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bijepa_core._support.files.atomic_write", full)
    run = ["run", "sine", "--steps", "2", *FAST, "--json", str(tmp_path / "r.json")]
    assert main(run) == 2
    output = capsys.readouterr()
    assert "A, paper" in output.out
    assert output.err.splitlines()[-1].startswith("bijepa: [Errno 28] No space left on device")


def test_news_that_nobody_can_read_end_no_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

        def isatty(self) -> bool:
            return True  # so that bars are drawn, too

    for stderr in (Broken(), None):
        monkeypatch.setattr(sys, "stderr", stderr)
        assert main(["run", "sine", "--steps", "2", *FAST]) == 0
        assert sys.stderr is stderr
    monkeypatch.undo()
    assert capsys.readouterr().out.count("A, paper") == 2


def test_a_result_can_go_into_a_pipe() -> None:
    if not Path("/dev/fd").is_dir():
        return
    read, write = os.pipe()
    run = ["run", "sine", "--steps", "1", *FAST, "--json", f"/dev/fd/{write}"]
    assert main(run) == 0
    os.close(write)
    with os.fdopen(read) as result:
        assert json.loads(result.read())["seeds"] == [42]


def test_what_the_caller_ignores_stays_ignored_while_packages_are_imported() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interrupts = signal.getsignal(signal.SIGINT)
    try:
        with leaving_at_once():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) is leave
        assert signal.getsignal(signal.SIGINT) is interrupts
    finally:
        signal.signal(signal.SIGTERM, before)


def test_too_little_memory_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def large(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    monkeypatch.setattr("bijepa_core.experiments.run", large)
    assert main(["run", "sine"]) == 2
    assert "there is not enough memory. Ask for fewer seeds or steps." in capsys.readouterr().err
    monkeypatch.setattr("bijepa_core.experiments.run", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # a fault of the program's keeps its traceback
        main(["run", "sine"])


def test_threads_wait_without_spinning_unless_somebody_wants_them_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for before, after in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if before:
            monkeypatch.setenv("OMP_WAIT_POLICY", before)
        with contextlib.redirect_stderr(None):
            main([])
        assert os.environ["OMP_WAIT_POLICY"] == after


def test_nothing_large_is_imported_for_a_wrong_command_line() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", "import sys; from bijepa_book.cli import main; main(['run']); "
         "print(any(m in sys.modules for m in ('torch', 'numpy')))"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout == "False\n"
