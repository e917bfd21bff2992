"""Figures of the company show what they are given."""

import numpy as np
import pytest

from bijepa_book.evidence.stable.choice import chosen
from bijepa_book.evidence.stable.company import key, members
from bijepa_book.evidence.stable.standing import Ratio, everybody
from bijepa_book.figures import company as figures
from tests.book.evidence.stable.known import tuned


def test_every_setting_has_a_mark_and_the_chosen_one_is_full() -> None:
    records = tuned("sine")
    records[key("sine", "tuning", "byol-0.99-plain")]["measures"]["whole"] = [0.1, 0.1]
    records[key("sine", "tuning", "simclr-1-norm")] = {"measures": {}}  # it exploded
    (axis,) = figures.tuning(records, "sine").axes
    assert len(axis.lines) == len(members("sine")) - 1
    full = [line for line in axis.lines if line.get_markerfacecolor() != "white"]
    assert len(full) == len(chosen(records)["sine"])
    least = [line for line in axis.lines if float(np.asarray(line.get_xdata())[0]) == 1]
    assert [line in full for line in least] == [True]
    assert [line.get_marker() for line in least] == ["^"]
    assert axis.get_xlabel() == "error, over the least"


def test_a_setting_far_off_is_at_the_edge_and_the_axis_says_so() -> None:
    records = tuned("sine")
    far = records[key("sine", "tuning", "byol-0.99-plain")]["measures"]
    far |= {"whole": [9e3, 9e3], "kept": [9e3, 9e3]}
    (axis,) = figures.tuning(records, "sine").axes
    assert max(float(np.asarray(line.get_xdata())[0]) for line in axis.lines) == figures.FARTHEST
    assert axis.get_xlabel() == "error, over the least (at the edge: 10 times or more)"


def test_a_mark_stands_where_its_ratio_is_and_far_ones_at_the_edge() -> None:
    everyone = everybody(tuned("sine"), "sine")
    first, second, third = (one.label for one in everyone[:3])
    ratios = {first: Ratio(2, 1.5, 2.5), second: Ratio(40, 30, 50), third: Ratio(0.01, 0.01, 0.02)}
    left, right = figures.standings(everyone, {"next value": ratios, "past": {}}).axes
    drawn = [np.ravel(line.get_xdata()).tolist() for line in left.lines[1:]]
    assert drawn == [[1.5, 2.5], [2], [10, 10], [10], [0.1, 0.1], [0.1]]
    assert [line.get_marker() for line in left.lines[2::2]][1:] == [">", "<"]
    assert len(right.lines) == 1
    assert all(line.get_markerfacecolor() != "white" for line in left.lines[2::2])
    rows = [label.get_text() for label in left.get_yticklabels()]
    assert rows[::-1] == [one.called for one in everyone]


def test_a_window_and_its_future_meet_where_the_window_ends() -> None:
    kept, future = np.array([0.3, 0.1]), np.array([0.2, 0.4, 0.8])
    (axis,) = figures.positions({"raw": (kept, future)}).axes
    assert np.asarray(axis.lines[0].get_xdata()).tolist() == [-1.5, -0.5, 0.5, 1.5, 2.5]
    assert np.asarray(axis.lines[0].get_ydata()).tolist() == [0.3, 0.1, 0.2, 0.4, 0.8]


def test_names_at_the_ends_of_lines_do_not_cover_one_another() -> None:
    lines = {"a": [0.1, 0.5], "b": [0.1, 0.51], "c": [0.2, 0.52], "d": [0.01, 0.02]}
    families = dict.fromkeys(lines, "draws")
    (axis,) = figures.distracted(lines, families, (0.0, 10.0)).axes  # type: ignore[arg-type]
    places = sorted(text.xyann[1] for text in axis.texts)  # type: ignore[attr-defined]
    assert min(np.diff(places)) >= 0.045
    assert places[-1] <= 1
    ends = [np.asarray(line.get_ydata())[-1] for line in axis.lines]
    assert ends == [one[-1] for one in lines.values()]


def test_lines_that_nobody_names_are_gray_and_the_others_differ_by_dash() -> None:
    lines = {"a": [0.1, 0.5], "b": [0.1, 0.6], "c": [0.2, 0.7]}
    families = dict.fromkeys(lines, "draws")
    figure = figures.distracted(lines, families, (0.0, 10.0), ("a", "c"))  # type: ignore[arg-type]
    (axis,) = figure.axes
    a, b, c = axis.lines
    assert b.get_color() == figures.GRAY
    assert a.get_color() == c.get_color() == figures.FAMILIES["draws"].color
    assert a.get_linestyle() != c.get_linestyle()


def test_a_difference_that_does_not_count_has_an_empty_mark() -> None:
    everyone = everybody(tuned("sine"), "sine")
    first, second = (one.label for one in everyone[:2])
    ratios = {first: Ratio(1.04, 1.01, 1.07), second: Ratio(1.06, 1.01, 1.07)}
    (axis,) = figures.standings(everyone, {"next value": ratios}).axes
    faces = [line.get_markerfacecolor() for line in axis.lines[2::2]]
    assert faces[0] == "white" != faces[1]


def test_a_point_is_what_is_missed_of_both() -> None:
    points = {"BYOL": (Ratio(2, 1.8, 2.2), Ratio(4, 3, 5)), "expressive": (Ratio(1, 1, 1),) * 2}
    (axis,) = figures.alike(points, {"BYOL": "makes alike", "expressive": "foretells"}).axes
    marks = [line for line in axis.lines if line.get_marker() not in ("None", None)]
    places = [(*np.ravel(one.get_xdata()), *np.ravel(one.get_ydata())) for one in marks]
    assert places == [pytest.approx((2, 4)), pytest.approx((1, 1))]


def test_marks_are_full_where_a_difference_counts_and_panels_share_their_range() -> None:
    found = {
        "waves": {"a": {"past": Ratio(2, 1.5, 2.5), "window": Ratio(1, 0.9, 1.1)}},
        "digits": {"a": {"label": Ratio(0.5, 0.4, 0.6)}},
    }
    waves, digits = figures.beside(found).axes
    assert waves.get_xlim() == digits.get_xlim()
    assert [label.get_text() for label in waves.get_yticklabels()] == ["window", "past"]
    marks = {float(np.ravel(one.get_xdata())[0]): one for one in waves.lines[2::2]}
    faces = [marks[value].get_markerfacecolor() for value in (1.0, 2.0)]
    assert faces[0] == "white" != faces[1]
    low, high = (float(np.ravel(marks[value].get_ydata())[0]) for value in (1.0, 2.0))
    assert high > low
