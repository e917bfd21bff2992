"""The door for data: whatever numpy reads as an array becomes a tensor here, once.

What passes, and what becomes of it:

* a tensor keeps its dtype and device; a graph that it carries is left behind;
* an array's floating numbers become torch's default dtype: numpy's float64 is nobody's choice;
* whole numbers stay whole, for encoders that embed them;
* a memory-mapped array of the right dtype stays on the disk, and may be read-only.
"""

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")
Data = Tensor | NDArray[Any]
"""What data may be given as: a tensor, or an array (of numpy; of pandas by ``.to_numpy()``)."""


def is_array(values: object) -> bool:
    """Whether numpy reads it as an array; tensors and single numbers are none."""
    return hasattr(values, "__array__") and not isinstance(values, Tensor | np.generic)


def as_tensor(name: str, values: object, dtype: torch.dtype | None = None) -> Tensor:
    """Data as a tensor, by the rules of this module; copied only where it must be.

    Args:
        name: what to call the data in an error.
        values: a tensor, or whatever numpy reads as an array.
        dtype: what floating numbers of an array become; torch's default, unless said.

    Returns:
        A tensor; it may share the array's memory, which may be read-only: do not write to it.

    Raises:
        TypeError: if it is neither, or does not hold numbers.
        ValueError: if values of it are masked.
    """
    if isinstance(values, Tensor):
        if values.is_complex():
            raise TypeError(f"{name} must hold real numbers; received {values.dtype}.")
        return values.detach()
    if not is_array(values):
        raise TypeError(
            f"{name} must be a tensor or an array; received {type(values).__name__}. "
            "Convert it: numpy.asarray(...), or .to_numpy() of a table."
        )
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values. Say what they are: x.filled(numpy.nan).")
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must hold numbers; received an array of dtype {array.dtype}. Choose the "
            "columns that are numbers, and convert them: table[columns].to_numpy(dtype=float)."
        )
    dtype = dtype or torch.get_default_dtype()
    if array.dtype.kind == "f":
        array = array.astype(np.float64 if dtype == torch.float64 else np.float32, copy=False)
    elif array.dtype.kind == "u" and array.itemsize > 1:
        array = array.astype(np.int64)
    if not array.dtype.isnative or any(stride < 0 for stride in array.strides):
        array = array.astype(array.dtype.newbyteorder("="))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable")  # nothing here writes
        tensor = torch.from_numpy(array)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def takes_arrays(function: Callable[P, R]) -> Callable[P, R]:
    """What a function annotates as Tensor may be an array; what does not fit is named.

    Anything but tensors and arrays is turned away by its argument's name; where shapes or dtypes do
    not fit each other, torch's reason is told with all of them.
    """
    signature = inspect.signature(function)
    data = [name for name, one in signature.parameters.items() if one.annotation is Tensor]

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs)
        for name in data:
            value = given.arguments[name]
            if not isinstance(value, Tensor) or value.is_complex():  # a tensor keeps its graph
                given.arguments[name] = as_tensor(name, value)
        try:
            return function(*given.args, **given.kwargs)
        except (IndexError, RuntimeError) as error:
            if type(error) not in (IndexError, RuntimeError, NotImplementedError):
                raise  # out of memory, say
            shapes = [f"{name} {tuple(given.arguments[name].shape)}" for name in data]
            raise ValueError(
                f"{function.__qualname__} cannot work on data of these shapes: received "
                f"{', '.join(shapes)} ({str(error).splitlines()[0]})."
            ) from error

    return wrapped
