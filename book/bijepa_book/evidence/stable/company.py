"""The relatives' recordings: tuned on seeds of their own, then compared on fresh ones.

Criteria, fixed before the runs. Everybody has the same encoder, batches, steps and seeds, and ten
settings: five of its own knob, with LayerNorm in the encoder and without. (The knob of classic JEPA
and BiJEPA, which have none of the kind, is the learning rate: a quarter to four times the
paper's.) On each data set a setting is chosen on the hunting seeds by what a linear probe reads
from the embedding of x: the mean log of the errors of the whole target and of the context itself
on series, of the wave's next value under a distractor (strength 3, kept for all strengths), the
share of wrong labels on MNIST. All settings are shown. The chosen ones are trained on 32 fresh
seeds (64 to 95; MNIST 8 of 8 to 31) and read once.

(Amended before any run.) MNIST has five settings each, with LayerNorm in the encoder as in the
paper's configuration, three epochs and two seeds, 100 and 101, like the hunt: its time is scarce.
Its fresh seeds are 8 to 15. A run is never chosen if its loss stops being finite, or if, as a mean
over seeds, less than a thousandth of the embedding's mean square differs between samples: what
:func:`bijepa_core.training.pretrain` calls collapse. A constraint that the hunt found comes with
its own strength, in BiJEPA and in classic JEPA, and is not tuned again.

*Who reads best* is said by 95 % bootstrap intervals of the geometric mean of ratios to BiJEPA as
in the paper, seed by seed; a difference under 5 % is called none.

*What invariance throws away.* (Added before any record of the tuning on series was looked at.)
Five relatives, :data:`ALIKE`, make the embeddings of past and future alike, or those of their
heads. Past and future of a wave share its frequency and not its phase. Then each of them misses
more of the phase than the predictive autoencoder does, at least twice as much, and its (log) cost
over the predictive autoencoder is larger on the phase than on the frequency. Past and future also
share the slow drift, almost wholly. Then for each of them the (log) error on the wave's next value
grows more from no drift to a drift of strength 10 than for the autoencoder and for the predictive
one. All of it by 95 % bootstrap intervals.

*Drawings.* (Added when all of the above was there, and after a look at seeds 64 to 71.) A JEPA's
forecast, off which the hunt reads, has no counterpart in these readings. The predictive autoencoder
has one, its own drawing of y: it is judged on the same seeds, by the same rule.

*Digits.* (Added before any comparison there, when eight of the ten were tuned.) Models that
chapters 8 and 10 trained are not trained again: on the same seeds and at the same length, their
records hold the same readings. Four guesses, by 95 % bootstrap intervals and with differences of
5 %: of the labels of left halves the predictive autoencoder misses least of all relatives and
JEPAs, and less than BiJEPA with the hunt's winner; of right halves, which nothing in its loss ever
encodes, it misses more than that; from its embedding right halves are drawn better than from
that; and each of :data:`ALIKE` misses more labels of left halves than that.

*Both ways.* (Added when all of the above was recorded and told, before any such run but an exercise
of the chapter: untuned, 8 seeds of sine waves.) A predictive autoencoder with a second head, which
draws x from the embedding of y, has BiJEPA's second direction without its embeddings as targets.
It is tuned like everybody, and by the same readings; among the ten it is not counted. The question:
is what BiJEPA's second direction brings due to predicting *embeddings*? Three readings are what a
second direction is for: the past, off the embedding of y, on both series, and the labels of right
halves. The claim holds where BiJEPA misses less of all three than the two-headed autoencoder, by
the same rule; it is asked of BiJEPA at its tuned rate and with the hunt's winner. The guess: it
does not hold of either; on series the autoencoder is even or better, on digits the winner leads.
(Added when these were recorded, before any such run: what the two heads draw themselves is judged
beside BiJEPA's forecast and inferred past, on the same seeds, by the same rule. The guess: on both
series its drawings of the target and of the past are even with the winner's or better.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from bijepa_book.chapters.why import by_position, by_state
from bijepa_book.evidence.metrics import LOOKED_AT
from bijepa_book.evidence.second.images import full_precision
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.second.series import parameter_measures
from bijepa_book.evidence.stable.distractor import STRENGTHS, Distracted, distracted_data
from bijepa_book.evidence.stable.hunt import HUNTING, HUNTING_IMAGES, SHORT_EPOCHS, Candidate
from bijepa_book.evidence.stable.images import Embedded, drawing_error, embedded, label_error
from bijepa_book.evidence.stable.relatives import (
    RELATIVES,
    TWO_HEADED,
    Relative,
    TwoHeads,
    relative,
)
from bijepa_core._support.checks import inference
from bijepa_core.constraints import WHITENED, Constraint
from bijepa_core.data.mnist import ImageData
from bijepa_core.data.series import SeriesData
from bijepa_core.diagnostics import effective_rank, norm, varying_share
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import Features, protocol_a
from bijepa_core.evaluation.scores import Scores, fair_mse
from bijepa_core.experiments import EPOCHS, LORENZ, MNIST, SINE, Configuration, Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.seeds import Seeds, borrowing_random_state, generator, init_stacked

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
JEPAS = {"classic": 1.0, "bijepa": 0.5}
"""By name; alpha."""
ALIKE = ("simclr", "barlow-twins", "vicreg", "byol", "lejepa")
"""Those that make two views alike."""
SAMPLED = Configuration(WHITENED, predictor="energy")
TUNED_AT = 3.0  # strength of the distractor at which a setting is chosen
FRESH_IMAGES = range(8, 16)
LOOKS = 20  # at the losses of a run
DATA = ("sine", "lorenz", "distracted", "mnist")


class Learner(Protocol):
    """Who is trained: a :class:`Member`, one with a constraint of the hunt, or one that samples."""

    @property
    def label(self) -> str:
        """In keys."""

    def plain(self) -> dict[str, Any]:
        """In records."""

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """A fresh one."""

    def learning_rate(self, experiment: Experiment) -> float:
        """The optimizer's."""

    def optimizer(self, steps: int) -> Any:
        """What makes its optimizer."""


