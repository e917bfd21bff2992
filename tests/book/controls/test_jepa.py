"""The collapse lab retrains when its button is pressed, and compares with the run before."""

import pytest
import torch

from bijepa_book.chapters.jepa import Safeguards
from bijepa_book.controls.jepa import CollapseLab


@pytest.fixture
def lab() -> CollapseLab:
    return CollapseLab(steps=40, redraw=1)


def test_the_button_trains_and_draws(lab: CollapseLab) -> None:
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert lab.bar.value == 40
    assert "effective rank" in lab.status.value
    assert not lab.button.disabled


def test_it_draws_while_it_trains(lab: CollapseLab, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    monkeypatch.setattr(lab, "draw", lambda runs: done.append(runs[-1][2]))
    lab.train()
    assert done == [21, 40]


def test_controls_are_the_safeguards(lab: CollapseLab) -> None:
    assert lab.safeguards == Safeguards()
    lab.stop_gradient.value, lab.tau.value, lab.predictor.value = False, 0.9, False
    assert lab.safeguards == Safeguards(stop_gradient=False, tau=0.9, predictor=False)
    assert lab.label == "no stop-gradient, no predictor"


def test_a_run_without_the_stop_gradient_differs_and_the_run_before_is_kept(
    lab: CollapseLab,
) -> None:
    lab.train()
    lab.stop_gradient.value = False
    lab.train()
    (first, before, _), (second, after, _) = lab.runs
    assert first != second
    assert torch.equal(before.losses["total"][0], after.losses["total"][0])  # the same seed
    assert float(after.diagnostics["variance"][-1]) < float(before.diagnostics["variance"][-1])
    lab.train()
    assert len(lab.runs) == 2


def test_a_failed_run_says_why_and_frees_the_button(
    lab: CollapseLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss became NaN")

    monkeypatch.setattr("bijepa_book.controls.jepa.train", diverge)
    lab.train()
    assert "NaN" in lab.status.value
    assert not lab.button.disabled
