"""The benchmark's plain loop does the same work as ``bijepa_core``, or its ratios mean nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from benchmarks import mnist, reference, sine_lorenz
from benchmarks.timing import compare
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE, Experiment
from bijepa_core.networks import ConvEncoder, Decoder, MLPEncoder, MLPPredictor
from bijepa_core.training import pretrain

SCRIPTS: list[tuple[Experiment, Callable[[], reference.Script], tuple[int, ...]]] = [
    (SINE, lambda: sine_lorenz.script(SINE, seed=3), (10,)),
    (LORENZ, lambda: sine_lorenz.script(LORENZ, seed=3), (60,)),
    (MNIST, lambda: mnist.script(seed=3), (1, 28, 14)),
]


@pytest.mark.parametrize(("experiment", "script", "view"), SCRIPTS, ids=["sine", "lorenz", "mnist"])
def test_same_weights_and_batches_give_the_same_losses(
    experiment: Experiment,
    script: Callable[[], reference.Script],
    view: tuple[int, ...],
    normal: Callable[..., Tensor],
) -> None:
    """In float64, so that even a forgotten weight decay shows."""
    pairs = normal(5, 2, 16, *view)
    plain = script()
    for part in (plain.online, plain.target, plain.forward_predictor, plain.backward_predictor):
        part.double()
    expected = [plain.step(x, y) for x, y in pairs]

    history = pretrain(
        experiment.model(CONFIGURATIONS["expressive"], 3).double(),
        lambda step: (pairs[step, 0], pairs[step, 1]),
        steps=5,
        learning_rate=experiment.learning_rate,
        device="cpu",
    )
    np.testing.assert_allclose(history.losses["total"].tolist(), expected, rtol=1e-9)
    assert expected[0] != pytest.approx(expected[-1], rel=1e-3)  # something was learned


@pytest.mark.parametrize(
    ("plain", "ours"),
    [
        (reference.mlp_encoder(10, 64, 16), MLPEncoder(10, 64, 16)),
        (reference.conv_encoder(), ConvEncoder()),
        (reference.predictor(16, 64), MLPPredictor(16, 64)),
        (reference.image_decoder(), Decoder()),
    ],
    ids=["mlp", "conv", "predictor", "decoder"],
)
def test_networks_have_the_same_parameters(plain: torch.nn.Module, ours: torch.nn.Module) -> None:
    assert [p.shape for p in plain.parameters()] == [p.shape for p in ours.parameters()]


def test_waves_have_the_paper_s_shape_and_noise() -> None:
    x, y = reference.sine_batch(np.random.default_rng(0), 500)
    assert x.shape == y.shape == (500, 10)
    assert x.dtype == torch.float32
    series = torch.cat([x, y], dim=1)
    # A sine of frequency w satisfies s[t-1] + s[t+1] = 2 cos(w dt) s[t]: what is left is noise.
    sides, middle = series[:, :-2] + series[:, 2:], series[:, 1:-1]
    slope = (sides * middle).sum(1, keepdim=True) / middle.square().sum(1, keepdim=True)
    left = (sides - slope * middle).square().mean(1) / (2 + slope[:, 0].square())
    assert left.mean().sqrt() == pytest.approx(0.05, rel=0.1)


def test_loader_keeps_the_order_it_is_given() -> None:
    numbers = TensorDataset(torch.arange(10), torch.arange(10))
    batches = [first.tolist() for first, _ in reference.mnist_loader(numbers, [[3, 1], [9]])]
    assert batches == [[3, 1], [9]]


@pytest.mark.parametrize("train", [reference.train_probe, reference.train_decoder])
def test_probe_and_decoder_leave_the_encoder_alone(train: Callable[..., object]) -> None:
    encoder = reference.conv_encoder()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    train(encoder, [(torch.rand(8, 1, 28, 28), torch.arange(8))], 2)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_comparison_runs_both_sides_in_turn_and_discards_the_first_round() -> None:
    calls: list[str] = []
    found = compare(
        "name",
        "unit",
        2.0,
        (lambda: calls.append("plain"), 1),
        (lambda: calls.append("ours"), 4),
        rounds=2,
    )
    assert calls == ["plain", "ours", "plain", "ours", "ours", "plain"]
    assert len(found.ratios) == len(found.reference) == len(found.ours) == 2
    assert found.ratios == sorted(found.ratios)
