"""Forecasts without a model are right where they must be."""

import pytest
import torch

from bijepa_core.evaluation.baselines import copy_last, extrapolate


def test_copying_is_exact_for_a_constant_and_extrapolating_for_a_line() -> None:
    time = torch.arange(5.0)[:, None]
    line = torch.cat([2 * time + 1, -time, 0 * time + 4], dim=1)  # (5 states, 3)
    x = line.flatten()[None]
    assert torch.equal(extrapolate(x, 3), torch.tensor([[11.0, -5.0, 4.0]]))
    assert torch.equal(copy_last(x, 3), line[-1:])


def test_states_are_whole() -> None:
    with pytest.raises(ValueError, match=r"whole states of 3 numbers.*received \(2, 10\)"):
        copy_last(torch.ones(2, 10), 3)
    with pytest.raises(ValueError, match="3 numbers on its last axis, 2 or more"):
        extrapolate(torch.ones(2, 3), 3)
