"""Forecasts that need no learning, to put every model in proportion."""

from torch import Tensor

from bijepa_core._support.arrays import takes_arrays
from bijepa_core._support.checks import check_counts


@takes_arrays
def copy_last(x: Tensor, size: int) -> Tensor:
    """The last state of the context as the forecast of the next.

    Args:
        x: contexts, states flattened in time order, ``(..., states * size)``.
        size: numbers in a state (1 for sine, 3 for Lorenz).

    Returns:
        ``(..., size)``.

    Raises:
        ValueError: if size is no positive whole number, or x does not hold whole states.
    """
    _check_states(x, size, 1)
    return x[..., -size:]


@takes_arrays
def extrapolate(x: Tensor, size: int) -> Tensor:
    """The straight line through the last two states, one step on.

    Args, returns and errors as :func:`copy_last`; of two states or more.
    """
    _check_states(x, size, 2)
    return 2 * x[..., -size:] - x[..., -2 * size : -size]


def _check_states(x: Tensor, size: int, least: int) -> None:
    check_counts(size=size)
    numbers = x.shape[-1] if x.ndim else 0
    if numbers % size or numbers < least * size:
        raise ValueError(
            f"x must hold whole states of {size} numbers on its last axis, {least} or more of "
            f"them; received {tuple(x.shape)}."
        )
