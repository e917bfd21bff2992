"""The system's orbits against another integrator, its numbers against known ones."""

import numpy as np
import pytest

from bijepa_book.chapters import attractor
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import DT, Array
from bijepa_core.seeds import generator


@pytest.fixture(scope="module")
def on() -> Array:
    return attractor.on_attractor(60, generator(0, "test"))


def test_settled_orbits_are_on_the_attractor(on: Array) -> None:
    assert on.shape == (60, 3)
    assert on[:, 2].min() > 0  # the attractor lies above the plane z = 0
    assert np.abs(on).max() < 50
    assert len(np.unique(on.round(6), axis=0)) == 60
    assert np.median(attractor.attractor_distance(on)) < 1
    box = lorenz.starts(60, generator(0, "test"))
    assert np.median(attractor.attractor_distance(box)) > 4


def test_settled_keeps_the_contract_of_an_integrator() -> None:
    starts = lorenz.starts(25, generator(1, "test"))
    states = attractor.settled(starts, 7)
    assert states.shape == (25, 7, 3)
    ahead = lorenz.accurate(states[:, 0], 6)
    np.testing.assert_allclose(states[:, 1:], ahead, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match="length"):
        attractor.settled(starts, 0)


def test_runge_kutta_agrees_with_the_accurate_method_and_undoes_itself(on: Array) -> None:
    forward = attractor.runge_kutta(on, 10)
    np.testing.assert_allclose(forward, lorenz.accurate(on, 10), rtol=1e-6, atol=1e-6)
    back = attractor.runge_kutta(forward[:, -1], 10, -DT)
    np.testing.assert_allclose(back[:, -1], on, atol=1e-6)
    np.testing.assert_allclose(back[:, 0], forward[:, -2], atol=1e-6)
    with pytest.raises(ValueError, match="size of dt"):
        attractor.runge_kutta(on, 10, 0.0)


def test_backwards_the_equations_run_away_without_a_warning() -> None:
    gone = attractor.runge_kutta(np.array([[30.0, -30.0, -30.0]]), 400, -DT)
    assert not np.isfinite(gone[0, -1]).all()


def test_how_far_euler_goes_astray() -> None:
    """The numbers that the data's module states."""
    starts = lorenz.starts(1000, generator(0, "test"))
    error = np.linalg.norm(lorenz.euler(starts) - lorenz.accurate(starts), axis=-1)
    assert float(np.sqrt(np.square(error).mean())) == pytest.approx(8.0, abs=0.3)
    assert 30 < float(error.max()) < 38
    spread = lorenz.euler(starts).std(axis=(0, 1))  # transients included
    np.testing.assert_allclose(spread, [13, 19, 21], atol=0.6)
    settled = lorenz.euler(lorenz.euler(starts[:200], 300)[:, -1], 300)
    np.testing.assert_allclose(settled.std(axis=(0, 1)), [8.2, 9.2, 7.7], atol=0.5)
