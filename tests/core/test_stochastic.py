from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import scoringrules
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from bijepa_core import BiJEPA, CheckpointError
from bijepa_core.constraints import RESTRICTIVE, WHITENED
from bijepa_core.diagnostics import inconsistency, loop_spectrum
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.regularizers import whitened
from bijepa_core.seeds import init_stacked, unstack
from bijepa_core.stochastic import (
    MEAN_OF,
    EnergyPredictor,
    GaussianPredictor,
    StochasticBiJEPA,
    StochasticPredictor,
    energy_score,
    relative_energy_score,
    spread,
    spread_to_error,
)
from bijepa_core.training import pretrain

Normal = Callable[..., Tensor]
PREDICTORS: dict[str, Callable[[], StochasticPredictor]] = {
    "energy": partial(EnergyPredictor, 4, 16, z_dim=3),
    "gaussian": partial(GaussianPredictor, 4, 16),
    "mixture": partial(GaussianPredictor, 4, 16, components=3),
}


def test_the_energy_score_is_that_of_a_kept_library(normal: Normal) -> None:
    samples, target = normal(6, 5, 3), normal(5, 3)
    wanted = scoringrules.es_ensemble(
        target.numpy(), samples.movedim(0, -2).numpy(), estimator="fair", backend="numpy"
    )
    torch.testing.assert_close(energy_score(samples, target), torch.tensor(wanted))


def test_no_forecast_scores_better_than_the_true_distribution(normal: Normal) -> None:
    target = normal(4000, 2)
    scores = {
        f"{shift}, {width}": float(energy_score(shift + width * normal(8, 4000, 2), target).mean())
        for shift in (0.0, 0.5)
        for width in (0.0, 0.5, 1.0, 2.0)
    }
    assert min(scores, key=lambda name: scores[name]) == "0.0, 1.0"


def test_equal_samples_have_a_finite_slope(normal: Normal) -> None:
    samples = torch.zeros(3, 2, 4, requires_grad=True)
    energy_score(samples, torch.zeros(2, 4)).sum().backward()
    assert samples.grad is not None
    assert samples.grad.isfinite().all()


@pytest.mark.parametrize("kind", PREDICTORS)
def test_a_seed_does_not_depend_on_its_company(kind: str, normal: Normal) -> None:
    stacked = init_stacked(PREDICTORS[kind], (0, 1))
    s, target = normal(2, 5, 4).float(), normal(2, 5, 4).float()
    alone = unstack(stacked, 1)
    samples = stacked.sample(s, 6, torch.Generator().manual_seed(3))
    torch.testing.assert_close(
        samples[:, 1], alone.sample(s[1], 6, torch.Generator().manual_seed(3))
    )
    torch.manual_seed(0)
    scores, _ = stacked.score(s, target)
    torch.manual_seed(0)
    torch.testing.assert_close(scores[1], alone.score(s[1], target[1])[0])
    torch.testing.assert_close(stacked.mean(s)[1], alone.mean(s[1]))
    torch.testing.assert_close(alone.mean(s[1])[2:3], alone.mean(s[1][2:3]))  # of any batch


@pytest.mark.parametrize("kind", PREDICTORS)
def test_the_forecast_is_the_mean_of_the_samples(kind: str) -> None:
    model, (x, _) = fork(kind), forked(0)
    samples, point = model.sample_forward(x, 4_000), model.forecast(x)
    draws = MEAN_OF if kind == "energy" else 4_000  # the others' means are exact
    error = (samples.var(0) / draws).sqrt()
    assert ((samples.mean(0) - point).abs() < 5 * error).all()
    assert torch.equal(point, model.forecast(x))


def test_a_saved_model_loads_as_what_it_is(tmp_path: Path) -> None:
    path, (x, _) = tmp_path / "model", forked(0)
    saved, other = fork("energy"), fork("energy")
    with torch.no_grad():
        for weights in other.parameters():
            weights.zero_()
    saved.save(path)
    other.load(path)
    assert torch.equal(other.forecast(x), saved.forecast(x))
    plain = BiJEPA(MLPEncoder(3, 16, 4), lambda: MLPPredictor(4, 16))
    with pytest.raises(CheckpointError, match=r"sampling_predictor: '\"Energy.*' there, None here"):
        plain.load(path)
    with pytest.raises(CheckpointError, match=r"samples=8.* there, .*samples=4"):
        StochasticBiJEPA(
            MLPEncoder(3, 16, 4), lambda: EnergyPredictor(4, 16, z_dim=3, samples=4)
        ).load(path)


