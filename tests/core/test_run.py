"""Whole experiments in miniature: data, training, scores."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bijepa_core import Checkpoint
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation import probes
from bijepa_core.experiments import (
    CONFIGURATIONS,
    DIGITS,
    LORENZ,
    SINE,
    Configuration,
    Experiment,
    run,
)
from bijepa_core.seeds import Seeds


def series(experiment: Experiment, seeds: Seeds) -> SeriesData:
    data = experiment.load(seeds)
    assert isinstance(data, SeriesData)
    return data


@pytest.mark.parametrize("experiment", [SINE, LORENZ], ids=lambda e: e.name)
@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_a_seed_scores_the_same_alone_and_in_company(experiment: Experiment, name: str) -> None:
    alone, together = (
        run(
            replace(experiment, steps=12), CONFIGURATIONS[name], seeds, device="cpu", progress=False
        )
        for seeds in (4, (3, 4))
    )
    assert alone.scores.keys() == together.scores.keys()
    for name, values in alone.scores.items():
        assert together.scores[name][1] == pytest.approx(values[0], rel=2e-3)


def test_the_result_is_plain_data_with_provenance() -> None:
    result = run(
        replace(SINE, steps=3), CONFIGURATIONS["classic"], (0, 1), device="cpu", progress=False
    )
    plain = json.loads(json.dumps(result.plain()))
    assert plain["seeds"] == [0, 1]
    assert plain["experiment"]["steps"] == 3
    assert plain["configuration"]["alpha"] == 1
    assert set(plain["history"]["loss"]) == {"total", "forward"}
    assert plain["provenance"]["device"] == "cpu"
    assert plain["provenance"]["torch"] == torch.__version__.split("+")[0]


def test_without_a_forward_predictor_there_is_no_protocol_b() -> None:
    backward = Configuration(alpha=0.0)
    scores = run(replace(SINE, steps=2), backward, 0, device="cpu", progress=False).scores
    assert {"paper_a", "fair_a"} <= scores.keys()
    assert not any(name.endswith("_b") for name in scores)


@pytest.mark.parametrize("experiment", [SINE, LORENZ], ids=lambda e: e.name)
def test_a_seeds_data_are_the_same_alone_and_in_company(experiment: Experiment) -> None:
    alone, together = (series(experiment, seeds) for seeds in (7, (2, 7)))
    for one, many in ((alone.probe, together.probe), (alone.held_out, together.held_out)):
        for single, several in zip(one, many, strict=True):
            torch.testing.assert_close(several[1], single, rtol=0, atol=0)
    for step in (0, 5, 100):
        for single, several in zip(alone.batches(step), together.batches(step), strict=True):
            torch.testing.assert_close(several[1], single, rtol=0, atol=0)


def test_probe_and_held_out_sets_do_not_overlap() -> None:
    data = series(SINE, 0)
    assert float(torch.cdist(data.probe[0], data.held_out[0]).min()) > 0


def test_lorenz_probe_targets_follow_their_context_by_one_euler_step() -> None:
    data = series(LORENZ, 0)
    views, targets = data.next_state(data.probe)
    velocity = views[:, -3:] - views[:, -6:-3]
    gap = targets - views[:, -3:]
    assert float((gap - velocity).abs().mean()) < 0.3 * float(gap.abs().mean())


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [5, (4, 5)])
def test_images_are_classified_and_hallucinated(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (1e-2,))  # quick to converge
    setup = replace(DIGITS, steps=2, probe_steps=1)
    result = run(setup, CONFIGURATIONS["expressive"], seeds, device="cpu", progress=False)
    scores, count = result.scores, 1 if isinstance(seeds, int) else len(seeds)
    for end in ("a", "b"):
        assert min(scores[f"fair_accuracy_{end}"]) > 0.5  # chance is 0.1
    for end in ("", "_b"):
        assert len(scores[f"paper_accuracy{end}"]) == count
        assert 0 < max(scores[f"fair_decoder{end}"]) < 0.3
    assert 0 < max(scores["paper_decoder_test"]) < 0.3
    assert scores["mean_image"][0] < 0.1


def test_digits_train_for_ten_epochs_of_theirs() -> None:
    data = DIGITS.load(0)
    assert not isinstance(data, SeriesData)
    assert 10 * data.batches.steps_per_epoch == DIGITS.steps


def test_a_stopped_run_resumes_to_the_same_scores(tmp_path: Path) -> None:
    options: dict[str, Any] = {"device": "cpu", "progress": False}
    expressive = CONFIGURATIONS["expressive"]
    short, long = replace(SINE, steps=8), replace(SINE, steps=20)
    straight = run(long, expressive, 0, **options)
    run(short, expressive, 0, checkpoint=Checkpoint(tmp_path), **options)
    resumed = run(long, expressive, 0, checkpoint=Checkpoint(tmp_path, resume=True), **options)
    assert resumed.scores == straight.scores


def test_bad_arguments_come_before_any_work() -> None:
    with pytest.raises(ValueError, match="device must be"):
        run(SINE, CONFIGURATIONS["classic"], 0, device="abacus", progress=False)
    with pytest.raises(ValueError, match="seeds must be"):
        run(SINE, CONFIGURATIONS["classic"], (1, 1), progress=False)
    with pytest.raises(ValueError, match="every must be positive"):
        Checkpoint("folder", every=0)
