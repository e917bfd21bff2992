"""Each number that is reported, against something that is not this package."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_core.evaluation import metrics
from bijepa_core.evaluation.metrics import (
    auroc,
    fraction_unexplained,
    mahalanobis,
    neighbor_accuracy,
    neighbor_errors,
    per_seed,
    sharpness,
    training_summary,
)
from bijepa_core.evaluation.probes import ridge_probe
from bijepa_core.evaluation.scores import held_out_mse
from bijepa_core.history import History

Normal = Callable[..., Tensor]


def least_squares(x: Tensor, y: Tensor, unseen: Tensor, truth: Tensor) -> list[float]:
    """Held-out error of least squares with a constant, by numpy, one number a seed."""
    errors = []
    for f, t, u, w in zip(x, y, unseen, truth, strict=True):
        a, b = (np.column_stack([v.double().numpy(), np.ones(len(v))]) for v in (f, u))
        forecast = b @ np.linalg.lstsq(a, t.double().numpy(), rcond=None)[0]
        errors.append(float(np.square(forecast - w.double().numpy()).mean()))
    return errors


def neighbors(features: Tensor, targets: Tensor, unseen: Tensor, truth: Tensor) -> list[float]:
    """Held-out error of scikit-learn's nearest neighbors, one number a seed."""
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.preprocessing import StandardScaler

    errors = []
    for f, t, u, w in zip(features, targets, unseen, truth, strict=True):
        scaler = StandardScaler().fit(f.double().numpy())
        knn = KNeighborsRegressor(10).fit(scaler.transform(f.double().numpy()), t.double().numpy())
        guess = knn.predict(scaler.transform(u.double().numpy()))
        errors.append(float(np.square(guess - w.double().numpy()).mean()))
    return errors


def test_per_seed_is_a_list_with_a_seed_axis_and_without() -> None:
    assert per_seed(torch.tensor(2.5)) == [2.5]
    assert per_seed(torch.tensor([1.0, 3.0], requires_grad=True)) == [1.0, 3.0]


def test_the_held_out_error_of_a_probe_is_that_of_least_squares(normal: Normal) -> None:
    x, unseen, mix = normal(2, 400, 6), normal(2, 300, 6), normal(2, 6, 2)
    y, truth = x @ mix + normal(2, 400, 2), unseen @ mix + normal(2, 300, 2)
    errors = held_out_mse(ridge_probe(x, y), unseen, truth)
    assert errors == pytest.approx(least_squares(x, y, unseen, truth), rel=0.01)
    assert errors != pytest.approx(least_squares(x, y, x, y), rel=0.01)  # not the training error


def test_neighbors_are_those_of_scikit_learn(normal: Normal) -> None:
    scale = torch.tensor([1e-3, 1.0, 1e3, 1.0])
    x, unseen = normal(2, 90, 4) * scale, normal(2, 70, 4) * scale
    y, truth = x[..., :2] / scale[:2], unseen[..., :2] / scale[:2]
    expected = neighbors(x, y, unseen, truth)
    assert neighbor_errors(x, y, unseen, truth) == pytest.approx(expected, rel=1e-9)


