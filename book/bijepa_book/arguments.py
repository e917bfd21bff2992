"""What is typed, checked before anything large is imported: one sentence for whatever is wrong."""

import argparse
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from bijepa_book.process import put

MOST_JOBS = 10**3


class Parser(argparse.ArgumentParser):
    """One whose errors are one sentence each."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ValueError: with the sentence.
        """
        message = message.removeprefix("argument ").replace(": must", " must", 1).rstrip(".")
        raise ValueError(f"{message}. See: {self.prog} --help")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End after ``--help``, once it has arrived."""
        put("", end="")
        super().exit(status, message)


class Version(argparse.Action):
    """Print the version: an action of its own, for the package takes a moment to import."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bijepa_core import __version__

        put(f"bijepa {__version__}")
        parser.exit()


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within limits, both included."""

    def checked(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {low:,} to {high:,}; received {text[:40]!r}"
            )
        return number

    return checked


def jobs(text: str) -> int:
    """A number of processes; -1 for one a core."""
    return -1 if text == "-1" else whole(1, MOST_JOBS)(text)


def place(text: str) -> str:
    """A device's name."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,2})?|mps", text):
        raise argparse.ArgumentTypeError(
            f"must be auto, cpu, cuda, cuda:1 (or another number) or mps; received {text[:40]!r}"
        )
    return text


def path(text: str) -> Path:
    """A path that the system takes, whether or not something is there."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"must be a path; received {text!r}")
    try:
        os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        pass  # who writes there says more
    except OSError as error:  # an overlong name, links in a loop
        raise argparse.ArgumentTypeError(
            f"must be a path that can be used; received {text[:80]!r} ({error.strerror})"
        ) from None
    return Path(text)


def check_writable(path: Path) -> None:
    """A result's file can be written, before any work is spent on the result: tried, not guessed.

    Raises:
        ValueError: if it cannot.
    """
    target = Path(os.path.realpath(path))
    trial = target.with_name(f".bijepa-{secrets.token_hex(8)}.part")
    why = "a folder" if target.is_dir() else ""
    try:
        if path.exists() and not path.is_file():  # a device or a pipe
            why = why or ("" if os.access(path, os.W_OK) else "not writable")
        else:
            trial.touch(exist_ok=False)
            trial.unlink()
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise ValueError(
            f"--json needs a file in an existing folder that can be written to; received {path} "
            f"({why})."
        )
