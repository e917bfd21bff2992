"""A particle in a double well: a fork in the road, ahead and back, whose exact law is known.

Overdamped Langevin dynamics, ``dq = (q - q^3) dt + 0.7 dW``, from its stationary law. The views are
one number each: x is where the particle is, y where it is two units of time later. On the ridge at
q = 0 both wells are open (the law of y has two peaks there, and half of the height between them);
from the bottom of a well, seven in eight stay. By detailed balance the past has the same law as
the future: whoever stands on the ridge may have come from either well.

The exact law comes from a grid: rates of jumps between neighboring cells that satisfy detailed
balance, and the exponential of their matrix.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from scipy.linalg import expm
from torch import Tensor

from bijepa_book.evidence.futures.world import Drawn, Known
from bijepa_core._support.checks import check_counts, check_positive
from bijepa_core.data.streams import BLOCK, Blockwise
from bijepa_core.model import Direction
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

SIGMA = 0.7  # strength of the noise
TIME = 2.0  # between x and y
DT = 0.01  # of the simulation
EDGE, CELLS = 2.5, 200  # of the grid; zero is a border between two cells, and the ridge
WIDTH = 2 * EDGE / CELLS
GRID = -EDGE + WIDTH * (torch.arange(CELLS, dtype=torch.float64) + 0.5)
"""The middles of the cells."""
FIT, JUDGE = 20_000, 2_000  # pairs
PLACES = torch.linspace(-1.5, 1.5, 31)[:, None]
"""That are looked at closely; the ridge is in the middle."""

Pairs = tuple[Tensor, Tensor]


# --- the simulation -----------------------------------------------------------------------------


def drift(q: Tensor) -> Tensor:
    """Where the wells pull: minus the slope of U = q^4 / 4 - q^2 / 2."""
    return q - q**3


def simulated(q: Tensor, time: float, generator: torch.Generator) -> Tensor:
    """Where particles are after some time, by the Euler-Maruyama method.

    Args:
        q: where they start, of any shape.
        time: a multiple of :data:`DT`.
        generator: of the noise.

    Returns:
        Of q's shape.
    """
    for _ in range(round(time / DT)):
        kick = torch.randn(q.shape, generator=generator, dtype=q.dtype)
        q = q + DT * drift(q) + SIGMA * math.sqrt(DT) * kick
    return q


def pairs(count: int | tuple[int, ...], generator: torch.Generator) -> Pairs:
    """Where particles are, and where they are :data:`TIME` later.

    Args:
        count: how many, or a shape of them.
        generator: source of all randomness.

    Returns:
        ``(*count, 1)`` each, in torch's default dtype.

    Raises:
        ValueError: if a count is not positive.
    """
    shape = (count,) if isinstance(count, int) else tuple(count)
    check_positive(**{f"count[{i}]": n for i, n in enumerate(shape)})
    x = draws(stationary(), math.prod(shape), generator).reshape(*shape, 1)
    x = x.to(torch.get_default_dtype())
    return x, simulated(x, TIME, generator)


class WellBatches:
    """Fresh pairs at every step: a stream (see :mod:`bijepa_core.data.streams`).

    Args:
        seeds: one seed, or several for a leading seed axis.
        batch_size: pairs a step.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``seeds`` are not proper seeds.
    """

    def __init__(self, seeds: Seeds, batch_size: int) -> None:
        check_counts(batch_size=batch_size)
        self.seeds, self.batch_size = plain_seeds(seeds), int(batch_size)
        self._pairs = Blockwise(self._drawn)

    def __call__(self, step: int) -> Pairs:
        """x and y of one step, each ``(*seeds, batch, 1)``."""
        x, y = self._pairs(step).split(1, dim=-1)
        return x, y

    def _drawn(self, block: int) -> Tensor:
        shape = (BLOCK, self.batch_size)
        return sample_per_seed(
            self.seeds, "well/train", lambda g: torch.cat(pairs(shape, g), -1), block
        )


def well_data(seeds: tuple[int, ...], batch_size: int) -> Drawn:
    """What is learned from and judged on: the places themselves are asked for."""

    def known(purpose: str, count: int) -> Known:
        both = sample_per_seed(seeds, f"well/{purpose}", lambda g: torch.cat(pairs(count, g), -1))
        x, y = both.split(1, dim=-1)
        return Known(x, y, x, y)

    return Drawn(WellBatches(seeds, batch_size), known("fit", FIT), known("held-out", JUDGE))


# --- the exact law ------------------------------------------------------------------------------


def stationary() -> Tensor:
    """The probability of each cell in the long run, ``(CELLS,)``: ``exp(-2 U / SIGMA^2)``."""
    return torch.softmax(_log_density(), 0)


def _log_density() -> Tensor:
    return -2 * (GRID**4 / 4 - GRID**2 / 2) / SIGMA**2


@lru_cache(maxsize=8)
def transition(time: float = TIME) -> Tensor:
    """Where a particle is after some time, cell by cell; the ends of the grid reflect.

    Jumps up and down have the rates ``SIGMA^2 / (2 WIDTH^2)`` times the root of the ratio of the
    stationary probabilities, so that detailed balance is exact and the dynamics are Langevin's up
    to WIDTH squared.

    Args:
        time: not negative.

    Returns:
        ``(CELLS, CELLS)``: row i is the law of those who start in cell i.

    Raises:
        ValueError: if time is not positive.
    """
    check_positive(time=time)
    step = _log_density().diff().numpy() / 2
    rate = SIGMA**2 / (2 * WIDTH**2)
    rates = np.diag(rate * np.exp(step), 1) + np.diag(rate * np.exp(-step), -1)
    rates -= np.diag(rates.sum(1))
    return torch.from_numpy(expm(time * rates))


def law(q: Tensor, time: float = TIME) -> Tensor:
    """The law of the other view given one; the same ahead and back.

    Args:
        q: where the particle is, ``(..., 1)``.
        time: between the views.

    Returns:
        The probability of each cell, ``(..., CELLS)``: between two cells, a mixture of their rows.
    """
    place = ((q.double().squeeze(-1) + EDGE) / WIDTH - 0.5).clamp(0, CELLS - 1)
    low = place.floor().long().clamp_max(CELLS - 2)
    share = (place - low)[..., None]
    rows = transition(time)
    return torch.lerp(rows[low], rows[low + 1], share)


def draws(probabilities: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Numbers that follow laws on the grid, uniform within a cell.

    Args:
        probabilities: ``(..., CELLS)``.
        count: how many of each.
        generator: source of randomness.

    Returns:
        ``(count, ...)``, float64.
    """
    shape = probabilities.shape[:-1]
    level = torch.rand(*shape, count, generator=generator, dtype=torch.float64)
    above = probabilities.double().cumsum(-1)
    cell = torch.searchsorted(above, level).clamp_max(CELLS - 1)
    under = torch.rand(level.shape, generator=generator, dtype=torch.float64)
    return (GRID[cell] + WIDTH * (under - 0.5)).movedim(-1, 0)


