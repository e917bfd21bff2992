"""Chapter 4's system: orbits on its attractor, toward it, and back in time.

Arrays are in the system's own units.
"""

import numpy as np
import torch
from scipy.spatial import cKDTree

from bijepa_core._support.checks import check_counts, check_positive
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, DT, LENGTH, Array, Integrator
from bijepa_core.seeds import generator

EXPONENT = 0.906  # the largest Lyapunov exponent at the standard parameters, as in the literature
WINDOW_TIMES = CONTEXT * DT * EXPONENT  # a window in Lyapunov times
LEAD, SAMPLES = 20, 20  # time units an orbit is given to settle, and states then taken from it


def runge_kutta(states: Array, length: int, dt: float = DT, substeps: int = 10) -> Array:
    """The equations by the classic fourth-order method, which may also run backwards.

    Backwards errors explode, because volumes, which shrink at the rate 13.67 forwards, grow: to
    infinity, where double precision ends.

    Args:
        states: ``(n, 3)``.
        length: how many states to return.
        dt: time between two of them; negative to go back.
        substeps: integration steps between two of them.

    Returns:
        ``(n, length, 3)``, the first of them ``dt`` away from ``states``.

    Raises:
        ValueError: if a size is not positive, or dt is zero or not finite.
    """
    check_counts(length=length, substeps=substeps)
    check_positive(**{"the size of dt": abs(dt)})
    state, passed, h = np.asarray(states, dtype=np.float64), [], dt / substeps
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(length):
            for _ in range(substeps):
                a = lorenz.velocity(state)
                b = lorenz.velocity(state + h / 2 * a)
                c = lorenz.velocity(state + h / 2 * b)
                d = lorenz.velocity(state + h * c)
                state = state + h / 6 * (a + 2 * b + 2 * c + d)
            passed.append(state)
    return np.stack(passed, axis=-2)


def settled(starts: Array, length: int = LENGTH, dt: float = DT) -> Array:
    """An integrator whose trajectories begin on the attractor.

    Every 20th start is carried on for 20 time units. From then on its orbit gives a new start a
    time unit, 20 in all. The other starts are not used.

    Args, returns and errors as :func:`bijepa_core.data.lorenz.euler`.
    """
    check_positive(length=length, dt=dt)
    orbits = runge_kutta(starts[: -(-len(starts) // SAMPLES)], LEAD + SAMPLES, 1.0, 100)
    return lorenz.accurate(orbits[:, LEAD:].reshape(-1, 3)[: len(starts)], length, dt)


SYSTEMS: dict[str, Integrator] = {
    "paper (Euler)": lorenz.euler,
    "accurate": lorenz.accurate,
    "on the attractor": settled,
}
"""Where the training trajectories come from."""


def on_attractor(count: int, generator: torch.Generator) -> Array:
    """States on the attractor, ``(count, 3)``."""
    return settled(lorenz.starts(count, generator), 1)[:, 0]


def attractor_distance(trajectories: Array, integrator: Integrator = lorenz.accurate) -> Array:
    """How far states are from the attractor of a system.

    Args:
        trajectories: ``(..., 3)``.
        integrator: the system; Euler's attractor is not quite the true one.

    Returns:
        ``(...)``: the distance to the nearest of 50,000 states of orbits that have settled.
    """
    begun = on_attractor(100, generator(0, "chaos/reference"))
    orbits = integrator(begun, 700, DT)[:, 200:]
    distances: Array = cKDTree(orbits.reshape(-1, 3)).query(trajectories)[0]
    return distances
