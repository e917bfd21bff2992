"""The ecosystem lab draws its own data, and trains with what its controls say."""

import pytest

from bijepa_book.controls import own_data
from bijepa_book.controls.own_data import EcosystemLab


def test_controls_change_the_run_and_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "HELD_OUT", 200)
    lab = EcosystemLab(steps=40)
    lab.systems.value = 64
    lab.button.click()
    assert "pace" in lab.status.value
    lab.noise.value, lab.alpha.value = 0.5, 1.0
    lab.train()
    (first, before), (second, after) = lab.runs
    assert first != second
    assert not before.losses["backward"].isnan().any()
    assert after.losses["backward"].isnan().all()
    titles = [axis.get_title() for axis in lab.figure(lab.runs).axes]
    assert len(titles) == 4
