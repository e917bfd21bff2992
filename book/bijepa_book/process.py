"""The process that a command is: its streams, its workers, and how it ends when it is told to."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO, cast

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 1.0  # seconds until an orphaned worker notices


def leave(number: int, frame: FrameType | None = None) -> None:
    """End at once, with one line: the handler of a signal while there is nothing to keep."""
    with suppress(OSError):
        os.write(2, b"bijepa: stopped\n")
    os._exit(128 + number)


def hear(handler: Any) -> dict[int, Any]:
    """Answer the signals that end a process; one that is ignored stays ignored.

    Args:
        handler: of :func:`signal.signal`.

    Returns:
        The former handlers; none outside the main thread, where Python takes no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    heard = [n for n in STOPS if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, handler) for number in heard}


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """While packages are imported: an import that is stopped halfway has many ways to fail."""
    former = hear(leave)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class Heedless:
    """A stream for news: where nobody can read it any more, nothing is said, and work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As a stream's."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As a stream's."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class NobodyReads(Exception):
    """Standard output is a pipe whose reader has left."""


@contextmanager
def heedless_errors() -> Iterator[None]:
    """Standard error cannot end the work: neither when it is closed, nor when it breaks."""
    with open(os.devnull, "w") as nowhere:
        former = sys.stderr  # None, where it was closed before the start
        sys.stderr = cast(TextIO, Heedless(former or nowhere))
        try:
            yield
        finally:
            sys.stderr = former


def put(text: str, end: str = "\n") -> None:
    """Print to standard output, and see that it arrives.

    Raises:
        NobodyReads: if nobody reads it.
        OSError: if it cannot be written (a full disk).
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), end=end, flush=True)
    except OSError as error:
        # the rest in the buffer would fail once more, loudly, when the interpreter ends
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            raise NobodyReads from error
        raise OSError(
            f"standard output cannot be written to ({error.strerror}). Send it elsewhere."
        ) from error


# --- workers ------------------------------------------------------------------------------------


@contextmanager
def unheard_by_children() -> Iterator[None]:
    """Processes that are started here leave Ctrl-C and its like to their parent."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def end_with(parent: int) -> None:
    """Make this process, a worker, end when its parent does, however that ends.

    On Windows, where a process keeps its parent's number, it ends after the part it is at.

    Args:
        parent: the process that started this one.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch on so many threads, and as before afterwards: a sum's last digits depend on it."""
    import torch  # late: a command line is checked without it

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