@dataclass(frozen=True)
class Member:
    """One of the company at one of its ten settings.

    Args:
        name: a relative's, or one of :data:`JEPAS`.
        setting: of its knob; for a JEPA, its learning rate over the paper's.
        layer_norm: in the encoder, and in a JEPA's predictors.
    """

    name: str
    setting: float
    layer_norm: bool

    @property
    def label(self) -> str:
        """In keys."""
        return f"{self.name}-{self.setting:g}-{'norm' if self.layer_norm else 'plain'}"

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """A fresh model; seed s begins with the same encoder in all of the company."""
        if self.name in JEPAS:
            constraint = Constraint(self.layer_norm, 1e-4 if self.layer_norm else 0.0)
            return experiment.model(Configuration(constraint, JEPAS[self.name]), seeds)
        build = partial(relative, self.name, self.setting, experiment, self.layer_norm)
        return init_stacked(build, seeds)

    def learning_rate(self, experiment: Experiment) -> float:
        """The optimizer's."""
        return experiment.learning_rate * (self.setting if self.name in JEPAS else 1.0)

    def optimizer(self, steps: int) -> Any:
        """The paper's."""
        return fused_adamw

    def plain(self) -> dict[str, Any]:
        """Its three names."""
        return {"name": self.name, "setting": self.setting, "layer_norm": self.layer_norm}


@dataclass(frozen=True)
class Joined:
    """BiJEPA or classic JEPA with a constraint of the hunt, at the hunt's strength.

    Args:
        candidate: of the hunt; its alpha says which of the two.
    """

    candidate: Candidate

    @property
    def label(self) -> str:
        """In keys."""
        return f"with-{self.candidate.name}"

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """The candidate's."""
        return self.candidate.model(experiment, seeds)

    def learning_rate(self, experiment: Experiment) -> float:
        """The paper's."""
        return experiment.learning_rate

    def optimizer(self, steps: int) -> Any:
        """The candidate's."""
        return self.candidate.optimizer(steps)

    def plain(self) -> dict[str, Any]:
        """Its name, and the candidate's kind, strength and alpha."""
        name = "bijepa" if self.candidate.alpha < 1 else "classic"
        return {"name": name, **self.candidate.plain()}


