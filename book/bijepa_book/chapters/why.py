"""Chapter 9: what an encoder keeps of its window, and what a second direction changes about it.

A *stretch* is four windows in a row, w, x, y and z, each ``size`` numbers long: 10 samples of a
wave, or 20 states of a Lorenz trajectory. x is what a model sees and y what comes next, as in the
other chapters; w comes before x, and z after y. Every condition sees the same stretches, seed by
seed and step by step.

**The explanation to be tested.** An encoder keeps what is predicted *from* it, and forgets the
rest. What is predicted from it lies nearest to one end of its window, so that this end is kept and
the other is not. Protocol B reads y off a forecast of f(y), where f is the encoder: of y, it can
find no more than f keeps of its own window.

**What it predicts**, written down before this code was run. (A small trial of ``classic``,
``ahead``, ``outward`` and ``bijepa``, by other code on other seeds, had suggested the explanation.)
*Kept*: what can be read back of a window off its own embedding, by position. *B*: the error in
reading y off the forecast.

==================  =====================================  ====================================
condition           kept                                   B, beside classic
==================  =====================================  ====================================
``untrained``       no end is preferred                    (nothing has been learned)
``classic``         the end of the window; the beginning   worst at y's first sample, although
                    is forgotten                           that one lies nearest to x
``batch``           as classic                             as classic: it is not the number of
                                                           pairs
``ahead``           as classic                             as classic: it is not that the
                                                           encoder sees y
``mirror``          the beginning; the end is forgotten    (it forecasts nothing)
``outward``         both ends                              ahead at y's first sample, as BiJEPA
                                                           is, though its encoder never sees y
``bijepa``          both ends                              far ahead at y's first sample, little
                                                           or not at all at its last
``half-gap-...``    as with no gap                         ahead where the target begins, in the
                                                           middle of y
``gap-...``         as with no gap                         ahead at z's first sample; with no
                                                           gap, little or not at all there
==================  =====================================  ====================================

The last two rows *move the window*: both models learn to forecast a window that begins half a
window, or a whole one, after the end of x. The forecast is read at every position from x to z,
whatever the model was trained on. If BiJEPA simply knew the near future better, its advantage would
stay where it is; by the explanation it moves with the beginning of the window that is forecast. (To
shift what is read and leave the model as it is would not tell the two apart.) Before the target
begins, both explanations expect an advantage; the place that tells is z's first sample.

The explanation would be wrong if ``ahead`` came as far as ``bijepa`` does, if ``outward`` did not,
if the curves of ``kept`` were level, or if the advantage stayed where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bijepa_core.constraints import EXPRESSIVE
from bijepa_core.data import series, sine
from bijepa_core.data.lorenz import CONTEXT, DT, TRAIN, euler, starts
from bijepa_core.data.streams import BLOCK, Blockwise, DrawnBatches
from bijepa_core.evaluation.probes import Features, protocol_a, protocol_b, ridge_probe
from bijepa_core.experiments import LORENZ, SINE, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses, script_scale
from bijepa_core.networks import MLPPredictor
from bijepa_core.seeds import Seeds, init_stacked, sample_per_seed

WINDOWS = 4
W, X, Y, Z = 0.0, 1.0, 2.0, 3.0
"""Where the windows of a stretch begin, in windows."""

Curves = dict[str, list[list[float]]]
"""Errors under each name: a list of positions for each seed."""


def window(stretches: Tensor, place: float) -> Tensor:
    """One window of each stretch.

    Args:
        stretches: ``(..., 4 * size)``.
        place: where it begins, in windows: ``W``, ``X``, ``Y``, ``Z``, or between two.

    Returns:
        ``(..., size)``.
    """
    size = stretches.shape[-1] // WINDOWS
    start = round(place * size)
    return stretches[..., start : start + size]


# Stretches


class Stretches(NamedTuple):
    """What the conditions learn from, and are judged on.

    Args:
        batches: maps a step to its stretches, ``(*seeds, 2 * batch, 4 * size)``: a pure function.
            Twice as many as most conditions take, for the one with a doubled batch.
        probe: 1,000 to fit probes on, ``(*seeds, 1000, 4 * size)``.
        held_out: 10,000 to judge them on.
        state_dim: numbers in a state: 1 for sine, 3 for Lorenz.
    """

    batches: Callable[[int], Tensor]
    probe: Tensor
    held_out: Tensor
    state_dim: int


TIMES = sine.GRID[1] * (torch.arange(WINDOWS * sine.CONTEXT) - sine.CONTEXT)
"""Of a stretch of a wave: the paper's grid goes on at both ends, and x begins at 0 as ever."""


