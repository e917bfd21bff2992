"""Claims asked *after* the runs, by a second reader of the record: judged apart from the others.

The same margins and the same rule, corrected for one another alone. Whoever chose them had seen the
numbers. So they confirm nothing; they say what :data:`bijepa_book.evidence.claims.CLAIMS` left out.
"""

from dataclasses import replace
from typing import Any

from bijepa_book.evidence.claims import (
    CLAIMS,
    TEN_PERCENT,
    Claim,
    Criterion,
    on_lorenz,
    on_mnist,
    on_sine,
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
        "Norm or relative loss keep growing.",
        fair=(
            on_sine("late_growth", "expressive", "lower", TEN_PERCENT, length="long"),
            on_sine("relative_rebound", "expressive", "lower", 1.5, length="long"),
        ),
    ),
    Claim(
        "sphere-settles",
        "This guarantees stability by bounding the vector norm",
        "3.3",
        "On the unit sphere training settles, the loss being measured against its target's "
        "variance.",
        "The relative loss rises.",
        fair=(
            on_sine("relative_rebound", "restrictive", "lower", 1.5),
            on_sine("relative_rebound", "restrictive", "lower", 1.5, length="long"),
        ),
    ),
    Claim(
        "classic-stable",
        "Stable 0.0143 (Flat)",
        "A",
        "Classic JEPA trains with a flat loss.",
        "It rises.",
        fair=(on_sine("relative_rebound", "classic", "lower", 1.5),),
        paper=(on_sine("rebound", "classic", "lower", 1.5),),
        remark="The paper's own reading is the raw loss, as for BiJEPA.",
    ),
    Claim(
        "sine-b-longer",
        "significantly outperforms the standard uni-directional Classic JEPA",
        "4.2.2",
        "Sine, Protocol B: BiJEPA forecasts better than classic JEPA after ten times the training.",
        "It is not.",
        fair=_again(_asked["sine-b"].fair, length="long"),
    ),
    Claim(
        "lorenz-b-longer",
        "reducing error by nearly 4x",
        "4.3.2",
        "Lorenz, Protocol B: BiJEPA forecasts better than classic JEPA after ten times the "
        "training.",
        "It is not.",
        fair=_again(_asked["lorenz-b"].fair, length="long"),
    ),
    Claim(
        "sphere-limits",
        "potentially limiting representation capacity",
        "3.3",
        "On Lorenz and MNIST less can be read from the sphere's embedding.",
        "As much can be read.",
        fair=(
            on_lorenz("fair_a", "restrictive", "higher", "expressive", TEN_PERCENT),
            on_lorenz("fair_b", "restrictive", "higher", "expressive", TEN_PERCENT),
            on_mnist(
                "fair_accuracy_a", "restrictive", "lower", "expressive", 0.01, difference=True
            ),
        ),
    ),
    Claim(
        "sphere-smoother",
        "are smoother than that of Classic JEPA",
        "A",
        "Sine: the sphere's training loss is smoother than classic's.",
        "It is not.",
        fair=_again(_asked["sine-smoother"].fair, condition="restrictive"),
        paper=_again(_asked["sine-smoother"].paper, condition="restrictive"),
    ),
    Claim(
        "past-kept",
        "retains enough information to reconstruct the semantic content",
        "5.1",
        "The backward direction makes the embedding keep what the past is read from.",
        "It reads as much from classic JEPA's.",
        fair=(
            on_sine("past_a", "expressive", "lower", "classic", TEN_PERCENT),
            on_sine("past_a", "expressive", "lower", "classic-steps", TEN_PERCENT),
            on_lorenz("past_a", "expressive", "lower", "classic", TEN_PERCENT),
            on_lorenz("past_a", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "mnist-decoder-exposure",
        "classification accuracy and generative reconstruction quality",
        "4.4.2",
        "MNIST: it is the second direction that lowers the drawing's error, not seeing twice as "
        "many halves.",
        "It does not.",
        fair=(
            *_again(_asked["mnist-decoder"].fair, than="classic-batch"),
            *_again(_asked["mnist-decoder"].fair, than="classic-steps"),
        ),
    ),
)
