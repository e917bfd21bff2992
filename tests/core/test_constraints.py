from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from torch import Tensor

from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.regularizers import whitened

Normal = Callable[..., Tensor]


def test_the_papers_three_configurations() -> None:
    listed = [(c.layer_norm, c.weight_decay, c.sphere) for c in (UNCONSTRAINED, EXPRESSIVE)]
    assert listed == [(False, 0.0, False), (True, 1e-4, False)]
    assert (RESTRICTIVE.layer_norm, RESTRICTIVE.weight_decay, RESTRICTIVE.sphere) == (
        True,
        1e-4,
        True,
    )


def test_each_part_switches_by_itself() -> None:
    assert replace(EXPRESSIVE, sphere=True) == RESTRICTIVE
    assert replace(EXPRESSIVE, layer_norm=False, weight_decay=0.0) == UNCONSTRAINED
    assert replace(EXPRESSIVE, weight_decay=0.0) not in (EXPRESSIVE, UNCONSTRAINED)


def test_a_constraint_is_a_value() -> None:
    assert len({EXPRESSIVE, Constraint(), RESTRICTIVE}) == 2
    with pytest.raises(FrozenInstanceError):
        EXPRESSIVE.sphere = True  # type: ignore[misc]


@pytest.mark.parametrize("decay", [-1e-4, float("nan"), float("inf")])
def test_an_improper_decay_is_named(decay: float) -> None:
    with pytest.raises(ValueError, match=r"weight_decay must be .*>= 0.*The paper uses") as raised:
        Constraint(weight_decay=decay)
    assert f"received {decay!r}" in str(raised.value)


def test_projection_keeps_the_direction_and_sets_the_norm_to_one(normal: Normal) -> None:
    embedding = 50 * normal(2, 7, 5)
    projected = RESTRICTIVE.project(embedding)
    torch.testing.assert_close(projected.square().sum(-1), torch.ones(2, 7).double())
    cosine = torch.nn.functional.cosine_similarity(projected, embedding, dim=-1)
    torch.testing.assert_close(cosine, torch.ones(2, 7).double())
    torch.testing.assert_close(RESTRICTIVE.project(projected), projected)


def test_without_the_sphere_an_embedding_passes_untouched(normal: Normal) -> None:
    embedding = normal(3, 4)
    assert EXPRESSIVE.project(embedding) is embedding
    assert UNCONSTRAINED.project(embedding) is embedding


def test_gradients_through_the_projection_are_tangent_to_the_sphere(normal: Normal) -> None:
    embedding = normal(6, 4).requires_grad_(True)
    weights = normal(6, 4)
    (gradient,) = torch.autograd.grad((RESTRICTIVE.project(embedding) * weights).sum(), embedding)
    assert float(gradient.abs().max()) > 0.01
    radial = (gradient * embedding).sum(-1)
    torch.testing.assert_close(radial, torch.zeros(6).double())


def test_a_vanished_embedding_stays_finite() -> None:
    embedding = torch.zeros(2, 4, requires_grad=True)
    projected = RESTRICTIVE.project(embedding)
    (gradient,) = torch.autograd.grad(projected.sum(), embedding)
    assert torch.isfinite(projected).all()
    assert torch.isfinite(gradient).all()


def test_targets_are_moved_by_the_share_and_no_gradient_passes(normal: Normal) -> None:
    target = normal(2, 50, 4)
    assert UNCONSTRAINED.aim(target) is target
    torch.testing.assert_close(
        Constraint(whitening=0.25).aim(target), 0.75 * target + 0.25 * whitened(target)
    )
    assert Constraint(whitening=0.25).plain()["whitening"] == 0.25
    assert "whitening" not in UNCONSTRAINED.plain()


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "all"])
def test_an_improper_whitening_is_named(share: float) -> None:
    with pytest.raises((ValueError, TypeError), match="whitening"):
        Constraint(whitening=share)


def test_a_model_predicts_what_its_constraint_aims_at() -> None:
    seen = {}
    for share in (0.0, 1.0):
        configuration = Configuration(Constraint(False, 0.0, whitening=share), alpha=1.0)
        model = SINE.model(configuration, (0, 1))
        seen[share] = model(*SINE.load((0, 1)).batches(0)).terms[0].target
    torch.testing.assert_close(seen[1.0], whitened(seen[0.0]))
    assert not seen[1.0].requires_grad
