"""Whole experiments in miniature: data, training, scores."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE, Configuration, Experiment
from bijepa_core.runs import lorenz_data, run, sine_data
from bijepa_core.seeds import Seeds

CPU = torch.device("cpu")


@pytest.mark.parametrize("experiment", [SINE, LORENZ], ids=lambda e: e.name)
@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_a_seed_scores_the_same_alone_and_in_company(experiment: Experiment, name: str) -> None:
    alone, together = (
        run(experiment, CONFIGURATIONS[name], seeds, steps=12, device="cpu", progress=False)
        for seeds in (4, (3, 4))
    )
    assert alone.scores.keys() == together.scores.keys()
    for features, measures in alone.scores.items():
        for measure, values in measures.items():
            assert together.scores[features][measure][1] == pytest.approx(values[0], rel=2e-3)


def test_the_result_is_plain_data_with_provenance() -> None:
    result = run(SINE, CONFIGURATIONS["classic"], (0, 1), steps=3, device="cpu", progress=False)
    plain = json.loads(json.dumps(result.plain()))
    assert plain["seeds"] == [0, 1]
    assert plain["experiment"]["steps"] == 3
    assert plain["configuration"]["alpha"] == 1
    assert set(plain["history"]["loss"]) == {"total", "forward"}
    assert plain["provenance"]["device"] == "cpu"
    assert plain["provenance"]["torch"] == torch.__version__.split("+")[0]


def test_without_a_forward_predictor_there_is_no_protocol_b() -> None:
    backward = Configuration(alpha=0.0)
    scores = run(SINE, backward, 0, steps=2, device="cpu", progress=False).scores
    assert "protocol_a" in scores
    assert "protocol_b" not in scores


@pytest.mark.parametrize("prepare", [sine_data, lorenz_data])
def test_a_seeds_data_are_the_same_alone_and_in_company(prepare: type) -> None:
    experiment = SINE if prepare is sine_data else LORENZ
    alone, together = (prepare(experiment, seeds, CPU) for seeds in (7, (2, 7)))
    for one, many in ((alone.probe, together.probe), (alone.held_out, together.held_out)):
        for single, several in zip(one, many, strict=True):
            torch.testing.assert_close(several[1], single, rtol=0, atol=0)
    for step in (0, 5, 100):
        for single, several in zip(alone.batches(step), together.batches(step), strict=True):
            torch.testing.assert_close(several[1], single, rtol=0, atol=0)


def test_probe_and_held_out_sets_do_not_overlap() -> None:
    data = sine_data(SINE, 0, CPU)
    assert float(torch.cdist(data.probe[0], data.held_out[0]).min()) > 0


def test_lorenz_probe_targets_follow_their_context_by_one_euler_step() -> None:
    data = lorenz_data(LORENZ, 0, CPU)
    views, targets = data.probe
    velocity = views[:, -3:] - views[:, -6:-3]
    gap = targets - views[:, -3:]
    assert float((gap - velocity).abs().mean()) < 0.3 * float(gap.abs().mean())


@pytest.mark.parametrize("seeds", [5, (4, 5)])
def test_images_are_classified_and_hallucinated(seeds: Seeds) -> None:
    setup = replace(MNIST, probe_steps=1)
    result = run(
        setup, CONFIGURATIONS["expressive"], seeds, steps=2,
        dataset="digits", device="cpu", progress=False,
    )  # fmt: skip
    scores, count = result.scores, 1 if isinstance(seeds, int) else len(seeds)
    for protocol in ("protocol_a", "protocol_b"):
        assert len(scores[protocol]["paper_accuracy"]) == count
        assert min(scores[protocol]["converged_accuracy"]) > 0.5  # chance is 0.1
    for decoder in ("protocol_a", "protocol_b", "script_decoder"):
        assert 0 < max(scores[decoder]["test_mse"]) < 0.3
    assert scores["mean_image"]["test_mse"][0] < 0.1


def test_ten_epochs_of_digits_are_fewer_steps_than_of_mnist() -> None:
    setup = replace(MNIST, batch_size=1500, probe_steps=1)
    result = run(
        setup, CONFIGURATIONS["classic"], 0, dataset="digits", device="cpu", progress=False
    )
    assert result.experiment.steps == 10
    assert result.history.steps == 10


def test_a_stopped_run_resumes_to_the_same_scores(tmp_path: Path) -> None:
    options: dict[str, Any] = {"device": "cpu", "progress": False}
    straight = run(SINE, CONFIGURATIONS["expressive"], 0, steps=20, **options)
    run(SINE, CONFIGURATIONS["expressive"], 0, steps=8, checkpoint=tmp_path, **options)
    resumed = run(
        SINE, CONFIGURATIONS["expressive"], 0, steps=20, checkpoint=tmp_path, resume=True, **options
    )
    assert resumed.scores == straight.scores


def test_bad_arguments_come_before_any_work(tmp_path: Path) -> None:
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("steps must be positive", {"steps": 0}),
        ("device must be", {"device": "abacus"}),
        ("resume needs", {"resume": True}),
    )
    for error, changes in cases:
        with pytest.raises(ValueError, match=error):
            run(SINE, CONFIGURATIONS["classic"], 0, **{"progress": False, **changes})
    with pytest.raises(ValueError, match="seeds must be"):
        run(SINE, CONFIGURATIONS["classic"], (1, 1), progress=False)
