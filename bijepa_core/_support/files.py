"""Files are written whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

TEMPORARY = ".bijepa-{}.part"
"""A file on its way, in the folder of its goal; its name fits wherever the goal's does."""


def clear_temporary(folder: Path) -> None:
    """Remove what writers that were killed left behind; nobody else may be writing there now."""
    for path in folder.glob(TEMPORARY.format("*")):
        path.unlink(missing_ok=True)


def atomic_write(path: str | Path, content: bytes) -> None:
    """Put content at path in one step; until then a file already there stays as it is.

    A link is followed, and stays one. What is there and is no ordinary file (a device, a pipe) is
    written to, and never replaced.

    Args:
        path: where; missing folders are made.
        content: the whole file.

    Raises:
        OSError: if it cannot be written (a full disk, say): the old file is untouched and
            nothing half-written stays behind.
    """
    special = os.path.exists(path) and not os.path.isfile(path)
    path = Path(path if special else os.path.realpath(path))
    name = path.with_name(TEMPORARY.format(secrets.token_hex(8)))
    try:
        if special:
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(name, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException as error:
        with suppress(OSError):  # where nothing can be written, nothing can be removed either
            name.unlink()
        if isinstance(error, OSError):
            kept = "The file that was there is untouched." if path.exists() else "No file was left."
            raise OSError(
                error.errno,
                f"could not write ({error.strerror}). {kept} Free some space or choose "
                "another folder",
                str(path),
            ) from error
        raise
