"""The relatives' recordings: tuned on seeds of their own, then compared on fresh ones.

Criteria, fixed before the runs. Everybody has the same encoder, batches, steps and seeds, and ten
settings: five of its own knob, with LayerNorm in the encoder and without. (The knob of classic JEPA
and BiJEPA, which have none of the kind, is the learning rate: a quarter to four times the
paper's.) On each data set a setting is chosen on the hunting seeds by what a linear probe reads
from the embedding of x: the mean log of the errors of the whole target and of the context itself
on series, of the wave's next value under a distractor (strength 3, kept for all strengths), the
share of wrong labels on MNIST. All settings are shown. The chosen ones are trained on 32 fresh
seeds (64 to 95; MNIST 8 of 8 to 31) and read once.

*Who reads best* is said by 95 % bootstrap intervals of the geometric mean of ratios to BiJEPA as
in the paper, seed by seed; a difference under 5 % is called none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bijepa_book.chapters.why import by_position
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.stable.distractor import STRENGTHS, Distracted, distracted_data
from bijepa_book.evidence.stable.hunt import HUNTING
from bijepa_book.evidence.stable.relatives import WAYS, relative
from bijepa_core import NonFiniteLossError
from bijepa_core.constraints import Constraint
from bijepa_core.data.series import SeriesData
from bijepa_core.diagnostics import effective_rank, norm
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import Features, protocol_a
from bijepa_core.evaluation.scores import Scores, fair_mse
from bijepa_core.experiments import LORENZ, SINE, Configuration, Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, init_stacked

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
JEPAS = {"classic": 1.0, "bijepa": 0.5}
"""By name; alpha."""
TUNED_AT = 3.0  # strength of the distractor at which a setting is chosen


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


def company() -> list[Member]:
    """Everybody, at every setting."""
    knobs = {**dict.fromkeys(JEPAS, RATES), **{n: way.settings for n, way in WAYS.items()}}
    return [
        Member(name, setting, layer_norm)
        for name, settings in knobs.items()
        for layer_norm in (True, False)
        for setting in settings
    ]


def _trained(
    member: Member, experiment: Experiment, batches: Any, seeds: tuple[int, ...], device: str
) -> BiJEPA | None:
    """The model; None where its loss stopped being finite."""
    model = member.model(experiment, seeds).to(device)
    rate = member.learning_rate(experiment)
    try:
        experiment.train(model, batches, device=device, progress=False, learning_rate=rate)
    except NonFiniteLossError:
        return None
    return model


def read_series(features: Features, data: SeriesData) -> Measured:
    """What a linear probe reads from an embedding of a window.

    Args:
        features: of windows.
        data: of the seeds.

    Returns:
        ``fair``, the next value; ``whole``, the target; ``kept``, the window itself; ``past``, the
        context from the target's embedding; ``norm`` and ``effective_rank``. Curves by position:
        ``future``, ``kept``, ``past``.
    """
    (x, y), (far_x, far_y), size = data.probe, data.held_out, data.state_dim
    first, far_first = data.next_state(data.probe), data.next_state(data.held_out)
    asked = {
        "whole": ((x, y), (far_x, far_y)),
        "kept": ((x, x), (far_x, far_x)),
        "past": ((y, x), (far_y, far_x)),
    }
    scores: Scores = {"fair": fair_mse(features, first, far_first)}
    scores |= {name: fair_mse(features, *pairs) for name, pairs in asked.items()}
    s = features(far_x[..., :1000, :])
    scores |= {"norm": per_seed(norm(s).mean(-1)), "effective_rank": per_seed(effective_rank(s))}
    curves = {name: by_position(features, *pairs, size) for name, pairs in asked.items()}
    return Measured(scores, curves)


def read_distracted(features: Features, seen: Distracted, unseen: Distracted) -> Scores:
    """How much of wave and drift a linear probe leaves open: ``wave`` and ``drift``, errors."""
    half = seen.windows.shape[-1] // 2
    return {
        name: fair_mse(
            features,
            (seen.windows[..., :half], getattr(seen, name)),
            (unseen.windows[..., :half], getattr(unseen, name)),
        )
        for name in ("wave", "drift")
    }


def measure(
    member: Member, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company on a series, and read its embedding."""
    data = experiment.load(seeds, device)
    assert isinstance(data, SeriesData)
    model = _trained(member, experiment, data.batches, seeds, device)
    return Measured({}, {}) if model is None else read_series(protocol_a(model), data)


def measure_distracted(
    member: Member, strength: float, seeds: tuple[int, ...], device: str
) -> Measured:
    """Train one of the company under a distractor, and read its embedding."""
    data = distracted_data(seeds, SINE.batch_size, strength)
    model = _trained(member, SINE, data.batches, seeds, device)
    if model is None:
        return Measured({}, {})
    return Measured(read_distracted(protocol_a(model), data.probe, data.held_out), {})


def _recording(
    member: Member,
    data: str,
    study: str,
    seeds: range,
    about: dict[str, Any],
    measured: Callable[[tuple[int, ...], str], Measured],
) -> Recording:
    settings: dict[str, Any] = {
        "name": member.name,
        "setting": member.setting,
        "layer_norm": member.layer_norm,
    }
    key = f"{data}-{study}-{member.label}"
    return Recording(key, about | settings, seeds, 8, 1.0, measured)


def recordings(study: str = "tuning", members: list[Member] | None = None) -> list[Recording]:
    """Series and distracted waves: at every setting, or at those chosen.

    Args:
        study: ``tuning``, on the hunting seeds, or ``company``, on fresh ones.
        members: those to train; all by default.

    Returns:
        One recording for each and each data set. In tuning the distractor has one strength.
    """
    seeds = HUNTING if study == "tuning" else SERIES_SEEDS
    strengths = (TUNED_AT,) if study == "tuning" else STRENGTHS
    found = []
    for member in members or company():
        for experiment in (SINE, LORENZ):
            about = {"experiment": experiment.plain()}
            done = partial(measure, member, experiment)
            found.append(_recording(member, experiment.name, study, seeds, about, done))
        for strength in strengths:
            mixed: dict[str, Any] = {"experiment": SINE.plain(), "distractor": strength}
            under = partial(measure_distracted, member, strength)
            name = f"{study}-distracted-{strength:g}"
            found.append(_recording(member, "sine", name, seeds, mixed, under))
    return found
