"""Data sets and loaders of PyTorch's kind as streams of batches."""

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Protocol, TypeGuard

import torch
from torch import Tensor

from bijepa_core._support.arrays import as_tensor
from bijepa_core._support.checks import check_kind, check_table
from bijepa_core.data.streams import ShuffledBatches, as_pair, fingerprint
from bijepa_core.seeds import GLOBAL, Seeds, check_seeds, generator, initializing

Pair = Callable[[Any], tuple[Any, Any]]
"""Maps an item, or a batch, to its x and y."""


NOTHING = (torch.empty(0), torch.empty(0))


class MapStyle(Protocol):
    """A data set that knows its length and gives an item for its number."""

    def __len__(self) -> int:
        """How many items."""

    def __getitem__(self, index: int, /) -> Any:
        """One of them."""


class DatasetBatches(ShuffledBatches):
    """Items of a map-style data set in a fresh order each epoch; the last batch may be short.

    While items are read, torch's generator is seeded by seed and step, so that an augmentation that
    draws from it is repeated exactly, too.

    Args:
        dataset: of pairs of views.
        batch_size: items a step.
        seeds: one seed or several; decides which items each step takes.
        pair: how an item gives x and y, each a tensor or an array; by default the item is
            ``(x, y)`` or has the keys ``"x"`` and ``"y"``.

    Raises:
        TypeError: if the data set does not know its length, or an item is no pair.
        ValueError: if the data set is empty, or items are not finite or do not stack.
    """

    def __init__(
        self, dataset: MapStyle, *, batch_size: int, seeds: Seeds, pair: Pair = as_pair
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                "dataset must have __len__ and __getitem__; received "
                f"{type(dataset).__name__}. An iterable of batches goes into LoaderBatches."
            )
        check_kind("pair must be a function of an item.", pair, Callable)
        if not len(dataset):
            raise ValueError("dataset must not be empty; received one of length 0.")
        numbers = torch.arange(len(dataset))
        super().__init__(numbers, numbers, batch_size=batch_size, seeds=seeds)
        self.dataset, self.pair = dataset, pair

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of one step: x and y, each ``(*seeds, batch, *view)``."""
        chosen = self.indices(step)  # (*seeds, batch)
        listed, items = check_seeds(self.seeds), []
        for seed, numbers in zip(listed, chosen.reshape(len(listed), -1).tolist(), strict=True):
            with initializing(generator(seed, "dataset/items", step).initial_seed()):
                items += [self.pair(self.dataset[number]) for number in numbers]
        x, y = _stacked("x", [x for x, _ in items]), _stacked("y", [y for _, y in items])
        _check_step(step, x, y)
        return x.unflatten(0, chosen.shape), y.unflatten(0, chosen.shape)

    def configuration(self) -> dict[str, Any]:
        """What a checkpoint must agree on; of the items, the first batch alone."""
        first = [fingerprint(view) for view in self(0)]
        return super().configuration() | {"first_batch": first}


def _stacked(name: str, views: list[Any]) -> Tensor:
    tensors = [as_tensor(f"{name} of an item", view) for view in views]
    shapes = sorted({tuple(tensor.shape) for tensor in tensors})
    if len(shapes) > 1:
        raise ValueError(
            f"{name} must have one shape in all items, to make a batch; received {shapes[0]} and "
            f"{shapes[1]}. Cut or pad them."
        )
    return torch.stack(tensors)


def _check_step(step: int, x: Tensor, y: Tensor) -> None:
    try:
        check_table(x, y)
    except ValueError as error:
        raise ValueError(f"in the batch of step {step}, {error}") from error


class LoaderBatches:
    """The batches of a ``torch.utils.data.DataLoader``, or of any iterable, epoch after epoch.

    A loader has a position, and gives one batch after the other. At each epoch's start its
    randomness is seeded by seed and epoch: torch's generator, from which it draws its order and
    its workers' seeds, and a generator of its own, if it has one. An epoch can therefore be walked
    again: asked for a step that is not the next, the stream begins that step's epoch anew and
    reads its way there. Where there is no ``len``, it begins at the first epoch. What else is
    random (numpy in the main process) is not repeated: a run with such a loader does not resume
    exactly, and is refused where its first batch is another.

    Args:
        loader: gives batches ``(x, y)``, ``(batch, *view)`` each, shared by all seeds of a model.
        seed: of the loader's randomness.
        pair: how a batch gives x and y; by default as in :class:`DatasetBatches`.

    Raises:
        TypeError: if it cannot be walked, or not more than once, or a batch is no pair.
        ValueError: if an epoch is empty, or a batch is not finite.
    """

    def __init__(self, loader: Iterable[Any], *, seed: int = 0, pair: Pair = as_pair) -> None:
        if not isinstance(loader, Iterable) or isinstance(loader, Iterator):
            raise TypeError(
                "a loader must be an iterable that can be walked every epoch, like a DataLoader or "
                f"a list of batches; received {type(loader).__name__}."
            )
        check_kind("pair must be a function of a batch.", pair, Callable)
        (self.seed,) = check_seeds([seed])
        self.loader, self.pair = loader, pair
        self._step, self._last = -1, NOTHING
        self._walk: Iterator[tuple[Tensor, Tensor]] = iter(())

    @property
    def smallest_batch(self) -> int:
        """Rows of an epoch's last batch, where the loader tells; 2 where it does not."""
        try:
            rows, size = len(self.loader.dataset), self.loader.batch_size  # type: ignore[attr-defined]
            return int(size if self.loader.drop_last else rows % size or size)  # type: ignore[attr-defined]
        except (AttributeError, TypeError):
            return 2

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of one step: quick where it is the last one asked for, or the next."""
        if step != self._step:
            walk = self._walk if 0 < step == self._step + 1 else self._from(step)
            self._step = -1  # an error ends the walk
            self._last = next(walk)
            self._step, self._walk = step, walk
        return self._last

    def _from(self, step: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from a step on, for ever."""
        epoch, skipped = divmod(step, len(self.loader)) if _has_length(self.loader) else (0, step)
        while True:
            read = 0
            for batch in self._epoch(epoch):
                read += 1
                if read > skipped:
                    x, y = self.pair(batch)
                    x, y = as_tensor("x", x), as_tensor("y", y)
                    _check_step(step, x, y)
                    yield x, y
                    step += 1
            if read == 0:
                raise ValueError("the loader gave no batch in a whole epoch. Is it empty?")
            epoch, skipped = epoch + 1, max(skipped - read, 0)

    def _epoch(self, epoch: int) -> Iterator[Any]:
        """One walk over the loader; between two batches torch's generator is the caller's."""
        randomness = generator(self.seed, "loader", epoch)
        for owner in (self.loader, getattr(self.loader, "sampler", None)):
            own = getattr(owner, "generator", None)
            if isinstance(own, torch.Generator):
                own.manual_seed(randomness.initial_seed())
        walk, state, end = None, randomness.get_state(), object()
        while True:
            with GLOBAL, torch.random.fork_rng(devices=[]):
                torch.set_rng_state(state)
                walk = iter(self.loader) if walk is None else walk
                batch = next(walk, end)
                state = torch.get_rng_state()
            if batch is end:
                return
            yield batch

    def configuration(self) -> dict[str, Any]:
        """What a checkpoint must agree on; of the batches, the first alone."""
        first = [fingerprint(view) for view in self(0)]
        return {"stream": "LoaderBatches", "seed": self.seed, "first_batch": first}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_step": -1, "_last": NOTHING, "_walk": iter(())}


def _has_length(loader: Iterable[Any]) -> TypeGuard[Sized]:
    """Whether the loader tells how many batches an epoch has, and has any."""
    try:
        return len(loader) > 0  # type: ignore[arg-type]
    except TypeError:  # a DataLoader of an iterable data set has the method, but no answer
        return False
