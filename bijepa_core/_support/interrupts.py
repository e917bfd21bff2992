"""Ctrl-C, and what a terminal or a scheduler sends to end a process: heard between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from bijepa_core._support.errors import StoppedBySignal

Handler = Callable[[int, FrameType | None], None]
STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C; a polite kill, as schedulers send it; a terminal that closes (not on Windows)."""


def stop(number: int, frame: FrameType | None) -> None:
    """The handler that stops at once, by :class:`StoppedBySignal`."""
    raise StoppedBySignal(f"stopped by {signal.Signals(number).name}", number)


@contextmanager
def handling_stops(handler: Handler = stop) -> Iterator[None]:
    """Answer the signals that ask a process to end; afterwards all is as before.

    A signal that is ignored stays ignored, and a SIGTERM or SIGHUP that the caller handles stays
    the caller's. Outside the main thread, where Python delivers no signals, nothing is changed.
    """
    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in STOPS}
        theirs = found.pop(signal.SIGINT)
        previous = {n: now for n, now in found.items() if now in (signal.SIG_DFL, stop)}
        if theirs not in (signal.SIG_IGN, None):
            previous[signal.SIGINT] = theirs
    try:
        for number in previous:
            signal.signal(number, handler)
        yield
    finally:
        for number, former in previous.items():
            signal.signal(number, former)


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], int]]:
    """Hold the signals of :data:`STOPS` back until the caller is ready for them.

    A second Ctrl-C is not held back. What is handled, and where, says :func:`handling_stops`.

    Yields:
        A function that gives the number of the first signal that came, 0 for none.
    """
    came: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in came:
            stop(number, frame)
        came.append(number)

    with handling_stops(remember):
        yield lambda: came[0] if came else 0
