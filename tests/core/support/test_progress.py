import io
import sys

import pytest
from tqdm.notebook import tqdm_notebook

from bijepa_core._support.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_silent_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = io.StringIO()
    monkeypatch.setattr(sys, "stderr", elsewhere)
    assert list(progress_bar(range(5), description="pretraining")) == list(range(5))
    assert elsewhere.getvalue() == ""


def test_it_shows_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress_bar(range(5), description="pretraining")) == list(range(5))
    assert "pretraining" in terminal.getvalue()
    assert "/5" in terminal.getvalue()


def test_it_is_silent_in_a_terminal_when_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress_bar(range(5), wanted=False)) == list(range(5))
    assert terminal.getvalue() == ""


def test_it_shows_a_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm_notebook)  # what it is there
    bar = progress_bar(range(5), description="pretraining")
    assert isinstance(bar, tqdm_notebook)
    assert not bar.disable
    assert list(bar) == list(range(5))
