"""Windows against plain slices of the series; statistics against numpy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bijepa_core.data.windows import (
    channel_statistics,
    cut_windows,
    fill_gaps,
    series_by_name,
    split_series,
)
from bijepa_core.model import BiJEPA
from bijepa_core.networks import MLPEncoder, MLPPredictor

NAN = float("nan")
RANDOM = np.random.default_rng(0)
SERIES: list[Any] = [RANDOM.normal(size=(length, 2)) * [1, 50] + [0, 7] for length in (9, 3, 14)]


@pytest.mark.parametrize("every", [1, 3])
def test_each_window_is_a_slice_of_its_series(every: int) -> None:
    past: Any = np.int64(4)
    future = 2
    found = cut_windows(SERIES, past, future, every=every)
    starts = [(i, t) for i, s in enumerate(SERIES) for t in range(0, len(s) - 5, every)]
    assert found.origin.tolist() == [list(one) for one in starts]
    assert found.x.shape == (len(starts), 2, 4)
    assert found.y.shape == (len(starts), 2, 2)
    assert found.dropped == 0
    for (number, t), x, y in zip(starts, found.x, found.y, strict=True):
        piece = torch.tensor(SERIES[number][t : t + 6].T, dtype=torch.float32)
        assert torch.equal(torch.cat([x, y], dim=1), piece)
    assert found.x.is_contiguous()
    assert found.y.is_contiguous()


def test_pasts_alone_reach_the_end() -> None:
    found = cut_windows([SERIES[0]], 4, 0)
    assert found.origin[-1].tolist() == [0, 5]
    assert found.y.shape == (6, 2, 0)


def test_whole_numbers_and_one_channel_without_its_axis_are_series_too() -> None:
    counts = torch.arange(9)
    assert torch.equal(cut_windows([counts], 4, 2).y, cut_windows([counts.float()], 4, 2).y)
    flat, column = SERIES[0][:, 0], SERIES[0][:, :1]
    assert torch.equal(cut_windows([flat], 4, 2).x, cut_windows([column], 4, 2).x)


def test_windows_with_a_missing_value_are_left_out_and_counted() -> None:
    series = np.arange(12.0)
    series[5] = NAN
    found = cut_windows([series, np.arange(4.0)], 2, 1)
    assert found.dropped == 3
    assert found.origin.tolist() == [[0, t] for t in (0, 1, 2, 6, 7, 8, 9)] + [[1, 0], [1, 1]]
    assert not found.x.isnan().any()


def test_short_gaps_are_filled_by_straight_lines_as_numpy_does() -> None:
    given = RANDOM.normal(size=(30, 2))
    for start, stop, channel in ((4, 6, 0), (10, 13, 0), (20, 24, 1), (0, 2, 1), (28, 30, 0)):
        given[start:stop, channel] = NAN
    before = given.copy()
    filled = fill_gaps(given, 3).numpy()
    for channel in (0, 1):
        known = ~np.isnan(given[:, channel])
        lines = np.interp(np.arange(30), np.arange(30)[known], given[known, channel])
        stays = np.zeros(30, bool)  # too long, and at either end
        stays[slice(28, 30) if channel == 0 else np.r_[0:2, 20:24]] = True
        assert np.isnan(filled[stays, channel]).all()
        assert filled[~stays, channel] == pytest.approx(lines[~stays], abs=1e-6)
    assert np.array_equal(given, before, equal_nan=True)


def test_statistics_are_numpys_over_all_that_is_there() -> None:
    series = [one.copy() for one in SERIES]
    series[1][2, 1] = NAN
    together = np.concatenate(series)
    mean, std = channel_statistics(series)
    assert mean.numpy() == pytest.approx(np.nanmean(together, 0), rel=1e-6)
    assert std.numpy() == pytest.approx(np.nanstd(together, 0), rel=1e-6)
    found = cut_windows(series, 1, 0, mean=mean, std=std)
    assert found.x.mean((0, 2)).tolist() == pytest.approx([0, 0], abs=0.1)


@pytest.mark.parametrize("constant", [0.0, 273.15, 1e30, NAN])
def test_a_channel_that_tells_nothing_is_not_normalized(constant: float) -> None:
    series = [np.column_stack([one, np.full(len(one), constant)]) for one in SERIES]
    with pytest.raises(ValueError, match=r"must vary.*\[2\].*constant or missing.*Leave them out"):
        channel_statistics(series)


def test_one_constant_series_among_others_is_data_like_any() -> None:
    channel_statistics([SERIES[0], np.ones((5, 2))])


def test_a_split_is_by_series_whole_reproducible_and_of_the_size_asked_for() -> None:
    names = [f"s{i}" for i in range(20)]
    learned, held_out = split_series(names, 0.3, seed=1)
    assert len(held_out) == 6
    assert sorted(learned + held_out, key=names.index) == names
    assert [sorted(part, key=names.index) for part in (learned, held_out)] == [learned, held_out]
    assert split_series(names, 0.3, seed=1) == (learned, held_out)
    assert split_series(names, 0.3, seed=2) != (learned, held_out)
    assert [len(part) for part in split_series(names[:2], 0.01)] == [1, 1]
    assert [len(part) for part in split_series(names[:2], 0.99)] == [1, 1]


@pytest.mark.parametrize("names", [["b", "a", "b", "c"], np.array([2.0, 1.0, 2.0, 7.0])])
def test_a_long_table_falls_into_its_series(names: Any) -> None:
    table = np.arange(8.0).reshape(4, 2)
    found = series_by_name(table, names)
    assert list(found) == [names[0], names[1], names[3]]
    assert found[names[0]].tolist() == [[0, 1], [4, 5]]
    assert found[names[3]].tolist() == [[6, 7]]


def test_another_day_the_kept_settings_cut_and_normalize_new_data(tmp_path: Path) -> None:
    mean, std = channel_statistics(SERIES)
    settings: dict[str, Any] = {"past": 4, "future": 2, "mean": mean, "std": std}
    model = BiJEPA(MLPEncoder(8, 8, 4), lambda: MLPPredictor(4, 8))
    model.save(tmp_path / "model", **settings)
    again = cut_windows([SERIES[2]], **model.load(tmp_path / "model"))
    piece = (torch.tensor(SERIES[2][:4].T, dtype=torch.float32).T - mean) / std
    assert torch.equal(again.x[0], piece.T)
    assert model.embed(again.x.flatten(1)).shape == (9, 4)


X = SERIES[0]
WORD: Any = "a"
DICTIONARY: Any = {"a": X, "b": X}
WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: cut_windows(X, 4, 2), TypeError, r"a list.*received ndarray\. Pass \[series\]"),
    (lambda: cut_windows([], 4, 2), TypeError, "a list of one or more"),
    (lambda: cut_windows([X, WORD], 4, 2), TypeError, r"series\[1\] must be a tensor or an array"),
    (lambda: cut_windows([X, X[:, :1]], 4, 2), ValueError, r"same channels; received \[1, 2\]"),
    (
        lambda: cut_windows([X[:n].T for n in range(1, 10)], 4, 2),
        ValueError,
        r"\.\.\.\].*\(time, ch",
    ),
    (lambda: cut_windows([X[None]], 4, 2), ValueError, r"\(time, channels\).*\(1, 9, 2\)"),
    (lambda: cut_windows([X / np.zeros(2)], 4, 2), ValueError, r"series\[0\] has infinite values"),
    (lambda: cut_windows([X], 9, 2), ValueError, "no window of 11 steps.*longest of 1.* 9 steps"),
    (lambda: cut_windows([X * NAN], 4, 2), ValueError, "4 windows were left out.*fill_gaps"),
    (lambda: cut_windows([X], 0, 2), ValueError, "past must be positive and whole; received 0"),
    (lambda: cut_windows([X], 4, -1), ValueError, "future must be.*received -1"),
    (lambda: cut_windows([X], 4, 2, every=True), ValueError, "every must be.*received True"),
    (lambda: cut_windows([X], 4, 2, mean=np.zeros(3)), ValueError, "mean must be.* 2 channels"),
    (lambda: cut_windows([X], 4, 2, std=np.zeros(2)), ValueError, r"std must be positive.*\[0"),
    (lambda: fill_gaps(X, 0), ValueError, "longest must be positive"),
    (lambda: split_series(["a"]), ValueError, "two or more.*Cut a single long series in two"),
    (lambda: split_series(DICTIONARY), ValueError, r"received dict.*list\(series\.values\(\)\)"),
    (lambda: split_series("ab"), ValueError, "received str"),
    (lambda: split_series([X, X], 1), ValueError, "between 0 and 1; received 1"),
    (lambda: split_series([X, X], 0.5, seed=-1), ValueError, "seeds must be"),
    (lambda: series_by_name(X, ["a"] * 8), ValueError, r"9 here.*shape \(8,\), 0 missing"),
    (lambda: series_by_name(X, [1.0] * 8 + [NAN]), ValueError, "1 missing"),
    (lambda: series_by_name(X, ["a"] * 8 + [None]), ValueError, "1 missing"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_what_cannot_be_cut_is_named(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with np.errstate(divide="ignore"), pytest.raises(error, match=message):
        call()
