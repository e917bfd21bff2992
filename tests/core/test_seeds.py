"""One seed means one thing: alone, in company, and whatever the global generators do."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_core.layers import LayerNorm, Linear
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


@pytest.mark.parametrize("seeds", [-1, [], [3, 3], [0, -2]])
def test_improper_seeds_are_named(seeds: int | Sequence[int]) -> None:
    with pytest.raises(ValueError, match=r"distinct integers >= 0.*Pass one integer") as raised:
        check_seeds(seeds)
    assert f"received {seeds!r}" in str(raised.value)


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
