import json
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bijepa_core._support.errors import NonFiniteLossError
from bijepa_core.history import History
from bijepa_core.model import Losses, Term

Normal = Callable[..., Tensor]
NAN = float("nan")


def losses(normal: Normal, seeds: tuple[int, ...] = (), *, backward: bool = True) -> Losses:
    def term() -> Term:
        return Term(normal(*seeds).square(), normal(*seeds, 6, 4), normal(*seeds, 6, 4))

    return Losses(normal(*seeds).square(), term(), term() if backward else None)


def recorded(
    normal: Normal, steps: int, log_every: int, seeds: int | None, *, backward: bool = True
) -> tuple[History, list[Losses]]:
    history = History.empty(steps, log_every, seeds, like=normal(1))
    axis = () if seeds is None else (seeds,)
    given = [losses(normal, axis, backward=backward) for _ in range(steps)]
    for step, one in enumerate(given):
        history.record(step, one)
    return history, given


@pytest.mark.parametrize("seeds", [None, 3])
def test_every_steps_losses_are_kept(seeds: int | None, normal: Normal) -> None:
    history, given = recorded(normal, 7, 3, seeds)
    assert torch.equal(history.losses["total"], torch.stack([one.total for one in given]))
    for name in ("forward", "backward"):
        expected = torch.stack([getattr(one, name).loss for one in given])
        assert torch.equal(history.losses[name], expected)
    assert history.losses["total"].shape == ((7,) if seeds is None else (7, 3))
    assert history.losses["total"].dtype == torch.float64


@pytest.mark.parametrize(
    ("steps", "log_every", "rows"),
    [(7, 3, [0, 3, 6]), (6, 3, [0, 3]), (2, 5, [0]), (3, 1, [0, 1, 2])],
)
def test_diagnostics_are_kept_now_and_then(
    steps: int, log_every: int, rows: list[int], normal: Normal
) -> None:
    history, given = recorded(normal, steps, log_every, 2)
    assert history.logged_steps.tolist() == rows
    assert history.steps == steps
    for values in history.diagnostics.values():
        assert values.shape == (len(rows), 2)
        assert torch.isfinite(values).all()
    for row, step in enumerate(rows):
        s = given[step].forward.online  # type: ignore[union-attr]
        mean_norm = s.square().sum(-1).sqrt().mean(-1)
        torch.testing.assert_close(history.diagnostics["norm"][row], mean_norm)


def test_recorded_values_carry_no_graph(normal: Normal) -> None:
    history = History.empty(1, 1, None, like=normal(1))
    graph = normal(6, 4).requires_grad_(True)
    term = Term(graph.square().mean(), graph.detach(), graph.detach())
    history.record(0, Losses(graph.square().mean(), term, term))
    held = [*history.losses.values(), *history.diagnostics.values()]
    assert not any(values.requires_grad for values in held)


def test_a_direction_that_does_not_exist_stays_unrecorded(normal: Normal) -> None:
    history, _ = recorded(normal, 4, 2, None, backward=False)
    assert history.losses["backward"].isnan().all()
    assert set(history.plain()["loss"]) == {"total", "forward"}
    assert torch.isfinite(history.diagnostics["relative_loss"]).all()


@pytest.mark.parametrize("seeds", [None, 3])
def test_the_plain_form_is_json(seeds: int | None, normal: Normal) -> None:
    history, _ = recorded(normal, 5, 2, seeds)
    again = json.loads(json.dumps(history.plain(), allow_nan=False))
    assert torch.equal(
        torch.tensor(again["loss"]["total"], dtype=torch.float64), history.losses["total"]
    )
    assert again["logged_steps"] == [0, 2, 4]
    assert set(again["diagnostics"]) == {"relative_loss", "norm", "variance", "effective_rank"}
    rank = torch.tensor(again["diagnostics"]["effective_rank"], dtype=torch.float64)
    torch.testing.assert_close(rank, history.diagnostics["effective_rank"])


