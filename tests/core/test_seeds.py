"""One seed means one thing: alone, in company, and whatever the global generators do."""

import json
import random
import reprlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_core.layers import BatchNorm1d, LayerNorm, Linear
from bijepa_core.networks import ConvEncoder
from bijepa_core.seeds import check_seeds, generator, init_stacked, sample_per_seed, stack, unstack

Normal = Callable[..., Tensor]


def network() -> nn.Module:
    return nn.Sequential(Linear(3, 4), LayerNorm(4), nn.ReLU(), Linear(4, 2))


def states_equal(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def global_states() -> tuple[bytes, str, str]:
    # the legacy generator is the one to be left alone
    numpy_state = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), str(numpy_state), str(random.getstate())


def test_one_integer_and_a_sequence_are_seeds() -> None:
    assert check_seeds(7) == (7,)
    assert check_seeds(range(3)) == (0, 1, 2)
    assert check_seeds([5, 2]) == (5, 2)


def test_numbers_of_numpy_and_pytorch_are_seeds_too() -> None:
    assert check_seeds(np.int64(7)) == (7,)  # type: ignore[arg-type]
    for several in (np.arange(3), torch.arange(3), [np.int32(0), 1, 2], (0, 1, 2), range(3)):
        found = check_seeds(several)  # type: ignore[arg-type]
        assert found == (0, 1, 2)
        assert {type(one) for one in found} == {int}
    assert states_equal(init_stacked(network, np.uint8(3)), init_stacked(network, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "seeds",
    [-1, [], [3, 3], [0, -2], True, [True], 2.0, [0.5], "7", ["7"], None, {1, 2}, 2**64,
     range(10**9), [[1, 2]]],
)  # fmt: skip
def test_improper_seeds_are_named(seeds: int | Sequence[int]) -> None:
    with pytest.raises(ValueError, match=r"distinct integers >= 0.*Pass one integer") as raised:
        check_seeds(seeds)
    assert f"received {reprlib.repr(seeds)}. " in str(raised.value)


def test_a_key_always_means_the_same_numbers() -> None:
    first = torch.rand(4, generator=generator(7, "sine/train", 2))
    torch.rand(4, generator=generator(7, "sine/train", 3))
    assert torch.equal(first, torch.rand(4, generator=generator(7, "sine/train", 2)))


def test_the_numbers_of_a_key_never_change() -> None:
    """Recorded results rest on these streams: another mixing of the key would void them."""
    numbers = torch.randint(1000, (5,), generator=generator(7, "sine/train", 2))
    assert numbers.tolist() == [989, 479, 546, 344, 919]


def test_every_part_of_the_key_counts() -> None:
    keys = [(7, "a", 0), (8, "a", 0), (7, "b", 0), (7, "a", 1), (0, "a", 7), (1, "a", 7)]
    drawn = {tuple(torch.rand(3, generator=generator(*key)).tolist()) for key in keys}
    assert len(drawn) == len(keys)


def test_different_keys_give_uncorrelated_streams() -> None:
    streams = torch.stack([torch.randn(4000, generator=generator(s, "a")) for s in range(8)])
    off_diagonal = torch.corrcoef(streams) - torch.eye(8)
    assert float(off_diagonal.abs().max()) < 0.06  # about 4 standard errors of 1 / sqrt(4000)


def test_draw_gives_a_seed_the_same_sample_alone_and_in_company() -> None:
    def sample(numbers: torch.Generator) -> Tensor:
        return torch.randn(2, 3, generator=numbers)

    together = sample_per_seed([4, 9, 1], "a", sample, index=5)
    assert together.shape == (3, 2, 3)
    assert torch.equal(together[1], sample_per_seed(9, "a", sample, index=5))
    assert torch.equal(together[1:2], sample_per_seed([9], "a", sample, index=5))


def test_building_leaves_every_global_generator_alone() -> None:
    before = global_states()
    init_stacked(network, range(3))
    init_stacked(lambda: ConvEncoder(4), 0)
    sample_per_seed(range(2), "a", lambda numbers: torch.rand(2, generator=numbers))
    assert global_states() == before


def test_the_global_generator_has_no_say_in_what_is_built() -> None:
    first = init_stacked(network, 3)
    torch.rand(1)
    assert states_equal(init_stacked(network, 3), first)


def test_an_integer_seed_builds_what_that_seed_gives_in_plain_pytorch() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        expected = network()
    assert states_equal(init_stacked(network, 11), expected)


@pytest.mark.parametrize("make", [network, lambda: ConvEncoder(4)])
def test_a_seed_has_the_same_initial_weights_in_company(make: Callable[[], nn.Module]) -> None:
    together = init_stacked(make, [4, 9, 1])
    assert getattr(together, "seed_axis", None) == 3
    for position, seed in enumerate([4, 9, 1]):
        assert states_equal(unstack(together, position), init_stacked(make, seed))
    assert states_equal(unstack(init_stacked(make, [9]), 0), init_stacked(make, 9))


def test_stacking_puts_one_axis_in_front_and_keeps_parameters_trainable() -> None:
    alone = init_stacked(network, 0)
    alone[0].requires_grad_(False)  # type: ignore[index]
    together = stack([alone, init_stacked(network, 1)])
    for (name, one), both in zip(alone.named_parameters(), together.parameters(), strict=True):
        assert both.shape == (2, *one.shape), name
        assert both.requires_grad == one.requires_grad
        assert isinstance(both, nn.Parameter)


def test_stacked_and_taken_modules_own_their_memory() -> None:
    modules = [init_stacked(network, seed) for seed in range(2)]
    together = stack(modules)
    single = unstack(together, 1)
    with torch.no_grad():
        for parameter in together.parameters():
            parameter.zero_()
    assert states_equal(modules[0], init_stacked(network, 0))
    assert states_equal(single, modules[1])
    assert getattr(single, "seed_axis", "missing") is None


def test_a_module_used_twice_stays_one_module() -> None:
    """Two predictors may be one: stacking must not part them."""

    def make() -> nn.Module:
        shared = Linear(3, 3)
        return nn.ModuleDict({"there": shared, "back": shared})

    together = init_stacked(make, range(2))
    assert len(list(together.parameters())) == 2
    assert len(list(unstack(together, 0).parameters())) == 2


def conv_without_seeds() -> nn.Module:
    return nn.ModuleDict({"net": nn.Sequential(nn.ReLU(), nn.Conv1d(1, 2, 3))})


class Shift(nn.Module):
    """A user's own layer."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.zeros(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (conv_without_seeds, r"net\.1 is a Conv1d.*Take the layer of that name"),
        (Shift, r"the module is a Shift.*takes_seeds = True.*one call for each"),
        (lambda: nn.Sequential(nn.LSTM(2, 3)), r"0 is a LSTM"),
        (lambda: nn.Sequential(nn.BatchNorm1d(2, affine=False)), r"0 is a BatchNorm1d"),
        (lambda: nn.Sequential(BatchNorm1d(2, momentum=None)), "not with these settings"),
        (lambda: nn.Sequential(nn.MaxPool1d(2)), "0 is a MaxPool1d"),
        (lambda: nn.Sequential(nn.Dropout2d()), "0 is a Dropout2d"),
        (lambda: nn.Sequential(nn.Flatten()), r"0 is a Flatten.*counts axes from the front"),
        (lambda: nn.Sequential(nn.Softmax()), r"0 is a Softmax.*counts axes from the front"),
    ],
)
def test_a_layer_that_cannot_take_a_seed_axis_is_named_before_the_second_is_built(
    make: Callable[[], nn.Module], message: str
) -> None:
    built = []

    def counted() -> nn.Module:
        built.append(make())
        return built[-1]

    with pytest.raises(ValueError, match=message):
        init_stacked(counted, range(8))
    assert len(built) == 1
    init_stacked(make, 0)  # under one seed anything goes


def test_what_works_on_any_leading_axes_is_welcome() -> None:
    class Scale(Shift):
        takes_seeds = True

    parts = [nn.Flatten(-2), nn.Dropout(0.1), nn.GELU(), nn.Softmax(-1), nn.Identity(), Scale()]
    assert init_stacked(lambda: nn.Sequential(*parts, Linear(3, 2)), [0, 1]).seed_axis


def test_stacking_and_unstacking_say_what_they_need() -> None:
    together = init_stacked(network, range(2))
    for modules in ([], [network(), Linear(3, 4)], [together, together]):
        with pytest.raises(ValueError, match="stack takes one or more modules without a seed"):
            stack(modules)
    for module, position in ((network(), 0), (together, 2), (together, -1), (together, 0.5)):
        with pytest.raises(ValueError, match=rf"received {position}, and the module has (no|pos)"):
            unstack(module, position)  # type: ignore[arg-type]


def test_a_module_in_place_of_a_function_that_builds_one_is_named() -> None:
    for make, received in ((network(), type(network()).__name__), (3, "int")):
        with pytest.raises(TypeError, match=f"make must be a function.*Received {received}"):
            init_stacked(make, 0)  # type: ignore[arg-type]


def test_models_built_in_threads_are_the_ones_built_alone() -> None:
    alone = [init_stacked(network, seed) for seed in range(40)]
    before = torch.get_rng_state()
    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(lambda seed: init_stacked(network, seed), range(40)))
    assert all(states_equal(one, other) for one, other in zip(alone, built, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_importing_the_package_is_light_and_leaves_the_generators_alone() -> None:
    heavy = ["matplotlib", "torchvision", "ipywidgets", "IPython", "scipy", "sklearn", "tqdm"]
    program = f"""
import json, random, sys
import numpy, torch
states = lambda: (torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate())
before = states()
already = set(sys.modules)
import bijepa_core
print(json.dumps([
    [name for name in {heavy!r} if name in sys.modules and name not in already],
    states() == before,
]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [[], True]
