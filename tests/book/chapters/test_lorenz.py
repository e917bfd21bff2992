"""The system's chaos against known numbers; windows, rules and readers by their definitions."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_book.chapters import lorenz as chaos
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, DT, Array
from bijepa_core.evaluation.probes import LinearProbe
from bijepa_core.experiments import CONFIGURATIONS, LORENZ
from bijepa_core.history import DIAGNOSTICS, LOSSES, History
from bijepa_core.seeds import generator


@pytest.fixture(scope="module")
def on() -> Array:
    return chaos.on_attractor(60, generator(0, "test"))


@pytest.fixture(scope="module")
def data() -> chaos.Journeys:
    return chaos.journeys(lorenz.euler, (0, 1), 3, count=100)


@pytest.fixture(scope="module")
def trained(data: chaos.Journeys) -> dict[str, chaos.Trained]:
    nothing = History(1, {}, {})
    return {
        name: chaos.Trained(LORENZ.model(CONFIGURATIONS[name], (0, 1)), nothing, {})
        for name in chaos.NAMES
    }


def test_settled_orbits_are_on_the_attractor(on: Array) -> None:
    assert on.shape == (60, 3)
    assert on[:, 2].min() > 0  # the attractor lies above the plane z = 0
    assert np.abs(on).max() < 50
    assert len(np.unique(on.round(6), axis=0)) == 60
    assert np.median(chaos.attractor_distance(on)) < 1
    box = lorenz.starts(60, generator(0, "test"))
    assert np.median(chaos.attractor_distance(box)) > 4


def test_settled_keeps_the_contract_of_an_integrator() -> None:
    starts = lorenz.starts(25, generator(1, "test"))
    states = chaos.settled(starts, 7)
    assert states.shape == (25, 7, 3)
    ahead = lorenz.accurate(states[:, 0], 6)
    np.testing.assert_allclose(states[:, 1:], ahead, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match="length"):
        chaos.settled(starts, 0)


def test_runge_kutta_agrees_with_the_accurate_method_and_undoes_itself(on: Array) -> None:
    forward = chaos.runge_kutta(on, 10)
    np.testing.assert_allclose(forward, lorenz.accurate(on, 10), rtol=1e-6, atol=1e-6)
    back = chaos.runge_kutta(forward[:, -1], 10, -DT)
    np.testing.assert_allclose(back[:, -1], on, atol=1e-6)
    np.testing.assert_allclose(back[:, 0], forward[:, -2], atol=1e-6)
    with pytest.raises(ValueError, match="size of dt"):
        chaos.runge_kutta(on, 10, 0.0)


def test_backwards_the_equations_run_away_without_a_warning() -> None:
    gone = chaos.runge_kutta(np.array([[30.0, -30.0, -30.0]]), 400, -DT)
    assert not np.isfinite(gone[0, -1]).all()


def test_neighbors_part_at_the_known_rate(on: Array) -> None:
    gap = chaos.separation(on, 1000)
    assert gap[0] == pytest.approx(1e-6, rel=0.3)
    assert chaos.growth_rate(gap, 100, 1000) == pytest.approx(chaos.EXPONENT, rel=0.15)


def test_a_rate_is_the_slope_of_the_logarithm() -> None:
    gap = 1e-6 * np.exp(2.5 * DT * (np.arange(300) + 1))
    assert chaos.growth_rate(gap, 50, 250) == pytest.approx(2.5)


def test_journeys_are_on_the_scale_of_the_training_set(data: chaos.Journeys) -> None:
    assert data.fit.shape == data.test.shape == (2, 100, 3, 60)
    raw = lorenz.trajectories(2000, generator(1, "lorenz/train"))
    assert float(data.scale.mean[1]) == pytest.approx(float(raw.mean()))
    assert float(data.scale.std[1]) == pytest.approx(float(raw.std(correction=0)))
    states = data.scale.raw(data.test[:, :, 0])
    back = data.scale.normalized(states)
    torch.testing.assert_close(back, data.test[:, :, 0])
    first, second = states[0].reshape(100, CONTEXT, 3).numpy()[:, :2].transpose(1, 0, 2)
    np.testing.assert_allclose(lorenz.euler(first, 1)[:, 0], second, atol=1e-4)


def test_time_turns_round_and_back() -> None:
    windows = torch.arange(2 * 180.0).reshape(2, 3, 60)
    turned = chaos.reverse(windows)
    assert turned[0, 0, :3].tolist() == [177.0, 178.0, 179.0]  # the last state comes first
    assert turned[0, -1, -3:].tolist() == [0.0, 1.0, 2.0]
    assert torch.equal(chaos.reverse(turned), windows)


def test_rules_are_what_their_names_say() -> None:
    gen = torch.Generator().manual_seed(0)
    begin = torch.randn(2, 90, 1, 3, generator=gen)
    speed = torch.randn(2, 90, 1, 3, generator=gen)
    steps = torch.arange(80.0)[:, None]
    windows = (begin + speed * steps).reshape(2, 90, 4, 60)  # straight lines
    found = chaos.rules(windows, windows[:, :, 0], 3)
    truth = windows[:, :, 1:]
    assert {f.shape for f in found.values()} == {truth.shape}
    torch.testing.assert_close(found["extrapolate"], truth.double(), rtol=1e-3, atol=1e-3)
    last = windows[:, :, 0, -3:].double().repeat(1, 1, 60).reshape(2, 90, 3, 60)
    torch.testing.assert_close(found["copy the last"], last)
    ridge = float((found["ridge on raw windows"] - truth).square().mean())
    assert ridge < 1e-2 * float(truth.var())  # lines are linear
    mean = found["the mean state"][1, 5, 2, 9:12]
    torch.testing.assert_close(mean, windows[1].reshape(-1, 3).double().mean(0))


def test_errors_and_horizons_by_hand() -> None:
    truth = torch.zeros(2, 5, 2, 60)
    forecast = truth.clone()
    forecast[0, :, 1, 6:9] = 3.0  # seed 0, state 22
    curve = chaos.errors(forecast, truth)
    assert curve.shape == (2, 40)
    assert curve[0, 22] == 9
    assert float(curve.sum()) == 9
    torch.testing.assert_close(chaos.by_window(curve), torch.tensor([[0, 9 / 20], [0, 0]]))
    ceiling = torch.ones(2, 40)
    assert chaos.horizon(curve, ceiling) == [pytest.approx(0.22), pytest.approx(0.40)]
    forecast[1, 0, 0, 0] = float("nan")
    assert chaos.errors(forecast, truth)[1, 0] == pytest.approx(chaos.LOST / 5)


def test_a_forecaster_applies_the_predictor_to_its_own_forecast(
    trained: dict[str, chaos.Trained], data: chaos.Journeys
) -> None:
    model = trained["expressive"].model
    able = chaos.forecaster(model, data)
    x = data.test[:, :, 0]
    ahead = able.ahead(x, 2)
    assert ahead.shape == (2, 100, 2, 60)
    torch.testing.assert_close(ahead[:, :, 0], able.read(model.forecast(x)))
    assert model.forward_predictor is not None
    with torch.no_grad():
        twice = model.forward_predictor(model.forecast(x))
    torch.testing.assert_close(ahead[:, :, 1], able.read(twice))
    torch.testing.assert_close(able.back(x, 1)[:, :, 0], able.read(model.infer_past(x)))
    alone = chaos.single(able, 1)
    torch.testing.assert_close(alone.ahead(x[1], 2), ahead[1], rtol=1e-4, atol=1e-4)


def test_a_reader_is_fitted_on_true_windows(
    trained: dict[str, chaos.Trained], data: chaos.Journeys
) -> None:
    found = chaos.reading(trained, data)
    spread = float(data.test.var())
    for views in found.values():
        for values in views.values():
            assert len(values) == 2
            assert max(values) < spread / 2


def test_classic_has_no_past(trained: dict[str, chaos.Trained], data: chaos.Journeys) -> None:
    able = chaos.forecaster(trained["classic"].model, data)
    with pytest.raises(ValueError, match="no backward predictor"):
        able.back(data.test[:, :, 0], 1)
    found = chaos.look_back(trained, data, 1)
    assert "classic" not in found
    assert {"expressive", "equations from expressive", "copy the last"} <= set(found)


def test_looking_back_compares_with_the_nearest_past_first(
    trained: dict[str, chaos.Trained], data: chaos.Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that knew the past would have no error: checks the order of windows and states."""
    past = data.test[:, :, :2].flip(-2).double()  # nearest window first, states in time order
    monkeypatch.setattr(chaos.Forecaster, "back", lambda *_: past)
    found = chaos.look_back(trained, data, 2)
    assert float(found["expressive"].max()) == 0
    copied = found["copy the last"]
    later, earlier = data.test[:, :, 2, :3], data.test[:, :, 1, -3:]
    torch.testing.assert_close(
        copied[:, 0], (later.double() - earlier).square().mean((-2, -1)), rtol=1e-4, atol=1e-6
    )


