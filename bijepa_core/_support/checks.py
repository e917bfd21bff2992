"""Checks that come before any work, and say the rule, what was received and the remedy."""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bijepa_core._support.arrays import Data, as_tensor

PART = 2**22  # values looked at in one go
WHOLE = {torch.int64, torch.int32}  # what torch's embeddings take
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
USUAL = {
    "alpha": " The paper uses 0.5; 1 is classic JEPA.",
    "tau": " The paper uses 0.995, and 0.99 on MNIST.",
}
"""What an error adds about a value between 0 and 1, by its name."""


def check_positive(**sizes: float) -> None:
    """Sizes are positive and finite; a ValueError names the first that is not."""
    for name, size in sizes.items():
        if not is_number(size) or not 0 < size < float("inf"):
            raise ValueError(f"{name} must be positive and finite; received {size!r}.")


def is_number(value: object) -> bool:
    """Python's and numpy's real numbers; not text, truth values or tensors."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_zero(value: object) -> bool:
    """A whole 0, for what may be none or a count."""
    return isinstance(value, Integral) and value == 0


def check_kind(rule: str, value: object, *kinds: Any) -> None:
    """An argument is of one of these kinds; a TypeError says the rule, and what was received."""
    if not isinstance(value, kinds):
        text = reprlib.repr(value)
        received = text if isinstance(value, str | None) else f"{type(value).__name__} {text}"
        raise TypeError(f"{rule} Received {received}.")


def make_plain(settings: Any) -> None:
    """The numpy numbers in a frozen dataclass become Python's, which JSON and checkpoints take."""
    for name, value in vars(settings).items():
        if isinstance(value, np.generic):
            object.__setattr__(settings, name, value.item())


def check_counts(**counts: int) -> None:
    """Counts are whole numbers, at least 1; a ValueError names the first that is not."""
    for name, count in counts.items():
        if not is_number(count) or not isinstance(count, Integral) or not 0 < count < 2**63:
            raise ValueError(f"{name} must be positive and whole; received {count!r}.")


