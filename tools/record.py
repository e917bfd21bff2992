"""Make the records in book/results anew: python tools/record.py [NAME ...]."""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bijepa_core import records, studies
from bijepa_core.experiments import SINE
from bijepa_core.provenance import provenance
from bijepa_core.replay import replay
from bijepa_core.reproduce import final_loss, reproduce


def explosion() -> dict[str, Any]:
    """Chapter 1 at its paper scale: three replays, and six conditions under seeds 0 to 7."""
    replayed = {}
    for name in ("unconstrained", "expressive", "classic"):
        run = replay("sine", name)
        replayed[name] = {
            "loss": final_loss(run.history),
            "A": float(run.probe_a.training_error),
            "B": float(run.probe_b.training_error),
        }
    histories = studies.sine_histories(studies.EXPLOSION, range(8), SINE.steps, device="cpu")
    courses = {name: studies.course(history) for name, history in histories.items()}
    return {"seeds": list(range(8)), "replayed": replayed, "courses": records.medians(courses)}


RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "01-explosion": explosion,
    "tables": reproduce,
}


def main(names: list[str]) -> None:
    """Make the named records, or all."""
    for name in names or list(RECORDS):
        began = time.perf_counter()
        content = RECORDS[name]()
        content.setdefault(
            "provenance", provenance(torch.device("cpu"), time.perf_counter() - began)
        )
        print(records.save(name, content))


if __name__ == "__main__":
    main(sys.argv[1:])
