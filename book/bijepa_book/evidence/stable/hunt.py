"""The hunt's recordings: every kind at every strength, on the series, on seeds of its own."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bijepa_book.evidence.grid import LONGER, Length
from bijepa_book.evidence.second.images import full_precision
from bijepa_book.evidence.second.recording import Measured, Recording
from bijepa_book.evidence.stable.images import drawing_error, embedded, label_error
from bijepa_book.evidence.stable.kinds import KINDS, LADDER, PAPER, SLOWED, STARTED, WITHOUT, Kind
from bijepa_core import NormalizationWarning
from bijepa_core.data.mnist import ImageData
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.probes import protocol_a
from bijepa_core.evaluation.scores import Scores, fair_mse
from bijepa_core.experiments import EPOCHS, LORENZ, MNIST, SINE, Configuration, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import fused_adamw
from bijepa_core.seeds import Seeds, init_stacked

HUNTING = range(96, 104)
"""Neither edition of the study has used these."""
HUNTING_IMAGES = (100, 101)
SHORT_EPOCHS = 3  # of MNIST
ROWS = 100  # of diagnostics in a run
OTHER_BATCHES = (16, 256)  # pairs a step; the paper has 64


@dataclass(frozen=True)
class Candidate:
    """A kind at a strength; or, without one, a configuration of the paper or a rung of the ladder.

    Args:
        kind: its name.
        strength: one of the kind's.
        alpha: weight of the forward term.
    """

    kind: str
    strength: float | None = None
    alpha: float = 0.5

    @property
    def name(self) -> str:
        """In keys and tables."""
        strength = "" if self.strength is None else f"-{self.strength:g}"
        return f"{self.kind}{strength}{'' if self.alpha == 0.5 else '-classic'}"

    def plain(self) -> dict[str, Any]:
        """In records."""
        return {"kind": self.kind, "strength": self.strength, "alpha": self.alpha}

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """A fresh model; without LayerNorm, seed s begins with the same weights in every kind."""
        if self.strength is None:
            constraint = (LADDER if self.kind in LADDER else PAPER)[self.kind]
            return experiment.model(Configuration(constraint, self.alpha), seeds)
        build = partial(self._kind.build, experiment, self.strength, self.alpha)
        return init_stacked(build, seeds)

    def optimizer(self, steps: int) -> Any:
        """What makes its optimizer."""
        if self.strength is None:
            return fused_adamw
        return self._kind.optimizer(self.strength, steps)

    @property
    def _kind(self) -> Kind:
        return {**KINDS, **WITHOUT, **STARTED, **SLOWED}[self.kind]


def precision(model: BiJEPA, data: SeriesData) -> Scores:
    """What the fair probe reads of future and past, held out.

    Args:
        model: trained.
        data: of its seeds.

    Returns:
        Errors, one number a seed: ``fair_a`` and ``fair_b`` of the value (state) after the context,
        from the embedding and from the forecast; ``whole_a`` and ``whole_b`` of the whole target;
        ``past_a`` and ``past_b`` of the whole context, from the target's embedding and from the
        inferred past.
    """
    (x, y), (far_x, far_y) = data.probe, data.held_out
    first, far_first = data.next_state(data.probe), data.next_state(data.held_out)
    a = protocol_a(model)
    scores = {
        "fair_a": fair_mse(a, first, far_first),
        "whole_a": fair_mse(a, (x, y), (far_x, far_y)),
        "past_a": fair_mse(a, (y, x), (far_y, far_x)),
    }
    if model.forward_predictor is not None:
        scores["fair_b"] = fair_mse(model.predict_forward, first, far_first)
        scores["whole_b"] = fair_mse(model.predict_forward, (x, y), (far_x, far_y))
    if model.backward_predictor is not None:
        scores["past_b"] = fair_mse(model.predict_backward, (y, x), (far_y, far_x))
    return scores


def trained(
    candidate: Candidate, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> tuple[BiJEPA, SeriesData, History]:
    """A candidate after its training on a series, the data, and what was logged.

    Args:
        candidate, experiment, seeds, device: see :func:`measure`.

    Raises:
        NonFiniteLossError: if a loss stops being finite.
    """
    data = experiment.load(seeds, device)
    assert isinstance(data, SeriesData)
    model = candidate.model(experiment, seeds).to(device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NormalizationWarning)  # one kind is so on purpose
        history = experiment.train(
            model,
            data.batches,
            device=device,
            log_every=max(experiment.steps // ROWS, 1),
            progress=False,
            make_optimizer=candidate.optimizer(experiment.steps),
        )
    return model, data, history


def measure(
    candidate: Candidate,
    experiment: Experiment,
    shown: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
) -> Measured:
    """Train a candidate on a series, and read it.

    Args:
        candidate: what to train.
        experiment: with its length.
        shown: diagnostics whose curves are kept.
        seeds: trained together.
        device: where.

    Returns:
        :func:`precision` and :func:`bijepa_core.evaluation.metrics.training_summary`.

    Raises:
        NonFiniteLossError: see :func:`trained`.
    """
    model, data, history = trained(candidate, experiment, seeds, device)
    curves = {name: history.diagnostics[name].T.tolist() for name in shown}
    return Measured(training_summary(history) | precision(model, data), curves)


def measure_images(
    candidate: Candidate, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train a candidate on half images, and read its left halves.

    Args:
        candidate, experiment, seeds, device: see :func:`measure`.

    Returns:
        ``label_error``, the share of test images that a converged softmax regression misses;
        ``decoder_ten``, the error of the ten epochs' decoder; ``norm``, ``effective_rank`` and
        the other measures of :func:`bijepa_core.evaluation.metrics.training_summary`.
    """
    with full_precision():
        data = experiment.load(seeds, device)
        assert isinstance(data, ImageData)
        model = candidate.model(experiment, seeds).to(device)
        history = experiment.train(
            model,
            data.batches,
            device=device,
            progress=False,
            make_optimizer=candidate.optimizer(experiment.steps),
        )
        left = embedded(model, data)
        found = {
            "label_error": label_error(left, data),
            "decoder_ten": per_seed(drawing_error(left, data, "right", seeds).mean(-1)),
        }
    return Measured(training_summary(history) | found, {})


