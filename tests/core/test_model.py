"""The loss, its gradients, the target and inference, against oracles made of torch.nn's layers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from bijepa_core._support.errors import CheckpointError
from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.experiments import MNIST, SINE, Configuration, Experiment
from bijepa_core.layers import BatchNorm2d, Conv2d, Linear
from bijepa_core.model import BiJEPA, script_scale
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.seeds import Seeds, init_stacked, unstack

Normal = Callable[..., Tensor]
State = Mapping[str, Tensor]
SEEDS = [4, 9, 1]
NORM_ALONE = Constraint(layer_norm=True, weight_decay=0.0)
SPHERE_ALONE = Constraint(layer_norm=False, weight_decay=0.0, sphere=True)


def stirred(
    small: Experiment,
    normal: Normal,
    seeds: Seeds,
    constraint: Constraint = EXPRESSIVE,
    alpha: float = 0.5,
) -> BiJEPA:
    """A float64 model whose every parameter, target and LayerNorm gains too, has moved."""
    model = small.model(Configuration(constraint, alpha), seeds).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * normal(*parameter.shape))
    return model


class TinyConv(nn.Sequential):
    """A convolution with batch normalization, small enough for many tests."""

    input_shape = (1, 6, 4)

    def __init__(self) -> None:
        convolution = Conv2d(1, 2, 3, stride=2, padding=1)
        super().__init__(convolution, BatchNorm2d(2), nn.ReLU(), nn.Flatten(-3), Linear(12, 3))


def conv_model(seeds: Seeds, alpha: float = 0.5) -> BiJEPA:
    predictor = partial(MLPPredictor, 3, 5)
    return init_stacked(lambda: BiJEPA(TinyConv(), predictor, alpha=alpha), seeds).double()


def buffers(module: nn.Module) -> State:
    return {name: value.clone() for name, value in module.named_buffers()}


def assert_states_equal(ours: State, theirs: State) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


# An independent oracle: plain torch.nn layers for one seed, vmap over the seeds.


def plain_stack(sizes: list[int], layer_norm: bool) -> nn.Sequential:
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        parts += [nn.Linear(inputs, outputs)]
        parts += [nn.LayerNorm(outputs)] * layer_norm
        parts += [nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1])).double()


def oracle_loss(
    constraint: Constraint, alpha: float, scale: float
) -> Callable[[State, State, Tensor, Tensor], Tensor]:
    """Eq. 6 to 8 for one seed, as a function of trained and target parameters."""
    encoder = plain_stack([10, 8, 8, 4], constraint.layer_norm)
    predictor = plain_stack([4, 8, 4], constraint.layer_norm)

    def part(state: State, prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

    def project(s: Tensor) -> Tensor:
        return s / (s * s).sum(-1, keepdim=True).sqrt() if constraint.sphere else s

    def loss(trained: State, target: State, x: Tensor, y: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for weight, direction, source, goal in (
            (alpha, "forward", x, y),
            (1 - alpha, "backward", y, x),
        ):
            if weight == 0:
                continue
            s = project(functional_call(encoder, part(trained, "online.net."), source))
            t = project(functional_call(encoder, part(target, "target.net."), goal))
            state = part(trained, f"{direction}_predictor.net.")
            total = total + weight * F.mse_loss(functional_call(predictor, state, s), t)
        return scale * total

    return loss


def uncopyable() -> nn.Module:
    """What a layer is that keeps a computed tensor."""
    layer = nn.Linear(10, 4)
    layer.kept = 2 * layer.weight
    return layer


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(
    "constraint", [UNCONSTRAINED, EXPRESSIVE, RESTRICTIVE, NORM_ALONE, SPHERE_ALONE]
)
def test_loss_and_gradients_of_many_seeds_equal_vmap_of_a_plain_network(
    constraint: Constraint, alpha: float, small: Experiment, normal: Normal
) -> None:
    model = stirred(small, normal, SEEDS, constraint, alpha)
    x, y = normal(3, 6, 10), normal(3, 6, 10)
    total = model(x, y).total
    trained = {k: p for k, p in model.named_parameters() if p.requires_grad}
    ours = torch.autograd.grad(total.sum(), list(trained.values()))

    values = {name: p.detach() for name, p in trained.items()}
    target = {k: p for k, p in model.named_parameters() if k.startswith("target.")}
    oracle = grad_and_value(oracle_loss(constraint, alpha, model.scale))
    gradients, losses = vmap(oracle)(values, target, x, y)
    torch.testing.assert_close(total, losses)
    torch.testing.assert_close(dict(zip(trained, ours, strict=True)), gradients)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_one_seed_without_a_seed_axis_equals_the_oracle(
    alpha: float, small: Experiment, normal: Normal
) -> None:
    model = stirred(small, normal, 7, RESTRICTIVE, alpha)
    x, y = normal(6, 10), normal(6, 10)
    state = dict(model.named_parameters())
    expected = oracle_loss(RESTRICTIVE, alpha, model.scale)(state, state, x, y)
    torch.testing.assert_close(model(x, y).total, expected)


def test_views_without_the_seed_axis_are_shared(small: Experiment, normal: Normal) -> None:
    model = stirred(small, normal, SEEDS)
    x, y = normal(6, 10), normal(6, 10)
    shared = model(x, y)
    torch.testing.assert_close(shared.total, model(x.expand(3, 6, 10), y.expand(3, 6, 10)).total)
    assert shared.forward.online.shape == (3, 6, 4)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_a_convolutional_seed_trains_as_it_would_alone(alpha: float, normal: Normal) -> None:
    """Losses, gradients and running statistics in company equal those of each seed alone."""
    together = conv_model(SEEDS, alpha)
    x, y = normal(3, 4, 1, 6, 4), normal(3, 4, 1, 6, 4)
    total = together(x, y).total
    trained = together.trained_parameters()
    gradients = torch.autograd.grad(total.sum(), trained)
    for i, seed in enumerate(SEEDS):
        alone = conv_model(seed, alpha)
        loss = alone(x[i], y[i]).total
        torch.testing.assert_close(total[i], loss)
        own = torch.autograd.grad(loss, alone.trained_parameters())
        for ours, theirs in zip(gradients, own, strict=True):
            torch.testing.assert_close(ours[i], theirs)
        for name, value in unstack(together, i).named_buffers():
            if "running" in name:
                torch.testing.assert_close(value, alone.get_buffer(name))


# The weighted loss


def test_the_total_weighs_the_two_terms(small: Experiment, normal: Normal) -> None:
    predictor = partial(MLPPredictor, 4, 8)
    for alpha, scale in ((0.25, 1.0), (0.9, 3.0)):
        model = BiJEPA(MLPEncoder(10, 8, 4), predictor, alpha=alpha, scale=scale).double()
        losses = model(normal(6, 10), normal(6, 10))
        expected = scale * (alpha * losses.forward.loss + (1 - alpha) * losses.backward.loss)
        torch.testing.assert_close(losses.total, expected)
        assert losses.forward.loss != losses.backward.loss


def test_the_scripts_scale_makes_the_total_a_plain_sum(small: Experiment, normal: Normal) -> None:
    x, y = normal(6, 10), normal(6, 10)
    both = stirred(small, normal, 0)(x, y)
    torch.testing.assert_close(both.total, both.forward.loss + both.backward.loss)
    classic = stirred(small, normal, 0, alpha=1.0)(x, y)
    assert torch.equal(classic.total, classic.forward.loss)
    leaning = stirred(small, normal, 0, alpha=0.8)(x, y)
    torch.testing.assert_close(leaning.total, leaning.forward.loss + leaning.backward.loss / 4)


def test_the_scripts_scale_is_symmetric_and_between_one_and_two() -> None:
    assert [script_scale(a) for a in (0.0, 0.5, 1.0)] == [1.0, 2.0, 1.0]
    for alpha in (0.1, 0.25, 0.4):
        assert script_scale(alpha) == pytest.approx(script_scale(1 - alpha))
        assert 1 < script_scale(alpha) < 2
    with pytest.raises(ValueError, match=r"alpha must lie in \[0, 1\]; received 2"):
        script_scale(2)


# alpha = 1 is classic JEPA, alpha = 0 its mirror image


def test_classic_jepa_has_no_backward_predictor(small: Experiment, normal: Normal) -> None:
    classic, both = (small.model(Configuration(alpha=alpha), 3) for alpha in (1.0, 0.5))
    assert classic.backward_predictor is None
    assert not any("backward" in name for name in classic.state_dict())
    # encoder 88 + 72 + 36 and two LayerNorms of 16; predictor 40 + 36 and one LayerNorm
    assert sum(p.numel() for p in classic.trained_parameters()) == 228 + 92
    assert sum(p.numel() for p in both.trained_parameters()) == 228 + 2 * 92
    losses = classic(normal(6, 10).float(), normal(6, 10).float())
    assert losses.backward is None
    assert losses.forward is not None


@pytest.mark.parametrize("seeds", [3, SEEDS])
def test_in_classic_jepa_the_target_view_never_passes_the_online_encoder(
    seeds: Seeds, normal: Normal
) -> None:
    """Its running statistics are those of an encoder that saw x alone."""
    model = conv_model(seeds, alpha=1.0)
    bystander = conv_model(seeds, alpha=1.0).online
    axis = () if isinstance(seeds, int) else (3,)
    for _ in range(2):
        x, y = normal(*axis, 4, 1, 6, 4), 5 + normal(*axis, 4, 1, 6, 4)
        model(x, y)
        bystander(x)
    assert_states_equal(buffers(model.online), buffers(bystander))


def test_with_two_directions_both_views_pass_both_encoders(normal: Normal) -> None:
    model, plain = conv_model(3), conv_model(3).online
    x, y = normal(4, 1, 6, 4), 5 + normal(4, 1, 6, 4)
    model(x, y)
    plain(x)
    plain(y)
    assert_states_equal(buffers(model.online), buffers(plain))


@pytest.mark.parametrize("constraint", [EXPRESSIVE, RESTRICTIVE])
def test_alpha_zero_is_the_exact_mirror_image_of_alpha_one(
    constraint: Constraint, small: Experiment, normal: Normal
) -> None:
    forth, back = (small.model(Configuration(constraint, alpha), 3).double() for alpha in (1, 0))
    assert back.forward_predictor is None
    x, y = normal(6, 10), normal(6, 10)
    one, other = forth(x, y), back(y, x)
    assert other.forward is None
    assert torch.equal(one.total, other.total)
    for ours, theirs in zip(one.forward, other.backward, strict=True):
        assert torch.equal(ours, theirs)
    gradients = [
        torch.autograd.grad(losses.total, model.trained_parameters())
        for losses, model in ((one, forth), (other, back))
    ]
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert torch.equal(forth.forecast(x), back.infer_past(x))


@pytest.mark.parametrize(
    ("alpha", "call", "direction"),
    [
        (1.0, "infer_past", "backward"),
        (1.0, "predict_backward", "backward"),
        (0.0, "forecast", "forward"),
        (0.0, "predict_forward", "forward"),
    ],
)
def test_a_direction_that_does_not_exist_is_named(
    alpha: float, call: str, direction: str, small: Experiment, normal: Normal
) -> None:
    model = small.model(Configuration(alpha=alpha), 0)
    message = f"no {direction} predictor, because alpha = {alpha:g}.*strictly between 0 and 1"
    with pytest.raises(ValueError, match=message):
        getattr(model, call)(normal(2, 10).float())


# Stop-gradient and the target


@pytest.mark.parametrize("constraint", [EXPRESSIVE, RESTRICTIVE])
def test_the_target_is_a_constant_to_the_gradient(
    constraint: Constraint, small: Experiment, normal: Normal
) -> None:
    model = stirred(small, normal, SEEDS, constraint)
    x, y = normal(3, 6, 10), normal(3, 6, 10)
    losses = model(x, y)
    trained = model.trained_parameters()
    ours = torch.autograd.grad(losses.total.sum(), trained)

    constants = {}
    for name, view in (("forward", y), ("backward", x)):
        embedding = model.target(view).detach()
        norm = embedding.norm(dim=-1, keepdim=True) if constraint.sphere else 1
        constants[name] = embedding / norm
        torch.testing.assert_close(getattr(losses, name).target, constants[name])
    expected = torch.zeros(()).double()
    for name, view in (("forward", x), ("backward", y)):
        s = constraint.project(model.online(view))
        gap = model.get_submodule(f"{name}_predictor")(s) - constants[name]
        expected = expected + gap.square().mean((-2, -1)).sum()
    for a, b in zip(ours, torch.autograd.grad(expected, trained), strict=True):
        torch.testing.assert_close(a, b)


def test_no_gradient_enters_the_target(small: Experiment, normal: Normal) -> None:
    model = small.model(Configuration(), 0).double()
    assert not any(p.requires_grad for p in model.target.parameters())
    model.target.requires_grad_(True)  # the stop-gradient must not rest on this flag alone
    losses = model(normal(6, 10), normal(6, 10))
    received = torch.autograd.grad(losses.total, list(model.target.parameters()), allow_unused=True)
    assert all(gradient is None for gradient in received)
    assert not losses.forward.target.requires_grad
    assert not losses.forward.online.requires_grad


def test_the_target_starts_as_a_copy_with_memory_of_its_own(small: Experiment) -> None:
    model = small.model(Configuration(), 0)
    assert_states_equal(model.online.state_dict(), model.target.state_dict())
    ours = {p.data_ptr() for p in model.online.parameters()}
    assert ours.isdisjoint(p.data_ptr() for p in model.target.parameters())
    trained = {id(p) for p in model.trained_parameters()}
    assert trained.isdisjoint(id(p) for p in model.target.parameters())


def apart(tau: float, seeds: Seeds, normal: Normal) -> BiJEPA:
    predictor = partial(MLPPredictor, 4, 8)
    model = init_stacked(lambda: BiJEPA(MLPEncoder(10, 8, 4), predictor, tau=tau), seeds).double()
    with torch.no_grad():
        for parameter in model.target.parameters():
            parameter.copy_(normal(*parameter.shape))
    return model


@pytest.mark.parametrize("seeds", [0, SEEDS])
def test_the_target_forgets_at_the_rate_tau(seeds: Seeds, normal: Normal) -> None:
    """Under a constant online encoder, what is left of the start is tau ** updates (Eq. 5)."""
    model = apart(0.9, seeds, normal)
    start = [p.clone() for p in model.target.parameters()]
    online = [p.clone() for p in model.online.parameters()]
    for _ in range(5):
        model.update_target()
    for now, then, goal in zip(model.target.parameters(), start, online, strict=True):
        torch.testing.assert_close(now, goal + 0.59049 * (then - goal))  # 0.9 ** 5
    assert all(torch.equal(a, b) for a, b in zip(model.online.parameters(), online, strict=True))


def test_tau_zero_copies_and_tau_one_freezes(normal: Normal) -> None:
    follower = apart(0.0, 0, normal)
    follower.update_target()
    assert_states_equal(follower.target.state_dict(), follower.online.state_dict())
    frozen = apart(1.0, 0, normal)
    before = {name: value.clone() for name, value in frozen.target.state_dict().items()}
    frozen.update_target()
    assert_states_equal(frozen.target.state_dict(), before)


def test_the_average_covers_parameters_but_not_running_statistics(normal: Normal) -> None:
    model = conv_model(0, alpha=1.0)
    model(normal(4, 1, 6, 4), 5 + normal(4, 1, 6, 4))
    before, online = buffers(model.target), buffers(model.online)
    assert not torch.equal(before["1.running_mean"], online["1.running_mean"])
    with torch.no_grad():
        model.online.get_parameter("1.weight").add_(1)
    start = model.target.get_parameter("1.weight").clone()
    model.update_target()
    assert_states_equal(buffers(model.target), before)
    torch.testing.assert_close(model.target.get_parameter("1.weight"), start + 1 - model.tau)


# The sphere


@pytest.mark.parametrize("seeds", [0, SEEDS])
def test_on_the_sphere_every_embedding_has_norm_one(
    seeds: Seeds, small: Experiment, normal: Normal
) -> None:
    model = stirred(small, normal, seeds, RESTRICTIVE)
    view = normal(6, 10)
    losses = model(view, -view)
    embeddings = [model.embed(view), model.forecast(view), model.infer_past(view)]
    embeddings += [losses.forward.online, losses.forward.target]
    embeddings += [losses.backward.online, losses.backward.target]
    for embedding in embeddings:
        norms = embedding.norm(dim=-1)
        torch.testing.assert_close(norms, torch.ones_like(norms))


def test_on_the_sphere_the_loss_compares_the_raw_prediction(
    small: Experiment, normal: Normal
) -> None:
    model = stirred(small, normal, 0, RESTRICTIVE)
    x, y = normal(6, 10), normal(6, 10)
    raw = model.predict_forward(x)
    assert float((raw.norm(dim=-1) - 1).abs().min()) > 1e-3
    losses = model(x, y)
    torch.testing.assert_close(losses.forward.loss.detach(), F.mse_loss(raw, losses.forward.target))
    torch.testing.assert_close(
        losses.backward.loss.detach(), F.mse_loss(model.predict_backward(y), losses.backward.target)
    )


def test_off_the_sphere_norms_are_free(small: Experiment, normal: Normal) -> None:
    model = stirred(small, normal, 0, EXPRESSIVE)
    x = normal(6, 10)
    assert float(model.embed(x).norm(dim=-1).std()) > 0.01
    assert torch.equal(model.forecast(x), model.predict_forward(x))
    assert torch.equal(model.infer_past(x), model.predict_backward(x))
    on_sphere = replace(EXPRESSIVE, sphere=True)
    model.constraint = on_sphere
    torch.testing.assert_close(model.forecast(x), F.normalize(model.predict_forward(x), dim=-1))


# Inference

CALLS = ["embed", "forecast", "infer_past", "predict_forward", "predict_backward"]


@pytest.mark.parametrize("seeds", [0, SEEDS])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_inference_changes_nothing(call: str, training: bool, seeds: Seeds, normal: Normal) -> None:
    """Not the mode, not the running statistics, no graph; and one sample cannot see another."""
    model = conv_model(seeds)
    model(normal(4, 1, 6, 4), normal(4, 1, 6, 4))  # give the running statistics a past
    model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = normal(4, 1, 6, 4)
    out = getattr(model, call)(x)
    assert all(module.training is training for module in model.modules())
    assert_states_equal(model.state_dict(), before)
    assert not out.requires_grad
    torch.testing.assert_close(getattr(model, call)(x[:1]), out[..., :1, :])


def test_forecast_is_the_predictor_on_the_embedding(small: Experiment, normal: Normal) -> None:
    model = stirred(small, normal, SEEDS)
    x = normal(3, 6, 10)
    s = model.embed(x)
    assert model.forward_predictor is not None
    assert model.backward_predictor is not None
    torch.testing.assert_close(s, model.online(x).detach())
    torch.testing.assert_close(model.forecast(x), model.forward_predictor(s).detach())
    torch.testing.assert_close(model.infer_past(x), model.backward_predictor(s).detach())


# z of Eq. 3, and a predictor used in both directions


def test_z_conditions_each_direction(normal: Normal) -> None:
    predictor = partial(MLPPredictor, 4, 8, z_dim=2)
    model = init_stacked(lambda: BiJEPA(MLPEncoder(10, 8, 4), predictor, alpha=0.3), SEEDS).double()
    x, y, u, v = normal(3, 6, 10), normal(3, 6, 10), normal(3, 6, 2), normal(3, 6, 2)
    losses = model(x, y, u, v)
    for term, direction, view, z in (
        (losses.forward, model.predict_forward, x, u),
        (losses.backward, model.predict_backward, y, v),
    ):
        expected = (direction(view, z) - term.target).square().mean((-2, -1))
        torch.testing.assert_close(term.loss.detach(), expected)
        assert not torch.allclose(direction(view, z), direction(view, z + 1))
    assert torch.equal(model.forecast(x, u), model.predict_forward(x, u))
    assert torch.equal(model.infer_past(y, v), model.predict_backward(y, v))
    assert not torch.equal(model(x, y, v, u).total, losses.total)


def test_a_missing_or_unexpected_z_is_named(small: Experiment, normal: Normal) -> None:
    predictor = partial(MLPPredictor, 4, 8, z_dim=2)
    model = BiJEPA(MLPEncoder(10, 8, 4), predictor).double()
    x, z = normal(6, 10), normal(6, 2)
    with pytest.raises(ValueError, match=r"takes a z of width 2.*received width 0"):
        model(x, x, z)
    with pytest.raises(ValueError, match=r"takes a z of width 2.*received width 0"):
        model.forecast(x)
    with pytest.raises(ValueError, match=r"takes a z of width 0.*received width 2"):
        stirred(small, normal, 0)(x, x, z, z)


def test_one_predictor_can_serve_both_directions(normal: Normal) -> None:
    shared = Linear(4, 4)
    model = BiJEPA(MLPEncoder(10, 8, 4), lambda: shared).double()
    x, y = normal(6, 10), normal(6, 10)
    assert len(model.trained_parameters()) == len(list(model.online.parameters())) + 2
    losses = model(x, y)
    swapped = model(y, x)
    torch.testing.assert_close(losses.total, swapped.total)
    torch.testing.assert_close(losses.forward.loss, swapped.backward.loss)


# Plain data and errors


def test_the_configuration_is_plain_and_tells_models_apart() -> None:
    def model(**settings: float) -> BiJEPA:
        return BiJEPA(MLPEncoder(10, 8, 4), partial(MLPPredictor, 4, 8), **settings)  # type: ignore[arg-type]

    models = [model(), model(alpha=0.4), model(tau=0.9), model(scale=2.0), model(alpha=1.0)]
    models.append(BiJEPA(MLPEncoder(10, 8, 4), partial(MLPPredictor, 4, 9)))
    models.append(BiJEPA(MLPEncoder(10, 8, 4), partial(MLPPredictor, 4, 8), constraint=RESTRICTIVE))
    described = {json.dumps(m.configuration(), allow_nan=False) for m in models}
    assert len(described) == len(models)
    assert json.dumps(model().configuration()) in described


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("alpha", -0.1, r"alpha must lie in \[0, 1\]; received -0.1.*The paper uses"),
        ("alpha", 1.1, r"alpha must lie in \[0, 1\]; received 1.1.*The paper uses"),
        ("alpha", float("nan"), r"alpha must lie in \[0, 1\]; received nan"),
        ("tau", -1.0, r"tau must lie in \[0, 1\]; received -1.0.*The paper uses"),
        ("tau", 1.5, r"tau must lie in \[0, 1\]; received 1.5.*The paper uses"),
        ("scale", 0.0, r"scale must be positive and finite; received 0.0"),
        ("scale", float("inf"), r"scale must be positive and finite; received inf"),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BiJEPA(MLPEncoder(10, 8, 4), partial(MLPPredictor, 4, 8), **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": nn.Sequential}, "encoder must be a torch.nn.Module. Received type"),
        ({"encoder": nn.Identity()}, "encoder must have parameters to train"),
        ({"encoder": nn.LazyLinear(4)}, r"online\.weight has no shape yet.*encoder\(x\)"),
        ({"encoder": uncopyable()}, "take torch.nn.utils.parametrizations.weight_norm"),
        ({"predictor": nn.Linear(4, 4)}, "predictor must be a function.*lambda: mine"),
        ({"predictor": None}, "predictor must be a function.*Received None"),
        ({"predictor": dict}, "predictor must build a torch.nn.Module. Received dict"),
        ({"constraint": "expressive"}, "constraint must be a Constraint.*Received 'expressive'"),
        ({"alpha": "0.5"}, r"alpha must lie in \[0, 1\]; received '0.5'"),
        ({"alpha": None}, r"alpha must lie in \[0, 1\]; received None"),
        ({"alpha": torch.tensor(0.5)}, r"alpha must lie in \[0, 1\]; received tensor"),
        ({"tau": True}, r"tau must lie in \[0, 1\]; received True"),
    ],
)
def test_arguments_of_another_kind_are_named(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"encoder": nn.Linear(10, 4), "predictor": partial(nn.Linear, 4, 4)}
    with pytest.raises((TypeError, ValueError), match=message):
        BiJEPA(**(given | arguments))


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    n: Any = np
    settings = {"alpha": n.float32(0.25), "tau": n.float64(0.9), "scale": n.int64(2)}
    constraint = Constraint(weight_decay=n.float32(0.5), sphere=n.bool_(True))
    model = BiJEPA(nn.Linear(10, 4), nn.Identity, constraint=constraint, **settings)
    assert json.dumps(model.configuration())
    model.save(tmp_path / "model")
    model.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("encoder", "predictor", "message"),
    [
        (lambda s: (s, s), lambda s: s, "an encoder must return one tensor.*Received tuple"),
        (lambda s: s[:, 0], lambda s: s, r"an encoder must return \(batch, d\).*\(5,\)"),
        (lambda s: s[:, None], lambda s: s, r"return \(batch, d\).*received \(5, 1, 4\)"),
        (lambda s: s, lambda s: None, r"embedding's shape, \(5, 4\); received None"),
        (lambda s: s, lambda s: s[:, :3], r"embedding's shape, \(5, 4\); received \(5, 3\)"),
        (lambda s: s, lambda s: s.mean(), r"embedding's shape, \(5, 4\); received \(\)"),
    ],
)
def test_what_modules_return_is_named_where_it_has_no_place(
    encoder: Callable[[Tensor], Any], predictor: Callable[[Tensor], Any], message: str
) -> None:
    class Doing(nn.Linear):
        def __init__(self, then: Callable[[Tensor], Any], width: int) -> None:
            super().__init__(width, 4)
            self.then = then

        def forward(self, input: Tensor) -> Any:
            return self.then(super().forward(input))

    model = BiJEPA(Doing(encoder, 10), lambda: Doing(predictor, 4))
    with pytest.raises((TypeError, ValueError), match=message):
        model(torch.zeros(5, 10), torch.zeros(5, 10))


def test_shapes_that_layers_refuse_are_shown() -> None:
    encoder = nn.Sequential(nn.Conv1d(3, 4, 5), nn.Flatten(-2), nn.Linear(16, 4))  # says no shape
    model, x = BiJEPA(encoder, nn.Identity), torch.zeros(6, 3, 8)
    narrow = BiJEPA(encoder, lambda: nn.Linear(9, 4))
    for act, message in (
        (lambda: model(x[None].expand(2, -1, -1, -1), x[None].expand(2, -1, -1, -1)), "2, 6, 3, 8"),
        (lambda: model.embed(x.mT), r"the encoder .*\(6, 8, 3\): .*channels.*must agree"),
        (lambda: model.forecast(x[..., :7]), r"the encoder .*\(6, 3, 7\)"),
        (lambda: narrow(x, x), r"a predictor .*\(6, 4\): mat1 and mat2.*must agree"),
        (lambda: narrow.infer_past(x), r"a predictor .*\(6, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            act()


def test_running_out_of_memory_keeps_its_name() -> None:
    class Greedy(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return input.expand(10**15, 3, 2).clone()

    class GreedyOnCuda(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            raise torch.cuda.OutOfMemoryError("CUDA: no room")

    for greedy, message in ((Greedy, "allocate"), (GreedyOnCuda, "no room")):
        with pytest.raises(RuntimeError, match=message):
            BiJEPA(greedy(2, 2), nn.Identity).embed(torch.zeros(3, 2))


def test_the_terms_are_those_that_exist() -> None:
    x = torch.zeros(3, 2)
    for alpha, present in ((0.5, [True, True]), (1.0, [True, False]), (0.0, [False, True])):
        losses = BiJEPA(nn.Linear(2, 2), nn.Identity, alpha=alpha)(x, x)
        wanted = [one for one, there in zip(losses[1:], present, strict=True) if there]
        assert [id(term) for term in losses.terms] == [id(term) for term in wanted]


def test_views_that_do_not_fit_are_named_before_any_work(normal: Normal) -> None:
    model = conv_model(0)
    before = buffers(model)
    x = normal(4, 1, 6, 4)
    for y, message in (
        (x[:3], r"x \(4, 1, 6, 4\).*y \(3, 1, 6, 4\)"),
        (x.float(), r"torch\.float64 on cpu and y \(4, 1, 6, 4\), torch\.float32"),
        (x.to("meta"), r"torch\.float64 on meta"),
    ):
        with pytest.raises(ValueError, match=message):
            model(x, y)
    with pytest.raises(ValueError, match=r"received torch\.float32 on cpu\. Convert it"):
        model(x.float(), x.float())
    for call in CALLS:
        with pytest.raises(ValueError, match=r"view = \(1, 6, 4\).*received \(4, 6, 4\)"):
            getattr(model, call)(x[:, 0])
    assert_states_equal(buffers(model), before)


@pytest.mark.parametrize("seeds", [0, (0, 1)])
def test_one_call_for_both_views_is_the_same_as_two(small: Experiment, seeds: Seeds) -> None:
    model = small.model(Configuration(), seeds).double()
    leading = () if isinstance(seeds, int) else (2,)
    x, y = (torch.randn(*leading, 6, 10, dtype=torch.float64) for _ in range(2))
    results = []
    for apart in (False, True):
        model.encode_separately = apart
        losses = model(x, y)
        slopes = torch.autograd.grad(losses.total.sum(), model.trained_parameters())
        results.append([losses.total, losses.forward.target, losses.backward.online, *slopes])
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


def test_batch_statistics_are_each_views_own() -> None:
    assert MNIST.model(Configuration(), 0).encode_separately
    assert not SINE.model(Configuration(), 0).encode_separately


# Saving


@pytest.mark.parametrize("seeds", [3, (3, 4)])
def test_a_saved_model_says_the_same_tomorrow(
    seeds: Seeds, small: Experiment, tmp_path: Path
) -> None:
    trained, fresh = (small.model(Configuration(), s) for s in (seeds, seeds))
    with torch.no_grad():
        for weights in trained.parameters():
            weights.add_(0.1)
    x = torch.ones(5, 10)
    assert not torch.equal(trained.forecast(x), fresh.forecast(x))
    for path in (tmp_path / "one", str(tmp_path / "two")):
        trained.save(path, mean=torch.tensor([1.0, 2.0]), unit="mV")
        notes = fresh.load(path)
        assert notes["unit"] == "mV"
        assert notes["mean"].tolist() == [1.0, 2.0]
        assert torch.equal(trained.forecast(x), fresh.forecast(x))
        assert all(
            torch.equal(a, b) for a, b in zip(trained.parameters(), fresh.parameters(), strict=True)
        )


def test_what_is_kept_with_a_model_can_be_read_again(small: Experiment, tmp_path: Path) -> None:
    model, path = small.model(Configuration(), 0), tmp_path / "model"
    exact = 1 / 3  # not a float32
    model.save(path, mean=np.array([exact]), scale=np.float64(exact), parts=[(np.arange(2), "a")])
    notes = model.load(path)
    assert (notes["mean"].tolist(), notes["scale"]) == ([exact], exact)
    ((numbers, text),) = notes["parts"]
    assert (numbers.tolist(), text) == ([0, 1], "a")
    before = path.read_bytes()
    for note in ({1, 2}, [path], {"rule": open}, nn.Identity, np.datetime64("2020-01-01")):
        with pytest.raises(TypeError, match=r"note must be tensors, arrays.*Convert it"):
            model.save(path, note=note)
    assert path.read_bytes() == before


def test_a_compiled_encoder_has_the_weights_of_a_plain_one(tmp_path: Path) -> None:
    def model(compiled: bool) -> BiJEPA:
        encoder: Any = nn.Linear(10, 4)
        encoder = torch.compile(encoder) if compiled else encoder
        return BiJEPA(encoder, nn.Identity)

    plain, compiled = model(False), model(True)
    for one, other in ((plain, compiled), (compiled, model(False)), (compiled, model(True))):
        one.save(tmp_path / "model")
        other.load(tmp_path / "model")
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def test_another_model_is_refused_and_stays_as_it_was(small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "model"
    small.model(Configuration(), 0).save(path)
    wider = replace(small, hidden_dim=9)
    for other, message in (
        (wider.model(Configuration(), 1), r"shapes\.backward_predictor.*and \d+ more"),
        (small.model(Configuration(alpha=0.3), 1), r"alpha: '0\.5' there, '0\.3' here"),
        (small.model(Configuration(RESTRICTIVE), 1), "constraint.sphere"),
        (small.model(Configuration(), 1).double(), "another dtype"),
    ):
        before = [weights.clone() for weights in other.parameters()]
        with pytest.raises(CheckpointError, match=message):
            other.load(path)
        assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="not a readable model: cut short"):
        small.model(Configuration(), 0).load(path)
    with pytest.raises(CheckpointError, match="does not exist"):
        small.model(Configuration(), 0).load(tmp_path / "nothing")