def sine_stretches(seeds: Seeds, batch_size: int, device: torch.device | str = "cpu") -> Stretches:
    """Stretches of the paper's noisy waves, fresh ones at every step.

    Args:
        seeds: one seed, or several for a leading seed axis.
        batch_size: of most conditions.
        device: where they go.

    Returns:
        The stream and both sets.
    """

    def drawn(purpose: str, count: int | tuple[int, ...], index: int = 0) -> Tensor:
        return sample_per_seed(
            seeds, f"why/sine/{purpose}", lambda g: sine.waves(count, g, TIMES), index
        ).to(device)

    batches = Blockwise(lambda block: drawn("train", (BLOCK, 2 * batch_size), block))
    probe, held_out = drawn("probe", series.PROBE), drawn("held-out", series.HELD_OUT)
    return Stretches(batches, probe, held_out, 1)


def lorenz_stretches(
    seeds: Seeds, batch_size: int, device: torch.device | str = "cpu"
) -> Stretches:
    """Stretches of the paper's Lorenz trajectories, from its starts by its Euler steps.

    w begins where the paper's context does, so that x lies 20 states further on. Training and probe
    sets are each normalized by one mean and deviation, the held-out set by the probe set's.

    Args and returns as :func:`sine_stretches`; 2,000 stretches to learn from.
    """

    def raw(purpose: str, count: int) -> Tensor:
        return sample_per_seed(
            seeds,
            f"why/lorenz/{purpose}",
            lambda g: torch.from_numpy(euler(starts(count, g), WINDOWS * CONTEXT, DT)),
        )

    def normalized(states: Tensor, reference: Tensor) -> Tensor:
        values = reference.flatten(-3)  # (*seeds, n)
        mean, std = values.mean(-1), values.std(-1, correction=0)
        scaled = (states - mean[..., None, None, None]) / std[..., None, None, None]
        return scaled.flatten(-2).float().to(device)

    train, probe = raw("train", TRAIN), raw("probe", series.PROBE)
    halves = normalized(train, train).chunk(2, -1)
    many = not isinstance(seeds, int)
    table = DrawnBatches(*halves, batch_size=2 * batch_size, seeds=seeds, per_seed=many)
    return Stretches(
        lambda step: torch.cat(table(step), -1),
        normalized(probe, probe),
        normalized(raw("held-out", series.HELD_OUT), probe),
        3,
    )


SYSTEMS = {
    "sine": replace(SINE, data=sine_stretches),
    "lorenz": replace(LORENZ, data=lorenz_stretches),
}
"""The paper's sizes and schedules, on stretches."""


# Conditions: what a model is given, and what it makes of it

Pairing = Callable[[Tensor, float], tuple[Tensor, Tensor]]
"""Maps stretches and the target's place to the ``(x, y)`` that a model is given."""


def pairs(stretches: Tensor, target: float) -> tuple[Tensor, Tensor]:
    """x and its target, of the first half of the stretches."""
    used, _ = stretches.chunk(2, dim=-2)
    return window(used, X), window(used, target)


def twice_the_pairs(stretches: Tensor, target: float) -> tuple[Tensor, Tensor]:
    """x and its target, of all stretches."""
    return window(stretches, X), window(stretches, target)


