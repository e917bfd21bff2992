"""Where a result comes from."""

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch


def provenance(device: torch.device, seconds: float) -> dict[str, Any]:
    """Versions, hardware, date, duration and commit (:func:`commit_of`), as plain data for JSON.

    Args:
        device: where the run computed.
        seconds: how long it took.
    """
    from bijepa_core import __version__

    cuda = device.type == "cuda"
    return {
        "bijepa_core": __version__,
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if cuda else str(device),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1),
        "commit": commit_of(Path(__file__)),
    }


def commit_of(file: Path) -> str | None:
    """The commit that a file is of: None where no repository holds it; ``+`` where it has changes.

    A package that is installed inside somebody's repository is not of that repository's commits.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(file.parent), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", file.name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
