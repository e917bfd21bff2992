"""Forecasts that need no learning, to put every model in proportion."""

from torch import Tensor


def copy_last(x: Tensor, size: int) -> Tensor:
    """The last state of the context as the forecast of the next.

    Args:
        x: contexts, states flattened in time order, ``(..., states * size)``.
        size: numbers in a state (1 for sine, 3 for Lorenz).

    Returns:
        ``(..., size)``.
    """
    return x[..., -size:]


def extrapolate(x: Tensor, size: int) -> Tensor:
    """The straight line through the last two states, one step on.

    Args and returns as :func:`copy_last`.
    """
    return 2 * x[..., -size:] - x[..., -2 * size : -size]