def with_the_next(stretches: Tensor, target: float) -> tuple[Tensor, Tensor]:
    """x and y, then y and z, of the same stretches: the encoder learns on y, too."""
    (x, y), (used, _) = pairs(stretches, target), stretches.chunk(2, dim=-2)
    return torch.cat([x, y], dim=-2), torch.cat([y, window(used, Z)], dim=-2)


def with_the_last(stretches: Tensor, target: float) -> tuple[Tensor, Tensor]:
    """x and y, then x and w, of the same stretches: for :class:`Outward`."""
    (x, y), (used, _) = pairs(stretches, target), stretches.chunk(2, dim=-2)
    return torch.cat([x, x], dim=-2), torch.cat([y, window(used, W)], dim=-2)


class Outward(BiJEPA):
    """Two directions away from x: to the window after it, and to the window before it.

    The encoder that is trained sees x alone; its moving average makes the targets.
    """

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z_forward: Tensor | None = None,
        z_backward: Tensor | None = None,
    ) -> Losses:
        """The loss of one batch of :func:`with_the_last`.

        Args:
            x: each window twice, ``(*seeds, 2 * batch, size)``.
            y: the windows after, then the windows before.
            z_forward, z_backward: as in :meth:`bijepa_core.model.BiJEPA.forward`.

        Returns:
            The losses: the forward term is that of the window after, the backward one the other.
        """
        after, before = y.chunk(2, dim=-2)
        [s] = self._encode(self.online, x.chunk(2, dim=-2)[0])
        with torch.no_grad():
            s_after, s_before = self._encode(self.target, after, before)
        forward = self._term(self.forward_predictor, s, s_after, z_forward)
        backward = self._term(self.backward_predictor, s, s_before, z_backward)
        return Losses(self._weighted(forward, backward), forward, backward)


@dataclass(frozen=True)
class Condition:
    """One way to train: always expressive, with the paper's sizes, steps and rate.

    Args:
        alpha: weight of the forward term.
        pairing: what the model is given of each step's stretches.
        target: where the window begins that is forecast from x.
        back: where the window begins that the backward predictor starts from, and where the one
            that it infers.
        kind: of model.
    """

    alpha: float = 0.5
    pairing: Pairing = pairs
    target: float = Y
    back: tuple[float, float] = (Y, X)
    kind: type[BiJEPA] = BiJEPA

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """A fresh model; a seed begins with the same encoder in every condition.

        Args:
            experiment: of :data:`SYSTEMS`.
            seeds: one seed, or several for a leading seed axis.

        Returns:
            The model.
        """
        predictor = partial(
            MLPPredictor, experiment.embed_dim, experiment.hidden_dim, EXPRESSIVE.layer_norm
        )
        return init_stacked(
            lambda: self.kind(
                experiment.encoder(experiment, EXPRESSIVE.layer_norm),
                predictor,
                constraint=EXPRESSIVE,
                alpha=self.alpha,
                tau=experiment.tau,
                scale=script_scale(self.alpha),
            ),
            seeds,
        )

    def plain(self) -> dict[str, Any]:
        """The condition as plain data, for JSON."""
        return {
            "alpha": self.alpha,
            "pairing": self.pairing.__name__,
            "target": self.target,
            "back": list(self.back),
            "kind": self.kind.__name__,
        }


CONDITIONS = {
    # Two by two: one direction or two, an encoder that learns on x alone or on y, too
    "classic": Condition(alpha=1.0),
    "ahead": Condition(alpha=1.0, pairing=with_the_next),
    "outward": Condition(pairing=with_the_last, back=(X, W), kind=Outward),
    "bijepa": Condition(),
    # Twice the pairs, as the second direction doubles the terms; and the other direction alone
    "batch": Condition(alpha=1.0, pairing=twice_the_pairs),
    "mirror": Condition(alpha=0.0),
    # The window moved
    "half-gap-classic": Condition(alpha=1.0, target=(Y + Z) / 2),
    "half-gap-bijepa": Condition(target=(Y + Z) / 2, back=((Y + Z) / 2, X)),
    "gap-classic": Condition(alpha=1.0, target=Z),
    "gap-bijepa": Condition(target=Z, back=(Z, X)),
}
"""``ahead``, ``outward`` and ``batch`` take 128 pairs a step; ``bijepa`` takes 64, both ways."""


