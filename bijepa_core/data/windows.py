"""Pairs of windows, past and future, from series of different lengths.

A series is ``(time, channels)``, or ``(time,)`` for one channel: a tensor or an array. Windows are
``(windows, channels, time)``, as ``torch.nn.Conv1d`` takes them; ``x.flatten(1)`` makes them
vectors for an :class:`.MLPEncoder`. NaN is a missing value: a window that has one is left out.

Split by series *before* cutting: windows of one series overlap, and one of them that is held out
would have been learned from. Normalize by the statistics of the series that are learned from, and
keep these with the model: ``model.save(path, mean=mean, std=std)``, and another day
``cut_windows(new, past, future, **model.load(path))``.
"""

import reprlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from bijepa_core._support.arrays import Data, as_tensor
from bijepa_core._support.checks import check_counts, check_positive, is_zero
from bijepa_core.seeds import check_seeds, generator

T = TypeVar("T")


class Windows(NamedTuple):
    """Pairs of windows, and where they come from."""

    x: Tensor
    """The pasts, ``(windows, channels, past)``."""
    y: Tensor
    """The futures, ``(windows, channels, future)``."""
    origin: Tensor
    """Each window's series, as its place in the list, and first time step: ``(windows, 2)``."""
    dropped: int
    """How many windows were left out for missing values."""


def series_by_name(table: Data, names: Sequence[Any] | Data) -> dict[Any, Tensor]:
    """The series of one long table.

    Args:
        table: ``(rows, channels)``; the rows of a series in the order of time.
        names: of each row's series; a column of the table, say.

    Returns:
        Names, in the order in which they first come, and series ``(time, channels)``.

    Raises:
        TypeError: if the table does not hold numbers.
        ValueError: if there is not one name a row, or a name is missing.
    """
    plain = names.tolist() if isinstance(names, Tensor) else names  # numpy has no bfloat16
    values, listed = _series("table", table), np.asarray(plain)
    missing = sum(name is None or name != name for name in listed.flat)
    if listed.shape != (len(values),) or missing:
        raise ValueError(
            f"names must be one a row, {len(values)} here, and none missing; received shape "
            f"{listed.shape}, {missing} missing. Text that is read as numbers is missing: numpy's "
            "genfromtxt reads it with dtype=str."
        )
    return {
        name: values[torch.from_numpy(listed == name)] for name in dict.fromkeys(listed.tolist())
    }


def split_series(
    series: Sequence[T], held_out: float = 0.2, *, seed: int = 0
) -> tuple[list[T], list[T]]:
    """Series to learn from, and series to hold out; the same ones for the same seed.

    Args:
        series: a list of series, or of their names.
        held_out: the share to hold out, rounded; at least one series, and not all.
        seed: decides which.

    Returns:
        Both lists, in the order given.

    Raises:
        ValueError: if there are fewer than two series, or the share is not between 0 and 1.
    """
    if isinstance(series, str) or not isinstance(series, Sequence) or len(series) < 2:
        raise ValueError(
            "a split by series takes a list of two or more; received "
            f"{type(series).__name__}{_how_many(series)}. Pass list(series.values()) for a "
            "dictionary. Cut a single long series in two, with a gap as long as a pair of windows "
            "between them."
        )
    check_positive(held_out=held_out)
    if held_out >= 1:
        raise ValueError(f"held_out must be a share between 0 and 1; received {held_out!r}.")
    (seed,), count = check_seeds([seed]), len(series)
    order = torch.randperm(count, generator=generator(seed, "windows/split")).tolist()
    aside = set(order[: min(max(round(held_out * count), 1), count - 1)])
    return (
        [one for i, one in enumerate(series) if i not in aside],
        [one for i, one in enumerate(series) if i in aside],
    )


