from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bijepa_core.networks import MLPPredictor
from bijepa_core.seeds import build, take

Normal = Callable[..., Tensor]


@pytest.mark.parametrize(
    ("predictor", "parameters"),
    [
        (MLPPredictor(16, 64), 2_256),
        (MLPPredictor(16, 64, layer_norm=False), 2_128),
        (MLPPredictor(32, 128), 8_608),
        (MLPPredictor(32, 128, layer_norm=False), 8_352),
        (MLPPredictor(64, 128), 16_832),
        (MLPPredictor(64, 128, layer_norm=False), 16_576),
        (MLPPredictor(16, 64, z_size=3), 2_448),  # three more inputs of 64 units each
    ],
)
def test_parameter_counts_are_the_papers(predictor: MLPPredictor, parameters: int) -> None:
    assert sum(p.numel() for p in predictor.parameters()) == parameters


@pytest.mark.parametrize("layer_norm", [True, False])
def test_it_is_the_network_of_appendix_b3(layer_norm: bool, normal: Normal) -> None:
    ours = MLPPredictor(4, 8, layer_norm).double()
    for parameter in ours.parameters():
        parameter.data = normal(*parameter.shape)
    plain = nn.Sequential(
        nn.Linear(4, 8), *[nn.LayerNorm(8)] * layer_norm, nn.ReLU(), nn.Linear(8, 4)
    ).double()
    plain.load_state_dict(ours.net.state_dict())
    s = normal(5, 4)
    torch.testing.assert_close(ours(s), plain(s))


def test_z_enters_beside_the_embedding(normal: Normal) -> None:
    """Eq. 3: the hidden layer sees W_s s + W_z z + b."""
    predictor = MLPPredictor(4, 8, layer_norm=False, z_size=2).double()
    first, last = predictor.net[0], predictor.net[-1]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    s, z = normal(5, 4), normal(5, 2)
    hidden = s @ first.weight[:, :4].mT + z @ first.weight[:, 4:].mT + first.bias
    expected = hidden.clamp_min(0) @ last.weight.mT + last.bias
    torch.testing.assert_close(predictor(s, z), expected)


def test_gradients_reach_z(normal: Normal) -> None:
    z = normal(5, 2).requires_grad_(True)
    predictor = MLPPredictor(4, 8, z_size=2).double()
    (gradient,) = torch.autograd.grad(predictor(normal(5, 4), z).sum(), z)
    assert float(gradient.abs().max()) > 0


def test_a_seed_axis_gives_what_each_predictor_gives_alone(normal: Normal) -> None:
    together = build(lambda: MLPPredictor(4, 8, z_size=2), [2, 5, 3]).double()
    s, z = normal(3, 6, 4), normal(3, 6, 2)
    expected = [take(together, i)(s[i], z[i]) for i in range(3)]
    torch.testing.assert_close(together(s, z), torch.stack(expected))


@pytest.mark.parametrize(("built", "received"), [(2, 0), (0, 3), (2, 3)])
def test_a_z_that_does_not_fit_is_named(built: int, received: int, normal: Normal) -> None:
    predictor = MLPPredictor(4, 8, z_size=built).double()
    z = normal(5, received) if received else None
    with pytest.raises(
        ValueError, match=rf"width {built} .*received width\s+{received}\..*z_size={received}"
    ):
        predictor(normal(5, 4), z)


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"embedding": 0, "hidden": 8}, "embedding"),
        ({"embedding": 4, "hidden": -8}, "hidden"),
        ({"embedding": 4, "hidden": 8, "z_size": -1}, "z_size"),
    ],
)
def test_improper_sizes_are_named(sizes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must .*received {sizes[name]}"):
        MLPPredictor(**sizes)
