"""The paper's claims as data, each with the criteria that decide it: fixed before any run.

A claim is judged by *criteria*. Each compares one measure of one condition with that of another
condition, with a baseline, or with a number, seed by seed. A criterion demands a margin, because a
difference can be real and too small to be what the paper says. The margins follow one rule:

* where the paper gives the size of an effect, half of it (on the logarithmic scale for errors and
  other ratios);
* where it says only that something is better, smoother or larger, 10 %;
* what is said to hold in itself is compared with the number written in the criterion, and where the
  claim's own sentence names a factor, or asks for no less, that is the margin.

The criteria come in two groups. ``paper``: the paper's own probe or reading, at its length.
``fair``: a fair probe (converged, on held-out data), a baseline that needs no training, a quantity
free of the embedding's scale, or a training ten times longer.

A criterion says in words what it asks for (:func:`in_words`). So what would confirm a claim
(:attr:`Claim.confirms`) and what is computed cannot come to differ.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bijepa_book.evidence.grid import BASELINES, Length, Name
from bijepa_book.names import BASELINE_MEASURES, MEASURES

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

    @property
    def sign(self) -> int:
        """1 where more is expected, -1 where less is."""
        return 1 if self.expects == "higher" else -1

    @property
    def even(self) -> float:
        """Where there is no effect: the number, or a ratio of 1, or a difference of 0."""
        if not isinstance(self.than, str):
            return float(self.than)
        return 0.0 if self.difference else 1.0

    @property
    def demand(self) -> float:
        """What the ratio (or difference, or value) must lie beyond."""
        if self.difference:
            return self.even + self.sign * self.by
        return self.even * self.by**self.sign

    @property
    def sides(self) -> list[tuple[str, str]]:
        """The record and the measure on each side; one side where a number is on the other."""
        ours = (f"{self.experiment}-{self.condition}-{self.length}", self.measure)
        if not isinstance(self.than, str):
            return [ours]
        length = "paper" if self.than == BASELINES else self.length  # untrained: one length
        return [ours, (f"{self.experiment}-{self.than}-{length}", self.of or self.measure)]

    @property
    def other(self) -> str:
        """What it is compared with, as a reader knows it."""
        if self.than != BASELINES:
            return str(self.than)
        return BASELINE_MEASURES.get(self.of or "", self.of or "")


def in_words(criterion: Criterion) -> str:
    """A criterion as a sentence without its full stop."""
    c = criterion
    experiment = {"sine": "Sine", "lorenz": "Lorenz", "mnist": "MNIST"}[c.experiment]
    measure = MEASURES.get(c.measure, c.measure)
    longer = ", 10x longer" if c.length == "long" else ""
    side = "above" if c.expects == "higher" else "below"
    if not isinstance(c.than, str):
        asked = f"{side} {c.demand:.3g}"
    elif c.demand == c.even:
        asked = f"{side} {c.other}"
    elif c.difference:
        asked = f"{c.by:.3g} or more {side} {c.other}"
    else:
        asked = f"{side} {c.demand:.3g} times {c.other}"
    return f"{experiment}, {measure}{longer}: {c.condition} is {asked}"


@dataclass(frozen=True)
class Claim:
    """What the paper says, where, and what decides whether it is so.

    Args:
        id: a short name.
        quote: a few of the paper's own words.
        section: where they stand.
        claim: the same in this book's words.
        refutes: what would refute it.
        fair: criteria of a sceptic; all of them must be met.
        paper: criteria of the paper's own kind; empty where the paper measured nothing.
        remark: what the criteria do not say by themselves.
    """

    id: str
    quote: str
    section: str
    claim: str
    refutes: str
    fair: tuple[Criterion, ...]
    paper: tuple[Criterion, ...] = ()
    remark: str = ""

    @property
    def confirms(self) -> str:
        """What would confirm it: its fair criteria in words, then the remark."""
        return " ".join([*(f"{in_words(c)}." for c in self.fair), self.remark]).strip()


on_sine, on_lorenz, on_mnist = (
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
        "It does not.",
        fair=(on_sine("late_growth", "unconstrained", "higher", 1.0, TEN_PERCENT, length="long"),),
        paper=(on_sine("norm_growth", "unconstrained", "higher", 1.0, 2.0),),
    ),
    Claim(
        "rebound",
        "the loss rebounds significantly",
        "4.2.2",
        "Without constraints training diverges: the loss falls, then rises again.",
        "Only the raw loss rises, as it must when embeddings grow.",
        fair=(on_sine("relative_rebound", "unconstrained", "higher", 1.0, half(9.5)),),
        paper=(on_sine("rebound", "unconstrained", "higher", 1.0, half(9.5)),),
    ),
    Claim(
        "inherent",
        "symmetric predictive architectures are inherently unstable",
        "5.3",
        "It is the symmetry that explodes: with one direction alone the norm grows less.",
        "Unconstrained classic JEPA grows as far.",
        fair=(
            on_sine("norm", "unconstrained", "higher", "classic-unconstrained", TEN_PERCENT),
            on_sine(
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
        "It is below one there.",
        fair=(on_sine("radius_growing", "unconstrained", "higher", 1.0),),
        remark="The eigenvalue is taken where the norm grows fastest.",
    ),
    Claim(
        "chase",
        "creating a continuous expansion cycle",
        "5.3",
        "The online encoder chases a target encoder that follows it: a faster target grows more.",
        "It does not.",
        fair=(
            on_sine(
                "norm", "unconstrained-tau-0.9", "higher", "unconstrained-tau-0.999", TEN_PERCENT
            ),
        ),
    ),
    Claim(
        "expressive-stable",
        "the model achieves stable convergence",
        "4.2.2",
        "With LayerNorm and weight decay norm and loss settle.",
        "Norm or loss keep growing.",
        fair=(
            on_sine("late_growth", "expressive", "lower", TEN_PERCENT, length="long"),
            on_sine("rebound", "expressive", "lower", 1.5, length="long"),
        ),
        paper=(on_sine("rebound", "expressive", "lower", 1.5),),
    ),
    Claim(
        "sphere-stable",
        "This guarantees stability by bounding the vector norm",
        "3.3",
        "On the unit sphere training is stable.",
        "It rises.",
        fair=(
            on_sine("rebound", "restrictive", "lower", 1.5),
            on_sine("rebound", "restrictive", "lower", 1.5, length="long"),
        ),
        paper=(on_sine("rebound", "restrictive", "lower", 1.5),),
    ),
    Claim(
        "layer-norm",
        "Layer Normalization and Weight Decay) are necessary",
        "6",
        "LayerNorm is necessary: without it the norm grows further.",
        "It does not.",
        fair=(
            on_sine("norm", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT),
            on_sine(
                "norm", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT, length="long"
            ),
        ),
        paper=(on_sine("rebound", "plain-decay-0.0001", "higher", "expressive", TEN_PERCENT),),
    ),
    Claim(
        "decay",
        "Layer Normalization and Weight Decay) are necessary",
        "6",
        "Weight decay is necessary: without it the norm grows further.",
        "It does not.",
        fair=(
            on_sine("norm", "norm-decay-0", "higher", "expressive", TEN_PERCENT),
            on_sine("norm", "norm-decay-0", "higher", "expressive", TEN_PERCENT, length="long"),
        ),
        paper=(on_sine("rebound", "norm-decay-0", "higher", "expressive", TEN_PERCENT),),
    ),
    Claim(
        "necessary",
        "necessary to ensure convergence",
        "6",
        "Without a constraint the model does not converge to a useful one.",
        "The unconstrained model is as good.",
        fair=(
            on_sine("fair_b", "unconstrained", "higher", "expressive", TEN_PERCENT),
            on_sine("fair_b", "unconstrained", "higher", "expressive", TEN_PERCENT, length="long"),
        ),
    ),
    Claim(
        "lowest",
        "achieves the lowest Predictor error (0.0068)",
        "A",
        "The unconstrained model has the lowest error in Protocol B, half of the expressive one's.",
        "It does not.",
        fair=(on_sine("fair_b", "unconstrained", "lower", "expressive", half(0.0132 / 0.0068)),),
        paper=(on_sine("paper_b", "unconstrained", "lower", "expressive", half(0.0132 / 0.0068)),),
    ),
    Claim(
        "adaptor",
        "it learns extremely small weights to rescale the massive",
        "4.2.2",
        "The probe undoes the explosion with small weights.",
        "They are not.",
        fair=(on_sine("weight_b", "unconstrained", "lower", "expressive", 2.0),),
    ),
    Claim(
        "ema",
        "evolved via an Exponential Moving Average",
        "3.1",
        "The moving average keeps the target from collapsing.",
        "Training does as well without it.",
        fair=(
            on_sine("rank", "tau-0", "lower", "expressive", TEN_PERCENT),
            on_sine("fair_b", "tau-0", "higher", "expressive", TEN_PERCENT),
        ),
        remark="With tau 0 the stop-gradient is left alone.",
    ),
    Claim(
        "no-collapse",
        "stable convergence without collapse",
        "abstract",
        "The embedding of BiJEPA does not collapse.",
        "It falls to a point or a line, or nothing is predicted.",
        fair=(
            on_sine("rank", "expressive", "higher", 2.0, length="long"),
            on_sine("relative_loss", "expressive", "lower", 0.5, length="long"),
            on_lorenz("rank", "expressive", "higher", 2.0, length="long"),
            on_lorenz("relative_loss", "expressive", "lower", 0.5, length="long"),
        ),
    ),
    Claim(
        "rank",
        "preventing information collapse",
        "5.1",
        "The backward direction makes the embedding richer than classic JEPA's.",
        "It is not.",
        fair=(
            on_sine("rank", "expressive", "higher", "classic", TEN_PERCENT),
            on_lorenz("rank", "expressive", "higher", "classic", TEN_PERCENT),
            on_mnist("rank", "expressive", "higher", "classic", TEN_PERCENT),
        ),
    ),
    # --- the sphere -----------------------------------------------------------------------------
    Claim(
        "sphere-cost",
        "this paradoxically hurts downstream performance",
        "A",
        "On the unit sphere the future can be read less well, in both protocols.",
        "They are not.",
        fair=(
            on_sine("fair_a", "restrictive", "higher", "expressive", half(0.1460 / 0.0093)),
            on_sine("fair_b", "restrictive", "higher", "expressive", half(0.0779 / 0.0132)),
        ),
        paper=(
            on_sine("paper_a", "restrictive", "higher", "expressive", half(0.1460 / 0.0093)),
            on_sine("paper_b", "restrictive", "higher", "expressive", half(0.0779 / 0.0132)),
        ),
    ),
    Claim(
        "amplitude",
        "the model loses the ability to encode signal amplitude",
        "A",
        "On the sphere the loudness of a signal cannot be read (models trained on one loudness).",
        "It reads as much.",
        fair=(on_sine("gain_hidden", "restrictive", "higher", "expressive", 2.0),),
        remark="These models were trained on one loudness; chapter 3 trains on many.",
    ),
    Claim(
        "scale-invariance",
        "L2-normalization enforces scale invariance",
        "5.6",
        "On the sphere an embedding does not care how loud the signal is; unconstrained it drifts.",
        "It moves further, or forecasts suffer as much.",
        fair=(
            on_sine("gain_drift", "restrictive", "lower", 0.1),
            on_sine("gain_error", "restrictive", "lower", "unconstrained", TEN_PERCENT),
            on_lorenz("gain_drift", "restrictive", "lower", 0.1),
            on_lorenz("gain_error", "restrictive", "lower", "unconstrained", TEN_PERCENT),
        ),
        paper=(
            on_sine("gain_drift", "restrictive", "lower", "unconstrained", TEN_PERCENT),
            on_lorenz("gain_drift", "restrictive", "lower", "unconstrained", TEN_PERCENT),
        ),
        remark="The signal is halved or doubled; the drift is in units of the embedding's "
        "variance.",
    ),
    # --- sine: two directions or one ------------------------------------------------------------
    Claim(
        "sine-a",
        "forces the encoder to learn a more robust and predictive representation",
        "A",
        "Sine, Protocol A: BiJEPA's embedding tells much more of the future than classic's (in the "
        "paper: a third of the error).",
        "It is not.",
        fair=(on_sine("fair_a", "expressive", "lower", "classic", half(0.0279 / 0.0093)),),
        paper=(on_sine("paper_a", "expressive", "lower", "classic", half(0.0279 / 0.0093)),),
    ),
    Claim(
        "sine-b",
        "significantly outperforms the standard uni-directional Classic JEPA",
        "4.2.2",
        "Sine, Protocol B: BiJEPA forecasts better than classic JEPA.",
        "It is not.",
        fair=(on_sine("fair_b", "expressive", "lower", "classic", half(0.0517 / 0.0132)),),
        paper=(on_sine("paper_b", "expressive", "lower", "classic", half(0.0517 / 0.0132)),),
    ),
    Claim(
        "sine-exposure",
        "the symmetric, bi-directional objective forces the encoder",
        "A",
        "Sine: it is the second direction that helps, not seeing twice as many windows.",
        "It does not.",
        fair=(
            on_sine("fair_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            on_sine("fair_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
        paper=(
            on_sine("paper_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            on_sine("paper_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "sine-dynamics",
        "the predictor has learned the underlying causal dynamics",
        "4.1.2",
        "Sine: the forecast knows frequency and phase.",
        "A linear map of the raw samples is as good.",
        fair=(on_sine("whole_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_whole"),),
    ),
    Claim(
        "sine-smoother",
        "BiJEPA exhibits fewer fluctuations",
        "4.2.2",
        "Sine: BiJEPA's training loss is smoother than classic's.",
        "It does not.",
        fair=(on_sine("roughness_forward", "expressive", "lower", "classic", TEN_PERCENT),),
        paper=(on_sine("roughness", "expressive", "lower", "classic", TEN_PERCENT),),
        remark="The plotted loss of BiJEPA is the mean of two directions, which is smoother "
        "for that reason alone.",
    ),
    # --- Lorenz ---------------------------------------------------------------------------------
    Claim(
        "lorenz-a",
        "captures richer semantic information and enhances predictive consistency",
        "6",
        "Lorenz, Protocol A: BiJEPA's embedding tells more of the future than classic's (in the "
        "paper: three quarters of the error).",
        "It is not.",
        fair=(on_lorenz("fair_a", "expressive", "lower", "classic", half(0.0224 / 0.0172)),),
        paper=(on_lorenz("paper_a", "expressive", "lower", "classic", half(0.0224 / 0.0172)),),
    ),
    Claim(
        "lorenz-b",
        "reducing error by nearly 4x",
        "4.3.2",
        "Lorenz, Protocol B: BiJEPA forecasts better than classic JEPA.",
        "It is not.",
        fair=(on_lorenz("fair_b", "expressive", "lower", "classic", half(0.0937 / 0.0249)),),
        paper=(on_lorenz("paper_b", "expressive", "lower", "classic", half(0.0937 / 0.0249)),),
    ),
    Claim(
        "lorenz-exposure",
        "acts as a strong regularizer",
        "4.3.2",
        "Lorenz: it is the second direction that helps, not seeing twice as many windows.",
        "It does not.",
        fair=(
            on_lorenz("fair_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            on_lorenz("fair_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
        paper=(
            on_lorenz("paper_b", "expressive", "lower", "classic-batch", TEN_PERCENT),
            on_lorenz("paper_b", "expressive", "lower", "classic-steps", TEN_PERCENT),
        ),
    ),
    Claim(
        "lorenz-precise",
        "across the entire batch of samples with high precision",
        "4.3.2",
        "Lorenz: BiJEPA's forecast of the next state is precise.",
        "The straight line is as good, or copying the last state is.",
        fair=(on_lorenz("fair_b", "expressive", "lower", BASELINES, TEN_PERCENT, "extrapolate"),),
        paper=(on_lorenz("paper_b", "expressive", "lower", BASELINES, TEN_PERCENT, "copy_last"),),
    ),
    Claim(
        "lorenz-mean-field",
        "the model likely collapses towards a mean-field prediction",
        "4.3.2",
        "Lorenz: classic JEPA's forecasts are pulled toward the mean.",
        "They vary as much.",
        fair=(
            on_lorenz("swing_fair_b", "classic", "lower", 0.9),
            on_lorenz("swing_fair_b", "classic", "lower", "expressive"),
        ),
        paper=(
            on_lorenz("swing_paper_b", "classic", "lower", 0.9),
            on_lorenz("swing_paper_b", "classic", "lower", "expressive"),
        ),
        remark="A swing of 1 is the truth's.",
    ),
    Claim(
        "lorenz-smoother",
        "the symmetric objective creates a smoother optimization landscape",
        "4.3.2",
        "Lorenz: BiJEPA's training loss is smoother than classic's.",
        "It does not.",
        fair=(on_lorenz("roughness_forward", "expressive", "lower", "classic", TEN_PERCENT),),
        paper=(on_lorenz("roughness", "expressive", "lower", "classic", TEN_PERCENT),),
    ),
    Claim(
        "lorenz-monotone",
        "the BiJEPA loss decreases monotonically",
        "4.3.2",
        "Lorenz: BiJEPA's loss falls all the time.",
        "More do.",
        fair=(on_lorenz("rises", "expressive", "lower", 0.05, 0.0, difference=True),),
        remark="The means are over 100 steps each.",
    ),
    Claim(
        "semantic",
        "near-perfect latent predictability",
        "5.4",
        "The latent future is predictable although the metric detail is gone: BiJEPA extracts "
        "meaning and does not compress.",
        "The detail is there for a fair probe.",
        fair=(
            on_lorenz("relative_loss", "expressive", "lower", 0.05),
            on_lorenz("fair_a", "expressive", "higher", 0.01),
        ),
        paper=(
            on_lorenz("train_loss", "expressive", "lower", 0.01),
            on_lorenz("paper_a", "expressive", "higher", 0.01),
        ),
    ),
    # --- both directions in use -----------------------------------------------------------------
    Claim(
        "backward",
        "infer unobserved past causes from current effects",
        "3.4",
        "The backward predictor infers the past from the present.",
        "A linear map of the raw window is as good.",
        fair=(
            on_sine("missed_past", "expressive", "lower", 0.5),
            on_sine("past_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_past"),
            on_lorenz("missed_past", "expressive", "lower", 0.5),
            on_lorenz("past_b", "expressive", "lower", BASELINES, TEN_PERCENT, "raw_past"),
        ),
        paper=(
            on_sine("missed_past", "expressive", "lower", 0.5),
            on_lorenz("missed_past", "expressive", "lower", 0.5),
        ),
    ),
    Claim(
        "reversible",
        "effectively serving as a reversible world model",
        "3.4",
        "Forward and backward predictors undo each other.",
        "More is.",
        fair=(
            on_sine("missed_loop", "expressive", "lower", 0.1),
            on_lorenz("missed_loop", "expressive", "lower", 0.1),
        ),
    ),
    Claim(
        "anomaly",
        "flagged by high forward-backward inconsistency error",
        "5.6",
        "Windows that break the system's law have a high forward-backward inconsistency.",
        "They do not, or the plain distance is better.",
        fair=(
            on_sine("violation", "expressive", "higher", 0.75),
            on_sine("violation", "expressive", "higher", BASELINES, of="distance"),
            on_lorenz("violation", "expressive", "higher", 0.75),
            on_lorenz("violation", "expressive", "higher", BASELINES, of="distance"),
        ),
        remark="The AUROC is the mean over four kinds of violation.",
    ),
    Claim(
        "shared",
        "this separation may be redundant",
        "5.2",
        "One predictor for both directions is as good as two (one MLP; the paper means an "
        "invertible network).",
        "It is higher than that.",
        fair=(
            on_sine("fair_b", "expressive", "higher", "shared", 1 / TEN_PERCENT),
            on_lorenz("fair_b", "expressive", "higher", "shared", 1 / TEN_PERCENT),
        ),
    ),
    Claim(
        "weighting",
        "real-world data is often asymmetric",
        "5.5",
        "Weighting the directions by the information in each view (Eq. 13) helps.",
        "The same.",
        fair=(),
        remark="Not judged here: the study's views are equal, for which Eq. 13 gives one "
        "half. Chapter 6 makes one view noisier or sparser.",
    ),
    # --- MNIST ----------------------------------------------------------------------------------
    Claim(
        "mnist-accuracy",
        "boosting accuracy by over 2.7%",
        "4.4.2",
        "MNIST: the digit is read better from BiJEPA's embedding of the left half.",
        "It is not.",
        fair=(
            on_mnist("fair_accuracy_a", "expressive", "higher", "classic", 0.0137, difference=True),
        ),
        paper=(
            on_mnist("paper_accuracy", "expressive", "higher", "classic", 0.0137, difference=True),
        ),
    ),
    Claim(
        "mnist-decoder",
        "classification accuracy and generative reconstruction quality",
        "4.4.2",
        "MNIST: the missing half is drawn with a lower error.",
        "It is not.",
        fair=(on_mnist("fair_decoder", "expressive", "lower", "classic", half(0.0305 / 0.0298)),),
        paper=(on_mnist("paper_decoder", "expressive", "lower", "classic", half(0.0305 / 0.0298)),),
        remark="The images are test images, which the encoder gets as it knows them.",
    ),
    Claim(
        "mnist-sharper",
        "produces sharper and more semantically consistent completions",
        "4.4.2",
        "MNIST: BiJEPA's hallucinations are sharper than classic's, and truer to the digit.",
        "They do not.",
        fair=(
            on_mnist("fair_sharpness", "expressive", "higher", "classic", TEN_PERCENT),
            on_mnist("fair_true", "expressive", "higher", "classic", 0.01, difference=True),
        ),
        paper=(on_mnist("paper_sharpness", "expressive", "higher", "classic", TEN_PERCENT),),
    ),
    Claim(
        "mnist-not-averages",
        "the reconstructions are not just blurry averages",
        "4.4.2",
        "MNIST: the hallucinations are as sharp as real digits.",
        "They have less.",
        fair=(on_mnist("fair_sharpness", "expressive", "higher", 0.9),),
        paper=(on_mnist("paper_sharpness", "expressive", "higher", 0.9),),
        remark="A sharpness of 1 is the true halves'.",
    ),
    Claim(
        "mnist-exposure",
        "improved the classification accuracy of the forward embeddings",
        "5.1",
        "MNIST: it is the second direction that helps, not seeing twice as many halves.",
        "It does not.",
        fair=(
            on_mnist(
                "fair_accuracy_a", "expressive", "higher", "classic-batch", 0.0, difference=True
            ),
            on_mnist(
                "fair_accuracy_a", "expressive", "higher", "classic-steps", 0.0, difference=True
            ),
        ),
    ),
)


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
