import pytest
import torch
from torch import Tensor

from bijepa_book.evidence.futures import well

COUNT = 20_000


def simulated_pairs(seed: int = 0) -> well.Pairs:
    return well.pairs(COUNT, torch.Generator().manual_seed(seed))


def test_the_propagator_conserves_keeps_the_stationary_law_and_is_reversible() -> None:
    p, pi = well.transition(), well.stationary()
    torch.testing.assert_close(p.sum(1), torch.ones(well.CELLS).double())
    torch.testing.assert_close(pi @ p, pi)
    flow = pi[:, None] * p
    torch.testing.assert_close(flow, flow.T)
    assert float(p.min()) > -1e-12
    torch.testing.assert_close(well.transition(1.0) @ well.transition(1.0), p)


def test_particles_that_start_at_one_place_follow_the_law() -> None:
    for place in (0.0, 1.0, -0.4):
        q = torch.full((COUNT, 1), place)
        end = well.simulated(q, well.TIME, torch.Generator().manual_seed(1)).sort(0).values
        level = well.below(well.law(torch.tensor([place])), end)  # uniform, if the law is right
        gap = (level - (torch.arange(COUNT) + 0.5) / COUNT).abs().max()
        assert gap < 1.63 / COUNT**0.5, place  # Kolmogorov and Smirnov at 1 %


@pytest.mark.parametrize("backward", [False, True])
def test_the_simulated_future_and_past_have_the_same_exact_law(backward: bool) -> None:
    x, y = simulated_pairs()
    known, asked = (y, x) if backward else (x, y)
    level = well.below(well.law(known), asked).sort().values
    assert (level - (torch.arange(COUNT) + 0.5) / COUNT).abs().max() < 1.63 / COUNT**0.5
    laws = well.law(known)
    right = well.right(laws)
    wrong = (right - (asked[:, 0] > 0).double()).mean()
    assert abs(float(wrong)) < 3 * 0.5 / COUNT**0.5


def test_both_wells_are_open_on_the_ridge() -> None:
    ridge = well.law(torch.zeros(1))
    middle, peak = ridge[well.CELLS // 2], ridge.max()
    torch.testing.assert_close(ridge, ridge.flip(0))
    assert middle < 0.5 * peak
    assert 0.8 < float(well.right(well.law(torch.ones(1)))) < 0.95


def test_no_law_scores_better_than_the_exact_one() -> None:
    x, y = simulated_pairs()
    exact = well.law(x)
    scores = {
        "exact": well.crps(exact, y),
        "climatology": well.crps(well.stationary().expand_as(exact), y),
        "shifted": well.crps(well.law(x + 0.3), y),
        "sooner": well.crps(well.law(x, 1.0), y),
        "later": well.crps(well.law(x, 3.0), y),
    }
    means = {name: float(score.mean()) for name, score in scores.items()}
    assert min(means, key=lambda name: means[name]) == "exact", means
    up = exact.cumsum(-1)
    expected = (up * (1 - up)).sum(-1) * well.WIDTH  # of the exact law, by its other form
    assert means["exact"] == pytest.approx(float(expected.mean()), rel=0.02)


def test_draws_follow_their_law() -> None:
    probabilities = well.law(torch.tensor([[0.3], [-1.0]]))
    drawn = well.draws(probabilities, COUNT, torch.Generator().manual_seed(2))
    assert drawn.shape == (COUNT, 2)
    mean = probabilities @ well.GRID
    deviation = (probabilities @ well.GRID**2 - mean**2).sqrt()
    assert ((drawn.mean(0) - mean).abs() < 4 * deviation / COUNT**0.5).all()


def test_a_seed_does_not_depend_on_its_company() -> None:
    def step(batches: well.WellBatches) -> Tensor:
        return torch.cat(batches(70), -1)

    both = step(well.WellBatches((3, 4), 5))
    torch.testing.assert_close(both[1], step(well.WellBatches(4, 5)))
    with pytest.raises(ValueError, match="time must be"):
        well.transition(0.0)