def test_finite_losses_pass(normal: Normal) -> None:
    history, _ = recorded(normal, 5, 2, 3)
    history.check_finite(0, 5)
    history.losses["total"][3] = NAN
    history.check_finite(0, 3)
    history.check_finite(4, 5)


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_the_first_bad_step_is_named(bad: float, normal: Normal) -> None:
    history, _ = recorded(normal, 8, 2, None)
    history.losses["total"][4] = bad
    history.losses["total"][6] = NAN
    with pytest.raises(
        NonFiniteLossError, match=r"at step 4\..*Lower the learning\s+rate"
    ) as raised:
        history.check_finite(2, 8)
    assert raised.value.step == 4


def test_without_a_seed_axis_no_seed_is_named(normal: Normal) -> None:
    history, _ = recorded(normal, 2, 2, None)
    history.losses["total"][1] = NAN
    with pytest.raises(NonFiniteLossError) as raised:
        history.check_finite(0, 2)
    assert raised.value.seeds == ()


def test_the_seeds_that_went_bad_are_named(normal: Normal) -> None:
    history, _ = recorded(normal, 8, 2, 4)
    history.losses["total"][5, 1] = NAN
    history.losses["total"][5, 3] = math.inf
    history.losses["total"][6] = NAN
    with pytest.raises(NonFiniteLossError, match=r"step 5 \(positions \[1, 3\] on") as raised:
        history.check_finite(0, 8)
    assert (raised.value.step, raised.value.seeds) == (5, (1, 3))


def test_keeping_copies_only_what_was_done(normal: Normal) -> None:
    source, _ = recorded(normal, 7, 3, 2)
    longer = History.empty(10, 3, 2, like=normal(1))
    longer.keep(source, 4)  # steps 0 to 3, and the diagnostics of steps 0 and 3
    for name, values in longer.losses.items():
        assert torch.equal(values[:4], source.losses[name][:4])
        assert values[4:].isnan().all()
    for name, values in longer.diagnostics.items():
        assert torch.equal(values[:2], source.diagnostics[name][:2])
        assert values[2:].isnan().all()


def test_on_the_cpu_it_is_the_same(normal: Normal) -> None:
    history, _ = recorded(normal, 4, 2, None)
    again = history.cpu()
    assert again.plain() == history.plain()
    assert again.log_every == history.log_every


@pytest.mark.parametrize("backward", [True, False])
def test_the_mean_loss_averages_the_directions_in_use(backward: bool, normal: Normal) -> None:
    history, given = recorded(normal, 5, 2, 3, backward=backward)
    expected = torch.stack([one.forward.loss for one in given])  # type: ignore[union-attr]
    if backward:
        expected = (expected + torch.stack([one.backward.loss for one in given])) / 2  # type: ignore[union-attr]
    torch.testing.assert_close(history.mean_loss(), expected)


@pytest.mark.parametrize(
    ("steps", "window", "windows"),
    [
        (40, 20, 2),
        (47, 20, 2),  # an incomplete last window is left out
        (5, 1, 5),
        (5, 20, 1),
    ],
)
def test_smoothing_keeps_a_straight_line(
    steps: int, window: int, windows: int, normal: Normal
) -> None:
    """Where step s, from s to s + 1, has loss s, a window's mean is its middle less a half."""
    history = History.empty(steps, 1, 2, like=normal(1))
    line = torch.arange(steps).double()[:, None].expand(steps, 2)
    for name in ("forward", "backward"):
        history.losses[name][:] = line
    middles, values = history.smooth_loss(window)
    assert values.shape == (windows, 2)
    torch.testing.assert_close(values, middles.double()[:, None].expand(windows, 2) - 0.5)


def test_a_history_prints_in_five_lines() -> None:
    history = History.empty(4, 2, 3, like=torch.zeros(1))
    assert repr(history).count("nan") == 10  # nothing is known yet
    history.losses["total"][:] = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    history.diagnostics["norm"][0] = torch.tensor([5.0, 6.0, 70.0])
    lines = repr(history).splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["loss", "1", "at", "first,", "4", "at", "last"]
    assert lines[2].split() == ["norm", "6", "at", "first,", "6", "at", "last"]
