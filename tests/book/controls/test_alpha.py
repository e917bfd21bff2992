"""The alpha lab trains, reads both directions, and applies Eq. 13."""

import pytest

from bijepa_book.chapters import alpha
from bijepa_book.controls.alpha import AlphaLab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> AlphaLab:
    monkeypatch.setattr(alpha, "HELD_OUT", 500)
    return AlphaLab(steps=20, redraw=10)


def test_the_button_trains_draws_and_reads_both_directions(lab: AlphaLab) -> None:
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert lab.bar.value == 20
    assert "A, fair" in lab.status.value
    assert "B, before" in lab.status.value
    (_, course, _) = lab.runs[0]
    assert course["step"] == [1, 11]
    assert len(course["forward"]) == len(course["backward"]) == 2
    assert not lab.button.disabled


def test_classic_has_one_direction_and_corruption_changes_the_run(lab: AlphaLab) -> None:
    lab.train()
    lab.alpha.value, lab.noise.value, lab.hidden.value = 1.0, 0.5, 3
    lab.train()
    (_, _, before), (_, course, after) = lab.runs
    assert course["backward"] == []
    assert "before_b" not in after
    assert after["before_a"] > before["before_a"]
    lab.train()
    assert len(lab.runs) == 2


def test_the_rule_sets_the_slider(lab: AlphaLab) -> None:
    lab.hidden.value = 8
    lab.rule.click()
    assert lab.alpha.value == pytest.approx(0.83)
    assert "bits" in lab.status.value


def test_a_failed_run_says_why_and_frees_the_button(
    lab: AlphaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss became NaN")

    monkeypatch.setattr("bijepa_core.experiments.pretrain", diverge)
    lab.train()
    assert "NaN" in lab.status.value
    assert not lab.button.disabled
