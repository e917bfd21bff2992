from dataclasses import replace
from typing import Any

import pytest
import torch

from bijepa_book.evidence.stable.finalists import (
    IMAGE_SEEDS,
    RATE_ALONE,
    against_recordings,
    classic,
    image_recordings,
    series_recordings,
)
from bijepa_book.evidence.stable.hunt import Candidate, without_recordings
from bijepa_book.evidence.stable.standing import WINNER
from bijepa_core.experiments import DIGITS, SINE, Experiment
from bijepa_core.seeds import unstack


def test_a_finalist_meets_the_papers_models_on_their_seeds() -> None:
    found = {r.key: r for r in series_recordings([Candidate("scale", 0.01)])}
    assert set(found) == {
        "sine-final-scale-0.01-paper",
        "lorenz-final-scale-0.01-paper",
        "sine-final-scale-0.01-long",
        "lorenz-final-scale-0.01-long",
        "sine-final-scale-0.01-classic-paper",
        "lorenz-final-scale-0.01-classic-paper",
    }
    assert {tuple(r.seeds) for r in found.values()} == {tuple(range(64, 96))}
    assert (min(IMAGE_SEEDS), max(IMAGE_SEEDS), len(IMAGE_SEEDS)) == (8, 31, 24)


def test_a_finalist_is_read_on_images_with_and_without_the_second_direction() -> None:
    short = replace(DIGITS, steps=8, probe_steps=1)
    both = image_recordings([Candidate("whitened", 0.2)], short, epochs=1)
    for recording, has in zip(both, (True, False), strict=True):
        measures, _ = recording.measure((8, 9), "cpu")
        assert {len(values) for values in measures.values()} == {2}
        assert {"fair_accuracy_a", "fair_decoder", "decoder_ten"} <= set(measures)
        assert ("past_accuracy_b" in measures) is has


def test_what_speaks_against_is_asked_in_its_own_sizes() -> None:
    found = {r.key: r.about for r in against_recordings(Candidate("scale", 0.01))}
    assert found["sine-against-batch-16-unconstrained-paper"]["experiment"]["batch_size"] == 16
    assert found["sine-against-d-half-scale-0.01-paper"]["experiment"]["embed_dim"] == 8
    loud = [r for r in against_recordings(Candidate("scale", 0.01)) if "loud" in r.key]
    assert len(loud) == 1


def test_loud_waves_are_learned_at_the_candidates_own_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(Experiment, "train", lambda *_, **settings: asked.update(settings))
    (loud,) = (r for r in against_recordings(WINNER) if "loud" in r.key)
    loud.measure((64, 65), "cpu")
    assert asked["make_optimizer"].keywords == WINNER.optimizer(SINE.steps).keywords


def test_the_control_is_the_rate_alone() -> None:
    keys = {recording.key: recording.about for recording in series_recordings([RATE_ALONE])}
    assert len(keys) == 6
    assert keys["lorenz-final-falling-rate-0.3-classic-paper"]["alpha"] == 1.0


def test_classic_keeps_the_constraint() -> None:
    model = classic(Candidate("scale", 0.01)).model(SINE, 0)
    assert model.backward_predictor is None
    assert len(model.constraint.penalties) == 1


@pytest.mark.parametrize("kind", ["scale-no-ema", "scale-no-stop"])
def test_without_ema_the_target_is_the_online_encoder(kind: str) -> None:
    model = Candidate(kind, 1.0).model(SINE, (96, 97))
    x, y = SINE.load((96, 97)).batches(0)
    losses = model(x, y)
    assert losses.terms[0].target.requires_grad is (kind == "scale-no-stop")
    losses.total.sum().backward()
    model.update_target()
    one = unstack(model, 0)
    for online, target in zip(one.online.parameters(), one.target.parameters(), strict=True):
        torch.testing.assert_close(online, target)


def test_everything_without_ema_has_its_own_key() -> None:
    keys = [recording.key for recording in without_recordings()]
    assert len(keys) == len(set(keys)) == 2 * 5 * 10
