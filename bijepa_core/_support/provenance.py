"""Where a result comes from."""

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch


def provenance(device: torch.device, seconds: float) -> dict[str, Any]:
    """Versions, hardware, date, duration and commit, as plain data.

    Args:
        device: where the run computed.
        seconds: how long it took.

    Returns:
        A dictionary for JSON; ``commit`` is None outside a checkout.
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
        "commit": _commit(),
    }


def _commit() -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
