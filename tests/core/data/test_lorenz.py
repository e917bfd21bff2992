"""Integrators against a scalar loop, a Runge-Kutta method, and each other."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bijepa_core.data import Batches, image_data, lorenz, sine_data
from bijepa_core.seeds import generator

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def starts() -> Array:
    return lorenz.starts(1000, generator(0, "test"))


def slope(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Eq. 12 with the paper's constants."""
    return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z


def runge_kutta(start: Array, length: int, dt: float, substeps: int) -> Array:
    """The classic fourth-order method, in scalars."""
    state, states, h = [float(value) for value in start], [], dt / substeps
    for _ in range(length):
        for _ in range(substeps):
            a = slope(*state)
            b = slope(*(s + h / 2 * k for s, k in zip(state, a, strict=True)))
            c = slope(*(s + h / 2 * k for s, k in zip(state, b, strict=True)))
            d = slope(*(s + h * k for s, k in zip(state, c, strict=True)))
            mean = [(p + 2 * q + 2 * r + s) / 6 for p, q, r, s in zip(a, b, c, d, strict=True)]
            state = [s + h * k for s, k in zip(state, mean, strict=True)]
        states.append(state)
    return np.array(states)


def test_euler_is_a_plain_loop(starts: Array) -> None:
    states = lorenz.euler(starts[:5])
    for start, trajectory in zip(starts[:5], states, strict=True):
        x, y, z = (float(value) for value in start)
        for state in trajectory:  # the first stored state is the one after the first step
            u, v, w = slope(x, y, z)
            x, y, z = x + 0.01 * u, y + 0.01 * v, z + 0.01 * w
            np.testing.assert_allclose(state, [x, y, z], rtol=1e-12)
    assert states.shape == (5, 40, 3)


def test_the_accurate_integrator_agrees_with_runge_kutta(starts: Array) -> None:
    states = lorenz.accurate(starts[:5])
    expected = np.stack([runge_kutta(start, 40, 0.01, 50) for start in starts[:5]])
    np.testing.assert_allclose(states, expected, rtol=1e-6, atol=1e-6)
    alone = lorenz.accurate(starts[1:2])
    np.testing.assert_allclose(states[1:2], alone, rtol=1e-6, atol=1e-6)


def test_euler_approaches_the_accurate_solution_at_first_order(starts: Array) -> None:
    """A tenth of the step is a tenth of the error; at a hundredth little is left."""
    some = starts[:20]
    exact = lorenz.accurate(some)
    errors = []
    for parts in (1, 100, 1000):
        fine = lorenz.euler(some, 40 * parts, 0.01 / parts)[:, parts - 1 :: parts]
        errors.append(float(np.sqrt(np.square(fine - exact).mean())))
    assert errors[1] < errors[0] / 50
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)


def test_fixed_points_stay(starts: Array) -> None:
    """The origin and the centers of both wings, where the velocity vanishes."""
    wing = np.sqrt(8 / 3 * 27)
    rest = np.array([[0.0, 0.0, 0.0], [wing, wing, 27.0], [-wing, -wing, 27.0]])
    np.testing.assert_allclose(lorenz.velocity(rest), np.zeros((3, 3)), atol=1e-12)
    expected = np.repeat(rest[:, None], 40, axis=1)
    np.testing.assert_allclose(lorenz.euler(rest), expected, atol=1e-9)
    np.testing.assert_allclose(lorenz.accurate(rest), expected, atol=1e-6)


@pytest.mark.parametrize("integrator", [lorenz.euler, lorenz.accurate])
def test_trajectories_mirror(integrator: lorenz.Integrator, starts: Array) -> None:
    """The system keeps its form under (x, y, z) -> (-x, -y, z)."""
    mirror = np.array([-1.0, -1.0, 1.0])
    there = integrator(starts[:5], 40, 0.01)
    np.testing.assert_allclose(integrator(starts[:5] * mirror, 40, 0.01), there * mirror, rtol=1e-6)


