"""The loop: what it computes, how it stops, and how it goes on."""

import errno
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_core import checkpoints
from bijepa_core._support.errors import (
    CheckpointError,
    CollapseWarning,
    NonFiniteLossError,
    NormalizationWarning,
    StoppedBySignal,
)
from bijepa_core._support.locks import LOCK
from bijepa_core.checkpoints import Checkpoint
from bijepa_core.constraints import (
    EXPRESSIVE,
    RESTRICTIVE,
    UNCONSTRAINED,
    WHITENED,
    Constraint,
    Penalty,
)
from bijepa_core.data.sine import SineBatches, split, waves
from bijepa_core.data.streams import Batches, DrawnBatches, ShuffledBatches
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, SINE, Configuration, Experiment
from bijepa_core.history import History
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.optimizers import falling_adamw
from bijepa_core.regularizers import unit_variance
from bijepa_core.seeds import Seeds, init_stacked, sample_per_seed, unstack
from bijepa_core.training import pretrain

Stream = SineBatches | DrawnBatches
SEEDS = [4, 9, 1]


def train(
    small: Experiment,
    batches: Batches,
    *,
    model: BiJEPA | None = None,
    seeds: Seeds = 0,
    alpha: float = 0.5,
    folder: Path | None = None,
    every: int = 500,
    resume: bool = False,
    **settings: Any,
) -> tuple[BiJEPA, History]:
    """Train the miniature, silently, on the CPU, with a checkpoint where a folder is named."""
    model = small.model(Configuration(alpha=alpha), seeds) if model is None else model
    defaults: dict[str, Any] = {"steps": 30, "learning_rate": 1e-2, "log_every": 4, "device": "cpu"}
    kept = None if folder is None else Checkpoint(folder, every, resume)
    return model, pretrain(model, batches, checkpoint=kept, **(defaults | settings))


def stream(kind: str, seeds: Seeds) -> Stream:
    if kind == "sine":
        return SineBatches(seeds, 6)
    x, y = split(sample_per_seed(7, "test table", lambda numbers: waves(20, numbers)))
    table = DrawnBatches if kind == "drawn" else ShuffledBatches
    return table(x, y, batch_size=6, seeds=seeds)


def flat(value: Any) -> list[Any]:
    """A nested content as a list, tensors as bytes: equal means equal bit for bit."""
    if isinstance(value, dict):
        return [part for key, one in value.items() for part in (key, *flat(one))]
    if isinstance(value, list | tuple):
        return [part for one in value for part in flat(one)]
    if isinstance(value, Tensor):
        return [str(value.dtype), tuple(value.shape), value.numpy().tobytes()]
    return [value]


def content(folder: Path) -> dict[str, Any]:
    return checkpoints.read(folder / checkpoints.FILE)


def assert_same_run(
    ours: tuple[BiJEPA, History], theirs: tuple[BiJEPA, History], *folders: Path
) -> None:
    """Model, history, and through the checkpoints the optimizer, bit for bit."""
    for one, other in zip(ours, theirs, strict=True):
        states = [m.state_dict() if isinstance(m, BiJEPA) else vars(m) for m in (one, other)]
        assert flat(states[0]) == flat(states[1])
    one_file, other_file = (content(folder) for folder in folders)
    assert one_file.keys() == other_file.keys()
    for part, value in one_file.items():
        assert flat(value) == flat(other_file[part]), part


class Pressing:
    """A stream during which Ctrl-C is pressed, once for each step given."""

    def __init__(self, batches: Stream, *at: int) -> None:
        self.batches, self.at = batches, at
        self.configuration = batches.configuration

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        for _ in range(self.at.count(step)):
            signal.raise_signal(signal.SIGINT)
        return self.batches(step)


def spoiled(batches: Batches, start: int, value: float, seed: int | None = None) -> Batches:
    """Batches whose context turns to a bad value from a step on."""

    def spoil(step: int) -> tuple[Tensor, Tensor]:
        x, y = batches(step)
        if step >= start:
            x = x.clone()
            x[slice(None) if seed is None else seed] = value
        return x, y

    return spoil


