"""The collapse lab trains with the safeguards its controls name."""

import torch

from bijepa_book.chapters.jepa import Safeguards
from bijepa_book.controls.jepa import CollapseLab


def test_controls_are_the_safeguards() -> None:
    lab = CollapseLab()
    assert lab.safeguards == Safeguards()
    assert lab.label == "stop-gradient, tau 0.995, predictor"
    lab.stop_gradient.value, lab.tau.value, lab.predictor.value = False, 0.9, False
    assert lab.safeguards == Safeguards(stop_gradient=False, tau=0.9, predictor=False)
    assert lab.label == "no stop-gradient, no predictor"


def test_a_run_without_the_stop_gradient_begins_alike_and_collapses() -> None:
    lab = CollapseLab(steps=40)
    lab.button.click()
    lab.stop_gradient.value = False
    lab.button.click()
    (_, before), (_, after) = lab.runs
    assert torch.equal(before.losses["total"][0], after.losses["total"][0])  # the same seed
    assert float(after.diagnostics["variance"][-1]) < float(before.diagnostics["variance"][-1])
    assert "effective rank" in lab.status.value
    titles = [axis.get_title() for axis in lab.figure(lab.runs).axes]
    assert titles == ["loss", "embedding variance", "effective rank"]
