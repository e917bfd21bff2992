"""Probes in slow motion, waves with a gain, and how rough a loss is."""

import math

import pytest
import torch
from bijepa_core.runs import run, sine_data
from torch import Tensor

from bijepa_book.chapters import sphere
from bijepa_core.data import sine
from bijepa_core.evaluation.probes import adam_probe, protocol_a, raw_input, ridge_probe
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, generator, sample_per_seed, unstack

FEW = (0, 1)


@pytest.fixture
def data() -> sphere.Waves:
    return sphere.Waves(FEW, 200, 300)


@pytest.fixture
def models() -> dict[str, BiJEPA]:
    return {name: SINE.model(CONFIGURATIONS[name], FEW) for name in ("expressive", "restrictive")}


def test_waves_are_those_that_a_run_is_probed_with() -> None:
    data, used = sphere.Waves(3), sine_data(SINE, 3, torch.device("cpu"))
    for mine, theirs in ((data.probe, used.probe), (data.held_out, used.held_out)):
        assert torch.equal(mine[0], theirs[0])
        assert torch.equal(mine[1][:, :1], theirs[1])


def test_scores_of_a_run_under_names_that_can_be_read() -> None:
    one = run(SINE, CONFIGURATIONS["classic"], 0, steps=3, device="cpu", progress=False)
    data = sphere.Waves(0, 200, 300)
    row = sphere.both_probes({"classic": one})["classic"]
    assert row["B, paper"] == one.scores["protocol_b"]["paper_mse"]
    assert list(row) == ["A, paper", "A, converged", "B, paper", "B, converged"]
    lines = sphere.baselines(one, data)
    raw, best = lines["raw context"]["error"], lines["best possible"]["error"]
    assert all(sine.NOISE**2 < b < r for b, r in zip(best, raw, strict=True))
    assert len(best) == 1


def test_without_a_seed_axis_the_best_forecast_is_the_same() -> None:
    x = sine.waves((2, 5), generator(0, "test"))[..., :10]
    both = sphere.best_forecast(x)
    torch.testing.assert_close(both[1], sphere.best_forecast(x[1]), atol=1e-3, rtol=0)


def test_the_best_forecast_of_a_clean_wave_is_the_wave() -> None:
    wave = torch.sin(1.03 * sine.GRID + 2)
    found = sphere.best_forecast(wave[:10])
    torch.testing.assert_close(found, wave[10:], atol=0.02, rtol=0)


def test_a_finer_grid_hardly_moves_the_best_forecast() -> None:
    x = sine.waves(200, generator(1, "test"))[:, :10]
    coarse, fine = sphere.best_forecast(x), sphere.best_forecast(x, 81, 320)
    assert float((coarse - fine).square().mean()) < 1e-5  # the error itself is about 4e-3
    with pytest.raises(ValueError, match="phases must be positive"):
        sphere.best_forecast(x, phases=0)


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


def test_courses_come_by_protocol(models: dict[str, BiJEPA], data: sphere.Waves) -> None:
    rows = sphere.probe_courses(models, data, (1, 5))
    assert rows["restrictive"]["B"].shape == (2, 2)
    for values in rows.values():
        assert (values["A, least"] <= values["A"]).all()


def test_spread_is_that_of_the_pooled_centered_coordinates() -> None:
    features = torch.tensor([[1.0, 10.0], [3.0, 10.0]])
    assert float(sphere.spread(features)) == pytest.approx(math.sqrt(0.5))


def test_a_unit_vector_spreads_by_a_quarter_at_most(
    models: dict[str, BiJEPA], data: sphere.Waves
) -> None:
    rows = sphere.demands(models, data)
    assert max(rows["restrictive"]["spread"]) <= 1 / math.sqrt(SINE.embed_dim)
    assert set(rows["expressive"]) == {"spread", "largest weight", "norm"}
    seen = protocol_a(models["expressive"])(data.probe[0])
    weight = ridge_probe(seen, data.next_value).weight
    assert rows["expressive"]["norm"] == pytest.approx([float(w.norm()) for w in weight])


def test_scale_moves_the_papers_probe_and_not_the_converged_one(
    models: dict[str, BiJEPA], data: sphere.Waves
) -> None:
    looks = sphere.scaled(models, data, (0.1, 1.0))["expressive"]
    torch.testing.assert_close(10 * looks["spread"][0], looks["spread"][1])
    torch.testing.assert_close(looks["converged"][0], looks["converged"][1], rtol=1e-4, atol=0)
    assert (looks["paper"][0] > looks["paper"][1]).all()


