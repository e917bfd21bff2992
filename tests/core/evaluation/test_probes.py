"""Probes against numpy, scikit-learn and plain torch.nn loops."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn

from bijepa_core import layers
from bijepa_core.evaluation import probes
from bijepa_core.evaluation.probes import (
    LinearProbe,
    adam_classifier,
    adam_probe,
    protocol_a,
    protocol_b,
    raw_input,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.experiments import Configuration, Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.networks import ConvEncoder, Decoder
from bijepa_core.seeds import init_stacked, stack, unstack

Normal = Callable[..., Tensor]
SEEDS = [4, 9, 1]


def regression(normal: Normal, *seeds: int, n: int = 200) -> tuple[Tensor, Tensor]:
    """Features of unequal scales, far from zero, and targets they explain but for noise 0.1."""
    features = normal(*seeds, n, 5) * torch.tensor([0.01, 1.0, 3.0, 20.0, 1.0]) + 4
    weights = torch.tensor([[30.0, 0.0], [1.0, -1.0], [0.2, 0.4], [0.02, 0.01], [0.0, 2.0]])
    return features, features @ weights.double() + 3 + 0.1 * normal(*seeds, n, 2)


def classes(normal: Normal, *seeds: int, n: int = 300) -> tuple[Tensor, Tensor]:
    """Three overlapping classes; the labels are the same for every seed."""
    labels = torch.arange(n) % 3
    return normal(*seeds, n, 4) + 1.5 * F.one_hot(labels, 4), labels


def standardized(features: Tensor) -> NDArray[np.float64]:
    values = features.numpy()
    scaled: NDArray[np.float64] = (values - values.mean(0)) / values.std(0)
    return scaled


def assert_seed_of(together: LinearProbe, position: int, alone: LinearProbe) -> None:
    torch.testing.assert_close(together.weight[position], alone.weight)
    torch.testing.assert_close(together.bias[position], alone.bias)
    torch.testing.assert_close(together.training_error[position], alone.training_error)


# Features


def test_protocol_a_reads_the_embedding_and_b_the_prediction(
    small: Experiment, normal: Normal
) -> None:
    for seeds in (0, SEEDS):
        model = small.model(Configuration(), seeds).double()
        x = normal(7, 10)
        assert torch.equal(protocol_a(model)(x), model.embed(x))
        assert torch.equal(protocol_b(model)(x), model.predict_forward(x))
        assert not torch.equal(protocol_a(model)(x), protocol_b(model)(x))
    assert raw_input(x) is x


def test_long_sets_are_read_in_chunks(small: Experiment, normal: Normal) -> None:
    """Of 4096 views at most, whether or not they carry a seed axis."""
    model = small.model(Configuration(), range(2)).double()
    sizes: list[int] = []
    model.online.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[-2]))
    shared, own = normal(9000, 10), normal(2, 5000, 10)
    features = protocol_a(model)(shared), protocol_a(model)(own)
    assert sizes == [4096, 4096, 808, 4096, 904]
    torch.testing.assert_close(features[0], model.embed(shared))
    torch.testing.assert_close(features[1], model.embed(own))


def test_images_are_read_in_chunks_too() -> None:
    model = BiJEPA(ConvEncoder(3), lambda: nn.Linear(3, 3))
    x = torch.zeros(4100, 1, 28, 14)
    assert protocol_a(model)(x).shape == (4100, 3)


def test_protocol_b_needs_a_forward_predictor(small: Experiment, normal: Normal) -> None:
    model = small.model(Configuration(alpha=0.0), 0).double()
    with pytest.raises(ValueError, match="no forward predictor"):
        protocol_b(model)(normal(7, 10))


# A linear probe


def test_a_linear_probe_is_an_affine_map_with_its_errors(normal: Normal) -> None:
    probe = LinearProbe(torch.tensor([[1.0, 2.0]]), torch.tensor([3.0]), torch.zeros(()))
    features = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    assert probe(features).tolist() == [[4.0], [1.0]]
    with pytest.raises(ValueError, match=r"guesses \(2, 1\) and truth \(2,\).*y\[:, None\]"):
        probe.mse(features, torch.tensor([4.0, 3.0]))
    with pytest.raises(ValueError, match=r"labels must be .* one a sample.*shape \(2, 1\)"):
        probe.accuracy(features, torch.tensor([[0], [0]]))
    assert float(probe.mse(features, torch.tensor([[4.0], [3.0]]))) == 2.0
    many = LinearProbe(normal(3, 2, 4), normal(3, 2), torch.zeros(3))
    own, shared, targets = normal(3, 6, 4), normal(6, 4), normal(6, 2)
    for i in range(3):
        one = LinearProbe(many.weight[i], many.bias[i], torch.zeros(()))
        torch.testing.assert_close(many(own)[i], one(own[i]))
        torch.testing.assert_close(many.mse(shared, targets)[i], one.mse(shared, targets))


def test_accuracy_is_the_share_of_highest_scores(normal: Normal) -> None:
    probe = LinearProbe(torch.eye(3).expand(2, 3, 3), torch.zeros(2, 3), torch.zeros(2))
    scores = torch.tensor([[5.0, 1, 1], [0, 2, 1], [0, 1, 2], [9, 0, 1]])
    labels = torch.tensor([0, 1, 2, 2])
    accuracy = probe.accuracy(torch.stack([scores, -scores]), labels)
    assert accuracy.tolist() == [0.75, 0.0]


# The paper's regression probe


def plain_adam(
    seed: int, features: Tensor, targets: Tensor, steps: int, rate: float
) -> tuple[nn.Linear, float]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(features.shape[1], targets.shape[1])
    head.double()
    optimizer = torch.optim.Adam(head.parameters(), lr=rate, foreach=False)
    loss = torch.zeros(())
    for _ in range(steps):
        loss = F.mse_loss(head(features), targets)
        optimizer.zero_grad()
        head.weight.grad, head.bias.grad = torch.autograd.grad(loss, [head.weight, head.bias])
        optimizer.step()
    return head, float(loss.detach())


def test_the_papers_probe_is_a_plain_adam_loop(normal: Normal) -> None:
    features, targets = regression(normal)
    head, error = plain_adam(7, features, targets, steps=60, rate=0.03)
    probe = adam_probe(features, targets, steps=60, seeds=7, learning_rate=0.03)
    torch.testing.assert_close(probe.weight, head.weight.detach())
    torch.testing.assert_close(probe.bias, head.bias.detach())
    assert float(probe.training_error) == pytest.approx(error)  # before the last update
    assert not probe.weight.requires_grad


def test_each_seeds_adam_probe_is_the_one_it_has_alone(normal: Normal) -> None:
    features, targets = regression(normal, 3)
    together = adam_probe(features, targets, steps=40, seeds=SEEDS)
    for i, seed in enumerate(SEEDS):
        assert_seed_of(together, i, adam_probe(features[i], targets[i], steps=40, seeds=seed))
    shared = adam_probe(features[0], targets[0], steps=40, seeds=SEEDS)
    assert_seed_of(shared, 1, adam_probe(features[0], targets[0], steps=40, seeds=9))


def test_the_papers_probe_measures_the_scale_of_features(normal: Normal) -> None:
    """The same features a hundredth as large: far worse by Adam, the same by ridge."""
    features = normal(300, 6)
    targets = features @ normal(6, 1)
    errors = [
        float(adam_probe(factor * features, targets, steps=300, seeds=0).training_error)
        for factor in (1.0, 0.01)
    ]
    assert errors[1] > 5 * errors[0]
    converged = [ridge_probe(factor * features, targets) for factor in (1.0, 0.01)]
    assert all(float(probe.training_error) < 1e-12 for probe in converged)


# The converged regression probe


@pytest.mark.parametrize("penalty", [1e-6, 1e-2, 10.0])
def test_ridge_agrees_with_scikit_learn_and_least_squares(
    penalty: float, normal: Normal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "RIDGE_PENALTIES", torch.tensor([penalty]).double())
    features, targets = regression(normal)
    probe = ridge_probe(features, targets)
    z, n = standardized(features), len(features)
    theirs = Ridge(alpha=n * penalty).fit(z, targets.numpy()).predict(z)
    np.testing.assert_allclose(probe(features).numpy(), theirs, rtol=1e-8)
    # the same by least squares on data extended by the penalty's rows
    extended = np.vstack([z, np.sqrt(n * penalty) * np.eye(5)])
    centered = targets.numpy() - targets.numpy().mean(0)
    solution = np.linalg.lstsq(extended, np.vstack([centered, np.zeros((5, 2))]), rcond=None)[0]
    expected = z @ solution + targets.numpy().mean(0)
    np.testing.assert_allclose(probe(features).numpy(), expected, rtol=1e-8)
    error = np.square(expected - targets.numpy()).mean()
    assert float(probe.training_error) == pytest.approx(error, rel=1e-8)


def generalized_cross_validation(z: NDArray[Any], targets: NDArray[Any]) -> float:
    """The penalty that minimizes it, from scikit-learn's fits and explicit hat matrices."""
    n, scores, targets = len(z), [], targets.ravel()
    for penalty in probes.RIDGE_PENALTIES.tolist():
        hat = z @ np.linalg.solve(z.T @ z + n * penalty * np.eye(z.shape[1]), z.T) + 1 / n
        residual = targets - Ridge(alpha=n * penalty).fit(z, targets).predict(z)
        scores.append(np.square(residual).sum() / n / (1 - np.trace(hat) / n) ** 2)
    return float(probes.RIDGE_PENALTIES[int(np.argmin(scores))])


