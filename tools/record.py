"""Make the records in book/results anew: python tools/record.py [NAME ...]."""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bijepa_core import records
from bijepa_core.provenance import provenance
from bijepa_core.reproduce import reproduce
from bijepa_core.studies import explosion

RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "02-explosion": explosion.record,
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
