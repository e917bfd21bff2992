"""Fixtures shared by the tests of the core."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bijepa_core.experiments import SINE, Experiment


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tests' tensors are tiny: a second thread only waits, long where cores are busy."""
    torch.set_num_threads(1)


@pytest.fixture
def normal() -> Callable[..., Tensor]:
    """Draws float64 normals of the shape asked for, the same ones in every run."""
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def small() -> Experiment:
    """The sine experiment in miniature: 10 inputs, width 8, embedding 4."""
    return replace(
        SINE,
        hidden_dim=8,
        embed_dim=4,
        steps=30,
        batch_size=6,
        learning_rate=1e-2,
        tau=0.9,
        probe_steps=5,
    )
