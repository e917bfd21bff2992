"""Conditions share seeds; a course sums a history up."""

import pytest
import torch

from bijepa_core.history import DIAGNOSTICS, LOSSES, History
from bijepa_core.studies import courses, explosion


def test_conditions_that_differ_in_decay_alone_start_alike() -> None:
    names = ("expressive", "LayerNorm alone")
    conditions = {name: explosion.CONDITIONS[name] for name in names}
    histories = courses.sine_histories(conditions, (0, 1), 3, device="cpu", progress=False)
    first, second = (histories[name].losses["total"][0] for name in names)
    assert torch.equal(first, second)
    assert not torch.equal(first[:1], first[1:])


def test_a_course_of_a_known_history() -> None:
    steps = torch.arange(200.0)[:, None].expand(200, 2)
    loss = (steps - 100).abs() + 5  # down to about 5 and up again
    losses = {
        name: loss if name != "backward" else loss.new_full((200, 2), float("nan"))
        for name in LOSSES
    }
    rows = torch.arange(1.0, 21.0)[:, None].expand(20, 2)
    course = courses.course(History(10, losses, dict.fromkeys(DIAGNOSTICS, rows)))
    assert course["norm_growth"] == [19.5, 19.5]  # rows 19 and 20 over row 1
    assert course["late_growth"] == [pytest.approx(19.5 / 17.5)] * 2
    lowest = float(loss[100:120].mean(0)[0])
    assert course["lowest_loss"] == [pytest.approx(lowest)] * 2
    assert course["rebound"] == [pytest.approx(float(loss[180:, 0].mean()) / lowest)] * 2
