"""The command line as a person at a terminal meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bijepa_book.cli import main, parser
from bijepa_core.data import mnist


def test_run_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    arguments = ["run", "sine", "--seeds", "2", "--steps", "3", "--device", "cpu"]
    assert main([*arguments, "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    scores = json.loads(path.read_text())["scores"]
    mean = sum(scores["protocol_a"]["paper_mse"]) / 2
    assert "Protocol A (encoder)" in printed
    assert f"{mean:.4f}" in printed


def test_one_seed_is_seed_42_unless_said_otherwise(tmp_path: Path) -> None:
    for extra, seeds in (([], [42]), (["--seed", "7"], [7]), (["--seeds", "2"], [0, 1])):
        path = tmp_path / "r.json"
        base = ["run", "sine", "--steps", "1", "--device", "cpu", "--json", str(path)]
        assert main([*base, *extra]) == 0
        assert json.loads(path.read_text())["seeds"] == seeds


def test_alpha_overrides_the_configurations_own(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    base = ["run", "lorenz", "--steps", "1", "--device", "cpu", "--alpha", "0.25"]
    assert main([*base, "--json", str(path)]) == 0
    assert json.loads(path.read_text())["configuration"]["alpha"] == 0.25


def test_checkpoint_and_resume(tmp_path: Path) -> None:
    base = ["run", "sine", "--device", "cpu", "--checkpoint", str(tmp_path / "c")]
    assert main([*base, "--steps", "5"]) == 0
    assert main([*base, "--steps", "9", "--resume", "--json", str(tmp_path / "r.json")]) == 0
    assert (
        main(["run", "sine", "--device", "cpu", "--steps", "9", "--json", str(tmp_path / "s.json")])
        == 0
    )
    resumed, straight = (json.loads((tmp_path / name).read_text()) for name in ("r.json", "s.json"))
    assert resumed["history"] == straight["history"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["run", "sine", "--config", "nonsense"],
            "classic, expressive, restrictive, unconstrained",
        ),
        (["run", "sine", "--alpha", "1.5"], "alpha must lie in [0, 1]; received 1.5"),
        (["run", "sine", "--config", "classic", "--alpha", "0.5"], "classic is alpha = 1"),
        (["run", "sine", "--steps", "0"], "steps must be positive"),
        (["run", "sine", "--seeds", "0"], "--seeds must be at least 1"),
        (["run", "sine", "--seed", "-1"], "seeds must be"),
        (["run", "sine", "--device", "abacus"], "device must be"),
        (["run", "sine", "--resume"], "resume needs the folder"),
        (["run", "sine", "--json", "no/such/folder/r.json"], "--json needs a file"),
        (["replay", "lorenz", "--config", "restrictive"], "lorenz: classic, expressive"),
    ],
)
def test_a_plain_error_is_one_line_on_standard_error(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert output.err.startswith("bijepa: ")
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

    monkeypatch.setattr("bijepa_core.runs.run", stopped)
    assert main(["run", "sine", "--checkpoint", str(tmp_path)]) == 130
    said = capsys.readouterr().err
    assert "stopped after 3 of 9 steps" in said
    assert f"--checkpoint {tmp_path} --resume" in said


def test_every_command_says_what_it_does_and_in_what_time() -> None:
    for command in ("run", "replay", "reproduce"):
        done = subprocess.run(
            [sys.executable, "-m", "bijepa_book", command, "--help"],
            capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        assert "minutes" in done.stdout or " s (" in done.stdout
    assert "reproduce" in parser().format_help()