@dataclass(frozen=True)
class Sampling:
    """BiJEPA whose predictors sample, as in chapter 11, with the hunt's winner."""

    label: str = "with-energy"

    def model(self, experiment: Experiment, seeds: Seeds) -> BiJEPA:
        """Predictors that are trained by the energy score, on whitened targets."""
        return experiment.model(SAMPLED, seeds)

    def learning_rate(self, experiment: Experiment) -> float:
        """The paper's."""
        return experiment.learning_rate

    def optimizer(self, steps: int) -> Any:
        """The winner's."""
        return falling_adamw(steps)

    def plain(self) -> dict[str, Any]:
        """Its configuration."""
        return {"name": "bijepa", **SAMPLED.plain()}


def company() -> list[Member]:
    """Everybody, at every setting."""
    knobs = {**dict.fromkeys(JEPAS, RATES), **{n: way.settings for n, way in RELATIVES.items()}}
    return _at_every_setting(knobs)


def _at_every_setting(knobs: Mapping[str, Sequence[float]]) -> list[Member]:
    return [
        Member(name, setting, layer_norm)
        for name, settings in knobs.items()
        for layer_norm in (True, False)
        for setting in settings
    ]


def members(data: str) -> list[Member]:
    """Who is tuned on a data set: on MNIST only those with LayerNorm."""
    return _tuned_on(data, company())


def both_ways(data: str) -> list[Member]:
    """Who draws in both directions, at every setting that is tuned on a data set."""
    return _tuned_on(data, _at_every_setting({n: way.settings for n, way in TWO_HEADED.items()}))


def _tuned_on(data: str, found: Sequence[Member]) -> list[Member]:
    return [member for member in found if member.layer_norm or data != "mnist"]


def joined(candidates: Sequence[Candidate]) -> list[Learner]:
    """Each constraint in BiJEPA and in classic JEPA."""
    return [Joined(replace(one, alpha=alpha)) for one in candidates for alpha in (0.5, 1.0)]


# --- what is measured --------------------------------------------------------------------------


