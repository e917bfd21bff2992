"""Windows, rules, readouts and the record, by their definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_book.chapters import lorenz as chapter
from bijepa_book.chapters.attractor import on_attractor
from bijepa_book.chapters.lorenz import Forecaster, LongTrajectories, Scale
from bijepa_book.records import load
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, Array
from bijepa_core.evaluation.metrics import training_summary
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, Run
from bijepa_core.history import DIAGNOSTICS, LOSSES, History
from bijepa_core.seeds import generator


@pytest.fixture(scope="module")
def on() -> Array:
    return on_attractor(60, generator(0, "test"))


@pytest.fixture(scope="module")
def data() -> LongTrajectories:
    return chapter.long_trajectories(lorenz.euler, (0, 1), 3, count=100)


@pytest.fixture(scope="module")
def models() -> dict[str, Run]:
    """Untrained ones."""
    runs = {}
    for name in chapter.MODELS:
        configuration = CONFIGURATIONS[name]
        model = LORENZ.model(configuration, (0, 1))
        runs[name] = Run(LORENZ, configuration, (0, 1), model, History(1, {}, {}), {}, {})
    return runs


def test_long_trajectories_are_on_the_scale_of_the_training_set(data: LongTrajectories) -> None:
    assert data.fit.shape == data.test.shape == (2, 100, 3, 60)
    raw = lorenz.trajectories(2000, generator(1, "lorenz/train"))
    assert float(data.scale.mean[1]) == pytest.approx(float(raw.mean()))
    assert float(data.scale.std[1]) == pytest.approx(float(raw.std(correction=0)))
    states = data.scale.raw(data.test[:, :, 0])
    torch.testing.assert_close(data.scale.normalized(states), data.test[:, :, 0])
    first, second = states[0].reshape(100, CONTEXT, 3).numpy()[:, :2].transpose(1, 0, 2)
    np.testing.assert_allclose(lorenz.euler(first, 1)[:, 0], second, atol=1e-4)


def test_time_turns_round_and_back() -> None:
    windows = torch.arange(2 * 180.0).reshape(2, 3, 60)
    turned = chapter.reverse(windows)
    assert turned[0, 0, :3].tolist() == [177.0, 178.0, 179.0]  # the last state comes first
    assert turned[0, -1, -3:].tolist() == [0.0, 1.0, 2.0]
    assert torch.equal(chapter.reverse(turned), windows)


def test_rules_are_what_their_names_say() -> None:
    gen = torch.Generator().manual_seed(0)
    begin = torch.randn(2, 90, 1, 3, generator=gen)
    speed = torch.randn(2, 90, 1, 3, generator=gen)
    steps = torch.arange(80.0)[:, None]
    windows = (begin + speed * steps).reshape(2, 90, 4, 60)  # straight lines
    forecasts = chapter.rules(windows, windows[:, :, 0], 3)
    truth = windows[:, :, 1:]
    assert {forecast.shape for forecast in forecasts.values()} == {truth.shape}
    torch.testing.assert_close(forecasts["extrapolate"], truth.double(), rtol=1e-3, atol=1e-3)
    last = windows[:, :, 0, -3:].double().repeat(1, 1, 60).reshape(2, 90, 3, 60)
    torch.testing.assert_close(forecasts["copy_last"], last)
    ridge = float((forecasts["ridge_on_raw_windows"] - truth).square().mean())
    assert ridge < 1e-2 * float(truth.var())  # lines are linear
    mean = forecasts["mean_state"][1, 5, 2, 9:12]
    torch.testing.assert_close(mean, windows[1].reshape(-1, 3).double().mean(0))


def test_errors_and_horizons_by_hand() -> None:
    truth = torch.zeros(2, 5, 2, 60)
    forecast = truth.clone()
    forecast[0, :, 1, 6:9] = 3.0  # seed 0, state 22
    curve = chapter.errors(forecast, truth)
    assert curve.shape == (2, 40)
    assert curve[0, 22] == 9
    assert float(curve.sum()) == 9
    table = chapter.window_table({"model": curve})
    assert table == {"model": {"1": [0, 0], "2": [pytest.approx(9 / 20), 0]}}
    reached = [
        chapter.horizons({"model": one, "mean_state": torch.ones(40)})["model"] for one in curve
    ]
    assert reached == pytest.approx([0.22, 0.40])
    both = chapter.horizons({"model": curve, "mean_state": torch.ones(2, 40)})
    assert both == pytest.approx({"model": 0.31, "mean_state": 0})
    forecast[1, 0, 0, 0] = float("nan")
    assert chapter.errors(forecast, truth)[1, 0] == pytest.approx(chapter.LOST / 5)


def test_a_forecaster_applies_the_predictor_to_its_own_forecast(
    models: dict[str, Run], data: LongTrajectories
) -> None:
    model = models["expressive"].model
    able = chapter.forecaster(model, data)
    x = data.test[:, :, 0]
    ahead = able.roll_forward(x, 2)
    assert ahead.shape == (2, 100, 2, 60)
    torch.testing.assert_close(ahead[:, :, 0], able.read(model.forecast(x)))
    assert model.forward_predictor is not None
    with torch.no_grad():
        twice = model.forward_predictor(model.forecast(x))
    torch.testing.assert_close(ahead[:, :, 1], able.read(twice))
    torch.testing.assert_close(able.roll_backward(x, 1)[:, :, 0], able.read(model.infer_past(x)))
    alone = chapter.first_seed(able)
    torch.testing.assert_close(alone.roll_forward(x[0], 2), ahead[0], rtol=1e-4, atol=1e-4)
    assert torch.equal(alone.scale.mean, data.scale.mean[0])


def test_a_readout_is_fitted_on_true_windows(
    models: dict[str, Run], data: LongTrajectories
) -> None:
    spread = float(data.test.var())
    for views in chapter.readout_errors(models, data).values():
        assert set(views) == {"context", "target"}
        for values in views.values():
            assert len(values) == 2
            assert max(values) < spread / 2


def test_classic_has_no_past(models: dict[str, Run], data: LongTrajectories) -> None:
    able = chapter.forecaster(models["classic"].model, data)
    with pytest.raises(ValueError, match="no backward predictor"):
        able.roll_backward(data.test[:, :, 0], 1)
    curves = chapter.past_errors(models, data, 1)
    assert "classic" not in curves
    assert {"expressive", "equations_from_expressive", "copy_last"} <= set(curves)


def test_looking_back_compares_with_the_nearest_past_first(
    models: dict[str, Run], data: LongTrajectories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that knew the past would have no error: checks the order of windows and states."""
    past = data.test[:, :, :2].flip(-2).double()  # nearest window first, states in time order
    monkeypatch.setattr(Forecaster, "roll_backward", lambda *_: past)
    curves = chapter.past_errors(models, data, 2)
    assert float(curves["expressive"].max()) == 0
    later, earlier = data.test[:, :, 2, :3], data.test[:, :, 1, -3:]
    assert_error(curves["copy_last"][:, 0], later, earlier)


