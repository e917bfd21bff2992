"""The company compared, seed by seed with BiJEPA as in the paper; and its guess judged."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bijepa_book.evidence.stable.baselines import KERNEL, VIEWS
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER, chosen, compared
from bijepa_book.evidence.stable.company import (
    ALIKE,
    JEPAS,
    TUNED_AT,
    Learner,
    Member,
    Sampling,
    both_ways,
    joined,
    key,
)
from bijepa_book.evidence.stable.criteria import EVEN
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.selection import Records
from bijepa_book.evidence.statistics import Array, effect
from bijepa_core.experiments import Experiment

WINNER = Candidate("whitened-falling", 0.2)
DRAWING = ("autoencoder", "predictive-autoencoder", "masked-autoencoder")
TWICE = 2.0  # as much of the phase is missed
STRONGEST = 10.0
CALLED = {
    "predictive-autoencoder": "predictive autoencoder",
    "masked-autoencoder": "masked autoencoder",
    "two-headed-autoencoder": "two heads",
    "simclr": "SimCLR",
    "barlow-twins": "Barlow Twins",
    "vicreg": "VICReg",
    "byol": "BYOL",
    "lejepa": "LeJEPA",
    "bijepa": "BiJEPA, tuned",
    "classic": "classic, tuned",
    AS_IN_THE_PAPER.label: "expressive",
    "pca": "PCA",
    "cca": "CCA",
    KERNEL: "kernel ridge",
    "supervised": "with the answers",
}
"""In tables and figures, by name in records, where the two differ."""
READ = {"fair": "next value", "whole": "target", "past": "past", "kept": "window"}
WAVES = {"frequency_a": "frequency", "phase_a": "phase"}
HALVES = {
    "label_error": "labels, left",
    "right_label_error": "labels, right",
    "decoder_ten": "drawing",
}
"""What is read of a series, of a wave besides, and of halves; as tables and figures call it."""
Family = Literal["foretells", "draws", "makes alike", "is not trained", "knows the answer"]
FAMILIES: tuple[Family, ...] = get_args(Family)


class One(NamedTuple):
    """Somebody of the company, or a baseline.

    Args:
        label: in keys.
        called: in tables.
        family: what it learns by.
        setting: of its knob, and whether LayerNorm is in its encoder; empty where it has none.
    """

    label: str
    called: str
    family: Family
    setting: str


class Ratio(NamedTuple):
    """A geometric mean over seeds of ratios of errors, with its interval of 95 %."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """To two decimals."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"

    @property
    def says(self) -> Literal["better", "worse", "none"]:
        """By the company's rule: an interval on one side of 1, and a difference of 5 %."""
        if self.high < 1 and self.value * EVEN < 1:
            return "better"
        return "worse" if self.low > 1 and self.value > EVEN else "none"


def everybody(records: Records, data: str) -> list[One]:
    """Who is compared on a data set, family by family.

    Args:
        records: of the tuning.
        data: see :data:`.company.DATA`.

    Returns:
        Relatives and JEPAs at their chosen settings, BiJEPA as in the paper, both JEPAs with the
        hunt's winner, and baselines.
    """
    found = []
    for one in compared(records)[data]:
        family: Family = "draws" if one.name in DRAWING else "makes alike"
        paper = one == AS_IN_THE_PAPER
        name = one.label if paper else one.name
        setting = f"{one.setting:g}, {'LayerNorm' if one.layer_norm else 'plain'}"
        found.append(
            One(
                one.label,
                CALLED.get(name, name),
                "foretells" if one.name in JEPAS else family,
                setting,
            )
        )
    for learner, end in zip(joined([WINNER]), ("", ", classic"), strict=True):
        found.append(One(learner.label, f"{WINNER.name}{end}", "foretells", ""))
    found.append(One(Sampling().label, f"{WINNER.name}, energy", "foretells", ""))
    if data == "mnist":  # everybody there has LayerNorm; chapter 8 trained one without
        found.append(One("unconstrained", "unconstrained", "foretells", ""))
    for name in VIEWS:
        known: Family = "knows the answer" if name == "supervised" else "is not trained"
        found.append(One(name, CALLED.get(name, name), known, ""))
    found.append(One(KERNEL, CALLED[KERNEL], "knows the answer", ""))
    return sorted(found, key=lambda one: FAMILIES.index(one.family))


def known(records: Records, data: str, reading: str, strength: float = TUNED_AT) -> list[One]:
    """Those of :func:`everybody` whose reading is recorded.

    Args:
        records, data, reading, strength: as in :func:`errors`.
    """
    return [
        one
        for one in everybody(records, data)
        if errors(records, data, one.label, reading, strength) is not None
    ]


def errors(
    records: Records, data: str, one: str, reading: str, strength: float = TUNED_AT
) -> Array | None:
    """What somebody misses, one number a seed; None where it is not recorded or not asked.

    Args:
        records: of the comparison.
        data, strength: where.
        one: its label in keys.
        reading: of :mod:`bijepa_book.evidence.stable.company`.
    """
    found = _by_seed(records, data, one, reading, strength)
    return np.array(list(found.values())) if found else None


def _by_seed(
    records: Records, data: str, one: str, reading: str, strength: float
) -> dict[int, float]:
    record: Mapping[str, Any] = records.get(key(data, "company", one, strength), {})
    values = record.get("measures", {}).get(reading, ())
    return dict(zip(record["seeds"], values, strict=True)) if values else {}


