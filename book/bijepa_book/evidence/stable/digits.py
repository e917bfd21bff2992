"""Digits: what chapters 8 and 10 hold of them in the company's form, and the company's guesses."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bijepa_book.evidence.stable import standing
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER, compared
from bijepa_book.evidence.stable.company import ALIKE, FRESH_IMAGES, joined, key
from bijepa_book.evidence.stable.selection import Records
from bijepa_book.evidence.stable.standing import WINNER, Ratio

DRAWS = "predictive-autoencoder"
MISSED: Mapping[str, str] = {
    "label_error": "fair_accuracy_a",
    "right_label_error": "right_accuracy",
}
"""Shares that are missed here, by the shares that are met there."""
ALSO: Mapping[str, str] = {"decoder_ten": "decoder_ten", "effective_rank": "rank"}
"""What is read alike, by its name there."""
_WHOLE, _AHEAD = (one.label for one in joined([WINNER]))
BORROWED: Mapping[str, str] = {
    AS_IN_THE_PAPER.label: "mnist-expressive-paper",
    "unconstrained": "mnist-unconstrained-paper",
    _WHOLE: f"mnist-final-{WINNER.name}-paper",
    _AHEAD: f"mnist-final-{WINNER.name}-classic-paper",
    "supervised": "mnist-supervised-paper",
}
"""Keys of chapters 8 and 10, by the label in the company."""
BASELINES = "mnist-baselines-paper"
UNLEARNED: Mapping[str, str] = {"raw": "raw_accuracy", "untrained": "untrained_accuracy"}
"""Shares of labels that are met without learning, in chapter 8's record."""


def complete(records: Records, second: Records) -> Records:
    """The records, and in the company's form what chapters 8 and 10 trained on the same digits.

    Args:
        records: chapter 10's.
        second: chapter 8's.

    Returns:
        All of ``records``; what the company has itself is not borrowed.
    """
    found = dict(records)
    for label, name in BORROWED.items():
        if record := records.get(name) or second.get(name):
            found.setdefault(key("mnist", "company", label), _as_here(record, MISSED, ALSO))
    if record := second.get(BASELINES):
        for label, name in UNLEARNED.items():
            read = {"label_error": name}
            found.setdefault(key("mnist", "company", label), _as_here(record, read, {}))
    return found


def _as_here(
    record: Mapping[str, Any], missed: Mapping[str, str], also: Mapping[str, str]
) -> dict[str, Any]:
    rows = [row for row, seed in enumerate(record["seeds"]) if seed in FRESH_IMAGES]
    theirs = record["measures"]
    return {
        "seeds": [record["seeds"][row] for row in rows],
        "measures": {
            **{ours: [1 - theirs[name][row] for row in rows] for ours, name in missed.items()},
            **{ours: [theirs[name][row] for row in rows] for ours, name in also.items()},
        },
    }


class Guess(NamedTuple):
    """A guess about digits.

    Args:
        what: misses more than what, of what.
        found: the ratio that decides.
    """

    what: str
    found: Ratio

    @property
    def held(self) -> bool:
        """Whether it does, by the company's rule."""
        return self.found.says == "worse"


def guesses(records: Records) -> list[Guess]:
    """The four guesses, by the company's criteria.

    Args:
        records: :func:`complete`; what is not recorded yet is not judged.

    Returns:
        One for each comparison that a guess is about; the first is of the one that comes closest
        to the predictive autoencoder.
    """
    tuned = compared(records).get("mnist", ())
    if not tuned:
        return []
    ones = {one.label: one for one in standing.known(records, "mnist", "label_error")}
    labels = {one.name: one.label for one in tuned if one.label in ones}
    draws = labels.get(DRAWS)
    if draws is None:
        return []

    def ratio(label: str, rival: str, reading: str) -> Ratio | None:
        return standing.over(records, "mnist", label, reading, rival=rival)

    learned = ("foretells", "draws", "makes alike")
    rivals = {
        label: found
        for label, one in ones.items()
        if one.family in learned
        and label != draws
        and (found := ratio(label, draws, "label_error"))
    }
    who = ones[draws].called
    asked: list[tuple[str, Ratio | None]] = []
    if rivals:
        closest = min(rivals, key=lambda label: rivals[label].value)
        name = "the winner" if closest == _WHOLE else ones[closest].called
        asked.append((f"{name} over {who}, labels", rivals[closest]))
    asked += [
        (f"the winner over {who}, labels", rivals.get(_WHOLE)),
        (f"{who} over the winner, right labels", ratio(draws, _WHOLE, "right_label_error")),
        (f"the winner over {who}, drawings", ratio(_WHOLE, draws, "decoder_ten")),
        *(
            (
                f"{ones[labels[one]].called} over the winner, labels",
                ratio(labels[one], _WHOLE, "label_error"),
            )
            for one in ALIKE
            if one in labels
        ),
    ]
    known = dict.fromkeys(Guess(what, found) for what, found in asked if found is not None)
    return list(known)  # the winner may be the closest