def right(probabilities: Tensor) -> Tensor:
    """The probability of the right well, ``(...)``, of laws on the grid."""
    return probabilities[..., CELLS // 2 :].sum(-1)


def below(probabilities: Tensor, value: Tensor) -> Tensor:
    """The distribution function at a value: what is uniform if the laws are right.

    Args:
        probabilities: ``(..., CELLS)``.
        value: ``(..., 1)``.

    Returns:
        ``(...)``, in 0..1.
    """
    share = ((value.double() - GRID) / WIDTH + 0.5).clamp(0, 1)  # of each cell
    return (probabilities * share).sum(-1)


def crps(probabilities: Tensor, value: Tensor) -> Tensor:
    """The continuous ranked probability score of laws on the grid.

    Args:
        probabilities: ``(..., CELLS)``.
        value: ``(..., 1)``.

    Returns:
        ``(...)``; low is good, and in expectation least for the true law.

    Source:
        Gneiting and Raftery 2007, J. Am. Stat. Assoc. 102, Eq. 21.
    """
    apart = (GRID[:, None] - GRID).abs()
    missed = (probabilities * (GRID - value.double()).abs()).sum(-1)
    return missed - ((probabilities @ apart) * probabilities).sum(-1) / 2


def exact(seen: Tensor, direction: Direction, count: int, generator: torch.Generator) -> Tensor:
    """Draws of where the particle is, given the other view.

    Args:
        seen: ``(n, 1)``.
        direction: in time; the law is the same in both.
        count: how many for each.
        generator: source of randomness.

    Returns:
        ``(count, n, 1)``.
    """
    return draws(law(seen), count, generator)[..., None]
