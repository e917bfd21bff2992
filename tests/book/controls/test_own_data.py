"""The ecosystem lab draws its own data, trains, and compares with the run before."""

import pytest

from bijepa_book.controls.own_data import EcosystemLab


@pytest.fixture
def lab() -> EcosystemLab:
    lab = EcosystemLab(steps=40, redraw=2, held_out=200)
    lab.systems.value = 64
    return lab


def test_the_button_trains_draws_and_reads(lab: EcosystemLab) -> None:
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert lab.bar.value == 40
    assert "pace" in lab.status.value
    assert not lab.button.disabled


def test_controls_change_the_run_and_the_run_before_is_kept(lab: EcosystemLab) -> None:
    lab.train()
    lab.noise.value, lab.alpha.value = 0.5, 1.0
    lab.train()
    (first, before, _), (second, after, _) = lab.runs
    assert first != second
    assert not before.losses["backward"].isnan().any()
    assert after.losses["backward"].isnan().all()
    lab.train()
    assert len(lab.runs) == 2


def test_a_failed_run_says_why_and_frees_the_button(
    lab: EcosystemLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss became NaN")

    monkeypatch.setattr("bijepa_book.controls.own_data.pretrain", diverge)
    lab.train()
    assert "NaN" in lab.status.value
    assert not lab.button.disabled
