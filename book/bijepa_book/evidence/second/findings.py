"""Each claim's finding in words, its numbers filled in from the answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bijepa_book.evidence.second.verdicts import Answer, Verdict


def short(value: float, near_one: bool = True) -> str:
    """Two significant digits; three near 1, where a ratio's third one matters."""
    if value == 0:
        return "0"
    digits = 3 if near_one and 0.9 <= abs(value) < 1.2 else 2
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    whole = float(f"{value:.{digits}g}")
    return f"{whole:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Seen:
    """An answer's mean over seeds with its interval, in a sentence of a finding.

    ``{:mean}`` is the mean, ``{:x}`` it with its interval, ``{:inverse}`` 1 over it, ``{:percent}``
    and ``{:points}`` in hundredths, ``{:seeds}`` how many reach what was asked, and
    ``{:less/more}`` the change in percent with the one word or the other.

    Args:
        answer: what was asked and seen.
    """

    answer: Answer

    @property
    def ends(self) -> tuple[float, float, float]:
        """Mean, low and high end: a ratio, a difference, or the value itself."""
        ask, seen = self.answer.ask, self.answer.effect
        assert seen is not None

        def unit(margin: float) -> float:
            if ask.difference:
                return ask.even + ask.sign * margin
            return ask.even * math.exp(ask.sign * margin)

        low, high = sorted((unit(seen.low), unit(seen.high)))
        return unit(seen.mean), low, high

    def __format__(self, spec: str) -> str:
        if self.answer.effect is None:
            return "(no record yet)"
        if spec == "seeds":
            return f"{self.answer.reached} of {len(self.answer.values)} seeds"
        mean, low, high = self.ends
        if spec == "mean":
            return short(mean)
        if spec == "inverse":
            mean, low, high = 1 / mean, 1 / high, 1 / low
        elif spec in ("percent", "points"):
            mean, low, high = 100 * mean, 100 * low, 100 * high
        elif "/" in spec:
            less, more = spec.split("/")
            change = [100 * (one - 1) for one in (mean, low, high)]
            size, *interval = (short(one, False) for one in (abs(change[0]), *change[1:]))
            return f"{size} % {less if change[0] < 0 else more} [{', '.join(interval)}]"
        unit = {"percent": " %", "points": " points"}.get(spec, "")
        size, *interval = (short(one, not unit) for one in (mean, low, high))
        return f"{size}{unit} [{', '.join(interval)}]"


