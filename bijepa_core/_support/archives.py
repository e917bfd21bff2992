"""Tensors and plain data in one file: written whole, and read without running code."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from bijepa_core._support.errors import CheckpointError
from bijepa_core._support.files import atomic_write

DIGEST = 32  # bytes of SHA-256 in front of the content


def write(path: str | Path, content: dict[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all.

    Raises:
        OSError: if it cannot be written; a former file stays.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    body = buffer.getvalue()
    # torch does not check what it reads: a flipped bit would become a wrong weight, unnoticed
    atomic_write(path, hashlib.sha256(body).digest() + body)


def read(path: str | Path, kind: str) -> Any:
    """The content, on the CPU, without running any code from it.

    Args:
        path: of :func:`write`.
        kind: what an error calls it.

    Raises:
        CheckpointError: if it is missing, damaged, or holds more than tensors and plain data.
    """
    try:
        raw = Path(path).read_bytes()
        digest, body = raw[:DIGEST], raw[DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("its SHA-256 differs")
        return torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist.") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} is not a readable {kind}: cut short, damaged, or holding more than "
            f"tensors and plain data ({reason}). Move it away, or restore it from a copy."
        ) from error


def forms(state: dict[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Shape and dtype of each tensor."""
    return {name: (value.shape, value.dtype) for name, value in state.items()}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Where two nested settings differ, in words; empty where they agree."""
    here, there = _flat(ours), _flat(theirs)
    keys = sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))
    listed = [f"{key}: {there.get(key)!r} there, {here.get(key)!r} here" for key in keys[:4]]
    more = [f"and {len(keys) - 4} more"] if len(keys) > 4 else []
    return "; ".join(listed + more)


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {
            k: v for key, one in value.items() for k, v in _flat(one, f"{prefix}{key}.").items()
        }
    return {prefix.rstrip("."): json.dumps(value)}
