"""The systems obey their equations, oddities are what they say, and scores rank them."""

import pytest
import torch

from bijepa_book.chapters import own_data
from bijepa_book.chapters.own_data import Ecosystems
from bijepa_core.seeds import generator


@pytest.fixture(scope="module")
def systems() -> Ecosystems:
    return own_data.ecosystems(300, generator(0, "test"))


def test_systems_keep_what_the_equations_conserve() -> None:
    prey, predators, pace = own_data.ecosystems(200, generator(0, "test"), noise=0.0)
    rate = pace[:, None]
    level = rate * (prey.exp() - prey) + predators.exp() - predators
    torch.testing.assert_close(level, level[:, :1].expand_as(level), atol=1e-3, rtol=1e-3)
    assert float(pace.min()) >= 0.5
    assert float(pace.max()) <= 2.0


def test_systems_obey_the_equations_in_time() -> None:
    prey, predators, pace = own_data.ecosystems(200, generator(0, "test"), noise=0.0)
    middle = (prey[:, 2:] - prey[:, :-2]) / (2 * own_data.DT)
    off = (middle - (1 - predators[:, 1:-1].exp())).square().mean()
    assert float(off) < 0.05 * float(middle.var())
    rise = (predators[:, 2:] - predators[:, :-2]) / (2 * own_data.DT)
    off = (rise - pace[:, None] * (prey[:, 1:-1].exp() - 1)).square().mean()
    assert float(off) < 0.05 * float(rise.var())


def test_noise_is_on_the_counts_alone() -> None:
    quiet, loud = (own_data.ecosystems(200, generator(0, "test"), noise) for noise in (0.0, 0.2))
    assert torch.equal(quiet.predators, loud.predators)
    assert float((loud.prey - quiet.prey).std()) == pytest.approx(0.2, rel=0.05)
    with pytest.raises(ValueError, match="count must be positive"):
        own_data.ecosystems(0, generator(0, "test"))


def test_windows_and_goals_fit_the_series(systems: Ecosystems) -> None:
    x, y = own_data.windows(systems.prey)
    assert torch.equal(torch.cat([x, y], dim=-1)[:, 0], systems.prey)
    goals = own_data.goals(systems)
    assert torch.equal(goals["next prey"][1], y[:, 0, :1])
    assert torch.equal(goals["prey before"][1], x[:, 0, -1:])
    assert [side for side, _ in goals.values()] == [0, 0, 0, 0, 1, 1]


def test_products_hold_every_pair_once() -> None:
    counts = torch.randn(5, 1, 20)
    features = own_data.products(counts)
    assert features.shape == (5, 20 + 210)
    torch.testing.assert_close(features[:, 20], counts[:, 0, 0] ** 2)


def test_share_is_none_of_a_known_goal_and_all_of_an_unknown_one(systems: Ecosystems) -> None:
    judge = own_data.ecosystems(300, generator(1, "test"))
    known = own_data.share(lambda w: w[:, 0, -1:], "next prey", systems, judge)
    unknown = own_data.share(
        lambda w: torch.randn(len(w), 1, generator=generator(2, "test")), "pace", systems, judge
    )
    assert known < 0.5
    assert unknown == pytest.approx(1.0, abs=0.1)


def test_a_trained_model_is_read_both_ways_and_a_classic_one_without_its_past(
    systems: Ecosystems,
) -> None:
    judge = own_data.ecosystems(300, generator(1, "test"))
    model, history = own_data.train(systems, 0, steps=3, progress=False)
    assert history.steps == 3
    rows = own_data.probe_shares(model, systems, judge)
    assert set(rows["A"]) == set(rows["B"]) == set(own_data.goals(judge))
    classic, _ = own_data.train(systems, 0, alpha=1.0, steps=2, progress=False)
    assert "prey before" not in own_data.probe_shares(classic, systems, judge)["B"]


def test_odd_windows_differ_where_they_should() -> None:
    systems = own_data.ecosystems(50, generator(0, "test"))
    (x, other), (y, late) = (view.chunk(2) for view in own_data.windows(systems.prey))
    odd = own_data.odd_windows(x, other, generator(0, "odd"))
    changed = {kind: (bad != x).sum((1, 2)) for kind, bad in odd.items()}
    assert bool((changed["spike"] == 1).all())
    assert bool((changed["undercount"] == 10).all())
    assert bool((changed["stuck"] == 5).all())
    assert bool((odd["stuck"][:, 0, 8:14].std(-1) == 0).all())
    spliced = odd["spliced"]
    assert torch.equal(spliced[..., :10], x[..., :10])
    torch.testing.assert_close(spliced[..., 10:].diff(), other[..., 10:].diff())
    assert torch.equal(odd["reversed"].flip(-1), x)
    pairs = own_data.odd_pairs(x, y, late)
    assert torch.equal(torch.cat(pairs["backward"], -1).flip(-1), torch.cat([x, y], -1))


def test_scores_find_gross_errors(systems: Ecosystems) -> None:
    model = own_data.new_model(0)
    found = own_data.anomalies(model, systems, own_data.ecosystems(200, generator(1, "test")))
    assert found["windows"]["static"]["distance, counts"] > 0.9
    assert set(found["pairs"]) == {"mismatched", "swapped", "backward", "undercount"}
    assert found["pairs"]["undercount"]["distance, counts"] > 0.7


def test_the_record_has_what_the_chapter_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TRAIN": 100, "PROBE": 300, "HELD_OUT": 200, "SEEDS": 2}.items():
        monkeypatch.setattr(own_data, name, value)
    train = own_data.train
    monkeypatch.setattr(
        own_data, "train", lambda learn, seed: train(learn, seed, steps=1, progress=False)
    )
    record = own_data.record()
    assert list(record["read"]) == ["counts", "products", "untrained", "A", "B"]
    assert all(set(row) == set(record["read"]["A"]) for row in record["read"].values())
