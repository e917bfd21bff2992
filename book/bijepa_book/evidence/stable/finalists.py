"""The finalists on fresh seeds, and what might speak against them.

Their measures have the names of the second edition's, whose records of the paper's configurations
they are compared with, seed by seed.
"""

from dataclasses import replace
from functools import partial

from bijepa_book.evidence.second import images
from bijepa_book.evidence.second.recording import SEEN, SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.second.series import OTHER_SIZES, loud
from bijepa_book.evidence.second.stacked import EPOCHS
from bijepa_book.evidence.stable.hunt import Candidate, recording
from bijepa_book.evidence.stable.kinds import FALLS_TO, PAPER
from bijepa_core.experiments import LORENZ, MNIST, SINE, Experiment

IMAGE_SEEDS = range(max(SEEN["mnist"]) + 1, 32)
IMAGE_CHUNK = 8  # seeds that train together
SMALL_BATCH = 16
RATE_ALONE = Candidate("falling-rate", FALLS_TO)
"""What the finalists' falling rate does without a constraint: the control."""


def classic(candidate: Candidate) -> Candidate:
    """The same constraint on a classic JEPA."""
    return replace(candidate, alpha=1.0)


def series_recordings(finalists: list[Candidate]) -> list[Recording]:
    """Both series at both lengths, with and without the second direction."""
    return [
        recording(one, experiment, length, "final", SERIES_SEEDS)
        for finalist in finalists
        for one in (finalist, classic(finalist))
        for length in ("paper", "long")
        for experiment in (SINE, LORENZ)
        if length == "paper" or one.alpha == 0.5
    ]


def image_recordings(
    finalists: list[Candidate], experiment: Experiment = MNIST, epochs: int = EPOCHS
) -> list[Recording]:
    """MNIST at the paper's length, with and without the second direction.

    Args:
        finalists: those to train.
        experiment: MNIST, or a shorter one on other images.
        epochs: of the probes that converge.

    Returns:
        One recording for each.
    """
    found = []
    for finalist in finalists:
        for one in (finalist, classic(finalist)):
            about = {**one.plain(), "experiment": experiment.plain(), "probe_epochs": epochs}
            measure = partial(_measure_images, one, experiment, epochs)
            key = f"{experiment.name}-final-{one.name}-paper"
            found.append(Recording(key, about, IMAGE_SEEDS, IMAGE_CHUNK, 300.0, measure))
    return found


def _measure_images(
    candidate: Candidate, experiment: Experiment, epochs: int, seeds: tuple[int, ...], device: str
) -> Measured:
    model = candidate.model(experiment, seeds)
    optimizer = candidate.optimizer(experiment.steps)
    return images.pretrained(model, experiment, epochs, seeds, device, optimizer)


def against_recordings(winner: Candidate) -> list[Recording]:
    """Sine waves in other sizes, other rates, small batches and other amplitudes, paper's length.

    Args:
        winner: what is asked of.

    Returns:
        The winner's; and, in small batches, those of the paper's two, which the second edition has
        not trained there.
    """
    found = []
    small = replace(SINE, batch_size=SMALL_BATCH)
    for change, experiment in (OTHER_SIZES | {"batch-16": small}).items():
        asked = [winner] + [Candidate(name) for name in PAPER if experiment is small]
        for one in asked:
            found.append(recording(one, experiment, "paper", f"against-{change}", SERIES_SEEDS))
    about = {"kind": winner.kind, "strength": winner.strength, "experiment": SINE.plain()}
    key = f"sine-against-loud-{winner.name}-paper"
    measure = partial(loud, winner.model, make_optimizer=winner.optimizer(SINE.steps))
    found.append(Recording(key, about, SERIES_SEEDS, 16, 1.0, measure))
    return found
