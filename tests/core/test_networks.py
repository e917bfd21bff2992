"""Encoders, predictors and decoder against appendix B.3, built again from torch.nn's own layers."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bijepa_core.networks import ConvEncoder, Decoder, MLPEncoder, MLPPredictor
from bijepa_core.seeds import init_stacked, unstack

Normal = Callable[..., Tensor]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def plain_mlp(inputs: int, hidden: int, embedding: int, layer_norm: bool) -> nn.Sequential:
    norm = [nn.LayerNorm(hidden)] if layer_norm else []
    again = [nn.LayerNorm(hidden)] if layer_norm else []
    return nn.Sequential(
        *[nn.Linear(inputs, hidden), *norm, nn.ReLU()],
        *[nn.Linear(hidden, hidden), *again, nn.ReLU()],
        nn.Linear(hidden, embedding),
    )


def plain_conv(embedding: int, layer_norm: bool) -> nn.Sequential:
    return nn.Sequential(
        *[nn.Conv2d(1, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU()],
        *[nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.ReLU()],
        *[nn.Flatten(), nn.Linear(1792, 128)],
        *[nn.LayerNorm(128)] * layer_norm,
        *[nn.ReLU(), nn.Linear(128, embedding)],
    )


def plain_decoder(embedding: int, pixels: int) -> nn.Sequential:
    return nn.Sequential(
        *[nn.Linear(embedding, 256), nn.BatchNorm1d(256), nn.ReLU()],
        *[nn.Linear(256, 512), nn.BatchNorm1d(512), nn.ReLU()],
        *[nn.Linear(512, pixels), nn.Sigmoid()],
    )


@pytest.mark.parametrize(
    ("encoder", "parameters"),
    [
        (MLPEncoder(10, 64, 16), 6_160),
        (MLPEncoder(10, 64, 16, layer_norm=False), 5_904),
        (MLPEncoder(60, 128, 32), 28_960),
        (MLPEncoder(60, 128, 32, layer_norm=False), 28_448),
        (ConvEncoder(64), 257_024),
        (ConvEncoder(64, layer_norm=False), 256_768),
        (Decoder(), 350_856),
    ],
)
def test_parameter_counts_are_the_papers(encoder: nn.Module, parameters: int) -> None:
    assert count(encoder) == parameters


@pytest.mark.parametrize("layer_norm", [True, False])
def test_mlp_encoder_is_the_network_of_appendix_b3(layer_norm: bool, normal: Normal) -> None:
    ours = MLPEncoder(10, 8, 4, layer_norm).double()
    plain = plain_mlp(10, 8, 4, layer_norm).double()
    for parameter in ours.parameters():
        parameter.data = normal(*parameter.shape)
    plain.load_state_dict(ours.net.state_dict())
    x = normal(5, 10)
    torch.testing.assert_close(ours(x), plain(x))


@pytest.mark.parametrize("layer_norm", [True, False])
def test_conv_encoder_is_the_network_of_appendix_b3(layer_norm: bool, normal: Normal) -> None:
    ours, plain = ConvEncoder(6, layer_norm).double(), plain_conv(6, layer_norm).double()
    plain.load_state_dict(ours.net.state_dict())
    x = normal(3, 1, 28, 14)
    torch.testing.assert_close(ours(x), plain(x))
    torch.testing.assert_close(ours.eval()(x), plain.eval()(x))
    assert isinstance(ours.net[1], nn.BatchNorm2d)  # with and without LayerNorm alike


def test_decoder_is_the_scripts_network(normal: Normal) -> None:
    ours, plain = Decoder(6, 9).double(), plain_decoder(6, 9).double()
    plain.load_state_dict(ours.net.state_dict())
    s = normal(5, 6)
    out = ours(s).detach()
    torch.testing.assert_close(out, plain(s).detach())
    assert 0 < float(out.min()) < float(out.max()) < 1


@pytest.mark.parametrize("layer_norm", [True, False])
def test_the_embeddings_scale_is_free(layer_norm: bool, normal: Normal) -> None:
    """No normalization stands on the output: ten times its weights is ten times the embedding."""
    for encoder, x in (
        (MLPEncoder(10, 8, 4, layer_norm), normal(3, 10).float()),
        (ConvEncoder(4, layer_norm), normal(3, 1, 28, 14).float()),
    ):
        before = encoder(x)
        with torch.no_grad():
            for parameter in encoder.net[-1].parameters():
                parameter.mul_(10)
        torch.testing.assert_close(encoder(x), 10 * before)


def test_layer_norm_forgets_the_scale_of_a_hidden_layer(normal: Normal) -> None:
    """Without biases, a hundredfold input gives the same embedding, or a hundredfold one."""
    x = normal(4, 10)
    for layer_norm, factor in ((True, 1.0), (False, 100.0)):
        encoder = MLPEncoder(10, 8, 4, layer_norm).double()
        with torch.no_grad():
            for name, parameter in encoder.named_parameters():
                if name.endswith("bias"):
                    parameter.zero_()
        torch.testing.assert_close(encoder(100 * x), factor * encoder(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: MLPEncoder(10, 8, 4), (10,)),
        (lambda: ConvEncoder(4), (1, 28, 14)),
        (lambda: Decoder(6, 9), (6,)),
    ],
)
def test_a_seed_axis_gives_what_each_network_gives_alone(
    make: Callable[[], nn.Module], shape: tuple[int, ...], normal: Normal
) -> None:
    together = init_stacked(make, [2, 5, 3]).double()
    alone = [unstack(together, position) for position in range(3)]
    own, shared = normal(3, 4, *shape), normal(4, *shape)
    expected = torch.stack([network(x) for network, x in zip(alone, own, strict=True)])
    torch.testing.assert_close(together(own), expected)
    torch.testing.assert_close(together(shared), torch.stack([n(shared) for n in alone]))


def test_output_shapes(normal: Normal) -> None:
    assert ConvEncoder(64)(normal(2, 1, 28, 14).float()).shape == (2, 64)
    assert Decoder()(normal(2, 64).float()).shape == (2, 392)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (lambda: MLPEncoder(0, 8, 4), "in_dim", 0),
        (lambda: MLPEncoder(10, -8, 4), "hidden_dim", -8),
        (lambda: MLPEncoder(10, 8, 0), "embed_dim", 0),
        (lambda: ConvEncoder(0), "embed_dim", 0),
        (lambda: Decoder(-1), "embed_dim", -1),
        (lambda: Decoder(4, 0), "pixels", 0),
    ],
)
def test_sizes_that_are_not_positive_are_named(
    make: Callable[[], nn.Module], name: str, value: int
) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive.*received {value}"):
        make()


# Predictors


@pytest.mark.parametrize(
    ("predictor", "parameters"),
    [
        (MLPPredictor(16, 64), 2_256),
        (MLPPredictor(16, 64, layer_norm=False), 2_128),
        (MLPPredictor(32, 128), 8_608),
        (MLPPredictor(32, 128, layer_norm=False), 8_352),
        (MLPPredictor(64, 128), 16_832),
        (MLPPredictor(64, 128, layer_norm=False), 16_576),
        (MLPPredictor(16, 64, z_dim=3), 2_448),  # three more inputs of 64 units each
    ],
)
def test_predictors_have_the_papers_parameters(predictor: MLPPredictor, parameters: int) -> None:
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
    predictor = MLPPredictor(4, 8, layer_norm=False, z_dim=2).double()
    first, last = predictor.net[0], predictor.net[-1]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    s, z = normal(5, 4), normal(5, 2)
    hidden = s @ first.weight[:, :4].mT + z @ first.weight[:, 4:].mT + first.bias
    expected = hidden.clamp_min(0) @ last.weight.mT + last.bias
    torch.testing.assert_close(predictor(s, z), expected)


def test_gradients_reach_z(normal: Normal) -> None:
    z = normal(5, 2).requires_grad_(True)
    predictor = MLPPredictor(4, 8, z_dim=2).double()
    (gradient,) = torch.autograd.grad(predictor(normal(5, 4), z).sum(), z)
    assert float(gradient.abs().max()) > 0


def test_a_seed_axis_gives_what_each_predictor_gives_alone(normal: Normal) -> None:
    together = init_stacked(lambda: MLPPredictor(4, 8, z_dim=2), [2, 5, 3]).double()
    s, z = normal(3, 6, 4), normal(3, 6, 2)
    expected = [unstack(together, i)(s[i], z[i]) for i in range(3)]
    torch.testing.assert_close(together(s, z), torch.stack(expected))


@pytest.mark.parametrize(("built", "received"), [(2, 0), (0, 3), (2, 3)])
def test_a_z_that_does_not_fit_is_named(built: int, received: int, normal: Normal) -> None:
    predictor = MLPPredictor(4, 8, z_dim=built).double()
    z = normal(5, received) if received else None
    with pytest.raises(
        ValueError, match=rf"width {built} .*received width\s+{received}\..*z_dim={received}"
    ):
        predictor(normal(5, 4), z)


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"embed_dim": 0, "hidden_dim": 8}, "embed_dim"),
        ({"embed_dim": 4, "hidden_dim": -8}, "hidden_dim"),
        ({"embed_dim": 4, "hidden_dim": 8, "z_dim": -1}, "z_dim"),
    ],
)
def test_improper_sizes_are_named(sizes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must .*received {sizes[name]}"):
        MLPPredictor(**sizes)
