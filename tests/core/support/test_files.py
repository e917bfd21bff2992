import errno
import os
from pathlib import Path
from typing import Any

import pytest

from bijepa_core._support import files
from bijepa_core._support.files import atomic_write


def full_disk(*arguments: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_content_arrives_whole_in_folders_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.bin"
    atomic_write(path, b"one")
    assert path.read_bytes() == b"one"
    atomic_write(path, b"the other")
    assert path.read_bytes() == b"the other"
    assert listing(path.parent) == ["file.bin"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.bin"
    atomic_write(path, b"good")
    monkeypatch.setattr(os, call, full_disk)
    with pytest.raises(OSError, match=r"untouched\. Free some space or choose another") as raised:
        atomic_write(path, b"new" * 1000)
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"good"
    assert listing(tmp_path) == ["file.bin"]


def test_a_disk_that_fills_up_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullFile:
        """A file that takes half of what it is given."""

        def __init__(self, path: Path, mode: str) -> None:
            self.file = path.open(mode)

        def __enter__(self) -> "FullFile":
            return self

        def __exit__(self, *details: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[: len(content) // 2])
            full_disk()

    monkeypatch.setattr(files, "open", FullFile, raising=False)
    with pytest.raises(OSError, match="No file was left"):
        atomic_write(tmp_path / "file.bin", b"new" * 1000)
    assert listing(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*arguments: Any, **settings: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    (tmp_path / "file").touch()
    below = tmp_path / "file" / "folder" / "model"
    with pytest.raises(NotADirectoryError, match=r"could not write.*choose another") as below_file:
        atomic_write(below, b"new")
    assert below_file.value.filename == str(below)
    monkeypatch.setattr(files, "open", read_only, raising=False)
    monkeypatch.setattr(Path, "unlink", read_only)  # so does Linux, of a file that is not there
    with pytest.raises(OSError, match=r"could not write.*No file was left") as raised:
        atomic_write(tmp_path / "model", b"new")
    assert raised.value.filename == str(tmp_path / "model")


def test_an_interrupt_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file.bin"
    atomic_write(path, b"good")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"good"
    assert listing(tmp_path) == ["file.bin"]


def test_content_reaches_the_disk_before_it_takes_the_old_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events = tmp_path / "file.bin", []
    atomic_write(path, b"good")
    fsync, replace = os.fsync, os.replace

    def watched_fsync(handle: int) -> None:
        assert path.read_bytes() == b"good"
        assert os.fstat(handle).st_size == 3
        events.append("fsync")
        fsync(handle)

    def watched_replace(source: str, goal: Path) -> None:
        events.append("replace")
        replace(source, goal)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    atomic_write(path, b"new")
    assert events == ["fsync", "replace"]
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    (tmp_path / "plain.bin").write_bytes(b"plain")
    atomic_write(tmp_path / "whole.bin", b"whole")
    modes = [(tmp_path / name).stat().st_mode for name in ("plain.bin", "whole.bin")]
    assert modes[0] == modes[1]


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        atomic_write(pipe, b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "real"]
