"""Windows in a row continue each other; each condition is given, and minimizes, what it says."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from bijepa_book.chapters import why
from bijepa_book.chapters.why import CONDITIONS, SYSTEMS, W, X, Y, Z, window
from bijepa_core.data import lorenz, series, sine
from bijepa_core.evaluation.probes import raw_input
from bijepa_core.evaluation.scores import fair_mse
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.seeds import sample_per_seed

SEEDS = (0, 1)


@pytest.fixture(autouse=True)
def fewer_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the windows."""
    monkeypatch.setattr(series, "PROBE", 200)
    monkeypatch.setattr(series, "HELD_OUT", 300)


def row(*places: float) -> Callable[[Tensor], Tensor]:
    """Windows of stretches, one after the other."""
    return lambda stretches: torch.cat([window(stretches, place) for place in places], dim=-1)


def trajectories(count: int, generator: torch.Generator) -> Tensor:
    """Lorenz trajectories of four windows in the system's own units, by the paper's steps."""
    return torch.from_numpy(lorenz.euler(lorenz.starts(count, generator), 80))


def test_the_windows_of_a_wave_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sine, "NOISE", 0.0)
    data = why.sine_stretches(SEEDS, 4)
    for stretches in (data.batches(3), data.probe, data.held_out):
        t = row(W, X, Y, Z)(stretches).double()
        # sin(a + d) + sin(a - d) = 2 sin(a) cos(d): one d for the whole of each wave
        middle, around = t[..., 1:-1], t[..., 2:] + t[..., :-2]
        twice_cosine = (middle * around).sum(-1) / middle.square().sum(-1)
        torch.testing.assert_close(around, twice_cosine[..., None] * middle, atol=1e-5, rtol=0)
        spacing = 4 * math.pi / 19
        frequency = (twice_cosine / 2).acos() / spacing
        assert 0.8 - 1e-3 < float(frequency.min()) < float(frequency.max()) < 1.2 + 1e-3


def test_the_pair_in_the_middle_of_a_wave_is_on_the_papers_grid() -> None:
    torch.testing.assert_close(row(X, Y)(why.TIMES), sine.GRID)


