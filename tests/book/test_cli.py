"""The command line as a person at a terminal meets it."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from bijepa_book.cli import main, parser
from bijepa_core.data import mnist

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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run sine --configuration nonsense", "classic, expressive, restrictive, unconstrained"),
        ("run sine --alpha 1.5", "alpha must lie in [0, 1]; received 1.5"),
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