@pytest.mark.parametrize("noise", [0.01, 1.0, 10.0])
def test_the_penalty_is_the_one_of_generalized_cross_validation(
    noise: float, normal: Normal
) -> None:
    features = normal(40, 12)
    targets = features @ normal(12, 1) * 0.3 + noise * normal(40, 1)
    z = standardized(features)
    penalty = generalized_cross_validation(z, targets.numpy())
    expected = Ridge(alpha=40 * penalty).fit(z, targets.numpy().ravel()).predict(z)[:, None]
    np.testing.assert_allclose(ridge_probe(features, targets)(features), expected, rtol=1e-6)


def test_ridge_ignores_the_scale_and_the_origin_of_features(normal: Normal) -> None:
    features, targets = regression(normal)
    factor = torch.tensor([1e-4, 10.0, -3.0, 1e3, 0.5]).double()
    moved = features * factor - torch.tensor([5.0, 0.0, 1e3, 7.0, -2.0]).double()
    ours, theirs = ridge_probe(features, targets), ridge_probe(moved, targets)
    torch.testing.assert_close(ours(features), theirs(moved), rtol=1e-6, atol=1e-6)
    turned = ridge_probe(features, 2 * targets + 5)
    torch.testing.assert_close(turned(features), 2 * ours(features) + 5, rtol=1e-6, atol=1e-6)


