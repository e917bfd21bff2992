"""Make the records in book/results anew: python tools/record.py [NAME ...]."""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bijepa_book import records
from bijepa_book.chapters import (
    alpha,
    explosion,
    jepa,
    lorenz,
    mnist_record,
    own_data,
    sphere,
    watch,
)
from bijepa_book.evidence.stable import live
from bijepa_book.paper.tables import reproduce
from bijepa_core._support.provenance import provenance

RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "jepa": jepa.record,
    "explosion": explosion.record,
    "sphere": sphere.record,
    "lorenz": lorenz.record,
    "mnist": mnist_record.record,
    "alpha": alpha.record,
    "own-data": own_data.record,
    "watch": watch.record,
    "relatives": live.record,
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
