"""A small share of `make torture`; the whole takes minutes."""

import random
import runpy
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "torture.py"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "ends"),
    [("RUN", ("SIGKILL", "SIGTERM", "two at once")), ("STUDY", ("SIGKILL", "SIGINT", "full disk"))],
)
def test_whatever_ends_a_command_nothing_is_lost(
    command: str, ends: tuple[str, ...], tmp_path: Path
) -> None:
    what, report = TOOL[command], TOOL["Report"]()
    straight = TOOL["undisturbed"](what, tmp_path / "straight", report)
    TOOL["torture"](what, ends, random.Random(1), tmp_path / "disturbed", straight, report)
    assert report.faults == []
