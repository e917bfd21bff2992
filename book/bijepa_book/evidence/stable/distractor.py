"""Sine waves under a slow distractor: what a learner keeps when something else is easier.

A window is the first experiment's noisy wave plus a slow drift, a piece of a sine of a twentieth
of its frequency, times a strength; the sum is divided by its spread, so that the input's scale
does not tell. Both views of a pair share the drift almost wholly: to make two views' embeddings
alike, the drift alone would do. The wave is what the readings ask for.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from bijepa_core._support.checks import check_counts
from bijepa_core.data.series import HELD_OUT, PROBE, SeriesData
from bijepa_core.data.sine import CONTEXT, GRID, split, waves
from bijepa_core.data.streams import BLOCK, Batches, Blockwise
from bijepa_core.seeds import sample_per_seed

SLOWNESS = 20.0  # times slower than a wave
STRENGTHS = (0.0, 1.0, 3.0, 10.0)


class Distracted(NamedTuple):
    """Windows and what is in them.

    Args:
        windows: ``(*seeds, n, 20)``, wave and drift over their common spread.
        wave: the next value of the wave alone, noise included, ``(*seeds, n, 1)``.
        drift: the drift where the target begins, ``(*seeds, n, 1)``.
    """

    windows: Tensor
    wave: Tensor
    drift: Tensor

    @property
    def context(self) -> Tensor:
        """The first half of the windows: what a learner sees."""
        return self.windows[..., :CONTEXT]


def draw(shape: tuple[int, ...], generator: torch.Generator, strength: float) -> Tensor:
    """Waves and drifts, ``(*shape, 2, 20)``, unscaled; the waves do not depend on the strength."""
    fast = waves(shape, generator)
    frequency = (0.8 + 0.4 * torch.rand(*shape, 1, generator=generator)) / SLOWNESS
    phase = 2 * math.pi * torch.rand(*shape, 1, generator=generator)
    return torch.stack([fast, strength * torch.sin(frequency * GRID + phase)], dim=-2)


def mixed(parts: Tensor, strength: float) -> Distracted:
    """What a learner sees, and what it is asked for, of ``(*seeds, n, 2, 20)``."""
    spread = math.sqrt((1 + strength**2) / 2)
    first = parts[..., CONTEXT : CONTEXT + 1]  # (*seeds, n, 2, 1)
    return Distracted(parts.sum(-2) / spread, first[..., 0, :], first[..., 1, :])


class DistractedData(NamedTuple):
    """One draw a seed: a training stream, windows to fit probes on, and others to judge them on."""

    batches: Batches
    answers: Batches  # the same contexts, and the wave's next value
    probe: Distracted
    held_out: Distracted

    def series(self) -> SeriesData:
        """The same as an experiment's data, wave and drift together."""
        probe, held_out = (split(one.windows) for one in (self.probe, self.held_out))
        return SeriesData(self.batches, 1, probe, held_out)


def distracted_data(seeds: tuple[int, ...], batch_size: int, strength: float) -> DistractedData:
    """Waves under a distractor.

    Args:
        seeds: a sequence.
        batch_size: pairs a step.
        strength: of the drift, in the wave's amplitude.

    Returns:
        The data of the seeds, on the CPU.
    """
    check_counts(batch_size=batch_size)

    def drawn(purpose: str, shape: tuple[int, ...], block: int = 0) -> Distracted:
        parts = sample_per_seed(
            seeds, f"distracted/{purpose}", lambda g: draw(shape, g, strength), block
        )
        return mixed(parts, strength)

    shape = (BLOCK, batch_size)
    blocks = Blockwise(lambda block: drawn("train", shape, block).windows)
    waves = Blockwise(lambda block: drawn("train", shape, block).wave)
    return DistractedData(
        lambda step: split(blocks(step)),
        lambda step: (split(blocks(step))[0], waves(step)),
        drawn("probe", (PROBE,)),
        drawn("held-out", (HELD_OUT,)),
    )
