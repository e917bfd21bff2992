"""From tuning records to each member's setting on each data set; by the company's criteria."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bijepa_book.evidence.second.recording import Recording
from bijepa_book.evidence.stable.company import (
    DATA,
    Learner,
    Member,
    Sampling,
    both_ways,
    drawing_recordings,
    image_recordings,
    image_tuning,
    joined,
    key,
    members,
    recordings,
)
from bijepa_book.evidence.stable.selection import Records, finalists
from bijepa_core.training import COLLAPSED

SERIES_READINGS = ("whole", "kept")
READINGS: Mapping[str, tuple[str, ...]] = {
    "sine": SERIES_READINGS,
    "lorenz": SERIES_READINGS,
    "distracted": ("wave",),
    "mnist": ("label_error",),
}
"""By data set: the errors that choose a setting."""
AS_IN_THE_PAPER = Member("bijepa", 1.0, layer_norm=True)
"""What everybody is compared with, at the paper's own setting."""


def score(record: Mapping[str, Any], readings: Sequence[str]) -> float:
    """How badly a setting reads.

    Args:
        record: of a tuning run.
        readings: errors.

    Returns:
        The mean log over readings and seeds; infinite where a run exploded or collapsed.
    """
    measures = record["measures"]
    if not {"varying_share", *readings} <= measures.keys():
        return math.inf
    errors = np.array([measures[name] for name in readings], dtype=float)
    varying = float(np.mean(measures["varying_share"]))
    if not (np.isfinite(errors).all() and varying >= COLLAPSED):
        return math.inf
    return float(np.log(errors).mean())


def chosen(
    records: Records, who: Callable[[str], Sequence[Member]] = members
) -> dict[str, list[Member]]:
    """Each member at its setting of least score.

    Args:
        records: of the tuning, by key.
        who: is chosen among, from a data set.

    Returns:
        By data set; one that is not tuned at every setting yet is absent, and so is a member
        whose every setting exploded or collapsed.
    """
    found: dict[str, list[Member]] = {}
    for data in DATA:
        keys = {one: key(data, "tuning", one.label) for one in who(data)}
        if not all(name in records for name in keys.values()):
            continue
        best: dict[str, tuple[float, Member]] = {}
        for one, name in keys.items():
            mine = score(records[name], READINGS[data])
            if mine < best.get(one.name, (math.inf, one))[0]:
                best[one.name] = mine, one
        found[data] = [one for _, one in best.values()]
    return found


def compared(records: Records) -> dict[str, list[Member]]:
    """Those chosen, by data set, and BiJEPA as in the paper."""
    return {
        data: [*(one for one in found if one != AS_IN_THE_PAPER), AS_IN_THE_PAPER]
        for data, found in chosen(records).items()
    }


def series_company(records: Records) -> list[Recording]:
    """Series and distracted waves on fresh seeds, for those chosen there, where all are tuned."""
    return recordings("company", compared(records))


def drawings(records: Records) -> list[Recording]:
    """What the chosen predictive autoencoders draw of the series."""
    return drawing_recordings(
        {
            data: [one for one in found if one.name == "predictive-autoencoder"]
            for data, found in chosen(records).items()
        }
    )


def image_company(records: Records) -> list[Recording]:
    """The same on MNIST."""
    return image_recordings(compared(records).get("mnist", ()))


def sampling_company() -> list[Recording]:
    """On all data sets, BiJEPA whose predictors sample."""
    return _everywhere([Sampling()])


def both_ways_tuning() -> list[Recording]:
    """The autoencoder that draws in both directions, at every setting."""
    tuned = recordings("tuning", {data: both_ways(data) for data in DATA})
    return [*tuned, *image_tuning(wanted=both_ways("mnist"))]


def both_ways_company(records: Records) -> list[Recording]:
    """The same at the settings that were chosen, on fresh seeds."""
    found = chosen(records, both_ways)
    trained = [*recordings("company", found), *image_recordings(found.get("mnist", ()))]
    return [*trained, *drawing_recordings(found)]


def hunted_company(records: Records) -> list[Recording]:
    """On all data sets, the hunt's finalists in BiJEPA and in classic JEPA."""
    return _everywhere(joined(finalists(records)))


def _everywhere(found: Sequence[Learner]) -> list[Recording]:
    """The same learners on every data set."""
    return [*recordings("company", dict.fromkeys(DATA, found)), *image_recordings(found)]
