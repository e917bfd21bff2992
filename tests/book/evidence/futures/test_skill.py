import pytest
import torch
from scipy.stats import kstest

from bijepa_book.evidence.futures import well
from bijepa_book.evidence.futures.skill import (
    crps,
    energy,
    level,
    read_out,
    said,
    side,
    unevenness,
)

SEEDS = (3, 4)


def test_draws_from_a_law_score_as_the_law_does() -> None:
    g = torch.Generator().manual_seed(0)
    x, y = well.pairs(1_000, g)
    laws = well.law(x)
    drawn = well.draws(laws, 100, g)
    torch.testing.assert_close(
        crps(drawn, y[:, 0].double()).mean(), well.crps(laws, y).mean(), atol=0.005, rtol=0
    )
    shared = energy(drawn[..., None], y.double())
    torch.testing.assert_close(shared.mean(), crps(drawn, y[:, 0]).mean(), atol=1e-6, rtol=0)


def test_the_exact_law_is_calibrated_and_a_single_answer_is_not() -> None:
    g = torch.Generator().manual_seed(1)
    x, y = (view[None] for view in well.pairs(4_000, g))
    exact = well.exact(x[0], "forward", 100, g)[:, None]
    right, single = said(exact, y), said(exact[:1], y)
    assert right["coverage"][0] == pytest.approx(0.8, abs=0.03)
    assert single["coverage"] == [0.0]
    assert right["unevenness"][0] < 0.03 < single["unevenness"][0]
    assert single["crps"][0] > 1.3 * right["crps"][0]
    levels = level(exact[..., 0], y[..., 0])
    library = kstest(levels[0].numpy(), "uniform").statistic
    assert float(unevenness(levels)[0]) == pytest.approx(library, abs=1e-3)
    sides, curve = side(exact, y)
    chance = well.right(well.law(x))
    best = (chance - (y[..., 0] > 0).double()).square().mean()
    assert sides["brier"][0] == pytest.approx(float(best), abs=0.005)
    assert sides["miscalibration"][0] < 0.04 < side(exact[:1], y)[0]["miscalibration"][0]
    torch.testing.assert_close(curve[:, 0].sum(-1), torch.ones(1).double())


def test_a_read_out_finds_a_bent_line_and_takes_samples_in_front() -> None:
    q = torch.linspace(-2, 2, 1_500)[torch.randperm(1_500)].expand(2, -1)[..., None]
    bent = torch.cat([q.sin(), (2 * q).cos(), q**2 / 4], -1)
    read = read_out(bent, q, SEEDS)
    assert float((read(bent) - q).abs().mean()) < 0.05
    torch.testing.assert_close(read(torch.stack([bent, bent + 0.1]))[0], read(bent))
