"""Runs of predictors that sample: reproducible, resumable, and judged by scores known elsewhere."""

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scoringrules
import torch

from bijepa_book import stochastic
from bijepa_core import Checkpoint
from bijepa_core.constraints import RESTRICTIVE
from bijepa_core.data.series import SeriesData
from bijepa_core.experiments import DIGITS, LORENZ, PREDICTORS, SINE, Configuration, Run
from bijepa_core.seeds import Seeds, generator
from bijepa_core.stochastic import StochasticBiJEPA

SAMPLING = [name for name in PREDICTORS if name != "deterministic"]
SHORT = replace(SINE, steps=12)


def run(configuration: Configuration, seeds: Seeds = 4, **options: Any) -> Run:
    return stochastic.run(SHORT, configuration, seeds, device="cpu", progress=False, **options)


def model_of(configuration: Configuration, experiment: Any = SINE) -> StochasticBiJEPA:
    model = experiment.model(configuration, 0)
    assert isinstance(model, StochasticBiJEPA)
    return model


@pytest.mark.parametrize("predictor", SAMPLING)
def test_a_run_depends_neither_on_company_nor_on_what_was_drawn_before(predictor: str) -> None:
    alone = run(Configuration(predictor=predictor))
    torch.rand(7)
    before = torch.get_rng_state()
    together = run(Configuration(predictor=predictor), (3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert alone.scores.keys() == together.scores.keys()
    for name, values in alone.scores.items():
        assert math.isfinite(values[0])
        assert together.scores[name][1] == pytest.approx(values[0], rel=2e-3), name
    assert run(Configuration(predictor=predictor)).scores == alone.scores


@pytest.mark.parametrize("predictor", SAMPLING)
def test_a_stopped_run_resumes_bit_for_bit(predictor: str, tmp_path: Path) -> None:
    configuration, short = Configuration(predictor=predictor), replace(SHORT, steps=5)
    options: dict[str, Any] = {"device": "cpu", "progress": False}
    stochastic.run(short, configuration, (0, 1), checkpoint=Checkpoint(tmp_path), **options)
    resumed = run(configuration, (0, 1), checkpoint=Checkpoint(tmp_path, resume=True))
    straight = run(configuration, (0, 1))
    assert resumed.scores == straight.scores
    assert torch.equal(resumed.history.losses["total"], straight.history.losses["total"])


@pytest.mark.parametrize(("alpha", "way"), [(1.0, "forward"), (0.0, "backward")])
def test_one_direction_is_judged_where_there_is_one(alpha: float, way: str) -> None:
    scores = run(Configuration(RESTRICTIVE, alpha, "gaussian")).scores
    names = ("energy_score", "mean_score", "relative_spread", "spread_to_error")
    ended = [name for name in scores if name.endswith(("_forward", "_backward"))]
    assert ended == [f"{name}_{way}" for name in names]


def test_samples_are_scored_as_a_kept_library_scores_them() -> None:
    model, data = model_of(Configuration(predictor="mixture"), LORENZ), LORENZ.load(0)
    assert isinstance(data, SeriesData)
    x, y = (view[:200] for view in data.held_out)
    scores = stochastic.sample_scores(model, y, x, "backward")
    samples = model.sample_backward(y, 16, generator(0, "samples/backward"))
    target = model.target(x).detach()
    wanted = scoringrules.es_ensemble(
        target.numpy(), samples.movedim(0, -2).numpy(), estimator="fair", backend="numpy"
    )
    assert scores["energy_score"] == [pytest.approx(wanted.mean(), rel=1e-5)]
    far = [math.dist(a, b) for a, b in zip(model.infer_past(y), target, strict=True)]
    assert scores["mean_score"] == [pytest.approx(sum(far) / 200, rel=1e-5)]


def test_halves_are_judged_in_their_own_statistics_and_the_model_stays() -> None:
    model, data = model_of(Configuration(predictor="energy"), DIGITS), DIGITS.load(0)
    before = copy.deepcopy(model.state_dict())
    scores = stochastic._scores(lambda *_, **__: {}, model, model, data)
    assert len(scores) == 8
    assert all(math.isfinite(value) for values in scores.values() for value in values)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not isinstance(data, SeriesData)
    own, given, hidden = stochastic._looked_at(model, data, "backward")
    assert torch.equal(given, data.test.right)
    assert torch.equal(hidden, data.test.left)
    for encoder, half in ((own.online, data.train.right), (own.target, data.train.left)):
        mean = dict(encoder.named_buffers())["net.1.running_mean"]
        convolved = model.online.net[0](half)  # type: ignore[index, operator]
        torch.testing.assert_close(mean, convolved.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
