"""Trained weights in a small file that needs no code to be read: a byte a number.

A page that runs a model must first load it. Rounding each row of a matrix to 255 levels makes it a
quarter as large. Vectors (biases, gains, statistics) stay as they are.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bijepa_core._support.files import atomic_write

Array = NDArray[Any]
SCALE = "@scale"  # ends the name of a rounded matrix's steps
LEVELS = 127  # on each side of zero


def pack(path: Path, tensors: Mapping[str, Tensor], *, rounded: bool = True) -> None:
    """Write tensors into one file, whole or not at all.

    Args:
        path: ends in ``.npz``.
        tensors: by name; floating-point ones are kept in float32.
        rounded: whether tensors of two axes or more are rounded, row by row, to a byte a number.

    Raises:
        ValueError: if a tensor is not finite, or a name ends in ``@scale``.
    """
    arrays: dict[str, Any] = {}  # as `savez` wants them
    for name, tensor in tensors.items():
        if name.endswith(SCALE):
            raise ValueError(f"names must not end in {SCALE}; received {name!r}. Rename it.")
        values = tensor.detach().cpu().float()
        if not bool(torch.isfinite(values).all()):
            raise ValueError(f"weights must be finite; {name!r} is not. Do not keep this run.")
        if not rounded or values.ndim < 2:
            arrays[name] = values.numpy()
            continue
        rows = values.flatten(1)  # (rows, numbers)
        step = rows.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / LEVELS
        arrays[name] = (rows / step[:, None]).round().to(torch.int8).view(values.shape).numpy()
        arrays[name + SCALE] = step.numpy()
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    atomic_write(path, buffer.getvalue())


def unpack(path: Path) -> dict[str, Tensor]:
    """Read the tensors back, float32.

    Args:
        path: of :func:`pack`.

    Returns:
        By name; a rounded number is off by at most half a step, 1/254 of its row's largest.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds anything but numbers.
    """
    arrays = stored(path)
    return {
        name: _restored(values, arrays.get(name + SCALE))
        for name, values in arrays.items()
        if not name.endswith(SCALE)
    }


def stored(path: Path) -> dict[str, Array]:
    """The arrays as they lie in the file: rounded ones as bytes, beside their steps.

    Args:
        path: of :func:`pack`.

    Returns:
        By name; the steps of a rounded matrix under its name and ``@scale``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds anything but numbers.
    """
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _restored(values: Array, step: Array | None) -> Tensor:
    tensor = torch.from_numpy(values).float()
    if step is None:
        return tensor
    return tensor * torch.from_numpy(step).view(-1, *[1] * (tensor.ndim - 1))