def test_a_single_neighbor_of_a_known_point_is_the_point(
    normal: Normal, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = normal(2, 50, 3), normal(2, 50, 2)
    monkeypatch.setattr(metrics, "NEIGHBORS", 1)
    assert neighbor_errors(x, y, x[:, 5:], y[:, 5:]) == [0, 0]


def test_neighbors_do_not_depend_on_where_the_origin_is(normal: Normal) -> None:
    x, y = normal(1, 200, 3).float(), normal(1, 200, 2).float()
    far = x + 1e4
    expected = neighbors(far, y, far, y)
    assert neighbor_errors(far, y, far, y) == pytest.approx(expected, rel=1e-6)


def test_votes_are_those_of_scikit_learn(normal: Normal) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    bank, queries = normal(200, 3), normal(80, 3)
    labels, truth = (values[:, 0].mul(3).long().clamp(0, 4) for values in (bank, queries))
    model = KNeighborsClassifier(1).fit(bank.numpy(), labels.numpy())
    assert neighbor_accuracy(queries, bank, truth, labels, count=1) == pytest.approx(
        model.score(queries.numpy(), truth.numpy())
    )
    with pytest.raises(ValueError, match="201 neighbors need as many rows or more; received 200"):
        neighbor_accuracy(queries, bank, truth, labels, count=201)


def test_distance_and_auroc_are_those_of_scipy_and_scikit_learn(normal: Normal) -> None:
    from scipy.spatial.distance import mahalanobis as by_scipy
    from sklearn.metrics import roc_auc_score

    good, odd = normal(300, 4) @ normal(4, 4), 2 * normal(50, 4)
    inverse = np.linalg.inv(np.cov(good.numpy().T))
    expected = [by_scipy(row, good.numpy().mean(0), inverse) ** 2 for row in odd.numpy()]
    distance = mahalanobis(good)
    assert distance(odd).tolist() == pytest.approx(expected)
    flat = torch.cat([good, good[:, :1]], 1)  # a direction without variance
    assert bool(torch.isfinite(mahalanobis(flat, floor=1e-6)(flat)).all())
    scores = torch.cat([distance(good), distance(odd)]).round()  # with ties
    truth = np.repeat([0, 1], [len(good), len(odd)])
    assert auroc(*scores.split([300, 50])) == pytest.approx(roc_auc_score(truth, scores.numpy()))


def test_blurring_lowers_sharpness_by_what_it_takes_from_the_edges() -> None:
    step = torch.zeros(3, 4, 6)
    step[..., 3:] = 1  # one edge of height one in each of four rows
    assert sharpness(step, step) == 1
    assert sharpness(0.25 * step, step) == pytest.approx(0.25)
    assert sharpness(step.mT, step) == 1


def test_unexplained_is_one_for_the_mean_and_nothing_for_the_truth(normal: Normal) -> None:
    truth = 3 + normal(2, 40, 5)
    mean = truth.mean(-2, keepdim=True).expand_as(truth)
    assert fraction_unexplained(mean, truth).tolist() == pytest.approx([1, 1])
    assert fraction_unexplained(truth, truth).tolist() == [0, 0]
    mirrored = 2 * mean - truth
    assert fraction_unexplained(mirrored, truth).tolist() == pytest.approx([4, 4])


def history(loss: Tensor, relative: Tensor | None = None) -> History:
    """A history with one loss, ``(steps, seeds)``, in both directions."""
    rows = torch.ones(len(loss), loss.shape[1]) if relative is None else relative
    names = ("norm", "variance", "effective_rank")
    return History(
        1,
        {"total": 2 * loss, "forward": loss, "backward": loss},
        {"relative_loss": rows, **{name: torch.ones_like(rows) for name in names}},
    )


def test_a_falling_loss_never_rises_and_a_rising_one_always() -> None:
    falling = torch.linspace(2, 1, 1_000)
    mixed = torch.where(torch.arange(1_000) < 500, falling, 4 - falling)
    summary = training_summary(history(torch.stack([falling, falling.flip(0), mixed], 1)))
    assert summary["rises"][:2] == [0, 1]
    # five means fall, then five rise; the step up between the two is one more
    assert summary["rises"][2] == pytest.approx(5 / 9)
    assert summary["train_loss"] == pytest.approx([1.05, 1.95, 2.95], abs=1e-3)


def test_the_relative_loss_comes_back_from_its_lowest() -> None:
    relative = torch.ones(200, 2)
    relative[50:60, 0] = 0.25  # a twentieth of the run, at a quarter
    relative[180:] = 0.5
    relative[:, 1] = torch.linspace(3, 1, 200)
    summary = training_summary(history(torch.ones(200, 2), relative))
    assert summary["relative_rebound"][0] == pytest.approx(2)
    assert summary["relative_rebound"][1] == pytest.approx(1.1 / 1.05, abs=0.02)


def test_roughness_is_of_what_exists_and_does_not_depend_on_scale(normal: Normal) -> None:
    loss = torch.exp(0.1 * normal(4_000, 2))
    one = history(loss)
    one.losses["backward"] = torch.full_like(loss, float("nan"))
    summary = training_summary(one)
    assert "roughness_backward" not in summary
    assert summary["roughness_forward"] == pytest.approx([0.1, 0.1], rel=0.05)
    assert summary["roughness"] == pytest.approx(summary["roughness_forward"])


def test_arrays_give_the_numbers_of_tensors(normal: Normal) -> None:
    a, b = normal(2, 30, 3), normal(2, 30, 3)
    labels = torch.arange(30) % 3
    own: Any = labels.to(torch.uint8).numpy()  # as image sets have them
    cases: list[tuple[Callable[..., Any], tuple[Tensor, ...]]] = [
        (neighbor_errors, (a, b, b, a)),
        (fraction_unexplained, (a, b)),
        (auroc, (a[0, :, 0], b[0, :, 0])),
        (sharpness, (a, b)),
        (lambda one, two: mahalanobis(one)(two), (a[0], b[0])),
    ]
    for function, given in cases:
        ours = function(*(one.float().numpy() for one in given))
        tensors = function(*(one.float() for one in given))
        assert torch.equal(torch.as_tensor(ours), torch.as_tensor(tensors))
    by_seed = [neighbor_errors(*rows) for rows in zip(a, b, b, a, strict=True)]
    assert [error for (error,) in by_seed] == neighbor_errors(a, b, b, a)
    votes = neighbor_accuracy(a[0], b[0], labels, labels)
    queries: Any = a[0].numpy()
    assert neighbor_accuracy(queries, b[0], own, own) == pytest.approx(votes)


@pytest.mark.parametrize(("good", "odd"), [([], [1.0]), ([1.0], []), ([1.0], [float("nan")])])
def test_scores_that_cannot_be_compared_are_named(good: list[float], odd: list[float]) -> None:
    with pytest.raises(ValueError, match=f"received {len(good)} good and {len(odd)} odd"):
        auroc(torch.tensor(good), torch.tensor(odd))


NOTHING: Any = None
ONES = torch.ones(20).long()
LIST: Any = [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: auroc(NOTHING, x), "good must be a tensor or an array; received NoneType"),
        (lambda x: mahalanobis(LIST)(x), "good must be a tensor or an array; received list"),
        (lambda x: mahalanobis(x)(x[:, :2]), r"others \(20, 2\)"),
        (lambda x: mahalanobis(x[:1]), r"two or more finite samples.*received \(1, 6\), 0"),
        (lambda x: mahalanobis(x / 0), r"received \(20, 6\), 120 values"),
        (lambda x: fraction_unexplained(x, x[:3]), r"guesses \(20, 6\) and truth \(3, 6\)"),
        (lambda x: fraction_unexplained(x[:, :1], x), r"guesses \(20, 1\) and truth \(20, 6\)"),
        (lambda x: fraction_unexplained(x, x[:, 0]), r"\(n, 1\): y\[:, None\]"),
        (lambda x: neighbor_errors(x, x[:3], x, x), r"seen and targets .*\(1, 3, 6\)"),
        (lambda x: neighbor_errors(x, x[:, 0], x, x[:, 0]), r"n, k\).*received \(1, 20\)"),
        (lambda x: neighbor_errors(x, x, x / 0, x), "unseen must be finite; 120 of its 120"),
        (lambda x: neighbor_errors(x[:5], x[:5], x, x), "10 neighbors need .* received 5"),
        (lambda x: neighbor_accuracy(x / 0, x, ONES, ONES), "queries must be fi"),
        (lambda x: sharpness(x[0], x), r"drawn \(6,\), truth \(20, 6\)"),
    ],
)
def test_what_cannot_be_measured_is_named(
    call: Callable[[Any], Any], message: str, normal: Normal
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call(normal(20, 6))
