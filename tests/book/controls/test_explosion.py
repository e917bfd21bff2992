"""The explosion lab trains with the constraints its controls name."""

import torch

from bijepa_book.controls.explosion import ExplosionLab
from bijepa_core.constraints import Constraint
from bijepa_core.experiments import Configuration


def test_controls_are_the_configuration() -> None:
    lab = ExplosionLab(steps=20)
    lab.layer_norm.value, lab.decay.value, lab.alpha.value = True, 1e-2, 1.0
    assert lab.configuration == Configuration(Constraint(True, 1e-2), alpha=1.0)
    assert lab.label == "LayerNorm, decay 0.01, tau 0.995, alpha 1"
    lab.button.click()
    assert lab.runs[-1][1].losses["backward"].isnan().all()


def test_tau_changes_the_run_and_not_its_beginning() -> None:
    lab = ExplosionLab(steps=40)
    lab.button.click()
    lab.tau.value = 0.0
    lab.button.click()
    (_, before), (_, after) = lab.runs
    assert torch.equal(before.losses["total"][0], after.losses["total"][0])  # the same seed
    assert not torch.equal(before.losses["total"][-1], after.losses["total"][-1])
    assert "relative loss" in lab.status.value
    titles = [axis.get_title() for axis in lab.figure(lab.runs).axes]
    assert titles == ["loss", "relative loss", "embedding norm"]
