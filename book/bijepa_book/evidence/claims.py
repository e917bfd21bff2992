"""The paper's claims as data, each with what would confirm it: fixed before any run of the study.

A claim is judged by *criteria*. Each compares one measure of one condition with that of another
condition, with a baseline, or with a number, seed by seed. A criterion demands a margin, because a
difference can be real and too small to be what the paper says. The margins follow one rule:

* where the paper gives the size of an effect, half of it (on the logarithmic scale for errors and
  other ratios);
* where it says only that something is better, smoother or larger, 10 %;
* what is said to hold in itself is compared with the number written in the criterion, and where the
  claim's own sentence names a factor, or asks for no less, that is the margin.

The criteria come in two groups. ``paper``: the paper's own probe or reading, at its length.
``fair``: a converged probe on held-out data, a baseline that needs no training, a quantity free of
the embedding's scale, or a training ten times longer.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bijepa_book.evidence.grid import BASELINES, Length, Name

TEN_PERCENT = 1.1


def half(factor: float) -> float:
    """Half of a reported factor, on the logarithmic scale."""
    return math.sqrt(factor)


@dataclass(frozen=True)
class Criterion:
    """One comparison, seed by seed.

    Args:
        experiment: ``sine``, ``lorenz`` or ``mnist``.
        measure: of ``condition``; see :mod:`bijepa_book.evidence.metrics`.
        condition: what the claim praises or blames.
        expects: ``lower`` or ``higher`` than what it is compared with.
        than: another condition, ``baselines``, or a number.
        by: the least factor (or, with ``difference``, the least difference).
        of: the measure to compare with, where it has another name.
        difference: compare by difference instead of by ratio.
        length: of the training.
    """

    experiment: Name
    measure: str
    condition: str
    expects: Literal["lower", "higher"]
    than: str | float
    by: float = 1.0
    of: str | None = None
    difference: bool = False
    length: Length = "paper"


@dataclass(frozen=True)
class Claim:
    """What the paper says, where, and what decides whether it is so.

    Args:
        id: a short name.
        quote: a few of the paper's own words.
        section: where they stand.
        claim: the same in this book's words.
        confirms: what would confirm it.
        refutes: what would refute it.
        fair: criteria of a sceptic; all of them must be met.
        paper: criteria of the paper's own kind; empty where the paper measured nothing.
    """

    id: str
    quote: str
    section: str
    claim: str
    confirms: str
    refutes: str
    fair: tuple[Criterion, ...]
    paper: tuple[Criterion, ...] = ()


_sine, _lorenz, _mnist = (
    partial(Criterion, "sine"),
    partial(Criterion, "lorenz"),
    partial(Criterion, "mnist"),
)

CLAIMS = (
    # --- stability ------------------------------------------------------------------------------
    Claim(
        "explosion",
        "latent vector magnitudes to grow unbounded",
        "4.2.2",
        "Without constraints the norm of the embedding grows without bound.",
        "In a training ten times longer, the norm still grows by 10 % or more from the last tenth "
        "but one to the last.",
        "It does not.",
        fair=(_sine("late_growth", "unconstrained", "higher", 1.0, TEN_PERCENT, length="long"),),
        paper=(_sine("norm_growth", "unconstrained", "higher", 1.0, 2.0),),
    ),
    Claim(
        "rebound",
        "the loss rebounds significantly",
        "4.2.2",
        "Without constraints training diverges: the loss falls, then rises again.",
        "The loss in units of the target's variance rises too, by half of the reported factor "
        "of 9.5.",
        "Only the raw loss rises, as it must when embeddings grow.",
        fair=(_sine("relative_rebound", "unconstrained", "higher", 1.0, half(9.5)),),
        paper=(_sine("rebound", "unconstrained", "higher", 1.0, half(9.5)),),
    ),
    Claim(
        "inherent",
        "symmetric predictive architectures are inherently unstable",
        "5.3",
        "It is the symmetry that explodes: with one direction alone the norm grows less.",
        "Unconstrained, the norm of BiJEPA's embedding ends 10 % or more above classic JEPA's, "
        "at both lengths.",
        "Unconstrained classic JEPA grows as far.",
        fair=(
            _sine("norm", "unconstrained", "higher", "classic-unconstrained", TEN_PERCENT),
            _sine(
                "norm",
                "unconstrained",
                "higher",
                "classic-unconstrained",
                TEN_PERCENT,
                length="long",
            ),
        ),
    ),
    Claim(
        "eigenvalues",
        "to exceed 1.0, leading to unbounded signal growth",
        "5.3",
        "The norm grows because the loop through both predictors has eigenvalues above one.",
        "Where the norm grows fastest, the largest eigenvalue of the loop exceeds one.",
        "It is below one there.",
        fair=(_sine("radius_growing", "unconstrained", "higher", 1.0),),
    ),
    Claim(
        "chase",
        "creating a continuous expansion cycle",
        "5.3",
        "The online encoder chases a target encoder that follows it: a faster target grows more.",
        "The norm ends higher with tau 0.9 than with tau 0.999, by 10 % or more.",
        "It does not.",
        fair=(
            _sine(
                "norm", "unconstrained-tau-0.9", "higher", "unconstrained-tau-0.999", TEN_PERCENT
            ),
        ),
    ),
    Claim(
        "expressive-stable",
        "the model achieves stable convergence",
        "4.2.2",
        "With LayerNorm and weight decay norm and loss settle.",
        "In a training ten times longer the norm grows by less than 10 % from the last tenth but "
        "one to the last, and the loss ends within 1.5 times its lowest.",
        "Norm or loss keep growing.",
        fair=(
            _sine("late_growth", "expressive", "lower", TEN_PERCENT, length="long"),
            _sine("rebound", "expressive", "lower", 1.5, length="long"),
        ),
        paper=(_sine("rebound", "expressive", "lower", 1.5),),
    ),
    Claim(
        "sphere-stable",
        "This guarantees stability by bounding the vector norm",
        "3.3",
        "On the unit sphere training is stable.",
        "The loss ends within 1.5 times its lowest, at both lengths.",
        "It rises.",
        fair=(
            _sine("rebound", "restrictive", "lower", 1.5),
            _sine("rebound", "restrictive", "lower", 1.5, length="long"),
        ),
        paper=(_sine("rebound", "restrictive", "lower", 1.5),),
    ),
    Claim(
        "layer-norm",
        "Layer Normalization and Weight Decay) are necessary",
        "6",
        "LayerNorm is necessary: without it the norm grows further.",
        "With decay alone, the norm ends 10 % or more above that with both, at both lengths.",
        "It does not.",
        fair=(
            _sine("norm", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT),
            _sine("norm", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT, length="long"),
        ),
        paper=(_sine("rebound", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT),),
    ),
    Claim(
        "decay",
        "Layer Normalization and Weight Decay) are necessary",
        "6",
        "Weight decay is necessary: without it the norm grows further.",
        "With LayerNorm alone, the norm ends 10 % or more above that with both, at both lengths.",
        "It does not.",
        fair=(
            _sine("norm", "norm-decay-0", "higher", "expressive", TEN_PERCENT),
            _sine("norm", "norm-decay-0", "higher", "expressive", TEN_PERCENT, length="long"),
        ),
        paper=(_sine("rebound", "norm-decay-0", "higher", "expressive", TEN_PERCENT),),
    ),
    Claim(
        "necessary",
        "necessary to ensure convergence",
        "6",
        "Without a constraint the model does not converge to a useful one.",
        "Unconstrained, the converged probe's error in Protocol B is 10 % or more above the "
        "expressive model's, at both lengths.",
        "The unconstrained model is as good.",
        fair=(
            _sine("fair_b", "unconstrained", "higher", "expressive", TEN_PERCENT),
            _sine("fair_b", "unconstrained", "higher", "expressive", TEN_PERCENT, length="long"),
        ),
    ),
    Claim(
        "lowest",
        "achieves the lowest Predictor error (0.0068)",
        "A",
        "The unconstrained model has the lowest error in Protocol B, half of the expressive one's.",
        "The converged probe agrees, by half of the reported factor of 1.9.",
        "It does not.",
        fair=(_sine("fair_b", "unconstrained", "lower", "expressive", half(0.0132 / 0.0068)),),
        paper=(_sine("paper_b", "unconstrained", "lower", "expressive", half(0.0132 / 0.0068)),),
    ),
    Claim(
        "adaptor",
        "it learns extremely small weights to rescale the massive",
        "4.2.2",
        "The probe undoes the explosion with small weights.",
        "In Protocol B the converged probe's weights are half as large, or less, on the "
        "unconstrained model as on the expressive one.",
        "They are not.",
        fair=(_sine("weight_b", "unconstrained", "lower", "expressive", 2.0),),
    ),
    Claim(
        "ema",
        "evolved via an Exponential Moving Average",
        "3.1",
        "The moving average keeps the target from collapsing.",
        "Without it (tau 0, the stop-gradient alone) the effective rank is 10 % lower and the "
        "converged probe's error in Protocol B 10 % higher.",
        "Training does as well without it.",
        fair=(
            _sine("rank", "tau-0", "lower", "expressive", TEN_PERCENT),
            _sine("fair_b", "tau-0", "higher", "expressive", TEN_PERCENT),
        ),
    ),
    Claim(
        "no-collapse",
        "stable convergence without collapse",
        "abstract",
        "The embedding of BiJEPA does not collapse.",
        "At ten times the length its effective rank is above 2, and the predictors leave less than "
        "half of the target's variance unexplained.",
        "It falls to a point or a line, or nothing is predicted.",
        fair=(
            _sine("rank", "expressive", "higher", 2.0, length="long"),
            _sine("relative_loss", "expressive", "lower", 0.5, length="long"),
            _lorenz("rank", "expressive", "higher", 2.0, length="long"),
            _lorenz("relative_loss", "expressive", "lower", 0.5, length="long"),
        ),
    ),
    Claim(
        "rank",
        "preventing information collapse",
        "5.1",
        "The backward direction makes the embedding richer than classic JEPA's.",
        "Its effective rank is 10 % or more higher, in both series experiments and on MNIST.",
        "It is not.",
        fair=(
            _sine("rank", "expressive", "higher", "classic", TEN_PERCENT),
            _lorenz("rank", "expressive", "higher", "classic", TEN_PERCENT),
            _mnist("rank", "expressive", "higher", "classic", TEN_PERCENT),
        ),
    ),
    # --- the sphere -----------------------------------------------------------------------------
    Claim(
        "sphere-cost",
        "this paradoxically hurts downstream performance",
        "A",
        "On the unit sphere the future can be read less well, in both protocols.",
        "The converged probe's errors are higher by half of the reported factors, 16 and 5.9.",
        "They are not.",
        fair=(
            _sine("fair_a", "restrictive", "higher", "expressive", half(0.1460 / 0.0093)),
            _sine("fair_b", "restrictive", "higher", "expressive", half(0.0779 / 0.0132)),
        ),
        paper=(
            _sine("paper_a", "restrictive", "higher", "expressive", half(0.1460 / 0.0093)),
            _sine("paper_b", "restrictive", "higher", "expressive", half(0.0779 / 0.0132)),
        ),
    ),
    Claim(
        "amplitude",
        "the model loses the ability to encode signal amplitude",
        "A",
        "On the sphere the loudness of a signal cannot be read (models trained on one loudness).",
        "A converged probe leaves more of a random gain's variance unexplained than on the "
        "expressive embedding, by a factor of two. (These models were trained on one loudness; "
        "chapter 3 trains on many.)",
        "It reads as much.",
        fair=(_sine("gain_hidden", "restrictive", "higher", "expressive", 2.0),),
    ),
    Claim(
        "scale-invariance",
        "L2-normalization enforces scale invariance",
        "5.6",
        "On the sphere an embedding does not care how loud the signal is; unconstrained it drifts.",
        "When a signal is halved or doubled, the embedding moves by less than a tenth of its "
        "variance, and forecasts suffer 10 % less than the unconstrained model's.",
        "It moves further, or forecasts suffer as much.",
        fair=(
            _sine("gain_drift", "restrictive", "lower", 0.1),
            _sine("gain_error", "restrictive", "lower", "unconstrained", TEN_PERCENT),
            _lorenz("gain_drift", "restrictive", "lower", 0.1),
            _lorenz("gain_error", "restrictive", "lower", "unconstrained", TEN_PERCENT),
        ),
        paper=(
            _sine("gain_drift", "restrictive", "lower", "unconstrained", TEN_PERCENT),
            _lorenz("gain_drift", "restrictive", "lower", "unconstrained", TEN_PERCENT),
        ),
    ),
    # --- sine: two directions or one ------------------------------------------------------------
    Claim(
        "sine-a",
        "forces the encoder to learn a more robust and predictive representation",
        "A",
        "Sine, Protocol A: BiJEPA's embedding tells much more of the future than classic's (in the "
        "paper: a third of the error).",
        "The converged probe's error is lower by half of the reported factor of 3.",
        "It is not.",
        fair=(_sine("fair_a", "expressive", "lower", "classic", half(0.0279 / 0.0093)),),
        paper=(_sine("paper_a", "expressive", "lower", "classic", half(0.0279 / 0.0093)),),
    ),
    Claim(
        "sine-b",
        "significantly outperforms the standard uni-directional Classic JEPA",
        "4.2.2",
        "Sine, Protocol B: BiJEPA forecasts better than classic JEPA.",
        "The converged probe's error is lower by half of the reported factor of 3.9.",
        "It is not.",
        fair=(_sine("fair_b", "expressive", "lower", "classic", half(0.0517 / 0.0132)),),
        paper=(_sine("paper_b", "expressive", "lower", "classic", half(0.0517 / 0.0132)),),
    ),
    Claim(
        "sine-exposure",
        "the symmetric, bi-directional objective forces the encoder",
        "A",
        "Sine: it is the second direction that helps, not seeing twice as many windows.",
        "The advantage in Protocol B stays at 10 % or more over classic JEPA with a doubled "
        "batch and over classic JEPA with twice the steps.",
        "It does not.",
        fair=(
            _sine("fair_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            _sine("fair_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
        paper=(
            _sine("paper_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            _sine("paper_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "sine-dynamics",
        "the predictor has learned the underlying causal dynamics",
        "4.1.2",
        "Sine: the forecast knows frequency and phase.",
        "Over the whole target the converged probe on BiJEPA's forecast beats least squares on the "
        "ten raw samples by 10 % or more.",
        "A linear map of the raw samples is as good.",
        fair=(_sine("whole_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_whole"),),
    ),
    Claim(
        "sine-smoother",
        "BiJEPA exhibits fewer fluctuations",
        "4.2.2",
        "Sine: BiJEPA's training loss is smoother than classic's.",
        "Its forward loss alone jumps 10 % less from batch to batch. (The plotted loss of BiJEPA "
        "is the mean of two directions, which is smoother for that reason alone.)",
        "It does not.",
        fair=(_sine("roughness_forward", "expressive", "lower", "classic", TEN_PERCENT),),
        paper=(_sine("roughness", "expressive", "lower", "classic", TEN_PERCENT),),
    ),
    # --- Lorenz ---------------------------------------------------------------------------------
    Claim(
        "lorenz-a",
        "captures richer semantic information and enhances predictive consistency",
        "6",
        "Lorenz, Protocol A: BiJEPA's embedding tells more of the future than classic's (in the "
        "paper: three quarters of the error).",
        "The converged probe's error is lower by half of the reported factor of 1.3.",
        "It is not.",
        fair=(_lorenz("fair_a", "expressive", "lower", "classic", half(0.0224 / 0.0172)),),
        paper=(_lorenz("paper_a", "expressive", "lower", "classic", half(0.0224 / 0.0172)),),
    ),
    Claim(
        "lorenz-b",
        "reducing error by nearly 4x",
        "4.3.2",
        "Lorenz, Protocol B: BiJEPA forecasts better than classic JEPA.",
        "The converged probe's error is lower by half of the reported factor of 3.8.",
        "It is not.",
        fair=(_lorenz("fair_b", "expressive", "lower", "classic", half(0.0937 / 0.0249)),),
        paper=(_lorenz("paper_b", "expressive", "lower", "classic", half(0.0937 / 0.0249)),),
    ),
    Claim(
        "lorenz-exposure",
        "acts as a strong regularizer",
        "4.3.2",
        "Lorenz: it is the second direction that helps, not seeing twice as many windows.",
        "The advantage in Protocol B stays at 10 % or more over classic JEPA with a doubled "
        "batch and over classic JEPA with twice the steps.",
        "It does not.",
        fair=(
            _lorenz("fair_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            _lorenz("fair_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
        paper=(
            _lorenz("paper_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            _lorenz("paper_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "lorenz-precise",
        "across the entire batch of samples with high precision",
        "4.3.2",
        "Lorenz: BiJEPA's forecast of the next state is precise.",
        "Its error is 10 % or more below that of a straight line through the last two states.",
        "The straight line is as good, or copying the last state is.",
        fair=(_lorenz("fair_b", "expressive", "lower", BASELINES, TEN_PERCENT, "extrapolate"),),
        paper=(_lorenz("paper_b", "expressive", "lower", BASELINES, TEN_PERCENT, "copy_last"),),
    ),
    Claim(
        "lorenz-mean-field",
        "the model likely collapses towards a mean-field prediction",
        "4.3.2",
        "Lorenz: classic JEPA's forecasts are pulled toward the mean.",
        "Decoded by the converged probe they vary less than 0.9 times as much as the truth, and "
        "less than BiJEPA's.",
        "They vary as much.",
        fair=(
            _lorenz("swing_fair_b", "classic", "lower", 0.9),
            _lorenz("swing_fair_b", "classic", "lower", "expressive"),
        ),
        paper=(
            _lorenz("swing_paper_b", "classic", "lower", 0.9),
            _lorenz("swing_paper_b", "classic", "lower", "expressive"),
        ),
    ),
    Claim(
        "lorenz-smoother",
        "the symmetric objective creates a smoother optimization landscape",
        "4.3.2",
        "Lorenz: BiJEPA's training loss is smoother than classic's.",
        "Its forward loss alone jumps 10 % less from batch to batch.",
        "It does not.",
        fair=(_lorenz("roughness_forward", "expressive", "lower", "classic", TEN_PERCENT),),
        paper=(_lorenz("roughness", "expressive", "lower", "classic", TEN_PERCENT),),
    ),
    Claim(
        "lorenz-monotone",
        "the BiJEPA loss decreases monotonically",
        "4.3.2",
        "Lorenz: BiJEPA's loss falls all the time.",
        "Of its means over 100 steps, fewer than one in twenty lie above the one before.",
        "More do.",
        fair=(Criterion("lorenz", "rises", "expressive", "lower", 0.05, 0.0, difference=True),),
    ),
    Claim(
        "semantic",
        "near-perfect latent predictability",
        "5.4",
        "The latent future is predictable although the metric detail is gone: BiJEPA extracts "
        "meaning and does not compress.",
        "On Lorenz less than a twentieth of the latent variance is unexplained; the converged "
        "probe's error in Protocol A stays above 0.01, half of the reported 0.02.",
        "The detail is there for a converged probe.",
        fair=(
            _lorenz("relative_loss", "expressive", "lower", 0.05),
            _lorenz("fair_a", "expressive", "higher", 0.01),
        ),
        paper=(
            _lorenz("train_loss", "expressive", "lower", 0.01),
            _lorenz("paper_a", "expressive", "higher", 0.01),
        ),
    ),
    # --- both directions in use -----------------------------------------------------------------
    Claim(
        "backward",
        "infer unobserved past causes from current effects",
        "3.4",
        "The backward predictor infers the past from the present.",
        "It leaves less than half of the variance of the past's embedding unexplained, and from it "
        "the past is read 10 % better than by least squares from the raw present window.",
        "A linear map of the raw window is as good.",
        fair=(
            _sine("missed_past", "expressive", "lower", 0.5),
            _sine("past_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_past"),
            _lorenz("missed_past", "expressive", "lower", 0.5),
            _lorenz("past_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_past"),
        ),
        paper=(
            _sine("missed_past", "expressive", "lower", 0.5),
            _lorenz("missed_past", "expressive", "lower", 0.5),
        ),
    ),
    Claim(
        "reversible",
        "effectively serving as a reversible world model",
        "3.4",
        "Forward and backward predictors undo each other.",
        "There and back, less than a tenth of the embedding's variance is lost.",
        "More is.",
        fair=(
            _sine("missed_loop", "expressive", "lower", 0.1),
            _lorenz("missed_loop", "expressive", "lower", 0.1),
        ),
    ),
    Claim(
        "anomaly",
        "flagged by high forward-backward inconsistency error",
        "5.6",
        "Windows that break the system's law have a high forward-backward inconsistency.",
        "They score above good ones with a chance of 0.75 or more, averaged over four kinds of "
        "violation, and no less often than a plain distance on the raw window says so.",
        "They do not, or the plain distance is better.",
        fair=(
            _sine("violation", "expressive", "higher", 0.75),
            _sine("violation", "expressive", "higher", BASELINES, of="distance"),
            _lorenz("violation", "expressive", "higher", 0.75),
            _lorenz("violation", "expressive", "higher", BASELINES, of="distance"),
        ),
    ),
    Claim(
        "shared",
        "this separation may be redundant",
        "5.2",
        "One predictor for both directions is as good as two (one MLP; the paper means an "
        "invertible network).",
        "The converged probe's error in Protocol B is at most 10 % higher, in both experiments.",
        "It is higher than that.",
        fair=(
            _sine("fair_b", "expressive", "higher", "shared", 1 / TEN_PERCENT),
            _lorenz("fair_b", "expressive", "higher", "shared", 1 / TEN_PERCENT),
        ),
    ),
    Claim(
        "weighting",
        "real-world data is often asymmetric",
        "5.5",
        "Weighting the directions by the information in each view (Eq. 13) helps.",
        "Not judged here: the study's views are equal, for which Eq. 13 gives one half. "
        "Chapter 6 makes one view noisier or sparser.",
        "The same.",
        fair=(),
    ),
    # --- MNIST ----------------------------------------------------------------------------------
    Claim(
        "mnist-accuracy",
        "boosting accuracy by over 2.7%",
        "4.4.2",
        "MNIST: the digit is read better from BiJEPA's embedding of the left half.",
        "The converged classifier is better by half of the reported 2.74 points.",
        "It is not.",
        fair=(
            _mnist("fair_accuracy_a", "expressive", "higher", "classic", 0.0137, difference=True),
        ),
        paper=(
            _mnist("paper_accuracy", "expressive", "higher", "classic", 0.0137, difference=True),
        ),
    ),
    Claim(
        "mnist-decoder",
        "classification accuracy and generative reconstruction quality",
        "4.4.2",
        "MNIST: the missing half is drawn with a lower error.",
        "On test images, which the encoder gets as it knows them, the decoder's error is lower by "
        "half of the reported 2.3 %.",
        "It is not.",
        fair=(_mnist("fair_decoder", "expressive", "lower", "classic", half(0.0305 / 0.0298)),),
        paper=(_mnist("paper_decoder", "expressive", "lower", "classic", half(0.0305 / 0.0298)),),
    ),
    Claim(
        "mnist-sharper",
        "produces sharper and more semantically consistent completions",
        "4.4.2",
        "MNIST: BiJEPA's hallucinations are sharper than classic's, and truer to the digit.",
        "They have 10 % more edge, and the true digit is seen in 1 point more of them.",
        "They do not.",
        fair=(
            _mnist("fair_sharpness", "expressive", "higher", "classic", TEN_PERCENT),
            _mnist("fair_true", "expressive", "higher", "classic", 0.01, difference=True),
        ),
        paper=(_mnist("paper_sharpness", "expressive", "higher", "classic", TEN_PERCENT),),
    ),
    Claim(
        "mnist-not-averages",
        "the reconstructions are not just blurry averages",
        "4.4.2",
        "MNIST: the hallucinations are as sharp as real digits.",
        "They have more than 0.9 times the edge of the true halves.",
        "They have less.",
        fair=(_mnist("fair_sharpness", "expressive", "higher", 0.9),),
        paper=(_mnist("paper_sharpness", "expressive", "higher", 0.9),),
    ),
    Claim(
        "mnist-exposure",
        "improved the classification accuracy of the forward embeddings",
        "5.1",
        "MNIST: it is the second direction that helps, not seeing twice as many halves.",
        "The advantage of the converged classifier stays positive over classic JEPA with a "
        "doubled batch (twice the epochs) and over classic JEPA with twice the steps.",
        "It does not.",
        fair=(
            _mnist(
                "fair_accuracy_a", "expressive", "higher", "classic-batch", 0.0, difference=True
            ),
            _mnist(
                "fair_accuracy_a", "expressive", "higher", "classic-steps", 0.0, difference=True
            ),
        ),
    ),
)


def needed() -> set[str]:
    """The keys of the conditions that some claim needs."""
    found = set()
    for claim in CLAIMS:
        for c in (*claim.fair, *claim.paper):
            found.add(f"{c.experiment}-{c.condition}-{c.length}")
            if isinstance(c.than, str):
                # without training there is one length
                length = "paper" if c.than == BASELINES else c.length
                found.add(f"{c.experiment}-{c.than}-{length}")
    return found


GROUPS = {
    "stability": (
        "explosion",
        "rebound",
        "inherent",
        "eigenvalues",
        "chase",
        "adaptor",
        "lowest",
    ),
    "constraints": (
        "necessary",
        "layer-norm",
        "decay",
        "expressive-stable",
        "sphere-stable",
        "no-collapse",
        "ema",
    ),
    "sphere": ("sphere-cost", "amplitude", "scale-invariance"),
    "sine": ("sine-a", "sine-b", "sine-exposure", "sine-dynamics", "sine-smoother"),
    "lorenz": (
        "lorenz-a",
        "lorenz-b",
        "lorenz-exposure",
        "lorenz-precise",
        "lorenz-mean-field",
        "lorenz-smoother",
        "lorenz-monotone",
        "semantic",
    ),
    "both ways": ("rank", "backward", "reversible", "anomaly", "shared", "weighting"),
    "mnist": (
        "mnist-accuracy",
        "mnist-decoder",
        "mnist-sharper",
        "mnist-not-averages",
        "mnist-exposure",
    ),
}
"""The claims by what they are about, for tables and figures."""
