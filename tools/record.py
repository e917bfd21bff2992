"""Make the records in book/results anew: python tools/record.py [NAME ...]."""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bijepa_core import records
from bijepa_core.provenance import provenance
from bijepa_core.reproduce import reproduce
from bijepa_core.studies import (
    alpha,
    chaos,
    collapse,
    constraints,
    explosion,
    hallucination,
    own_data,
)

RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "01-from-jepa-to-bijepa": collapse.record,
    "02-explosion": explosion.record,
    "03-expressive-or-sphere": constraints.record,
    "04-lorenz": chaos.record,
    "05-mnist": hallucination.record,
    "06-alpha": alpha.record,
    "07-your-data": own_data.record,
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