def _trained(
    member: Learner, experiment: Experiment, batches: Any, seeds: tuple[int, ...], device: str
) -> BiJEPA:
    """The model, trained.

    Raises:
        NonFiniteLossError: if a loss stops being finite; a recording says so.
    """
    model = member.model(experiment, seeds).to(device)
    with borrowing_random_state(torch.device(device)):
        torch.manual_seed(generator(seeds[0], "company").initial_seed())  # of masks and sketches
        experiment.train(
            model,
            batches,
            device=device,
            log_every=max(experiment.steps // LOOKS, 1),
            progress=False,
            learning_rate=member.learning_rate(experiment),
            make_optimizer=member.optimizer(experiment.steps),
        )
    return model


def form(s: Tensor) -> Scores:
    """``norm``, ``effective_rank`` and ``varying_share`` of embeddings ``(seeds, n, d)``."""
    found = {"norm": norm(s).mean(-1), "effective_rank": effective_rank(s)}
    found["varying_share"] = varying_share(s)
    return {name: per_seed(values) for name, values in found.items()}


def read_series(
    features: Features,
    data: SeriesData,
    waves_of: tuple[int, ...] = (),
    of_target: Features | None = None,
) -> Measured:
    """What a linear probe reads from an embedding of a window.

    Args:
        features: of windows.
        data: of the seeds.
        waves_of: the seeds, where the data are the first experiment's waves.
        of_target: features of targets, where they are not the same.

    Returns:
        ``fair``, the next value; ``whole``, the target; ``kept``, the window itself; ``past``, the
        context from the target's embedding; of waves ``frequency_a`` and ``phase_a``, see
        :func:`bijepa_book.evidence.second.series.parameter_measures`; and :func:`form`. Curves by
        position: ``future``, ``kept``, ``past``.
    """
    (x, y), (far_x, far_y), size = data.probe, data.held_out, data.state_dim
    first, far_first = data.next_state(data.probe), data.next_state(data.held_out)
    asked = {
        "future": (features, (x, y), (far_x, far_y)),
        "kept": (features, (x, x), (far_x, far_x)),
        "past": (of_target or features, (y, x), (far_y, far_x)),
    }
    curves = {name: by_position(*what, size) for name, what in asked.items()}
    scores: Scores = {"fair": fair_mse(features, first, far_first)}
    for name, stored in (("future", "whole"), ("kept", "kept"), ("past", "past")):
        scores[stored] = [sum(row) / len(row) for row in curves[name]]
    if waves_of:
        scores |= parameter_measures(features, data, waves_of, "a", nonlinear=False)
    return Measured(scores | form(features(far_x[..., :LOOKED_AT, :])), curves)


def read_distracted(features: Features, seen: Distracted, unseen: Distracted) -> Scores:
    """How much of wave and drift a linear probe leaves open.

    Args:
        features: of contexts.
        seen, unseen: to fit the probe on, and to judge it on.

    Returns:
        ``wave`` and ``drift``, errors of the next values; and :func:`form`.
    """
    x, far_x = seen.context, unseen.context
    wrong = {
        name: fair_mse(features, (x, getattr(seen, name)), (far_x, getattr(unseen, name)))
        for name in ("wave", "drift")
    }
    return wrong | form(features(far_x[..., :LOOKED_AT, :]))


def read_labels(left: Embedded, data: ImageData) -> Measured:
    """What a classifier reads from left halves: ``label_error``, and :func:`form`."""
    scores = {"label_error": label_error(left, data)}
    return Measured(scores | form(left.unseen[..., :LOOKED_AT, :]), {})


def read_halves(
    left: Embedded, right: Embedded, data: ImageData, seeds: tuple[int, ...]
) -> Measured:
    """What is read from both halves.

    Args:
        left, right: embeddings.
        data: the images.
        seeds: initialize the decoders.

    Returns:
        :func:`read_labels` of the left half; ``right_label_error``; ``decoder_ten``, the error of
        the right half as the ten epochs' decoder draws it from the left one's embedding, and
        ``past_decoder_ten``, the reverse. Curves by column: ``drawn``, ``past_drawn``.
    """
    scores = read_labels(left, data).measures | {"right_label_error": label_error(right, data)}
    ahead = drawing_error(left, data, "right", seeds)
    back = drawing_error(right, data, "left", seeds)
    scores |= {"decoder_ten": per_seed(ahead.mean(-1)), "past_decoder_ten": per_seed(back.mean(-1))}
    return Measured(scores, {"drawn": ahead.tolist(), "past_drawn": back.tolist()})


def measure(
    member: Learner, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company on a series, and read its embedding."""
    data = experiment.load(seeds, device)
    assert isinstance(data, SeriesData)
    model = _trained(member, experiment, data.batches, seeds, device)
    return read_series(protocol_a(model), data, seeds if experiment.name == SINE.name else ())


def measure_drawing(
    member: Learner, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train a predictive autoencoder on a series, and judge what its own heads draw.

    Returns:
        ``fair``, the next value, and ``whole``, the target, as in :func:`read_series`, which asks
        a linear probe; with two heads also ``past``, x as drawn from y. Curves by position:
        ``future``, ``past``.
    """
    data = experiment.load(seeds, device)
    assert isinstance(data, SeriesData)
    model = _trained(member, experiment, data.batches, seeds, device)
    assert isinstance(model, Relative)
    x, y = data.held_out
    asked_of: dict[str, tuple[nn.Module, Tensor, Tensor]] = {"future": (model.head, x, y)}
    if isinstance(model.head, TwoHeads):
        asked_of = {"future": (model.head.ahead, x, y), "past": (model.head.back, y, x)}

    def curve(head: nn.Module, seen: Tensor, asked: Tensor) -> Tensor:
        """Errors by position, ``(seeds, positions)``."""
        with inference(model):
            missed = (head(model.online(seen)) - asked).square().mean(-2)  # (seeds, window)
        return by_state(missed, data.state_dim)

    curves = {name: curve(*what) for name, what in asked_of.items()}
    scores: Scores = {"fair": per_seed(curves["future"][..., 0])}
    for name, stored in (("future", "whole"), ("past", "past")):
        if name in curves:
            scores[stored] = per_seed(curves[name].mean(-1))
    return Measured(scores, {name: found.tolist() for name, found in curves.items()})


def measure_distracted(
    member: Learner, strength: float, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company under a distractor, and read its embedding."""
    data = distracted_data(seeds, SINE.batch_size, strength)
    model = _trained(member, SINE, data.batches, seeds, device)
    return Measured(read_distracted(protocol_a(model), data.probe, data.held_out), {})


def _trained_on_halves(
    member: Learner, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> tuple[BiJEPA, ImageData]:
    data = experiment.load(seeds, device)
    assert isinstance(data, ImageData)
    return _trained(member, experiment, data.batches, seeds, device), data


def measure_labels(
    member: Learner, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company on half images, and read labels alone."""
    with full_precision():
        model, data = _trained_on_halves(member, experiment, seeds, device)
        return read_labels(embedded(model, data), data)


def measure_images(
    member: Learner, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company on half images, and read both halves."""
    with full_precision():
        model, data = _trained_on_halves(member, experiment, seeds, device)
        left, right = embedded(model, data, "left"), embedded(model, data, "right")
        return read_halves(left, right, data, seeds)


# --- what is recorded --------------------------------------------------------------------------


def key(data: str, study: str, label: str, strength: float = TUNED_AT) -> str:
    """A record's name; under a distractor it tells the strength."""
    if data == "distracted":
        return f"sine-{study}-distracted-{strength:g}-{label}"
    return f"{data}-{study}-{label}"


def _recording(
    member: Learner,
    name: str,
    experiment: Experiment,
    seeds: range | tuple[int, ...],
    measured: Callable[[tuple[int, ...], str], Measured],
    **about: Any,
) -> Recording:
    trained = member.model(experiment, seeds[0]).trained_parameters()
    about |= {"experiment": experiment.plain(), "parameters": sum(p.numel() for p in trained)}
    return Recording(name, about | member.plain(), seeds, 8, 1.0, measured)


def recordings(
    study: str = "tuning", wanted: Mapping[str, Sequence[Learner]] | None = None
) -> list[Recording]:
    """Series and distracted waves: at every setting, or at those chosen.

    Args:
        study: ``tuning``, on the hunting seeds, or ``company``, on fresh ones.
        wanted: who is trained, by data set; by default everybody at every setting.

    Returns:
        One recording for each and each data set. In tuning the distractor has one strength.
    """
    seeds = HUNTING if study == "tuning" else SERIES_SEEDS
    strengths = (TUNED_AT,) if study == "tuning" else STRENGTHS
    who = {data: members(data) for data in DATA} if wanted is None else wanted
    found = [
        _recording(
            one,
            key(experiment.name, study, one.label),
            experiment,
            seeds,
            partial(measure, one, experiment),
        )
        for experiment in (SINE, LORENZ)
        for one in who.get(experiment.name, ())
    ]
    return found + [
        _recording(
            one,
            key("distracted", study, one.label, strength),
            SINE,
            seeds,
            partial(measure_distracted, one, strength),
            distractor=strength,
        )
        for strength in strengths
        for one in who.get("distracted", ())
    ]


def drawing_recordings(wanted: Mapping[str, Sequence[Learner]]) -> list[Recording]:
    """What predictive autoencoders draw themselves, on fresh seeds.

    Args:
        wanted: those chosen, by data set.

    Returns:
        One recording for each series.
    """
    return [
        _recording(
            one,
            key(experiment.name, "company", f"drawing-{one.label}"),
            experiment,
            SERIES_SEEDS,
            partial(measure_drawing, one, experiment),
        )
        for experiment in (SINE, LORENZ)
        for one in wanted.get(experiment.name, ())
    ]


def image_tuning(
    experiment: Experiment = MNIST, wanted: Sequence[Learner] | None = None
) -> list[Recording]:
    """MNIST at every setting: labels alone.

    Args:
        experiment: MNIST, or a shorter one on other images.
        wanted: who is trained; by default everybody at every setting.

    Returns:
        One recording for each.
    """
    short = replace(experiment, steps=SHORT_EPOCHS * experiment.steps // EPOCHS)
    return [
        _recording(
            one,
            key("mnist", "tuning", one.label),
            short,
            HUNTING_IMAGES,
            partial(measure_labels, one, short),
        )
        for one in (members("mnist") if wanted is None else wanted)
    ]


def image_recordings(wanted: Sequence[Learner], experiment: Experiment = MNIST) -> list[Recording]:
    """MNIST at the paper's length: those chosen, on fresh seeds, all that is read."""
    return [
        _recording(
            one,
            key("mnist", "company", one.label),
            experiment,
            FRESH_IMAGES,
            partial(measure_images, one, experiment),
        )
        for one in wanted
    ]
