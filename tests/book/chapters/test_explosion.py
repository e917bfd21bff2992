"""Conditions share seeds; the loop and long runs are summed up as they were."""

from dataclasses import replace

import pytest
import torch

from bijepa_book.chapters import explosion
from bijepa_book.chapters.explosion import CONDITIONS
from bijepa_core.data import sine
from bijepa_core.experiments import SINE
from bijepa_core.history import History

SEEDS = (0, 1, 2)
SHORT = replace(SINE, steps=3)


def test_conditions_that_differ_in_decay_alone_start_alike() -> None:
    first, second = (
        explosion.train(SHORT, CONDITIONS[name], SEEDS).losses["total"][0]
        for name in ("expressive", "LayerNorm alone")
    )
    assert torch.equal(first, second)
    assert not torch.equal(first[:1], first[1:2])


def test_a_target_that_never_moves_and_one_that_is_the_encoder() -> None:
    summaries = explosion.tau_summaries(CONDITIONS["unconstrained"], SEEDS, 40)
    assert list(summaries) == [f"tau {tau:g}" for tau in explosion.TAUS]
    assert all(len(values) == 3 for numbers in summaries.values() for values in numbers.values())
    assert summaries["tau 0"]["norm"] != summaries["tau 1"]["norm"]


def test_the_loop_is_watched_every_fifty_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explosion, "BETWEEN", 10)
    watch = explosion.watch_loop(CONDITIONS["expressive"], SEEDS, 21)
    assert watch.steps == [0, 10, 20]
    assert watch.looks()["radius"].shape == (3, 3)
    assert watch.x.shape == (3, 32, 10)


def test_a_loop_summed_up_by_hand() -> None:
    looks = {
        "online": torch.tensor([[1.0], [3.0], [4.0]]),
        "target": torch.tensor([[1.0], [1.5], [4.0]]),
        "radius": torch.tensor([[0.1], [0.2], [0.9]], dtype=torch.float64),
    }
    assert explosion.loop_summary(looks) == pytest.approx(
        {
            "radius_at_half_norm": 0.2,  # the norm first passes 2 in the second row
            "radius_first": 0.1,
            "radius_last": 0.9,
            "lead": 2.0,
        }
    )


def test_a_step_written_down_is_what_a_history_records() -> None:
    model, batches = SINE.model(CONDITIONS["classic"], SEEDS), sine.SineBatches(SEEDS)
    ours, expected = (History.empty(2, 2, len(SEEDS), torch.empty(0)) for _ in range(2))
    optimizer = torch.optim.SGD(model.trained_parameters())
    for step in range(2):
        losses = model(*batches(step))
        expected.record(step, losses)
        row = {name: values[0] for name, values in expected.diagnostics.items()}
        moment = explosion.Moment(step, model, optimizer, losses)
        explosion.note(ours, moment, None if step else row)
    for kind in ("losses", "diagnostics"):
        torch.testing.assert_close(getattr(ours, kind), getattr(expected, kind), equal_nan=True)


@pytest.mark.slow
def test_a_long_run_thinned_keeps_its_ends_and_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explosion, "POINTS", 10)
    history = explosion.train(replace(SINE, steps=400), CONDITIONS["expressive"], SEEDS)
    thin = explosion.curve(history)
    assert thin["steps"][0] == 0
    assert thin["steps"][-1] == 380
    assert thin["steps"] == sorted(set(thin["steps"]))
    assert len(thin["steps"]) <= 10
    for name in ("loss", "norm", "relative_loss"):
        assert all(low <= middle <= high for middle, low, high in thin[name])
    median = float(history.diagnostics["norm"][-1].median())
    assert explosion.at_step(thin, 10_000)["norm"] == pytest.approx(median, rel=1e-3)
    assert explosion.at_step(thin, 0)["step"] == 0


def test_long_runs_give_a_curve_and_a_summary_a_condition() -> None:
    long = explosion.long_runs(20, SEEDS)
    assert list(long["curves"]) == list(long["summaries"]) == list(explosion.LONG)
    assert long["curves"]["classic"]["steps"] == [0]
    assert long["summaries"]["classic"]["norm"] > 0
