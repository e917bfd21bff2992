"""Honest rivals: what a nonlinear reading of the same numbers can do, and a network with labels."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bijepa_core._support.checks import inference
from bijepa_core.data.streams import Batches
from bijepa_core.evaluation.probes import Features, check_features
from bijepa_core.experiments import Experiment
from bijepa_core.layers import Linear
from bijepa_core.seeds import Seeds, init_stacked

WIDTHS = (0.03, 0.1, 0.3, 1.0)  # of the kernel: its gamma, times the number of features
PENALTIES = torch.logspace(-9, 0, 19, dtype=torch.float64)


class KernelProbe(NamedTuple):
    """A fitted kernel ridge regression of one seed.

    Args:
        anchors: standardized features of the samples it was fitted on, ``(n, d)``.
        dual: a weight for each, ``(n, k)``.
        mean, scale: of the features, ``(1, d)``.
        center: mean of the targets, ``(1, k)``.
        gamma: of the kernel ``exp(-gamma |a - b|^2)``.
    """

    anchors: Tensor
    dual: Tensor
    mean: Tensor
    scale: Tensor
    center: Tensor
    gamma: float

    def __call__(self, features: Tensor) -> Tensor:
        """Predictions ``(m, k)`` for features ``(m, d)``, in float64."""
        z = (features.cpu().double() - self.mean) / self.scale
        return torch.exp(-self.gamma * torch.cdist(z, self.anchors) ** 2) @ self.dual + self.center


def kernel_probe(features: Tensor, targets: Tensor) -> KernelProbe:
    """Kernel ridge regression with a Gaussian kernel on standardized features, of one seed.

    Width and penalty are chosen by generalized cross-validation on the training data.

    Args:
        features: ``(n, d)``.
        targets: ``(n, k)``.

    Returns:
        The probe, in float64 on the CPU. Its reading of raw windows is the ceiling that a linear
        baseline is not.

    Raises:
        ValueError: if shapes do not fit or values are not finite.

    Source:
        Golub, Heath and Wahba 1979, Technometrics 21(2), for the choice.
    """
    check_features(features, targets)
    f, t = features.cpu().double(), targets.cpu().double()
    n, d = f.shape
    mean, scale = f.mean(0, keepdim=True), f.std(0, keepdim=True).clamp_min(1e-12)
    z, center = (f - mean) / scale, t.mean(0, keepdim=True)
    distances = torch.cdist(z, z) ** 2
    best: tuple[float, KernelProbe] | None = None
    for width in WIDTHS:
        values, vectors = torch.linalg.eigh(torch.exp(-width / d * distances))
        along = vectors.mT @ (t - center)  # (n, k)
        # one row a penalty: how much of each direction stays unexplained
        left = PENALTIES[:, None] * n / (values.clamp_min(0) + PENALTIES[:, None] * n)  # (p, n)
        residual = (left**2 @ along.square()).sum(-1)  # (p,)
        score = residual / (left.sum(-1) / n) ** 2
        chosen = int(score.argmin())
        if best is None or float(score[chosen]) < best[0]:
            dual = vectors @ (left[chosen, :, None] / (PENALTIES[chosen] * n) * along)
            best = (
                float(score[chosen]),
                KernelProbe(z, dual, mean, scale, center, width / d),
            )
    assert best is not None
    return best[1]


class Supervised(nn.Module):
    """An experiment's encoder with a linear layer on top, trained end to end with labels.

    Args:
        experiment: its sizes.
        outputs: numbers to predict.
    """

    seed_axis: int | None = None

    def __init__(self, experiment: Experiment, outputs: int) -> None:
        super().__init__()
        self.online = experiment.encoder(experiment, True)
        self.head = Linear(experiment.embed_dim, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(*seeds, batch, *view)`` to ``(*seeds, batch, outputs)``."""
        return self.head(self.online(x))


def train_supervised(
    experiment: Experiment, batches: Batches, outputs: int, seeds: Seeds
) -> Supervised:
    """Train the same encoder to give the answer itself: same batches, steps and rate.

    Args:
        experiment: sizes and schedule.
        batches: its stream; what stands in y's place is the answer.
        outputs: numbers in an answer.
        seeds: of the weights.

    Returns:
        The trained network.
    """
    model = init_stacked(lambda: Supervised(experiment, outputs), seeds)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=experiment.learning_rate, weight_decay=1e-4, fused=True
    )
    for step in range(experiment.steps):
        x, y = batches(step)
        loss = (model(x) - y).square().mean((-2, -1)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def supervised(experiment: Experiment, batches: Batches, outputs: int, seeds: Seeds) -> Features:
    """The trained network of :func:`train_supervised`, windows to targets, frozen."""
    model = train_supervised(experiment, batches, outputs, seeds)

    def forecast(x: Tensor) -> Tensor:
        with inference(model):
            return model(x)

    return forecast
