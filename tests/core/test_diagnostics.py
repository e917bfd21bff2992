"""Diagnostics against closed forms."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from bijepa_core.constraints import RESTRICTIVE
from bijepa_core.diagnostics import (
    effective_rank,
    inconsistency,
    loop_spectrum,
    norm,
    relative_loss,
    variance,
    varying_share,
)
from bijepa_core.experiments import Configuration, Experiment
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA, Term
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.seeds import init_stacked, unstack

Normal = Callable[..., Tensor]


def one(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_norm_is_the_length_of_each_embedding() -> None:
    embedding = torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[5.0, 12.0], [-8.0, 6.0]]])
    assert norm(embedding).tolist() == [[5.0, 0.0], [13.0, 10.0]]


def test_variance_is_over_the_batch_and_averaged_over_dimensions(normal: Normal) -> None:
    embedding = torch.tensor([[1.0, 0.0], [3.0, 0.0], [1.0, 4.0], [3.0, 4.0]])
    assert float(variance(embedding)) == 2.5  # (1 + 4) / 2
    assert float(variance(embedding + 7)) == 2.5
    assert float(variance(torch.full((5, 3), 2.0))) == 0
    many = normal(3, 50, 4)
    expected = torch.from_numpy(many.numpy().var(axis=1).mean(axis=-1))
    torch.testing.assert_close(variance(many), expected)


# Effective rank


def orthonormal(normal: Normal, rows: int, columns: int) -> Tensor:
    basis: Tensor = torch.linalg.qr(normal(rows, columns))[0]
    return basis


def test_an_array_is_read_as_its_tensor(normal: Normal) -> None:
    s = normal(6, 3).float()
    for function in (norm, variance, varying_share, effective_rank):
        assert torch.equal(function(s.numpy()), function(s))
    with pytest.raises(TypeError, match="embedding must be a tensor or an array; received list"):
        variance([1.0])  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_an_isotropic_embedding_has_full_rank(scale: float, normal: Normal) -> None:
    torch.testing.assert_close(effective_rank(scale * orthonormal(normal, 50, 6)), one(6.0))
    torch.testing.assert_close(effective_rank(scale * orthonormal(normal, 50, 4).mT), one(4.0))


def test_embeddings_on_one_line_have_rank_one(normal: Normal) -> None:
    line = normal(50, 1) * normal(6)
    torch.testing.assert_close(effective_rank(line), one(1.0), rtol=1e-5, atol=0.0)
    assert float(effective_rank(torch.zeros(5, 3))) == 1.0


def test_unequal_directions_count_by_their_entropy(normal: Normal) -> None:
    """Singular values 2, 1, 1: shares 1/2, 1/4, 1/4, entropy 1.5 bits, rank 2 ** 1.5."""
    values = torch.tensor([2.0, 1.0, 1.0]).double()
    embedding = orthonormal(normal, 40, 3) * values @ orthonormal(normal, 3, 3)
    torch.testing.assert_close(effective_rank(embedding), one(2**1.5))


def test_the_mean_counts_as_a_direction(normal: Normal) -> None:
    """As in the source, embeddings are not centered: a far-off mean hides the rest."""
    assert float(effective_rank(normal(50, 6) + 1e4)) < 1.01


def test_effective_rank_is_taken_seed_by_seed_in_the_embeddings_type(normal: Normal) -> None:
    many = normal(3, 20, 4)
    expected = torch.stack([effective_rank(each) for each in many])
    torch.testing.assert_close(effective_rank(many), expected)
    assert effective_rank(many.float()).dtype == torch.float32


def test_effective_rank_of_an_embedding_that_exploded_is_nan(normal: Normal) -> None:
    many = normal(3, 20, 4)
    many[1, 2, 3] = math.nan
    many[2, 0, 0] = math.inf
    ranks = effective_rank(many)
    torch.testing.assert_close(ranks[0], effective_rank(many[0]))
    assert ranks[1:].isnan().all()


# Relative loss


def mean_predictor(target: Tensor) -> Term:
    """What a predictor gets that knows the mean of the target's batch and nothing else."""
    mean = target.mean(-2, keepdim=True)
    return Term((mean - target).square().mean((-2, -1)), target, target)


def test_a_predictor_that_knows_only_the_mean_has_relative_loss_one(normal: Normal) -> None:
    target = normal(3, 40, 5) * torch.tensor([0.1, 1.0, 30.0])[:, None, None] + 7
    torch.testing.assert_close(relative_loss([mean_predictor(target)]), torch.ones(3).double())


