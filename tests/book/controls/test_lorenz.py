"""The explorer draws for its controls' settings, and trains a model where it has none."""

import numpy as np
import pytest

from bijepa_book.chapters.lorenz import Forecaster, train_forecaster
from bijepa_book.controls.lorenz import AttractorExplorer
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return train_forecaster(0, 20)


@pytest.fixture
def explorer(forecaster: Forecaster) -> AttractorExplorer:
    return AttractorExplorer(forecaster)


def test_a_model_that_is_passed_in_is_drawn_at_once(explorer: AttractorExplorer) -> None:
    assert bytes(explorer.picture.value).startswith(b"\x89PNG")
    assert "RMS error" in explorer.status.value


def test_a_slider_draws_anew(explorer: AttractorExplorer) -> None:
    before, said = bytes(explorer.picture.value), explorer.status.value
    explorer.ahead.value = 2
    assert bytes(explorer.picture.value) != before
    assert explorer.status.value != said
    explorer.back.value = 0
    assert "past" not in explorer.status.value


def test_the_trajectory_is_what_the_controls_ask_for() -> None:
    explorer = AttractorExplorer()
    for control, value in zip(explorer.start, (3.0, -4.0, 10.0), strict=True):
        control.value = value
    explorer.lead.value, explorer.back.value, explorer.ahead.value = 0.0, 2, 3
    states = explorer.trajectory()
    assert states.shape == (6 * CONTEXT, 3)
    start = np.array([[3.0, -4.0, 10.0]])
    np.testing.assert_allclose(states, lorenz.accurate(start, 6 * CONTEXT)[0])
    explorer.lead.value = 0.5
    later = explorer.trajectory()
    np.testing.assert_allclose(later[0], states[50], atol=1e-2)


def test_without_a_model_the_button_trains_one() -> None:
    explorer = AttractorExplorer(steps=20)
    assert bytes(explorer.picture.value) == b""
    explorer.ahead.value = 3  # nothing to draw yet, and no error
    assert bytes(explorer.picture.value) == b""
    explorer.button.click()
    assert explorer.forecaster is not None
    assert explorer.bar.value == 20
    assert bytes(explorer.picture.value).startswith(b"\x89PNG")
    assert not explorer.button.disabled


def test_a_failure_becomes_a_sentence_and_frees_the_button(
    explorer: AttractorExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss became NaN")

    monkeypatch.setattr("bijepa_book.controls.lorenz.train_forecaster", fail)
    explorer.train()
    assert "NaN" in explorer.status.value
    assert not explorer.button.disabled
    monkeypatch.setattr("bijepa_book.controls.lorenz.guesses", fail)
    explorer.draw()
    assert explorer.status.value.startswith("No picture")
