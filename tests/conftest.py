"""What all tests share: one thread, small models, and a loud word on whatever was not tested."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bijepa_core._support.interrupts import STOPS
from bijepa_core.experiments import SINE, Experiment

SITE = Path(__file__).parents[1] / "_build" / "html" / "index.html"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what uses the browser, so that `-m "not browser"` leaves it out."""
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker("browser")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests of the rendered site where there is none."""
    if item.get_closest_marker("site") and not SITE.is_file():
        pytest.skip("the site is not built: make book")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped, and why: silence would pass for success."""
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    )
    for reason, number in reasons.most_common():
        tests = "1 test" if number == 1 else f"{number} tests"
        terminalreporter.write_line(f"NOT TESTED: {tests} ({reason})", red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tests' tensors are tiny: a second thread only waits, long where cores are busy."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> None:
    """A shell that starts the tests in the background has Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def signals_are_answered_as_before() -> Iterator[None]:
    """A command that ends its process leaves an answer behind, which would end this one."""
    before = {one: signal.getsignal(one) for one in STOPS}
    yield
    for one, answer in before.items():
        if answer is not None:  # set from C: it was not ours to change
            signal.signal(one, answer)


@pytest.fixture
def normal() -> Callable[..., Tensor]:
    """Draws float64 normals of the shape asked for, the same ones in every run."""
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def small() -> Experiment:
    """The sine experiment in miniature: 10 inputs, width 8, embedding 4."""
    return replace(
        SINE,
        hidden_dim=8,
        embed_dim=4,
        steps=30,
        batch_size=6,
        learning_rate=1e-2,
        tau=0.9,
        probe_steps=5,
    )
