"""A folder belongs to one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bijepa_core._support.errors import FolderError
from bijepa_core._support.files import clear_temporary

LOCK = ".bijepa.lock"


@contextmanager
def folder_lock(folder: str | Path) -> Iterator[None]:
    """Hold a folder against every other run; it is made where it is missing, and tidied.

    The lock is the operating system's: it ends with the process, however that ends. Its empty file
    stays, since another run may be about to lock it.

    Raises:
        FolderError: naming the folder, if it cannot be written to or another run holds it.
    """
    folder = Path(folder)
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderError(
            f"another run is writing to {folder}. Wait for its end, or choose another folder."
        ) from None
    except OSError as error:
        raise FolderError(
            f"{folder} cannot be written to ({error.strerror}). Choose another folder."
        ) from error
    try:
        clear_temporary(folder)
        yield
    finally:
        lock.release()
