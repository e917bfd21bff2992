"""Lorenz's attractor seen through noise, so far ahead that its wing is open.

The system is the paper's (Euler steps of 0.01), settled on its attractor. A view is a window of
eight states, a tenth of a unit of time apart, seen through noise; between x and y lies
:data:`LEAD`. Asked is the first coordinate, without noise, at the end of the hidden window that is
nearer to the seen one; its sign is the wing. Through this noise the wing ahead is open for 35 % of
the views, by the exact law; which wing a state came from, none of them tells: the attractor's
sheets, on which that is written, lie closer together than the noise.

The exact law is that of Bayes: of many windows of the attractor, drawn beside, each weighted by how
likely it makes the one that is seen.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bijepa_book.evidence.futures.world import Drawn, Known
from bijepa_core.data.lorenz import euler, starts
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.model import Direction
from bijepa_core.seeds import generator, sample_per_seed

WINDOW, EVERY = 8, 10  # states in a window; Euler steps between two
LEAD = 100  # Euler steps from the end of x to the beginning of y
SETTLE = 1_500  # Euler steps before a window begins
NOISE = 0.5  # deviation, in the units of the views
CENTER, UNIT = torch.tensor([0.0, 0.0, 23.5]), 8.0
"""Views are ``(state - CENTER) / UNIT``, of about mean 0 and variance 1."""
LIBRARY = 100_000  # windows that the exact law is made of
TRAIN, FIT, JUDGE = 40_000, 10_000, 1_000


def histories(count: int, g: torch.Generator) -> Tensor:
    """Pairs of windows on the attractor, without noise.

    Args:
        count: how many.
        g: source of randomness; of the starts, nothing else.

    Returns:
        ``(count, 2 WINDOW, 3)``, float32, in the units of the views.
    """
    state, kept = starts(count, g), []
    for steps in (SETTLE, *[EVERY] * (WINDOW - 1), LEAD, *[EVERY] * (WINDOW - 1)):
        for _ in range(steps // EVERY):
            state = euler(state, EVERY)[:, -1]
        kept.append(state)
    states = torch.from_numpy(np.stack(kept, 1)).float()
    return (states - CENTER) / UNIT


def known(clean: Tensor, noise: Tensor) -> Known:
    """Both views of pairs of windows, and what is asked.

    Args:
        clean: ``(*seeds, n, 2 WINDOW, 3)``.
        noise: of the same shape, of deviation 1.

    Returns:
        Views of ``3 WINDOW`` numbers; asked are single ones.
    """
    seen = clean + NOISE * noise
    x, y = seen[..., :WINDOW, :].flatten(-2), seen[..., WINDOW:, :].flatten(-2)
    return Known(x, y, clean[..., WINDOW - 1, :1], clean[..., WINDOW, :1])


@lru_cache(maxsize=1)
def library() -> Tensor:
    """Windows beside all seeds', without noise: ``(LIBRARY, 2 WINDOW, 3)``."""
    return histories(LIBRARY, generator(0, "wing/library"))


def weights(seen: Tensor, direction: Direction) -> Tensor:
    """How probable each history of the library is, given a view.

    Args:
        seen: ``(n, 3 WINDOW)``.
        direction: whether it is x (``"forward"``) or y.

    Returns:
        ``(n, LIBRARY)``; each row adds up to 1.
    """
    half = slice(WINDOW) if direction == "forward" else slice(WINDOW, None)
    clean = library()[:, half].flatten(-2)
    likelihood = (seen @ clean.mT - clean.square().sum(-1) / 2) / NOISE**2  # its logarithm
    return torch.softmax(likelihood, -1)


def asked(direction: Direction) -> Tensor:
    """What is asked of each history in the library, ``(LIBRARY,)``."""
    return library()[:, WINDOW if direction == "forward" else WINDOW - 1, 0]


def exact(seen: Tensor, direction: Direction, count: int, generator: torch.Generator) -> Tensor:
    """Draws of what is asked from its law, given a view.

    Args:
        seen: ``(n, 3 WINDOW)``.
        direction: in time.
        count: how many for each.
        generator: source of randomness.

    Returns:
        ``(count, n, 1)``.
    """
    values = asked(direction)
    drawn = [
        values[weights(part, direction).multinomial(count, True, generator=generator)]
        for part in seen.split(250)
    ]
    return torch.cat(drawn).T[..., None]


def wing_data(seeds: tuple[int, ...], batch_size: int) -> Drawn:
    """What is learned from (a table of pairs, with their noise) and judged on."""

    def drawn(purpose: str, count: int) -> Known:
        clean = sample_per_seed(seeds, f"wing/{purpose}", lambda g: histories(count, g))
        noise = sample_per_seed(
            seeds, f"wing/{purpose}/noise", lambda g: torch.randn(clean.shape[1:], generator=g)
        )
        return known(clean, noise)

    train = drawn("train", TRAIN)
    batches = DrawnBatches(train.x, train.y, batch_size=batch_size, seeds=seeds, per_seed=True)
    return Drawn(batches, drawn("fit", FIT), drawn("held-out", JUDGE))
