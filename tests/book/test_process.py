"""How the command's process, and those it starts, end."""

import os
import signal
import threading

import pytest

from bijepa_book import process
from bijepa_book.process import end_with, hear, leave, unheard_by_children


def test_a_worker_stays_while_its_parent_lives_and_ends_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parents, ended = iter([7, 7, 1]), threading.Event()
    monkeypatch.setattr(process, "PATIENCE", 0.01)
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", lambda status: ended.set())
    end_with(parent=7)
    assert ended.wait(10)
    assert next(parents, None) is None


def test_to_leave_at_once_is_one_line_and_a_shells_status(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    for number in process.STOPS:
        leave(number)
    assert statuses == [128 + number for number in process.STOPS]
    assert capfd.readouterr().err == "bijepa: stopped\n" * len(statuses)


def test_outside_the_main_thread_nothing_is_heard() -> None:
    heard: list[dict[int, object]] = []
    thread = threading.Thread(target=lambda: heard.append(hear(leave)))
    thread.start()
    thread.join()
    assert heard == [{}]


def test_children_are_started_deaf_and_the_parent_hears_again() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with unheard_by_children():
        assert set(process.STOPS) <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
