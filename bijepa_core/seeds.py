"""Randomness by name, and many seeds in one model.

Every random number of this package comes from :func:`generator`, keyed by seed, purpose and
index, so that seed 7 means the same weights and the same data alone, among thirty others,
and after a stop and a resume. Nothing touches the global generators.
"""

import copy
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)
Seeds = int | Sequence[int]
"""One seed (an int: no seed axis), or several (a sequence: a leading seed axis)."""


def check_seeds(seeds: Seeds) -> tuple[int, ...]:
    """The seeds as a tuple of plain integers.

    Raises:
        ValueError: if there is none, one is negative, or one comes twice.
    """
    listed: tuple[Any, ...] = tuple(seeds) if isinstance(seeds, Sequence) else (seeds,)
    whole = all(
        isinstance(seed, Integral) and not isinstance(seed, bool) and int(seed) >= 0
        for seed in listed
    )
    if not listed or not whole or len(set(listed)) < len(listed):
        raise ValueError(
            f"seeds must be one or more distinct integers >= 0; received {seeds!r}. "
            "Pass one integer, or a sequence such as range(32)."
        )
    return tuple(int(seed) for seed in listed)


def plain_seeds(seeds: Seeds) -> Seeds:
    """The seeds, checked, as a plain integer or a tuple of plain integers."""
    listed = check_seeds(seeds)
    return listed if isinstance(seeds, Sequence) else listed[0]


def is_sequence(value: object) -> bool:
    """A range, list or tuple; not an array, whose numbers are no plain integers."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def generator(seed: int, purpose: str, index: int = 0) -> torch.Generator:
    """A CPU generator of its own for each (seed, purpose, index).

    Args:
        seed: the experiment's seed.
        purpose: what the numbers are for, such as ``"sine/train"``.
        index: a running number, such as the block of steps they serve.

    Returns:
        A generator whose stream is independent of every other key's
        (``numpy.random.SeedSequence`` mixes the three).
    """
    key = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), index])
    return torch.Generator().manual_seed(int(key.generate_state(1, np.uint32)[0]))


def sample_per_seed(
    seeds: Seeds, purpose: str, sample: Callable[[torch.Generator], Tensor], index: int = 0
) -> Tensor:
    """One sample a seed, stacked in front; no extra axis for a single integer seed.

    Args:
        seeds: one seed or several.
        purpose: see :func:`generator`.
        sample: maps a generator to a tensor of fixed shape.
        index: see :func:`generator`.

    Returns:
        ``sample``'s shape, with ``(seeds, ...)`` in front where ``seeds`` is a sequence.
    """
    if isinstance(seeds, int):
        return sample(generator(seeds, purpose, index))
    return torch.stack([sample(generator(seed, purpose, index)) for seed in seeds])


@contextmanager
def initializing(seed: int) -> Iterator[None]:
    """Seeds PyTorch's CPU generator for module constructors, and restores it afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def init_stacked(make: Callable[[], M], seeds: Seeds) -> M:
    """A module for one seed, or one module that holds many seeds.

    Args:
        make: builds the module for one seed, from PyTorch's global generator.
        seeds: an integer gives exactly what ``make`` gives under that seed; a sequence gives
            the same modules :func:`stack`-ed.

    Returns:
        The module; with a sequence, its parameters are ``(seeds, ...)``.
    """
    modules = []
    for seed in check_seeds(seeds):
        with initializing(seed):
            modules.append(make())
    return modules[0] if isinstance(seeds, int) else stack(modules)


def stack(modules: Sequence[M]) -> M:
    """One module whose parameters and buffers hold those of many on a leading seed axis.

    Args:
        modules: modules of the same structure, one a seed.

    Returns:
        A copy of the first, each tensor ``(*shape)`` replaced by ``(len(modules), *shape)``;
        its attribute ``seed_axis`` says how many.
    """
    stacked = copy.deepcopy(modules[0])
    tensors = [{**dict(m.named_parameters()), **dict(m.named_buffers())} for m in modules]
    _replace(stacked, lambda name: torch.stack([one[name].detach() for one in tensors]))
    stacked.seed_axis = len(modules)  # type: ignore[assignment]
    return stacked


def unstack(module: M, position: int) -> M:
    """The module of one seed out of a stacked one: the inverse of :func:`stack`.

    Args:
        module: a module that carries a seed axis.
        position: where on the seed axis (not the seed's own number).

    Returns:
        A copy without the seed axis.
    """
    single = copy.deepcopy(module)
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    _replace(single, lambda name: tensors[name].detach()[position].clone())
    single.seed_axis = None  # type: ignore[assignment]
    return single


def _replace(module: nn.Module, value: Callable[[str], Tensor]) -> None:
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        tensor.data = value(name)
