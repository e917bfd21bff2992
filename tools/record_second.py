"""Record the second edition of the study: what is missing, in processes of one thread each.

Run by hand (hours on two cores): ``python tools/record_second.py --results DIR [PATTERN ...]``.
"""

import argparse
import fnmatch
import json
import time
from pathlib import Path
from typing import Any

from bijepa_book.evidence.second.grid import recordings
from bijepa_book.evidence.second.recording import joined, measured, write

RESULTS = Path(__file__).parent.parent / "book" / "results" / "second"


def part(key: str, seeds: tuple[int, ...], device: str) -> tuple[str, dict[str, Any]]:
    """One part, found by its key: what a process is told is small."""
    recording = {one.key: one for one in recordings()}[key]
    return key, measured(recording, seeds, device)


def main() -> None:
    """Do what is missing; write each part as it comes."""
    from joblib import Parallel, delayed

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"], help="of keys, the first ones first")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start nothing later")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    everything = {r.key: r for r in recordings()}
    keys = dict.fromkeys(
        k for pattern in options.patterns for k in fnmatch.filter(everything, pattern)
    )
    wanted = [everything[key] for key in keys]
    records: dict[str, dict[str, Any]] = {
        r.key: json.loads(path.read_text())
        for r in wanted
        if (path := options.results / f"{r.key}.json").is_file()
    }
    todo = [
        (r.key, seeds)
        for r in wanted
        for seeds in r.parts(records[r.key]["seeds"] if r.key in records else ())
    ]
    began = time.perf_counter()
    print(f"{len(todo)} parts in {len(wanted)} recordings", flush=True)

    def calls() -> Any:
        for key, seeds in todo:
            if time.perf_counter() - began < options.seconds:
                yield delayed(part)(key, seeds, options.device)

    run = Parallel(
        n_jobs=options.jobs, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1
    )
    for done, (key, result) in enumerate(run(calls()), start=1):
        before = [records[key]] if key in records else []
        records[key] = joined(everything[key], [*before, result])
        write(options.results, records[key])
        spent = result["provenance"]["seconds"]
        passed = time.perf_counter() - began
        print(
            f"{passed:7.0f} s  {done}/{len(todo)}  {key} {result['seeds'][0]}+ in {spent} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
