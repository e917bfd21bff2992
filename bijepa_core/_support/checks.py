"""Checks that come before any work, and say the rule, what was received and the remedy."""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def check_positive(**sizes: float) -> None:
    """Sizes must be positive.

    Raises:
        ValueError: naming the size, its value and the rule.
    """
    for name, size in sizes.items():
        if not is_number(size) or not 0 < size < float("inf"):
            raise ValueError(f"{name} must be positive and finite; received {size!r}.")


def is_number(value: object) -> bool:
    """Python's and numpy's real numbers; not text, truth values or tensors."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_kind(rule: str, value: object, *kinds: Any) -> None:
    """An argument is of the kind that is asked for.

    Args:
        rule: what it must be, beginning with its name; and the remedy.
        value: the argument.
        kinds: the classes that will do.

    Raises:
        TypeError: with the rule, and what was received.
    """
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
    """Counts are whole numbers, at least 1.

    Raises:
        ValueError: naming the count, its value and the rule.
    """
    for name, count in counts.items():
        if not is_number(count) or not isinstance(count, Integral) or count < 1:
            raise ValueError(f"{name} must be positive and whole; received {count!r}.")


def check_table(x: Tensor, y: Tensor) -> None:
    """A table to learn from is not empty, finite, and holds one y for each x.

    Raises:
        ValueError: naming what is wrong.
    """
    if x.shape != y.shape:
        raise ValueError(
            "x and y must have the same shape, one target for each context; received "
            f"{tuple(x.shape)} and {tuple(y.shape)}."
        )
    if x.numel() == 0:
        raise ValueError(f"the table must not be empty; received shape {tuple(x.shape)}.")
    for name, values in (("x", x), ("y", y)):
        if not torch.isfinite(values).all():
            bad = int((~torch.isfinite(values)).sum())
            raise ValueError(
                f"{name} must be finite; {bad} of its {values.numel()} values are NaN or infinite. "
                "Drop or impute them first."
            )


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
    """Momentum and weights lie in [0, 1].

    Raises:
        ValueError: naming the first that does not.
    """
    for name, value in values.items():
        if not is_number(value) or not 0 <= value <= 1:
            raise ValueError(
                f"{name} must lie in [0, 1]; received {value!r}. "
                "The paper uses alpha = 0.5 (1 is classic JEPA) and tau = 0.995."
            )


def check_view(encoder: nn.Module, name: str, view: Tensor, seeds: int | None) -> None:
    """One view fits the encoder: its shape, dtype and device.

    Args:
        encoder: the online encoder; its ``input_shape``, where it has one, is the view's.
        name: what to call the view in an error.
        view: ``(*seeds, batch, *view)``.
        seeds: length of the seed axis; None without one.

    Raises:
        ValueError: naming the rule, what was received and what is expected.
    """
    parameter = next(encoder.parameters())
    if view.dtype != parameter.dtype or view.device != parameter.device:
        raise ValueError(
            f"{name} must have the model's dtype and device, {parameter.dtype} on "
            f"{parameter.device}; received {view.dtype} on {view.device}. "
            f"Convert it: {name}.to({str(parameter.device)!r}, {parameter.dtype})."
        )
    shape = getattr(encoder, "input_shape", None)  # an encoder of your own may not say
    if shape is None:
        return
    leading = view.shape[: view.ndim - len(shape)]
    wanted = [1] if seeds is None else [1, 2]
    fits = tuple(view.shape[len(leading) :]) == shape and len(leading) in wanted
    if not fits or (len(leading) == 2 and leading[0] != seeds) or 0 in leading:
        axis = "" if seeds is None else f", or ({seeds}, batch, *view)"
        raise ValueError(
            f"{name} must be (batch, *view){axis} with view = {shape} and batch >= 1; "
            f"received {tuple(view.shape)}."
        )


def check_views(encoder: nn.Module, x: Tensor, y: Tensor, seeds: int | None) -> None:
    """Context and target fit each other and the encoder, which both share.

    Args:
        encoder, seeds: see :func:`check_view`.
        x, y: ``(*seeds, batch, *view)`` each.

    Raises:
        ValueError: naming the rule and both shapes, dtypes or devices.
    """
    if x.shape != y.shape or x.dtype != y.dtype or x.device != y.device:
        raise ValueError(
            "x and y pass the same encoder and must agree in shape, dtype and device; received "
            f"x {tuple(x.shape)}, {x.dtype} on {x.device} and "
            f"y {tuple(y.shape)}, {y.dtype} on {y.device}."
        )
    check_view(encoder, "x", x, seeds)
