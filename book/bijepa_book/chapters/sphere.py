"""Chapter 3: what the unit sphere costs, and what the probe that says so measures."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from bijepa_core.runs import HELD_OUT, PROBE, Run, run
from torch import Tensor

from bijepa_book.chapters.courses import course
from bijepa_book.chapters.explosion import scores
from bijepa_book.paper.replay import Replay, replay
from bijepa_book.records import medians
from bijepa_core._support.checks import check_counts, check_positive, inference
from bijepa_core.data import sine
from bijepa_core.data.streams import BLOCK, Batches
from bijepa_core.evaluation.probes import (
    Features,
    adam_probe,
    protocol_a,
    raw_input,
    ridge_probe,
)
from bijepa_core.evaluation.scores import converged_mse, protocols
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.history import History
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, check_seeds, init_stacked, sample_per_seed
from bijepa_core.training import pretrain

NAMES = ("unconstrained", "expressive", "restrictive", "classic")
"""The rows of Table 3, in its order."""
SEEDS = range(8)
MARKS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
LOUDNESS = ("expressive", "restrictive")
BATCHES = 400  # that a frozen model's loss is looked at on

Values = dict[str, list[float]]
"""What was measured, then one number a seed."""


# --- both probes, on one value and on all ten ------------------------------------------------


class Waves:
    """The waves that :func:`bijepa_core.runs.run` probes with, their targets whole.

    Args:
        seeds: one seed or several.
        probe, held_out: how many to fit probes on and to judge them on. Both as in
            :func:`bijepa_core.runs.run` unless a test wants less.
    """

    def __init__(self, seeds: Seeds, probe: int = PROBE, held_out: int = HELD_OUT) -> None:
        def views(purpose: str, count: int) -> tuple[Tensor, Tensor]:
            return sine.split(sample_per_seed(seeds, purpose, lambda g: sine.waves(count, g)))

        self.seeds = seeds
        self.probe = views("sine/probe", probe)
        self.held_out = views("sine/held-out", held_out)

    @property
    def next_value(self) -> Tensor:
        """Sample 10 of the probe's waves, ``(*seeds, 1000, 1)``: the script's target."""
        return self.probe[1][..., :1]


def both_probes(runs: Mapping[str, Run]) -> dict[str, Values]:
    """Both protocols under both probes, on sample 10.

    Args:
        runs: by configuration.

    Returns:
        For each: ``A, paper``, ``A, converged``, ``B, paper`` and ``B, converged``.
    """
    measures = {"paper": "paper_mse", "converged": "converged_mse"}
    return {
        name: {
            f"{letter}, {label}": one.scores[protocol][measure]
            for letter, protocol in (("A", "protocol_a"), ("B", "protocol_b"))
            for label, measure in measures.items()
        }
        for name, one in runs.items()
    }


def baselines(one: Run, data: Waves, judged: int = 2_000) -> dict[str, Values]:
    """Errors on sample 10 without any pretraining.

    Args:
        one: a run with LayerNorm, which has measured most of them.
        data: the waves of its seeds.
        judged: waves a seed that the best forecast is judged on.

    Returns:
        For each way to forecast, its ``error``.
    """
    x, y = (part[..., :judged, :] for part in data.held_out)
    best = (best_forecast(x)[..., :1] - y[..., :1]).square().mean((-2, -1))
    errors = {
        "copy the last value": one.scores["copy_last"]["mse"],
        "extrapolate linearly": one.scores["extrapolate"]["mse"],
        "untrained encoder": one.scores["untrained_encoder"]["converged_mse"],
        "raw context": one.scores["raw_input"]["converged_mse"],
        "best possible": torch.atleast_1d(best).tolist(),
    }
    return {name: {"error": values} for name, values in errors.items()}


def best_forecast(x: Tensor, frequencies: int = 41, phases: int = 160) -> Tensor:
    """The best forecast there is: the expected future, given the context and how waves are drawn.

    No forecast has a smaller mean squared error. Frequency and phase are taken from a grid on
    their known ranges, each point weighted by how likely it makes the context.

    Args:
        x: contexts, ``(..., 10)``.
        frequencies, phases: points of the grid; the defaults are fine enough for noise of 0.05.

    Returns:
        The expected ten samples of the target, ``(..., 10)``.

    Raises:
        ValueError: if a count is not positive.
    """
    check_counts(frequencies=frequencies, phases=phases)
    frequency = 0.8 + 0.4 * (torch.arange(frequencies) + 0.5) / frequencies
    phase = 2 * math.pi * torch.arange(phases) / phases
    angle = frequency[:, None, None] * sine.GRID + phase[:, None]
    seen, future = sine.split(torch.sin(angle).flatten(0, 1))  # (grid, 10) each

    def expected(part: Tensor) -> Tensor:
        likelihood = (part @ seen.mT - seen.square().sum(-1) / 2) / sine.NOISE**2  # its logarithm
        return torch.softmax(likelihood, -1) @ future

    rows = x.reshape(-1, x.shape[-1])
    return torch.cat([expected(part) for part in rows.split(1_000)]).reshape(x.shape)


def trajectory(models: Mapping[str, BiJEPA], data: Waves) -> dict[str, Values]:
    """Held-out error of the converged probe on the whole target, samples 10 to 19.

    Args:
        models: by configuration.
        data: the waves of their seeds.

    Returns:
        ``A`` and ``B`` of each.
    """
    letters = {"A": "protocol_a", "B": "protocol_b"}
    return {
        name: {
            letter: converged_mse(protocols(model)[protocol], data.probe, data.held_out)
            for letter, protocol in letters.items()
        }
        for name, model in models.items()
    }


def trajectory_baselines(data: Waves, judged: int = 2_000) -> dict[str, Values]:
    """Errors on the whole target without any pretraining.

    Args:
        data: waves.
        judged: waves a seed that the best forecast is judged on.

    Returns:
        For each way to forecast, its ``error``.
    """
    x, y = (part[..., :judged, :] for part in data.held_out)
    best = (best_forecast(x) - y).square().mean((-2, -1))
    return {
        "raw context": {"error": converged_mse(raw_input, data.probe, data.held_out)},
        "best possible": {"error": torch.atleast_1d(best).tolist()},
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


def probe_courses(
    models: Mapping[str, BiJEPA], data: Waves, marks: Sequence[int] = MARKS
) -> dict[str, dict[str, Tensor]]:
    """:func:`probe_course` for each model and protocol, and where it must end.

    Args:
        models: by configuration.
        data: the waves of their seeds.
        marks: steps to look at.

    Returns:
        For each model ``A`` and ``B``, ``(marks, *seeds)``, and the smallest error that any
        linear map has on the same waves, ``A, least`` and ``B, least``, ``(*seeds,)``.
    """
    rows: dict[str, dict[str, Tensor]] = {}
    for name, model in models.items():
        rows[name] = {}
        for letter, protocol in (("A", "protocol_a"), ("B", "protocol_b")):
            seen = protocols(model)[protocol](data.probe[0])
            rows[name][letter] = probe_course(seen, data.next_value, data.seeds, marks)
            rows[name][f"{letter}, least"] = ridge_probe(seen, data.next_value).training_error
    return rows


def spread(features: Tensor) -> Tensor:
    """Standard deviation of a coordinate, over samples and coordinates.

    Args:
        features: ``(*seeds, n, d)``.

    Returns:
        ``(*seeds,)``: the root of the mean variance.
    """
    return features.var(-2, correction=0).mean(-1).sqrt()


def demands(models: Mapping[str, BiJEPA], data: Waves) -> dict[str, Values]:
    """What the converged probe asks of its weights.

    Args:
        models: by configuration.
        data: the waves of their seeds.

    Returns:
        For each, on the encoder's embedding: ``spread`` of a coordinate, ``largest weight`` of
        the converged probe, and ``norm`` of its weights.
    """
    rows = {}
    for name, model in models.items():
        seen = protocol_a(model)(data.probe[0])
        weight = ridge_probe(seen, data.next_value).weight
        rows[name] = {
            "spread": torch.atleast_1d(spread(seen)).tolist(),
            "largest weight": torch.atleast_1d(weight.abs().amax((-2, -1))).tolist(),
            "norm": torch.atleast_1d(weight.norm(dim=(-2, -1))).tolist(),
        }
    return rows


def scaled(
    models: Mapping[str, BiJEPA], data: Waves, factors: Sequence[float] = FACTORS
) -> dict[str, dict[str, Tensor]]:
    """The same embeddings multiplied by a number, under both probes.

    Args:
        models: by configuration.
        data: the waves of their seeds.
        factors: to multiply with.

    Returns:
        For each model, ``(factors, *seeds)`` each: ``spread`` of a coordinate, and the errors
        ``paper`` (on its own training set) and ``converged`` (held out).
    """
    rows = {}
    for name, model in models.items():
        seen, unseen = (protocol_a(model)(part[0]) for part in (data.probe, data.held_out))
        truth = data.held_out[1][..., :1].double()
        looks: dict[str, list[Tensor]] = {"spread": [], "paper": [], "converged": []}
        for factor in factors:
            looks["spread"].append(spread(factor * seen))
            quick = adam_probe(
                factor * seen, data.next_value, steps=SINE.probe_steps, seeds=data.seeds
            )
            looks["paper"].append(quick.training_error)
            slow = ridge_probe(factor * seen, data.next_value)
            looks["converged"].append(slow.mse((factor * unseen).double(), truth))
        rows[name] = {column: torch.stack(values) for column, values in looks.items()}
    return rows


def exchanged(sphere: Tensor, expressive: Tensor, targets: Tensor, seeds: Seeds) -> Values:
    """The paper's probe on two embeddings, and on each at the other's scale.

    Args:
        sphere, expressive: embeddings, ``(*seeds, n, d)``.
        targets: ``(*seeds, n, 1)``.
        seeds: of the probes' layers.

    Returns:
        Errors as they come, and with each coordinate's standard deviation changed, by one factor
        a seed, to the other's.
    """
    factor = (spread(expressive) / spread(sphere))[..., None, None]
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
    return {name: torch.atleast_1d(error).tolist() for name, error in errors.items()}


# --- waves with an amplitude ------------------------------------------------------------------


class GainBatches:
    """The sine experiment's waves, each multiplied by a gain of its own from U(0.5, 1.5).

    A stream, see :mod:`bijepa_core.data.streams`. The gain acts on the whole recording, noise
    included, and is the same for context and target.

    Args:
        seeds: one seed or several.
        batch_size: waves a step.
        device: where the batches go.

    Raises:
        ValueError: see :class:`bijepa_core.data.sine.SineBatches`.
    """

    def __init__(
        self, seeds: Seeds, batch_size: int = 64, device: torch.device | str = "cpu"
    ) -> None:
        self.waves = sine.SineBatches(seeds, batch_size, device)
        self._block = lru_cache(maxsize=2)(self._draw_block)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x and y of one step, each ``(*seeds, batch, 10)``."""
        block, offset = divmod(step, BLOCK)
        gain = self._block(block)[..., offset, :, :]
        x, y = self.waves(step)
        return gain * x, gain * y

    def _draw_block(self, block: int) -> Tensor:
        shape = (BLOCK, self.waves.batch_size)
        drawn = sample_per_seed(self.waves.seeds, "sine/gain", lambda g: gains(shape, g), block)
        return drawn.to(self.waves.device)

    def configuration(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return self.waves.configuration() | {"stream": "GainBatches"}


def gains(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Gains from U(0.5, 1.5), ``(*shape, 1)``."""
    return 0.5 + torch.rand(*shape, 1, generator=generator)


class LoudWaves(Waves):
    """Waves with a gain, to probe with: as :class:`Waves`, with the gains beside them."""

    def __init__(self, seeds: Seeds, probe: int = PROBE, held_out: int = HELD_OUT) -> None:
        super().__init__(seeds, probe, held_out)
        self.gain = sample_per_seed(seeds, "sine/gain/probe", lambda g: gains((probe,), g))
        self.held_gain = sample_per_seed(
            seeds, "sine/gain/held-out", lambda g: gains((held_out,), g)
        )
        self.probe = (self.gain * self.probe[0], self.gain * self.probe[1])
        self.held_out = (self.held_gain * self.held_out[0], self.held_gain * self.held_out[1])


def train_loud(name: str, seeds: Seeds, steps: int = SINE.steps) -> tuple[BiJEPA, History]:
    """Train a configuration on waves with a gain.

    Args:
        name: of the configuration.
        seeds: one seed or several.
        steps: optimizer steps.

    Returns:
        The model and its history.
    """
    model = SINE.model(CONFIGURATIONS[name], seeds)
    history = pretrain(
        model,
        GainBatches(seeds, SINE.batch_size),
        steps=steps,
        learning_rate=SINE.learning_rate,
        device="cpu",
        progress=False,
    )
    return model, history


def norm_alone(model: BiJEPA) -> Features:
    """The embedding's norm as the only feature, ``(*seeds, batch, 1)``."""
    return lambda x: protocol_a(model)(x).norm(dim=-1, keepdim=True)


def direction_alone(model: BiJEPA) -> Features:
    """The embedding with its norm divided out."""

    def features(x: Tensor) -> Tensor:
        s = protocol_a(model)(x)
        return s / s.norm(dim=-1, keepdim=True)

    return features


def with_squares(features: Features) -> Features:
    """Features and all products of two of them: d become ``d + d (d + 1) / 2``."""

    def extended(x: Tensor) -> Tensor:
        s = features(x)
        i, j = torch.triu_indices(s.shape[-1], s.shape[-1])
        return torch.cat([s, s[..., i] * s[..., j]], -1)

    return extended


def loudness(features: Mapping[str, Features], data: LoudWaves) -> dict[str, Values]:
    """How well gain and next value can be read, by converged probes, held out.

    Args:
        features: by name.
        data: waves with a gain.

    Returns:
        For each: ``gain`` and ``next value``, the shares of the variance that stay unexplained
        (1: no better than the mean).
    """
    (x, y), (held_x, held_y) = data.probe, data.held_out
    targets = {"gain": (data.gain, data.held_gain), "next value": (y[..., :1], held_y[..., :1])}
    return {
        name: {
            target: [
                error / variance
                for error, variance in zip(
                    converged_mse(read, (x, fitted), (held_x, judged)),
                    torch.atleast_1d(judged.var((-2, -1), correction=0)).tolist(),
                    strict=True,
                )
            ]
            for target, (fitted, judged) in targets.items()
        }
        for name, read in features.items()
    }


# --- is one direction noisier? ----------------------------------------------------------------


def roughness(curve: Tensor) -> Tensor:
    """How much a loss jumps from one batch to the next, relative to itself.

    The standard deviation of the change of the logarithm, over the second half of the curve,
    divided by the root of two: for a constant with independent noise on it, the noise's relative
    standard deviation. A slow drift hardly counts.

    Args:
        curve: losses, positive, ``(steps, *seeds)``.

    Returns:
        ``(*seeds,)``.
    """
    changes = curve.log().diff(dim=0)
    return changes[len(changes) // 2 :].std(0) / math.sqrt(2)


def frozen_losses(
    model: BiJEPA, batches: Batches, start: int, count: int = BATCHES
) -> dict[str, Tensor]:
    """The losses of a model that has stopped learning, on fresh batches.

    Args:
        model: trained.
        batches: the stream that it learned from.
        start: the first step to take from it; not before the training's last.
        count: how many.

    Returns:
        ``total``, ``forward`` and, where it exists, ``backward``, ``(count, *seeds)`` each.
    """
    rows: dict[str, list[Tensor]] = {}
    with inference(model):
        for step in range(start, start + count):
            losses = model(*batches(step))
            terms = {"forward": losses.forward, "backward": losses.backward}
            found = {name: term.loss for name, term in terms.items() if term is not None}
            for name, value in {"total": losses.total, **found}.items():
                rows.setdefault(name, []).append(value)
    return {name: torch.stack(values) for name, values in rows.items()}


def roughnesses(model: BiJEPA, history: History, batches: Batches, count: int = BATCHES) -> Values:
    """:func:`roughness` while training, as a whole and forward alone, and after it.

    Args:
        model: trained.
        history: of its training.
        batches: the stream that it learned from.
        count: fresh batches to look at the frozen model on.

    Returns:
        ``total``, ``forward``, and ``forward, frozen``: how much the forward loss of the trained
        model jumps although nothing moves but the batch.
    """
    frozen = frozen_losses(model, batches, history.steps, count)
    found = {
        "total": roughness(history.losses["total"]),
        "forward": roughness(history.losses["forward"]),
        "forward, frozen": roughness(frozen["forward"]),
    }
    return {name: torch.atleast_1d(value).tolist() for name, value in found.items()}


# --- the record -------------------------------------------------------------------------------


def replay_row(one: Replay) -> dict[str, float]:
    """A replay's loss and probe errors, and what the converged probe says of the same model.

    Args:
        one: of the sine experiment.

    Returns:
        ``loss``, ``A`` and ``B`` as in Table 3; ``A converged`` and ``B converged``, held out.
    """
    training = (one.probe_views, one.probe_targets)
    both = protocols(one.model)
    return scores(one) | {
        f"{letter} converged": converged_mse(both[protocol], training, one.held_out)[0]
        for letter, protocol in (("A", "protocol_a"), ("B", "protocol_b"))
    }


def loud_features(models: Mapping[str, BiJEPA], untrained: BiJEPA) -> dict[str, Features]:
    """What gain and next value are read from.

    Args:
        models: ``expressive`` and ``restrictive``, trained on waves with a gain.
        untrained: the expressive model before training.

    Returns:
        By name.
    """
    free, sphere = models["expressive"], models["restrictive"]
    return {
        "raw context": raw_input,
        "untrained encoder": protocol_a(untrained),
        "expressive": protocol_a(free),
        "expressive, norm alone": norm_alone(free),
        "expressive, direction alone": direction_alone(free),
        "sphere": protocol_a(sphere),
    }


def loud_record(seeds: Seeds = SEEDS) -> dict[str, dict[str, float]]:
    """Train on waves with a gain and read it back: medians over seeds."""
    models = {name: train_loud(name, seeds)[0] for name in LOUDNESS}
    untrained = SINE.model(CONFIGURATIONS["expressive"], seeds)
    return medians(loudness(loud_features(models, untrained), LoudWaves(seeds)))


def record() -> dict[str, Any]:
    """What the chapter compares itself with: Table 3's four models, eight seeds."""
    runs = {
        name: run(SINE, CONFIGURATIONS[name], SEEDS, device="cpu", progress=False) for name in NAMES
    }
    models = {name: one.model for name, one in runs.items()}
    data = Waves(SEEDS)
    embedded = {name: protocol_a(models[name])(data.probe[0]) for name in LOUDNESS}
    exchange = exchanged(embedded["restrictive"], embedded["expressive"], data.next_value, SEEDS)
    stream = sine.SineBatches(SEEDS, SINE.batch_size)
    return {
        "seeds": list(check_seeds(SEEDS)),
        "replayed": {name: replay_row(replay("sine", name, progress=False)) for name in NAMES},
        "probes": medians(both_probes(runs)),
        "baselines": medians(baselines(runs["expressive"], data)),
        "trajectory": medians(trajectory(models, data)),
        "trajectory baselines": medians(trajectory_baselines(data)),
        "probe steps": course_table(probe_courses(models, data)),
        "demands": medians(demands(models, data)),
        "exchanged": medians({name: {"error": values} for name, values in exchange.items()}),
        "courses": medians({name: course(one.history) for name, one in runs.items()}),
        "gain": loud_record(),
        "roughness": medians(
            {name: roughnesses(one.model, one.history, stream) for name, one in runs.items()}
        ),
    }


def course_table(
    courses: Mapping[str, Mapping[str, Tensor]], marks: Sequence[int] = MARKS, letter: str = "A"
) -> dict[str, dict[str, float]]:
    """Medians over seeds of :func:`probe_courses`, for one protocol.

    Args:
        courses: as returned there, of several seeds.
        marks: the same.
        letter: ``A`` or ``B``.

    Returns:
        For each model, the error by steps, and ``least``.
    """
    rows = {}
    for name, values in courses.items():
        middle = values[letter].quantile(0.5, dim=1).tolist()
        rows[name] = {f"{mark:,}": error for mark, error in zip(marks, middle, strict=True)}
        rows[name]["least"] = float(values[f"{letter}, least"].quantile(0.5))
    return rows
