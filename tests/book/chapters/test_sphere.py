"""Probes in slow motion, waves with a gain, and how rough a loss is."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from bijepa_book import records
from bijepa_book.chapters import sphere
from bijepa_book.paper.replay import replay
from bijepa_core.data import series, sine
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation.metrics import roughness
from bijepa_core.evaluation.probes import adam_probe, protocol_a, raw_input, ridge_probe
from bijepa_core.evaluation.scores import series_baselines
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, generator, sample_per_seed, unstack

FEW = (0, 1)


@pytest.fixture(autouse=True)
def _few_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (series, sphere):
        monkeypatch.setattr(module, "PROBE", 200)
        monkeypatch.setattr(module, "HELD_OUT", 300)


@pytest.fixture
def data() -> SeriesData:
    return sine.sine_data(FEW, SINE.batch_size)


@pytest.fixture
def models() -> dict[str, BiJEPA]:
    return {name: SINE.model(CONFIGURATIONS[name], FEW) for name in sphere.LOUDNESS}


def test_no_baseline_beats_the_best_forecast_and_noise_alone_is_below_it(
    models: dict[str, BiJEPA], data: SeriesData
) -> None:
    scores = series_baselines(models["expressive"], data)
    lines = sphere.baselines(scores | {"paper_a": [0.0, 0.0]}, data)
    whole = {name: lines.pop(f"{name}_whole") for name in ("raw", "best")}
    assert {name: lines[name] for name in scores} == scores
    assert set(lines) == {*scores, "best"}
    for errors in (lines, whole):
        best = errors["best"]
        for name in errors.keys() - {"best"}:
            pairs = zip(best, errors[name], strict=True)
            assert all(sine.NOISE**2 < low < high for low, high in pairs), name


def test_the_whole_target_is_ten_values(models: dict[str, BiJEPA], data: SeriesData) -> None:
    errors = sphere.whole(models["expressive"], data)
    assert list(errors) == ["whole_a", "whole_b"]
    embed = protocol_a(models["expressive"])
    fair = ridge_probe(embed(data.probe[0]), data.probe[1])
    (x, y) = data.held_out
    guess = fair(embed(x).double())
    assert guess.shape == y.shape
    assert errors["whole_a"] == pytest.approx((guess - y).square().mean((-2, -1)).tolist())


@pytest.mark.parametrize("seeds", [0, FEW])
@pytest.mark.parametrize("targets", [1, 3])
def test_a_course_passes_where_the_probe_stops(seeds: Seeds, targets: int) -> None:
    x, y = sine.split(sample_per_seed(seeds, "test", lambda g: sine.waves(50, g)))
    y = y[..., :targets]
    course = sphere.probe_course(x, y, seeds, (1, 7, 40), 0.02)
    for mark, error in zip((1, 7, 40), course, strict=True):
        probe = adam_probe(x, y, steps=mark, seeds=seeds, learning_rate=0.02)
        torch.testing.assert_close(error, probe.training_error.double(), rtol=2e-4, atol=0)


def test_a_long_course_ends_at_least_squares() -> None:
    x, y = sine.split(sine.waves(100, generator(2, "test")))
    (last,) = sphere.probe_course(x, y[:, :1], 0, (6_000,), 0.02)
    table = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    solution = torch.linalg.lstsq(table, y[:, :1].double()).solution
    least = (table @ solution - y[:, :1]).square().mean()
    assert float(last) == pytest.approx(float(least), rel=0.01)


@pytest.mark.parametrize("marks", [(), (0, 3), (5, 3), (3, 3)])
def test_marks_that_are_no_steps_are_refused(marks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="marks must be positive, increasing"):
        sphere.probe_course(torch.zeros(4, 2), torch.zeros(4, 1), 0, marks)


def test_a_row_is_the_middle_of_the_courses_and_ends_above_the_least(
    models: dict[str, BiJEPA], data: SeriesData
) -> None:
    model, (x, value) = models["restrictive"], data.next_state(data.probe)
    row = sphere.course_row(model, data, FEW, (1, 5))
    course = sphere.probe_course(protocol_a(model)(x), value, FEW, (1, 5)).mean(1)  # of two seeds
    assert [row["1"], row["5"]] == pytest.approx(course.tolist())
    assert 0 < row["least_a"] < row["5"] < row["1"]


def test_a_unit_vector_spreads_by_a_quarter_at_most_and_asks_for_large_weights(
    models: dict[str, BiJEPA], data: SeriesData
) -> None:
    rows = {name: sphere.demands(model, data) for name, model in models.items()}
    assert max(rows["restrictive"]["spread"]) <= 1 / 4
    x, value = data.next_state(data.probe)
    for name, model in models.items():
        weight = ridge_probe(protocol_a(model)(x), value).weight
        assert rows[name]["weight_a"] == pytest.approx([float(w.norm()) for w in weight])
        assert rows[name]["largest_weight"] == pytest.approx([float(w.abs().max()) for w in weight])


def test_scale_moves_the_papers_probe_and_not_the_fair_one(
    models: dict[str, BiJEPA], data: SeriesData
) -> None:
    looks = sphere.scaled(models["expressive"], data, FEW, (0.1, 1.0))
    torch.testing.assert_close(10 * looks["spread"][0], looks["spread"][1])
    torch.testing.assert_close(looks["fair_a"][0], looks["fair_a"][1], rtol=1e-4, atol=0)
    assert (looks["paper_a"][0] > looks["paper_a"][1]).all()


def test_exchanged_scales_are_each_others() -> None:
    x, y = sine.split(sample_per_seed(FEW, "test", lambda g: sine.waves(50, g)))
    cases = sphere.exchanged(0.1 * x, x, y[..., :1], FEW)
    errors = {name: row["paper_a"] for name, row in cases.items()}
    assert errors["sphere, enlarged"] == pytest.approx(errors["expressive"], rel=1e-4)
    assert errors["expressive, shrunk"] == pytest.approx(errors["sphere"], rel=1e-4)
    assert errors["sphere"] != pytest.approx(errors["expressive"], rel=1e-2)


def test_a_gain_multiplies_the_experiments_own_waves(data: SeriesData) -> None:
    loud, gains = sphere.loud_data(FEW)
    steps = (0, 70)
    louder = [
        *((loud.batches(step), data.batches(step)) for step in steps),
        (loud.probe, data.probe),
        (loud.held_out, data.held_out),
    ]
    for (x, y), (plain_x, plain_y) in louder:
        gain = (x / plain_x).median(-1, keepdim=True).values
        torch.testing.assert_close(x, gain * plain_x)
        torch.testing.assert_close(y, gain * plain_y)
        assert 0.5 <= float(gain.min()) < 0.6 < 1.4 < float(gain.max()) <= 1.5001
    torch.testing.assert_close(gains[1] * data.held_out[0], loud.held_out[0])
    again, alone = sphere.loud_data(FEW)[0], sphere.loud_data(1)[0]
    for step in steps:
        assert torch.equal(again.batches(step)[0], loud.batches(step)[0])
        assert torch.equal(alone.batches(step)[1], loud.batches(step)[1][1])


def test_a_gain_that_is_a_feature_is_read_and_a_mean_is_not() -> None:
    data, gains = sphere.loud_data(FEW)

    def told(x: Tensor) -> Tensor:
        return gains[0] if x.shape[-2] == 200 else gains[1]

    def nothing(x: Tensor) -> Tensor:
        return torch.ones_like(x[..., :1])

    told_row, nothing_row, raw = (
        sphere.loudness(features, data, gains) for features in (told, nothing, raw_input)
    )
    assert max(told_row["gain"]) < 1e-6
    assert nothing_row["gain"] == pytest.approx([1, 1], abs=0.05)
    assert max(raw["next_value"]) < 0.2 < min(raw["gain"])


def test_norm_and_direction_make_up_the_embedding(models: dict[str, BiJEPA]) -> None:
    x = sample_per_seed(FEW, "test", lambda g: sine.waves(5, g))[..., :10]
    features = sphere.loud_features(models, models["expressive"])
    norm, direction = (features[f"expressive, {part} alone"](x) for part in ("norm", "direction"))
    torch.testing.assert_close(norm * direction, models["expressive"].embed(x))


def test_a_frozen_model_is_as_rough_as_its_losses_on_batches_that_it_has_not_seen(
    models: dict[str, BiJEPA], data: SeriesData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sphere, "FROZEN", 6)
    model = models["expressive"]
    with torch.no_grad():
        terms = [model(*data.batches(step)).forward for step in range(5, 11)]
    expected = roughness(torch.stack([term.loss for term in terms if term is not None]))
    assert sphere.frozen_roughness(model, data.batches, 5) == expected.tolist()
    classic = unstack(SINE.model(CONFIGURATIONS["classic"], FEW), 0)
    assert len(sphere.frozen_roughness(classic, sine.SineBatches(0), 0)) == 1
    backward = SINE.model(replace(CONFIGURATIONS["expressive"], alpha=0.0), 0)
    with pytest.raises(ValueError, match="the forward term is looked at"):
        sphere.frozen_roughness(backward, sine.SineBatches(0), 0)


@pytest.mark.slow
def test_the_record_has_the_names_of_the_recorded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(SINE, steps=40, probe_steps=2)
    monkeypatch.setattr(sphere, "SINE", short)
    monkeypatch.setattr(sphere, "SEEDS", FEW)
    monkeypatch.setattr(sphere, "FROZEN", 4)
    monkeypatch.setattr(sphere, "replay", partial(replay, steps=20))
    made, recorded = sphere.record(), records.load("sphere")
    missing: list[tuple[str, ...]] = []
    for group, rows in recorded.items():
        if group in ("seeds", "provenance"):
            continue
        for row, columns in rows.items():
            names = columns if isinstance(columns, dict) else ()
            missing += [(group, row, c) for c in names if c not in made[group][row]]
            missing += [(group, row)] if row not in made[group] else []
    assert missing == []
