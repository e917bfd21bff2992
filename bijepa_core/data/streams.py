"""Batches as a pure function of the step.

A stream is called with a step number and returns that step's ``(x, y)``. Because it holds no
position, a stopped run resumes with the very batches it would have seen.

=============================  ==========================  =====================================
What you have                  What makes it a stream      A stopped run resumes
=============================  ==========================  =====================================
two tensors or arrays          :class:`DrawnBatches`,      bit for bit; arrays may be
                               :class:`ShuffledBatches`    memory-mapped
a data set: ``len``, ``[i]``   :class:`.DatasetBatches`    bit for bit, where an item depends on
                                                           its number and on torch's random
                                                           numbers alone
a ``DataLoader``, an iterable  :class:`.LoaderBatches`     bit for bit, where its randomness is
                                                           torch's and its ``len`` is true; it
                                                           reads its way to the step
a function of your own         itself                      bit for bit, if the step alone
                                                           decides what it returns
=============================  ==========================  =====================================
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from bijepa_core._support.arrays import Data, as_tensor
from bijepa_core._support.checks import check_counts, check_kind, check_table
from bijepa_core.seeds import Seeds, plain_seeds, sample_per_seed

Batches = Callable[[int], tuple[Tensor, Tensor]]
"""Maps a step number, from 0, to ``(x, y)``, each ``(*seeds, batch, *view)``."""

BLOCK = 64  # steps drawn at once: one call to a generator costs as much as a hundred numbers


def as_pair(item: Any) -> tuple[Any, Any]:
    """x and y of ``(x, y)``, or of a dictionary with these keys.

    Raises:
        TypeError: if it is neither.
    """
    if isinstance(item, Mapping) and {"x", "y"} <= item.keys():
        return item["x"], item["y"]
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    size = f" of {len(item)}" if isinstance(item, tuple | list | Mapping) else ""
    raise TypeError(
        f"a pair of views is (x, y), or a dictionary with x and y; received a "
        f"{type(item).__name__}{size}. Say what they are: pair=lambda item: (..., ...)."
    )


def take(batches: Batches, step: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """A step's x and y as tensors on a device, whatever the stream gives them as.

    Raises:
        TypeError: if it gives no pair of tensors or arrays.
    """
    x, y = as_pair(batches(step))
    return as_tensor("x", x).to(device), as_tensor("y", y).to(device)


class LastTwo:
    """What a function gave for its last two arguments, kept; a copy or a pickle keeps nothing.

    Args:
        draw: maps the number of a block to its tensor; a pure function.
    """

    def __init__(self, draw: Callable[[int], Tensor]) -> None:
        self.draw = draw
        self.kept: dict[int, Tensor] = {}

    def __call__(self, block: int) -> Tensor:
        """The tensor of a block."""
        if block not in self.kept:
            self.kept = dict([*self.kept.items()][-1:]) | {block: self.draw(block)}
        return self.kept[block]

    def __getstate__(self) -> dict[str, Any]:
        return {"draw": self.draw, "kept": {}}


class Blockwise:
    """A tensor for each step, drawn for :data:`BLOCK` steps at once.

    Args:
        draw: maps the number of a block to its tensor, ``(*seeds, steps, batch, d)``; a pure
            function.
    """

    def __init__(self, draw: Callable[[int], Tensor]) -> None:
        self._drawn = LastTwo(draw)

    def __call__(self, step: int) -> Tensor:
        """The tensor of one step: the block's, without the steps' axis."""
        block, offset = divmod(step, BLOCK)
        return self._drawn(block)[..., offset, :, :]


class DrawnBatches:
    """Rows of a fixed table, drawn with replacement at each step.

    Args:
        x: contexts, ``(rows, *view)`` shared by all seeds, or ``(seeds, rows, *view)``: a tensor
            or an array. An array's floating numbers become torch's default dtype.
        y: targets, one a row; their views may have another shape, where the encoder takes both.
        batch_size: rows a step.
        seeds: one seed or several; decides which rows each step takes.
        per_seed: whether x and y carry a seed axis of their own.

    Raises:
        TypeError: if x or y is neither a tensor nor an array of numbers.
        ValueError: if the table is empty, not finite, or x and y differ in their rows.
    """

    purpose = "drawn"

    def __init__(
        self, x: Data, y: Data, *, batch_size: int, seeds: Seeds, per_seed: bool = False
    ) -> None:
        check_counts(batch_size=batch_size)
        check_kind("per_seed must be True or False.", per_seed, bool)
        self.seeds, self.batch_size, self.per_seed = plain_seeds(seeds), int(batch_size), per_seed
        self.x, self.y = as_tensor("x", x), as_tensor("y", y)
        check_table(self.x, self.y, axes=2 if per_seed else 1)
        if per_seed and (isinstance(self.seeds, int) or len(self.x) != len(self.seeds)):
            count = 1 if isinstance(self.seeds, int) else len(self.seeds)
            raise ValueError(
                f"per_seed tables need one row of tables a seed, {count} here, and a "
                f"sequence of seeds; received shape {tuple(x.shape)} and seeds {seeds!r}."
            )
        self.rows = self.x.shape[1 if per_seed else 0]
        self._block = LastTwo(self._draw_block)

    @property
    def smallest_batch(self) -> int:
        """Rows of the shortest batch: batch normalization has no statistics of a single one."""
        return self.batch_size

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of one step: x and y, each ``(*seeds, batch, *view)``."""
        chosen = self.indices(step)  # (*seeds, batch)
        if not self.per_seed:
            return self.x[chosen], self.y[chosen]
        seed = torch.arange(len(self.x), device=self.x.device)[:, None]
        return self.x[seed, chosen], self.y[seed, chosen]

    def indices(self, step: int) -> Tensor:
        """Which rows a step takes, ``(*seeds, batch)``."""
        block, offset = divmod(step, BLOCK)
        return self._block(block)[..., offset, :]

    def _draw_block(self, block: int) -> Tensor:
        size = (BLOCK, self.batch_size)
        return sample_per_seed(
            self.seeds, self.purpose, lambda g: torch.randint(self.rows, size, generator=g), block
        ).to(self.x.device)

    def configuration(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {
            "stream": type(self).__name__,
            "rows": self.rows,
            "per_seed": self.per_seed,
            "sha256": [fingerprint(self.x), fingerprint(self.y)],
            "batch_size": self.batch_size,
            "seeds": self.seeds,
        }


class ShuffledBatches(DrawnBatches):
    """Rows of a fixed table in a fresh order each epoch; the last batch of an epoch may be short.

    Args and errors as :class:`DrawnBatches`.
    """

    purpose = "shuffled"

    @property
    def steps_per_epoch(self) -> int:
        """Steps that pass over the table once."""
        return -(-self.rows // self.batch_size)

    @property
    def smallest_batch(self) -> int:
        """Rows of an epoch's last batch."""
        return self.rows % self.batch_size or self.batch_size

    def indices(self, step: int) -> Tensor:
        """Which rows a step takes, ``(*seeds, batch)``."""
        epoch, position = divmod(step, self.steps_per_epoch)
        start = position * self.batch_size
        return self._block(epoch)[..., start : start + self.batch_size]

    def _draw_block(self, block: int) -> Tensor:
        return sample_per_seed(
            self.seeds, self.purpose, lambda g: torch.randperm(self.rows, generator=g), block
        ).to(self.x.device)


def fingerprint(values: Tensor) -> str:
    """SHA-256 of a tensor's values: a run resumes on the very table it began with."""
    flat = values.detach().cpu().contiguous().reshape(-1)
    return hashlib.sha256(flat.view(torch.uint8).numpy().data).hexdigest()  # of any dtype, bf16 too