def test_integrating_on_from_the_last_state_of_x_gives_y() -> None:
    data = why.lorenz_stretches(SEEDS, 4)
    sets = {"train": (lorenz.TRAIN, data.batches(0)), "probe": (series.PROBE, data.probe)}
    for name, (count, stretches) in sets.items():
        raw = sample_per_seed(SEEDS, f"why/lorenz/{name}", partial(trajectories, count))
        for own, one in zip(raw, stretches, strict=True):
            states = one.double() * own.std(correction=0) + own.mean()
            states = states.unflatten(-1, (4, 20, 3))
            for place in range(3):
                onward = lorenz.euler(states[:, place, -1].numpy(), 20)
                later = states[:, place + 1]
                torch.testing.assert_close(torch.from_numpy(onward), later, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_step_gives_the_same_stretches_whenever_it_is_asked(system: str) -> None:
    data, again = (SYSTEMS[system].data(SEEDS, 4, "cpu") for _ in range(2))
    late, early = data.batches(200), data.batches(1)
    assert torch.equal(again.batches(1), early)
    assert torch.equal(again.batches(200), late)
    assert not torch.equal(early, late)
    alone = SYSTEMS[system].data(SEEDS[1], 4, "cpu")
    torch.testing.assert_close(alone.batches(1), early[1])
    torch.testing.assert_close(alone.held_out, data.held_out[1])


def test_each_condition_is_given_the_windows_that_it_names() -> None:
    # window 10 p + i of stretch i, each two numbers long: what it says is where it comes from
    numbers = torch.tensor([[10.0 * place + i for place in range(4)] for i in range(4)])
    stretches = numbers.repeat_interleave(2, dim=-1)

    def given(name: str) -> list[Any]:
        condition = CONDITIONS[name]
        views = condition.pairing(stretches, condition.target)
        return [view.tolist() for view in views]

    def windows(*values: float) -> list[list[float]]:
        return [[value, value] for value in values]

    assert given("classic") == given("bijepa") == [windows(10, 11), windows(20, 21)]
    assert given("ahead") == [windows(10, 11, 20, 21), windows(20, 21, 30, 31)]
    assert given("outward") == [windows(10, 11, 10, 11), windows(20, 21, 0, 1)]
    assert given("batch") == [windows(10, 11, 12, 13), windows(20, 21, 22, 23)]
    assert given("gap-bijepa") == given("gap-classic") == [windows(10, 11), windows(30, 31)]
    assert given("half-gap-bijepa")[1] == [[20, 30], [21, 31]]


def test_outward_minimizes_two_errors_of_forecasts_from_x_alone() -> None:
    condition = CONDITIONS["outward"]
    model = condition.model(SINE, 0).double()
    assert model.forward_predictor is not None
    assert model.backward_predictor is not None
    for parameter in model.target.parameters():  # a target that is not the online encoder
        parameter.data.mul_(1.1)
    stretches = why.sine_stretches(0, 8).batches(0)[:16].double()
    w, x, y = (window(stretches[:8], place) for place in (W, X, Y))
    s = model.online(x)
    to_y = (model.forward_predictor(s) - model.target(y).detach()).square().mean()
    to_w = (model.backward_predictor(s) - model.target(w).detach()).square().mean()
    learned = model.trained_parameters()
    expected = torch.autograd.grad(to_y + to_w, learned)

    losses = model(*condition.pairing(stretches, Y))
    torch.testing.assert_close(losses.total, to_y + to_w)
    assert losses.forward is not None
    assert losses.backward is not None
    torch.testing.assert_close(losses.forward.loss, to_y)
    torch.testing.assert_close(losses.backward.loss, to_w)
    losses.total.backward()
    torch.testing.assert_close([p.grad for p in learned], list(expected))
    assert all(p.grad is None for p in model.target.parameters())


def test_models_begin_as_the_papers_do_and_alike_in_all_conditions() -> None:
    usual = SINE.model(CONFIGURATIONS["expressive"], SEEDS).state_dict()
    for name, condition in CONDITIONS.items():
        for part, value in condition.model(SYSTEMS["sine"], SEEDS).state_dict().items():
            if condition.alpha > 0 or part.startswith(("online", "target")):
                assert torch.equal(value, usual[part]), (name, part)


def test_errors_by_position_are_parts_of_the_whole_error() -> None:
    data = why.lorenz_stretches(SEEDS, 4)
    fit, judge = ((window(s, X), window(s, Y)) for s in (data.probe, data.held_out))
    curve = torch.tensor(why.by_position(raw_input, fit, judge, 3))
    assert curve.shape == (2, 20)
    torch.testing.assert_close(curve.mean(-1).tolist(), fair_mse(raw_input, fit, judge))
    assert bool((curve[:, 0] < curve[:, -1]).all())  # chaos: the near future is the easier one
    # the numbers themselves hold all of x, and at each position
    assert torch.tensor(why.by_position(raw_input, (fit[0],) * 2, (judge[0],) * 2, 3)).max() < 1e-9


@pytest.mark.parametrize("name", ["classic", "outward", "mirror", "half-gap-bijepa"])
def test_training_lowers_the_loss_and_gives_a_curve_for_each_reading(name: str) -> None:
    experiment, condition = replace(SYSTEMS["sine"], steps=60), CONDITIONS[name]
    data = experiment.data(SEEDS, experiment.batch_size, "cpu")
    model, history = why.train(experiment, condition, data, SEEDS)
    loss = history.losses["total"]
    assert bool((loss[-5:].mean(0) < loss[:5].mean(0)).all())
    found = why.curves(model, condition, data)
    assert {len(one) for rows in found.values() for one in rows} == {10}
    assert ("future_b" in found) == (condition.alpha > 0)
    assert ("past_b" in found) == (condition.alpha < 1)
