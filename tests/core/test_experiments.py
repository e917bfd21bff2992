"""The paper's experiments: its numbers, as literal as it states them."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import (
    CONFIGURATIONS,
    EXPERIMENTS,
    LORENZ,
    MNIST,
    SINE,
    Configuration,
    Experiment,
    configuration_named,
)
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import unstack
from bijepa_core.stochastic import StochasticBiJEPA


def count(module: nn.Module | None) -> int:
    return 0 if module is None else sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("experiment", "constraint", "encoder", "predictor"),
    [
        (SINE, EXPRESSIVE, 6_160, 2_256),
        (SINE, UNCONSTRAINED, 5_904, 2_128),
        (LORENZ, EXPRESSIVE, 28_960, 8_608),
        (LORENZ, UNCONSTRAINED, 28_448, 8_352),
        (MNIST, EXPRESSIVE, 257_024, 16_832),
        (MNIST, UNCONSTRAINED, 256_768, 16_576),
    ],
)
def test_models_have_the_papers_parameters(
    experiment: Experiment, constraint: Constraint, encoder: int, predictor: int
) -> None:
    model = experiment.model(Configuration(constraint), 0)
    assert count(model.online) == count(model.target) == encoder
    assert count(model.forward_predictor) == count(model.backward_predictor) == predictor
    trained = sum(p.numel() for p in model.trained_parameters())
    assert trained == encoder + 2 * predictor
    classic = experiment.model(Configuration(constraint, alpha=1.0), 0)
    assert sum(p.numel() for p in classic.trained_parameters()) == encoder + predictor


@pytest.mark.parametrize(
    ("experiment", "steps", "batch", "rate", "tau", "probe_steps", "view", "embedding"),
    [
        (SINE, 2000, 64, 1e-3, 0.995, 100, (10,), 16),
        (LORENZ, 3000, 64, 5e-4, 0.995, 200, (60,), 32),
        (MNIST, 10 * 235, 256, 1e-3, 0.99, 10, (1, 28, 14), 64),  # 235 x 256 >= 60,000 images
    ],
)
def test_schedules_are_the_papers(
    experiment: Experiment,
    steps: int,
    batch: int,
    rate: float,
    tau: float,
    probe_steps: int,
    view: tuple[int, ...],
    embedding: int,
) -> None:
    schedule = (experiment.steps, experiment.batch_size, experiment.learning_rate)
    assert schedule == (steps, batch, rate)
    assert experiment.probe_steps == probe_steps
    model = experiment.model(Configuration(), 0)
    assert model.tau == tau
    losses = model(torch.zeros(2, *view), torch.ones(2, *view))
    assert losses.forward.online.shape == (2, embedding)


def test_experiments_and_configurations_are_found_by_name() -> None:
    assert EXPERIMENTS == {"sine": SINE, "lorenz": LORENZ, "mnist": MNIST}
    rows = {name: (c.constraint, c.alpha) for name, c in CONFIGURATIONS.items()}
    assert rows == {
        "classic": (EXPRESSIVE, 1.0),
        "unconstrained": (UNCONSTRAINED, 0.5),
        "expressive": (EXPRESSIVE, 0.5),
        "restrictive": (RESTRICTIVE, 0.5),
    }


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_models_use_the_scripts_scale(alpha: float, small: Experiment) -> None:
    model = small.model(Configuration(alpha=alpha), 0)
    losses = model(torch.ones(2, 10), torch.zeros(2, 10))
    zero = torch.zeros(())
    forward, backward = (
        zero if term is None else term.loss for term in (losses.forward, losses.backward)
    )
    heavier = max(alpha, 1 - alpha)
    expected = (alpha * forward + (1 - alpha) * backward) / heavier
    torch.testing.assert_close(losses.total, expected)


def weights(module: nn.Module | None) -> list[Tensor]:
    assert module is not None
    return list(module.parameters())


def equal(one: nn.Module | None, other: nn.Module | None) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_models_are_built_in_the_scripts_order(small: Experiment) -> None:
    """Encoder, forward, backward: classic shares the first two with the others, seed by seed."""
    both, classic = (small.model(Configuration(alpha=alpha), 3) for alpha in (0.5, 1.0))
    assert equal(both.online, classic.online)
    assert equal(both.forward_predictor, classic.forward_predictor)
    assert not equal(both.forward_predictor, both.backward_predictor)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        encoder = nn.Linear(10, 8)
    first = both.online.get_parameter("net.0.weight")
    assert torch.equal(first, encoder.weight)


def test_a_models_seed_is_the_same_in_company(small: Experiment) -> None:
    together = small.model(Configuration(), [4, 9])
    assert isinstance(together, BiJEPA)
    assert together.seed_axis == 2
    assert small.model(Configuration(), 9).seed_axis is None
    assert equal(unstack(together, 1), small.model(Configuration(), 9))


def test_the_constraint_reaches_networks_and_model(small: Experiment) -> None:
    for configuration in CONFIGURATIONS.values():
        model = small.model(configuration, 0)
        norms = [m for m in model.modules() if isinstance(m, nn.LayerNorm)]
        assert bool(norms) == configuration.constraint.layer_norm
        assert model.constraint == configuration.constraint
        assert model.alpha == configuration.alpha


def test_experiments_and_configurations_are_values(small: Experiment) -> None:
    assert replace(SINE, steps=10).steps == 10
    assert SINE.steps == 2000
    with pytest.raises(FrozenInstanceError):
        SINE.steps = 10  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        CONFIGURATIONS["classic"].alpha = 0.5  # type: ignore[misc]


def test_a_configuration_is_found_by_name_with_an_alpha_of_ones_own() -> None:
    for name, configuration in CONFIGURATIONS.items():
        assert configuration_named(name) == configuration
    assert configuration_named("restrictive", 0.0) == Configuration(RESTRICTIVE, 0.0)
    assert configuration_named("expressive", 1.0) == CONFIGURATIONS["classic"]
    assert configuration_named("classic", 1.0) == CONFIGURATIONS["classic"]


def test_an_unknown_configuration_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="classic, expressive, restrictive, unconstrained;") as e:
        configuration_named("expresive")
    assert "received 'expresive'" in str(e.value)


def test_an_unknown_predictor_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"predictor must be one of deter.* mixture; received 'm"):
        Configuration(predictor="mlp")


def test_who_predicts_changes_no_encoder_and_no_description_of_the_papers() -> None:
    assert Configuration().plain().keys() == {"constraint", "alpha"}
    wanted = SINE.model(Configuration(), (3, 4))
    assert type(wanted) is BiJEPA
    for name in ("energy", "gaussian", "mixture"):
        configuration = Configuration(RESTRICTIVE, predictor=name)
        assert configuration.plain()["predictor"] == name
        model = SINE.model(configuration, (3, 4))
        assert isinstance(model, StochasticBiJEPA)
        for one, other in zip(model.online.parameters(), wanted.online.parameters(), strict=True):
            assert torch.equal(one, other)
        assert model.sample_forward(torch.zeros(5, 10), 3).shape == (3, 2, 5, 16)


def test_classic_is_alpha_one_by_definition() -> None:
    with pytest.raises(ValueError, match=r"alpha = 1 by definition; received alpha = 0\.5.*Use"):
        configuration_named("classic", 0.5)


@pytest.mark.parametrize("alpha", [-0.5, 1.5, float("nan")])
def test_an_alpha_out_of_range_is_named(alpha: float) -> None:
    message = rf"alpha must lie in \[0, 1\]; received {alpha!r}\. The paper uses"
    with pytest.raises(ValueError, match=message):
        Configuration(alpha=alpha)
    with pytest.raises(ValueError, match=message):
        configuration_named("expressive", alpha)


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": 0},
        {"batch_size": -1},
        {"hidden_dim": 0},
        {"embed_dim": 0},
        {"in_dim": 0},
        {"learning_rate": 0.0},
        {"probe_steps": 0},
        {"tau": 1.5},
    ],
)
def test_improper_sizes_are_named(changed: dict[str, Any]) -> None:
    ((name, value),) = changed.items()
    with pytest.raises(ValueError, match=f"{name} must .*; received {value}"):
        replace(SINE, **changed)
