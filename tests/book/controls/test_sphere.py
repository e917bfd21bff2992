"""The lab trains once, refits when a control moves, and shows both probes' errors."""

from dataclasses import replace

import pytest

from bijepa_book.controls import sphere
from bijepa_book.controls.sphere import ProbeLab
from bijepa_core.experiments import CONFIGURATIONS, SINE, Experiment
from bijepa_core.model import BiJEPA


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> ProbeLab:
    monkeypatch.setattr(sphere, "SINE", replace(SINE, steps=30))
    return ProbeLab()


def test_the_button_trains_once_and_draws(lab: ProbeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bytes(lab.picture.value) == b""
    lab.button.click()
    assert bytes(lab.picture.value).startswith(b"\x89PNG")
    assert list(lab.models) == ["restrictive"]
    assert lab.bar.layout.visibility == "hidden"
    assert lab.bar.value > 20
    assert not lab.button.disabled
    assert "the fair one" in lab.status.value

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(Experiment, "train", refuse)
    lab.button.click()


def test_a_model_that_was_handed_in_is_not_trained() -> None:
    model = SINE.model(CONFIGURATIONS["classic"], 0)
    lab = ProbeLab({"classic": model})
    lab.configuration.value = "classic"  # moving the control is enough
    assert lab.errors is not None
    assert lab.models == {"classic": model}
    assert "classic" in lab.status.value


def test_scale_moves_the_papers_probe_alone(lab: ProbeLab) -> None:
    lab.fit()
    assert lab.errors is not None
    before = lab.errors
    lab.scale.value = 0.1
    assert lab.errors[0] > before[0]
    assert lab.errors[1] == pytest.approx(before[1], rel=1e-4)


def test_more_steps_and_another_rate_change_the_papers_probe(lab: ProbeLab) -> None:
    lab.fit()
    assert lab.errors is not None
    first = lab.errors
    lab.probe_steps.value = 1_000
    second = lab.errors
    assert second[0] < first[0]
    lab.rate.value = 0.1
    assert lab.errors[0] < second[0]
    assert lab.errors[1] == first[1]
    assert "1,000 Adam steps" not in lab.status.value


def test_the_protocols_read_different_features(lab: ProbeLab) -> None:
    lab.fit()
    first = lab.errors
    lab.protocol.value = "b"
    assert lab.errors != first


def test_an_error_becomes_a_sentence_and_frees_the_button(
    lab: ProbeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: BiJEPA) -> None:
        raise ValueError("features must be finite")

    monkeypatch.setattr(lab, "show", fail)
    lab.fit()
    assert "features must be finite" in lab.status.value
    assert not lab.button.disabled
