"""Every complaint names the rule, what was received, and where it can, the remedy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_core._support.checks import (
    check_positive,
    check_table,
    check_unit_interval,
    check_view,
    check_views,
    inference,
)
from bijepa_core.networks import ConvEncoder, MLPEncoder

Normal = Callable[..., Tensor]


@pytest.mark.parametrize("size", [0, -3, float("nan"), float("inf")])
def test_sizes_must_be_positive_and_finite(size: float) -> None:
    with pytest.raises(ValueError, match="steps must be positive and finite") as raised:
        check_positive(hidden=4, steps=size)
    assert f"received {size!r}" in str(raised.value)


def test_positive_sizes_pass() -> None:
    check_positive(hidden=1, learning_rate=1e-9)
    check_positive()


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, float("nan")])
def test_weights_must_lie_between_zero_and_one(value: float) -> None:
    with pytest.raises(ValueError, match=r"tau must lie in \[0, 1\].*The paper uses") as raised:
        check_unit_interval(alpha=0.5, tau=value)
    assert f"received {value!r}" in str(raised.value)


def test_both_ends_of_the_unit_interval_belong_to_it() -> None:
    check_unit_interval(alpha=0, tau=1)


def test_a_table_of_different_shapes_names_both() -> None:
    with pytest.raises(ValueError, match=r"same number of rows.*\(4, 3\) and \(5, 3\)"):
        check_table(torch.zeros(4, 3), torch.zeros(5, 3))


def test_an_empty_table_is_named() -> None:
    with pytest.raises(ValueError, match=r"must not be empty; received shape \(0, 3\)"):
        check_table(torch.zeros(0, 3), torch.zeros(0, 3))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["x", "y"])
def test_values_that_are_not_finite_are_counted(name: str, bad: float) -> None:
    table = {"x": torch.zeros(4, 3), "y": torch.zeros(4, 3)}
    table[name][1, :2] = bad
    with pytest.raises(ValueError, match=f"{name} must be finite; 2 of its 12 .*Drop or impute"):
        check_table(table["x"], table["y"])


def test_a_table_of_tables_has_two_axes_in_common() -> None:
    check_table(torch.zeros(2, 4, 3), torch.zeros(2, 4, 5), axes=2)
    with pytest.raises(ValueError, match=r"number of rows.*\(2, 4, 3\) and \(2, 5, 3\)"):
        check_table(torch.zeros(2, 4, 3), torch.zeros(2, 5, 3), axes=2)


def test_a_sound_table_passes() -> None:
    check_table(torch.zeros(4, 3), torch.ones(4, 5))
    check_table(torch.zeros(4, 3), torch.ones(4, 3))
    check_table(torch.zeros(4, 3, dtype=torch.int64), torch.ones(4, 3, dtype=torch.int64))


MLP, CONV = MLPEncoder(10, 4, 2), ConvEncoder(2)


@pytest.mark.parametrize(
    ("encoder", "shape", "seeds"),
    [
        (MLP, (1, 10), None),
        (MLP, (7, 10), 3),  # shared by all seeds
        (MLP, (3, 7, 10), 3),
        (CONV, (7, 1, 28, 14), None),
        (CONV, (3, 7, 1, 28, 14), 3),
    ],
)
def test_views_that_fit_pass(encoder: nn.Module, shape: tuple[int, ...], seeds: int | None) -> None:
    check_view(encoder, "x", torch.zeros(shape), seeds)


@pytest.mark.parametrize(
    ("encoder", "shape", "seeds", "wanted"),
    [
        (MLP, (10,), None, r"\(batch, \*view\) with view = \(10,\)"),
        (MLP, (), None, r"\(batch, \*view\) with view = \(10,\)"),
        (MLP, (7, 9), None, r"view = \(10,\)"),
        (MLP, (0, 10), None, "batch >= 1"),
        (MLP, (3, 7, 10), None, r"\(batch, \*view\) with"),
        (MLP, (2, 7, 10), 3, r"or \(3, batch, \*view\)"),
        (MLP, (3, 0, 10), 3, "batch >= 1"),
        (MLP, (1, 3, 7, 10), 3, r"or \(3, batch, \*view\)"),
        (CONV, (28, 14), None, r"view = \(1, 28, 14\)"),
        (CONV, (7, 28, 14), None, r"view = \(1, 28, 14\)"),
        (CONV, (7, 1, 28, 28), None, r"view = \(1, 28, 14\)"),
    ],
)
def test_a_view_of_the_wrong_shape_is_named(
    encoder: nn.Module, shape: tuple[int, ...], seeds: int | None, wanted: str
) -> None:
    with pytest.raises(ValueError, match=f"the_view must be .*{wanted}") as raised:
        check_view(encoder, "the_view", torch.zeros(shape), seeds)
    assert f"received {shape}" in str(raised.value)


def test_a_view_of_another_dtype_is_named_with_the_conversion() -> None:
    with pytest.raises(ValueError, match=r"on cpu; received torch\.float64") as raised:
        check_view(MLP, "x", torch.zeros(7, 10).double(), None)
    assert "x.to('cpu', torch.float32)" in str(raised.value)


def test_a_view_on_another_device_is_named() -> None:
    with pytest.raises(ValueError, match=r"received torch\.float32 on meta"):
        check_view(MLP, "x", torch.zeros(7, 10, device="meta"), None)


def test_an_encoder_that_does_not_say_its_shape_takes_any() -> None:
    check_view(nn.Linear(3, 2), "x", torch.zeros(5, 6, 3), None)


@pytest.mark.parametrize(
    "y", [torch.zeros(6, 10), torch.zeros(7, 10).half(), torch.zeros(7, 10, device="meta")]
)
def test_two_views_must_agree(y: Tensor) -> None:
    with pytest.raises(ValueError, match="must agree in shape, dtype and device") as raised:
        check_views(MLP, torch.zeros(7, 10), y, None)
    for part in ("x (7, 10), torch.float32 on cpu", f"y {tuple(y.shape)}, {y.dtype} on {y.device}"):
        assert part in str(raised.value)


def test_two_views_that_agree_must_still_fit_the_encoder() -> None:
    with pytest.raises(ValueError, match=r"view = \(10,\)"):
        check_views(MLP, torch.zeros(7, 9), torch.zeros(7, 9), None)


def test_views_of_two_shapes_are_for_an_encoder_that_takes_both() -> None:
    x, y = torch.zeros(5, 3, 24), torch.zeros(5, 3, 12)
    check_views(nn.Conv1d(3, 2, 5), x, y, None)
    with pytest.raises(ValueError, match=r"agree in batch.*x \(5, 3, 24\).*y \(4, 3, 12\)"):
        check_views(nn.Conv1d(3, 2, 5), x, y[:4], None)
    with pytest.raises(ValueError, match=r"agree in shape.*x \(7, 10\).*y \(7, 9\).*input_shape"):
        check_views(MLP, torch.zeros(7, 10), torch.zeros(7, 9), None)


@pytest.mark.parametrize("shape", [(), (0, 3)])
def test_a_view_without_a_batch_is_named_for_any_encoder(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"x must be \(batch, \*view\) with batch >= 1; received"):
        check_view(nn.Linear(3, 2), "x", torch.zeros(shape), None)


def test_whole_numbers_are_for_an_encoder_that_embeds_them_or_asks_for_them() -> None:
    words = np.zeros((5, 6), np.int64)
    embedding = nn.Sequential(nn.Embedding(7, 3), nn.Flatten())
    assert check_view(embedding, "x", words, None).dtype == torch.int64
    with pytest.raises(ValueError, match=r"float32 on cpu; received torch\.int64"):
        check_view(nn.Linear(6, 2), "x", words, None)
    pictures = nn.Linear(6, 2)
    pictures.input_dtype = torch.uint8  # type: ignore[assignment]
    assert check_view(pictures, "x", words.astype(np.uint8), None).dtype == torch.uint8
    with pytest.raises(ValueError, match=r"uint8 on cpu; received torch\.int64"):
        check_view(pictures, "x", words, None)


def test_an_array_takes_the_encoders_dtype_and_is_copied() -> None:
    given = np.full((5, 3), 1 / 3, np.float32)
    given.flags.writeable = False
    view = check_view(nn.Linear(3, 2), "x", given, None)
    view.zero_()  # an encoder may write into its input; the array is the caller's
    assert given.all()
    exact = check_view(nn.Linear(3, 2).double(), "x", np.full((5, 3), 1 / 3), None)
    assert exact[0, 0].item() == 1 / 3


@pytest.mark.parametrize("training", [True, False])
def test_inference_freezes_and_restores_the_mode(training: bool, normal: Normal) -> None:
    module = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)).double().train(training)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with inference(module):
        assert not any(part.training for part in module.modules())
        assert not module(normal(5, 3)).requires_grad
    assert all(part.training is training for part in module.modules())
    assert torch.is_grad_enabled()
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_inference_restores_the_mode_after_an_error() -> None:
    module = nn.Linear(3, 2)
    with pytest.raises(RuntimeError), inference(module):
        module(torch.zeros(5, 4))
    assert module.training
    assert torch.is_grad_enabled()


def test_what_was_frozen_stays_frozen() -> None:
    module = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout()).train()
    module[0].eval()
    with inference(module):
        assert not any(part.training for part in module.modules())
    assert [part.training for part in module.modules()] == [True, False, True]
