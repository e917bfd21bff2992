"""Records of a company whose ratios are known."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bijepa_book.evidence.stable.choice import READINGS
from bijepa_book.evidence.stable.company import key, members
from bijepa_book.evidence.stable.distractor import STRENGTHS
from bijepa_book.evidence.stable.standing import everybody
from bijepa_core.experiments import DIGITS

SEEDS = np.array([0.9, 1.0, 1.2, 1.1])
SEED_NUMBERS = [64, 65, 66, 67]
TINY = replace(DIGITS, steps=20, batch_size=20)


def tuned(data: str, better: Mapping[str, dict[str, list[float]]] | None = None) -> dict[str, Any]:
    """Everybody at every setting of a data set, all alike but for what some measure."""
    plain = {"varying_share": [0.5, 0.5], **{name: [0.2, 0.2] for name in READINGS[data]}}
    return {
        key(data, "tuning", one.label): {"measures": plain | (better or {}).get(one.label, {})}
        for one in members(data)
    }


def compared_records(factors: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Waves, and waves under a drift: errors by name, the seeds' own factors on all of them."""
    records = tuned("sine") | tuned("distracted")
    for one in everybody(records, "sine"):
        mine = factors.get(one.label.split("-0")[0].split("-1")[0], {})
        measures = {
            reading: list(SEEDS * mine.get(reading, 1.0))
            for reading in ("fair", "phase_a", "frequency_a")
        }
        records[key("sine", "company", one.label)] = {"seeds": SEED_NUMBERS, "measures": measures}
        for strength in STRENGTHS:
            grown = mine.get("grown", 1.0) if strength == STRENGTHS[-1] else 1.0
            place = key("distracted", "company", one.label, strength)
            records[place] = {
                "seeds": SEED_NUMBERS,
                "measures": {"wave": list(SEEDS * grown)},
            }
    return records
