"""Weights in a small file: what comes back, how far off, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_book.int8 import LEVELS, SCALE, pack, stored, unpack


def test_unrounded_tensors_come_back_as_they_were(
    tmp_path: Path, normal: Callable[..., Tensor]
) -> None:
    given = {"a": normal(3, 4).float(), "b": normal(5).float()}
    pack(tmp_path / "w.npz", given, rounded=False)
    found = unpack(tmp_path / "w.npz")
    assert list(found) == ["a", "b"]
    for name, value in given.items():
        assert torch.equal(found[name], value)


def test_rounding_is_off_by_half_a_step_of_its_row_at_most(
    tmp_path: Path, normal: Callable[..., Tensor]
) -> None:
    rows = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)[:, None, None]
    given = (rows * normal(3, 4, 5)).float()
    pack(tmp_path / "w.npz", {"w": given, "b": normal(7).float()})
    found = unpack(tmp_path / "w.npz")
    step = given.flatten(1).abs().amax(1) / LEVELS
    assert found["w"].shape == given.shape
    assert ((found["w"] - given).flatten(1).abs() <= 0.5001 * step[:, None]).all()
    assert (found["w"] != given).any()


def test_a_rounded_number_takes_a_byte_and_vectors_stay(
    tmp_path: Path, normal: Callable[..., Tensor]
) -> None:
    vector = normal(9).float()
    pack(tmp_path / "w.npz", {"w": normal(6, 8), "b": vector})
    arrays = stored(tmp_path / "w.npz")
    assert arrays["w"].dtype == np.int8
    assert arrays["w" + SCALE].shape == (6,)
    assert torch.equal(unpack(tmp_path / "w.npz")["b"], vector)


def test_a_row_of_zeros_stays_zero(tmp_path: Path) -> None:
    pack(tmp_path / "w.npz", {"w": torch.zeros(2, 3)})
    assert torch.equal(unpack(tmp_path / "w.npz")["w"], torch.zeros(2, 3))


def test_what_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'w' is not"):
        pack(tmp_path / "w.npz", {"w": torch.tensor([[1.0, float("nan")]])})
    with pytest.raises(ValueError, match="must not end"):
        pack(tmp_path / "w.npz", {"w" + SCALE: torch.ones(1)})
    assert not list(tmp_path.iterdir())


def test_a_file_that_holds_code_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        unpack(tmp_path / "w.npz")
