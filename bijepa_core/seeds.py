"""Randomness by name, and many seeds in one model.

Every random number of this package comes from :func:`generator`, keyed by seed, purpose and
index, so that seed 7 means the same weights and the same data alone, among thirty others,
and after a stop and a resume. Nothing touches the global generators.
"""

import copy
import reprlib
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from bijepa_core._support.checks import check_kind

M = TypeVar("M", bound=nn.Module)
Seeds = int | Sequence[int]
"""One seed (an int: no seed axis), or several (a sequence: a leading seed axis)."""


WORKING = (
    *(getattr(nn.modules.activation, name) for name in nn.modules.activation.__all__),
    *(nn.Dropout, nn.AlphaDropout, nn.Identity, nn.Flatten, nn.Unflatten),
    *(nn.Sequential, nn.ModuleList, nn.ModuleDict),
)
"""PyTorch's own modules that work on any leading axes, if they have no parameters."""
MOST = 10_000  # more seeds than this in one model are a slip of the pen
GLOBAL = threading.RLock()  # whoever sets PyTorch's global generators and puts them back


def plain_seeds(seeds: Any) -> int | tuple[int, ...]:
    """One seed as an int, several as a tuple; numpy's and PyTorch's numbers count as numbers.

    Raises:
        ValueError: if there is none, one is not a whole number in 0 .. 2**64 - 1, one comes
            twice, or there are more than :data:`MOST`.
    """
    found = seeds.tolist() if isinstance(seeds, np.generic | np.ndarray | Tensor) else seeds
    many = isinstance(found, Sequence) and not isinstance(found, str | bytes)
    listed = tuple(found[: MOST + 1]) if many else (found,)
    listed = tuple(one.item() if isinstance(one, np.integer) else one for one in listed)
    whole = all(type(one) is int and 0 <= one < 2**64 for one in listed)
    if not listed or not whole or len(set(listed)) < len(listed) or len(listed) > MOST:
        raise ValueError(
            f"seeds must be one or more distinct integers >= 0; received {reprlib.repr(seeds)}. "
            "Pass one integer, or a sequence such as range(32): none from 2**64 on, and at most "
            f"{MOST:,} of them."
        )
    return listed if many else listed[0]


def check_seeds(seeds: Seeds) -> tuple[int, ...]:
    """The seeds as a tuple; rules and errors as :func:`plain_seeds`."""
    plain = plain_seeds(seeds)
    return plain if isinstance(plain, tuple) else (plain,)


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
    """Seeds PyTorch's CPU generator for module constructors, and restores it afterwards.

    One thread at a time: the generator is the whole process's.
    """
    with GLOBAL, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Where PyTorch's global generators stand, the CPU's and a device's: dropout draws on them."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_state(states: dict[str, Tensor], device: torch.device) -> None:
    """Put the generators back to where :func:`random_state` saw them, as far as they are here."""
    if "cpu" in states:
        torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


@contextmanager
def borrowing_random_state(device: torch.device) -> Iterator[None]:
    """Whatever is drawn from PyTorch's global generators here, nobody notices afterwards."""
    before = random_state(device)
    try:
        yield
    finally:
        with GLOBAL:
            set_random_state(before, device)


def init_stacked(make: Callable[[], M], seeds: Seeds) -> M:
    """A module for one seed, or one module that holds many seeds.

    Args:
        make: builds the module for one seed, from PyTorch's global generator.
        seeds: an integer gives exactly what ``make`` gives under that seed; a sequence gives
            the same modules :func:`stack`-ed.

    Returns:
        The module; with a sequence, its parameters are ``(seeds, ...)``.

    Raises:
        TypeError: if make is not a function, or builds something else.
        ValueError: if seeds break a rule, or a layer cannot take a seed axis.
    """
    if isinstance(make, nn.Module) or not callable(make):
        raise TypeError(
            "make must be a function that builds a module, called once for each seed: lambda: "
            f"BiJEPA(...), say. Received {type(make).__name__}."
        )
    plain, modules = plain_seeds(seeds), []
    for seed in check_seeds(plain):
        with initializing(seed):
            modules.append(make())
        check_kind("make must build a torch.nn.Module.", modules[-1], nn.Module)
        if not isinstance(plain, int) and len(modules) == 1:
            check_takes_seeds(modules[0])
    return modules[0] if isinstance(plain, int) else stack(modules)