def test_relative_loss_averages_the_directions_in_use(normal: Normal) -> None:
    target = normal(40, 5)
    worst = mean_predictor(target)
    half, none = worst._replace(loss=worst.loss / 2), worst._replace(loss=worst.loss * 0)
    torch.testing.assert_close(relative_loss([worst, half]), one(0.75))
    torch.testing.assert_close(relative_loss([none, none]), one(0.0))


@pytest.mark.parametrize("loss", [0.0, 1e-14, 0.3])
def test_relative_loss_of_a_collapsed_target_says_that_nothing_is_explained(loss: float) -> None:
    """Neither 0, which would be perfect, nor 1e37: a constant has no variance to explain."""
    noise = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    for collapsed in (torch.zeros(6, 3), torch.ones(6, 3), 0.1 + 1e-8 * noise):
        assert float(relative_loss([Term(torch.tensor(loss), collapsed, collapsed)])) == 1
        assert float(varying_share(collapsed)) < 1e-12
        assert float(effective_rank(collapsed)) < 1.001
    assert relative_loss([Term(torch.tensor(torch.nan), collapsed, collapsed)]).isnan()


def test_the_varying_share_is_the_variance_without_the_scale(normal: Normal) -> None:
    s = normal(3, 40, 5) + torch.tensor([0.0, 1.0, 10.0])[:, None, None]
    expected = s.var((-2), correction=0).sum(-1) / s.square().sum(-1).mean(-1)
    for scale in (1e-3, 1.0, 1e3):
        torch.testing.assert_close(varying_share(scale * s), expected)


def test_relative_loss_ignores_the_scale_of_embeddings(small: Experiment, normal: Normal) -> None:
    """Embeddings and predictions a hundred times as large: loss times 10,000, ratio the same."""
    model = small.model(Configuration(), 0).double()
    x, y = normal(6, 10), normal(6, 10)
    before = model(x, y)
    for network in (model.online, model.target, model.forward_predictor, model.backward_predictor):
        with torch.no_grad():
            for parameter in network.net[-1].parameters():  # type: ignore[union-attr, index]
                parameter.mul_(100)
    for predictor in (model.forward_predictor, model.backward_predictor):
        with torch.no_grad():
            predictor.net[0].weight.div_(100)  # type: ignore[union-attr, index]
    after = model(x, y)
    torch.testing.assert_close(after.total, 1e4 * before.total)
    ratios = [relative_loss([losses.forward, losses.backward]) for losses in (before, after)]
    torch.testing.assert_close(ratios[0], ratios[1])


# The loop there and back


def linear_loop(forward: Tensor, backward: Tensor, sphere: bool = False) -> BiJEPA:
    """A model whose predictors are the given matrices, ``(*seeds, 4, 4)``."""
    constraint = RESTRICTIVE if sphere else Configuration().constraint
    seeds = 0 if forward.ndim == 2 else range(len(forward))
    model = init_stacked(
        lambda: BiJEPA(MLPEncoder(10, 8, 4), lambda: Linear(4, 4), constraint=constraint), seeds
    ).double()
    for predictor, matrix in (
        (model.forward_predictor, forward),
        (model.backward_predictor, backward),
    ):
        assert isinstance(predictor, Linear)
        predictor.weight.data = matrix.clone()
    return model


def sorted_eigenvalues(matrix: Tensor) -> Tensor:
    values = np.linalg.eigvals(matrix.numpy()).astype(np.complex128)
    return torch.from_numpy(values[np.argsort(-np.abs(values))])


def assert_same_spectrum(ours: Tensor, theirs: Tensor) -> None:
    """Conjugate pairs have one modulus: their order is open."""
    torch.testing.assert_close(ours.abs(), theirs.abs())
    torch.testing.assert_close(ours.real, theirs.real)
    torch.testing.assert_close(ours.imag.abs(), theirs.imag.abs())


def test_the_spectrum_of_linear_predictors_is_that_of_their_product(normal: Normal) -> None:
    forward, backward = normal(4, 4), normal(4, 4)
    values = loop_spectrum(linear_loop(forward, backward), normal(5, 10))
    assert values.shape == (5, 4)
    expected = sorted_eigenvalues(backward @ forward)
    assert float(expected.imag.abs().max()) > 0.01  # the case has complex ones
    for at_one_sample in values:
        assert_same_spectrum(at_one_sample, expected)


