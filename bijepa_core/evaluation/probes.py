"""Probes: what can be read from a frozen representation (section 4.1).

A probe reads *features*: any function from views to vectors. Protocol A's are the encoder's
embedding, Protocol B's the forward predictor's output; the raw input and an untrained encoder
are read by the same code. Each task has two probes that measure different things:

* the paper's, a linear layer trained for a fixed number of Adam steps and judged on the data it
  was trained on: it measures how fast the answer can be reached from the scale and
  conditioning that the features happen to have, as much as what they contain;
* the fair one, run to convergence on standardized features, with its regularization chosen
  without the test data and its error held out: it measures what is linearly there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from bijepa_core._support.arrays import as_tensor, takes_arrays
from bijepa_core._support.checks import (
    check_comparable,
    check_counts,
    check_labels,
    check_positive,
    inference,
)
from bijepa_core._support.progress import progress_bar
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.networks import Decoder
from bijepa_core.seeds import Seeds, check_seeds, generator, init_stacked, plain_seeds

Features = Callable[[Tensor], Tensor]
"""Maps views ``(*seeds, batch, *view)`` to vectors ``(*seeds, batch, d)``, frozen."""

Array = NDArray[np.float64]
RIDGE_PENALTIES = torch.logspace(-8, 2, 41, dtype=torch.float64)
SOFTMAX_PENALTIES = (1e-5, 1e-4, 1e-3)


def protocol_a(model: BiJEPA) -> Features:
    """Protocol A's features, the context's embedding s_x (Eq. 10)."""
    return lambda x: _in_chunks(model.embed, x, model)


def protocol_b(model: BiJEPA) -> Features:
    """Protocol B's features, the predicted target embedding P_fwd(s_x) (Eq. 11)."""
    return lambda x: _in_chunks(model.predict_forward, x, model)


@takes_arrays
def raw_input(x: Tensor) -> Tensor:
    """The views themselves as features; ``(*seeds, batch, n)`` only."""
    return x


def _in_chunks(function: Features, x: Tensor, model: BiJEPA, size: int = 4096) -> Tensor:
    if not isinstance(x, Tensor):
        like = next(model.parameters())
        x = as_tensor("x", x, like.dtype).to(like.device)
    shape = getattr(model.online, "input_shape", None)
    if model.seed_axis is None:
        batch = 0
    elif shape is not None:
        batch = x.ndim - len(shape) - 1
    else:  # an encoder of your own may not say; a seed axis is as long as there are seeds
        batch = int(x.shape[0] == model.seed_axis)
    return torch.cat([function(part) for part in x.split(size, dim=batch)], dim=-2)


