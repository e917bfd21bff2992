"""Waves as appendix B.2 and the script describe them, checked by fitting what was drawn."""

import math

import pytest
import torch
from torch import Tensor

from bijepa_core.data.sine import GRID, SineBatches, split, waves
from bijepa_core.seeds import generator


@pytest.fixture(scope="module")
def many() -> Tensor:
    return waves(4000, generator(0, "test")).double()


def best_frequency(series: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Frequency, phase and residual of each wave by least squares over a fine grid."""
    frequencies = torch.linspace(0.7, 1.3, 241, dtype=torch.float64)
    angle = frequencies[:, None] * GRID.double()  # (f, 20)
    basis = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (f, 20, 2)
    weights = torch.linalg.pinv(basis) @ series.mT  # (f, 2, n)
    residual = (basis @ weights - series.mT).square().sum(1)  # (f, n)
    best = residual.argmin(0)
    chosen = weights[best, :, torch.arange(len(series))]  # (n, 2)
    phase = torch.atan2(chosen[:, 1], chosen[:, 0]) % (2 * math.pi)
    return frequencies[best], phase, residual.min(0).values


def test_the_grid_is_the_scripts() -> None:
    assert GRID.shape == (20,)
    assert GRID[0] == 0
    assert float(GRID[-1]) == pytest.approx(4 * math.pi)
    torch.testing.assert_close(GRID.diff(), torch.full((19,), 4 * math.pi / 19))


def test_frequency_phase_and_noise_are_as_described(many: Tensor) -> None:
    frequency, phase, residual = best_frequency(many)
    middle = frequency[(frequency > 0.81) & (frequency < 1.19)]
    assert float(frequency.min()) > 0.77  # 0.8 less the error of the fit
    assert float(frequency.max()) < 1.23
    assert float(middle.mean()) == pytest.approx(1.0, abs=0.01)
    assert float(frequency.std()) == pytest.approx(0.4 / math.sqrt(12), abs=0.005)
    counts = torch.histc(phase, bins=8, min=0, max=2 * math.pi)
    assert float((counts - 500).abs().max()) < 100  # nearly five standard deviations
    # three numbers were fitted to each wave of 20
    assert float((residual.sum() / (17 * len(many))).sqrt()) == pytest.approx(0.05, abs=0.002)


def test_amplitude_is_one(many: Tensor) -> None:
    assert float(many.square().mean()) == pytest.approx(0.5 + 0.05**2, abs=0.01)
    assert float(many.abs().max()) < 1.3


def test_shapes_and_type() -> None:
    assert waves(3, generator(0, "test")).shape == (3, 20)
    assert waves((2, 3), generator(0, "test")).shape == (2, 3, 20)
    assert waves(1, generator(0, "test")).dtype == torch.float32


def test_the_generator_decides() -> None:
    one, again, other = (waves(3, generator(seed, "test")) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_split_gives_the_first_and_the_last_ten(many: Tensor) -> None:
    x, y = split(many)
    assert torch.equal(torch.cat([x, y], dim=-1), many)
    assert x.shape == y.shape == (4000, 10)


def test_batches_are_split_waves() -> None:
    x, y = SineBatches([3, 5], 7)(0)
    assert x.shape == y.shape == (2, 7, 10)
    frequency, _, residual = best_frequency(torch.cat([x, y], dim=-1)[1].double())
    assert float(residual.max()) < 0.2
    assert ((frequency > 0.75) & (frequency < 1.25)).all()


def test_the_default_batch_is_the_papers() -> None:
    assert SineBatches(0)(0)[0].shape == (64, 10)


@pytest.mark.parametrize("count", [0, -1, (3, 0)])
def test_bad_counts_are_named(count: int | tuple[int, ...]) -> None:
    value = count if isinstance(count, int) else count[1]
    with pytest.raises(ValueError, match=rf"count\[\d\] must be positive.*received {value}"):
        waves(count, generator(0, "test"))


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match=r"batch_size must be positive.*received -4"):
        SineBatches(0, -4)
    with pytest.raises(ValueError, match="distinct integers >= 0; received -1"):
        SineBatches(-1)