def recording(
    candidate: Candidate,
    experiment: Experiment,
    length: Length = "paper",
    study: str = "hunt",
    seeds: range = HUNTING,
) -> Recording:
    """One condition on a series.

    Args:
        candidate: what is trained.
        experiment: on what.
        length: how long.
        study: of what it is a part; a word in its key.
        seeds: which, eight at a time.

    Returns:
        The recording.
    """
    steps = experiment.steps * (LONGER if length == "long" else 1)
    schedule = replace(experiment, steps=steps)
    shown = ("norm", "relative_loss", "effective_rank") if length == "long" else ()
    about = {**candidate.plain(), "length": length, "experiment": schedule.plain()}
    return Recording(
        key=f"{experiment.name}-{study}-{candidate.name}-{length}",
        about=about,
        seeds=seeds,
        chunk=len(HUNTING),
        seconds=steps / 2000,
        measure=partial(measure, candidate, schedule, shown),
    )


def candidates() -> list[Candidate]:
    """The paper's two, and every kind at every strength."""
    return [Candidate(name) for name in PAPER] + _at_every_strength(KINDS)


def recordings() -> list[Recording]:
    """The series at the paper's length."""
    return _on_both(candidates())


def ladder_recordings() -> list[Recording]:
    """What each hard constraint costs, on the hunting seeds."""
    return _on_both([Candidate(rung) for rung in LADDER])


def batch_recordings() -> list[Recording]:
    """A strong scale penalty, a scaled batch and neither, in smaller and in larger batches."""
    return [
        recording(one, replace(experiment, batch_size=size), study=f"batch-{size}")
        for size in OTHER_BATCHES
        for one in (Candidate("unconstrained"), Candidate("scale", 0.1), Candidate("batch-scaled"))
        for experiment in (SINE, LORENZ)
    ]


def started_recordings() -> list[Recording]:
    """Embeddings that are larger and smaller at the start; rates that fall."""
    return _on_both(_at_every_strength({**SLOWED, **STARTED}))


def without_recordings() -> list[Recording]:
    """Penalties without EMA, and without EMA and stop-gradient."""
    return _on_both(_at_every_strength(WITHOUT))


def _at_every_strength(kinds: Mapping[str, Kind]) -> list[Candidate]:
    return [Candidate(name, strength) for name in kinds for strength in kinds[name].strengths]


def _on_both(wanted: list[Candidate]) -> list[Recording]:
    return [recording(one, experiment) for one in wanted for experiment in (SINE, LORENZ)]


def image_recording(candidate: Candidate) -> Recording:
    """One condition of the hunt on MNIST."""
    schedule = replace(MNIST, steps=SHORT_EPOCHS * MNIST.steps // EPOCHS)
    about = {**candidate.plain(), "experiment": schedule.plain()}
    return Recording(
        key=f"mnist-hunt-{candidate.name}-short",
        about=about,
        seeds=HUNTING_IMAGES,
        chunk=len(HUNTING_IMAGES),
        seconds=60.0,
        measure=partial(measure_images, candidate, schedule),
    )
