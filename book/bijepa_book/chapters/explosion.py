"""Chapter 2: the first experiment with its constraints switched one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from bijepa_book.paper.replay import replay
from bijepa_book.records import load, medians
from bijepa_book.watch import Watch
from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.data import sine
from bijepa_core.data.sine import SineBatches
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import SINE, Configuration, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses
from bijepa_core.seeds import Seeds, check_seeds, sample_per_seed

REPLAYED = ("unconstrained", "expressive", "classic")
CONDITIONS = {
    "unconstrained": Configuration(UNCONSTRAINED),
    "expressive": Configuration(EXPRESSIVE),
    "LayerNorm alone": Configuration(Constraint(layer_norm=True, weight_decay=0.0)),
    "decay alone": Configuration(Constraint(layer_norm=False, weight_decay=1e-4)),
    "classic, unconstrained": Configuration(UNCONSTRAINED, alpha=1.0),
    "classic": Configuration(EXPRESSIVE, alpha=1.0),
}
"""LayerNorm and weight decay one at a time, in two directions and in one."""
LONG = ("unconstrained", "expressive", "classic, unconstrained", "classic")
LONG_STEPS = 10 * SINE.steps
TAUS = (0.0, 0.9, 0.99, 0.995, 0.999, 1.0)
SEEDS = range(8)
POINTS = 60  # of a recorded curve
LOOKED_AT, BETWEEN = 32, 50  # waves that the loop is watched on, and steps between two looks


class Moment(NamedTuple):
    """What the chapter's loop hands out after each step."""

    step: int
    model: BiJEPA
    optimizer: Optimizer
    losses: Losses
    """Of the batch that the step learned from, before it moved the weights."""


