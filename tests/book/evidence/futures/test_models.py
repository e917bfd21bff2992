from functools import partial

import pytest
import torch
from torch import Tensor

from bijepa_book.evidence.futures import models
from bijepa_book.evidence.futures.grid import DIRECTIONS
from bijepa_book.evidence.futures.models import (
    HEADS,
    FlowPredictor,
    Settings,
    futures,
    new_model,
)
from bijepa_core.constraints import EXPRESSIVE
from bijepa_core.seeds import init_stacked, unstack

SMALL = Settings(hidden_dim=16, embed_dim=4)


def test_every_head_begins_with_the_same_encoder_and_looks_both_ways() -> None:
    view, first = torch.randn(2, 5, 1), None
    for head in HEADS:
        model = init_stacked(partial(new_model, head, 1, SMALL, EXPRESSIVE), (0, 1))
        assert first is None or torch.equal(model.embed(view), first), head
        first = model.embed(view)
        model(view, view).total.sum().backward()
        for way in DIRECTIONS:
            drawn = futures(model, view, way, 3, torch.Generator().manual_seed(0))
            assert drawn.shape == (1 if head == "deterministic" else 3, 2, 5, 4), head


def test_a_flow_of_many_seeds_is_each_ones_own() -> None:
    stacked = init_stacked(lambda: FlowPredictor(4, 16), (0, 1))
    alone = unstack(stacked, 1)
    s, target = torch.randn(2, 5, 4), torch.randn(2, 5, 4)

    def drawn(flow: FlowPredictor, s: Tensor) -> Tensor:
        return flow.sample(s, 3, torch.Generator().manual_seed(2))

    torch.testing.assert_close(drawn(stacked, s)[:, 1], drawn(alone, s[1]))
    score = -alone.flow(s[1]).log_prob(target[1]) / 4  # zuko's own
    torch.testing.assert_close(stacked.score(s, target)[0][1], score)


def test_a_flows_samples_in_parts_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, s = FlowPredictor(2, 16), torch.randn(5, 2)
    at_once = flow.sample(s, 4, torch.Generator().manual_seed(0))
    monkeypatch.setattr(models, "ROWS", 7)
    in_parts = flow.sample(s, 4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(in_parts, at_once)


def test_a_flows_mean_is_without_chance() -> None:
    flow, s = FlowPredictor(2, 16), torch.randn(5, 2)
    torch.testing.assert_close(flow.mean(s), flow.mean(s), rtol=0, atol=0)


def test_a_flows_samples_follow_its_density() -> None:
    torch.manual_seed(0)
    flow, s = FlowPredictor(2, 16), torch.randn(1, 2)
    with torch.no_grad():
        drawn = flow.sample(s, 20_000)[:, 0]
        edges = torch.linspace(-6, 6, 241)
        place = torch.cartesian_prod(edges, edges)
        density = flow.flow(s.expand(len(place), -1)).log_prob(place).exp() * 0.05**2
    assert float(density.sum()) == pytest.approx(1, abs=0.01)
    mean = (density[:, None] * place).sum(0)
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.04, rtol=0)
