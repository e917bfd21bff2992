"""Ratios that survive a busy machine: short blocks of both sides, in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Block = Callable[[], None]


@dataclass(frozen=True)
class Comparison:
    """What one unit of work costs on either side.

    Args:
        name: what was measured.
        unit: what one unit of work is.
        target: the ratio asked for.
        reference, ours: seconds a unit in each round, the plain loop's and ``bijepa_core``'s.
    """

    name: str
    unit: str
    target: float
    reference: list[float]
    ours: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times faster ``bijepa_core`` was, round by round, in increasing order."""
        return sorted(r / o for r, o in zip(self.reference, self.ours, strict=True))

    def row(self) -> str:
        """One line of the table of :func:`table`."""
        ratios, milliseconds = self.ratios, 1e3
        return (
            f"{self.name:32} {milliseconds * statistics.median(self.reference):9.2f} "
            f"{milliseconds * statistics.median(self.ours):9.2f}  "
            f"{statistics.median(ratios):5.1f}  {ratios[0]:5.1f} to {ratios[-1]:5.1f}  "
            f"{self.target:6.0f}  {self.unit}"
        )


def compare(
    name: str,
    unit: str,
    target: float,
    reference: tuple[Block, int],
    ours: tuple[Block, int],
    rounds: int,
) -> Comparison:
    """Time both sides in turn.

    Whatever else the machine does falls on both alike, and each round's ratio is one measurement.
    One round of each side comes first, unmeasured: the first call of a kernel is slow.

    Args:
        name, unit, target: see :class:`Comparison`.
        reference: a block of work, and the number of units in it.
        ours: the same for ``bijepa_core``; the two numbers may differ.
        rounds: how many times to run both.

    Returns:
        The times.
    """
    blocks = (reference, ours)
    for block, _ in blocks:
        block()
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            block, units = blocks[side]
            began = time.perf_counter()
            block()
            times[side].append((time.perf_counter() - began) / units)
    return Comparison(name, unit, target, *times)


def table(comparisons: list[Comparison]) -> str:
    """The comparisons as a table: medians in milliseconds a unit, ratios, targets."""
    head = f"{'':32} {'plain':>9} {'ours':>9}  {'ratio':>5}  {'lowest, highest':14}  target  unit"
    return "\n".join([head, *(comparison.row() for comparison in comparisons)])
