"""A layer with a seed axis must be many plain torch.nn layers, one beside the other."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bijepa_core import layers
from bijepa_core.seeds import stack

SEEDS = 3
Normal = Callable[..., Tensor]
Make = Callable[[], nn.Module]

# ours, the layer of the same name in torch.nn, and the shape of one sample
PAIRS: dict[str, tuple[Make, Make, tuple[int, ...]]] = {
    "linear": (lambda: layers.Linear(4, 2), lambda: nn.Linear(4, 2), (4,)),
    "linear without bias": (
        lambda: layers.Linear(4, 2, bias=False),
        lambda: nn.Linear(4, 2, bias=False),
        (4,),
    ),
    "layer norm": (lambda: layers.LayerNorm(5), lambda: nn.LayerNorm(5), (5,)),
    "convolution": (
        lambda: layers.Conv2d(2, 3, 3, stride=2, padding=1),
        lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1),
        (2, 7, 5),
    ),
    "dilated convolution without bias": (
        lambda: layers.Conv2d(2, 4, (3, 2), dilation=2, bias=False),
        lambda: nn.Conv2d(2, 4, (3, 2), dilation=2, bias=False),
        (2, 8, 6),
    ),
    "grouped convolution": (
        lambda: layers.Conv2d(4, 6, 3, groups=2),
        lambda: nn.Conv2d(4, 6, 3, groups=2),
        (4, 6, 5),
    ),
    "convolution of series": (
        lambda: layers.Conv1d(2, 3, 5, stride=2, padding=2),
        lambda: nn.Conv1d(2, 3, 5, stride=2, padding=2),
        (2, 9),
    ),
    "circular grouped convolution of series": (
        lambda: layers.Conv1d(2, 4, 3, padding="same", groups=2, padding_mode="circular"),
        lambda: nn.Conv1d(2, 4, 3, padding="same", groups=2, padding_mode="circular"),
        (2, 7),
    ),
    "layer norm without shift": (
        lambda: layers.LayerNorm(5, bias=False),
        lambda: nn.LayerNorm(5, bias=False),
        (5,),
    ),
    "batch norm of vectors": (lambda: layers.BatchNorm1d(5), lambda: nn.BatchNorm1d(5), (5,)),
    "batch norm of images": (lambda: layers.BatchNorm2d(3), lambda: nn.BatchNorm2d(3), (3, 4, 2)),
}
NORMS = ["batch norm of vectors", "batch norm of images"]
each_layer = pytest.mark.parametrize("kind", PAIRS)


def plain_and_stacked(kind: str, normal: Normal) -> tuple[list[nn.Module], nn.Module]:
    """Plain layers with parameters of their own, and ours that holds the same ones stacked."""
    return both(*PAIRS[kind][:2], normal)


def both(make_ours: Make, make_plain: Make, normal: Normal) -> tuple[list[nn.Module], nn.Module]:
    """As :func:`plain_and_stacked`, of layers that are given."""
    plain = [make_plain().double() for _ in range(SEEDS)]
    ours = [make_ours().double() for _ in range(SEEDS)]
    for one, other in zip(plain, ours, strict=True):
        for parameter in one.parameters():
            parameter.data = normal(*parameter.shape)
        other.load_state_dict(one.state_dict())
    return plain, stack(ours)


@each_layer
def test_without_a_seed_axis_a_layer_is_the_plain_one(kind: str, normal: Normal) -> None:
    make_ours, make_plain, sample = PAIRS[kind]
    ours, plain = make_ours().double(), make_plain().double()
    ours.load_state_dict(plain.state_dict())
    x = normal(6, *sample)
    assert torch.equal(ours(x), plain(x))


@each_layer
def test_outputs_and_gradients_equal_those_of_plain_layers(kind: str, normal: Normal) -> None:
    plain, stacked = plain_and_stacked(kind, normal)
    x = normal(SEEDS, 6, *PAIRS[kind][2]).requires_grad_(True)
    out = stacked(x)
    expected = torch.stack([layer(one) for layer, one in zip(plain, x, strict=True)])
    torch.testing.assert_close(out, expected)

    weights = normal(*out.shape)
    ours = torch.autograd.grad((out * weights).sum(), [x, *stacked.parameters()])
    theirs = torch.autograd.grad(
        (expected * weights).sum(), [x, *(p for layer in plain for p in layer.parameters())]
    )
    torch.testing.assert_close(ours[0], theirs[0])
    count = len(ours) - 1
    for i in range(count):
        torch.testing.assert_close(ours[1 + i], torch.stack(theirs[1 + i :: count]))


@each_layer
def test_an_input_without_the_seed_axis_is_shared(kind: str, normal: Normal) -> None:
    plain, stacked = plain_and_stacked(kind, normal)
    x = normal(6, *PAIRS[kind][2])
    torch.testing.assert_close(stacked(x), torch.stack([layer(x) for layer in plain]))


@pytest.mark.parametrize("kind", NORMS)
def test_running_statistics_are_those_of_plain_layers(kind: str, normal: Normal) -> None:
    plain, stacked = plain_and_stacked(kind, normal)
    for _ in range(3):
        x = 2 * normal(SEEDS, 6, *PAIRS[kind][2]) + 1
        stacked(x)
        for layer, one in zip(plain, x, strict=True):
            layer(one)
    ours = dict(stacked.named_buffers())
    assert ours.keys() == {"running_mean", "running_var", "num_batches_tracked"}
    for name, value in ours.items():
        theirs = torch.stack([layer.get_buffer(name) for layer in plain])
        torch.testing.assert_close(value, theirs)


@pytest.mark.parametrize("kind", NORMS)
def test_evaluation_uses_running_statistics_and_leaves_them(kind: str, normal: Normal) -> None:
    plain, stacked = plain_and_stacked(kind, normal)
    x = 2 * normal(SEEDS, 6, *PAIRS[kind][2]) + 1
    stacked(x)
    for layer, one in zip(plain, x, strict=True):
        layer(one)
        layer.eval()
    stacked.eval()
    before = {name: value.clone() for name, value in stacked.named_buffers()}
    y = normal(SEEDS, 2, *PAIRS[kind][2])
    expected = torch.stack([layer(one) for layer, one in zip(plain, y, strict=True)])
    torch.testing.assert_close(stacked(y), expected)
    assert all(torch.equal(value, before[name]) for name, value in stacked.named_buffers())


class SelfAttention(nn.Module):
    """What an encoder makes of an attention layer."""

    def __init__(self, layer: nn.Module, **options: Tensor) -> None:
        super().__init__()
        self.layer, self.options = layer, options

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x, x, x, need_weights=False, **self.options)[0]
        return out


CAUSAL = torch.ones(5, 5).triu(1).bool()
SEQUENCES: dict[str, tuple[Make, Make]] = {
    "linear": (lambda: layers.Linear(4, 4), lambda: nn.Linear(4, 4)),
    "layer norm": (lambda: layers.LayerNorm(4), lambda: nn.LayerNorm(4)),
    "layer norm of two axes": (lambda: layers.LayerNorm([5, 4]), lambda: nn.LayerNorm([5, 4])),
    "attention": (
        lambda: SelfAttention(layers.MultiheadAttention(4, 2, batch_first=True)),
        lambda: SelfAttention(nn.MultiheadAttention(4, 2, batch_first=True)),
    ),
    "causal attention without bias": (
        lambda: SelfAttention(
            layers.MultiheadAttention(4, 2, batch_first=True, bias=False), attn_mask=CAUSAL
        ),
        lambda: SelfAttention(
            nn.MultiheadAttention(4, 2, batch_first=True, bias=False), attn_mask=CAUSAL
        ),
    ),
}


@pytest.mark.parametrize("kind", SEQUENCES)
def test_sequences_are_treated_seed_by_seed(kind: str, normal: Normal) -> None:
    plain, stacked = both(*SEQUENCES[kind], normal)
    x = normal(SEEDS, 6, 5, 4).requires_grad_(True)
    out = stacked(x)
    expected = torch.stack([layer(one) for layer, one in zip(plain, x, strict=True)])
    torch.testing.assert_close(out, expected)
    parameters = [*stacked.parameters()]
    ours = torch.autograd.grad(out.square().sum(), parameters)
    theirs = torch.autograd.grad(
        expected.square().sum(), [p for layer in plain for p in layer.parameters()]
    )
    for i, gradient in enumerate(ours):
        torch.testing.assert_close(gradient, torch.stack(theirs[i :: len(ours)]))


def test_attention_with_a_seed_axis_says_what_it_cannot(normal: Normal) -> None:
    _, stacked = both(*SEQUENCES["attention"], normal)
    assert isinstance(stacked, SelfAttention)
    x = normal(SEEDS, 6, 5, 4)
    with pytest.raises(ValueError, match=r"call it with need_weights=False; received \{\}"):
        stacked.layer(x, x, x)


def test_an_embedding_of_whole_numbers_has_a_table_for_each_seed(normal: Normal) -> None:
    plain, stacked = both(lambda: layers.Embedding(9, 4), lambda: nn.Embedding(9, 4), normal)
    tokens = torch.arange(SEEDS * 6 * 5).reshape(SEEDS, 6, 5) % 9
    expected = torch.stack([layer(one) for layer, one in zip(plain, tokens, strict=True)])
    assert torch.equal(stacked(tokens), expected)
    shared = torch.stack([layer(tokens[0]) for layer in plain])
    assert torch.equal(stacked(tokens[0]), shared)


def test_pooling_takes_a_seed_axis_in_front(normal: Normal) -> None:
    for pool, sample in (
        (layers.MaxPool1d(2), (3, 8)),
        (layers.MaxPool2d(2, stride=1), (3, 4, 5)),
        (layers.AdaptiveAvgPool1d(1), (3, 8)),
        (layers.AdaptiveAvgPool2d((2, 1)), (3, 4, 5)),
    ):
        x = normal(SEEDS, 6, *sample)
        theirs = getattr(nn, type(pool).__name__).forward
        expected = torch.stack([theirs(pool, one) for one in x])
        assert torch.equal(pool(x), expected)
        assert torch.equal(pool(x[0]), expected[0])


def test_one_seed_cannot_reach_another(normal: Normal) -> None:
    """Changing one seed's input changes that seed's output alone."""
    for kind, (_, _, sample) in PAIRS.items():
        _, stacked = plain_and_stacked(kind, normal)
        x = normal(SEEDS, 6, *sample)
        before = stacked(x)
        x[1] += 1 + normal(6, *sample)
        changed = (stacked(x) != before).flatten(1).any(1)
        assert changed.tolist() == [False, True, False], kind


def test_folding_seeds_into_channels_is_undone_without_a_copy(normal: Normal) -> None:
    folded = normal(6, SEEDS * 2, 4, 3)
    unfolded = layers.channels_into_seeds(folded, SEEDS)
    assert unfolded.shape == (SEEDS, 6, 2, 4, 3)
    torch.testing.assert_close(unfolded[1, 5, 0], folded[5, 2])
    again = layers.seeds_into_channels(unfolded)
    assert torch.equal(again, folded)
    assert again.data_ptr() == folded.data_ptr()
