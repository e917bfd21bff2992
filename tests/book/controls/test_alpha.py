"""The alpha lab reads both directions, and applies Eq. 13."""

import pytest

from bijepa_book.chapters import alpha
from bijepa_book.controls.alpha import AlphaLab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> AlphaLab:
    monkeypatch.setattr(alpha, "HELD_OUT", 500)
    monkeypatch.setattr(AlphaLab, "redraw", 10)
    return AlphaLab(steps=20)


def test_both_directions_are_followed_and_read(lab: AlphaLab) -> None:
    lab.button.click()
    assert "A, fair" in lab.status.value
    assert "B, before" in lab.status.value
    ((_, course),) = lab.runs
    assert course.step == [1, 11]
    assert len(course.forward) == len(course.backward) == 2


def test_classic_has_one_direction_and_corruption_changes_the_run(lab: AlphaLab) -> None:
    lab.train()
    lab.alpha.value, lab.noise.value, lab.hidden.value = 1.0, 0.5, 3
    lab.train()
    (_, before), (_, after) = lab.runs
    assert after.backward == []
    assert "before_b" not in after.errors
    assert after.errors["before_a"] > before.errors["before_a"]


def test_the_rule_sets_the_slider(lab: AlphaLab) -> None:
    lab.hidden.value = 8
    lab.rule.click()
    assert lab.alpha.value == pytest.approx(0.83)
    assert "bits" in lab.status.value