# What it computes


def plain_network(sizes: list[int], layer_norm: bool) -> nn.Sequential:
    parts: list[nn.Module] = []
    for i in range(len(sizes) - 2):
        parts += [nn.Linear(sizes[i], sizes[i + 1])]
        parts += [nn.LayerNorm(sizes[i + 1])] * layer_norm
        parts += [nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1])).double()


def plain_script(
    model: BiJEPA, batches: Batches, steps: int, learning_rate: float
) -> tuple[list[nn.Sequential], list[float]]:
    """What an ordinary script does: modules apart, AdamW unfused, the EMA one by one."""
    layer_norm, sphere = model.constraint.layer_norm, model.constraint.sphere
    online, target = (plain_network([10, 8, 8, 4], layer_norm) for _ in range(2))
    forth, back = (plain_network([4, 8, 4], layer_norm) for _ in range(2))
    for plain, ours in (
        (online, model.online),
        (target, model.online),
        (forth, model.forward_predictor),
        (back, model.backward_predictor),
    ):
        plain.load_state_dict(ours.net.state_dict())  # type: ignore[union-attr]
    trained = [p for module in (online, forth, back) for p in module.parameters()]
    decay = model.constraint.weight_decay
    optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=decay, foreach=False)
    losses = []
    for step in range(steps):
        x, y = batches(step)

        def embed(network: nn.Module, view: Tensor) -> Tensor:
            return F.normalize(network(view), dim=-1) if sphere else network(view)

        s_x, s_y = embed(online, x), embed(online, y)
        with torch.no_grad():
            t_x, t_y = embed(target, x), embed(target, y)
        loss = F.mse_loss(forth(s_x), t_y) + F.mse_loss(back(s_y), t_x)
        optimizer.zero_grad()
        for parameter, gradient in zip(trained, torch.autograd.grad(loss, trained), strict=True):
            parameter.grad = gradient
        optimizer.step()
        with torch.no_grad():
            for t, o in zip(target.parameters(), online.parameters(), strict=True):
                t.copy_(model.tau * t + (1 - model.tau) * o)
        losses.append(float(loss.detach()))
    return [online, target, forth, back], losses


@pytest.mark.parametrize(
    "constraint", [UNCONSTRAINED, EXPRESSIVE, RESTRICTIVE, Constraint(True, 0.5, False)]
)
def test_it_computes_what_a_plain_script_computes(
    constraint: Constraint, small: Experiment
) -> None:
    def batches(step: int) -> tuple[Tensor, Tensor]:
        x, y = SineBatches(0, 6)(step)
        return x.double(), y.double()

    model = small.model(Configuration(constraint), 3).double()
    modules, losses = plain_script(model, batches, steps=25, learning_rate=1e-2)
    _, history = train(small, batches, model=model, steps=25)
    expected = torch.tensor(losses, dtype=torch.float64)
    torch.testing.assert_close(history.losses["total"], expected, rtol=1e-8, atol=1e-12)
    ours = (model.online, model.target, model.forward_predictor, model.backward_predictor)
    for module, plain in zip(ours, modules, strict=True):
        for a, b in zip(module.parameters(), plain.parameters(), strict=True):  # type: ignore[union-attr]
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_seed_trains_in_company_as_it_does_alone(name: str, small: Experiment) -> None:
    """Same weights at the start, same data, same losses, same weights at the end."""

    def double(seeds: Seeds) -> Batches:
        batches = SineBatches(seeds, 6)
        return lambda step: (batches(step)[0].double(), batches(step)[1].double())

    together = small.model(CONFIGURATIONS[name], SEEDS).double()
    _, many = train(small, double(SEEDS), model=together)
    for position, seed in enumerate(SEEDS):
        alone = small.model(CONFIGURATIONS[name], seed).double()
        _, one = train(small, double(seed), model=alone)
        for group in ("losses", "diagnostics"):
            for key, values in getattr(one, group).items():
                company = getattr(many, group)[key][:, position]
                torch.testing.assert_close(company, values, rtol=1e-7, atol=1e-10, equal_nan=True)
        theirs = unstack(together, position).state_dict()
        for key, value in alone.state_dict().items():
            torch.testing.assert_close(value, theirs[key], rtol=1e-7, atol=1e-9)