def test_ridge_comes_near_the_noise_on_held_out_data(normal: Normal) -> None:
    probe = ridge_probe(*regression(normal, n=500))
    held_out = float(probe.mse(*regression(normal, n=5000)))
    assert held_out == pytest.approx(0.01, rel=0.06)  # 0.1 ** 2, and 6 weights' worth more


def test_ridge_finds_nothing_in_noise(normal: Normal) -> None:
    """Features that explain nothing: hardly worse than predicting the mean."""
    probe = ridge_probe(normal(200, 20), normal(200, 1))
    assert float(probe.mse(normal(5000, 20), normal(5000, 1))) < 1.1


@pytest.mark.parametrize("samples", [20, 60])
def test_ridge_refuses_more_features_than_samples(samples: int, normal: Normal) -> None:
    """Leave-one-out scores are then rounding noise, and may choose to learn noise by heart."""
    with pytest.raises(ValueError, match=f"received {samples} samples of 60 features"):
        ridge_probe(normal(samples, 60), normal(samples, 1))


def test_a_constant_feature_does_no_harm(normal: Normal) -> None:
    features, targets = regression(normal)
    with_constant = torch.cat([features, torch.full((200, 1), 3.7).double()], dim=1)
    ours, theirs = ridge_probe(features, targets), ridge_probe(with_constant, targets)
    torch.testing.assert_close(ours(features), theirs(with_constant))
    collapsed = ridge_probe(torch.ones(200, 3), targets)
    torch.testing.assert_close(collapsed(torch.ones(1, 3).double())[0], targets.mean(0))