@dataclass(frozen=True)
class LinearProbe:
    """A fitted linear map from features to targets (or class scores).

    Args:
        weight: ``(*seeds, k, d)``.
        bias: ``(*seeds, k)``.
        training_error: the objective on its own training set, ``(*seeds,)``.
    """

    weight: Tensor
    bias: Tensor
    training_error: Tensor

    @takes_arrays
    def __call__(self, features: Tensor) -> Tensor:
        """Predictions ``(*seeds, n, k)`` for features ``(*seeds, n, d)``."""
        return features.to(self.weight) @ self.weight.mT + self.bias.unsqueeze(-2)

    @takes_arrays
    def mse(self, features: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error, ``(*seeds,)``, on features and targets of the caller's choice."""
        guess = self(features)
        check_comparable(guess, targets)
        return (guess - targets.to(self.weight)).square().mean((-2, -1))

    @takes_arrays
    def accuracy(self, features: Tensor, labels: Tensor) -> Tensor:
        """Share of samples whose highest score is their label's ``(n,)``, ``(*seeds,)``."""
        guess, labels = self(features).argmax(-1), check_labels(labels)
        check_comparable(guess[..., None], labels[:, None])
        return (guess == labels.to(self.weight.device)).double().mean(-1)


@takes_arrays
def adam_probe(
    features: Tensor, targets: Tensor, *, steps: int, seeds: Seeds, learning_rate: float = 0.01
) -> LinearProbe:
    """The paper's regression probe: a linear layer, Adam, a fixed number of full-batch steps.

    Args:
        features: ``(*seeds, n, d)``.
        targets: ``(*seeds, n, k)``.
        steps: 100 for sine, 200 for Lorenz.
        seeds: initialize the layer; a sequence, as long as the features' seed axis.
        learning_rate: Adam's.

    Returns:
        The probe; ``training_error`` is what the paper reports, the error on the probe's own
        training set at the last step (before its update).

    Raises:
        ValueError: if shapes do not fit or values are not finite.

    Source:
        Section 4.1 and the paper's script.
    """
    check_counts(steps=steps)
    check_positive(learning_rate=learning_rate)
    features, targets = check_features(features, targets, seeds)
    head = init_stacked(lambda: Linear(features.shape[-1], targets.shape[-1]), seeds)
    return fit_adam(head, features, targets, steps=steps, learning_rate=learning_rate)


@takes_arrays
def fit_adam(
    head: Linear, features: Tensor, targets: Tensor, *, steps: int, learning_rate: float = 0.01
) -> LinearProbe:
    """:func:`adam_probe` from a linear layer that is already initialized."""
    head.to(features)
    optimizer = torch.optim.Adam(head.parameters(), lr=learning_rate, fused=True)
    error = torch.full((), float("nan"))
    for _ in range(steps):
        error = (head(features) - targets).square().mean((-2, -1))  # (*seeds,)
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
    return LinearProbe(head.weight.detach(), head.bias.detach(), error.detach())


@takes_arrays
def ridge_probe(features: Tensor, targets: Tensor) -> LinearProbe:
    """The fair regression probe: ridge regression in closed form, standardized features.

    The penalty comes from :data:`RIDGE_PENALTIES` by generalized cross-validation on the
    training data. Judge it on held-out data with :meth:`LinearProbe.mse`.

    Args and errors as :func:`adam_probe`.

    Returns:
        The probe, in float64 on the CPU, standardization folded into weight and bias.

    Source:
        Golub, Heath and Wahba 1979, Technometrics 21(2), for the penalty.
    """
    features, targets = check_features(features, targets)
    if features.shape[-1] >= features.shape[-2]:
        raise ValueError(
            "generalized cross-validation needs more samples than features; received "
            f"{features.shape[-2]} samples of {features.shape[-1]} features. Use more data."
        )
    f, t = features.cpu().double(), targets.cpu().double()
    n = f.shape[-2]
    mean, scale = _standardization(f)
    z = (f - mean) / scale  # (*seeds, n, d)
    center = t.mean(-2, keepdim=True)
    r = t - center  # (*seeds, n, k)
    values, vectors = torch.linalg.eigh(z.mT @ z / n)
    values = values.clamp_min(0)
    along = vectors.mT @ (z.mT @ r) / n  # (*seeds, d, k): targets along each eigenvector
    # One row a penalty: shrinkage (p, *seeds, d), degrees of freedom and residual (p, *seeds)
    penalties = RIDGE_PENALTIES.reshape(-1, *[1] * values.ndim)
    inverse = 1 / (values + penalties)
    shrink = values * inverse
    energy = along.square().sum(-1)  # (*seeds, d)
    residual = r.square().mean(-2).sum(-1) - (energy * (2 * inverse - values * inverse**2)).sum(-1)
    freedom = 1 + shrink.sum(-1)
    score = residual / (1 - freedom / n) ** 2  # (p, *seeds)
    best = score.argmin(0, keepdim=True)  # (1, *seeds)
    chosen = inverse.gather(0, best[..., None].expand(1, *inverse.shape[1:]))[0]  # (*seeds, d)
    weight = (vectors @ (chosen[..., None] * along)).mT / scale  # (*seeds, k, d)
    bias = (center - mean @ weight.mT).squeeze(-2)
    probe = LinearProbe(weight, bias, torch.zeros(()))
    return LinearProbe(weight, bias, probe.mse(f, t))


@takes_arrays
def adam_classifier(
    features: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    seeds: Seeds,
    batch_size: int = 256,
    learning_rate: float = 0.01,
    progress: bool = True,
) -> LinearProbe:
    """The paper's classifier: a linear layer, Adam, a fixed number of epochs.

    Args:
        features: ``(*seeds, n, d)``, computed once: an epoch costs no pass of the encoder.
        labels: ``(n,)``, from 0.
        epochs, batch_size: 10 and 256 in the paper.
        seeds: initialize the layer and shuffle the samples.
        learning_rate: Adam's; 0.01 in the paper.
        progress: show a bar where somebody can see it.

    Returns:
        The probe; ``training_error`` is the mean cross-entropy of the last epoch's batches.

    Raises:
        ValueError: if shapes do not fit or values are not finite.

    Source:
        Section 4.4 and the paper's script. The paper reports the accuracy on the test images.
    """
    check_counts(epochs=epochs)
    check_positive(learning_rate=learning_rate)
    labels = check_labels(labels)
    features, _ = check_features(features, labels[:, None], seeds)
    classes = int(labels.max()) + 1
    head = init_stacked(lambda: Linear(features.shape[-1], classes), seeds).to(features)
    optimizer = torch.optim.Adam(head.parameters(), lr=learning_rate, fused=True)

    def objective(batch: Tensor, rows: Tensor) -> Tensor:
        scores = head(batch)  # (*seeds, batch, classes)
        return (
            F.cross_entropy(scores.movedim(-1, 1), labels[rows], reduction="none").mean(-1)
            if scores.ndim == 3
            else F.cross_entropy(scores, labels[rows])
        )

    error = _fit_epochs(
        objective, optimizer, features, epochs, seeds, batch_size, "classifier", progress
    )
    return LinearProbe(head.weight.detach(), head.bias.detach(), error)


@takes_arrays
def softmax_classifier(features: Tensor, labels: Tensor, *, seed: int = 0) -> LinearProbe:
    """The fair classifier: L2-penalized softmax regression on standardized features.

    Minimized by scipy's L-BFGS until the gradient vanishes. The penalty is the one of
    :data:`SOFTMAX_PENALTIES` that does best on a tenth of the training samples held aside; the
    final fit uses them all. Judge it on held-out data with :meth:`LinearProbe.accuracy`.

    Args:
        features, labels: as in :func:`adam_classifier`.
        seed: decides which samples are held aside.

    Returns:
        The probe, in float64 on the CPU; ``training_error`` is the mean cross-entropy.

    Raises:
        ValueError: if shapes do not fit, values are not finite, or there are fewer than 10 samples.
    """
    labels = check_labels(labels)
    (seed,), (features, _) = check_seeds([seed]), check_features(features, labels[:, None])
    if len(labels) < 10:
        raise ValueError(
            f"a tenth of the samples is held aside: 10 or more are needed; received {len(labels)}."
        )
    if features.ndim == 3:
        each = [softmax_classifier(one, labels, seed=seed) for one in features]
        return LinearProbe(
            torch.stack([p.weight for p in each]),
            torch.stack([p.bias for p in each]),
            torch.stack([p.training_error for p in each]),
        )
    f, y = features.cpu().double(), labels.cpu()
    mean, scale = _standardization(f)
    z = (f - mean) / scale
    classes = int(y.max()) + 1
    order = torch.randperm(len(y), generator=generator(seed, "softmax/validation"))
    aside, used = order[: len(y) // 10], order[len(y) // 10 :]
    scores = []
    for penalty in SOFTMAX_PENALTIES:
        weight, bias = _fit_softmax(z[used], y[used], classes, penalty)
        scores.append(F.cross_entropy(z[aside] @ weight.mT + bias, y[aside]))
    best = SOFTMAX_PENALTIES[int(torch.stack(scores).argmin())]
    weight, bias = _fit_softmax(z, y, classes, best)
    error = F.cross_entropy(z @ weight.mT + bias, y)
    weight = weight / scale
    return LinearProbe(weight, bias - (mean @ weight.mT).squeeze(0), error)


def _fit_softmax(z: Tensor, y: Tensor, classes: int, penalty: float) -> tuple[Tensor, Tensor]:
    from scipy.optimize import minimize

    n, d = z.shape
    truth = F.one_hot(y, classes).double()
    # Coordinates in which the curvature is nearly the same in all directions: hundreds of
    # iterations become tens. The minimum stays where it is.
    values, vectors = torch.linalg.eigh(z.mT @ z / n)
    basis = vectors / (values.clamp_min(0) + penalty).sqrt()  # (d, d)
    u = z @ basis

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = torch.from_numpy(flat).view(classes, d + 1)
        theta, bias = parameters[:, :d], parameters[:, d]
        weight = theta @ basis.mT
        log_p = torch.log_softmax(u @ theta.mT + bias, -1)
        gap = (log_p.exp() - truth) / n  # (n, classes)
        slope = gap.mT @ u + penalty * weight @ basis
        gradient = torch.cat([slope, gap.sum(0)[:, None]], dim=1)
        value = -(log_p * truth).sum() / n + penalty / 2 * weight.square().sum()
        return float(value), gradient.numpy().ravel()

    options = {"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-6}
    start = np.zeros(classes * (d + 1))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    parameters = torch.from_numpy(found.x).view(classes, d + 1)
    return parameters[:, :d] @ basis.mT, parameters[:, d]


@dataclass(frozen=True)
class TrainedDecoder:
    """A generative decoder and its error on its own training set, as the paper reports it.

    Args:
        decoder: maps features ``(*seeds, n, d)`` to pixels ``(*seeds, n, pixels)``.
        training_error: mean squared error over the last epoch's batches, ``(*seeds,)``.
    """

    decoder: nn.Module
    training_error: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """The hallucinated pixels, in 0..1; batch statistics frozen."""
        with inference(self.decoder):
            return torch.as_tensor(self.decoder(features))

    @takes_arrays
    def mse(self, features: Tensor, pixels: Tensor) -> Tensor:
        """Mean squared error, ``(*seeds,)``, on features and pixels of the caller's choice."""
        drawn = self(features)
        check_comparable(drawn, pixels)
        return (drawn - pixels).square().mean((-2, -1))


@takes_arrays
def train_decoder(
    features: Tensor,
    pixels: Tensor,
    *,
    epochs: int,
    seeds: Seeds,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    progress: bool = True,
) -> TrainedDecoder:
    """The generative decoder of experiment 3, on any features: Protocol A's or Protocol B's.

    Args:
        features, epochs, seeds, batch_size, progress: as in :func:`adam_classifier`.
        pixels: ``(n, p)`` in 0..1, the half to hallucinate.
        learning_rate: Adam's; 1e-3 in the paper.

    Returns:
        The decoder. It measures how much of the missing half a nonlinear map can draw.

    Raises:
        ValueError: if shapes do not fit, or values are not finite or outside 0..1.

    Source:
        Section 4.4 and the paper's script.
    """
    check_counts(epochs=epochs)
    check_positive(learning_rate=learning_rate)
    features, pixels = check_features(features, pixels, seeds)
    if pixels.min() < 0 or pixels.max() > 1:
        raise ValueError(
            f"pixels must lie in 0..1, the range of the decoder's sigmoid; received "
            f"{float(pixels.min()):g} to {float(pixels.max()):g}. Rescale them."
        )
    width, count = features.shape[-1], pixels.shape[-1]
    decoder = init_stacked(lambda: Decoder(width, count), seeds).to(features)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=learning_rate, fused=True)

    def objective(batch: Tensor, rows: Tensor) -> Tensor:
        return (decoder(batch) - pixels[rows]).square().mean((-2, -1))

    error = _fit_epochs(
        objective, optimizer, features, epochs, seeds, batch_size, "decoder", progress
    )
    decoder.eval()
    return TrainedDecoder(decoder, error)


def _fit_epochs(
    objective: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    features: Tensor,
    epochs: int,
    seeds: Seeds,
    batch_size: int,
    name: str,
    progress: bool,
) -> Tensor:
    """Minimize over shuffled batches; the mean objective of the last epoch, ``(*seeds,)``."""
    many = not isinstance(seeds, int)
    stream = ShuffledBatches(
        features, features, batch_size=batch_size, seeds=seeds, per_seed=many and features.ndim == 3
    )
    per_epoch, errors = stream.steps_per_epoch, []
    for step in progress_bar(range(epochs * per_epoch), progress, name):
        rows = stream.indices(step)
        if rows.shape[-1] == 1 and per_epoch > 1:
            continue  # one sample has no batch statistics to normalize by
        batch, _ = stream(step)
        error = objective(batch, rows)
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
        if step >= (epochs - 1) * per_epoch:
            errors.append(error.detach())
    return torch.stack(errors).mean(0)


def _standardization(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation ``(*seeds, 1, d)``; a constant feature keeps scale 1."""
    scale = features.std(-2, keepdim=True, correction=0)
    constant = scale <= 1e-12 * features.abs().amax(-2, keepdim=True)
    return features.mean(-2, keepdim=True), torch.where(constant, torch.ones_like(scale), scale)


def check_features(
    features: Tensor, targets: Tensor, seeds: Seeds | None = None
) -> tuple[Tensor, Tensor]:
    """Features and targets, without their graph, once they fit each other and are finite.

    Args:
        features: ``(*seeds, n, d)``.
        targets: ``(*seeds, n, k)``, or ``(n, k)`` for all seeds.
        seeds: where the probe has seeds of its own: as many as the features' seed axis.

    Raises:
        ValueError: naming what is wrong.
    """
    features, targets = as_tensor("features", features), as_tensor("targets", targets)
    if not features.is_floating_point():
        features = features.to(torch.get_default_dtype())
    seeds = None if seeds is None else plain_seeds(seeds)
    if features.ndim not in (2, 3) or targets.ndim not in (2, 3) or 0 in features.shape:
        raise ValueError(
            "features must be (*seeds, n, d) and targets (*seeds, n, k), none empty; received "
            f"{tuple(features.shape)} and {tuple(targets.shape)}."
        )
    if features.shape[-2] != targets.shape[-2]:
        raise ValueError(
            f"one target for each sample: received {features.shape[-2]} samples of features and "
            f"{targets.shape[-2]} targets."
        )
    axis = len(features) if features.ndim == 3 else None
    heads = axis if seeds is None or isinstance(seeds, int) else len(seeds)
    if targets.ndim == 3 and len(targets) != heads:
        raise ValueError(
            f"seed axes must agree; received {tuple(features.shape)} and {tuple(targets.shape)}."
        )
    if axis is not None and seeds is not None and (isinstance(seeds, int) or heads != axis):
        raise ValueError(
            f"seeds must be a sequence as long as the features' seed axis, {axis}; "
            f"received {seeds!r}."
        )
    for name, values in (("features", features), ("targets", targets)):
        if not torch.isfinite(values).all():
            raise ValueError(
                f"{name} must be finite; some are NaN or infinite. Did training explode?"
            )
    return features, targets