def test_starts_fill_the_cube(starts: Array) -> None:
    assert starts.shape == (1000, 3)
    assert -15 <= starts.min() < -14.9
    assert 14.9 < starts.max() <= 15
    np.testing.assert_allclose(starts.mean(0), 0, atol=1.1)  # four standard errors
    np.testing.assert_allclose(starts.std(0), 30 / np.sqrt(12), atol=0.4)
    np.testing.assert_array_equal(starts, lorenz.starts(1000, generator(0, "test")))


def test_trajectories_start_where_starts_says() -> None:
    for integrator in (lorenz.euler, lorenz.accurate):
        raw = lorenz.trajectories(6, generator(3, "test"), integrator)
        expected = integrator(lorenz.starts(6, generator(3, "test")), 40, 0.01)
        assert raw.shape == (6, 40, 3)
        assert raw.dtype == torch.float64
        np.testing.assert_array_equal(raw.numpy(), expected)
    default = lorenz.trajectories(6, generator(3, "test"))
    assert torch.equal(default, lorenz.trajectories(6, generator(3, "test"), lorenz.euler))


def test_normalizing_uses_one_mean_and_one_deviation() -> None:
    raw = lorenz.trajectories(50, generator(0, "test"))
    normal = lorenz.normalize(raw).double()
    assert float(normal.mean()) == pytest.approx(0, abs=1e-6)
    assert float(normal.square().mean()) == pytest.approx(1, abs=1e-6)
    assert float(normal[..., 2].mean()) > 0.5  # z keeps its place above x and y
    slopes = normal.flatten().diff() / raw.flatten().diff()
    torch.testing.assert_close(slopes, slopes[0].expand_as(slopes), rtol=1e-3, atol=1e-3)
    assert lorenz.normalize(raw).dtype == torch.float32


def test_normalizing_by_another_sets_statistics() -> None:
    raw = lorenz.trajectories(50, generator(0, "test"))
    part = lorenz.normalize(raw[:10], reference=raw)
    torch.testing.assert_close(part, lorenz.normalize(raw)[:10])
    assert not torch.allclose(part, lorenz.normalize(raw[:10]))


def test_split_flattens_the_first_and_the_last_twenty_states() -> None:
    series = torch.arange(2 * 40 * 3.0).reshape(2, 40, 3)
    x, y = lorenz.split(series)
    assert x.shape == y.shape == (2, 60)
    assert torch.equal(torch.cat([x, y], dim=1), series.flatten(1))


@pytest.mark.parametrize("integrator", [lorenz.euler, lorenz.accurate])
@pytest.mark.parametrize(
    ("length", "dt", "message"),
    [(0, 0.01, "length must be positive.*received 0"), (40, -0.01, r"dt must .*received -0\.01")],
)
def test_bad_sizes_are_named(
    integrator: lorenz.Integrator, length: int, dt: float, message: str, starts: Array
) -> None:
    with pytest.raises(ValueError, match=message):
        integrator(starts[:2], length, dt)


def test_a_bad_count_is_named() -> None:
    with pytest.raises(ValueError, match=r"count must be positive.*received 0"):
        lorenz.trajectories(0, generator(0, "test"))


def test_a_set_without_a_scale_is_not_normalized() -> None:
    with pytest.raises(ValueError, match="must vary to be normalized; its deviation is 0"):
        lorenz.normalize(torch.ones(5, 40, 3))


@pytest.mark.parametrize("name", ["sine", "lorenz", "images"])
def test_experiments_data_have_torchs_default_dtype(name: str) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        if name == "images":
            batches: Batches = image_data(0, 8, dataset="digits").batches
        else:
            batches = (sine_data if name == "sine" else lorenz.lorenz_data)(0, 8).batches
        assert [view.dtype for view in batches(0)] == [torch.float64] * 2
    finally:
        torch.set_default_dtype(torch.float32)
