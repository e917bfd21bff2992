"""The lab retrains when its button is pressed, and compares with the run before."""

import pytest
import torch

from bijepa_book.controls.explosion import ExplosionLab


@pytest.fixture
def lab() -> ExplosionLab:
    return ExplosionLab(steps=40, redraw=1)


def test_the_button_trains_and_draws(lab: ExplosionLab) -> None:
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert lab.bar.value == 40
    assert "relative loss" in lab.status.value
    assert not lab.button.disabled


def test_controls_are_the_configuration(lab: ExplosionLab) -> None:
    lab.layer_norm.value, lab.decay.value, lab.alpha.value = True, 1e-2, 1.0
    configuration = lab.configuration
    assert configuration.constraint.layer_norm
    assert configuration.constraint.weight_decay == 1e-2
    assert configuration.alpha == 1.0
    lab.train()
    assert lab.runs[-1][1].losses["backward"].isnan().all()


def test_settings_change_the_run_and_the_run_before_is_kept(lab: ExplosionLab) -> None:
    lab.train()
    lab.tau.value = 0.0
    lab.train()
    (first, before, _), (second, after, _) = lab.runs
    assert first != second
    assert torch.equal(before.losses["total"][0], after.losses["total"][0])  # the same seed
    assert not torch.equal(before.losses["total"][-1], after.losses["total"][-1])
    lab.train()
    assert len(lab.runs) == 2


def test_a_failed_run_says_why_and_frees_the_button(
    lab: ExplosionLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss became NaN")

    monkeypatch.setattr("bijepa_book.controls.explosion.pretrain", diverge)
    lab.train()
    assert "NaN" in lab.status.value
    assert not lab.button.disabled
