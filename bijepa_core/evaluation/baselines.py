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
    """
    check_counts(size=size)
    return x[..., -size:]


@takes_arrays
def extrapolate(x: Tensor, size: int) -> Tensor:
    """The straight line through the last two states, one step on.

    Args and returns as :func:`copy_last`.
    """
    check_counts(size=size)
    return 2 * x[..., -size:] - x[..., -2 * size : -size]