def over(
    records: Records,
    data: str,
    one: str,
    reading: str,
    strength: float = TUNED_AT,
    rival: str = AS_IN_THE_PAPER.label,
) -> Ratio | None:
    """What somebody misses over what a rival misses, seed by seed; None where it is not known.

    Args:
        records, data, one, reading, strength: as in :func:`errors`.
        rival: its label in keys; BiJEPA as in the paper.
    """
    mine, theirs = (_by_seed(records, data, who, reading, strength) for who in (one, rival))
    both = [seed for seed in mine if seed in theirs]
    if len(both) < 2:
        return None
    return _ratio(np.array([math.log(mine[seed] / theirs[seed]) for seed in both]))


def two_headed(records: Records) -> dict[str, Member]:
    """The autoencoder that draws in both directions, at its chosen setting, by data set.

    Args:
        records: of the tuning.
    """
    return {data: found for data, (found,) in chosen(records, both_ways).items()}


def settings_over(
    records: Records, data: str, reading: str, ours: Sequence[Member], theirs: Sequence[Member]
) -> tuple[list[Ratio], Ratio]:
    """What two miss on the seeds of tuning: at each setting, and each at its best one.

    Args:
        records: of the tuning.
        data, reading: as in :func:`errors`.
        ours, theirs: one's settings and another's, of one length.

    Returns:
        The first one's error over the other's at the settings of one place in the list, and where
        either misses least.
    """
    mine, others = (
        [np.array(records[key(data, "tuning", m.label)]["measures"][reading]) for m in who]
        for who in (ours, theirs)
    )
    best = [min(found, key=lambda missed: float(np.log(missed).mean())) for found in (mine, others)]
    return [ratio(a, b) for a, b in zip(mine, others, strict=True)], ratio(best[0], best[1])


def leaders(records: Records, data: str, reading: str, among: Sequence[One]) -> list[One]:
    """Who misses least, and those who are even with it by the company's rule.

    Args:
        records, data, reading: as in :func:`errors`.
        among: who is asked; those without a record of it are left out.

    Returns:
        The one of least geometric mean first.
    """
    asked = {one: errors(records, data, one.label, reading) for one in among}
    missed = {one: float(np.log(found).mean()) for one, found in asked.items() if found is not None}
    order = sorted(missed, key=lambda one: missed[one])
    first, *others = order
    ratios = {one: over(records, data, one.label, reading, rival=first.label) for one in others}
    return [first, *(one for one, found in ratios.items() if found and found.says != "worse")]


def by_position(records: Records, data: str, one: str, curve: str) -> Array:
    """A curve of :func:`.company.read_series`: the geometric mean over seeds, ``(positions,)``.

    Args:
        records, data, one: as in :func:`errors`; recorded.
        curve: ``kept``, ``future`` or ``past``.
    """
    curves = np.array(records[key(data, "company", one)]["curves"][curve])  # (seeds, positions)
    return np.asarray(np.exp(np.log(curves).mean(0)))


def ratio(ours: Array, theirs: Array) -> Ratio:
    """Errors over others, seed by seed.

    Args:
        ours, theirs: positive, ``(seeds,)`` each.
    """
    return _ratio(np.log(ours) - np.log(theirs))


def _ratio(logs: Array) -> Ratio:
    seen = effect(logs)
    return Ratio(*(math.exp(value) for value in (seen.mean, seen.low, seen.high)))


class Guess(NamedTuple):
    """A part of the guess about one of those that make views alike.

    Args:
        who: its name.
        what: is asked.
        found: the ratio that decides.
        limit: that its interval has to lie above.
    """

    who: str
    what: str
    found: Ratio
    limit: float

    @property
    def held(self) -> bool:
        """Whether it does."""
        return self.found.low > self.limit


def guesses(records: Records) -> list[Guess]:
    """What invariance throws away, by the company's criteria.

    Args:
        records: of tuning and comparison, the waves' and the distracted waves' complete.

    Returns:
        For each of :data:`.company.ALIKE`: ``phase``, over the predictive autoencoder;
        ``phase over frequency``; ``drift over autoencoder`` and ``drift over predictive
        autoencoder``, the growth of the wave's error under the strongest drift.
    """
    members = compared(records)
    labels = {
        data: {one.name: one.label for one in members[data]} for data in ("sine", "distracted")
    }

    def logs(data: str, name: str, reading: str, strength: float = TUNED_AT) -> Array:
        found = errors(records, data, labels[data][name], reading, strength)
        assert found is not None
        return np.log(found)

    def cost(name: str, reading: str) -> Array:
        mine, drawn = (logs("sine", one, reading) for one in (name, "predictive-autoencoder"))
        return np.asarray(mine - drawn)

    def growth(name: str) -> Array:
        far, near = (logs("distracted", name, "wave", s) for s in (STRONGEST, 0.0))
        return np.asarray(far - near)

    found = []
    for name in ALIKE:
        phase, frequency = cost(name, "phase_a"), cost(name, "frequency_a")
        found += [
            Guess(name, "phase", _ratio(phase), TWICE),
            Guess(name, "phase over frequency", _ratio(phase - frequency), 1.0),
        ]
        for drawn in DRAWING[:2]:
            grown = _ratio(growth(name) - growth(drawn))
            found.append(Guess(name, f"drift over {CALLED.get(drawn, drawn)}", grown, 1.0))
    return found


def work(learner: Learner, experiment: Experiment) -> int:
    """Multiplications and additions of one training step, forward and back.

    Args:
        learner: who is trained.
        experiment: sizes, and the batch.
    """
    model = learner.model(experiment, 0)
    assert model.view_shape is not None
    x, y = torch.randn(2, experiment.batch_size, *model.view_shape)
    with FlopCounterMode(display=False) as counter:
        model(x, y).total.backward()
    return int(counter.get_total_flops())
