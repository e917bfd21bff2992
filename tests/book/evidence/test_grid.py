"""The study's conditions differ in what their names say and in nothing else."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bijepa_book.evidence.grid import BASELINES, Condition, Name, all_conditions, conditions
from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import CONFIGURATIONS, EXPERIMENTS
from bijepa_core.training import pretrain

NAMES: tuple[Name, ...] = ("sine", "lorenz", "mnist")
SERIES: tuple[Name, ...] = ("sine", "lorenz")
each_name = pytest.mark.parametrize("name", NAMES)
each_series = pytest.mark.parametrize("name", SERIES)


def named(name: Name) -> dict[str, Condition]:
    return {c.name: c for c in conditions(name)}


def count(module: nn.Module | None) -> int:
    assert module is not None
    return sum(p.numel() for p in module.parameters())


def weights(module: nn.Module) -> list[Tensor]:
    return [p.detach() for p in module.parameters()]


def same(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


# Names


def test_every_key_is_its_own_and_can_be_a_file() -> None:
    keys = [c.key for c in all_conditions()]
    assert len(set(keys)) == len(keys)
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for key in keys)


def test_all_conditions_are_those_of_each_experiment_and_length() -> None:
    together = [c for name in NAMES for c in conditions(name)]
    together += [c for name in SERIES for c in conditions(name, "long")]
    everything = all_conditions()
    assert {c.key for c in everything} == {c.key for c in together}
    assert len(everything) == len(together)
    lengths = [c.length for c in everything]
    assert lengths == sorted(lengths, reverse=True)  # "paper" before "long"


def test_no_two_conditions_train_the_same() -> None:
    trained = [c for c in all_conditions() if c.name != BASELINES]
    kinds = {(c.experiment, c.configuration, c.shared) for c in trained}
    assert len(kinds) == len(trained)


@each_name
def test_the_papers_own_conditions_are_untouched(name: Name) -> None:
    found = named(name)
    for configuration, expected in CONFIGURATIONS.items():
        condition = found[configuration]
        assert condition == Condition(configuration, EXPERIMENTS[name], expected)


@each_name
def test_the_baselines_come_first_and_once(name: Name) -> None:
    assert [c.name for c in conditions(name)].index(BASELINES) == 0
    if name != "mnist":
        assert BASELINES not in {c.name for c in conditions(name, "long")}


# What a name says


@each_name
def test_classic_with_twice_the_data(name: Name) -> None:
    """Twice the batch or twice the steps, and nothing else."""
    found, experiment = named(name), EXPERIMENTS[name]
    batch, steps = found["classic-batch"], found["classic-steps"]
    assert batch.experiment.batch_size == 2 * experiment.batch_size
    assert steps.experiment.steps == 2 * experiment.steps
    assert (
        replace(
            batch,
            name="classic",
            experiment=replace(batch.experiment, batch_size=experiment.batch_size),
        )
        == replace(
            steps, name="classic", experiment=replace(steps.experiment, steps=experiment.steps)
        )
        == found["classic"]
    )


@each_series
def test_long_is_ten_times_the_steps_and_nothing_else(name: Name) -> None:
    usual, longer = conditions(name)[1:], conditions(name, "long")
    for short, long in zip(usual, longer, strict=True):
        assert long.experiment.steps == 10 * short.experiment.steps
        assert long.key == short.key.removesuffix("paper") + "long"
        back = replace(long.experiment, steps=short.experiment.steps)
        assert replace(long, length="paper", experiment=back) == short


def test_mnist_has_one_length() -> None:
    with pytest.raises(ValueError, match="MNIST at the paper's length alone; received 'long'"):
        conditions("mnist", "long")


@each_series
def test_every_pair_of_layer_norm_and_decay_is_there_once(name: Name) -> None:
    """Ten in all: five decays with LayerNorm and five without."""
    usual = EXPERIMENTS[name]
    found = [
        c.configuration.constraint
        for c in conditions(name)[1:]
        if c.experiment == usual
        and c.configuration.alpha == 0.5
        and not c.shared
        and not c.configuration.constraint.sphere
    ]
    pairs = itertools.product((True, False), (0.0, 1e-4, 1e-3, 1e-2, 1e-1))
    expected = [Constraint(layer_norm, decay) for layer_norm, decay in pairs]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@each_series
def test_decay_alpha_and_tau_are_what_the_name_says(name: Name) -> None:
    seen = set()
    for c in conditions(name):
        what, _, number = c.name.rpartition("-")
        if what in ("norm-decay", "plain-decay"):
            assert c.configuration.constraint == Constraint(what == "norm-decay", float(number))
        elif what == "alpha":
            assert c.configuration.alpha == float(number)
            assert c.configuration.constraint == EXPRESSIVE
        elif what in ("tau", "unconstrained-tau"):
            assert c.experiment.tau == float(number)
            assert replace(c.experiment, tau=EXPERIMENTS[name].tau) == EXPERIMENTS[name]
            expected = EXPRESSIVE if what == "tau" else UNCONSTRAINED
            assert c.configuration.constraint == expected
        else:
            continue
        seen.add(what)
        assert f"{what}-{float(number):g}" == c.name
        assert not c.shared
    assert seen == {"norm-decay", "plain-decay", "alpha", "tau", "unconstrained-tau"}


@each_series
def test_classic_without_constraints_is_one_direction_without_constraints(name: Name) -> None:
    model = named(name)["classic-unconstrained"].model(0)
    assert model.constraint == UNCONSTRAINED
    assert model.backward_predictor is None
    assert not any(isinstance(m, nn.LayerNorm) for m in model.modules())


# Models


@each_name
def test_a_seed_begins_with_one_encoder_with_layer_norm_and_one_without(name: Name) -> None:
    """Whatever else the condition changes; else seeds could not be compared in pairs."""
    first: dict[bool, list[Tensor]] = {}
    for condition in conditions(name):
        model = condition.model(3)
        with_norm = condition.configuration.constraint.layer_norm
        begun = first.setdefault(with_norm, weights(model.online))
        assert same(weights(model.online), begun), condition.key
        assert same(weights(model.target), begun), condition.key
    assert set(first) == {True, False}
    other = named(name)["expressive"].model(4)
    assert not same(weights(other.online), first[True])


@each_series
def test_a_model_carries_its_conditions_settings(name: Name) -> None:
    for condition in conditions(name):
        model = condition.model(0)
        assert model.tau == condition.experiment.tau
        assert model.alpha == condition.configuration.alpha
        assert model.constraint == condition.configuration.constraint


@pytest.mark.parametrize("seeds", [0, (0, 2)], ids=["one seed", "a seed axis"])
@each_name
def test_shared_is_one_predictor_whose_parameters_count_once(
    name: Name, seeds: int | tuple[int, ...]
) -> None:
    found = named(name)
    shared, two = found["shared"].model(seeds), found["expressive"].model(seeds)
    assert shared.forward_predictor is not None
    assert shared.forward_predictor is shared.backward_predictor
    assert two.forward_predictor is not two.backward_predictor
    assert count(shared) == count(two) - count(two.backward_predictor)
    trained = sum(p.numel() for p in shared.trained_parameters())
    assert trained == count(shared.online) + count(shared.forward_predictor)
    assert two.forward_predictor is not None
    assert same(weights(shared.forward_predictor), weights(two.forward_predictor))


def test_a_shared_predictor_learns_from_both_directions_and_stays_one() -> None:
    """Its gradient is the sum of what two equal predictors would get, seed by seed."""
    found, seeds = named("sine"), (0, 2)
    shared, two = found["shared"].model(seeds), found["expressive"].model(seeds)
    assert two.forward_predictor is not None
    assert two.backward_predictor is not None
    two.backward_predictor.load_state_dict(two.forward_predictor.state_dict())
    x, y = SineBatches(seeds)(0)
    for model in (shared, two):
        model(x, y).total.sum().backward()
    assert shared.forward_predictor is not None
    for one, there, back in zip(
        shared.forward_predictor.parameters(),
        two.forward_predictor.parameters(),
        two.backward_predictor.parameters(),
        strict=True,
    ):
        assert one.grad is not None
        assert there.grad is not None
        assert back.grad is not None
        torch.testing.assert_close(one.grad, there.grad + back.grad)
        assert float(back.grad.abs().sum()) > 0
    pretrain(shared, SineBatches(seeds), steps=2, learning_rate=1e-3, device="cpu", progress=False)
    assert shared.forward_predictor is shared.backward_predictor
