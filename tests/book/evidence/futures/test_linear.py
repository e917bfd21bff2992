import numpy as np
import pytest
import torch

from bijepa_book.evidence.futures import linear
from bijepa_core.model import Direction

W = linear.WINDOW


def joint() -> np.ndarray:
    """The covariance of both windows, from powers of the motion alone."""
    move, long_run = linear.FORWARD.move, linear.FORWARD.covariance
    lags = [(np.linalg.matrix_power(move, k) @ long_run)[0, 0] for k in range(2 * W)]
    place = np.arange(2 * W)
    return np.array(lags)[abs(place[:, None] - place)] + linear.NOISE**2 * np.eye(2 * W)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_filter_gives_what_conditioning_the_joint_law_gives(direction: Direction) -> None:
    x, y = np.arange(W), np.arange(W, 2 * W)
    seen, hidden = (x, y) if direction == "forward" else (y, x[::-1])
    whole = joint()
    gain = whole[np.ix_(hidden, seen)] @ np.linalg.inv(whole[np.ix_(seen, seen)])
    view = linear.windows(5, torch.Generator().manual_seed(0))[:, seen[0] : seen[-1] + 1]
    means, covariance = linear.window_law(view, direction)
    np.testing.assert_allclose(means, view.double().numpy() @ gain.T, atol=1e-10)
    wanted = whole[np.ix_(hidden, hidden)] - gain @ whole[np.ix_(seen, hidden)]
    np.testing.assert_allclose(covariance, wanted, atol=1e-10)


def test_simulated_windows_and_draws_follow_the_laws() -> None:
    g = torch.Generator().manual_seed(1)
    found = torch.cov(linear.windows(40_000, g).T)
    torch.testing.assert_close(found.double(), torch.from_numpy(joint()), atol=0.04, rtol=0)
    view = linear.windows(1, g)[:, :W]
    means, covariance = linear.window_law(view, "forward")
    drawn = linear.exact(view, "forward", 40_000, g)[:, 0]
    torch.testing.assert_close(drawn.mean(0), means[0], atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), covariance, atol=0.04, rtol=0)
