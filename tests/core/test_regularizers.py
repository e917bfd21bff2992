from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from lightly.loss import BarlowTwinsLoss, NTXentLoss, VICRegLoss
from scipy.integrate import quad
from scipy.stats import wasserstein_distance
from torch import Tensor

from bijepa_core import regularizers
from bijepa_core.constraints import RESTRICTIVE, UNCONSTRAINED, Constraint, Penalty
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.regularizers import (
    cosine_distance,
    cross_correlation,
    decorrelation,
    dimension_scale,
    gaussian_shape,
    info_nce,
    scale,
    sigreg,
    unit_deviation,
    unit_variance,
    variance_hinge,
    whitened,
)

Normal = Callable[..., Tensor]
ALL = (
    scale,
    dimension_scale,
    unit_variance,
    decorrelation,
    variance_hinge,
    unit_deviation,
    gaussian_shape,
    sigreg,
)


@pytest.mark.parametrize("penalty", ALL)
def test_seeds_are_penalized_apart_and_gradients_are_finite(
    penalty: Callable[[Tensor], Tensor], normal: Normal
) -> None:
    s = (0.5 * normal(2, 50, 4)).requires_grad_(True)
    torch.manual_seed(0)
    both = penalty(s)
    assert both.shape == (2,)
    for one, value in zip(s, both, strict=True):
        torch.manual_seed(0)  # the same directions
        torch.testing.assert_close(penalty(one), value)
    both.sum().backward()
    assert s.grad is not None
    assert s.grad.isfinite().all()
    assert (s.grad != 0).any()


@pytest.mark.parametrize("penalty", [unit_deviation, variance_hinge])
def test_these_push_apart_what_has_collapsed(
    penalty: Callable[[Tensor], Tensor], normal: Normal
) -> None:
    s = (1e-3 * normal(50, 4)).requires_grad_(True)
    penalty(s).backward()
    pushed = s.detach() - s.grad  # type: ignore[operator]
    assert (pushed.var(0) > 2 * s.var(0)).all()


def test_a_white_batch_is_as_it_should_be(normal: Normal) -> None:
    s = normal(200, 4)
    values, vectors = torch.linalg.eigh(s.T.cov())
    white = (s - s.mean(0)) @ vectors / values.sqrt()
    for penalty in (unit_variance, decorrelation, variance_hinge, unit_deviation):
        assert penalty(white) < 1e-8, penalty.__name__
    longer = white * (200 / 199) ** 0.5  # the mean square has the population's divisor
    for penalty in (scale, dimension_scale):
        assert penalty(longer) < 1e-8, penalty.__name__


def test_the_two_parts_make_the_distance_of_the_covariance_from_the_identity(
    normal: Normal,
) -> None:
    s = normal(30, 5) @ normal(5, 5)
    whole = ((np.cov(s.numpy().T) - np.eye(5)) ** 2).sum() / 5
    assert float(unit_variance(s) + decorrelation(s)) == pytest.approx(whole)


def test_the_mean_moves_the_scale_and_not_the_covariance(normal: Normal) -> None:
    s = normal(40, 3)
    assert scale(s + 2) > scale(s) + 1
    for penalty in (unit_variance, decorrelation):
        torch.testing.assert_close(penalty(s + 2), penalty(s))


