"""Sine waves with less noise: does whitening pay where small directions are no noise?"""

from dataclasses import replace
from functools import partial

import torch

from bijepa_book.evidence.second.recording import Recording
from bijepa_book.evidence.stable.hunt import Candidate, recording
from bijepa_core.data.series import HELD_OUT, PROBE, SeriesData
from bijepa_core.data.sine import NOISE, split, waves
from bijepa_core.data.streams import BLOCK, Blockwise
from bijepa_core.experiments import SINE
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

NOISES = (0.0, NOISE / 10, NOISE)


def quiet_data(
    noise: float, seeds: Seeds, batch_size: int, device: torch.device | str = "cpu"
) -> SeriesData:
    """The first experiment's data with another deviation of the noise; same waves at any.

    Args:
        noise: its standard deviation.
        seeds, batch_size, device: see :func:`bijepa_core.data.sine.sine_data`.

    Returns:
        The stream and both sets.
    """
    many = plain_seeds(seeds)

    def drawn(purpose: str, shape: tuple[int, ...], block: int = 0) -> torch.Tensor:
        return sample_per_seed(
            many, f"quiet/{purpose}", lambda g: waves(shape, g, noise=noise), block
        ).to(device)

    blocks = Blockwise(lambda block: drawn("train", (BLOCK, batch_size), block))
    return SeriesData(
        lambda step: split(blocks(step)),
        1,
        split(drawn("probe", (PROBE,))),
        split(drawn("held-out", (HELD_OUT,))),
    )


def recordings() -> list[Recording]:
    """Whitened targets and none, by noise, on the hunting seeds."""
    return [
        recording(
            candidate, replace(SINE, data=partial(quiet_data, noise)), study=f"noise-{noise:g}"
        )
        for noise in NOISES
        for candidate in (Candidate("unconstrained"), Candidate("whitened", 0.2))
    ]
