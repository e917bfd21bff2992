import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bijepa_core._support.errors import CheckpointError, FolderError
from bijepa_core._support.locks import LOCK, folder_lock

HOLD = """
import sys
from bijepa_core._support.locks import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_made_and_can_be_held_again_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        with folder_lock(tmp_path / "a" / "b"):
            assert (tmp_path / "a" / "b").is_dir()


def test_what_killed_writers_left_behind_is_cleared(tmp_path: Path) -> None:
    for name in (".bijepa-00aa.part", ".bijepa-11bb.part", "kept.part", ".kept"):
        (tmp_path / name).write_bytes(b"half")
    with folder_lock(tmp_path):
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {LOCK, "kept.part", ".kept"}


def hold(folder: Path) -> None:
    with folder_lock(folder):
        pass


def test_a_second_use_is_refused_even_in_the_same_process(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(FolderError, match=f"another run.*{tmp_path.name}"):
        hold(tmp_path)
    hold(tmp_path)


@pytest.mark.slow
def test_a_lock_of_another_process_ends_with_it_however_it_ends(tmp_path: Path) -> None:
    for ending in (signal.SIGKILL, signal.SIGTERM):
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(FolderError, match="another run"):
                hold(tmp_path)
            holder.send_signal(ending)
        hold(tmp_path)


def test_what_cannot_be_a_folder_or_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CheckpointError, match=rf"{folder} cannot be written to \("):
            hold(folder)
    if Path("/proc/self").is_dir():  # where nobody can write, root included
        with pytest.raises(FolderError, match="/proc/self/lock cannot be written to"):
            hold(Path("/proc/self/lock"))
