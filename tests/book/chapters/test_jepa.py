"""Each safeguard does what its name says, and the complete model is the package's own."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bijepa_book.chapters import jepa
from bijepa_book.chapters.jepa import Ablated, Safeguards
from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.history import DIAGNOSTICS, LOSSES, History
from bijepa_core.seeds import init_stacked

SEEDS = (0, 1)
BARE = Safeguards(tau=0.0, predictor=False)


def ablated(safeguards: Safeguards, seed: int = 0) -> Ablated:
    """One model of one seed, in double precision."""
    return init_stacked(lambda: Ablated(safeguards), seed).double()


def views() -> tuple[Tensor, Tensor]:
    """One batch in double precision."""
    x, y = SineBatches(0)(0)
    return x.double(), y.double()


def gradient(model: Ablated) -> Tensor:
    """Of the online encoder's weights, on one batch."""
    total = model(*views()).total
    parts = torch.autograd.grad(total, list(model.online.parameters()))
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_with_all_safeguards_it_is_the_model_of_the_other_chapters(alpha: float) -> None:
    model, history = jepa.train(Safeguards(alpha=alpha), SEEDS, 12)
    usual = SINE.model(replace(CONFIGURATIONS["expressive"], alpha=alpha), SEEDS)
    expected = SINE.train(usual, SineBatches(SEEDS), steps=12, device="cpu", progress=False)
    assert torch.equal(history.losses["total"], expected.losses["total"])
    for (name, ours), theirs in zip(
        model.state_dict().items(), usual.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name


def test_without_the_stop_gradient_the_gradient_is_that_of_one_shared_encoder() -> None:
    model = ablated(Safeguards(stop_gradient=False))
    forward, backward = model.forward_predictor, model.backward_predictor
    assert forward is not None
    assert backward is not None
    s_x, s_y = (model.online(view) for view in views())
    total = (forward(s_x) - s_y).square().mean() + (backward(s_y) - s_x).square().mean()
    parts = torch.autograd.grad(total, list(model.online.parameters()))
    expected = torch.cat([part.flatten() for part in parts])
    torch.testing.assert_close(gradient(model), expected)
    stopped = gradient(ablated(Safeguards()))
    assert not torch.allclose(stopped, expected, rtol=0.1)


def test_without_predictor_and_average_the_stop_gradient_only_halves_the_gradient() -> None:
    stopped = gradient(ablated(BARE))
    shared = gradient(ablated(replace(BARE, stop_gradient=False)))
    torch.testing.assert_close(2 * stopped, shared)


def test_the_identity_stands_in_for_a_predictor() -> None:
    model = ablated(BARE)
    assert isinstance(model.forward_predictor, nn.Identity)
    trained = sum(p.numel() for p in model.trained_parameters())
    assert trained == sum(p.numel() for p in model.online.parameters())


def test_a_history_keeps_no_graph() -> None:
    _, history = jepa.train(Safeguards(stop_gradient=False), SEEDS, 3)
    values = [*history.losses.values(), *history.diagnostics.values()]
    assert not any(value.requires_grad for value in values)


def test_safeguards_lie_in_the_unit_interval() -> None:
    with pytest.raises(ValueError, match="tau must lie in"):
        Safeguards(tau=1.5)
    with pytest.raises(ValueError, match="alpha must lie in"):
        Safeguards(alpha=-0.1)


def made_history(steps: int = 100, log_every: int = 10) -> History:
    """Losses that count steps, and diagnostics that count rows, for two seeds."""
    loss = torch.arange(float(steps))[:, None].expand(steps, 2)
    rows = torch.arange(float(steps // log_every))[:, None] + torch.tensor([0.0, 1.0])
    return History(log_every, dict.fromkeys(LOSSES, loss), dict.fromkeys(DIAGNOSTICS, rows))


def test_an_ending_is_the_mean_of_the_last_tenth() -> None:
    end = jepa.ending(made_history())
    assert end["late_loss"] == [94.5, 94.5]  # steps 90 to 99
    assert end["variance"] == end["effective_rank"] == [9.0, 10.0]  # the last of ten rows


def test_milestones_are_the_rows_at_the_steps() -> None:
    table = jepa.milestones(made_history(), (1, 50, 100))
    assert list(table) == ["variance", "effective_rank"]
    assert table["variance"] == {"step 1": 0.5, "step 50": 4.5, "step 100": 9.5}


def test_errors_put_a_dead_embedding_at_the_mean_and_the_raw_samples_well_below() -> None:
    dead = init_stacked(lambda: Ablated(Safeguards()), SEEDS)
    with torch.no_grad():
        for parameter in dead.online.parameters():
            parameter.zero_()
    errors = jepa.next_value_errors({"dead": dead}, SEEDS)
    assert list(errors) == ["dead", "untrained", "raw", "mean"]
    assert errors["dead"]["fair_a"] == pytest.approx(errors["mean"]["fair_a"], rel=1e-6)
    assert all(math.isclose(value, 0.5, rel_tol=0.1) for value in errors["mean"]["paper_a"])
    assert max(errors["raw"]["fair_a"]) < min(errors["untrained"]["fair_a"])


def test_long_runs_tell_of_each_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jepa, "LONG_STEPS", (3, 8))
    tables = jepa.long_runs(5, SEEDS)
    assert list(tables["variance"]) == list(jepa.LONG)
    assert list(tables["effective_rank"]["no EMA"]) == ["step 3"]