FINDINGS: Mapping[str, str] = {
    "explosion": "Ten times longer, the norm of the last tenth is {0:lower/higher} than that of "
    "the tenth before. In the paper's 2,000 steps it grows to {paper[0]:mean} times its first "
    "value.",
    "rebound": "In units of the target's variance the loss rebounds {0:less/more} than the "
    "expressive model's; the raw loss, which grows with the norm, {raw[0]:mean} times as far.",
    "inherent": "The norm ends at {0:x} times that of one direction on sine waves, {1:x} times "
    "on Lorenz; ten times longer {longer[0]:mean} and {longer[1]:mean} times.",
    "eigenvalues": "A target 1 % larger makes the embedding {0:mean} % larger (tau 0.995), "
    "{1:mean} % (tau 0), {2:mean} % (tau 0.9). Only above 1 % would the loop amplify.",
    "chase": "From tau 0.999 to tau 0.9 the norm becomes {0:mean} times as large (Lorenz: "
    "{2:mean}); from there to tau 0, no delay at all, {1:mean} times (Lorenz: {3:mean}).",
    "classic-stable": "The relative loss ends at {0:mean} times its lowest, the raw loss at "
    "{raw[0]:mean} times; 1.5 was the border.",
    "adaptor": "The probe's weights are {0:smaller/larger}; {0:seeds} by 10 %.",
    "lowest": "The error is {0:lower/higher} (paper: 48 % lower); {0:seeds} reach half of that.",
    "expressive-stable": "Ten times longer the norm's last tenth is {0:x} times the one before, "
    "and the relative loss ends at {1:mean} times its lowest. The raw loss ends at "
    "{raw[1]:mean} times.",
    "sphere-stable": "The relative loss ends at {0:mean} times its lowest, ten times longer at "
    "{1:mean}; the raw loss at {raw[0]:mean} and {raw[1]:mean}.",
    "layer-norm": "Without LayerNorm the norm ends at {0:x} times; ten times longer, at "
    "{longer[0]:x} times.",
    "decay": "Without weight decay the norm ends {0:lower/higher}; ten times longer, "
    "{longer[0]:lower/higher}.",
    "necessary": "Without a constraint the error of forecasts is {0:lower/higher} on sine waves "
    "and {1:lower/higher} on Lorenz; ten times longer, {longer[0]:lower/higher} and "
    "{longer[1]:lower/higher}.",
    "ema": "Without the average the effective rank is {0:lower/higher} and the error of "
    "forecasts {1:lower/higher} on sine waves; on Lorenz, {2:lower/higher} and "
    "{3:lower/higher}.",
    "no-collapse": "Ten times longer, the effective rank is {0:mean} of 16 on sine waves and "
    "{2:mean} of 32 on Lorenz, and the relative loss {1:mean} and {3:mean}, where 1 knows "
    "nothing.",
    "rank": "The effective rank is {0:lower/higher} on sine waves, {1:lower/higher} on Lorenz, "
    "and {2:lower/higher} on MNIST.",
    "sphere-cost": "The error is {0:x} times the expressive model's in Protocol A and {1:x} in "
    "B (paper: 16 and 6). As the paper measured it: {paper[0]:mean} and {paper[1]:mean}.",
    "sphere-limits": "Lorenz: {0:x} times the error in Protocol A, {1:x} in B. MNIST: {2:points} "
    "of accuracy.",
    "amplitude": "Of the loudness, {0:x} times as much stays unexplained as without the sphere: "
    "{altogether[0]:percent} of its variance.",
    "scale-invariance": "Beside LayerNorm alone, a louder signal moves the sphere's embedding "
    "{0:less/more} and spoils its forecasts {1:less/more} (sine); on Lorenz {2:less/more} and "
    "{3:less/more}.",
    "sphere-smoother": "The forward loss is {0:less rough/rougher}.",
    "sine-a": "The error is {0:lower/higher} (paper: 67 % lower). Over the whole target, "
    "exposure matched, it is {whole[0]:lower/higher}.",
    "sine-b": "Classic JEPA makes {0:inverse} times the error (paper: 3.9); {0:seeds} reach half "
    "of that. Ten times longer: {longer[0]:inverse}; over the whole target: "
    "{whole[0]:inverse}.",
    "sine-exposure": "With a doubled batch classic JEPA makes {0:inverse} times the error, with "
    "twice the steps {1:inverse} times.",
    "sine-dynamics": "Over the whole target the error is {0:lower/higher} than that of kernel "
    "ridge on the raw window; it is {linear[0]:mean} of a linear regression's.",
    "sine-smoother": "The forward loss is {0:less rough/rougher}.",
    "lorenz-a": "The error is {0:lower/higher} (paper: 23 % lower). Over the whole target, "
    "exposure matched, it is {whole[0]:lower/higher}.",
    "lorenz-b": "Classic JEPA makes {0:inverse} times the error (paper: 3.8); {0:seeds} reach "
    "half of that. Ten times longer: {longer[0]:inverse}; over the whole target: "
    "{whole[0]:inverse}.",
    "lorenz-exposure": "With a doubled batch classic JEPA makes {0:inverse} times the error, "
    "with twice the steps {1:inverse} times.",
    "lorenz-precise": "The error for the next state is {0:mean} times that of kernel ridge on "
    "the raw window, and {line[0]:x} times that of a straight line through the last two "
    "states.",
    "lorenz-mean-field": "The forecasts' variance is {0:x} of the truth's; as the paper measured "
    "it, {paper[0]:mean}.",
    "lorenz-smoother": "The forward loss is {0:less rough/rougher}; the plotted mean of two "
    "directions is {paper[0]:less rough/rougher}.",
    "lorenz-monotone": "{0:percent} of its means over 100 steps rise; one in twenty was allowed.",
    "semantic": "The relative loss is {0:mean}, but the detail is there, too: the next state is "
    "read with an error of {1:mean} (the claim needs more than 0.01).",
    "past-kept": "From the later window's embedding the earlier window is read with {0:mean} of "
    "classic's error on sine waves, {2:mean} on Lorenz; of twice the steps, {1:mean} and "
    "{3:mean}.",
    "backward": "The error is {0:lower/higher} than that of kernel ridge on the raw window on "
    "sine waves, {1:x} times it on Lorenz; of a linear regression's, {linear[0]:mean} and "
    "{linear[1]:mean}.",
    "reversible": "There and back {0:percent} of the embedding's variance is lost on sine waves, "
    "{1:percent} on Lorenz; 10 % was allowed.",
    "anomaly": "AUROC {0:mean} on sine waves and {2:mean} on Lorenz: {1:x} and {3:x} times that "
    "of a plain distance.",
    "mnist-accuracy": "BiJEPA is ahead by {0:points} (paper: 2.7); {0:seeds} reach half of that.",
    "mnist-decoder": "The error is {0:lower/higher} (paper: 2.3 % lower).",
    "mnist-sharper": "They are {0:less sharp/sharper}, and neighbors see the true digit in them "
    "more often by {1:points}.",
    "mnist-not-averages": "They are {0:less sharp/sharper} than the mean of ten neighbors, and "
    "have {real[0]:mean} of real digits' sharpness.",
    "mnist-exposure": "Over a doubled batch BiJEPA is ahead by {0:points}, over twice the steps "
    "by {1:points}.",
    "mnist-decoder-exposure": "The error is {0:lower/higher} than with a doubled batch, "
    "{1:lower/higher} than with twice the steps.",
}
"""By claim; numbers are the asks, names the other ways (:data:`SHORT`)."""

SHORT = {
    "as the paper measured it": "paper",
    "by raw loss": "raw",
    "ten times longer": "longer",
    "over the whole target": "whole",
    "against a linear baseline": "linear",
    "against a straight line": "line",
    "as real digits": "real",
    "altogether": "altogether",
}
"""The other ways in which something is asked, as :data:`FINDINGS` names them."""


def finding(verdict: Verdict) -> str:
    """What was found, in words and numbers; of a claim that is not judged, why not."""
    template = FINDINGS.get(verdict.claim.id)
    if template is None:
        return verdict.claim.remark
    ways: dict[str, Any] = {
        SHORT[way]: [Seen(answer) for answer in answers]
        for way, answers in verdict.also.items()
        if way in SHORT
    }
    return template.format(*map(Seen, verdict.answers), **ways)
