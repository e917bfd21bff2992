"""Tensors and plain data in one file: written whole, and read without running code."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bijepa_core._support.arrays import as_tensor, is_array
from bijepa_core._support.errors import CheckpointError
from bijepa_core._support.files import atomic_write

DIGEST = 32  # bytes of SHA-256 in front of the content
PLAIN = (str, bytes, bool, int, float, type(None))


def write(path: str | Path, content: dict[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all; errors as :func:`atomic_write`."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    body = buffer.getvalue()
    # torch does not check what it reads: a flipped bit would become a wrong weight, unnoticed
    atomic_write(path, hashlib.sha256(body).digest() + body)


def plain(name: str, value: Any) -> Any:
    """A value as :func:`read` will take it: a file that cannot be read again is never written.

    Arrays become tensors, their floating numbers double precision; numpy's numbers become Python's.

    Raises:
        TypeError: if it is, or holds, anything but tensors, arrays and plain data.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if is_array(value):
        return as_tensor(name, value, torch.float64)
    if isinstance(value, dict):
        return {plain(name, key): plain(name, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(plain(name, one) for one in value)
    if type(value) not in PLAIN and not isinstance(value, torch.Tensor):
        raise TypeError(
            f"{name} must be tensors, arrays, numbers, text, or lists and dictionaries of them; "
            f"received {type(value).__name__}. Convert it: str(path), sorted(names), vars(options)."
        )
    return value


def read(path: str | Path, kind: str) -> Any:
    """What :func:`write` wrote, on the CPU, without running any code from it.

    Args:
        path: the file.
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


def differences(ours: dict[str, Any], theirs: dict[str, Any], implied: str) -> str:
    """Where two nested settings differ, in words; empty where they agree.

    What stands under the key ``implied`` follows from the rest: it is told where no more differs.
    """
    here, there = _flat(ours), _flat(theirs)
    keys = sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))
    keys = [key for key in keys if f"{implied}." not in key] or keys
    listed = [f"{key}: {there.get(key)!r} there, {here.get(key)!r} here" for key in keys[:4]]
    more = [f"and {len(keys) - 4} more"] if len(keys) > 4 else []
    return "; ".join(listed + more)


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {
            k: v for key, one in value.items() for k, v in _flat(one, f"{prefix}{key}.").items()
        }
    return {prefix.rstrip("."): json.dumps(value)}
