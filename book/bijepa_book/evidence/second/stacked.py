"""Probes for all seeds at once, on any device, each run until it has converged.

What :mod:`bijepa_core.evaluation.probes` fits one seed at a time on a CPU, and two probes that are
not linear, which are to be given :func:`standardized` features: their scale shall play no role.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_core._support.checks import inference
from bijepa_core.evaluation.metrics import SMALL
from bijepa_core.evaluation.probes import SOFTMAX_PENALTIES
from bijepa_core.layers import Linear
from bijepa_core.networks import Decoder
from bijepa_core.seeds import Seeds, check_seeds, generator, init_stacked, stack

N = TypeVar("N", bound=nn.Module)
HELD_ASIDE = 12  # one training image in so many: 5,000 of 60,000
BATCH = 512
EPOCHS = 30
HIDDEN = 256
FINAL, RANKED = 1e-6, 1e-5  # slopes that are left of a last fit, and of one that ranks a penalty
Objective = Callable[[Tensor], tuple[Tensor, Tensor]]
Pair = tuple[Tensor, Tensor, Tensor]  # a move, the slope's change, 1 over their product


def standardized(seen: Tensor, unseen: Tensor) -> tuple[Tensor, Tensor]:
    """Features in units of their spread over the training set.

    Args:
        seen, unseen: ``(*seeds, n, d)``; the first decides mean and deviation.

    Returns:
        Both.
    """
    mean, scale = center_and_scale(seen)
    return (seen - mean) / scale, (unseen - mean) / scale


def center_and_scale(seen: Tensor) -> tuple[Tensor, Tensor]:
    """What :func:`standardized` takes away, and divides by.

    Args:
        seen: ``(*seeds, n, d)``.

    Returns:
        Both ``(*seeds, 1, d)``; the scale is 1 where a dimension is constant.
    """
    scale = seen.std(-2, keepdim=True, correction=0)
    scale = torch.where(scale <= SMALL * seen.abs().amax(-2, keepdim=True), 1.0, scale)
    return seen.mean(-2, keepdim=True), scale


# --- softmax regression -----------------------------------------------------------------------


def softmax_accuracy(seen: Tensor, labels: Tensor, unseen: Tensor, truth: Tensor) -> Tensor:
    """Accuracy of :func:`bijepa_core.evaluation.probes.softmax_classifier`, for all seeds at once.

    The same minimum, penalties and samples held aside; another way there.

    Args:
        seen: ``(seeds, n, d)``; ``labels``, ``(n,)``.
        unseen: ``(seeds, m, d)``; ``truth``, ``(m,)``.

    Returns:
        ``(seeds,)``.
    """
    z, queries = standardized(seen.double(), unseen.double())
    order = torch.randperm(len(labels), generator=generator(0, "softmax/validation")).to(z.device)
    aside, used = order[: len(labels) // 10], order[len(labels) // 10 :]
    penalties = torch.tensor(SOFTMAX_PENALTIES, dtype=z.dtype, device=z.device)
    part, part_labels, judged = z[:, used], labels[used], labels[aside].expand(len(z), -1)
    errors = []
    for penalty in penalties:
        weight, bias = _softmax(part, part_labels, penalty.expand(len(z)), RANKED)
        scores = torch.baddbmm(bias[:, None], z[:, aside], weight.mT)
        errors.append(F.cross_entropy(scores.mT, judged, reduction="none").mean(-1))
    del part
    weight, bias = _softmax(z, labels, penalties[torch.stack(errors).argmin(0)])
    chosen = torch.baddbmm(bias[:, None], queries, weight.mT).argmax(-1)
    return (chosen == truth).double().mean(-1)


def _softmax(
    z: Tensor, labels: Tensor, penalty: Tensor, tolerance: float = FINAL
) -> tuple[Tensor, Tensor]:
    """Weight and bias of least cross-entropy plus ``penalty / 2 * |weight|^2``, a seed each."""
    seeds, n, d = z.shape
    classes = int(labels.max()) + 1
    values, vectors = torch.linalg.eigh(z.mT @ z / n)
    # coordinates in which the curvature is nearly the same in all directions, and at most 1
    basis = vectors / (values.clamp_min(0) + penalty[:, None]).sqrt()[:, None]  # (seeds, d, d)
    u = torch.cat([z @ basis, z.new_ones(seeds, n, 1)], dim=-1)
    truth = F.one_hot(labels, classes).to(z)
    strength = penalty[:, None, None]

    def objective(flat: Tensor) -> tuple[Tensor, Tensor]:
        theta = flat.unflatten(-1, (classes, d + 1))
        weight = theta[..., :d] @ basis.mT
        log_p = torch.log_softmax(u @ theta.mT, -1)  # (seeds, n, classes)
        value = -(log_p * truth).sum((-2, -1)) / n + penalty / 2 * weight.square().sum((-2, -1))
        slope = ((log_p.exp() - truth) / n).mT @ u
        slope[..., :d] += strength * (weight @ basis)
        return value, slope.flatten(1)

    theta = minimized(objective, z.new_zeros(seeds, classes * (d + 1)), tolerance=tolerance)
    theta = theta.unflatten(-1, (classes, d + 1))
    return theta[..., :d] @ basis.mT, theta[..., d]


def minimized(
    objective: Objective,
    start: Tensor,
    *,
    tolerance: float = FINAL,
    most: int = 1000,
    kept: int = 10,
) -> Tensor:
    """The minima of many smooth convex functions at once, by L-BFGS.

    Args:
        objective: maps points ``(seeds, p)`` to values ``(seeds,)`` and slopes ``(seeds, p)``.
        start: the first points.
        tolerance: the largest entry of a slope at which a point is left where it is.
        most: evaluations.
        kept: pairs of a move and the slope's change that stand for the curvature.

    Returns:
        ``(seeds, p)``.

    Source:
        Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 3.1.
    """
    x, length = start, torch.ones_like(start[:, :1])
    value, slope = objective(x)
    pairs: list[Pair] = []
    scale = torch.ones_like(length)
    for _ in range(most):
        active = slope.abs().amax(-1) > tolerance
        if not active.any():
            break
        step = -length * _newton(slope, pairs, scale)
        new_value, new_slope = objective(x + step)
        slack = 1e-15 * value.abs()  # of rounding
        falls = new_value <= value + 1e-4 * (slope * step).sum(-1) + slack
        moves = (active & falls)[:, None]
        bend = new_slope - slope
        along, across = _dot(step, bend), _dot(bend, bend)
        tells = moves & (along > 0)
        # of a seed that stays, a pair says nothing: its inverse curvature is 0
        inverse = torch.where(tells, 1 / torch.where(tells, along, 1.0), 0.0)
        pairs = [*pairs, (step, bend, inverse)][-kept:]
        scale = torch.where(tells, along / torch.where(tells, across, 1.0), scale)
        x = torch.where(moves, x + step, x)
        value = torch.where(moves[:, 0], new_value, value)
        slope = torch.where(moves, new_slope, slope)
        length = torch.where(moves, 1.0, length / 2)
    return x


def _newton(slope: Tensor, pairs: list[Pair], scale: Tensor) -> Tensor:
    """The slope times the inverse curvature that the pairs tell of: the two-loop recursion."""
    q, weights = slope, []
    for step, bend, inverse in reversed(pairs):
        weights.append(inverse * _dot(step, q))
        q = q - weights[-1] * bend
    q = scale * q
    for (step, bend, inverse), weight in zip(pairs, reversed(weights), strict=True):
        q = q + (weight - inverse * _dot(bend, q)) * step
    return q


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)


# --- probes that are not linear ---------------------------------------------------------------


def mlp_accuracy(
    seen: Tensor, labels: Tensor, unseen: Tensor, truth: Tensor, *, seeds: Seeds, epochs: int
) -> Tensor:
    """Accuracy of a classifier with one hidden layer of 256, trained by :func:`converged`.

    Not kernel ridge: on 60,000 images it needs anchors, and with them a width and a penalty to
    choose, at many times the cost. Here samples held aside choose one thing, the epoch.

    Args:
        seen: ``(seeds, n, d)``, or ``(n, d)`` for all; ``labels``, ``(n,)``.
        unseen: likewise; ``truth``, ``(m,)``.
        seeds: initialize it.
        epochs: see :func:`converged`.

    Returns:
        ``(seeds,)``.
    """
    network = mlp_classifier(seen, labels, seeds=seeds, epochs=epochs)
    with inference(network):
        return (network(unseen).argmax(-1) == truth).double().mean(-1)


def mlp_classifier(seen: Tensor, labels: Tensor, *, seeds: Seeds, epochs: int) -> nn.Module:
    """The classifier that :func:`mlp_accuracy` judges.

    Args:
        seen, labels, seeds, epochs: see there.

    Returns:
        It maps ``(n, d)`` or ``(seeds, n, d)`` to scores ``(seeds, n, classes)``.
    """
    width, classes = seen.shape[-1], int(labels.max()) + 1
    network: nn.Module = init_stacked(
        lambda: nn.Sequential(Linear(width, HIDDEN), nn.ReLU(), Linear(HIDDEN, classes)),
        check_seeds(seeds),
    )

    def loss(scores: Tensor, rows: Tensor) -> Tensor:
        wanted = labels[rows].expand(len(scores), -1)
        return F.cross_entropy(scores.mT, wanted, reduction="none").mean(-1)

    return converged(network, seen, loss, epochs=epochs)


def drawings(
    seen: list[Tensor], pixels: list[Tensor], unseen: list[Tensor], *, seeds: Seeds, epochs: int
) -> list[Tensor]:
    """What the decoder draws once it has converged: several readings in one training.

    Each reading's decoder starts from the seed's own weights, the same in all readings.

    Args:
        seen: for each reading, features ``(seeds, n, d)``.
        pixels: for each, the halves to draw, ``(n, p)`` in 0..1.
        unseen: for each, features ``(seeds, m, d)`` to draw from.
        seeds: initialize the decoders.
        epochs: see :func:`converged`.

    Returns:
        For each, ``(seeds, m, p)``.
    """
    decoder = decoders(seen, pixels, seeds=seeds, epochs=epochs)
    queries = torch.cat(unseen)
    with inference(decoder):
        drawn = torch.cat([decoder(part) for part in queries.split(2000, dim=-2)], dim=-2)
    return list(drawn.split(len(check_seeds(seeds))))


def decoders(seen: list[Tensor], pixels: list[Tensor], *, seeds: Seeds, epochs: int) -> Decoder:
    """The decoders that :func:`drawings` draws with.

    Args:
        seen, pixels, seeds, epochs: see there.

    Returns:
        One module; its seed axis holds all seeds of the first reading, then of the next.
    """
    features = torch.cat(seen)
    listed, width, count = check_seeds(seeds), features.shape[-1], pixels[0].shape[-1]
    fresh = [init_stacked(lambda: Decoder(width, count), seed) for seed in listed]
    targets = torch.stack(pixels)  # (readings, n, p)

    def loss(drawn: Tensor, rows: Tensor) -> Tensor:
        wanted = targets[:, rows].repeat_interleave(len(listed), 0)
        return (drawn - wanted).square().mean((-2, -1))

    return converged(stack(fresh * len(seen)), features, loss, epochs=epochs)


def converged(
    network: N,
    features: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    epochs: int = EPOCHS,
    learning_rate: float = 8e-3,
) -> N:
    """Train to the end: Adam, a rate that falls to 0 along a cosine, the best epoch of each seed.

    A twelfth of the samples is held aside, and tells which epoch was best. All seeds see the
    samples in the same order, so that a seed's result is its own, whoever trains beside it.

    Args:
        network: with a seed axis.
        features: ``(seeds, n, d)``, or ``(n, d)`` for all.
        loss: maps an output and the rows it came from to ``(seeds,)``.
        epochs: passes over the samples.
        learning_rate: the first. At this one, 20 epochs of a decoder of MNIST end below 40 at a
            quarter of it.

    Returns:
        The network, on the features' device.
    """
    n, device = features.shape[-2], features.device
    order = torch.randperm(n, generator=generator(0, "converged/aside")).to(device)
    aside, used = order[: n // HELD_ASIDE], order[n // HELD_ASIDE :]
    network.to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
    batch = min(BATCH, len(used))
    per_epoch = len(used) // batch  # what is left over waits for the next epoch
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    lowest = torch.full((), math.inf, device=device)
    for epoch in range(epochs):
        shuffle = torch.randperm(len(used), generator=generator(0, "converged/order", epoch))
        for k, rows in enumerate(used[shuffle.to(device)][: per_epoch * batch].split(batch)):
            done = (epoch + k / per_epoch) / epochs
            optimizer.param_groups[0]["lr"] = learning_rate * (1 + math.cos(math.pi * done)) / 2
            optimizer.zero_grad()
            loss(network(features[..., rows, :]), rows).sum().backward()
            optimizer.step()
        with inference(network):
            error = loss(network(features[..., aside, :]), aside)
        better = error < lowest
        lowest = torch.where(better, error, lowest)
        for name, value in network.state_dict().items():
            shape = (-1, *[1] * (value.ndim - 1))
            kept[name] = torch.where(better.view(shape), value, kept[name])
    network.load_state_dict(kept)
    return network