def test_looking_ahead_compares_with_the_next_state_first(
    models: dict[str, Run], data: LongTrajectories
) -> None:
    curves = chapter.forecast_errors(models, data, 2)
    assert curves["classic"].shape == (2, 40)
    assert_error(curves["copy_last"][:, 0], data.test[:, :, 0, -3:], data.test[:, :, 1, :3])


def assert_error(error: Tensor, guess: Tensor, truth: Tensor) -> None:
    """The error is the mean square of the states' distance, by seed."""
    expected = (guess.double() - truth).square().mean((-2, -1))
    torch.testing.assert_close(error, expected, rtol=1e-4, atol=1e-6)


def test_the_equations_backwards_find_the_past_of_a_state_that_is_known(on: Array) -> None:
    states = lorenz.accurate(on, 2 * CONTEXT)
    scale = Scale(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 2.0))
    known = torch.from_numpy(states[None, :, CONTEXT]) / 2
    past = chapter.rewound(known, scale, 1)[0, :, 0].reshape(-1, CONTEXT, 3)
    np.testing.assert_allclose(2 * past.numpy(), states[:, CONTEXT - 1 :: -1], atol=1e-3)


def test_fluctuation_of_known_losses() -> None:
    calm = torch.linspace(2, 1, 900)
    wild = torch.ones(900)
    wild[::5] = 8.0  # two batches in ten
    forward, backward = torch.stack([calm, wild], dim=1), torch.ones(900, 2)
    losses = {"total": forward + backward, "forward": forward, "backward": backward}
    assert set(losses) == set(LOSSES)
    history = History(20, losses, dict.fromkeys(DIAGNOSTICS, torch.ones(45, 2)))
    numbers = chapter.fluctuation(history)
    assert numbers["p90_over_median_forward"][0] < 1.2
    assert numbers["p90_over_median_forward"][1] == 8
    assert numbers["p90_over_median"][1] == 4.5
    assert numbers["rises"][0] == 0
    assert numbers["rises"] == training_summary(history)["rises"]


def test_guesses_are_in_the_systems_own_units(data: LongTrajectories, on: Array) -> None:
    model = LORENZ.model(CONFIGURATIONS["expressive"], (0, 1))
    able = chapter.first_seed(chapter.forecaster(model, data))
    states = lorenz.accurate(on[:1], 4 * CONTEXT)[0]

    class Knowing(Forecaster):
        def roll_forward(self, x: Tensor, count: int) -> Tensor:
            future = self.scale.normalized(torch.from_numpy(states[40:].reshape(1, -1)))
            return future.reshape(1, count, 60)

        def roll_backward(self, y: Tensor, count: int) -> Tensor:
            return y[:, None].double()

    guessed = chapter.guesses(Knowing(able.model, able.readout, able.scale), states, 1, 2)
    np.testing.assert_allclose(guessed["forecast"], states[40:], atol=1e-3)
    np.testing.assert_allclose(guessed["inferred past"], states[20:40], atol=1e-3)
    np.testing.assert_allclose(guessed["straight on"][0], 2 * states[39] - states[38])


@pytest.mark.slow
def test_the_record_has_the_numbers_that_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chapter, "LORENZ", replace(LORENZ, steps=100))
    monkeypatch.setattr(chapter, "SEEDS", range(1))
    measured, stored = chapter.record(), load("lorenz")
    del stored["provenance"], stored["seeds"], measured["seeds"]
    assert names(measured) == names(stored)
    for models in measured["state_20"].values():
        for baseline in ("untrained", "raw", "copy_last", "extrapolate"):
            assert models["classic"][baseline] == models["expressive"][baseline]
        assert models["classic"]["extrapolate"] < models["classic"]["copy_last"]
        assert models["classic"]["raw"] < 1e-3


def names(tree: object) -> object:
    """The names in a record, without the numbers."""
    return {key: names(value) for key, value in tree.items()} if isinstance(tree, dict) else None
