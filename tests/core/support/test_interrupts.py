import signal
import threading
from typing import Any

import pytest

from bijepa_core._support.errors import StoppedBySignal
from bijepa_core._support.interrupts import STOPS, deferred_interrupt, handling_stops, stop


@pytest.fixture(autouse=True)
def _nothing_is_ignored() -> None:
    """Signals as Python has them, whatever was ignored by the one who started the tests (nohup)."""
    usual: dict[int, Any] = dict.fromkeys(STOPS, signal.SIG_DFL)
    usual[signal.SIGINT] = signal.default_int_handler
    for one, answer in usual.items():
        signal.signal(one, answer)


def test_the_first_interrupt_waits_until_it_is_asked_for() -> None:
    with deferred_interrupt() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        assert interrupted()


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_of_any_kind_waits_and_tells_its_number(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in STOPS]
    with deferred_interrupt() as interrupted:
        signal.raise_signal(number)
        assert interrupted() == number
        if number != signal.SIGINT:  # a closing terminal may say it twice, and nobody is impatient
            signal.raise_signal(number)
    assert [signal.getsignal(one) for one in STOPS] == before


def test_what_is_ignored_stays_ignored_and_a_callers_own_answer_stays_the_callers() -> None:
    heard: list[int] = []
    answers: list[Any] = [
        signal.SIG_IGN,
        lambda number, frame: heard.append(number),
        signal.SIG_IGN,
    ]
    before = [signal.signal(one, answer) for one, answer in zip(STOPS, answers, strict=True)]
    try:
        with deferred_interrupt() as interrupted:
            for one in STOPS:
                signal.raise_signal(one)
            assert not interrupted()
    finally:
        for one, answer in zip(STOPS, before, strict=True):
            signal.signal(one, answer)
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("number", STOPS)
def test_a_command_hears_a_stop_at_once_and_training_inside_it_between_steps(
    number: signal.Signals,
) -> None:
    with handling_stops():
        with deferred_interrupt() as interrupted:
            signal.raise_signal(number)
            assert interrupted() == number
        with pytest.raises(StoppedBySignal, match=number.name) as raised:
            signal.raise_signal(number)
        assert raised.value.signal == number
        assert signal.getsignal(number) is stop


def test_the_second_interrupt_does_not_wait() -> None:
    with deferred_interrupt() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_former_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def leave_with_an_error() -> None:
    with deferred_interrupt():
        raise RuntimeError


def test_the_former_handler_comes_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError):
        leave_with_an_error()
    assert signal.getsignal(signal.SIGINT) is before


def test_two_uses_know_nothing_of_each_other() -> None:
    with deferred_interrupt() as first:
        signal.raise_signal(signal.SIGINT)
        assert first()
    with deferred_interrupt() as second:
        assert not second()


def test_in_another_thread_nothing_is_changed() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with deferred_interrupt() as interrupted:
            seen.extend([interrupted(), signal.getsignal(signal.SIGINT) is before])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, True]
