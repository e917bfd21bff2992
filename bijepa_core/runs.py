"""One experiment from data to scores, for one seed or many."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bijepa_core._support.devices import resolve_device
from bijepa_core._support.provenance import provenance
from bijepa_core.data import lorenz, mnist, sine
from bijepa_core.data.streams import Batches, DrawnBatches, ShuffledBatches
from bijepa_core.evaluation.scores import Scores, image_scores, series_scores
from bijepa_core.experiments import Configuration, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, check_seeds, draw
from bijepa_core.training import pretrain

PROBE, HELD_OUT, TRAIN = 1_000, 10_000, 2_000  # series in each set
MNIST_EPOCHS = 10


@dataclass(frozen=True)
class Run:
    """A trained model with what was measured on it.

    Args:
        experiment, configuration, seeds: what was run.
        model: the trained model, with a seed axis where ``seeds`` is a sequence.
        history: losses and diagnostics of its training.
        scores: see :mod:`bijepa_core.evaluation.scores`.
        origin: see :func:`bijepa_core._support.provenance.provenance`.
    """

    experiment: Experiment
    configuration: Configuration
    seeds: Seeds
    model: BiJEPA
    history: History
    scores: Scores
    origin: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """The result as plain data, for JSON: every list of scores has one entry a seed."""
        return {
            "experiment": asdict(self.experiment),
            "configuration": asdict(self.configuration),
            "seeds": list(check_seeds(self.seeds)),
            "scores": self.scores,
            "history": self.history.plain(),
            "provenance": self.origin,
        }


@dataclass(frozen=True)
class SeriesData:
    """What the sine and Lorenz experiments learn from, one draw a seed.

    Args:
        batches: the training stream.
        size: numbers in a state: 1 for sine, 3 for Lorenz.
        probe_windows: contexts and targets, ``(*seeds, 1000, inputs)`` each.
        held_out_windows: 10,000 fresh ones.
    """

    batches: Batches
    size: int
    probe_windows: tuple[Tensor, Tensor]
    held_out_windows: tuple[Tensor, Tensor]

    @property
    def probe(self) -> tuple[Tensor, Tensor]:
        """Contexts, and the first state of their targets, which is what the script regresses."""
        x, y = self.probe_windows
        return x, y[..., : self.size]

    @property
    def held_out(self) -> tuple[Tensor, Tensor]:
        """The same of the held-out windows."""
        x, y = self.held_out_windows
        return x, y[..., : self.size]


def sine_data(experiment: Experiment, seeds: Seeds, device: torch.device) -> SeriesData:
    """Fresh waves each step."""

    def views(purpose: str, count: int) -> tuple[Tensor, Tensor]:
        return sine.split(draw(seeds, purpose, lambda g: sine.waves(count, g)).to(device))

    return SeriesData(
        sine.SineBatches(seeds, experiment.batch_size, device),
        1,
        views("sine/probe", PROBE),
        views("sine/held-out", HELD_OUT),
    )


def lorenz_data(
    experiment: Experiment,
    seeds: Seeds,
    device: torch.device,
    integrator: lorenz.Integrator = lorenz.euler,
) -> SeriesData:
    """2,000 trajectories to draw from.

    As in the script, training and probe sets are normalized by their own statistics. The held-out
    set is normalized by the probe set's, so that a fitted probe is judged on the scale it knows.
    """

    def raw(purpose: str, count: int) -> Tensor:
        return draw(seeds, purpose, lambda g: lorenz.trajectories(count, g, integrator))

    def normalized(series: Tensor, reference: Tensor) -> Tensor:
        if isinstance(seeds, int):
            return lorenz.normalize(series, reference)
        return torch.stack([lorenz.normalize(s, r) for s, r in zip(series, reference, strict=True)])

    def views(series: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        return lorenz.split(normalized(series, reference).to(device))

    train, probe = raw("lorenz/train", TRAIN), raw("lorenz/probe", PROBE)
    x, y = views(train, train)
    many = not isinstance(seeds, int)
    return SeriesData(
        DrawnBatches(x, y, batch_size=experiment.batch_size, seeds=seeds, per_seed=many),
        3,
        views(probe, probe),
        views(raw("lorenz/held-out", HELD_OUT), probe),
    )


def run(
    experiment: Experiment,
    configuration: Configuration,
    seeds: Seeds,
    *,
    steps: int | None = None,
    dataset: mnist.Dataset = "mnist",
    device: str | torch.device = "auto",
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """Train and measure.

    Args:
        experiment: see :data:`bijepa_core.experiments.EXPERIMENTS`.
        configuration: see :data:`bijepa_core.experiments.CONFIGURATIONS`.
        seeds: one seed, or a sequence: all of them train together.
        steps: optimizer steps; None for the paper's (for digits, 10 epochs of theirs).
        dataset: for the MNIST experiment; see :func:`bijepa_core.data.mnist.load`.
        device: ``"auto"`` or a device.
        checkpoint, resume, progress: see :func:`bijepa_core.training.pretrain`.

    Returns:
        The trained model, its history and its scores.

    Raises:
        ValueError, DataNotFoundError, CorruptDataError, CheckpointError: before any work.
        NonFiniteLossError, KeyboardInterrupt: see :func:`bijepa_core.training.pretrain`.
    """
    if steps is not None:
        experiment = replace(experiment, steps=steps)
    check_seeds(seeds)
    place, began = resolve_device(device), time.perf_counter()
    model, untrained = (experiment.model(configuration, seeds).to(place) for _ in range(2))

    def train(batches: Batches, steps: int) -> History:
        return pretrain(
            model,
            batches,
            steps=steps,
            learning_rate=experiment.learning_rate,
            device=place,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )

    if experiment.name == "mnist":
        digits = mnist.load(dataset)
        x, y = mnist.halves(mnist.normalize(digits.train.to(place)))
        stream = ShuffledBatches(x, y, batch_size=experiment.batch_size, seeds=seeds)
        if dataset == "digits" and steps is None:
            experiment = replace(experiment, steps=MNIST_EPOCHS * stream.steps_per_epoch)
        history = train(stream, experiment.steps)
        epochs = experiment.probe_steps
        scores = image_scores(model, untrained, digits, seeds, epochs=epochs, progress=progress)
    else:
        prepare = sine_data if experiment.name == "sine" else lorenz_data
        data = prepare(experiment, seeds, place)
        history = train(data.batches, experiment.steps)
        scores = series_scores(model, untrained, experiment, seeds, data.probe, data.held_out)
    origin = provenance(place, time.perf_counter() - began)
    return Run(experiment, configuration, seeds, model, history, scores, origin)
