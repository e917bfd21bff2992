import math
from typing import Any

import pytest
import torch

from bijepa_book.evidence.stable.criteria import cost, settled
from bijepa_book.evidence.stable.hunt import Candidate, candidates, measure, precision, recordings
from bijepa_book.evidence.stable.kinds import (
    KINDS,
    LADDER,
    STARTED,
    RelativeLoss,
    StandardizedTargets,
)
from bijepa_core.constraints import WHITENED
from bijepa_core.data.series import SeriesData
from bijepa_core.diagnostics import norm, relative_loss
from bijepa_core.experiments import CONFIGURATIONS, SINE


def test_every_kind_has_five_strengths_and_everything_has_its_own_key() -> None:
    tried = {name: len(kind.strengths) for name, kind in KINDS.items()}
    assert {count for name, count in tried.items() if not name.endswith("-falling")} == {5}
    assert len(candidates()) == sum(tried.values()) + 2
    keys = [recording.key for recording in recordings()]
    assert len(set(keys)) == len(keys)


@pytest.mark.filterwarnings("ignore::bijepa_core.NormalizationWarning")  # one is so on purpose
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_learns(kind: str) -> None:
    candidate = Candidate(kind, KINDS[kind].strengths[len(KINDS[kind].strengths) // 2])
    data = SINE.load((96, 97))
    model = candidate.model(SINE, (96, 97))
    history = SINE.train(
        model,
        data.batches,
        steps=60,
        device="cpu",
        progress=False,
        make_optimizer=candidate.optimizer(60),
    )
    loss = history.diagnostics["relative_loss"]
    assert (loss[-1] < loss[0]).all()


def test_a_configuration_of_the_paper_is_itself() -> None:
    data = SINE.load((96,))
    assert isinstance(data, SeriesData)
    found = measure(Candidate("expressive"), SINE, (), (96,), "cpu").measures
    model = SINE.model(CONFIGURATIONS["expressive"], (96,))
    SINE.train(model, data.batches, device="cpu", progress=False, log_every=20)
    for name, values in precision(model, data).items():
        assert found[name] == pytest.approx(values, rel=1e-4), name


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    x, y = SINE.load(0).batches(0)
    return x, y


def test_targets_are_standardized_to_a_share() -> None:
    model = Candidate("standardized", 1.0).model(SINE, 0)
    assert isinstance(model, StandardizedTargets)
    found = model(*batch()).terms[0].target
    assert found.mean(0).abs().max() < 1e-5
    torch.testing.assert_close(found.var(0, correction=0), torch.ones(16), rtol=0.01, atol=0)
    model.share = 0.0
    plain = Candidate("unconstrained").model(SINE, 0)
    torch.testing.assert_close(model(*batch()).total, plain(*batch()).total)


def test_targets_are_whitened_where_they_vary() -> None:
    x, y = batch()
    white = Candidate("whitened", 1.0).model(SINE, 0)
    before, after = (
        white.target(y).T.cov(correction=0),
        white(x, y).terms[0].target.T.cov(correction=0),
    )
    values, vectors = torch.linalg.eigh(before.double())
    found = (vectors.T @ after.double() @ vectors).diagonal()
    torch.testing.assert_close(found, values / (values + 1e-4), rtol=0.01, atol=1e-4)


def test_the_relative_loss_at_power_one_is_minimized() -> None:
    model = Candidate("relative", 1.0).model(SINE, 0)
    assert isinstance(model, RelativeLoss)
    losses = model(*batch())
    torch.testing.assert_close(
        losses.total.detach(), 2 * relative_loss(losses.terms), rtol=1e-4, atol=0
    )


def test_a_sphere_has_its_radius() -> None:
    model = Candidate("sphere", 4.0).model(SINE, 0)
    torch.testing.assert_close(norm(model.embed(batch()[0])), torch.full((64,), 4.0))


def record(**measures: list[float]) -> dict[str, Any]:
    return {"measures": measures}


def test_the_cost_is_against_the_better_of_the_others() -> None:
    mine = record(fair_b=[2.0, 8.0], whole_b=[1.0, 1.0])
    others = [record(fair_b=[1.0, 1.0], whole_b=[4.0, 4.0]), record(fair_b=[9, 9], whole_b=[2, 2])]
    wanted = (math.log(4) + math.log(1 / 2)) / 2
    assert cost(mine, others, ("fair_b", "whole_b")) == pytest.approx(wanted)
    assert cost(record(stopped_at=[3.0]), others, ("fair_b",)) == math.inf


def test_settled_asks_norm_loss_and_rank_apart() -> None:
    paper = record(effective_rank=[5.0, 5.0])
    long = record(late_growth=[0.95, 1.04], relative_rebound=[1.05, 1.2], effective_rank=[4.9, 4.8])
    assert settled(long, paper) == {"norm": True, "relative_loss": False, "rank": True}


@pytest.mark.parametrize("rung", LADDER)
def test_a_rung_holds_what_it_says_and_learns(rung: str) -> None:
    model = Candidate(rung).model(SINE, (96, 97))
    data = SINE.load((96, 97))
    x, _ = data.batches(0)
    s = model.embed(x)
    if rung.startswith("batch"):
        torch.testing.assert_close(s.square().mean((-2, -1)), torch.ones(2))
    if rung in ("sample-scaled", "sample-standardized"):
        torch.testing.assert_close(s.square().mean(-1), torch.ones(2, 64), rtol=1e-2, atol=0)
    if rung in ("sample-centered", "sample-standardized"):
        assert s.mean(-1).abs().max() < 1e-5
    history = SINE.train(model, data.batches, steps=60, device="cpu", progress=False)
    loss = history.diagnostics["relative_loss"]
    assert (loss[-1] < loss[0]).all()


@pytest.mark.parametrize("kind", STARTED)
def test_a_start_is_larger_by_its_factor_in_both_encoders(kind: str) -> None:
    x, y = batch()
    large, plain = Candidate(kind, 5.0).model(SINE, 0), Candidate(kind, 1.0).model(SINE, 0)
    torch.testing.assert_close(large.embed(x), 5 * plain.embed(x))
    torch.testing.assert_close(large(x, y).terms[0].target, 5 * plain(x, y).terms[0].target)


def test_the_constraint_that_is_recommended_is_the_hunts() -> None:
    assert Candidate("whitened-falling", 0.2).model(SINE, (0,)).constraint == WHITENED