def check_takes_seeds(module: nn.Module, name: str = "") -> None:
    """Every part of a module works on a leading seed axis.

    A class with parameters or buffers of its own says so by ``takes_seeds = True``, as those in
    :mod:`bijepa_core.layers` do. Of PyTorch's own, activations, element-wise dropout, flattening
    and containers work as they are, as long as they count axes from the end. Classes of yours
    that only put others together are taken at their word.

    Args:
        module: of one seed.
        name: where it is a part of another.

    Raises:
        ValueError: naming the first part that does not, and the remedy.
    """
    if getattr(module, "takes_seeds", False):  # it answers for its own parts
        return
    torchs = type(module).__module__.startswith("torch.")
    counted = [getattr(module, axis, -1) for axis in ("dim", "start_dim")] if torchs else []
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    problem = ""
    if any(axis is None or axis in range(9) for axis in counted):
        problem = "counts axes from the front. Count them from the end, as nn.Flatten(-2) does"
    elif own or (torchs and not isinstance(module, WORKING)):
        problem = (
            "has no seed axis, or not with these settings. Take the layer of that name from "
            "bijepa_core.layers, if there is one; a class of yours that works on "
            "(seeds, batch, ...) says takes_seeds = True"
        )
    if problem:
        raise ValueError(
            f"{name or 'the module'} is a {type(module).__name__}, which {problem}. Or train one "
            "seed at a time: one call for each, with an integer."
        )
    for child, part in module.named_children():
        check_takes_seeds(part, f"{name}.{child}".lstrip("."))


def stack(modules: Sequence[M]) -> M:
    """One module whose parameters and buffers hold those of many on a leading seed axis.

    Args:
        modules: modules of the same structure, one a seed.

    Returns:
        A copy of the first, each tensor ``(*shape)`` replaced by ``(len(modules), *shape)``;
        its attribute ``seed_axis`` says how many.

    Raises:
        ValueError: if there is none, they differ in structure, or one is stacked already.
    """
    for one in modules:
        check_kind("stack takes a list of torch.nn.Modules.", one, nn.Module)
    tensors = [_tensors(one) for one in modules]
    shapes = [{name: tensor.shape for name, tensor in one.items()} for one in tensors]
    if not shapes or shapes.count(shapes[0]) < len(shapes) or _seed_axis(modules[0]) is not None:
        raise ValueError(
            "stack takes one or more modules without a seed axis whose parameters have the same "
            f"names and shapes; received {len(modules)} that do not."
        )
    stacked = copy.deepcopy(modules[0])
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

    Raises:
        ValueError: if the module has no seed axis, or none at that position.
    """
    seeds = _seed_axis(module)
    whole = isinstance(position, Integral) and not isinstance(position, bool)
    if seeds is None or not whole or not 0 <= position < seeds:
        held = "no seed axis" if seeds is None else f"positions 0 to {seeds - 1}"
        raise ValueError(
            f"position must be one on the module's seed axis; received {position!r}, and the "
            f"module has {held}."
        )
    single = copy.deepcopy(module)
    tensors = _tensors(module)
    _replace(single, lambda name: tensors[name].detach()[position].clone())
    single.seed_axis = None  # type: ignore[assignment]
    return single


def _seed_axis(module: nn.Module) -> int | None:
    found: int | None = getattr(module, "seed_axis", None)
    return found


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _replace(module: nn.Module, value: Callable[[str], Tensor]) -> None:
    for name, tensor in _tensors(module).items():
        tensor.data = value(name)