def test_each_seeds_ridge_probe_is_the_one_it_has_alone(normal: Normal) -> None:
    features, targets = regression(normal, 3)
    together = ridge_probe(features, targets)
    shared = ridge_probe(features, targets[0])
    for i in range(3):
        assert_seed_of(together, i, ridge_probe(features[i], targets[i]))
        assert_seed_of(shared, i, ridge_probe(features[i], targets[0]))


# The paper's classifier


def test_the_papers_classifier_learns(normal: Normal) -> None:
    features, labels = classes(normal)
    few, many = (
        adam_classifier(features, labels, epochs=epochs, seeds=0, batch_size=50)
        for epochs in (1, 15)
    )
    assert many.weight.shape == (3, 4)
    assert float(many.training_error) < float(few.training_error) < 1.3
    assert float(many.accuracy(features, labels)) > 0.7
    scores = many(features)
    assert float(F.cross_entropy(scores, labels)) == pytest.approx(
        float(many.training_error), rel=0.05
    )


def test_one_batch_an_epoch_is_a_plain_adam_loop(normal: Normal) -> None:
    features, labels = classes(normal, n=60)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        head = nn.Linear(4, 3)
    head.double()
    optimizer, losses = torch.optim.Adam(head.parameters(), lr=0.01, foreach=False), []
    for _ in range(20):
        loss = F.cross_entropy(head(features), labels)
        head.weight.grad, head.bias.grad = torch.autograd.grad(loss, [head.weight, head.bias])
        optimizer.step()
        losses.append(float(loss.detach()))
    probe = adam_classifier(features, labels, epochs=20, seeds=7, batch_size=60)
    torch.testing.assert_close(probe.weight, head.weight.detach())
    assert float(probe.training_error) == pytest.approx(losses[-1])


def test_each_seeds_classifier_is_the_one_it_has_alone(normal: Normal) -> None:
    features, labels = classes(normal, 3)
    together = adam_classifier(features, labels, epochs=3, seeds=SEEDS, batch_size=64)
    shared = adam_classifier(features[0], labels, epochs=3, seeds=SEEDS, batch_size=64)
    for i, seed in enumerate(SEEDS):
        alone = adam_classifier(features[i], labels, epochs=3, seeds=seed, batch_size=64)
        assert_seed_of(together, i, alone)
        alone = adam_classifier(features[0], labels, epochs=3, seeds=seed, batch_size=64)
        assert_seed_of(shared, i, alone)


# The converged classifier


@pytest.mark.parametrize("penalty", [1e-4, 1e-2, 1.0])
def test_softmax_regression_agrees_with_scikit_learn(
    penalty: float, normal: Normal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (penalty,))
    features, labels = classes(normal)
    features = features * torch.tensor([1.0, 100.0, 0.01, 5.0]) + 9
    probe = softmax_classifier(features, labels)
    theirs = LogisticRegression(C=1 / (len(labels) * penalty), tol=1e-10, max_iter=5000)
    theirs.fit(standardized(features), labels.numpy())
    expected = theirs.predict_proba(standardized(features))
    np.testing.assert_allclose(probe(features).softmax(-1), expected, atol=2e-5)
    log_loss = -np.log(expected[np.arange(len(labels)), labels.numpy()]).mean()
    assert float(probe.training_error) == pytest.approx(log_loss, rel=1e-6)


def test_the_converged_classifiers_gradient_vanishes(
    normal: Normal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (1e-3,))
    features, labels = classes(normal)
    probe = softmax_classifier(features, labels)
    scale = features.std(0, correction=0)
    weight = (probe.weight * scale).requires_grad_(True)
    bias = (probe.bias + features.mean(0) @ probe.weight.mT).requires_grad_(True)
    z = torch.from_numpy(standardized(features))
    objective = F.cross_entropy(z @ weight.mT + bias, labels) + 5e-4 * weight.square().sum()
    for gradient in torch.autograd.grad(objective, [weight, bias]):
        assert float(gradient.abs().max()) < 1e-5


