"""Record a study: what is missing, in processes of one thread each.

Run by hand (hours on two cores): ``python tools/record_study.py --study stable [PATTERN ...]``.
"""

import argparse
import fnmatch
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bijepa_book.evidence.futures import images
from bijepa_book.evidence.futures import recordings as futures
from bijepa_book.evidence.second import grid
from bijepa_book.evidence.second.recording import Recording, joined, load, measured, write
from bijepa_book.evidence.stable import (
    baselines,
    choice,
    company,
    curved,
    finalists,
    hunt,
    own,
    quiet,
    selection,
)
from bijepa_core._support.locks import folder_lock
from bijepa_core.constraints import WHITENED

RESULTS = Path(__file__).parent.parent / "book" / "results"
STUDIES: dict[str, Callable[[Path], list[Recording]]] = {
    "second": lambda _: grid.recordings(),
    "stable": lambda _: hunt.recordings(),
    "stable-images": lambda folder: selection.image_recordings(load(folder)),
    "stable-long": lambda folder: selection.long_recordings(load(folder)),
    "stable-ladder": lambda _: hunt.ladder_recordings(),
    "stable-batch": lambda _: hunt.batch_recordings(),
    "stable-started": lambda _: hunt.started_recordings(),
    "stable-quiet": lambda _: quiet.recordings(),
    "stable-own": lambda _: own.recordings(),
    "stable-curved": lambda _: curved.recordings(),
    "stable-without": lambda _: hunt.without_recordings(),
    "stable-final": lambda folder: finalists.series_recordings(selection.finalists(load(folder))),
    "stable-control": lambda _: finalists.series_recordings([finalists.RATE_ALONE]),
    "stable-final-images": lambda folder: finalists.image_recordings(
        selection.finalists(load(folder))
    ),
    "stable-against": lambda folder: finalists.against_recordings(
        selection.finalists(load(folder))[0]
    ),
    "stable-tuning": lambda _: company.recordings(),
    "stable-tuning-images": lambda _: company.image_tuning(),
    "stable-company": lambda folder: choice.series_company(load(folder)),
    "stable-both-ways-tuning": lambda _: choice.both_ways_tuning(),
    "stable-both-ways": lambda folder: choice.both_ways_company(load(folder)),
    "stable-company-energy": lambda _: choice.sampling_company(),
    "stable-company-drawings": lambda folder: choice.drawings(load(folder)),
    "stable-company-images": lambda folder: choice.image_company(load(folder)),
    "stable-company-finalists": lambda folder: choice.hunted_company(load(folder)),
    "stable-company-baselines": lambda _: baselines.recordings(),
    "futures-images": images.recordings,
    "futures-whitened-tuning": lambda folder: futures.tuning(load(folder), WHITENED, "whitened"),
    "futures-whitened": lambda folder: futures.recordings(load(folder), WHITENED, "whitened"),
    "futures-tuning": lambda folder: futures.tuning(load(folder)),
    "futures": lambda folder: futures.recordings(load(folder)),
}
"""Of chapters 8 and 9; of 10 and 11, whose later parts depend on what their first one found."""


def part(recording: Recording, seeds: tuple[int, ...], device: str) -> tuple[str, dict[str, Any]]:
    """One part, with its key."""
    return recording.key, measured(recording, seeds, device)


def read(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """A record that is there already.

    Raises:
        SystemExit: if it is of something else.
    """
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if record["about"] != json.loads(json.dumps(about)):
        raise SystemExit(f"{path} was recorded of something else. Move it away, or mend the grid.")
    return record


def main() -> None:
    """Do what is missing; write each part as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"], help="of keys, the first ones first")
    parser.add_argument("--study", choices=STUDIES, default="second")
    parser.add_argument("--results", type=Path, help="by default the study's own folder")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start nothing later")
    options = parser.parse_args()
    folder = options.results or RESULTS / options.study.split("-")[0]
    with folder_lock(folder):
        record(options, folder)


def record(options: argparse.Namespace, folder: Path) -> None:
    """Train what is missing, in this order, and write after each part."""
    from joblib import Parallel, delayed

    everything = {r.key: r for r in STUDIES[options.study](folder)}
    keys = dict.fromkeys(
        k for pattern in options.patterns for k in fnmatch.filter(everything, pattern)
    )
    wanted = [everything[key] for key in keys]
    records: dict[str, dict[str, Any]] = {
        r.key: read(path, dict(r.about))
        for r in wanted
        if (path := folder / f"{r.key}.json").is_file()
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
                yield delayed(part)(everything[key], seeds, options.device)

    run = Parallel(
        n_jobs=options.jobs, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1
    )
    for done, (key, result) in enumerate(run(calls()), start=1):
        before = [records[key]] if key in records else []
        records[key] = joined(everything[key], [*before, result])
        write(folder, records[key])
        spent = result["provenance"]["seconds"]
        passed = time.perf_counter() - began
        print(
            f"{passed:7.0f} s  {done}/{len(todo)}  {key} {result['seeds'][0]}+ in {spent} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
