"""Whatever is typed: it works, or one line says what is wrong with it; never a traceback."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bijepa_book.cli import main
from bijepa_book.evidence import runner
from bijepa_book.paper import replay, tables
from bijepa_core import training
from bijepa_core.experiments import Experiment

# Of each option: what it takes, and what it does not. `{}` is a fresh folder. A dash in front
# would make another option of it, hence `=` between the two.
HUGE = str(10**12)
COUNTS = (["1", "2"], ["0", "-1", "1.5", "two", "", "nan", HUGE, "9" * 5000])
PLACES = (["auto", "cpu"], ["gpu", "meta", "cuda:99", "", "cpu:x", "\udcff"])
FILES = (
    ["{}/new.json", "{}/old.json"],
    ["", "{}", "{}/none/r.json", "{}/old.json/r.json", "x" * 300],
)
FOLDERS = (["{}/a", "{}"], ["", "{}/old.json", "x" * 300, "{}/" + "y" * 300])
NAMES = (["expressive", "classic"], ["Expressive", "", "all", "é", "a\nb"])
OPTIONS: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "run": {
        "": (["sine", "lorenz", "mnist"], ["cosine", "", "Sine", "sine\n"]),
        "--configuration": NAMES,
        "--predictor": (["deterministic", "energy"], ["mlp", "", "Energy"]),
        "--alpha": (["1", "1.0"], ["1.5", "-1", "nan", "inf", "half", "", "1e999"]),
        "--num-seeds": COUNTS,
        "--seed": (["0", "7"], ["-1", "1.5", "x", "", str(2**64), "9" * 5000]),
        "--steps": COUNTS,
        "--dataset": (["mnist", "digits"], ["cifar", ""]),
        "--device": PLACES,
        "--checkpoint": FOLDERS,
        "--json": FILES,
    },
    "replay": {
        "": (["sine", "lorenz"], ["mnist", ""]),
        "--configuration": NAMES,
        "--json": FILES,
    },
    "reproduce": {
        "--dataset": (["mnist", "digits"], ["cifar", ""]),
        "--device": PLACES,
        "--json": FILES,
    },
    "evidence": {
        "--experiment": (["sine", "lorenz"], ["cosine", ""]),
        "--condition": (["expressive", "norm"], ["nothing", "", "é"]),
        "--length": (["paper"], ["short", ""]),
        "--num-seeds": COUNTS,
        "--jobs": (["1", "-1"], ["0", "-2", "x", "", HUGE]),
        "--device": (["cpu"], ["gpu", "meta", "cuda:99", ""]),
        "--results": FOLDERS,
    },
    "claims": {
        "--results": (["{}/records"], ["{}/none", "{}/old.json", "", "{}"]),
        "--json": FILES,
    },
}
SWITCHES = ["--resume", "--quick", "--nonsense", "--help", "--version", "--", "-", "extra", "--js"]


class Began(Exception):
    """All was accepted, and work has begun."""


def begin(*_: Any, **__: Any) -> NoReturn:
    """Stand where work begins, which this test is not about."""
    raise Began


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command computes; each stops where it has checked what it was given."""
    load = Experiment.load
    for place, name in (
        (training, "progress_bar"),
        (replay, "initializing"),
        (tables, "reproduce"),
        (runner, "_processes"),
        (runner, "_cluster"),
    ):
        monkeypatch.setattr(place, name, begin)
    monkeypatch.setattr(
        Experiment, "load", lambda e, *given: begin() if e.name != "sine" else load(e, *given)
    )
    monkeypatch.chdir(tmp_path)


@contextmanager
def folder(root: Path) -> Iterator[Path]:
    """A folder with a file and an unreadable record in it."""
    number = len(list(root.iterdir()))
    made = root / f"{number}"
    (made / "records").mkdir(parents=True)
    (made / "old.json").write_text("{}")
    (made / "records" / "sine-expressive-paper.json").write_text(json.dumps([]))
    yield made


def fault(arguments: list[str], wrong: list[str]) -> str | None:
    """What is amiss with how a command line ends; None where all is well.

    Args:
        arguments: the command line.
        wrong: options whose value must be refused.
    """
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status: object = main(arguments)
    except Began:
        return f"accepted, with a wrong {wrong}" if wrong else None
    except SystemExit as end:
        status = end.code
    except Exception as error:
        return f"a traceback: {type(error).__name__}: {str(error)[:100]}"
    lines = err.getvalue().removesuffix("\n").split("\n")
    said = [line for line in lines if line.startswith("bijepa: ")]
    if status == 0:
        helped = {"--help", "--version"} & set(arguments)
        return f"accepted, with a wrong {wrong}" if wrong and not helped else None
    if status != 2 or len(said) != 1 or lines[-1] != said[0]:
        return f"status {status}, and not one line: {err.getvalue()[:300]!r}"
    if out.getvalue():
        return "an error, and a result beside it"
    options = [option for one in OPTIONS.values() for option in one if option]
    words = [*(option.strip("-") for option in options), "experiment"]  # or what was typed itself
    typed = [text for a in arguments[1:] if (text := a.rpartition("=")[2])]
    named = any(word in said[0] for word in words + typed)
    return None if named else f"not named, with a wrong {wrong}: {said[0][:200]}"


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """A command line, and those of its options that must be refused."""
    command = draw(st.sampled_from([*OPTIONS, "run", "evidence"]))
    arguments, wrong = [command], []
    for option, (good, bad) in OPTIONS[command].items():
        use = draw(
            st.sampled_from(["good", "good", "bad"] if not option else ["", "", "good", "bad"])
        )
        if not use:
            continue
        value = draw(st.sampled_from(good if use == "good" else bad))
        arguments.append(f"{option}={value}" if option else value)
        wrong += [option] if use == "bad" else []
    if draw(st.integers(0, 3)) == 0:
        arguments.append(draw(st.sampled_from(SWITCHES) | st.text(min_size=1, max_size=5)))
    return arguments, wrong


@pytest.mark.slow
@pytest.mark.usefixtures("idle")
def test_a_command_line_works_or_one_line_says_why_not(tmp_path: Path) -> None:
    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(command_lines())
    def typed(line: tuple[list[str], list[str]]) -> None:
        arguments, wrong = line
        with folder(tmp_path) as place:
            found = fault([a.replace("{}", str(place)) for a in arguments], wrong)
        assert found is None, f"bijepa {' '.join(map(repr, arguments))}: {found}"

    typed()
