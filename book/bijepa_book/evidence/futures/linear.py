"""A noisy rotation seen through noise: a linear world, whose optimum is the Kalman filter's.

Two hidden states turn, shrink and are pushed at random; one of them is observed, with noise. x is a
window of eight observations, y the eight that follow. Given one window, the other is normal: its
law is the Kalman filter's, carried on. Backward the same filter runs on the reversed process,
which is linear, too. (What is observed, one number with normal noise, looks the same in both
directions of time, so that future and past can be known equally well.)
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_discrete_lyapunov
from torch import Tensor

from bijepa_book.evidence.futures.world import Drawn, Known
from bijepa_core._support.checks import check_counts
from bijepa_core.data.streams import BLOCK, Blockwise
from bijepa_core.model import Direction
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

WINDOW = 8  # observations
SHRINK, TURN = 0.95, 0.5  # a step; radians
PUSH = (0.5, 0.2)  # deviations of the noise that drives the two states
NOISE = 0.3  # deviation of an observation's
FIT, JUDGE = 20_000, 2_000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """``q' = move q + noise``, in its stationary law; the first of q is observed.

    Args:
        move: ``(2, 2)``.
        push: covariance of the noise, ``(2, 2)``.
    """

    move: Array
    push: Array

    @property
    def covariance(self) -> Array:
        """Of q, in the long run."""
        return np.asarray(solve_discrete_lyapunov(self.move, self.push))

    def reversed(self) -> "System":
        """The same process, seen backward in time."""
        long_run = self.covariance
        back = long_run @ self.move.T @ np.linalg.inv(long_run)
        return System(back, long_run - back @ long_run @ back.T)


FORWARD = System(
    SHRINK * np.array([[cos(TURN), -sin(TURN)], [sin(TURN), cos(TURN)]]), np.diag(np.square(PUSH))
)


def filtered(system: System, window: Array) -> tuple[Array, Array]:
    """The law of the state one step after a window, by the Kalman filter.

    Args:
        system: how states move in the order in which the window is given.
        window: ``(n, length)``.

    Returns:
        Means ``(n, 2)``, and their covariance ``(2, 2)``.

    Source:
        Kalman 1960, J. Basic Eng. 82, 35.
    """
    mean, spread = np.zeros((len(window), 2)), system.covariance
    for observed in window.T:
        gain = spread[:, 0] / (spread[0, 0] + NOISE**2)
        mean = mean + np.outer(observed - mean[:, 0], gain)
        spread = spread - np.outer(gain, spread[0])
        mean = mean @ system.move.T
        spread = system.move @ spread @ system.move.T + system.push
    return mean, spread


@lru_cache(maxsize=2)
def system_of(direction: Direction) -> System:
    """How states move in a direction of time."""
    return FORWARD if direction == "forward" else FORWARD.reversed()


def window_law(seen: Tensor, direction: Direction) -> tuple[Tensor, Tensor]:
    """The law of the hidden window, given the one that is seen.

    Args:
        seen: ``(n, WINDOW)``, in the order of time.
        direction: ``"forward"`` for the window that follows, ``"backward"`` for the one before.

    Returns:
        Means ``(n, WINDOW)`` and a covariance ``(WINDOW, WINDOW)``, float64; the number nearest to
        the seen window comes first.
    """
    system = system_of(direction)
    ordered = seen.double() if direction == "forward" else seen.double().flip(-1)
    mean, spread = filtered(system, ordered.numpy())
    powers = [np.linalg.matrix_power(system.move, j) for j in range(WINDOW)]
    means = np.stack([(mean @ power.T)[:, 0] for power in powers], -1)
    covariance = np.zeros((WINDOW, WINDOW))
    for j in range(WINDOW):  # of the states there, and what of them comes back later
        for k in range(j, WINDOW):
            covariance[j, k] = covariance[k, j] = (powers[k - j] @ spread)[0, 0]
        spread = system.move @ spread @ system.move.T + system.push
    return torch.from_numpy(means), torch.from_numpy(covariance + NOISE**2 * np.eye(WINDOW))


def exact(seen: Tensor, direction: Direction, count: int, generator: torch.Generator) -> Tensor:
    """Draws of the hidden window from its exact law.

    Args:
        seen: ``(n, WINDOW)``.
        direction: in time.
        count: how many for each.
        generator: source of randomness.

    Returns:
        ``(count, n, WINDOW)``; the number nearest to the seen window comes first.
    """
    means, covariance = window_law(seen, direction)
    noise = torch.randn(count, *means.shape, generator=generator, dtype=torch.float64)
    return means + noise @ torch.linalg.cholesky(covariance).mT


def windows(count: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Observations, ``(*count, 2 WINDOW)``, in the order of time; in torch's default dtype."""
    shape = (count,) if isinstance(count, int) else tuple(count)

    def noise(*size: int) -> Tensor:
        return torch.randn(*shape, *size, generator=generator)

    root = torch.linalg.cholesky(torch.from_numpy(FORWARD.covariance)).float()
    q, move, seen = noise(2) @ root.mT, torch.from_numpy(FORWARD.move).float(), []
    for _ in range(2 * WINDOW):
        seen.append(q[..., :1])
        q = q @ move.mT + noise(2) * torch.tensor(PUSH)
    return torch.cat(seen, -1) + NOISE * noise(2 * WINDOW)


class LinearBatches:
    """Fresh windows at every step: a stream (see :mod:`bijepa_core.data.streams`).

    Args:
        seeds: one seed, or several for a leading seed axis.
        batch_size: pairs a step.
    """

    def __init__(self, seeds: Seeds, batch_size: int) -> None:
        check_counts(batch_size=batch_size)
        self.seeds, self.batch_size = plain_seeds(seeds), int(batch_size)
        self._windows = Blockwise(self._drawn)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x and y of one step, each ``(*seeds, batch, WINDOW)``."""
        x, y = self._windows(step).split(WINDOW, dim=-1)
        return x, y

    def _drawn(self, block: int) -> Tensor:
        shape = (BLOCK, self.batch_size)
        return sample_per_seed(self.seeds, "linear/train", lambda g: windows(shape, g), block)


def linear_data(seeds: tuple[int, ...], batch_size: int) -> Drawn:
    """What is learned from and judged on: the windows themselves are asked for."""

    def known(purpose: str, count: int) -> Known:
        both = sample_per_seed(seeds, f"linear/{purpose}", lambda g: windows(count, g))
        x, y = both.split(WINDOW, dim=-1)
        return Known(x, y, x.flip(-1), y)

    batches = LinearBatches(seeds, batch_size)
    return Drawn(batches, known("fit", FIT), known("held-out", JUDGE))
