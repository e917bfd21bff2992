"""Claims asked *after* the runs, by a second reader of the record: judged apart from the others.

The same margins and the same rule, corrected for one another alone. Whoever chose them had seen the
numbers. So they confirm nothing; they say what :data:`bijepa_book.evidence.claims.CLAIMS` left out.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from bijepa_book.evidence.claims import CLAIMS, TEN_PERCENT, Claim, Criterion

_sine, _lorenz, _mnist = (
    partial(Criterion, "sine"),
    partial(Criterion, "lorenz"),
    partial(Criterion, "mnist"),
)

_asked = {claim.id: claim for claim in CLAIMS}


def _again(criteria: tuple[Criterion, ...], **changes: Any) -> tuple[Criterion, ...]:
    """Criteria with their margins, asked of something else."""
    return tuple(replace(criterion, **changes) for criterion in criteria)


LATER = (
    Claim(
        "expressive-settles",
        "the model achieves stable convergence",
        "4.2.2",
        "With LayerNorm and weight decay training settles, the loss being measured against its "
        "target's variance.",
        "In a training ten times longer the norm grows by less than 10 % from the last tenth but "
        "one to the last, and the relative loss ends within 1.5 times its lowest.",
        "Norm or relative loss keep growing.",
        fair=(
            _sine("late_growth", "expressive", "lower", TEN_PERCENT, length="long"),
            _sine("relative_rebound", "expressive", "lower", 1.5, length="long"),
        ),
    ),
    Claim(
        "sphere-settles",
        "This guarantees stability by bounding the vector norm",
        "3.3",
        "On the unit sphere training settles, the loss being measured against its target's "
        "variance.",
        "The relative loss ends within 1.5 times its lowest, at both lengths.",
        "The relative loss rises.",
        fair=(
            _sine("relative_rebound", "restrictive", "lower", 1.5),
            _sine("relative_rebound", "restrictive", "lower", 1.5, length="long"),
        ),
    ),
    Claim(
        "classic-stable",
        "Stable 0.0143 (Flat)",
        "A",
        "Classic JEPA trains with a flat loss.",
        "The relative loss ends within 1.5 times its lowest; the paper's own reading is the raw "
        "one, as for BiJEPA.",
        "It rises.",
        fair=(_sine("relative_rebound", "classic", "lower", 1.5),),
        paper=(_sine("rebound", "classic", "lower", 1.5),),
    ),
    Claim(
        "sine-b-longer",
        "significantly outperforms the standard uni-directional Classic JEPA",
        "4.2.2",
        "Sine, Protocol B: BiJEPA forecasts better than classic JEPA after ten times the training.",
        "There, too, the converged probe's error is lower by half of the reported factor of 3.9.",
        "It is not.",
        fair=_again(_asked["sine-b"].fair, length="long"),
    ),
    Claim(
        "lorenz-b-longer",
        "reducing error by nearly 4x",
        "4.3.2",
        "Lorenz, Protocol B: BiJEPA forecasts better than classic JEPA after ten times the "
        "training.",
        "There, too, the converged probe's error is lower by half of the reported factor of 3.8.",
        "It is not.",
        fair=_again(_asked["lorenz-b"].fair, length="long"),
    ),
    Claim(
        "sphere-limits",
        "potentially limiting representation capacity",
        "3.3",
        "On Lorenz and MNIST less can be read from the sphere's embedding.",
        "On Lorenz the converged errors are 10 % or more above the expressive model's, in both "
        "protocols; on MNIST the converged accuracy is a point or more below.",
        "As much can be read.",
        fair=(
            _lorenz("fair_a", "restrictive", "higher", "expressive", TEN_PERCENT),
            _lorenz("fair_b", "restrictive", "higher", "expressive", TEN_PERCENT),
            _mnist("fair_accuracy_a", "restrictive", "lower", "expressive", 0.01, difference=True),
        ),
    ),
    Claim(
        "sphere-smoother",
        "are smoother than that of Classic JEPA",
        "A",
        "Sine: the sphere's training loss is smoother than classic's.",
        "Its forward loss alone jumps 10 % less from batch to batch.",
        "It is not.",
        fair=_again(_asked["sine-smoother"].fair, condition="restrictive"),
        paper=_again(_asked["sine-smoother"].paper, condition="restrictive"),
    ),
    Claim(
        "past-kept",
        "retains enough information to reconstruct the semantic content",
        "5.1",
        "The backward direction makes the embedding keep what the past is read from.",
        "From BiJEPA's embedding of the present window a converged probe reads the past window "
        "with 10 % less error, or better, than from classic JEPA's, and than from that of classic "
        "JEPA with twice the steps.",
        "It reads as much from classic JEPA's.",
        fair=(
            _sine("past_a", "expressive", "lower", "classic", TEN_PERCENT),
            _sine("past_a", "expressive", "lower", "classic-steps", TEN_PERCENT),
            _lorenz("past_a", "expressive", "lower", "classic", TEN_PERCENT),
            _lorenz("past_a", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "mnist-decoder-exposure",
        "classification accuracy and generative reconstruction quality",
        "4.4.2",
        "MNIST: it is the second direction that lowers the drawing's error, not seeing twice as "
        "many halves.",
        "The error stays lower by half of the reported 2.3 % over classic JEPA with a doubled "
        "batch and over classic JEPA with twice the steps.",
        "It does not.",
        fair=(
            *_again(_asked["mnist-decoder"].fair, than="classic-batch"),
            *_again(_asked["mnist-decoder"].fair, than="classic-steps"),
        ),
    ),
)
