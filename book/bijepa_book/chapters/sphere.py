"""Chapter 3: what the unit sphere costs, and what the probe that says so measures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bijepa_book.bayes import best_forecast
from bijepa_book.paper.replay import replay
from bijepa_book.records import medians
from bijepa_core._support.checks import check_positive, inference
from bijepa_core.data.series import HELD_OUT, PROBE, Pairs, SeriesData
from bijepa_core.data.sine import sine_data
from bijepa_core.data.streams import BLOCK, Batches, Blockwise
from bijepa_core.diagnostics import variance
from bijepa_core.evaluation.metrics import per_seed, roughness, training_summary
from bijepa_core.evaluation.probes import (
    Features,
    adam_probe,
    protocol_a,
    raw_input,
    ridge_probe,
)
from bijepa_core.evaluation.scores import Scores, fair_mse, held_out_mse, protocols
from bijepa_core.experiments import CONFIGURATIONS, SINE, run
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, check_seeds, init_stacked, sample_per_seed

NAMES = ("unconstrained", "expressive", "restrictive", "classic")
"""The rows of Table 3, in its order."""
SEEDS = range(8)
MARKS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
LOUDNESS = ("expressive", "restrictive")
JUDGED = 2_000  # waves a seed that the best forecast is judged on
FROZEN = 400  # batches that a frozen model's loss is looked at on


# --- both probes, on one value and on all ten ------------------------------------------------


def baselines(scores: Scores, data: SeriesData) -> Scores:
    """Errors without any pretraining, on the next value and on the whole target.

    Args:
        scores: of a run with LayerNorm, which has measured most of them.
        data: of its seeds.

    Returns:
        ``copy_last``, ``extrapolate``, ``untrained``, ``raw`` and ``best`` on the next value;
        ``raw_whole`` and ``best_whole`` on the whole target.
    """
    x, y = (part[..., :JUDGED, :] for part in data.held_out)
    best = best_forecast(x)
    return {
        **{name: scores[name] for name in ("copy_last", "extrapolate", "untrained", "raw")},
        "best": per_seed((best[..., :1] - y[..., :1]).square().mean((-2, -1))),
        "raw_whole": fair_mse(raw_input, data.probe, data.held_out),
        "best_whole": per_seed((best - y).square().mean((-2, -1))),
    }


def whole(model: BiJEPA, data: SeriesData) -> Scores:
    """Error of the fair probe on the whole target, samples 10 to 19.

    Args:
        model: trained.
        data: of its seeds.

    Returns:
        ``whole_a`` and ``whole_b``.
    """
    return {
        f"whole_{letter}": fair_mse(features, data.probe, data.held_out)
        for letter, features in protocols(model).items()
    }


# --- what so many steps of Adam can reach -----------------------------------------------------


def probe_course(
    features: Tensor,
    targets: Tensor,
    seeds: Seeds,
    marks: Sequence[int] = MARKS,
    learning_rate: float = 0.01,
) -> Tensor:
    """The paper's probe, followed for longer than the paper does.

    Squared error on a fixed set depends on the data through sums of products alone. They are
    taken once, so that ten thousand steps cost no more than a second.

    Args:
        features: ``(*seeds, n, d)``.
        targets: ``(*seeds, n, k)``.
        seeds: initialize the layer, as in :func:`bijepa_core.evaluation.probes.adam_probe`.
        marks: steps to look at, increasing.
        learning_rate: Adam's.

    Returns:
        The error on the probe's own training set at each mark, ``(marks, *seeds)``: what
        ``adam_probe(..., steps=mark).training_error`` is, in float64.

    Raises:
        ValueError: if marks are not positive and increasing, or the rate is not positive.
    """
    check_positive(learning_rate=learning_rate)
    if not marks or min(marks) < 1 or list(marks) != sorted(set(marks)):
        raise ValueError(f"marks must be positive, increasing steps; received {marks!r}.")
    d, k = features.shape[-1], targets.shape[-1]
    head = init_stacked(lambda: Linear(d, k), seeds)
    one = torch.ones_like(features[..., :1])
    f, t = torch.cat([features, one], -1).cpu().double(), targets.cpu().double()
    n = f.shape[-2] * k  # the error is a mean over samples and targets
    gram, cross, energy = f.mT @ f / n, t.mT @ f / n, t.square().sum((-2, -1)) / n
    weight = torch.cat([head.weight, head.bias.unsqueeze(-1)], -1).detach().double()  # (k, d + 1)
    optimizer = torch.optim.Adam([weight], lr=learning_rate, fused=True)
    errors = []
    for step in range(1, marks[-1] + 1):
        pull = weight @ gram
        if step in marks:
            errors.append(energy + (weight * (pull - 2 * cross)).sum((-2, -1)))
        weight.grad = 2 * (pull - cross)
        optimizer.step()
    return torch.stack(errors)


def course_row(
    model: BiJEPA, data: SeriesData, seeds: Seeds, marks: Sequence[int] = MARKS
) -> dict[str, float]:
    """:func:`probe_course` of the encoder's embedding, and where it must end.

    Args:
        model: trained, of several seeds.
        data: of its seeds.
        seeds: of the model and the probes' layers.
        marks: steps to look at.

    Returns:
        Medians over seeds: the error by steps, and ``least_a``, the smallest error that any linear
        map has on the same waves.
    """
    x, value = data.next_state(data.probe)
    seen = protocol_a(model)(x)
    middle = probe_course(seen, value, seeds, marks).quantile(0.5, dim=1).tolist()
    row = {f"{mark:,}": error for mark, error in zip(marks, middle, strict=True)}
    return row | {"least_a": float(ridge_probe(seen, value).training_error.quantile(0.5))}


def demands(model: BiJEPA, data: SeriesData) -> Scores:
    """What the fair probe asks of its weights, on the encoder's embedding.

    Args:
        model: trained.
        data: of its seeds.

    Returns:
        ``spread``, the standard deviation of a coordinate; ``largest_weight`` of the probe; and
        ``weight_a``, the norm of its weights.
    """
    x, value = data.next_state(data.probe)
    seen = protocol_a(model)(x)
    weight = ridge_probe(seen, value).weight
    return {
        "spread": per_seed(variance(seen).sqrt()),
        "largest_weight": per_seed(weight.abs().amax((-2, -1))),
        "weight_a": per_seed(weight.norm(dim=(-2, -1))),
    }


def scaled(
    model: BiJEPA, data: SeriesData, seeds: Seeds, factors: Sequence[float] = FACTORS
) -> dict[str, Tensor]:
    """The same embedding multiplied by a number, under both probes.

    Args:
        model: trained.
        data: of its seeds.
        seeds: of the model and the probes' layers.
        factors: to multiply with.

    Returns:
        ``(factors, *seeds)`` each: ``spread``, the standard deviation of a coordinate, and the
        errors ``paper_a`` and ``fair_a``.
    """
    (x, value), (unseen_x, truth) = data.next_state(data.probe), data.next_state(data.held_out)
    seen, unseen = protocol_a(model)(x), protocol_a(model)(unseen_x)
    looks: dict[str, list[Tensor]] = {"spread": [], "paper_a": [], "fair_a": []}
    for factor in factors:
        paper = adam_probe(factor * seen, value, steps=SINE.probe_steps, seeds=seeds)
        fair = ridge_probe(factor * seen, value)
        looks["spread"].append(variance(factor * seen).sqrt())
        looks["paper_a"].append(paper.training_error)
        looks["fair_a"].append(fair.mse((factor * unseen).double(), truth.double()))
    return {name: torch.stack(values) for name, values in looks.items()}


def exchanged(
    sphere: Tensor, expressive: Tensor, targets: Tensor, seeds: Seeds
) -> dict[str, Scores]:
    """The paper's probe on two embeddings, and on each at the other's scale.

    Args:
        sphere, expressive: embeddings, ``(*seeds, n, d)``.
        targets: ``(*seeds, n, 1)``.
        seeds: of the probes' layers.

    Returns:
        ``paper_a`` of both as they come, and with each coordinate's standard deviation changed,
        by one factor a seed, to the other's.
    """
    factor = (variance(expressive).sqrt() / variance(sphere).sqrt())[..., None, None]
    cases = {
        "sphere": sphere,
        "sphere, enlarged": sphere * factor,
        "expressive": expressive,
        "expressive, shrunk": expressive / factor,
    }
    errors = {
        name: adam_probe(features, targets, steps=SINE.probe_steps, seeds=seeds).training_error
        for name, features in cases.items()
    }
    return {name: {"paper_a": per_seed(error)} for name, error in errors.items()}


# --- waves with an amplitude ------------------------------------------------------------------


def loud_data(seeds: Seeds) -> tuple[SeriesData, Pairs]:
    """The sine experiment's data, each wave multiplied by a gain of its own from U(0.5, 1.5).

    The gain acts on the whole recording, noise included, and is the same for context and target.

    Args:
        seeds: one seed or several.

    Returns:
        The data, and the gains of the waves to probe with and of the held-out ones,
        ``(*seeds, n, 1)`` each.
    """
    data = sine_data(seeds, SINE.batch_size)

    def gains(purpose: str, shape: tuple[int, ...], block: int = 0) -> Tensor:
        return sample_per_seed(
            seeds, purpose, lambda g: 0.5 + torch.rand(*shape, 1, generator=g), block
        )

    of_step = Blockwise(lambda block: gains("sine/gain", (BLOCK, SINE.batch_size), block))

    def louder(step: int) -> Pairs:
        x, y = data.batches(step)
        return of_step(step) * x, of_step(step) * y

    near, far = gains("sine/gain/probe", (PROBE,)), gains("sine/gain/held-out", (HELD_OUT,))
    loud = replace(
        data,
        batches=louder,
        probe=(near * data.probe[0], near * data.probe[1]),
        held_out=(far * data.held_out[0], far * data.held_out[1]),
    )
    return loud, (near, far)


def loud_features(models: Mapping[str, BiJEPA], untrained: BiJEPA) -> dict[str, Features]:
    """What gain and next value are read from.

    Args:
        models: ``expressive`` and ``restrictive``, trained on waves with a gain.
        untrained: the expressive model before training.

    Returns:
        By name; the expressive embedding's norm and direction, too, each by itself.
    """
    free = protocol_a(models["expressive"])

    def norm(x: Tensor) -> Tensor:
        return free(x).norm(dim=-1, keepdim=True)

    def direction(x: Tensor) -> Tensor:
        s = free(x)
        return s / s.norm(dim=-1, keepdim=True)

    return {
        "raw": raw_input,
        "untrained": protocol_a(untrained),
        "expressive": free,
        "expressive, norm alone": norm,
        "expressive, direction alone": direction,
        "sphere": protocol_a(models["restrictive"]),
    }


def loudness(features: Features, data: SeriesData, gains: Pairs) -> Scores:
    """How well gain and next value can be read, by fair probes.

    Args:
        features: of a context.
        data: waves with a gain, see :func:`loud_data`.
        gains: theirs.

    Returns:
        ``gain`` and ``next_value``, the shares of the variance that stay unexplained (1: no
        better than the mean).
    """
    (x, value), (unseen_x, truth) = data.next_state(data.probe), data.next_state(data.held_out)
    seen, unseen = features(x), features(unseen_x)
    targets = {"gain": gains, "next_value": (value, truth)}
    return {
        name: [
            error / total
            for error, total in zip(
                held_out_mse(ridge_probe(seen, fitted), unseen, judged),
                per_seed(variance(judged)),
                strict=True,
            )
        ]
        for name, (fitted, judged) in targets.items()
    }


# --- is one direction noisier? ----------------------------------------------------------------


def frozen_roughness(model: BiJEPA, batches: Batches, start: int) -> list[float]:
    """How rough the forward loss of a model is that has stopped learning.

    Nothing moves but the batch, so whatever the loss still jumps is the luck of the draw.

    Args:
        model: trained.
        batches: the stream that it learned from.
        start: the first step to take from it; not before the training's last.

    Returns:
        :func:`bijepa_core.evaluation.metrics.roughness` of its loss on fresh batches.

    Raises:
        ValueError: if the model has no forward term.
    """
    losses = []
    with inference(model):
        for step in range(start, start + FROZEN):
            term = model(*batches(step)).forward
            if term is None:
                raise ValueError(
                    "the forward term is looked at, and this model has none (alpha = 0). "
                    "Use one that was trained with alpha above 0."
                )
            losses.append(term.loss)
    return per_seed(roughness(torch.stack(losses)))


# --- the record -------------------------------------------------------------------------------


def loud_record(seeds: Seeds = SEEDS) -> dict[str, dict[str, float]]:
    """Train on waves with a gain and read it back: medians over seeds."""
    data, gains = loud_data(seeds)
    models = {name: SINE.model(CONFIGURATIONS[name], seeds) for name in LOUDNESS}
    for model in models.values():
        SINE.train(model, data.batches, device="cpu", progress=False)
    untrained = SINE.model(CONFIGURATIONS["expressive"], seeds)
    features = loud_features(models, untrained)
    return medians({name: loudness(read, data, gains) for name, read in features.items()})


def record() -> dict[str, Any]:
    """What the chapter compares itself with: Table 3's four models, eight seeds."""
    runs = {
        name: run(SINE, CONFIGURATIONS[name], SEEDS, device="cpu", progress=False) for name in NAMES
    }
    models = {name: trained.model for name, trained in runs.items()}
    data = sine_data(SEEDS, SINE.batch_size)
    x, value = data.next_state(data.probe)
    sphere, expressive = (protocol_a(models[name])(x) for name in ("restrictive", "expressive"))
    probes = ("paper_a", "fair_a", "paper_b", "fair_b")
    lines = medians({"sine": baselines(runs["expressive"].scores, data)})["sine"]
    return {
        "seeds": list(check_seeds(SEEDS)),
        "replayed": {name: replay("sine", name, progress=False).scores() for name in NAMES},
        "probes": medians({n: {p: r.scores[p] for p in probes} for n, r in runs.items()}),
        "baselines": lines,
        "whole": medians({name: whole(model, data) for name, model in models.items()}),
        "probe_steps": {name: course_row(model, data, SEEDS) for name, model in models.items()},
        "demands": medians({name: demands(model, data) for name, model in models.items()}),
        "exchanged": medians(exchanged(sphere, expressive, value, SEEDS)),
        "training": medians(
            {
                name: {
                    **training_summary(trained.history),
                    "roughness_frozen": frozen_roughness(trained.model, data.batches, SINE.steps),
                }
                for name, trained in runs.items()
            }
        ),
        "gain": loud_record(),
    }