def test_the_spectrum_is_taken_seed_by_seed(normal: Normal) -> None:
    forward, backward = normal(3, 4, 4), normal(3, 4, 4)
    values = loop_spectrum(linear_loop(forward, backward), normal(3, 5, 10))
    assert values.shape == (3, 5, 4)
    for seed in range(3):
        assert_same_spectrum(values[seed, 0], sorted_eigenvalues(backward[seed] @ forward[seed]))


@pytest.mark.parametrize("sphere", [True, False])
def test_the_spectrum_of_trained_shapes_is_that_of_the_jacobian(
    sphere: bool, small: Experiment, normal: Normal
) -> None:
    constraint = RESTRICTIVE if sphere else Configuration().constraint
    model = small.model(Configuration(constraint), 0).double()
    x = normal(5, 10)
    values = loop_spectrum(model, x)
    forward, backward = model.forward_predictor, model.backward_predictor
    assert forward is not None
    assert backward is not None
    jacobians = vmap(jacrev(lambda s: backward(forward(s))))(model.embed(x))
    assert not torch.allclose(jacobians[0], jacobians[1])
    for ours, jacobian in zip(values, jacobians.detach(), strict=True):
        assert_same_spectrum(ours, sorted_eigenvalues(jacobian))


def test_the_spectrum_leaves_the_model_alone(small: Experiment, normal: Normal) -> None:
    model = small.model(Configuration(), range(2)).double()
    loop_spectrum(model, normal(5, 10))
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_predictors_that_undo_each_other_are_consistent(normal: Normal) -> None:
    forward = normal(4, 4)
    model = linear_loop(forward, torch.linalg.inv(forward))
    for predictor in (model.forward_predictor, model.backward_predictor):
        torch.nn.init.zeros_(predictor.bias)  # type: ignore[union-attr, arg-type]
    assert float(inconsistency(model, normal(5, 10)).max()) < 1e-20
    torch.testing.assert_close(loop_spectrum(model, normal(5, 10)).real, torch.ones(5, 4).double())


@pytest.mark.parametrize("sphere", [True, False])
def test_inconsistency_is_the_squared_miss_over_the_squared_norm(
    sphere: bool, normal: Normal
) -> None:
    """There and back by a factor 1.3 misses by 0.3 of the length, whatever the length."""
    identity = torch.eye(4).double().expand(2, 4, 4)
    model = linear_loop(identity, 1.3 * identity, sphere)
    for predictor in (model.forward_predictor, model.backward_predictor):
        torch.nn.init.zeros_(predictor.bias)  # type: ignore[union-attr, arg-type]
    expected = torch.full((2, 5), 0.09).double()
    torch.testing.assert_close(inconsistency(model, normal(2, 5, 10)), expected)


def test_inconsistency_of_a_seed_is_the_same_alone(small: Experiment, normal: Normal) -> None:
    together = small.model(Configuration(), [2, 5]).double()
    x = normal(2, 5, 10)
    expected = [inconsistency(unstack(together, i), x[i]) for i in range(2)]
    values = inconsistency(together, x)
    torch.testing.assert_close(values, torch.stack(expected))
    assert together.training
    assert not values.requires_grad


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("diagnostic", [loop_spectrum, inconsistency])
def test_a_loop_needs_both_predictors(
    diagnostic: Callable[[BiJEPA, Tensor], Tensor], alpha: float, normal: Normal
) -> None:
    model = BiJEPA(MLPEncoder(10, 8, 4), partial(MLPPredictor, 4, 8), alpha=alpha).double()
    message = f"both predictors; alpha = {alpha:g} leaves one out.*strictly between 0 and 1"
    with pytest.raises(ValueError, match=message):
        diagnostic(model, normal(5, 10))


@pytest.mark.parametrize("diagnostic", [loop_spectrum, inconsistency])
def test_a_view_that_does_not_fit_is_named(
    diagnostic: Callable[[BiJEPA, Tensor], Tensor], small: Experiment, normal: Normal
) -> None:
    model: nn.Module = small.model(Configuration(), 0).double()
    assert isinstance(model, BiJEPA)
    with pytest.raises(ValueError, match=r"view = \(10,\).*received \(5, 9\)"):
        diagnostic(model, normal(5, 9))


def test_a_loop_that_has_exploded_has_no_spectrum_and_crashes_nothing(small: Experiment) -> None:
    model = small.model(Configuration(), (0, 1))
    with torch.no_grad():
        next(model.forward_predictor.parameters())[0] = float("nan")  # type: ignore[union-attr]
    spectrum = loop_spectrum(model, torch.ones(2, 3, 10))
    assert bool(spectrum[0].isnan().all())
    assert bool(torch.isfinite(spectrum[1]).all())
