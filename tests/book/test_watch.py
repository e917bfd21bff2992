"""A watch sees both encoders and the loop, and says where the norm grew most."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_book.watch import Watch
from bijepa_core.data import sine
from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.history import History
from bijepa_core.seeds import sample_per_seed

SEEDS = (3, 8)


def contexts(count: int = 5) -> Tensor:
    """Of a few waves a seed."""
    return sample_per_seed(SEEDS, "test/watch", lambda g: sine.split(sine.waves(count, g))[0])


def watched(name: str, steps: int, every: int) -> Watch:
    """A watch that has looked at a training run."""
    model = SINE.model(CONFIGURATIONS[name], SEEDS)
    watch = Watch(model, contexts(), every)
    batches = SineBatches(SEEDS, 8)
    SINE.train(model, batches, steps=steps, log_every=1, device="cpu", progress=False, on_log=watch)
    return watch


class Scaled(nn.Module):
    """A predictor that is a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, s: Tensor) -> Tensor:
        return self.factor * s


def test_it_looks_when_it_is_due_and_tells_one_story_in_three_ways() -> None:
    watch = watched("expressive", steps=7, every=3)
    looks, curves = watch.looks(), watch.curves()
    assert watch.steps == curves["steps"] == [0, 3, 6]
    assert torch.tensor(curves["norm"]).equal(looks["online"].T)
    apart = (looks["online"] - looks["target"]).abs()
    assert float(apart[0].max()) < float(apart[-1].min())  # the target starts as a copy, and lags
    assert watch.scores()["radius_last"] == looks["radius"][-1].tolist()


def test_a_look_sees_norms_and_the_slope_of_the_loop() -> None:
    x, model = contexts(), SINE.model(CONFIGURATIONS["expressive"], SEEDS)
    model.forward_predictor, model.backward_predictor = Scaled(2.0), Scaled(0.7)
    with torch.no_grad():
        for weights in model.target.parameters():
            weights.zero_()
        last = list(model.target.parameters())[-1]  # the bias of the last layer
        last[..., 0] = 1
    watch = Watch(model, x, 1)
    for step in (0, 1):
        watch(step, History.empty(10, 1, 2, like=x))
    size = np.linalg.norm(model.embed(x).numpy(), axis=-1).mean(-1)
    scores = watch.scores()
    assert watch.looks()["online"][0].tolist() == pytest.approx(size, rel=1e-5)
    assert scores["lead"] == pytest.approx(size, rel=1e-5)  # the target's norm is one
    assert scores["radius_growing"] == pytest.approx([1.4, 1.4])


def test_the_radius_is_that_of_the_look_before_the_steepest_growth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # seed 0 grows by the largest factor after look 1, though by the largest sum after look 2;
    # seed 1 after look 0; its norm falls at the end
    norms = torch.tensor([[1.0, 1.0], [1.1, 8.0], [5.5, 9.0], [12.0, 1.0]])
    radius = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])
    watch = Watch(SINE.model(CONFIGURATIONS["expressive"], SEEDS), contexts(), 1)
    looks = {"online": norms, "target": torch.ones_like(norms), "radius": radius}
    monkeypatch.setattr(watch, "looks", lambda: looks)
    scores = watch.scores()
    assert scores["radius_growing"] == pytest.approx([0.3, 0.2])
    assert scores["radius_last"] == pytest.approx([0.7, 0.8])
    assert scores["lead"] == [12.0, 9.0]


def test_without_both_predictors_there_is_no_radius() -> None:
    watch = watched("classic", steps=4, every=1)
    assert watch.scores().keys() == {"lead"}
    assert watch.curves().keys() == {"steps", "norm"}


def test_looks_are_some_steps_apart() -> None:
    with pytest.raises(ValueError, match="every must be positive"):
        Watch(SINE.model(CONFIGURATIONS["expressive"], SEEDS), contexts(), 0)
