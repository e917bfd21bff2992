"""Conditions share seeds; a course sums a history up."""

import pytest
import torch

from bijepa_book.chapters import courses, explosion
from bijepa_core.history import DIAGNOSTICS, LOSSES, History


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


def test_a_target_that_never_moves_and_one_that_is_the_encoder() -> None:
    courses = explosion.tau_courses(explosion.CONDITIONS["unconstrained"], (0, 1), 40)
    assert list(courses) == [f"tau {tau:g}" for tau in explosion.TAUS]
    assert all(len(values) == 2 for numbers in courses.values() for values in numbers.values())
    assert courses["tau 0"]["norm"] != courses["tau 1"]["norm"]


def test_the_loop_is_watched_on_both_encoders() -> None:
    looks = explosion.loop_course(explosion.CONDITIONS["expressive"], (0, 1), 21, every=10)
    assert looks["steps"].tolist() == [0, 10, 20]
    assert looks["online"].shape == looks["radius"].shape == (3, 2)
    moved = (looks["online"] - looks["target"]).abs()
    assert float(moved[0].max()) < float(moved[-1].min())  # the target starts as a copy, and lags
    summary = explosion.loop_summary(looks)
    assert summary["last_radius"] == pytest.approx(float(looks["radius"][-1].mean()))


def test_a_loop_summed_up_by_hand() -> None:
    looks = {
        "online": torch.tensor([[1.0], [3.0], [4.0]]),
        "target": torch.tensor([[1.0], [1.5], [4.0]]),
        "radius": torch.tensor([[0.1], [0.2], [0.9]], dtype=torch.float64),
    }
    assert explosion.loop_summary(looks) == pytest.approx(
        {
            "radius_at_half_norm": 0.2,  # the norm first passes 2 in the second row
            "first_radius": 0.1,
            "last_radius": 0.9,
            "widest_lead": 2.0,
        }
    )


def test_a_long_run_thinned_keeps_its_ends_and_its_order() -> None:
    history = courses.sine_histories(
        {"a": explosion.CONDITIONS["expressive"]}, (0, 1, 2), 400, device="cpu", progress=False
    )["a"]
    thin = explosion.curve(history, points=10)
    assert thin["steps"][0] == 0
    assert thin["steps"][-1] == 380
    assert thin["steps"] == sorted(set(thin["steps"]))
    for name in ("loss", "norm", "relative_loss"):
        assert all(low <= middle <= high for middle, low, high in thin[name])
    median = float(history.diagnostics["norm"][-1].median())
    assert explosion.at_step(thin, 10_000)["norm"] == pytest.approx(median, rel=1e-3)
    assert explosion.at_step(thin, 0)["step"] == 0