def test_looking_ahead_compares_with_the_next_state_first(
    trained: dict[str, chaos.Trained], data: chaos.Journeys
) -> None:
    found = chaos.look_ahead(trained, data, 2)
    assert found["classic"].shape == (2, 40)
    last, following = data.test[:, :, 0, -3:], data.test[:, :, 1, :3]
    torch.testing.assert_close(
        found["copy the last"][:, 0],
        (last.double() - following).square().mean((-2, -1)),
        rtol=1e-4,
        atol=1e-6,
    )


def test_the_equations_backwards_find_the_past_of_a_state_that_is_known(on: Array) -> None:
    states = lorenz.accurate(on, 2 * CONTEXT)
    scale = chaos.Scale(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 2.0))
    journeys = chaos.Journeys(torch.zeros(1), torch.zeros(1), scale)
    known = torch.from_numpy(states[None, :, CONTEXT]) / 2
    past = chaos._rewound(journeys, known, 1)[0, :, 0].reshape(-1, CONTEXT, 3)
    np.testing.assert_allclose(2 * past.numpy(), states[:, CONTEXT - 1 :: -1], atol=1e-3)


def history(forward: Tensor) -> History:
    losses = dict.fromkeys(LOSSES, torch.full_like(forward, float("nan"))) | {"forward": forward}
    return History(20, losses, dict.fromkeys(DIAGNOSTICS, torch.ones(1)))


