from functools import partial

import pytest
import torch

from bijepa_book.evidence.stable.company import (
    company,
    read_distracted,
    read_series,
    recordings,
)
from bijepa_book.evidence.stable.distractor import distracted_data, draw
from bijepa_book.evidence.stable.relatives import RELATIVES, TWO_HEADED, TwoHeads, relative
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation.probes import raw_input
from bijepa_core.evaluation.scores import series_baselines
from bijepa_core.experiments import CONFIGURATIONS, DIGITS, SINE
from bijepa_core.seeds import generator, init_stacked, unstack


@pytest.mark.parametrize("name", RELATIVES)
def test_a_relative_learns_and_its_seeds_are_apart(name: str) -> None:
    setting = RELATIVES[name].settings[2]
    model = init_stacked(partial(relative, name, setting, SINE, False), (0, 1))
    alone = unstack(model, 1)
    data = SINE.load((0, 1))
    x, y = data.batches(0)
    torch.manual_seed(0)
    before = model(x, y).total.detach()
    torch.manual_seed(0)
    masks = torch.rand_like(x) if name == "masked-autoencoder" else None
    if masks is None:  # masks are drawn for all seeds at once
        torch.testing.assert_close(alone(x[1], y[1]).total, before[1])
    history = SINE.train(model, data.batches, steps=60, device="cpu", progress=False)
    assert (history.losses["total"][-10:].mean(0) < history.losses["total"][:5].mean(0)).all()
    assert (history.diagnostics["effective_rank"][-1] > 1.5).all()


@pytest.mark.parametrize("name", RELATIVES)
def test_a_relative_takes_half_images(name: str) -> None:
    model = init_stacked(partial(relative, name, RELATIVES[name].settings[2], DIGITS, True), (0,))
    view = torch.rand(1, 6, 1, 28, 14)
    model(view, view.flip(1)).total.sum().backward()
    first = next(model.online.parameters())
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


def test_two_heads_are_two_predictive_autoencoders_on_one_encoder() -> None:
    """With either head alone, on the pair as it is and the pair turned round, half of each loss."""
    (name,) = TWO_HEADED
    both = relative(name, 0.1, SINE, True)
    assert isinstance(both.head, TwoHeads)
    x, y = torch.randn(2, 6, 10).unbind()
    alone = relative("predictive-autoencoder", 0.1, SINE, True)
    alone.online.load_state_dict(both.online.state_dict())
    losses = []
    for head, pair in ((both.head.ahead, (x, y)), (both.head.back, (y, x))):
        alone.head.load_state_dict(head.state_dict())
        losses.append(alone(*pair).total)
    torch.testing.assert_close(both(x, y).total, sum(losses) / 2)
    both(x, y).total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in both.head.parameters())


def test_only_what_is_hidden_is_asked_for() -> None:
    model = relative("masked-autoencoder", 0.5, SINE, False)
    x = torch.randn(4, 10)
    torch.manual_seed(1)
    loss = model(x, x).total
    torch.manual_seed(1)
    hidden = torch.rand_like(x) < 0.5
    drawn = model.head(model.online(torch.where(hidden, 0.0, x)))
    torch.testing.assert_close(loss, (drawn - x)[hidden].square().mean())


def test_the_waves_are_the_same_under_any_distractor() -> None:
    weak, strong = (draw((5,), generator(0, "try"), strength) for strength in (1.0, 7.0))
    torch.testing.assert_close(weak[:, 0], strong[:, 0])
    torch.testing.assert_close(7 * weak[:, 1], strong[:, 1])


@pytest.mark.parametrize("strength", [0.0, 3.0])
def test_windows_have_one_scale_and_the_drift_is_slow(strength: float) -> None:
    held_out = distracted_data((0, 1), 8, strength).held_out
    assert held_out.windows.square().mean().sqrt() == pytest.approx(1, abs=0.06)
    x = held_out.windows[..., :10]
    assert held_out.wave.shape == held_out.drift.shape == (2, 10_000, 1)
    if strength:
        ends = torch.stack([x[..., 0], x[..., -1], held_out.drift[..., 0]])
        near = torch.corrcoef(ends[:, 0].double())
        assert near[1, 2] > 0.9


def test_the_answer_is_the_waves_next_value() -> None:
    data = distracted_data((0, 1), 8, 0.0)
    (x, y), (context, wave) = data.batches(70), data.answers(70)
    torch.testing.assert_close(context, x)
    torch.testing.assert_close(wave, y[..., :1] * 0.5**0.5)  # no drift but its share of the spread


def test_everybody_has_ten_settings_and_begins_with_the_same_encoder() -> None:
    names = [member.name for member in company()]
    assert {names.count(name) for name in names} == {10}
    keys = [recording.key for recording in recordings()]
    assert len(set(keys)) == len(keys) == 3 * len(names)
    first: dict[bool, torch.Tensor] = {}
    for member in company()[::5]:
        weights = next(member.model(SINE, (0, 1)).online.parameters()).detach()
        torch.testing.assert_close(first.setdefault(member.layer_norm, weights), weights)


def test_readings_are_those_of_raw_windows() -> None:
    data = SINE.load((0,))
    assert isinstance(data, SeriesData)
    found = read_series(raw_input, data, (0,)).measures
    assert found["kept"][0] < 1e-6  # a window is read off itself
    untold = read_series(torch.zeros_like, data, (0,)).measures
    assert found["phase_a"][0] < 0.02
    assert found["frequency_a"][0] > 0.95  # no linear map of a window tells it
    assert untold["phase_a"][0] > 0.99
    baselines = series_baselines(SINE.model(CONFIGURATIONS["classic"], (0,)), data)
    assert found["fair"] == baselines["raw"]
    distracted = distracted_data((0,), 8, 3.0)
    errors = read_distracted(raw_input, distracted.probe, distracted.held_out)
    assert 0.003 < errors["wave"][0] < 0.05
