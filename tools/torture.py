"""Stop and kill the command at random moments, and see that nothing is lost: make torture.

Each life of `bijepa run` or `bijepa evidence` ends by a signal, at a full disk, or beside a rival
in the same folder, and goes on with `--resume`. At the end the numbers must be those of an
undisturbed life, bit for bit; meanwhile no finished seed may go, no process may stay, and nothing
but news and one sentence may be said. The moments are drawn from a seed.
"""

import argparse
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ENDS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "full disk", "two at once")
NEWS = re.compile(r"computing on|\d+ parts to do|[\w.-]+: seeds \d+ to \d+ in|$")
TIDYING = re.compile(r".*resource_tracker|  warnings.warn\(")
"""What joblib's own process says when it clears up after a parent that was killed, or that was
stopped once more when all was done."""
SMALL = 2_000  # bytes; a record or a checkpoint is larger
GRACE = 20.0  # seconds until the processes of an ended command must be gone
LOCK = ".bijepa.lock"
ROOT = Path(__file__).parents[1]
PATH = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "book")])}
"""This checkout, whatever is installed."""
RUN = ("run", "sine", "--steps", "1200", "--device", "cpu")
STUDY = (
    "evidence", "--experiment", "sine", "--condition", "baselines", "--num-seeds", "18",
    "--jobs", "2",
)  # fmt: skip


@dataclass
class Report:
    """What was done, by kind, and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def see(self, right: bool, what: str, life: "Life") -> None:
        """Note a fault where something is not right."""
        if not right:
            self.faults.append(f"{what}: {' '.join(life.arguments)}: {life.status}\n{life.said}")


@dataclass
class Life:
    """One process of the command, from start to end; its group is its own."""

    arguments: Sequence[str]
    limit: int | None = None
    status: int = 0
    said: str = ""

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bijepa_book", *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=partial(_limited, self.limit), env={**os.environ, **PATH},
        )  # fmt: skip

    def end(self, number: signal.Signals | None = None, after: float = 0.0) -> "Life":
        """Wait for the end, or send a signal after some seconds; then wait until all are gone."""
        if number is not None:
            try:
                self.process.wait(after)
            except subprocess.TimeoutExpired:
                self.process.send_signal(number)
        self.status = self.process.wait()
        deadline = time.monotonic() + GRACE
        while self.remaining() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.process.stderr is not None
        with self.process.stderr as said:
            self.said = said.read() if not self.remaining() else "(still computing)"
        return self

    def remaining(self) -> int:
        """Processes of this group that still live."""
        listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True)
        groups = [line.split() for line in listed.stdout.splitlines()]
        return sum(group == str(self.process.pid) and "Z" not in stat for group, stat in groups)

    def check(self, report: Report, allowed: Sequence[int]) -> None:
        """See that it ended as it may, said no more than a sentence, and left no process."""
        report.see(self.status in allowed, "another exit status", self)
        report.see(not self.remaining(), "a process stayed", self)
        lines = self.said.splitlines()
        expected = [NEWS, TIDYING] if self.status not in (0, 2) else [NEWS]
        sentences = [line for line in lines if not any(kind.match(line) for kind in expected)]
        one = len(sentences) <= 1 and all(line.startswith("bijepa: ") for line in sentences)
        report.see(one, "more was said than a sentence", self)


def _limited(size: int | None) -> None:
    """In the new process: Ctrl-C is heard, and files are no larger than this."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if size is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def numbers(path: Path) -> Any:
    """A result without its provenance, which holds times."""
    content = json.loads(path.read_text("utf-8"))
    return {key: value for key, value in content.items() if key != "provenance"}


def finished(folder: Path) -> set[tuple[str, int]]:
    """The seeds that records hold; each file must be whole at any time."""
    files = folder.glob("*.json")
    return {(path.name, seed) for path in files for seed in json.loads(path.read_text())["seeds"]}


