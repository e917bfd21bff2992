"""A result says which commit made it, and whether that commit is the whole truth."""

import subprocess
from pathlib import Path

from bijepa_core._support.provenance import commit_of


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_commit_is_named_only_where_it_holds_the_file(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.py", tmp_path / "installed.py"
    ours.write_text("x = 1\n")
    theirs.write_text("x = 1\n")
    assert commit_of(ours) is None  # no repository
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "ours.py")
    git(tmp_path, "commit", "-q", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    assert commit_of(ours) == commit
    assert commit_of(theirs) is None  # inside somebody's repository, and not of it
    ours.write_text("x = 2\n")
    assert commit_of(ours) == f"{commit}+"