@pytest.mark.parametrize("kind", ["gaussian", "mixture"])
def test_samples_follow_the_density(kind: str, normal: Normal) -> None:
    torch.manual_seed(0)
    model, s = PREDICTORS[kind](), normal(3, 4).float()
    assert isinstance(model, GaussianPredictor)
    with torch.no_grad():
        model.means.bias.mul_(20)  # apart
        mixture, samples = model(s), model.sample(s, 40_000)
    error = (mixture.variance / 40_000).sqrt()  # of the mean of so many
    assert ((samples.mean(0) - mixture.mean).abs() < 5 * error).all()
    torch.testing.assert_close(samples.var(0), mixture.variance, atol=0.05, rtol=0.05)


def test_the_likelihood_is_scipys(normal: Normal) -> None:
    model, s, target = GaussianPredictor(4, 16), normal(3, 4).float(), normal(3, 4).float()
    each = model(s).component_distribution.base_dist
    wanted = [
        -multivariate_normal(m, d**2).logpdf(t) / 4
        for m, d, t in zip(
            each.loc[:, 0].detach().numpy(), each.scale[:, 0].detach().numpy(), target, strict=True
        )
    ]
    torch.testing.assert_close(model.score(s, target)[0], torch.tensor(wanted).float())


def forked(step: int) -> tuple[Tensor, Tensor]:
    """A past that says nothing of its future: y is near +1 or near -1."""
    g = torch.Generator().manual_seed(step)
    x = torch.randn(128, 3, generator=g)
    side = torch.randint(2, (128, 1), generator=g) * 2 - 1
    return x, side + 0.1 * torch.randn(128, 3, generator=g)


def fork(kind: str, **settings: object) -> StochasticBiJEPA:
    torch.manual_seed(0)
    return StochasticBiJEPA(MLPEncoder(3, 16, 4), PREDICTORS[kind], **settings)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::bijepa_core.CollapseWarning")  # contexts tell nothing
@pytest.mark.parametrize("kind", ["energy", "mixture"])
def test_at_a_fork_samples_go_both_ways(kind: str) -> None:
    model = fork(kind, alpha=1.0, tau=1.0)
    history = pretrain(model, forked, steps=400, learning_rate=3e-3, device="cpu", progress=False)
    x, y = forked(10_000)
    samples, target = model.sample_forward(x, 50), model.target(y).detach()
    axis = target[y[:, 0] > 0].mean(0) - target[y[:, 0] < 0].mean(0)
    middle = target.mean(0)
    place = ((samples - middle) @ axis) / axis.square().sum()  # -1/2 and 1/2 are the two futures
    assert 0.35 < float((place > 0).double().mean()) < 0.65
    between = float((place.abs() < 0.2).double().mean())
    assert between < 0.15  # a mean-field prediction has them all there
    assert 0.8 < float(spread_to_error(samples, target)) < 1.25
    assert float(history.diagnostics["relative_loss"][-1]) == pytest.approx(1, abs=0.2)


def test_both_directions_learn_and_the_sphere_holds() -> None:
    model = fork("energy", constraint=RESTRICTIVE)
    losses = model(*forked(0))
    losses.total.backward()
    assert losses.backward is not None
    for part in (model.online, model.forward_predictor, model.backward_predictor):
        assert part is not None
        first = next(part.parameters()).grad
        assert first is not None
        assert first.abs().sum() > 0
    pasts = model.sample_backward(forked(0)[1], 3, torch.Generator().manual_seed(1))
    torch.testing.assert_close(pasts.norm(dim=-1), torch.ones(3, 128))
    again = model.sample_backward(forked(0)[1], 3, torch.Generator().manual_seed(1))
    torch.testing.assert_close(pasts, again)