def test_training_lowers_the_loss_and_moves_every_trained_parameter(small: Experiment) -> None:
    model = small.model(Configuration(), 0)
    before = {name: p.clone() for name, p in model.named_parameters()}
    _, history = train(small, SineBatches(0, 6), model=model, steps=60)
    assert history.losses["total"][-10:].mean() < 0.5 * history.losses["total"][:10].mean()
    for name, p in model.named_parameters():
        assert not torch.equal(p, before[name]), name


def test_it_leaves_the_model_in_evaluation_mode(small: Experiment) -> None:
    model, _ = train(small, SineBatches(0, 6), steps=2)
    assert not any(module.training for module in model.modules())


def test_looking_more_often_changes_nothing(small: Experiment, tmp_path: Path) -> None:
    """Diagnostics and checkpoints watch; they take no part."""
    quiet, history = train(small, SineBatches(0, 6), log_every=100)
    watched, often = train(small, SineBatches(0, 6), log_every=1, folder=tmp_path, every=3)
    assert flat(quiet.state_dict()) == flat(watched.state_dict())
    assert flat(history.losses) == flat(often.losses)


def test_the_callback_sees_every_row_of_diagnostics(small: Experiment) -> None:
    seen = []

    def look(step: int, history: History) -> None:
        seen.append((step, bool(torch.isfinite(history.diagnostics["norm"][step // 4]))))

    train(small, SineBatches(0, 6), steps=10, on_log=look)
    assert seen == [(0, True), (4, True), (8, True)]


def test_it_is_silent_where_nobody_looks(
    small: Experiment, capfd: pytest.CaptureFixture[str]
) -> None:
    train(small, SineBatches(0, 6), steps=3)
    assert capfd.readouterr() == ("", "")


def test_it_leaves_the_global_generator_alone(small: Experiment) -> None:
    before = torch.get_rng_state()
    train(small, stream("shuffled", 0), steps=8)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_optimizer_is_given_rate_and_decay(small: Experiment) -> None:
    given: dict[str, float] = {}

    def optimizer(parameters: list[nn.Parameter], **settings: Any) -> torch.optim.Optimizer:
        given.update(settings, count=len(parameters))
        return torch.optim.SGD(parameters, **settings)

    model = small.model(Configuration(Constraint(weight_decay=0.25)), 0)
    train(small, SineBatches(0, 6), model=model, steps=2, make_optimizer=optimizer)
    assert given == {"lr": 1e-2, "weight_decay": 0.25, "count": len(model.trained_parameters())}


# How it goes on


@pytest.mark.parametrize("seeds", [0, SEEDS])
@pytest.mark.parametrize("kind", ["sine", "drawn", "shuffled"])
def test_a_resumed_run_equals_a_straight_one_bit_for_bit(
    kind: str, seeds: Seeds, small: Experiment, tmp_path: Path
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    whole = train(small, stream(kind, seeds), seeds=seeds, folder=straight)
    train(small, stream(kind, seeds), seeds=seeds, steps=17, folder=broken)
    again = train(small, stream(kind, seeds), seeds=seeds, folder=broken, resume=True)
    assert_same_run(again, whole, straight, broken)
    assert content(broken)["done"] == 30


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_one_direction_resumes_too(alpha: float, small: Experiment, tmp_path: Path) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    whole = train(small, SineBatches(0, 6), alpha=alpha, folder=straight)
    train(small, SineBatches(0, 6), alpha=alpha, steps=17, folder=broken)
    again = train(small, SineBatches(0, 6), alpha=alpha, folder=broken, resume=True)
    assert_same_run(again, whole, straight, broken)


def random_model(seeds: Seeds = 0) -> BiJEPA:
    """Dropout in the encoder and in the predictors."""
    return init_stacked(
        lambda: BiJEPA(
            nn.Sequential(Linear(10, 8), nn.ReLU(), nn.Dropout(0.3), Linear(8, 4)),
            lambda: nn.Sequential(Linear(4, 8), nn.Dropout(0.2), Linear(8, 4)),
        ),
        seeds,
    )


@pytest.mark.parametrize("seeds", [0, (4, 9)])
def test_dropout_resumes_too_and_leaves_the_global_generator_alone(
    seeds: Seeds, small: Experiment, tmp_path: Path
) -> None:
    folders, batches = [tmp_path / "straight", tmp_path / "broken"], SineBatches(seeds, 6)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    whole = train(small, batches, model=random_model(seeds), steps=40, folder=folders[0])
    assert torch.equal(torch.get_rng_state(), before)
    train(small, batches, model=random_model(seeds), steps=20, folder=folders[1])
    torch.manual_seed(6)  # another day
    again = train(
        small, batches, model=random_model(seeds), steps=40, folder=folders[1], resume=True
    )
    assert_same_run(again, whole, *folders)
    other = train(small, batches, model=random_model(seeds), steps=40)
    assert flat(other[0].state_dict()) != flat(whole[0].state_dict())  # it does draw


def test_a_folder_in_use_is_refused_before_any_work(small: Experiment, tmp_path: Path) -> None:
    def second(step: int, history: History) -> None:
        if step == 4:
            with pytest.raises(CheckpointError, match="another run is writing to"):
                train(small, SineBatches(0, 6), folder=tmp_path)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(small, SineBatches(0, 6), folder=tmp_path, on_log=second)
    train(small, SineBatches(0, 6), folder=tmp_path)  # and free again


def test_running_statistics_resume_too(small: Experiment, tmp_path: Path) -> None:
    def model() -> BiJEPA:
        made = small.model(Configuration(), 0)
        made.online.net.insert(1, nn.BatchNorm1d(8))  # type: ignore[operator, union-attr]
        made.target.net.insert(1, nn.BatchNorm1d(8).requires_grad_(False))  # type: ignore[operator, union-attr]
        return made

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    whole = train(small, SineBatches(0, 6), model=model(), folder=straight)
    train(small, SineBatches(0, 6), model=model(), steps=17, folder=broken)
    again = train(small, SineBatches(0, 6), model=model(), folder=broken, resume=True)
    assert_same_run(again, whole, straight, broken)


def test_resuming_starts_at_the_step_that_was_next(small: Experiment, tmp_path: Path) -> None:
    asked: list[int] = []

    def batches(step: int) -> tuple[Tensor, Tensor]:
        asked.append(step)
        return SineBatches(0, 6)(step)

    train(small, batches, steps=7, folder=tmp_path, resume=True)  # nothing there yet
    train(small, batches, steps=10, folder=tmp_path, resume=True)
    assert asked == list(range(10))
    train(small, batches, steps=10, folder=tmp_path, resume=True)  # nothing left to do
    assert asked == list(range(10))


def test_without_resume_finished_steps_are_never_written_over(
    small: Experiment, tmp_path: Path
) -> None:
    train(small, SineBatches(0, 6), steps=7, folder=tmp_path)
    before = (tmp_path / checkpoints.FILE).read_bytes()
    with pytest.raises(CheckpointError, match=r"holds a run.*resume=True"):
        train(small, SineBatches(0, 6), steps=2, folder=tmp_path)
    assert (tmp_path / checkpoints.FILE).read_bytes() == before


def test_checkpoints_are_written_every_so_often_and_at_the_end(
    small: Experiment, tmp_path: Path
) -> None:
    found = []

    def batches(step: int) -> tuple[Tensor, Tensor]:
        path = tmp_path / checkpoints.FILE
        found.append(content(tmp_path)["done"] if path.exists() else 0)
        return SineBatches(0, 6)(step)

    train(small, batches, steps=8, folder=tmp_path, every=3)
    assert found == [0, 0, 0, 3, 3, 3, 6, 6]
    assert content(tmp_path)["done"] == 8


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"learning_rate": 2e-2}, "learning_rate: '0.01' there, '0.02' here"),
        ({"log_every": 5}, "log_every: '4' there, '5' here"),
        ({"alpha": 0.4}, "model.alpha: '0.5' there, '0.4' here"),
        ({"alpha": 1.0}, "model.alpha: '0.5' there, '1.0' here"),
        ({"seeds": SEEDS}, "model.shapes.backward_predictor.net.0.bias: '[8]' there, '[3, 8]'"),
        ({"batches": SineBatches(0, 5)}, "data.batch_size: '6' there, '5' here"),
        ({"batches": SineBatches(1, 6)}, "data.seeds: '0' there, '1' here"),
        (
            {"batches": stream("drawn", 0)},
            "data.stream: '\"SineBatches\"' there, '\"DrawnBatches\"'",
        ),
        ({"steps": 5}, "has 6 steps, more than the 5 asked for"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_before_any_work(
    changed: dict[str, Any], difference: str, small: Experiment, tmp_path: Path
) -> None:
    train(small, SineBatches(0, 6), steps=6, folder=tmp_path)
    before = (tmp_path / checkpoints.FILE).read_bytes()
    settings: dict[str, Any] = {"batches": SineBatches(0, 6), "folder": tmp_path}
    with pytest.raises(CheckpointError) as raised:
        train(small, resume=True, **(settings | changed))
    assert difference in str(raised.value)
    assert (tmp_path / checkpoints.FILE).read_bytes() == before


def test_a_checkpoint_cut_short_is_refused_and_left(small: Experiment, tmp_path: Path) -> None:
    train(small, SineBatches(0, 6), steps=6, folder=tmp_path)
    path = tmp_path / checkpoints.FILE
    path.write_bytes(path.read_bytes()[:-300])
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        train(small, SineBatches(0, 6), folder=tmp_path, resume=True)
    assert path.read_bytes() == before


# How it stops


@pytest.mark.parametrize("kind", ["sine", "drawn", "shuffled"])
def test_an_interrupt_ends_the_step_saves_and_can_be_resumed_from(
    kind: str, small: Experiment, tmp_path: Path
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    whole = train(small, stream(kind, 0), folder=straight)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"after 13 of 30 steps, kept in .*broken: go on"):
        train(small, Pressing(stream(kind, 0), 12), folder=broken)
    assert signal.getsignal(signal.SIGINT) is handler
    assert content(broken)["done"] == 13
    again = train(small, stream(kind, 0), folder=broken, resume=True)
    assert_same_run(again, whole, straight, broken)


def test_a_polite_kill_ends_the_step_and_saves(small: Experiment, tmp_path: Path) -> None:
    def end(step: int, history: History) -> None:
        if step == 4:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(StoppedBySignal, match="stopped after 6 of 30 steps") as raised:
        train(small, SineBatches(0, 6), folder=tmp_path, on_log=end)
    assert raised.value.signal == signal.SIGTERM
    assert content(tmp_path)["done"] == 6


def test_an_interrupt_without_a_folder_just_ends_after_the_step(small: Experiment) -> None:
    taken = []
    model = small.model(Configuration(), 0)
    model.register_forward_hook(lambda *_: taken.append(1))
    with pytest.raises(KeyboardInterrupt, match=r"stopped after 4 of 30 steps$"):
        train(small, Pressing(SineBatches(0, 6), 3), model=model)
    assert len(taken) == 4


def test_a_second_interrupt_does_not_wait(small: Experiment, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small, Pressing(SineBatches(0, 6), 7, 7), folder=tmp_path, every=5)
    assert content(tmp_path)["done"] == 5


@pytest.mark.parametrize("moment", ["check_finite", "record"])
def test_an_interrupt_at_any_moment_of_a_step_saves(
    moment: str, small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = getattr(History, moment), []

    def pressed(self: History, *arguments: Any) -> None:
        original(self, *arguments)
        calls.append(arguments)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(History, moment, pressed)
    with pytest.raises(KeyboardInterrupt, match="of 30 steps") as raised:
        train(small, SineBatches(0, 6), folder=tmp_path)
    done = content(tmp_path)["done"]
    assert f"stopped after {done} of" in str(raised.value)


def test_an_interrupt_during_the_last_callback_is_not_lost(small: Experiment) -> None:
    def press(step: int, history: History) -> None:
        if step == 8:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(small, SineBatches(0, 6), steps=9, on_log=press)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("start", [12, 13, 15, 29])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    start: int, bad: float, small: Experiment, tmp_path: Path
) -> None:
    batches = spoiled(SineBatches(0, 6), start, bad)
    with pytest.raises(NonFiniteLossError, match=f"the data of step {start} are") as raised:
        train(small, batches, folder=tmp_path, every=5)
    assert raised.value.step == start
    kept = content(tmp_path)
    assert kept["done"] == start // 5 * 5
    weights = [*kept["model"].values(), kept["losses"]["total"][: kept["done"]]]
    assert all(torch.isfinite(value).all() for value in weights)
    resumed = train(small, SineBatches(0, 6), model=small.model(Configuration(), 0))
    broken = train(small, lambda step: SineBatches(0, 6)(step), folder=tmp_path, resume=True)
    assert flat(broken[0].state_dict()) == flat(resumed[0].state_dict())


def test_the_seed_that_went_bad_is_named(small: Experiment) -> None:
    batches = spoiled(SineBatches(SEEDS, 6), 13, float("nan"), seed=1)
    with pytest.raises(NonFiniteLossError, match="the data of step 13 are NaN") as raised:
        train(small, batches, seeds=SEEDS)
    assert raised.value.seeds == (1,)
    assert "at step 13 (positions [1] on the seed axis)" in str(raised.value.__cause__)


def test_a_whitened_run_that_explodes_says_so_like_any_other(small: Experiment) -> None:
    model = small.model(Configuration(WHITENED), SEEDS)
    with torch.no_grad():
        next(model.target.parameters())[1] *= 1e30  # its covariance overflows
    with pytest.raises(NonFiniteLossError, match=r"positions \[1\] on the seed axis"):
        train(small, SineBatches(SEEDS, 6), model=model)


def test_weights_that_are_not_finite_never_take_a_good_checkpoints_place(
    small: Experiment, tmp_path: Path
) -> None:
    """A gradient can overflow at a step whose own loss is still finite."""
    model = small.model(Configuration(UNCONSTRAINED), 0)
    layers = [m for m in model.forward_predictor.modules() if isinstance(m, nn.Linear)]  # type: ignore[union-attr]

    def batches(step: int) -> tuple[Tensor, Tensor]:
        if step == 7:
            with torch.no_grad():  # huge hidden values that the output layer shrinks again
                layers[0].weight.mul_(1e32)
                layers[1].weight.mul_(1e-20)
        return SineBatches(0, 6)(step)

    with pytest.raises(NonFiniteLossError):
        train(small, batches, model=model, folder=tmp_path, every=4)
    assert all(torch.isfinite(value).all() for value in content(tmp_path)["model"].values())


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_costs_no_more_than_the_new_checkpoint(
    broken: str, small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, folder = tmp_path / "straight", tmp_path / "folder"
    whole = train(small, SineBatches(0, 6), folder=straight)
    train(small, SineBatches(0, 6), steps=10, folder=folder)
    before = (folder / checkpoints.FILE).read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, broken, full)
        with pytest.raises(OSError, match=r"untouched\. Free some space") as raised:
            train(small, SineBatches(0, 6), folder=folder, resume=True, every=5)
    assert raised.value.errno == errno.ENOSPC
    assert {path.name for path in folder.iterdir()} - {LOCK} == {checkpoints.FILE}
    assert (folder / checkpoints.FILE).read_bytes() == before
    again = train(small, SineBatches(0, 6), folder=folder, resume=True)
    assert_same_run(again, whole, straight, folder)


# Collapse


def constant_model(*seeds: float) -> BiJEPA:
    """An encoder whose output is constant but for the share asked for, one for each seed."""
    model = init_stacked(lambda: BiJEPA(Linear(10, 4), nn.Identity), range(len(seeds)))
    with torch.no_grad():
        for i, share in enumerate(seeds):
            for encoder in (model.online, model.target):
                encoder.get_parameter("weight")[i] *= share
                encoder.get_parameter("bias")[i] = 1.0
    return model


def test_a_collapse_is_said_once_and_names_its_seeds_and_the_remedy(small: Experiment) -> None:
    with pytest.warns(CollapseWarning) as given:
        train(small, SineBatches(range(3), 16), model=constant_model(1.0, 1e-3, 1.0))
    assert len(given) == 1
    message = str(given[0].message)
    assert "at step 3 less than 0.1%" in message
    assert "(positions [1] on the seed axis). Normalize the data; keep LayerNorm" in message
    assert given[0].filename == __file__


def test_half_a_configuration_is_said_before_the_first_step(small: Experiment) -> None:
    plain, normed = (partial(MLPEncoder, 10, 8, 4, layer_norm=one) for one in (False, True))
    mixed = BiJEPA(plain(), partial(MLPPredictor, 4, 8))
    with (
        pytest.warns(NormalizationWarning, match="the encoder normalizes nothing") as given,
        pytest.raises(ValueError, match="x must be"),
    ):
        train(small, lambda _: (torch.ones(6, 3),) * 2, model=mixed)
    assert given[0].filename == __file__
    for encoder, layer_norm in ((plain, False), (normed, True), (normed, False)):
        model = BiJEPA(encoder(), partial(MLPPredictor, 4, 8, layer_norm))
        train(small, SineBatches(0, 6), model=model, steps=2)


def test_a_few_samples_that_are_alike_are_no_collapse(small: Experiment) -> None:
    train(small, SineBatches(range(2), 7), model=constant_model(1e-3, 1.0))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_papers_configurations_give_no_false_alarm(name: str) -> None:
    """The share is at its lowest in the first steps."""
    for experiment in (SINE, LORENZ):
        model = experiment.model(CONFIGURATIONS[name], range(2))
        batches = experiment.load(range(2)).batches
        experiment.train(model, batches, steps=60, log_every=5, device="cpu", progress=False)


# Bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": nn.Linear(2, 2)}, "model must be a BiJEPA.*Received Linear"),
        ({"batches": [(1, 2)]}, "batches must be a function of the step.*LoaderBatches"),
        ({"batches": lambda step: None}, "a pair of views.*received a NoneType"),
        ({"batches": lambda step: torch.zeros(6, 10)}, "a pair of views.*received a Tensor"),
        ({"batches": lambda step: ([1.0], [2.0])}, "x must be a tensor or an array; received list"),
        ({"steps": 2.5}, "steps must be positive and whole; received 2.5"),
        ({"steps": 10**12}, "steps must be at most 1,000,000,000.*received 1000000000000"),
        ({"log_every": True}, "log_every must be positive and whole; received True"),
        ({"learning_rate": "1e-3"}, "learning_rate must be positive and finite; received '1e-3'"),
        (
            {"make_optimizer": torch.optim.SGD([torch.zeros(1)])},
            "make_optimizer must be a function.*Received SGD",
        ),
        ({"make_optimizer": lambda *p, **s: None}, "make_optimizer must return.*Received None"),
        ({"make_optimizer": falling_adamw}, r"must take them.*'lr'.*Pass falling_adamw\(steps\)"),
        ({"device": None}, "device must be 'auto'.*received None"),
        ({"device": "meta"}, "device must be 'auto'.*received 'meta'"),
        ({"checkpoint": "runs"}, r"checkpoint must be a Checkpoint\(folder\).*Received 'runs'"),
        ({"on_log": 3}, "on_log must be a function of step and history.*Received int 3"),
    ],
)
def test_arguments_of_another_kind_are_named_before_any_work(
    settings: dict[str, Any], message: str, small: Experiment
) -> None:
    given: dict[str, Any] = {"model": small.model(Configuration(), 0), "steps": 3, "device": "cpu"}
    given |= {"batches": SineBatches(0, 6), "progress": False}
    before = flat(given["model"].state_dict())
    with pytest.raises((TypeError, ValueError), match=message):
        pretrain(**(given | settings))
    assert flat(given["model"].state_dict()) == before


def test_a_lone_row_is_no_batch_for_what_compares_samples(small: Experiment) -> None:
    x = torch.randn(13, 10, generator=torch.Generator().manual_seed(0))
    encoder = nn.Sequential(nn.Linear(10, 4), nn.BatchNorm1d(4))
    model = BiJEPA(encoder, nn.Identity)
    whitens = small.model(Configuration(WHITENED), 0)
    penalizes = small.model(Configuration(Constraint(penalties=(Penalty(1.0, unit_variance),))), 0)
    for one in (model, whitens, penalizes):
        with pytest.raises(ValueError, match="penalties need two samples or more"):
            train(small, ShuffledBatches(x, x, batch_size=6, seeds=0), model=one)
        train(small, ShuffledBatches(x, x, batch_size=7, seeds=0), model=one)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be positive.*received 0"),
        ({"steps": -5}, "steps must be positive.*received -5"),
        ({"learning_rate": 0.0}, r"learning_rate must be positive.*received 0\.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive.*received nan"),
        ({"log_every": 0}, "log_every must be positive.*received 0"),
        ({"device": "abacus"}, "received 'abacus'.*Use device='auto'"),
    ],
)
def test_bad_arguments_are_named_before_any_work(
    settings: dict[str, Any], message: str, small: Experiment
) -> None:
    def never(step: int) -> tuple[Tensor, Tensor]:
        raise AssertionError("no batch is needed to see this")

    with pytest.raises(ValueError, match=message):
        train(small, never, **settings)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(6, 10), torch.zeros(5, 10), r"\(6, 10\) and \(5, 10\)"),
        (torch.zeros(0, 10), torch.zeros(0, 10), r"not be empty; received shape \(0, 10\)"),
        (torch.full((6, 10), torch.nan), torch.zeros(6, 10), "x must be finite; 60 of its 60"),
        (torch.zeros(6, 10), torch.full((6, 10), torch.inf), "y must be finite; 60 of its 60"),
        (torch.zeros(6, 9), torch.zeros(6, 9), r"view = \(10,\).*received \(6, 9\)"),
        (torch.zeros(6, 10).double(), torch.zeros(6, 10).double(), r"received torch\.float64"),
        (torch.zeros(6, 10), torch.zeros(6, 10).double(), "must agree in shape, dtype"),
    ],
)
def test_a_bad_first_batch_is_named_before_any_work(
    x: Tensor, y: Tensor, message: str, small: Experiment, tmp_path: Path
) -> None:
    model = small.model(Configuration(), 0)
    before = flat(model.state_dict())
    with pytest.raises(ValueError, match=message):
        train(small, lambda step: (x, y), model=model, folder=tmp_path)
    assert flat(model.state_dict()) == before
    assert {path.name for path in tmp_path.iterdir()} <= {LOCK}  # which filelock may leave there


def test_as_many_seeds_in_the_data_as_in_the_model(small: Experiment) -> None:
    with pytest.raises(ValueError, match=r"or \(3, batch, \*view\).*received \(2, 6, 10\)"):
        train(small, SineBatches([0, 1], 6), seeds=SEEDS)
