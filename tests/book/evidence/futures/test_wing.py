import pytest
import torch
from scipy.stats import kstest

from bijepa_book.evidence.futures import wing
from bijepa_book.evidence.futures.skill import level, side
from bijepa_book.evidence.futures.world import Known
from bijepa_core.model import Direction


@pytest.fixture(scope="module")
def few() -> Known:
    g = torch.Generator().manual_seed(5)
    clean = wing.histories(600, g)
    return wing.known(clean, torch.randn(clean.shape, generator=g))


@pytest.fixture(autouse=True)
def small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wing, "LIBRARY", 20_000)


def test_views_are_of_mean_0_and_variance_1_and_the_asked_is_beside_the_gap(
    few: Known,
) -> None:
    clean_variance = few.x.var() - wing.NOISE**2
    assert abs(float(few.x.mean())) < 0.1
    assert 0.8 < float(clean_variance) < 1.3
    for view, asked, place in ((few.x, few.past, -3), (few.y, few.future, 0)):
        noise = view[:, place] - asked[:, 0]
        assert float(noise.std()) == pytest.approx(wing.NOISE, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_library_gives_a_calibrated_law(few: Known, direction: Direction) -> None:
    g = torch.Generator().manual_seed(6)
    drawn = wing.exact(few.seen(direction), direction, 99, g)
    levels = level(drawn[..., 0], few.asked(direction)[:, 0])
    assert kstest(levels.numpy(), "uniform").pvalue > 0.01
    weights = wing.weights(few.seen(direction), direction)
    assert float((1 / weights.square().sum(-1)).median()) > 50  # histories that count
    sides, _ = side(drawn[:, None], few.asked(direction)[None])
    open_share = float((((drawn > 0).double().mean(0) - 0.5).abs() < 0.3).double().mean())
    if direction == "forward":  # half open
        assert sides["brier"][0] < 0.15
        assert 0.25 < open_share < 0.6
    else:  # who was where, nobody knows
        assert sides["brier"][0] == pytest.approx(0.25, abs=0.03)
        assert open_share > 0.9
