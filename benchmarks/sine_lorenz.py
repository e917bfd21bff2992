"""Experiments 1 and 2: a training step of one seed, and of 32 seeds together."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks import reference
from benchmarks.timing import Comparison, compare
from bijepa_core.data import lorenz
from bijepa_core.data.sine import SineBatches
from bijepa_core.data.streams import Batches, DrawnBatches
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, SINE, Experiment
from bijepa_core.seeds import Seeds, initializing, sample_per_seed

STEPS = 64  # a block: what the streams draw at once
MANY = 32
TARGETS = {("sine", 1): 2.0, ("lorenz", 1): 2.0, ("sine", MANY): 8.0, ("lorenz", MANY): 6.0}


def script(experiment: Experiment, seed: int = 0) -> reference.Script:
    """The plain loop's networks for one seed; they start from the weights of ours."""
    with initializing(seed):
        return reference.Script(
            partial(
                reference.mlp_encoder,
                experiment.in_dim,
                experiment.hidden_dim,
                experiment.embed_dim,
            ),
            partial(reference.predictor, experiment.embed_dim, experiment.hidden_dim),
            experiment.learning_rate,
            experiment.tau,
        )


def lorenz_table(seeds: Seeds) -> tuple[Tensor, Tensor]:
    """2,000 trajectories a seed, context and target, ``(*seeds, 2000, 60)`` each."""
    raw = sample_per_seed(seeds, "lorenz/train", lambda g: lorenz.trajectories(2000, g))
    return lorenz.split(lorenz.normalize(raw))


def plain_block(experiment: Experiment) -> Callable[[], None]:
    """``STEPS`` steps of the plain loop, data drawn included, losses kept as floats."""
    plain, numbers = script(experiment), np.random.default_rng(0)
    if experiment is SINE:
        batch = partial(reference.sine_batch, numbers, experiment.batch_size)
    else:
        batch = partial(reference.drawn_batch, *lorenz_table(0), experiment.batch_size)

    def block() -> None:
        losses = []
        for _ in range(STEPS):
            losses.append(plain.step(*batch()))

    return block


def our_block(experiment: Experiment, seeds: Seeds) -> Callable[[], None]:
    """The same number of steps of ``pretrain``, data, diagnostics and checks included."""
    model = experiment.model(CONFIGURATIONS["expressive"], seeds)
    many = not isinstance(seeds, int)
    tables = lorenz_table(seeds) if experiment is LORENZ else None

    def block() -> None:
        if tables is None:
            batches: Batches = SineBatches(seeds, experiment.batch_size)
        else:
            size = experiment.batch_size
            batches = DrawnBatches(*tables, batch_size=size, seeds=seeds, per_seed=many)
        experiment.train(model, batches, steps=STEPS, device="cpu", progress=False)

    return block


def measure(rounds: int) -> list[Comparison]:
    """Both experiments, one seed and many."""
    torch.manual_seed(0)  # the plain loop draws its rows from the global generator
    comparisons = []
    for experiment in (SINE, LORENZ):
        for count in (1, MANY):
            comparisons.append(
                compare(
                    f"{experiment.name}, {'one seed' if count == 1 else f'{count} seeds together'}",
                    "ms a step" if count == 1 else "ms a step and seed",
                    TARGETS[experiment.name, count],
                    (plain_block(experiment), STEPS),
                    (our_block(experiment, 0 if count == 1 else range(count)), STEPS * count),
                    rounds,
                )
            )
    return comparisons
