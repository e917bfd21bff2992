"""A learning rate that falls, and stays where it was when a run is resumed."""

import itertools
from pathlib import Path

import pytest
import torch

from bijepa_core import pretrain
from bijepa_core.checkpoints import Checkpoint
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.optimizers import falling_adamw, fused_adamw


def test_a_rate_falls_along_half_a_cosine_and_stays_at_its_end() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = falling_adamw(100, to=0.1)([weight], lr=2.0, weight_decay=0.0)
    rates = []
    for _ in range(130):
        before = weight.item()
        weight.grad = torch.ones(1)  # of a constant gradient Adam steps by its rate
        optimizer.step()
        rates.append(before - weight.item())
    assert rates[0] == pytest.approx(2.0)
    assert rates[50] == pytest.approx(1.1, rel=1e-4)  # half way between both ends
    assert rates[100:] == [pytest.approx(0.2, rel=1e-3)] * 30
    assert all(a >= b - 1e-4 for a, b in itertools.pairwise(rates))


def test_a_rate_that_falls_to_itself_is_the_papers_optimizer() -> None:
    found = []
    for make_optimizer in (fused_adamw, falling_adamw(20, to=1.0)):
        model = SINE.model(CONFIGURATIONS["expressive"], 0)
        history = pretrain(
            model,
            SINE.load(0).batches,
            steps=20,
            make_optimizer=make_optimizer,
            device="cpu",
            progress=False,
        )
        found.append(history.losses["total"])
    assert torch.equal(*found)


def test_a_resumed_run_falls_on(tmp_path: Path) -> None:
    losses = {}
    for stops in ((20,), (7, 20)):
        folder = tmp_path / str(len(stops))
        for steps in stops:
            model = SINE.model(CONFIGURATIONS["unconstrained"], (0, 1))
            history = pretrain(
                model,
                SINE.load((0, 1)).batches,
                steps=steps,
                make_optimizer=falling_adamw(20, to=0.0),
                device="cpu",
                progress=False,
                checkpoint=Checkpoint(folder, resume=True),
            )
        losses[len(stops)] = history.losses["total"]
    assert torch.equal(losses[1], losses[2])


@pytest.mark.parametrize(("steps", "to"), [(0, 0.3), (2.5, 0.3), (10, -0.1), (10, 1.1)])
def test_improper_settings_are_named(steps: int, to: float) -> None:
    with pytest.raises((ValueError, TypeError), match=r"steps|to must"):
        falling_adamw(steps, to)