def test_unrest_and_rises_of_known_losses() -> None:
    calm = torch.linspace(2, 1, 900)
    wild = torch.ones(900)
    wild[::5] = 8.0  # two batches in ten
    both = history(torch.stack([calm, wild], dim=1))
    assert chaos.unrest(both)[0] < 1.2
    assert chaos.unrest(both)[1] == 8
    assert chaos.rises(history(calm)) == [0.0]
    assert chaos.rises(history(calm.flip(0))) == [1.0]


def test_a_small_experiment_has_all_rows() -> None:
    trained = chaos.train(lorenz.euler, (0,), 2, device="cpu", progress=False)
    table = chaos.state_errors(trained)
    assert list(table)[:4] == ["classic A", "classic B", "expressive A", "expressive B"]
    assert table["raw context"]["converged"][0] < 1e-3
    assert table["extrapolate"]["paper_probe"][0] < table["copy the last"]["paper_probe"][0]


def test_guesses_are_in_the_systems_own_units(data: chaos.Journeys, on: Array) -> None:
    model = LORENZ.model(CONFIGURATIONS["expressive"], (0, 1))
    one = chaos.single(chaos.forecaster(model, data))
    states = lorenz.accurate(on[:1], 4 * CONTEXT)[0]
    seen: list[Any] = []

    class Knowing(chaos.Forecaster):
        def ahead(self, x: Tensor, count: int) -> Tensor:
            seen.append(x)
            return self.scale.normalized(torch.from_numpy(states[40:].reshape(1, -1))).reshape(
                1, count, 60
            )

        def back(self, y: Tensor, count: int) -> Tensor:
            return y[:, None].double()

    found = chaos.guesses(Knowing(one.model, one.reader, one.scale), states, 1, 2)
    np.testing.assert_allclose(found["forecast"], states[40:], atol=1e-3)
    np.testing.assert_allclose(found["inferred past"], states[20:40], atol=1e-3)
    line = 2 * states[39] - states[38]
    np.testing.assert_allclose(found["straight on"][0], line)
    assert isinstance(one.reader, LinearProbe)
