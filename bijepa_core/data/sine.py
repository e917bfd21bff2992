"""Experiment 1: noisy sine waves (section 4.2 and appendix B.2)."""

import math
from typing import Any

import torch
from torch import Tensor

from bijepa_core._support.checks import check_counts, check_positive
from bijepa_core.data import series
from bijepa_core.data.series import SeriesData
from bijepa_core.data.streams import BLOCK, Blockwise
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

LENGTH, CONTEXT = 20, 10
NOISE = 0.05  # standard deviation
GRID = torch.linspace(0, 4 * math.pi, LENGTH)  # radians: the script's grid, spacing 4 pi / 19


def waves(
    count: int | tuple[int, ...],
    generator: torch.Generator,
    times: Tensor = GRID,
    noise: float | None = None,
) -> Tensor:
    """Draw noisy sine waves ``sin(w t + phi) + noise``.

    Args:
        count: how many, or a shape of them.
        generator: source of all randomness, on the CPU.
        times: t of each sample, ``(length,)``; the script's grid of 20 by default.
        noise: its standard deviation; :data:`NOISE` by default.

    Returns:
        ``(*count, length)``, float32: w from U(0.8, 1.2), phi from U(0, 2 pi), normal noise.

    Raises:
        ValueError: if a count is not positive.
    """
    shape = (count,) if isinstance(count, int) else tuple(count)
    check_positive(**{f"count[{i}]": n for i, n in enumerate(shape)})
    frequency = 0.8 + 0.4 * torch.rand(*shape, 1, generator=generator)
    phase = 2 * math.pi * torch.rand(*shape, 1, generator=generator)
    deviation = NOISE if noise is None else noise
    disturbance = deviation * torch.randn(*shape, len(times), generator=generator)
    return torch.sin(frequency * times + phase) + disturbance


def split(series: Tensor) -> tuple[Tensor, Tensor]:
    """Context (samples 0 to 9) and target (10 to 19), each ``(..., 10)``."""
    return series[..., :CONTEXT], series[..., CONTEXT:]


class SineBatches:
    """Fresh waves at every step: a stream (see :mod:`bijepa_core.data.streams`).

    Args:
        seeds: one seed, or several for a leading seed axis.
        batch_size: waves a step (64 in the paper).
        device: where the batches go; they are drawn on the CPU, so that they are the same
            everywhere.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``seeds`` are not proper seeds.
    """

    def __init__(
        self, seeds: Seeds, batch_size: int = 64, device: torch.device | str = "cpu"
    ) -> None:
        check_counts(batch_size=batch_size)
        self.seeds, self.batch_size, self.device = plain_seeds(seeds), int(batch_size), device
        self._waves = Blockwise(self._draw_block)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x and y of one step, each ``(*seeds, batch, 10)``."""
        return split(self._waves(step))

    def _draw_block(self, block: int) -> Tensor:
        shape = (BLOCK, self.batch_size)  # (*seeds, steps, batch, 20)
        drawn = sample_per_seed(self.seeds, "sine/train", lambda g: waves(shape, g), block)
        return drawn.to(self.device)

    def configuration(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"stream": "SineBatches", "batch_size": self.batch_size, "seeds": self.seeds}


def sine_data(seeds: Seeds, batch_size: int, device: torch.device | str = "cpu") -> SeriesData:
    """Experiment 1's data: fresh waves each step, others to probe with.

    Args and errors as :class:`SineBatches`.

    Returns:
        The stream and both sets.
    """
    seeds = plain_seeds(seeds)

    def views(purpose: str, count: int) -> tuple[Tensor, Tensor]:
        return split(sample_per_seed(seeds, purpose, lambda g: waves(count, g)).to(device))

    return SeriesData(
        SineBatches(seeds, batch_size, device),
        1,
        views("sine/probe", series.PROBE),
        views("sine/held-out", series.HELD_OUT),
    )