def train(
    experiment: Experiment,
    condition: Condition,
    data: Stretches,
    seeds: Seeds,
    *,
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> tuple[BiJEPA, History]:
    """Train under one condition.

    Args:
        experiment: of :data:`SYSTEMS`, or shorter.
        condition: of :data:`CONDITIONS`.
        data: of these seeds, as ``experiment.data`` gives it.
        seeds: one seed, or several for a leading seed axis.
        device: where.
        progress: show a bar where somebody can see it.

    Returns:
        The trained model and its history.
    """
    model = condition.model(experiment, seeds)
    history = experiment.train(
        model,
        lambda step: condition.pairing(data.batches(step), condition.target),
        device=device,
        progress=progress,
    )
    return model, history


# What is read, by position


def by_position(
    features: Features,
    fit: tuple[Tensor, Tensor],
    judge: tuple[Tensor, Tensor],
    state_dim: int,
) -> list[list[float]]:
    """Error of the fair probe at each position of the window that it reads.

    Args:
        features: of a window.
        fit: windows, and the windows to be read off their features, ``(seeds, n, size)`` each.
        judge: others, held out.
        state_dim: numbers in a state; their errors are averaged.

    Returns:
        Mean squared errors, ``size / state_dim`` of them for each seed.
    """
    probe = ridge_probe(features(fit[0]), fit[1])
    wrong = probe(features(judge[0]).cpu().double()) - judge[1].cpu().double()
    found: list[list[float]] = by_state(wrong.square().mean(-2), state_dim).tolist()
    return found


def by_state(values: Tensor, state_dim: int) -> Tensor:
    """Means over the numbers of each state: ``(..., states * state_dim)`` to ``(..., states)``."""
    return values.unflatten(-1, (-1, state_dim)).mean(-1)


def reading(data: Stretches, features: Features, source: float, goal: float) -> list[list[float]]:
    """Error in reading one window off the features of another (or of itself), by position.

    Args:
        data: of several seeds.
        features: of a window.
        source: where the window begins that the features are of.
        goal: where the one begins that is read.

    Returns:
        As :func:`by_position`.
    """
    fit, judge = (
        (window(stretches, source), window(stretches, goal))
        for stretches in (data.probe, data.held_out)
    )
    return by_position(features, fit, judge, data.state_dim)


def curves(model: BiJEPA, condition: Condition, data: Stretches) -> Curves:
    """What can be read from a model, by position.

    Args:
        model: of several seeds.
        condition: that it was trained under.
        data: of its seeds.

    Returns:
        From the embedding of x: ``past_a`` (w), ``kept`` (x itself), ``future_a`` (y) and
        ``beyond_a`` (z); ``kept_y``, y from its own embedding. From the forecast, whatever window
        it was trained to forecast: ``passed_b`` (x), ``future_b`` (y) and ``beyond_b`` (z), in this
        order a curve without a gap. ``past_b``: what the backward predictor infers, from its
        output. Those of predictors that do not exist are left out.
    """
    a = protocol_a(model)
    found = {
        "past_a": reading(data, a, X, W),
        "kept": reading(data, a, X, X),
        "kept_y": reading(data, a, Y, Y),
        "future_a": reading(data, a, X, Y),
        "beyond_a": reading(data, a, X, Z),
    }
    if model.forward_predictor is not None:
        b = protocol_b(model)
        found["passed_b"] = reading(data, b, X, X)
        found["future_b"] = reading(data, b, X, Y)
        found["beyond_b"] = reading(data, b, X, Z)
    if model.backward_predictor is not None:
        found["past_b"] = reading(data, model.predict_backward, *condition.back)
    return found
