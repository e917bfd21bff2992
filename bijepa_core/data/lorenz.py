"""Experiment 2: Lorenz trajectories (section 4.3 and appendix B.2).

The paper integrates with forward Euler at dt = 0.01, whose error is not small on a chaotic
system. :func:`accurate` solves the same equations to a tolerance of 1e-10. From the same
starts, over the 40 states of a trajectory, the two part by about 8 in root mean square and by some
35 at worst, in raw units in which the coordinates of these trajectories have standard deviations of
13, 19 and 21 (8 to 9 once settled on the attractor, where the two part by 1.5). Most of it comes
from starts far from the attractor. Each is a fair dynamical system to forecast; they are not
the same one.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bijepa_core._support.checks import check_positive
from bijepa_core.data import series
from bijepa_core.data.series import SeriesData
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

LENGTH, CONTEXT, DT = 40, 20, 0.01
TRAIN = 2_000  # trajectories to learn from
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0

Array = NDArray[np.float64]
Integrator = Callable[[Array, int, float], Array]
"""Maps starts ``(n, 3)``, a number of states and dt to states ``(n, length, 3)``."""


def velocity(state: Array) -> Array:
    """The right-hand side of Eq. 12, for states ``(..., 3)``."""
    x, y, z = np.moveaxis(state, -1, 0)
    return np.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], axis=-1)


def euler(starts: Array, length: int = LENGTH, dt: float = DT) -> Array:
    """The paper's protocol: forward Euler; the first stored state is one step after the start.

    Args:
        starts: ``(n, 3)``.
        length: states a trajectory.
        dt: time step.

    Returns:
        ``(n, length, 3)``, float64.

    Raises:
        ValueError: if a size or dt is not positive.
    """
    check_positive(length=length, dt=dt)
    state, states = np.asarray(starts, dtype=np.float64), []
    for _ in range(length):
        state = state + dt * velocity(state)
        states.append(state)
    return np.stack(states, axis=-2)


def accurate(starts: Array, length: int = LENGTH, dt: float = DT) -> Array:
    """The same states at the same times by an 8th-order adaptive method (scipy's DOP853).

    Args, returns and errors as :func:`euler`. All trajectories are solved as one system.
    """
    from scipy.integrate import solve_ivp

    check_positive(length=length, dt=dt)
    shape = np.shape(starts)
    times = dt * np.arange(1, length + 1)
    solution = solve_ivp(
        lambda _, flat: velocity(flat.reshape(shape)).ravel(),
        (0.0, float(times[-1])),
        np.ravel(starts),
        method="DOP853",
        t_eval=times,
        rtol=1e-10,
        atol=1e-10,
    )
    return np.moveaxis(solution.y.reshape(*shape, length), -1, -2)


def starts(count: int, generator: torch.Generator) -> Array:
    """Starting states from U(-15, 15)^3, ``(count, 3)``, float64.

    Raises:
        ValueError: if count is not positive.
    """
    check_positive(count=count)
    return (30 * torch.rand(count, 3, generator=generator, dtype=torch.float64) - 15).numpy()


def trajectories(count: int, generator: torch.Generator, integrator: Integrator = euler) -> Tensor:
    """Raw trajectories from random :func:`starts`.

    Args:
        count: how many.
        generator: source of randomness, on the CPU.
        integrator: :func:`euler` (the paper's) or :func:`accurate`.

    Returns:
        ``(count, 40, 3)``, float64, in the system's own units.
    """
    return torch.from_numpy(integrator(starts(count, generator), LENGTH, DT))


def normalize(raw: Tensor, reference: Tensor | None = None) -> Tensor:
    """Zero mean and unit variance, by one number each over all values of a set.

    The paper's script normalizes each set (training, probe, test) by its own statistics, and
    all three coordinates together, z with its mean near 23 among them.

    Args:
        raw: ``(..., 3)``.
        reference: the set whose statistics to use; ``raw`` itself by default.

    Returns:
        Of raw's shape and torch's default dtype.

    Raises:
        ValueError: if the reference is constant, and so has no scale.
    """
    basis = raw if reference is None else reference
    std = basis.std(correction=0)
    if not std > 0:
        raise ValueError(f"a set must vary to be normalized; its deviation is {std:g}.")
    return ((raw - basis.mean()) / std).to(torch.get_default_dtype())


def split(series: Tensor) -> tuple[Tensor, Tensor]:
    """Context (states 0 to 19) and target (20 to 39), flattened to ``(..., 60)`` each."""
    return series[..., :CONTEXT, :].flatten(-2), series[..., CONTEXT:, :].flatten(-2)


def lorenz_data(
    seeds: Seeds,
    batch_size: int,
    device: torch.device | str = "cpu",
    integrator: Integrator = euler,
) -> SeriesData:
    """Experiment 2's data: 2,000 trajectories to draw from, others to probe with.

    As in the script, training and probe sets are normalized by their own statistics. The held-out
    set is normalized by the probe set's, so that a fitted probe is judged on the scale it knows.

    Args:
        seeds: one seed, or several for a leading seed axis.
        batch_size: trajectories a step.
        device: where they go.
        integrator: :func:`euler` (the paper's), :func:`accurate`, or another.

    Returns:
        The stream and both sets.
    """
    seeds = plain_seeds(seeds)

    def raw(purpose: str, count: int) -> Tensor:
        return sample_per_seed(seeds, purpose, lambda g: trajectories(count, g, integrator))

    def normalized(raw: Tensor, reference: Tensor) -> Tensor:
        if isinstance(seeds, int):
            return normalize(raw, reference)
        return torch.stack([normalize(s, r) for s, r in zip(raw, reference, strict=True)])

    def views(raw: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        return split(normalized(raw, reference).to(device))

    train, probe = raw("lorenz/train", TRAIN), raw("lorenz/probe", series.PROBE)
    x, y = views(train, train)
    many = not isinstance(seeds, int)
    return SeriesData(
        DrawnBatches(x, y, batch_size=batch_size, seeds=seeds, per_seed=many),
        3,
        views(probe, probe),
        views(raw("lorenz/held-out", series.HELD_OUT), probe),
    )
