"""The sine and the Lorenz experiment, second edition: conditions, and what is measured on them."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.optim import AdamW

from bijepa_book.bayes import best_forecast
from bijepa_book.chapters.sphere import loud_data, loudness
from bijepa_book.chapters.why import by_position, by_state
from bijepa_book.evidence.grid import BASELINES, EVERYWHERE, SERIES, Change, Condition, Length
from bijepa_book.evidence.grid import changed as changed_condition
from bijepa_book.evidence.metrics import (
    LOOKED_AT,
    series_measures,
    untrained_series,
)
from bijepa_book.evidence.second.amplification import Amplification
from bijepa_book.evidence.second.ceilings import kernel_probe, supervised
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.watch import Watch
from bijepa_core.data.series import HELD_OUT, PROBE, SeriesData
from bijepa_core.data.sine import CONTEXT, GRID
from bijepa_core.diagnostics import variance
from bijepa_core.evaluation.metrics import (
    auroc,
    fraction_unexplained,
    mahalanobis,
    per_seed,
    training_summary,
)
from bijepa_core.evaluation.probes import Features, protocol_a, protocol_b, raw_input, ridge_probe
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, SINE, Configuration, Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import fused_adamw
from bijepa_core.seeds import Seeds, sample_per_seed

CHUNK, CHUNK_LONG = 16, 8
ROWS, LOOKS, WATCHED = 100, 20, 8  # as in the first edition
SUPERVISED = "supervised"
"""The condition with labels: the same encoder, trained to forecast the target itself."""
ASKED_AT = (100, 200, 400, 800, 1600)  # steps at which amplification is asked
FLOOR = 1e-6  # under the variances of a plain distance
NEAR_MISS = 0.05  # of the windows begin nearer to the true target than one that is swapped in

READ_CLOSELY = (
    "classic",
    "unconstrained",
    "expressive",
    "restrictive",
    "classic-batch",
    "classic-steps",
)
"""Conditions that are read nonlinearly, too."""
PAPER_LENGTH = (
    *READ_CLOSELY,
    "classic-unconstrained",
    "norm-decay-0",
    "plain-decay-0.0001",
    "tau-0",
    "unconstrained-tau-0",
    "unconstrained-tau-0.9",
    "unconstrained-tau-0.999",
)
TEN_TIMES = {
    "sine": (
        "classic",
        "unconstrained",
        "expressive",
        "restrictive",
        "classic-unconstrained",
        "norm-decay-0",
        "plain-decay-0.0001",
    ),
    "lorenz": ("classic", "expressive", "unconstrained", "classic-unconstrained"),
}
NEW = {"classic-tau-0": Change(CONFIGURATIONS["classic"], tau=0.0)}
AMPLIFYING = (
    "unconstrained",
    "classic-unconstrained",
    "expressive",
    "unconstrained-tau-0",
    "unconstrained-tau-0.9",
)
LOUD = ("expressive", "restrictive", "unconstrained")
"""Trained on waves whose amplitudes vary."""
OTHER_SIZES = {
    "rate-third": replace(SINE, learning_rate=SINE.learning_rate / 3),
    "rate-triple": replace(SINE, learning_rate=SINE.learning_rate * 3),
    "width-half": replace(SINE, hidden_dim=SINE.hidden_dim // 2),
    "width-double": replace(SINE, hidden_dim=SINE.hidden_dim * 2),
    "d-half": replace(SINE, embed_dim=SINE.embed_dim // 2),
    "d-double": replace(SINE, embed_dim=SINE.embed_dim * 2),
}
"""Does any verdict turn? Asked of sine."""
SENSITIVE = ("classic", "expressive", "unconstrained")


# --- what is measured --------------------------------------------------------------------------


def reading_curves(model: BiJEPA, data: SeriesData) -> dict[str, list[list[float]]]:
    """What the fair probe reads from a model, by position.

    Args:
        model: trained.
        data: of its seeds.

    Returns:
        ``future_a``, ``future_b``: the target, from the context's embedding and from the
        forecast; ``kept``: the context, from its own embedding; ``past_a``, ``past_b``: the
        context, from the target's embedding and from the inferred past.
    """
    (x, y), (unseen_x, unseen_y), size = data.probe, data.held_out, data.state_dim
    a, ahead, back = (
        protocol_a(model),
        ((x, y), (unseen_x, unseen_y)),
        ((y, x), (unseen_y, unseen_x)),
    )
    curves = {
        "future_a": by_position(a, *ahead, size),
        "kept": by_position(a, (x, x), (unseen_x, unseen_x), size),
        "past_a": by_position(a, *back, size),
    }
    if model.forward_predictor is not None:
        curves["future_b"] = by_position(protocol_b(model), *ahead, size)
    if model.backward_predictor is not None:
        curves["past_b"] = by_position(model.predict_backward, *back, size)
    return curves


def kernel_errors(
    features: Features,
    fit: tuple[Tensor, Tensor],
    judge: tuple[Tensor, Tensor],
    parts: dict[str, slice],
) -> Scores:
    """Errors of the nonlinear probe, seed by seed.

    Args:
        features: of a window.
        fit, judge: windows and targets.
        parts: names, and which columns of the target each is the mean over.

    Returns:
        One number a seed under each name.
    """
    seen, unseen = features(fit[0]), features(judge[0][..., :LOOKED_AT, :])
    truth = judge[1][..., :LOOKED_AT, :].cpu().double()
    rows = [
        (kernel_probe(one, target)(other) - true).square().mean(0)
        for one, other, target, true in zip(seen, unseen, fit[1], truth, strict=True)
    ]
    return {name: [float(row[part].mean()) for row in rows] for name, part in parts.items()}


def nonlinear_measures(model: BiJEPA, data: SeriesData) -> Scores:
    """What a nonlinear probe reads: ``kernel_first_``, ``kernel_whole_``, ``kernel_past_``."""
    (x, y), (unseen_x, unseen_y) = data.probe, data.held_out
    whole, first = slice(None), slice(data.state_dim)
    read, scores = {"a": protocol_a(model), "b": protocol_b(model)}, Scores()
    for letter, features in read.items():
        parts = {f"kernel_first_{letter}": first, f"kernel_whole_{letter}": whole}
        scores |= kernel_errors(features, (x, y), (unseen_x, unseen_y), parts)
    back = {"kernel_past_a": read["a"]}
    if model.backward_predictor is not None:
        back["kernel_past_b"] = model.predict_backward
    for name, features in back.items():
        scores |= kernel_errors(features, (y, x), (unseen_y, unseen_x), {name: whole})
    return scores


def wave_parameters(seeds: tuple[int, ...], purpose: str, count: int) -> Tensor:
    """Frequency, and sine and cosine of the phase at the seam, of the waves that were drawn.

    Args:
        seeds: a sequence.
        purpose: of the waves' generator.
        count: how many were drawn.

    Returns:
        ``(seeds, count, 3)``.
    """

    def drawn(g: torch.Generator) -> Tensor:
        frequency = 0.8 + 0.4 * torch.rand(count, 1, generator=g)  # in the order of waves()
        phase = 2 * math.pi * torch.rand(count, 1, generator=g)
        angle = frequency * GRID[CONTEXT] + phase
        return torch.cat([frequency, angle.sin(), angle.cos()], -1)

    return sample_per_seed(seeds, purpose, drawn)


def parameter_measures(
    features: Features, data: SeriesData, seeds: tuple[int, ...], end: str, nonlinear: bool
) -> Scores:
    """Frequency and phase, asked directly: the share of their variance that stays unexplained.

    Args:
        features: of a context.
        data: of the seeds.
        seeds: a sequence.
        end: of the names.
        nonlinear: whether the nonlinear probe asks as well.

    Returns:
        ``frequency_*`` and ``phase_*``; ``kernel_frequency_*`` and ``kernel_phase_*``.
    """
    near, far = (
        wave_parameters(seeds, "sine/probe", PROBE),
        wave_parameters(seeds, "sine/held-out", HELD_OUT),
    )
    parts = {"frequency": slice(1), "phase": slice(1, 3)}
    (x, _), (unseen_x, _) = data.probe, data.held_out
    guess = ridge_probe(features(x), near)(features(unseen_x).cpu().double())
    scores = {
        f"{name}_{end}": per_seed(fraction_unexplained(guess[..., part], far[..., part].double()))
        for name, part in parts.items()
    }
    if nonlinear:
        spread = {
            name: variance(far[..., :LOOKED_AT, part].double()) for name, part in parts.items()
        }
        errors = kernel_errors(features, (x, near), (unseen_x, far), parts)
        for name, values in errors.items():
            scores[f"kernel_{name}_{end}"] = (torch.tensor(values) / spread[name]).tolist()
    return scores


def broken_pairs(data: SeriesData) -> dict[str, Tensor]:
    """Targets that are fine by themselves and do not belong to their contexts.

    Args:
        data: of the seeds; its held-out windows from number :data:`LOOKED_AT` on.

    Returns:
        For contexts ``LOOKED_AT`` to ``2 * LOOKED_AT``: ``swapped``, another window's target that
        begins near the true one (of the next 4,000, at :data:`NEAR_MISS` of them: nearer ones of
        Lorenz have nearly the true future); ``reversed``, the true target backward in time,
        moved so that it begins where the true one does.
    """
    y, size = data.held_out[1], data.state_dim
    true, others = y[..., LOOKED_AT : 2 * LOOKED_AT, :], y[..., 2 * LOOKED_AT : 4 * LOOKED_AT, :]
    apart = torch.cdist(true[..., :size], others[..., :size])  # (seeds, n, m)
    missed = apart.kthvalue(int(NEAR_MISS * others.shape[-2]), -1, keepdim=True).indices
    swapped = others.gather(-2, missed.expand(*missed.shape[:-1], others.shape[-1]))
    backward = true.unflatten(-1, (-1, size)).flip(-2)  # (seeds, n, positions, size)
    moved = backward - backward[..., :1, :] + true.unflatten(-1, (-1, size))[..., :1, :]
    return {"swapped": swapped, "reversed": moved.flatten(-2)}


def seam_measures(score: Callable[[Tensor, Tensor], Tensor], data: SeriesData, name: str) -> Scores:
    """How well a score tells pairs that are broken at the seam from true ones.

    Args:
        score: maps contexts and targets to ``(seeds, n)``, high where odd.
        data: of the seeds.
        name: of the score.

    Returns:
        ``seam_<kind>_<name>``, the chance that a broken pair scores above a true one.
    """
    x, y = data.held_out
    usual = score(x[..., :LOOKED_AT, :], y[..., :LOOKED_AT, :])
    context = x[..., LOOKED_AT : 2 * LOOKED_AT, :]
    return {
        f"seam_{kind}_{name}": [
            auroc(a, b) for a, b in zip(usual, score(context, odd), strict=True)
        ]
        for kind, odd in broken_pairs(data).items()
    }


def seam_scores(model: BiJEPA, data: SeriesData) -> Scores:
    """Pairs broken at the seam, told by a model.

    Args:
        model: with a forward predictor.
        data: of its seeds.

    Returns:
        See :func:`seam_measures`: ``forward``, how far the forecast misses the target's embedding;
        with both predictors, ``both``, that and the mirror, each over its mean on true pairs.
    """

    def ahead(x: Tensor, y: Tensor) -> Tensor:
        return (model.forecast(x) - model.embed(y)).square().mean(-1).cpu()

    scores = seam_measures(ahead, data, "forward")
    if model.backward_predictor is None:
        return scores

    def back(x: Tensor, y: Tensor) -> Tensor:
        return (model.infer_past(y) - model.embed(x)).square().mean(-1).cpu()

    x, y = (view[..., -LOOKED_AT:, :] for view in data.held_out)
    usual = [score(x, y).mean(-1, keepdim=True) for score in (ahead, back)]
    return scores | seam_measures(
        lambda x, y: ahead(x, y) / usual[0] + back(x, y) / usual[1], data, "both"
    )


def ceilings(condition: Condition, data: SeriesData, seeds: tuple[int, ...]) -> Measured:
    """What needs no training: the first edition's baselines, and nonlinear ones.

    Args:
        condition: says which experiment.
        data: of the seeds.
        seeds: a sequence.

    Returns:
        Of raw windows: ``kernel_first``, ``kernel_whole``, ``kernel_past``; ``seam_*_distance``,
        pairs told by the plain distance of the two windows together, ``seam_*_kernel``, by the
        error of the nonlinear forecast; for sine, ``frequency_raw`` and its like. Curves:
        ``raw_future`` and ``raw_past`` by position, ``kernel_future``; for sine ``best``.
    """
    (x, y), (unseen_x, unseen_y), size = data.probe, data.held_out, data.state_dim
    ahead, back = ((x, y), (unseen_x, unseen_y)), ((y, x), (unseen_y, unseen_x))
    scores = untrained_series(condition, data, seeds)
    parts = {"kernel_first": slice(size), "kernel_whole": slice(None)}
    scores |= kernel_errors(raw_input, *ahead, parts)
    scores |= kernel_errors(raw_input, *back, {"kernel_past": slice(None)})
    far = [mahalanobis(torch.cat(pair, -1), FLOOR) for pair in zip(x, y, strict=True)]
    near = [kernel_probe(*pair) for pair in zip(x, y, strict=True)]

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([f(torch.cat(pair, -1)) for f, *pair in zip(far, x, y, strict=True)])

    def missed(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack(
            [(f(a) - b.double()).square().mean(-1) for f, a, b in zip(near, x, y, strict=True)]
        )

    scores |= seam_measures(distance, data, "distance") | seam_measures(missed, data, "kernel")
    curves = {
        "raw_future": by_position(raw_input, *ahead, size),
        "raw_past": by_position(raw_input, *back, size),
    }
    few = unseen_x[..., :LOOKED_AT, :], unseen_y[..., :LOOKED_AT, :]
    guesses = [f(a) for f, a in zip(near, few[0], strict=True)]
    wrong = (torch.stack(guesses) - few[1].double()).square().mean(-2)
    curves["kernel_future"] = by_state(wrong, size).tolist()
    if condition.experiment.name == "sine":
        scores |= parameter_measures(raw_input, data, seeds, "raw", True)
        best = torch.stack([best_forecast(one) for one in few[0]])
        curves["best"] = (best - few[1]).square().mean(-2).tolist()
    return Measured(scores, curves)


def labeled(condition: Condition, data: SeriesData, seeds: tuple[int, ...]) -> Measured:
    """The same encoder with labels: it forecasts the target itself.

    Args and returns as :func:`ceilings`: ``first`` and ``whole``, its errors; curve ``future``.
    """
    (unseen_x, unseen_y), size = data.held_out, data.state_dim
    forecast = supervised(condition.experiment, data.batches, unseen_y.shape[-1], seeds)
    wrong = (forecast(unseen_x) - unseen_y).double().square().mean(-2)
    curve = by_state(wrong, size)
    return Measured(
        {"first": per_seed(curve[..., 0]), "whole": per_seed(curve.mean(-1))},
        {"future": curve.tolist()},
    )


def trained(condition: Condition, data: SeriesData, seeds: tuple[int, ...]) -> Measured:
    """Train a model under a condition, and measure it.

    Args:
        condition: what to train.
        data: of the seeds.
        seeds: a sequence.

    Returns:
        The first edition's measures and the second's.
    """
    experiment, model = condition.experiment, condition.model(seeds)
    contexts = data.probe[0][..., :WATCHED, :]
    log_every = max(experiment.steps // ROWS, 1)
    watch = Watch(model, contexts, max(experiment.steps // LOOKS // log_every, 1) * log_every)
    asking = Amplification(model, data.batches, data.probe[0], ASKED_AT)
    amplifying = (
        experiment.name == "sine" and condition.length == "paper" and condition.name in AMPLIFYING
    )

    def on_log(step: int, history: object) -> None:
        watch(step, history)  # type: ignore[arg-type]
        if amplifying:
            asking(step, history)  # type: ignore[arg-type]

    history = experiment.train(
        model,
        data.batches,
        device="cpu",
        log_every=log_every,
        progress=False,
        on_log=on_log,
        make_optimizer=asking.make_optimizer,
    )
    scores = training_summary(history) | watch.scores()
    scores |= series_measures(model, condition, data, seeds)
    closely = condition.name in READ_CLOSELY and condition.length == "paper"
    if closely:
        scores |= nonlinear_measures(model, data)
    if experiment.name == "sine":
        scores |= parameter_measures(protocol_a(model), data, seeds, "a", closely)
    if model.forward_predictor is not None:
        scores |= seam_scores(model, data)
    if asking.exponents:
        for step, exponent in zip(ASKED_AT, asking.exponents, strict=True):
            scores[f"amplification_{step}"] = per_seed(exponent)
        scores["amplification"] = per_seed(torch.stack(asking.exponents).amax(0))
    looked = {name: values for name, values in watch.curves().items() if name != "steps"}
    return Measured(scores, reading_curves(model, data) | looked)  # type: ignore[arg-type]


def loud(
    new_model: Callable[[Experiment, Seeds], BiJEPA],
    seeds: tuple[int, ...],
    device: str = "cpu",
    make_optimizer: Callable[..., AdamW] = fused_adamw,
) -> Measured:
    """Trained on waves whose amplitudes vary: what the embedding knows of them.

    Args:
        new_model: a fresh model of the experiment, from seeds.
        seeds: a sequence.
        device: for the training.
        make_optimizer: of :func:`bijepa_core.training.pretrain`.

    Returns:
        ``gain`` and ``next_value``, shares that stay unexplained (:func:`loudness`).
    """
    data, gains = loud_data(seeds)
    model = new_model(SINE, seeds)
    SINE.train(model, data.batches, device=device, progress=False, make_optimizer=make_optimizer)
    return Measured(loudness(protocol_a(model), data, gains), {})


# --- what is recorded --------------------------------------------------------------------------


def _measure(condition: Condition, seeds: tuple[int, ...], device: str) -> Measured:
    data = condition.experiment.load(seeds, device)
    assert isinstance(data, SeriesData)
    if condition.name == BASELINES:
        return ceilings(condition, data, seeds)
    if condition.name == SUPERVISED:
        return labeled(condition, data, seeds)
    return trained(condition, data, seeds)


def _recording(
    condition: Condition, measure: Callable[[tuple[int, ...], str], Measured]
) -> Recording:
    experiment, long = condition.experiment, condition.length == "long"
    about = {
        "condition": condition.name,
        "length": condition.length,
        "experiment": experiment.plain(),
        "configuration": condition.configuration.plain(),
    }
    seconds = (2.5 if experiment.name == "lorenz" else 1.0) * experiment.steps / 2_000
    chunk = CHUNK_LONG if long else CHUNK
    return Recording(condition.key, about, SERIES_SEEDS, chunk, seconds, measure)


def recordings() -> list[Recording]:
    """The conditions on series, those that most claims need first."""
    found = []
    for experiment in (SINE, LORENZ):
        untrained = Configuration()
        for name in (BASELINES, SUPERVISED):
            condition = Condition(name, experiment, untrained)
            found.append(_recording(condition, partial(_measure, condition)))
        for name in (*PAPER_LENGTH, *NEW):
            found.append(_at_length(experiment, name, "paper"))
    for name in LOUD:
        condition = Condition(f"loud-{name}", SINE, CONFIGURATIONS[name])
        new_model = partial(_of, CONFIGURATIONS[name])
        found.append(_recording(condition, partial(loud, new_model)))
    for size, experiment in OTHER_SIZES.items():
        for name in SENSITIVE:
            condition = Condition(f"{name}-{size}", experiment, CONFIGURATIONS[name])
            found.append(_recording(condition, partial(_measure, condition)))
    for experiment in (SINE, LORENZ):
        found += [_at_length(experiment, name, "long") for name in TEN_TIMES[experiment.name]]
    return found


def _of(configuration: Configuration, experiment: Experiment, seeds: Seeds) -> BiJEPA:
    return experiment.model(configuration, seeds)


def _at_length(experiment: Experiment, name: str, length: Length) -> Recording:
    change = (EVERYWHERE | SERIES | NEW)[name]
    condition = changed_condition(experiment, name, change, length)
    return _recording(condition, partial(_measure, condition))