def check_table(x: Tensor, y: Tensor, axes: int = 1, names: tuple[str, str] = ("x", "y")) -> None:
    """A table to learn from is not empty, finite, and holds one y for each x.

    Args:
        x, y: ``(rows, *view)``; the views may differ in shape.
        axes: leading axes that both share: 2 where a seed axis stands before the rows.
        names: what to call the two in an error.
    """
    if min(x.ndim, y.ndim) < axes or x.shape[:axes] != y.shape[:axes]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same number of rows, one target for each "
            f"context; received {tuple(x.shape)} and {tuple(y.shape)}."
        )
    for name, values in zip(names, (x, y), strict=True):
        if values.numel() == 0:
            raise ValueError(f"{name} must not be empty; received shape {tuple(values.shape)}.")
        # part by part: isfinite makes a copy, and a mapped table may be larger than memory
        rows = max(PART * len(values) // values.numel(), 1)
        bad = sum(int((~torch.isfinite(part)).sum()) for part in values.split(rows))
        if bad:
            raise ValueError(
                f"{name} must be finite; {bad} of its {values.numel()} values are NaN or infinite. "
                "Drop or impute them first."
            )


def check_comparable(guess: Tensor, truth: Tensor) -> None:
    """Guesses and what they are compared with have the same last two axes, samples and numbers."""
    if min(guess.ndim, truth.ndim) < 2 or guess.shape[-2:] != truth.shape[-2:]:
        raise ValueError(
            "what is compared must be (*seeds, n, d), with the same n and d; received guesses "
            f"{tuple(guess.shape)} and truth {tuple(truth.shape)}. A single number a sample is "
            "(n, 1): y[:, None]."
        )


def check_labels(labels: Tensor) -> Tensor:
    """Labels ``(n,)`` as int64; a ValueError where they are not whole numbers from 0."""
    labels = as_tensor("labels", labels)
    whole = not labels.is_floating_point() and not labels.is_complex()
    if not whole or labels.ndim != 1 or not len(labels) or int(labels.min()) < 0:
        raise ValueError(
            "labels must be whole numbers from 0, one a sample; received "
            f"{labels.dtype} of shape {tuple(labels.shape)}"
            + (f", the lowest {labels.min():g}. " if labels.numel() else ". ")
            + "Number the classes: numpy.unique(labels, return_inverse=True)."
        )
    return labels.long()


@contextmanager
def inference(module: nn.Module) -> Iterator[None]:
    """No gradients and frozen batch statistics; afterwards each module has its own mode again."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def check_unit_interval(**values: float) -> None:
    """Momentum and weights lie in [0, 1]; a ValueError names the first that does not."""
    for name, value in values.items():
        if not is_number(value) or not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1]; received {value!r}.{USUAL.get(name, '')}")


def check_view(encoder: nn.Module, name: str, view: Data, seeds: int | None) -> Tensor:
    """One view fits the encoder: its shape, dtype and device.

    Args:
        encoder: the online encoder; its ``input_shape``, where it has one, is the view's. Whole
            numbers are for an encoder that embeds them, or that says their ``input_dtype``.
        name: what to call the view in an error.
        view: ``(*seeds, batch, *view)``. An array, which has no device, takes the encoder's, and
            its floating numbers the encoder's dtype.
        seeds: length of the seed axis; None without one.

    Returns:
        The view as a tensor.

    Raises:
        TypeError: if it is neither a tensor nor an array of numbers.
        ValueError: naming the rule, what was received and what is expected.
    """
    tensor = _as_view(encoder, name, view)
    parameter = next(encoder.parameters(), tensor)  # some have none
    dtype = getattr(encoder, "input_dtype", parameter.dtype)
    embedded = tensor.dtype in WHOLE and any(isinstance(m, EMBEDDINGS) for m in encoder.modules())
    if tensor.device != parameter.device or (tensor.dtype != dtype and not embedded):
        raise ValueError(
            f"{name} must have the model's dtype and device, {dtype} on "
            f"{parameter.device}; received {tensor.dtype} on {tensor.device}. "
            f"Convert it: {name}.to({str(parameter.device)!r}, {dtype})."
        )
    shape, received = getattr(encoder, "input_shape", None), tuple(tensor.shape)
    if shape is None:  # an encoder of your own may not say
        if tensor.ndim == 0 or 0 in received[: 1 if seeds is None else 2]:
            raise ValueError(f"{name} must be (batch, *view) with batch >= 1; received {received}.")
        return tensor
    leading = received[: max(tensor.ndim - len(shape), 0)]
    axes = len(leading) == 1 or (len(leading) == 2 and leading[0] == seeds)
    if not axes or received[len(leading) :] != tuple(shape) or 0 in leading:
        axis = "" if seeds is None else f", or ({seeds}, batch, *view)"
        raise ValueError(
            f"{name} must be (batch, *view){axis} with view = {shape} and batch >= 1; "
            f"received {received}."
        )
    return tensor


def check_views(encoder: nn.Module, x: Data, y: Data, seeds: int | None) -> tuple[Tensor, Tensor]:
    """Context and target fit each other and the encoder, which both share; else as check_view.

    Their shapes may differ where the encoder does not say an ``input_shape``.
    """
    x, y = _as_view(encoder, "x", x), _as_view(encoder, "y", y)
    shape = getattr(encoder, "input_shape", None)
    differ = x.shape[:1] != y.shape[:1] if shape is None else x.shape != y.shape
    if differ or x.dtype != y.dtype or x.device != y.device:
        raise ValueError(
            f"x and y pass the same encoder and must agree in {'shape' if shape else 'batch'}, "
            f"dtype and device; received x {tuple(x.shape)}, {x.dtype} on {x.device} and "
            f"y {tuple(y.shape)}, {y.dtype} on {y.device}. Pass one y for each x. Views of two "
            "shapes are for an encoder that takes both and does not say an input_shape."
        )
    x = check_view(encoder, "x", x, seeds)
    return x, y if y.shape == x.shape else check_view(encoder, "y", y, seeds)


def _as_view(encoder: nn.Module, name: str, view: Data) -> Tensor:
    """A tensor as it is; an array as a tensor of the encoder's device and dtype."""
    if isinstance(view, Tensor):
        return view
    like = next(encoder.parameters(), torch.empty(0))
    tensor = as_tensor(name, view, like.dtype)
    return tensor.to(like.device, copy=True)  # the array is the caller's, or read-only