def one_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look along the first axis alone."""
    monkeypatch.setattr(
        regularizers, "_directions", lambda s: torch.eye(s.shape[-1], 1, dtype=s.dtype)
    )


def test_sigreg_is_the_integral_that_it_stands_for(
    monkeypatch: pytest.MonkeyPatch, normal: Normal
) -> None:
    one_direction(monkeypatch)
    s = 0.5 + 1.5 * normal(20, 2)

    def missed(t: float) -> float:
        found = np.exp(1j * t * s[:, 0].numpy()).mean()
        return float(abs(found - np.exp(-(t**2) / 2)) ** 2 * np.exp(-(t**2) / 2))

    assert float(sigreg(s)) == pytest.approx(quad(missed, -5, 5)[0], rel=1e-3)


def test_the_shape_is_a_distance_of_distributions_and_knows_no_scale(
    monkeypatch: pytest.MonkeyPatch, normal: Normal
) -> None:
    one_direction(monkeypatch)
    flat = torch.linspace(-1, 1, 2001, dtype=torch.float64)[:, None]
    torch.testing.assert_close(
        gaussian_shape(flat), gaussian_shape(9 * flat + 3), rtol=1e-3, atol=0
    )
    round_ = torch.special.ndtri((torch.arange(2001).double() + 0.5) / 2001)[:, None]
    assert gaussian_shape(round_) < 1e-5
    # Jensen: the mean square of what is moved is at least the squared mean
    bound = wasserstein_distance((flat / flat.std())[:, 0].numpy(), round_[:, 0].numpy()) ** 2
    assert bound < float(gaussian_shape(flat)) < 4 * bound


def test_penalties_join_the_loss_by_their_weights(normal: Normal) -> None:
    x, y = normal(8, 10).float(), normal(8, 10).float()
    penalties = (Penalty(0.5, scale), Penalty(2.0, decorrelation))
    plain = SINE.model(Configuration(UNCONSTRAINED), 0)
    held = SINE.model(Configuration(Constraint(False, 0.0, penalties=penalties)), 0)
    added = held(x, y).total - plain(x, y).total
    wanted = sum(0.5 * scale(s) + 2 * decorrelation(s) for s in (plain.online(x), plain.online(y)))
    torch.testing.assert_close(added, wanted / 2)


def test_classic_penalizes_the_context_alone(normal: Normal) -> None:
    x, y = normal(8, 10).float(), normal(8, 10).float()
    constraint = Constraint(False, 0.0, penalties=(Penalty(1.0, scale),))
    model = SINE.model(Configuration(constraint, alpha=1.0), 0)
    losses = model(x, y)
    assert losses.forward is not None
    torch.testing.assert_close(losses.total - losses.forward.loss, scale(model.online(x)))


def to_the_power(s: Tensor, exponent: int) -> Tensor:
    return s.abs().pow(exponent).mean((-2, -1))


def test_a_penalty_is_kept_as_plain_data_and_told_apart() -> None:
    held = Constraint(penalties=(Penalty(0.1, scale),))
    assert held.plain()["penalties"] == {"scale": 0.1}
    assert "penalties" not in Constraint().plain()
    assert held != Constraint(penalties=(Penalty(0.2, scale),))
    with pytest.raises(ValueError, match="weight must be positive"):
        Penalty(-1.0, scale)
    with pytest.raises(ValueError, match="differ in name; received scale, scale"):
        Constraint(penalties=(Penalty(0.1, scale), Penalty(0.2, scale)))
    with pytest.raises(ValueError, match=r"must have a name.*Define it with def"):
        Penalty(0.1, lambda s: s.mean((-2, -1)))
    named = Penalty(0.1, partial(to_the_power, exponent=4))
    assert Constraint(penalties=(named,)).plain()["penalties"] == {"to_the_power(exponent=4)": 0.1}
    with pytest.raises(TypeError, match="tuple of Penalty"):
        Constraint(penalties=(scale,))  # type: ignore[arg-type]


def test_variance_and_covariance_are_those_of_lightly(normal: Normal) -> None:
    a, b = normal(2, 12, 5), normal(2, 12, 5)
    ours = (
        25 * (a - b).square().mean((-2, -1))
        + 25 * (variance_hinge(a) + variance_hinge(b)) / 2
        + decorrelation(a)
        + decorrelation(b)
    )
    wanted = torch.stack([VICRegLoss()(*pair) for pair in zip(a, b, strict=True)])
    torch.testing.assert_close(ours, wanted, rtol=1e-5, atol=0)


def test_losses_of_two_views_are_those_of_lightly(normal: Normal) -> None:
    a, b = normal(2, 12, 5), normal(2, 12, 5)
    ours = [info_nce(a, b, 0.2), cross_correlation(a, b, 0.01)]
    theirs = [NTXentLoss(0.2), BarlowTwinsLoss(0.01)]
    for mine, loss in zip(ours, theirs, strict=True):
        wanted = torch.stack([loss(*pair) for pair in zip(a, b, strict=True)])
        torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=0)


def test_the_distance_on_the_sphere_is_that_of_the_projections(normal: Normal) -> None:
    a, b = normal(2, 7, 3), normal(2, 7, 3)
    apart = (RESTRICTIVE.project(a) - RESTRICTIVE.project(b)).square().sum(-1).mean(-1)
    torch.testing.assert_close(cosine_distance(a, b), apart)


def test_a_whitened_batch_has_the_identity_for_its_covariance(normal: Normal) -> None:
    mixing = torch.diag(torch.tensor([3.0, 1.0, 0.3, 2.0]).double()) @ normal(4, 4)
    s = normal(2, 200, 4) @ mixing + 5
    white = whitened(s)
    torch.testing.assert_close(white.mean(-2), torch.zeros(2, 4).double())
    covariance = white.mT @ white / 200
    torch.testing.assert_close(covariance, torch.eye(4).double().expand(2, 4, 4), rtol=0, atol=0.02)
    # ZCA: of all such moves the least, so that the map itself is symmetric
    centered = s - s.mean(-2, keepdim=True)
    mapped = torch.linalg.lstsq(centered, white).solution
    torch.testing.assert_close(mapped, mapped.mT, rtol=1e-6, atol=1e-9)


def test_a_batch_that_does_not_vary_stays_finite() -> None:
    assert whitened(torch.ones(3, 8, 4)).abs().max() == 0
    few = whitened(torch.randn(2, 3, 8))  # fewer samples than dimensions
    assert few.isfinite().all()