def note(history: History, moment: Moment, looks: Mapping[str, Tensor] | None) -> None:
    """Write one step down, as :meth:`bijepa_core.history.History.record` does.

    Args:
        history: with room for it.
        moment: the step.
        looks: the diagnostics, as a cell measured them; None between two rows.
    """
    step, losses = moment.step, moment.losses
    history.losses["total"][step] = losses.total.detach()
    for name, term in (("forward", losses.forward), ("backward", losses.backward)):
        if term is not None:
            history.losses[name][step] = term.loss.detach()
    for name, value in (looks or {}).items():
        history.diagnostics[name][step // history.log_every] = value


def train(experiment: Experiment, configuration: Configuration, seeds: Seeds) -> History:
    """Train on sine waves, on the CPU.

    Args:
        experiment: ``SINE``, or one with another length or tau.
        configuration: what constrains the embedding, and alpha.
        seeds: the same weights (where the networks are the same) and waves in every configuration.

    Returns:
        The history.
    """
    model = experiment.model(configuration, seeds)
    batches = SineBatches(seeds, experiment.batch_size)
    return experiment.train(model, batches, device="cpu", progress=False)


def tau_summaries(
    configuration: Configuration, seeds: Seeds, steps: int = SINE.steps
) -> dict[str, Scores]:
    """Train with target encoders from one that *is* the online encoder to one that never moves.

    Args:
        configuration: what constrains the embedding.
        seeds: the same for every tau.
        steps: optimizer steps.

    Returns:
        ``tau 0``, ``tau 0.9``, ...: see
        :func:`bijepa_core.evaluation.metrics.training_summary`.
    """
    experiments = {f"tau {tau:g}": replace(SINE, steps=steps, tau=tau) for tau in TAUS}
    return {
        name: training_summary(train(experiment, configuration, seeds))
        for name, experiment in experiments.items()
    }


def loop_contexts(seeds: Seeds) -> Tensor:
    """Waves that the loop is watched on, ``(*seeds, 32, 10)``; no model learns from them."""
    x, _ = sine.split(sample_per_seed(seeds, "chapter/loop", lambda g: sine.waves(LOOKED_AT, g)))
    return x


def watch_loop(configuration: Configuration, seeds: Seeds, steps: int = SINE.steps) -> Watch:
    """Watch the two encoders' norms and the loop's eigenvalues during training (section 5.3).

    Args:
        configuration: with both directions.
        seeds: one seed or several.
        steps: optimizer steps.

    Returns:
        What was seen every 50 steps on 32 fresh waves a seed.
    """
    model = SINE.model(configuration, seeds)
    watch = Watch(model, loop_contexts(seeds), BETWEEN)
    SINE.train(
        model,
        SineBatches(seeds, SINE.batch_size),
        steps=steps,
        log_every=BETWEEN,
        progress=False,
        on_log=watch,
    )
    return watch


def loop_summary(looks: Mapping[str, Tensor]) -> dict[str, float]:
    """The watched loop in a few numbers, medians over seeds.

    Args:
        looks: see :meth:`bijepa_book.watch.Watch.looks`, of several seeds.

    Returns:
        ``radius_at_half_norm``: the largest eigenvalue when the online norm first reaches half
        of its last value; ``radius_first`` and ``radius_last``; ``lead``, the largest ratio of
        the online encoder's norm to the target's.
    """
    online, radius = looks["online"], looks["radius"]
    half = (online >= online[-1] / 2).float().argmax(0)  # (seeds,): the first row that has it
    numbers = {
        "radius_at_half_norm": radius.gather(0, half[None])[0],
        "radius_first": radius[0],
        "radius_last": radius[-1],
        "lead": (online / looks["target"]).amax(0),
    }
    return {name: median(per_seed(values)) for name, values in numbers.items()}


def curve(history: History) -> dict[str, list[Any]]:
    """A long run in few points: dense at its start, sparse at its end.

    Args:
        history: of several seeds.

    Returns:
        ``steps``, and for ``loss`` (means around the step), ``norm`` and ``relative_loss`` as
        many triples: median over seeds, lowest, highest.
    """
    rows = len(history.logged_steps)
    chosen = torch.logspace(0, torch.tensor(float(rows)).log10().item(), POINTS).long() - 1
    chosen = chosen.clamp(0, rows - 1).unique()
    _, means = history.smooth_loss(history.log_every)
    values = {
        "loss": means,
        "norm": history.diagnostics["norm"],
        "relative_loss": history.diagnostics["relative_loss"],
    }
    plain: dict[str, list[Any]] = {"steps": history.logged_steps[chosen].tolist()}
    for name, value in values.items():
        kept = value[chosen]  # (points, seeds)
        triples = torch.stack([kept.quantile(0.5, dim=1), kept.amin(1), kept.amax(1)], dim=1)
        plain[name] = [[float(f"{number:.4g}") for number in row] for row in triples.tolist()]
    return plain


def long_runs(steps: int = LONG_STEPS, seeds: Seeds = SEEDS) -> dict[str, Any]:
    """The first experiment ten times longer than the paper's.

    Args:
        steps: optimizer steps.
        seeds: the same in every condition.

    Returns:
        By condition: ``curves``, see :func:`curve`, and ``summaries``, medians over seeds.
    """
    experiment = replace(SINE, steps=steps)
    histories = {name: train(experiment, CONDITIONS[name], seeds) for name in LONG}
    return {
        "curves": {name: curve(history) for name, history in histories.items()},
        "summaries": medians({name: training_summary(h) for name, h in histories.items()}),
    }


def at_step(recorded: Mapping[str, list[Any]], step: int) -> dict[str, float]:
    """The medians of a recorded curve at the last point not after a step.

    Args:
        recorded: see :func:`curve`.
        step: from 0.

    Returns:
        ``step``, ``loss``, ``norm`` and ``relative_loss`` there.
    """
    i = max(k for k, point in enumerate(recorded["steps"]) if point <= step)
    return {
        "step": recorded["steps"][i],
        **{name: recorded[name][i][0] for name in ("loss", "norm", "relative_loss")},
    }


def fresh_seeds(
    conditions: Mapping[str, str], measures: Sequence[str], length: str = "paper"
) -> dict[str, dict[str, float]]:
    """What the study's second edition found on 32 seeds of its own.

    Args:
        conditions: a label, and the condition's name in ``results/second``.
        measures: what to read; one that a condition does not have is NaN.
        length: ``paper``, or ``long`` for ten times that.

    Returns:
        Medians over seeds, by label and measure.

    Raises:
        FileNotFoundError: if a condition has no record.
    """
    table = {}
    for label, name in conditions.items():
        found = load(f"second/sine-{name}-{length}")["measures"]
        table[label] = {m: median(found.get(m, [float("nan")])) for m in measures}
    return table


def record() -> dict[str, Any]:
    """What the chapter compares itself with, and its runs of ten times the paper's length."""
    histories = {name: train(SINE, c, SEEDS) for name, c in CONDITIONS.items()}
    both = {name: CONDITIONS[name] for name in ("unconstrained", "expressive")}
    return {
        "seeds": list(check_seeds(SEEDS)),
        "replayed": {name: replay("sine", name).scores() for name in REPLAYED},
        "summaries": medians({name: training_summary(h) for name, h in histories.items()}),
        "long": long_runs(),
        "taus": {name: medians(tau_summaries(c, SEEDS)) for name, c in both.items()},
        "loop": {name: loop_summary(watch_loop(c, SEEDS).looks()) for name, c in both.items()},
    }