def channel_statistics(series: Sequence[Data]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, over all that is there of all series.

    Args:
        series: those to learn from, alone.

    Returns:
        ``(channels,)`` each, plain tensors.

    Raises:
        TypeError, ValueError: if a series cannot be taken (see :func:`cut_windows`), or a channel
            is constant or wholly missing: it tells nothing, and has no scale.
    """
    values = torch.cat(_listed(series)).double()  # (time, channels)
    mean = values.nanmean(0)
    std = (values - mean).square().nanmean(0).sqrt()
    told = std > 1e-12 * mean.abs()
    if not bool(told.all()):
        raise ValueError(
            f"channels must vary to be normalized; {(~told).nonzero().flatten().tolist()} (counted "
            "from 0) are constant or missing in these series. Leave them out."
        )
    default = torch.get_default_dtype()
    return mean.to(default), std.to(default)


def fill_gaps(series: Data, longest: int) -> Tensor:
    """Short gaps filled by straight lines between the values around them, channel by channel.

    Args:
        series: ``(time, channels)``, NaN where a value is missing.
        longest: gaps of at most so many steps are filled; longer ones, and those at either end,
            stay as they are.

    Returns:
        ``(time, channels)``.

    Raises:
        TypeError, ValueError: if the series cannot be taken, or longest is not a positive count.
    """
    check_counts(longest=longest)
    filled = _series("series", series).clone()
    for channel in filled.T:  # a view: what is written here stands in ``filled``
        known = (~channel.isnan()).nonzero().flatten()
        for left, right in zip(known[:-1].tolist(), known[1:].tolist(), strict=True):
            if 1 < right - left <= longest + 1:
                ends = float(channel[left]), float(channel[right])
                line = torch.linspace(*ends, right - left + 1, dtype=channel.dtype)
                channel[left + 1 : right] = line[1:-1]
    return filled


def cut_windows(
    series: Sequence[Data],
    past: int,
    future: int,
    *,
    every: int = 1,
    mean: Data | None = None,
    std: Data | None = None,
) -> Windows:
    """All pairs of neighboring windows within each series, normalized.

    Args:
        series: a list of ``(time, channels)`` or ``(time,)``; lengths may differ.
        past, future: steps of a window. future = 0 where only pasts are to be embedded.
        every: steps from one window's start to the next one's.
        mean, std: ``(channels,)``, of :func:`channel_statistics`; None leaves values as they are.

    Returns:
        The windows, in torch's default dtype where series are arrays.

    Raises:
        TypeError: if a series does not hold numbers.
        ValueError: if series differ in channels, are infinite somewhere, or give no window.
    """
    check_counts(past=past, every=every, **({} if is_zero(future) else {"future": future}))
    listed = _listed(series)
    size = int(past) + int(future)
    center, scale = _statistic("mean", mean, listed[0]), _statistic("std", std, listed[0])
    pieces, origins = [], []
    for number, one in enumerate(listed):
        if len(one) >= size:
            cut = ((one - center) / scale).to(one.dtype).unfold(0, size, int(every))
            starts = every * torch.arange(len(cut))
            pieces.append(cut)  # (windows, channels, time)
            origins.append(torch.stack([torch.full_like(starts, number), starts], dim=1))
    whole = [~cut.isnan().flatten(1).any(1) for cut in pieces]
    if not any(bool(kept.any()) for kept in whole):
        raise ValueError(
            f"no window of {size} steps without a missing value: the longest of {len(listed)} "
            f"series has {max(map(len, listed))} steps, and {sum(map(len, whole))} windows were "
            "left out. Cut shorter windows, or fill gaps (fill_gaps)."
        )
    kept = torch.cat(whole)
    cut = torch.cat([cut[keep] for cut, keep in zip(pieces, whole, strict=True)])
    x, y = cut.split([int(past), int(future)], dim=-1)
    return Windows(x.contiguous(), y.contiguous(), torch.cat(origins)[kept], int((~kept).sum()))


def _listed(series: Sequence[Data]) -> list[Tensor]:
    """Each series as ``(time, channels)``, all of the same channels."""
    if not isinstance(series, list | tuple) or not series:
        raise TypeError(
            "series must be a list of one or more, each (time, channels); received "
            f"{type(series).__name__}. Pass [series] for a single one, list(array) for an array."
        )
    listed = [_series(f"series[{i}]", one) for i, one in enumerate(series)]
    channels = sorted({one.shape[-1] for one in listed})
    if len(channels) > 1:
        raise ValueError(
            f"all series must have the same channels; received {reprlib.repr(channels)} of them. A "
            "series is (time, channels), each row a point in time."
        )
    return listed


def _how_many(given: object) -> str:
    return f" of {len(given)}" if isinstance(given, Sequence) else ""


def _series(name: str, values: Data) -> Tensor:
    tensor = as_tensor(name, values)
    tensor = tensor[:, None] if tensor.ndim == 1 else tensor
    if tensor.ndim != 2 or tensor.shape[-1] == 0:
        raise ValueError(
            f"{name} must be (time, channels) or (time,), with a channel or more; received "
            f"{tuple(tensor.shape)}. No column at all? Look at the file's delimiter."
        )
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    if bool(tensor.isinf().any()):
        raise ValueError(f"{name} has infinite values. Mark what is missing by NaN.")
    return tensor


def _statistic(name: str, values: Data | None, like: Tensor) -> Tensor:
    channels = like.shape[-1]
    neutral = torch.full((channels,), float(name == "std"))  # changes nothing
    given = (neutral if values is None else as_tensor(name, values)).to(like.device)
    if given.shape != (channels,) or not bool(given.isfinite().all()):
        raise ValueError(
            f"{name} must be finite, one number for each of {channels} channels; received "
            f"{given.tolist()!r}."
        )
    if name == "std" and not bool((given > 0).all()):
        raise ValueError(f"std must be positive; received {given.tolist()!r}.")
    return given
