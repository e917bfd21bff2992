"""The door for data: what passes, what becomes of it, and what is turned away."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_core._support.arrays import as_tensor, takes_arrays

TABLE = np.arange(12.0).reshape(4, 3)


class Frame:
    """What pandas and polars offer numpy."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return TABLE.astype(dtype or TABLE.dtype)


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (TABLE, torch.float32),
        (TABLE.astype(np.float16), torch.float32),
        (TABLE.astype(np.longdouble), torch.float32),
        (TABLE.astype(">f4"), torch.float32),
        (np.asfortranarray(TABLE), torch.float32),
        (np.ma.masked_array(TABLE), torch.float32),
        (Frame(), torch.float32),
        (TABLE.astype(np.uint8), torch.uint8),
        (TABLE.astype(">i2"), torch.int16),
        (TABLE.astype(np.uint32), torch.int64),
        (torch.from_numpy(TABLE), torch.float64),
        (torch.from_numpy(TABLE).bfloat16().requires_grad_(), torch.bfloat16),
    ],
)
def test_values_stay_and_the_dtype_follows_the_rule(given: Any, dtype: torch.dtype) -> None:
    made = as_tensor("x", given)
    assert made.dtype == dtype
    assert not made.requires_grad
    assert torch.equal(made.double(), torch.from_numpy(TABLE))


def test_an_arrays_floats_follow_torchs_default() -> None:
    third = np.array([1 / 3])
    torch.set_default_dtype(torch.float64)
    try:
        assert as_tensor("x", third).item() == 1 / 3
    finally:
        torch.set_default_dtype(torch.float32)
    assert as_tensor("x", third, torch.float64).item() == 1 / 3
    assert as_tensor("x", third, torch.bfloat16).dtype == torch.bfloat16


@pytest.mark.parametrize("part", [np.s_[::-1], np.s_[:, ::-1], np.s_[::2, 1:], np.s_[:, 1]])
def test_a_view_of_an_array_is_read_as_it_stands(part: Any) -> None:
    assert as_tensor("x", TABLE[part]).tolist() == TABLE[part].tolist()


def test_a_mapped_table_stays_on_the_disk_and_may_be_read_only(tmp_path: Path) -> None:
    TABLE.astype(np.float32).tofile(tmp_path / "table")
    mapped = np.memmap(tmp_path / "table", np.float32, mode="r", shape=TABLE.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = as_tensor("x", mapped)
    assert made.data_ptr() == mapped.ctypes.data  # the same pages, not a copy
    assert torch.equal(made.double(), torch.from_numpy(TABLE))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([[1.0]], TypeError, r"x must be a tensor or an array; received list.*numpy\.asarray"),
        (None, TypeError, "received NoneType"),
        ("table.csv", TypeError, "received str"),
        (1.5, TypeError, "received float"),
        (np.float64(1.5), TypeError, "received float64"),
        (np.array([1, "a"], object), TypeError, r"numbers; received.*object.*to_numpy\(dtype="),
        (np.array(["a"]), TypeError, "x must hold numbers; received an array of dtype <U1"),
        (np.array([1j]), TypeError, "dtype complex128"),
        (torch.zeros(2, dtype=torch.complex64), TypeError, "x must hold real numbers; received"),
        (np.array(["2026-01-01"], "datetime64[D]"), TypeError, "datetime64"),
        (np.ma.masked_equal(TABLE, 3), ValueError, r"masked values.*x\.filled\(numpy\.nan\)"),
    ],
)
def test_what_holds_no_numbers_is_turned_away(
    given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        as_tensor("x", given)


def test_a_function_takes_arrays_by_position_and_by_name() -> None:
    @takes_arrays
    def scaled(values: Tensor, factor: float = 1.0, *, plus: Tensor) -> Tensor:
        assert isinstance(factor, float)  # a number of numpy's is no data
        return values * factor + plus

    given: Any = TABLE
    one = scaled(given, np.float64(2), plus=given)
    assert torch.equal(one, 3 * torch.from_numpy(TABLE).float())
    with pytest.raises(TypeError, match="plus must hold numbers"):
        scaled(given, plus=np.array(["a"]))  # type: ignore[arg-type]


def test_shapes_that_do_not_fit_are_told_and_other_failures_pass_through() -> None:
    class OutOfMemory(RuntimeError):
        pass

    @takes_arrays
    def summed(a: Tensor, b: Tensor) -> Tensor:
        if len(a) == 0:
            raise OutOfMemory
        return a + b

    with pytest.raises(ValueError, match=r"summed cannot work.*a \(3,\), b \(2,\) \(The size of"):
        summed(torch.zeros(3), torch.zeros(2))
    with pytest.raises(OutOfMemory):
        summed(torch.zeros(0), torch.zeros(2))
