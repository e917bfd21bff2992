"""What the referee's figures draw is what the findings say."""

import math
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bijepa_book.evidence.claims import Claim, Criterion
from bijepa_book.evidence.grid import BASELINES
from bijepa_book.evidence.report import named
from bijepa_book.evidence.verdicts import judge, shown
from bijepa_book.figures import evidence as plots

SEEDS = list(range(6))


def record(**measures: list[float | None]) -> dict[str, Any]:
    """A record of six seeds."""
    return {"seeds": SEEDS, "measures": measures}


RECORDS = {
    "sine-classic-paper": record(
        paper_b=[0.04, 0.05, 0.06, 0.05, 0.04, 0.05], fair_b=[0.02] * 6, rise=[0.5] * 6
    ),
    "sine-expressive-paper": record(
        paper_b=[0.01, 0.02, 0.01, 0.012, 0.014, 0.01],
        fair_b=[0.005, 0.006, 0.004, 0.005, 0.006, 0.005],
        rise=[0.1, 0.2, 0.1, 0.2, 0.1, 0.2],
    ),
    f"sine-{BASELINES}-paper": record(raw=[0.007] * 6),
}


def a_claim(*criteria: Criterion, paper: tuple[Criterion, ...] = ()) -> Claim:
    """A claim with these criteria."""
    return Claim("made-up", "words", "4.2", "Something.", "if not", criteria, paper)


def place(line: Line2D) -> float:
    """Where a vertical line, or a single mark, stands."""
    return float(np.asarray(line.get_xdata(), dtype=float)[0])


RATIO = Criterion("sine", "fair_b", "expressive", "lower", "classic", 2.0)
OWN = Criterion("sine", "paper_b", "expressive", "lower", "classic", 2.0)
ALONE = Criterion("sine", "rise", "expressive", "lower", 0.3, 0.0, difference=True)


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """No figure outlives its test."""
    yield
    plt.close("all")


def test_a_panel_a_claim_a_row_a_criterion_a_point_a_seed() -> None:
    verdicts = judge(RECORDS, (a_claim(RATIO, paper=(OWN,)), a_claim(ALONE)))
    figure = plots.forest(verdicts)
    assert len(figure.axes) == 2
    above, below = figure.axes
    assert [label.get_text() for label in above.get_yticklabels()] == [named(RATIO), named(OWN)]
    assert [len(np.asarray(points.get_offsets())) for points in above.collections] == [6, 6]
    assert above.get_xscale() == "log"
    assert below.get_xscale() == "linear"
    assert any(verdicts[0].word in text.get_text() for text in above.texts)


def test_points_are_the_ratios_and_the_triangle_stands_at_the_demand() -> None:
    (verdict,) = judge(RECORDS, (a_claim(RATIO),))
    found = shown(verdict.fair[0])
    assert found.values == pytest.approx([0.25, 0.3, 0.2, 0.25, 0.3, 0.25])
    assert found.mean == pytest.approx(math.exp(sum(map(math.log, found.values)) / 6))
    assert found.low < found.mean < found.high < found.demand == pytest.approx(0.5)
    assert found.improvement == 1.0
    axis = plots.forest([verdict]).axes[0]
    assert "100%" in [text.get_text() for text in axis.texts]
    triangles = [line for line in axis.lines if line.get_marker() == "<"]
    assert [place(line) for line in triangles] == pytest.approx([0.5])


def test_a_claim_without_data_takes_no_room() -> None:
    missing = Criterion("mnist", "fair_accuracy_a", "expressive", "higher", "classic")
    figure = plots.forest(judge(RECORDS, (a_claim(missing), a_claim(RATIO))))
    assert len(figure.axes) == 1


def test_a_widget_may_bring_its_own_figure() -> None:
    figure = plots.forest(judge(RECORDS, (a_claim(RATIO),)), Figure)
    assert plt.get_fignums() == []
    assert len(figure.axes) == 1


def test_errors_show_both_probes_and_the_baselines() -> None:
    figure = plots.errors(
        RECORDS,
        "sine",
        ("classic", "expressive"),
        {"raw": "least squares"},
        {"B": ("paper_b", "fair_b")},
        "error",
    )
    (axis,) = figure.axes
    assert sorted(len(np.asarray(points.get_offsets())) for points in axis.collections) == [
        6,
        6,
        6,
        6,
    ]
    lines = [place(line) for line in axis.lines if str(line.get_label())[0] != "_"]
    assert lines == [0.007]
    assert len(figure.legends[0].get_texts()) == 3


def test_sweeps_leave_out_what_was_not_run() -> None:
    figure = plots.sweeps(
        RECORDS,
        "sine",
        {"alpha": {"0.5": "expressive", "0.7": "never run", "1": "classic"}},
        {"fair_b": "error"},
    )
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.5", "0.7", "1"]
    assert len(axis.collections) == 2


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.2), (0.3, 3.0), (0.001, 100.0), (0.06, 1.05), (2.0, 5.0)]
)
def test_a_logarithmic_axis_has_a_few_plain_numbers(low: float, high: float) -> None:
    axis = plt.figure().subplots()
    axis.set(xscale="log", xlim=(low, high))
    plots._few_ticks(axis)
    ticks = [float(label.get_text()) for label in axis.get_xticklabels()]
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
