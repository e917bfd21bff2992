"""A run that could not test everything says so."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import conftest

LINE = "NOT TESTED: 2 tests (the site is not built: make book)"


def test_without_a_site_its_tests_are_skipped_and_counted_aloud(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Those that are marked `site` alone."""
    monkeypatch.setattr(conftest, "SITE", tmp_path / "index.html")
    conftest.pytest_runtest_setup(request.node)
    request.node.add_marker("site")
    with pytest.raises(pytest.skip.Exception) as skipped:
        conftest.pytest_runtest_setup(request.node)
    report = SimpleNamespace(longrepr=("test_site.py", 1, f"Skipped: {skipped.value}"))
    lines: list[str] = []
    reporter = SimpleNamespace(
        getreports=lambda _: [report, report], write_line=lambda line, **_: lines.append(line)
    )
    conftest.pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    assert lines == [LINE]
