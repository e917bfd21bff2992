import pytest
import torch

from bijepa_book.evidence.stable.curved import candidates, recordings, unexplained


def test_what_no_linear_map_gives_is_found_in_its_direction() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4000, 3, generator=generator, dtype=torch.float64)
    # the larger direction is linear in x, the smaller one even in it: nothing linear tells of it
    s = torch.stack([3 * x[..., 0] + x[..., 1], x[..., 2].square()], -1)
    missed, there = unexplained((x[:, :2000], s[:, :2000]), (x[:, 2000:], s[:, 2000:]))
    assert there[:, 0].tolist() == pytest.approx([10, 10], rel=0.1)
    assert (missed / there)[:, 0].max() < 1e-3
    assert (missed / there)[:, 1].tolist() == pytest.approx([1, 1], abs=0.05)


def test_each_is_recorded_on_both_series() -> None:
    keys = {recording.key for recording in recordings()}
    assert len(keys) == 2 * len(candidates())
    assert "lorenz-curved-whitened-0.2-paper" in keys
