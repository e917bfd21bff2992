import signal
import threading

import pytest

from bijepa_core._support.interrupts import deferred_interrupt


def test_the_first_interrupt_waits_until_it_is_asked_for() -> None:
    with deferred_interrupt() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        assert interrupted()


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