def test_the_penalty_is_chosen_without_the_samples_it_is_judged_on(normal: Normal) -> None:
    """Many useless features and few samples: the strongest penalty does best aside."""
    features, labels = normal(150, 60), torch.arange(150) % 2
    chosen = softmax_classifier(features, labels)
    weakest, strongest = probes.SOFTMAX_PENALTIES[0], probes.SOFTMAX_PENALTIES[-1]
    fits = {}
    for penalty in (weakest, strongest):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(probes, "SOFTMAX_PENALTIES", (penalty,))
            fits[penalty] = softmax_classifier(features, labels)
    torch.testing.assert_close(chosen.weight, fits[strongest].weight)
    assert not torch.allclose(chosen.weight, fits[weakest].weight)


def test_each_seeds_softmax_classifier_is_the_one_it_has_alone(normal: Normal) -> None:
    features, labels = classes(normal, 2)
    together = softmax_classifier(features, labels)
    for i in range(2):
        assert_seed_of(together, i, softmax_classifier(features[i], labels))
    assert together.accuracy(features, labels).shape == (2,)


# The decoder


def test_the_decoder_is_a_plain_adam_loop(normal: Normal) -> None:
    features, pixels = normal(40, 6), torch.sigmoid(normal(40, 9))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        plain = Decoder(6, 9).net.double()
    optimizer, losses = torch.optim.Adam(plain.parameters(), lr=2e-3, foreach=False), []
    for _ in range(8):
        loss = F.mse_loss(plain(features), pixels)
        optimizer.zero_grad()
        gradients = torch.autograd.grad(loss, list(plain.parameters()))
        for parameter, gradient in zip(plain.parameters(), gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        losses.append(float(loss.detach()))
    trained = train_decoder(features, pixels, epochs=8, seeds=7, batch_size=40, learning_rate=2e-3)
    assert float(trained.training_error) == pytest.approx(losses[-1])
    plain.eval()
    # the order of the samples in a sum is a matter of rounding, which Adam's start magnifies
    torch.testing.assert_close(trained(features), plain(features).detach(), rtol=1e-4, atol=1e-6)


def test_the_decoder_learns_and_draws_with_frozen_statistics(normal: Normal) -> None:
    features = normal(64, 6)
    pixels = torch.sigmoid(features @ normal(6, 9))
    trained = train_decoder(features, pixels, epochs=30, seeds=0, batch_size=32)
    untrained = train_decoder(features, pixels, epochs=1, seeds=0, batch_size=32)
    assert float(trained.mse(features, pixels)) < 0.2 * float(untrained.mse(features, pixels))
    trained.decoder.train()  # whatever mode its user left it in
    out = trained(features)
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    assert not out.requires_grad
    torch.testing.assert_close(trained(features[:1]), out[:1])
    assert float(trained.mse(features, pixels)) == pytest.approx(float(F.mse_loss(out, pixels)))


def test_each_seeds_decoder_is_the_one_it_has_alone(normal: Normal) -> None:
    features, pixels = normal(2, 30, 6), torch.sigmoid(normal(30, 9))
    settings: dict[str, Any] = {"epochs": 3, "batch_size": 10}
    together = train_decoder(features, pixels, seeds=[4, 9], **settings)
    for i, seed in enumerate([4, 9]):
        alone = train_decoder(features[i], pixels, seeds=seed, **settings)
        torch.testing.assert_close(together.training_error[i], alone.training_error)
        drawn = together(features)[i]
        torch.testing.assert_close(drawn, alone(features[i]), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(
            unstack(together.decoder, i)(features[i]), drawn, rtol=1e-5, atol=1e-7
        )


def test_a_last_batch_of_one_is_no_obstacle(normal: Normal) -> None:
    features, pixels = normal(9, 6), torch.sigmoid(normal(9, 4))
    for seeds, given in ((0, features), ([0, 1], features)):
        trained = train_decoder(given, pixels, epochs=2, seeds=seeds, batch_size=4)
        assert torch.isfinite(trained(features)).all()


# Bad input

FEATURES, TARGETS, LABELS = torch.zeros(20, 4), torch.zeros(20, 2), torch.arange(20) % 2


def with_nan(values: Tensor) -> Tensor:
    spoiled = values.clone()
    spoiled[3] = torch.nan
    return spoiled


@pytest.mark.parametrize(
    ("features", "targets", "message"),
    [
        (torch.zeros(4), TARGETS, r"received \(4,\) and \(20, 2\)"),
        (FEATURES, torch.zeros(20), r"received \(20, 4\) and \(20,\)"),
        (torch.zeros(0, 4), torch.zeros(0, 2), r"none empty; received \(0, 4\)"),
        (torch.zeros(20, 0), TARGETS, r"none empty; received \(20, 0\)"),
        (FEATURES, torch.zeros(19, 2), "received 20 samples of features and 19 targets"),
        (with_nan(FEATURES), TARGETS, r"features must be finite.*Did training explode\?"),
        (FEATURES, with_nan(TARGETS), "targets must be finite"),
        (FEATURES / 0, TARGETS, "features must be finite"),
        (FEATURES, torch.zeros(3, 20, 2), r"received \(20, 4\) and \(3, 20, 2\)"),
        (torch.zeros(2, 20, 4), torch.zeros(3, 20, 2), r"received \(2, 20, 4\) and \(3, 20, 2\)"),
    ],
)
def test_regression_data_that_does_not_fit_is_named(
    features: Tensor, targets: Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ridge_probe(features, targets)
    if features.ndim == 2 and targets.ndim == 3:
        return  # shared features and many heads are fine here
    with pytest.raises(ValueError, match=message):
        adam_probe(features, targets, steps=2, seeds=0)


@pytest.mark.parametrize("seeds", [0, [1, 2]])
def test_as_many_seeds_as_the_features_have(seeds: int | list[int]) -> None:
    features, targets, pixels = torch.zeros(3, 20, 4), torch.zeros(3, 20, 2), torch.zeros(20, 2)
    with pytest.raises(ValueError, match="seed"):
        adam_probe(features, targets, steps=2, seeds=seeds)
    with pytest.raises(ValueError, match="seed"):
        adam_classifier(features, LABELS, epochs=1, seeds=seeds)
    with pytest.raises(ValueError, match="seed"):
        train_decoder(features, pixels, epochs=1, seeds=seeds)


@pytest.mark.parametrize("value", [0, -3])
def test_bad_budgets_are_named(value: int) -> None:
    with pytest.raises(ValueError, match=f"steps must be positive.*received {value}"):
        adam_probe(FEATURES, TARGETS, steps=value, seeds=0)
    with pytest.raises(ValueError, match=f"learning_rate must be positive.*received {value}"):
        adam_probe(FEATURES, TARGETS, steps=2, seeds=0, learning_rate=value)
    with pytest.raises(ValueError, match=f"epochs must be positive.*received {value}"):
        adam_classifier(FEATURES, LABELS, epochs=value, seeds=0)
    with pytest.raises(ValueError, match=f"batch_size must be positive.*received {value}"):
        adam_classifier(FEATURES, LABELS, epochs=1, seeds=0, batch_size=value)
    with pytest.raises(ValueError, match=f"epochs must be positive.*received {value}"):
        train_decoder(FEATURES, TARGETS, epochs=value, seeds=0)


def test_classification_data_that_does_not_fit_is_named() -> None:
    for fit in (
        softmax_classifier,
        lambda features, labels: adam_classifier(features, labels, epochs=1, seeds=0),
    ):
        with pytest.raises(ValueError, match="received 20 samples of features and 19 targets"):
            fit(FEATURES, LABELS[:19])
        with pytest.raises(ValueError, match="features must be finite"):
            fit(with_nan(FEATURES), LABELS)


@pytest.mark.parametrize(("low", "high"), [(-0.5, 1.0), (0.0, 255.0)])
def test_pixels_out_of_range_are_named(low: float, high: float) -> None:
    pixels = torch.linspace(low, high, 40).reshape(20, 2)
    message = rf"must lie in 0\.\.1.*received\s+{low:g} to {high:g}\. Rescale"
    with pytest.raises(ValueError, match=message):
        train_decoder(FEATURES, pixels, epochs=1, seeds=0)
    with pytest.raises(ValueError, match="targets must be finite"):
        train_decoder(FEATURES, with_nan(TARGETS), epochs=1, seeds=0)


def test_probing_leaves_the_global_generator_alone(normal: Normal) -> None:
    before = torch.get_rng_state()
    features, labels = classes(normal, n=30)
    adam_probe(features, features, steps=2, seeds=0)
    adam_classifier(features, labels, epochs=1, seeds=[0, 1])
    softmax_classifier(features, labels)
    train_decoder(features, torch.zeros(30, 2), epochs=1, seeds=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_untrained_encoder_and_raw_input_pass_the_same_code(
    small: Experiment, normal: Normal
) -> None:
    """Every probe takes a function from views to features."""
    untrained = init_stacked(lambda: small.new_model(Configuration()), SEEDS).double()
    x, targets = normal(50, 10), normal(50, 1)
    for features in (raw_input, protocol_a(untrained), protocol_b(untrained)):
        probe = ridge_probe(features(x), targets)
        error = probe.mse(features(x), targets)
        assert error.shape == (() if features is raw_input else (3,))
        torch.testing.assert_close(error, probe.training_error)


def test_probes_take_arrays_labels_of_any_whole_type_and_features_with_a_graph(
    normal: Normal,
) -> None:
    features, targets = normal(40, 3).float(), normal(40, 2).float()
    labels = torch.arange(40) % 4
    graph = features.clone().requires_grad_() * 1
    fits: list[tuple[Callable[..., LinearProbe], Tensor]] = [
        (lambda f, t: adam_probe(f, t, steps=3, seeds=0), targets),
        (ridge_probe, targets),
        (lambda f, t: adam_classifier(f, t, epochs=2, batch_size=16, seeds=0), labels),
        (softmax_classifier, labels),
    ]
    for fit, truth in fits:
        expected = fit(features, truth)
        other = truth.to(torch.uint8 if truth is labels else torch.float32).numpy()
        for probe in (fit(features.numpy(), other), fit(graph, truth)):
            assert torch.equal(probe.weight, expected.weight)
            # judged on arrays, whatever their dtype beside the probe's
            score = probe.accuracy if truth is labels else probe.mse
            assert torch.equal(score(features.numpy(), other), score(features, truth))  # type: ignore[arg-type]
    drawn = train_decoder(features.numpy(), targets.sigmoid().numpy(), epochs=1, seeds=0)  # type: ignore[arg-type]
    assert drawn(features).shape == targets.shape


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(40), r"labels must be whole numbers.*torch\.float32.*return_inverse"),
        (torch.full((40,), -1), "the lowest -1"),
        (torch.zeros(40, 1, dtype=torch.int64), r"shape \(40, 1\)"),
        (torch.zeros(0, dtype=torch.int64), r"shape \(0,\)"),
    ],
)
def test_labels_that_are_none_are_named(labels: Tensor, message: str, normal: Normal) -> None:
    with pytest.raises(ValueError, match=message):
        softmax_classifier(normal(40, 3), labels)
    with pytest.raises(ValueError, match=message):
        adam_classifier(normal(40, 3), labels, epochs=1, seeds=0)


def test_a_classifier_needs_samples_to_hold_aside(normal: Normal) -> None:
    with pytest.raises(ValueError, match="10 or more are needed; received 9"):
        softmax_classifier(normal(9, 3), torch.arange(9) % 2)


def test_an_encoder_that_does_not_say_its_shape_is_read_in_chunks(normal: Normal) -> None:
    encoder = nn.Sequential(nn.Conv1d(2, 3, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    model = BiJEPA(encoder, lambda: nn.Linear(3, 3))
    x = normal(4100, 2, 5).float()
    assert torch.allclose(protocol_a(model)(x), model.embed(x), atol=1e-6)
    assert torch.equal(protocol_a(model)(x.numpy()), protocol_a(model)(x))  # type: ignore[arg-type]
    own = nn.Sequential(layers.Conv1d(2, 3, 3), nn.ReLU(), nn.Flatten(-2), layers.Linear(9, 3))
    many = stack([BiJEPA(own, lambda: layers.Linear(3, 3)) for _ in range(6)])
    sizes: list[int] = []
    many.online.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[-3]))
    for views in (x, x.expand(6, *x.shape)):
        assert torch.allclose(protocol_a(many)(views), many.embed(views), atol=1e-6)
    assert sizes == [4096, 4, 4100] * 2
