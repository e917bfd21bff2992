"""Forecasts without a model are right where they must be."""

import torch

from bijepa_core.evaluation.baselines import copy_last, extrapolate


def test_copying_is_exact_for_a_constant_and_extrapolating_for_a_line() -> None:
    time = torch.arange(5.0)[:, None]
    line = torch.cat([2 * time + 1, -time, 0 * time + 4], dim=1)  # (5 states, 3)
    x = line.flatten()[None]
    assert torch.equal(extrapolate(x, 3), torch.tensor([[11.0, -5.0, 4.0]]))
    assert torch.equal(copy_last(x, 3), line[-1:])