def test_exchanged_scales_are_each_others(normal: object) -> None:
    x, y = sine.split(sample_per_seed(FEW, "test", lambda g: sine.waves(50, g)))
    found = sphere.exchanged(0.1 * x, x, y[..., :1], FEW)
    assert found["sphere, enlarged"] == pytest.approx(found["expressive"], rel=1e-4)
    assert found["expressive, shrunk"] == pytest.approx(found["sphere"], rel=1e-4)
    assert found["sphere"] != pytest.approx(found["expressive"], rel=1e-2)


def test_a_gain_multiplies_the_experiments_own_waves() -> None:
    loud, plain = sphere.GainBatches(FEW, 8), sine.SineBatches(FEW, 8)
    for step in (0, 70):
        x, y = loud(step)
        gain = x / plain(step)[0]
        torch.testing.assert_close(gain, gain[..., :1].expand_as(gain))
        torch.testing.assert_close(y, gain[..., :1] * plain(step)[1])
        assert float(gain.min()) >= 0.5
        assert float(gain.max()) <= 1.5
        assert gain[..., 0].std() > 0.1
    again = sphere.GainBatches(FEW, 8)
    assert torch.equal(again(70)[0], loud(70)[0])
    one = sphere.GainBatches(1, 8)(70)
    assert torch.equal(one[1], loud(70)[1][1])
    assert loud.configuration()["stream"] == "GainBatches"


def test_a_gain_that_is_a_feature_is_read_and_a_mean_is_not() -> None:
    data = sphere.LoudWaves(FEW, 200, 300)

    def told(x: Tensor) -> Tensor:
        return data.gain if x.shape[-2] == 200 else data.held_gain

    def nothing(x: Tensor) -> Tensor:
        return torch.ones_like(x[..., :1])

    rows = sphere.loudness({"told": told, "nothing": nothing, "raw": raw_input}, data)
    assert max(rows["told"]["gain"]) < 1e-6
    assert rows["nothing"]["gain"] == pytest.approx([1, 1], abs=0.05)
    assert max(rows["raw"]["next value"]) < 0.2 < min(rows["raw"]["gain"])


def test_norm_and_direction_make_up_the_embedding(models: dict[str, BiJEPA]) -> None:
    x = sample_per_seed(FEW, "test", lambda g: sine.waves(5, g))[..., :10]
    for model in models.values():
        norm, direction = (part(model)(x) for part in (sphere.norm_alone, sphere.direction_alone))
        torch.testing.assert_close(norm * direction, model.embed(x))


def test_squares_are_all_products() -> None:
    x = torch.tensor([[2.0, 3.0]])
    assert sphere.with_squares(raw_input)(x).tolist() == [[2, 3, 4, 6, 9]]


def test_loud_training_learns_from_waves_with_a_gain() -> None:
    model, history = sphere.train_loud("restrictive", FEW, 3)
    with torch.no_grad():
        fresh = SINE.model(CONFIGURATIONS["restrictive"], FEW)
        first = fresh(*sphere.GainBatches(FEW, SINE.batch_size)(0)).total
    torch.testing.assert_close(history.losses["total"][0], first)
    assert model.constraint.sphere


def test_roughness_of_a_known_curve() -> None:
    noise = torch.randn(40_000, generator=generator(0, "test"))
    rough = torch.exp(0.2 * noise + torch.linspace(3, 0, 40_000))  # on a slow decline
    found = sphere.roughness(torch.stack([rough, 5 * rough], 1))
    assert found.tolist() == pytest.approx([0.2, 0.2], rel=0.03)
    assert float(sphere.roughness(torch.ones(10))) == 0


def test_a_frozen_model_is_looked_at_on_batches_that_it_has_not_seen() -> None:
    model = SINE.model(CONFIGURATIONS["expressive"], FEW)
    stream = sine.SineBatches(FEW)
    losses = sphere.frozen_losses(model, stream, 5, 2)
    with torch.no_grad():
        expected = model(*stream(6))
    assert expected.backward is not None
    torch.testing.assert_close(losses["total"][1], expected.total)
    torch.testing.assert_close(losses["backward"][1], expected.backward.loss)
    classic = unstack(SINE.model(CONFIGURATIONS["classic"], FEW), 0)
    assert set(sphere.frozen_losses(classic, sine.SineBatches(0), 0, 1)) == {
        "total",
        "forward",
    }
