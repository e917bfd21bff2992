"""The replay against the reference values, and against a script-like loop in plain torch."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bijepa_book.paper.replay import KNOWN, replay
from bijepa_book.process import threads
from bijepa_core.data import lorenz

# Reference losses of the paper's script at steps 0, 1, 2, 10 and 20: forward, then backward.
CLASSIC = {0: 0.48511094, 1: 0.41053057, 2: 0.34566623, 10: 0.11841641, 20: 0.05404325}
EXPRESSIVE = {
    0: (0.48511094, 0.29014716),
    1: (0.41803744, 0.24465694),
    2: (0.35913199, 0.19927257),
    10: (0.12592641, 0.08859523),
    20: (0.05306735, 0.05649589),
}
FULL = {"classic": (0.03019, 0.05218), "expressive": (0.00839, 0.01539)}  # Protocols A and B


@pytest.mark.parametrize(("name", "reference"), [("classic", CLASSIC), ("expressive", EXPRESSIVE)])
def test_first_steps_agree_with_the_reference(name: str, reference: dict[int, Any]) -> None:
    losses = replay("sine", name, steps=21).plain()["loss"]
    for step, value in reference.items():
        np.testing.assert_allclose(losses[step], np.atleast_1d(value), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classic", "expressive"])
def test_full_runs_end_where_the_reference_ends(name: str) -> None:
    plain = replay("sine", name).plain()
    assert len(plain["loss"]) == 2000
    a, b = FULL[name]
    # Rounding differs between processors and grows over 2,000 steps.
    assert plain["paper_a"] == pytest.approx(a, rel=0.35)
    assert plain["paper_b"] == pytest.approx(b, rel=0.35)


@pytest.mark.slow
def test_the_sphere_hardly_depends_on_rounding_and_gives_the_papers_figures() -> None:
    plain = replay("sine", "restrictive").plain()
    assert plain["paper_a"] == pytest.approx(0.1460, rel=0.02)
    assert plain["paper_b"] == pytest.approx(0.0779, rel=0.02)


def script_like_lorenz(steps: int) -> list[list[float]]:
    """Lorenz, expressive, written as one plain script would be: nothing from the package."""
    np.random.seed(42)  # noqa: NPY002 - the legacy generator is the point

    def trajectories(count: int) -> Any:
        out = np.zeros((count, 40, 3))
        for i in range(count):
            x, y, z = np.random.uniform(-15, 15, 3)  # noqa: NPY002
            for t in range(40):
                dx, dy, dz = 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z
                x, y, z = x + 0.01 * dx, y + 0.01 * dy, z + 0.01 * dz
                out[i, t] = x, y, z
        return (out - out.mean()) / out.std()

    trajectories(3)
    train = torch.tensor(trajectories(2000), dtype=torch.float32)

    def hidden(n: int) -> list[nn.Module]:
        return [nn.LayerNorm(n), nn.ReLU()]

    torch.manual_seed(42)
    encoder = nn.Sequential(
        *[nn.Linear(60, 128), *hidden(128), nn.Linear(128, 128), *hidden(128), nn.Linear(128, 32)]
    )
    forward = nn.Sequential(nn.Linear(32, 128), *hidden(128), nn.Linear(128, 32))
    backward = nn.Sequential(nn.Linear(32, 128), *hidden(128), nn.Linear(128, 32))
    target = nn.Sequential(
        *[nn.Linear(60, 128), *hidden(128), nn.Linear(128, 128), *hidden(128), nn.Linear(128, 32)]
    )
    target.load_state_dict(encoder.state_dict())
    modules = nn.ModuleList([encoder, forward, backward])
    # building the target drew random numbers that the script, copying, does not draw
    torch.manual_seed(42)
    for sizes in ((60, 128), (128, 128), (128, 32), (32, 128), (128, 32), (32, 128), (128, 32)):
        nn.Linear(*sizes)
    optimizer = torch.optim.AdamW(modules.parameters(), lr=5e-4, weight_decay=1e-4)
    losses = []
    for _ in range(steps):
        batch = train[torch.randint(0, 2000, (64,))]
        x, y = batch[:, :20].reshape(64, -1), batch[:, 20:].reshape(64, -1)
        with torch.no_grad():
            t_x, t_y = target(x), target(y)
        ahead = F.mse_loss(forward(encoder(x)), t_y)
        back = F.mse_loss(backward(encoder(y)), t_x)
        optimizer.zero_grad()
        (ahead + back).backward()
        optimizer.step()
        with torch.no_grad():
            for t, o in zip(target.parameters(), encoder.parameters(), strict=True):
                t.copy_(0.995 * t + 0.005 * o)
        losses.append([ahead.item(), back.item()])
    return losses


def test_lorenz_agrees_with_a_plain_script() -> None:
    with torch.random.fork_rng(devices=[]):
        state = np.random.get_state()  # noqa: NPY002
        expected = script_like_lorenz(12)
        np.random.set_state(state)  # noqa: NPY002
    losses = replay("lorenz", "expressive", steps=12).plain()["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def legacy_state() -> Any:
    state: Any = np.random.get_state()  # noqa: NPY002
    return state[1].copy()


def test_classic_reports_one_direction_and_bijepa_two() -> None:
    for name, directions in (("classic", 1), ("unconstrained", 2)):
        run = replay("sine", name, steps=2)
        assert [len(row) for row in run.plain()["loss"]] == [directions] * 2


def test_the_replay_leaves_the_global_generators_and_threads_alone() -> None:
    torch_state, numpy_state = torch.get_rng_state(), legacy_state()
    before = torch.get_num_threads()
    replay("sine", "classic", steps=2)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(legacy_state(), numpy_state)
    assert torch.get_num_threads() == before


def test_threads_are_restored_after_an_error() -> None:
    before = torch.get_num_threads()
    inside = []

    def fail() -> None:
        with threads(before + 1):
            inside.append(torch.get_num_threads())
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert inside == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("experiment", "name"), [("sine", "nonsense"), ("lorenz", "restrictive"), ("mnist", "classic")]
)
def test_runs_the_script_does_not_have_are_named_with_those_it_has(
    experiment: str, name: str
) -> None:
    with pytest.raises(ValueError, match=name) as error:
        replay(experiment, name)
    for known in KNOWN:
        assert known in str(error.value)


def test_held_out_series_are_on_the_probe_sets_scale() -> None:
    run = replay("lorenz", "classic", steps=1)
    views, targets = run.held_out
    assert views.shape == (10_000, 60)
    assert targets.shape == (10_000, 3)
    assert views.shape[1] == lorenz.CONTEXT * 3
    assert abs(float(views.mean()) - float(run.probe[0].mean())) < 0.05