def disturb(resumed: Sequence[str], end: str, after: float, report: Report) -> None:
    """One life that ends as it is told to, after so many seconds."""
    report.counts[f"{resumed[0]}, {end}"] += 1
    if end == "full disk":
        Life(resumed, limit=SMALL).end().check(report, (0, 2))
    elif end == "two at once":
        first = Life(resumed)
        time.sleep(after / 20)
        both = [Life(resumed).end(), first.end()]
        for life in both:
            life.check(report, (0, 2))
        report.see(any(life.status == 0 for life in both), "both were refused", both[0])
        if {life.status for life in both} == {0, 2}:
            report.counts[f"{resumed[0]}, a second refused"] += 1
    else:
        number = signal.Signals[end]
        Life(resumed).end(number, after).check(report, (0, -number, 128 + number))


class Undisturbed(NamedTuple):
    """What a command gives in peace, and after how many seconds."""

    results: list[Any]
    seconds: float


def options(command: Sequence[str], folder: Path) -> list[str]:
    """Where a command is to keep everything."""
    if command is RUN:
        return ["--checkpoint", str(folder / "kept"), "--json", str(folder / "result.json")]
    return ["--results", str(folder / "kept")]


def results(command: Sequence[str], folder: Path) -> list[Any]:
    """What it has left there."""
    files = [folder / "result.json"] if command is RUN else sorted((folder / "kept").glob("*.json"))
    return [numbers(path) for path in files]


def undisturbed(command: Sequence[str], folder: Path, report: Report) -> Undisturbed:
    """A life in peace, in a new folder."""
    folder.mkdir()
    began = time.monotonic()
    life = Life([*command, *options(command, folder)]).end()
    seconds = time.monotonic() - began
    life.check(report, (0,))
    return Undisturbed(results(command, folder), seconds)


def torture(
    command: Sequence[str],
    ends: Sequence[str],
    draw: random.Random,
    folder: Path,
    straight: Undisturbed,
    report: Report,
) -> None:
    """Lives of one command in one folder, a last one that may finish, and what it leaves.

    Args:
        command: ``RUN`` or ``STUDY``.
        ends: how the lives end, one after the other.
        draw: gives the moments.
        folder: a new one.
        straight: what must come out.
        report: grows.
    """
    folder.mkdir()
    resumed, place = [*command, *options(command, folder), "--resume"], folder / "kept"
    before: set[tuple[str, int]] = set()
    for end in ends:
        disturb(resumed, end, draw.uniform(0.1, 1.0) * straight.seconds, report)
        now = finished(place)
        if before - now:
            report.faults.append(f"seeds were lost after {end}: {sorted(before - now)}")
        before = now
    last = Life(resumed).end()
    last.check(report, (0,))
    report.see(results(command, folder) == straight.results, "other numbers", last)
    stray = {path.name for path in (*place.iterdir(), *folder.glob(".*"))}
    kept = {"checkpoint.pt"} if command is RUN else {path.name for path in place.glob("*.json")}
    report.see(stray <= kept | {LOCK}, f"files stayed: {stray}", last)


def main() -> None:
    """All kinds of ends for both commands, and their counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times six ends for each command")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw, report = random.Random(asked.seed), Report()
    try:
        with tempfile.TemporaryDirectory() as top:
            folders = (Path(top, str(number)) for number in itertools.count())
            straight = {c: undisturbed(c, next(folders), report) for c in (RUN, STUDY)}
            for number in range(asked.rounds):
                for command in straight:
                    ends = draw.sample(ENDS, len(ENDS))
                    for some in (ends[:3], ends[3:]):
                        torture(command, some, draw, next(folders), straight[command], report)
                found = f"{len(report.faults)} faults so far"
                print(f"round {number + 1} of {asked.rounds}: {found}", flush=True)
    finally:
        for kind, count in sorted(report.counts.items()):
            print(f"{count:4}  {kind}")
        print("\n".join(report.faults) or "Nothing was lost.")
    sys.exit(bool(report.faults))


if __name__ == "__main__":
    main()
