"""Probes of many seeds: the same answers as one at a time, and an end that is one."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from bijepa_book.evidence.second import stacked
from bijepa_core.evaluation.probes import softmax_classifier
from bijepa_core.layers import Linear
from bijepa_core.seeds import init_stacked

Normal = Callable[..., Tensor]


def test_the_minima_of_quadratics_are_the_solutions_of_linear_equations(normal: Normal) -> None:
    """Also where the first step is far too long, and where one seed has arrived long before."""
    roots = normal(3, 6, 8) * torch.tensor([0.1, 1.0, 30.0]).double()[:, None, None]
    curvature, pull = roots @ roots.mT + 0.01 * torch.eye(6).double(), normal(3, 6)

    def objective(x: Tensor) -> tuple[Tensor, Tensor]:
        bent = (curvature @ x[..., None])[..., 0]
        return (x * (bent / 2 - pull)).sum(-1), bent - pull

    found = stacked.minimized(objective, torch.zeros(3, 6).double(), tolerance=1e-9)
    torch.testing.assert_close(found, torch.linalg.solve(curvature, pull), rtol=1e-5, atol=1e-6)


def test_softmax_regression_is_the_one_that_is_fitted_seed_by_seed(normal: Normal) -> None:
    """Three seeds with features of very different scale, of which one says nothing."""
    x = normal(3, 600, 5) * torch.tensor([1e-2, 1.0, 50.0]).double()[:, None, None]
    labels = (x[1, :, :3] / 2 + normal(600, 3)).argmax(-1)
    x[0, :, 0] += 0.02 * labels
    x[:, :, 4] = 7.0
    seen, unseen, truth = x[:, :400], x[:, 400:], labels[400:]
    found = stacked.softmax_accuracy(seen, labels[:400], unseen, truth)
    expected = softmax_classifier(seen, labels[:400]).accuracy(unseen, truth)
    assert torch.equal(found, expected)
    assert found[1] > 0.45 > found[2]


def test_what_has_converged_is_the_solution_and_stays_it(normal: Normal) -> None:
    """A linear layer finds the map behind its data; twice the epochs change nothing."""
    x, weight = normal(2, 2400, 3).float(), normal(2, 4, 3).float()
    targets = x @ weight.mT

    def loss(out: Tensor, rows: Tensor) -> Tensor:
        return (out - targets[:, rows]).square().mean((-2, -1))

    for epochs in (60, 120):
        layer = init_stacked(lambda: Linear(3, 4), (0, 1))
        found = stacked.converged(layer, x, loss, epochs=epochs, learning_rate=0.05)
        torch.testing.assert_close(found.weight.detach(), weight, rtol=0, atol=1e-3)


def test_of_each_seed_the_best_epoch_is_kept() -> None:
    """Seed 0 is pulled away from where it began, and seed 1 toward its goal."""
    x = torch.ones(2, 24, 1)
    aside = stacked.HELD_ASIDE

    def loss(out: Tensor, rows: Tensor) -> Tensor:
        judged = len(rows) == 24 // aside
        goals = torch.tensor([-1.0, 1.0] if judged else [1.0, 1.0])
        return (out[..., 0] - goals[:, None]).square().mean(-1)

    def trained(epochs: int) -> list[float]:
        layer = init_stacked(lambda: Linear(1, 1, bias=False), (0, 1))
        nn.init.zeros_(layer.weight)
        kept = stacked.converged(layer, x, loss, epochs=epochs, learning_rate=0.1)
        return cast(list[float], kept.weight.flatten().tolist())

    away, toward = trained(5)
    assert away == trained(5)[0] < toward
    assert away < 0.15  # one step: Adam's first is as long as its rate