def test_what_does_not_sample_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a StochasticPredictor"):
        StochasticBiJEPA(MLPEncoder(3, 16, 4), lambda: MLPPredictor(4, 16))
    with pytest.raises(TypeError, match="EnergyPredictor, which samples"):
        BiJEPA(MLPEncoder(3, 16, 4), PREDICTORS["energy"])
    with pytest.raises(TypeError, match="abstract"):
        StochasticPredictor()  # type: ignore[abstract]
    with pytest.raises(ValueError, match="samples must be 2 or more"):
        EnergyPredictor(4, 16, samples=1)
    with pytest.raises(ValueError, match="no backward predictor"):
        fork("energy", alpha=1.0).sample_backward(forked(0)[1], 2)


def test_diagnostics_see_an_ignored_z_and_are_blind_to_scale(normal: Normal) -> None:
    target, samples = normal(500, 3), normal(10, 500, 3)
    assert float(spread(samples[:1].expand(10, -1, -1))) == pytest.approx(0, abs=1e-12)
    assert float(spread_to_error(samples, target)) == pytest.approx(1, abs=0.1)
    relative = relative_energy_score(samples, target)
    assert float(relative) == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(relative_energy_score(1e-3 * samples, 1e-3 * target), relative)
    near = target + 0.1 * samples
    assert float(relative_energy_score(near, target)) < 0.2


X, Y = forked(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m(X, Y, torch.randn(128, 3)), "draws its z and takes none"),
        (lambda m: m.forecast(X, torch.randn(6, 3)), "draws its z and takes none"),
        (lambda m: m.forward_predictor(m.embed(X), torch.randn(6, 128, 1)), r"\(count, batch, 3\)"),
        (lambda m: m.forward_predictor(m.embed(X), torch.randn(6, 3)), r"received \(6, 3\)"),
        (lambda m: energy_score(X[None], X), r"2 or more.*received \(1, 128, 3\)"),
        (lambda m: energy_score(X, X[:, :1]), r"\(128, 3\) and \(128, 1\)"),
        (lambda m: spread(X[None]), r"2 or more.*received \(1, 128, 3\)"),
        (lambda m: spread_to_error(X[None].expand(3, -1, -1), X[:1]), r"and \(1, 3\)"),
        (lambda m: relative_energy_score(X[:4, None], X[:1]), r"two targets.*received \(1, 3\)"),
    ],
)
def test_what_cannot_be_sampled_or_scored_is_named(
    call: Callable[[StochasticBiJEPA], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call(fork("energy"))


@pytest.mark.parametrize(("width", "message"), [(5, "a predictor could not take"), (4, "Flatten")])
def test_a_model_that_samples_explains_shapes_as_others_do(width: int, message: str) -> None:
    flat: nn.Module = MLPEncoder(3, 16, width)
    encoder = nn.Sequential(flat, nn.Unflatten(-1, (1, 4))) if width == 4 else flat
    with pytest.raises(ValueError, match=message):
        StochasticBiJEPA(encoder, PREDICTORS["energy"])(X, Y)


def test_scores_do_not_depend_on_where_the_embedding_lies(normal: Normal) -> None:
    samples, target = 0.01 * normal(32, 40, 3).float(), 0.01 * normal(40, 3).float()
    for score in (energy_score, relative_energy_score):
        torch.testing.assert_close(
            score(samples + 100, target + 100), score(samples, target), rtol=0.01, atol=0
        )


def test_under_whitening_samples_are_compared_with_what_was_aimed_at() -> None:
    model = fork("energy", constraint=WHITENED)
    with torch.no_grad():
        target = model.target(Y)
    torch.testing.assert_close(model.aim(Y), torch.lerp(target, whitened(target), 0.2))
    losses = model(X, Y)
    assert losses.forward is not None
    torch.testing.assert_close(losses.forward.target, model.aim(Y))


def test_loops_of_predictors_that_sample_are_those_of_their_means() -> None:
    model = fork("energy")
    ahead, back = model.forward_predictor, model.backward_predictor
    assert isinstance(ahead, StochasticPredictor)
    assert isinstance(back, StochasticPredictor)
    s = model.embed(X)
    with torch.no_grad():
        missed = (back.mean(ahead.mean(s)) - s).norm(dim=-1) / s.norm(dim=-1)
    torch.testing.assert_close(inconsistency(model, X), missed.square())
    assert loop_spectrum(model, X[:4]).shape == (4, 4)
