"""A checkpoint gives back what it was given, or says why not; it never runs code."""

import hashlib
import io
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from bijepa_core import checkpoints, pretrain
from bijepa_core._support.errors import CheckpointError
from bijepa_core.checkpoints import Checkpoint, Keeper
from bijepa_core.data.sine import SineBatches
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.experiments import Configuration, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA

STEPS, LOG_EVERY = 6, 2
CONFIGURATION = {"learning_rate": 0.01, "model": {"alpha": 0.5, "shape": [3, 4]}, "name": "sine"}


@dataclass
class Run:
    """What a checkpoint holds."""

    model: BiJEPA
    optimizer: Optimizer
    history: History

    def train(self, start: int, stop: int) -> None:
        batches = SineBatches(0, 6)
        for step in range(start, stop):
            losses = self.model(*batches(step))
            self.optimizer.zero_grad()
            losses.total.backward()
            self.optimizer.step()
            self.model.update_target()
            self.history.record(step, losses)

    def keeper(self, path: Path, configuration: dict[str, Any]) -> Keeper:
        keeper = Keeper(
            Checkpoint(path.parent, resume=True),
            self.model,
            self.optimizer,
            self.history,
            learning_rate=1e-2,
            batches=None,
        )
        keeper.configuration = configuration
        return keeper

    def save(self, path: Path, done: int, configuration: dict[str, Any] = CONFIGURATION) -> None:
        self.keeper(path, configuration).save(done)

    def load(self, path: Path, configuration: dict[str, Any] = CONFIGURATION) -> int:
        return self.keeper(path, configuration).restore()

    def tensors(self) -> list[Tensor]:
        """Every tensor the run consists of, copied."""
        moments = self.optimizer.state_dict()["state"].values()
        held = [
            *self.model.state_dict().values(),
            *(value for one in moments for value in one.values()),
            *self.history.losses.values(),
            *self.history.diagnostics.values(),
        ]
        return [value.detach().clone() for value in held]


def new(small: Experiment, alpha: float = 0.5, steps: int = STEPS, seed: int = 0) -> Run:
    model = small.model(Configuration(alpha=alpha), seed)
    optimizer = AdamW(model.trained_parameters(), lr=1e-2)
    history = History.empty(steps, LOG_EVERY, None, like=torch.zeros(1))
    return Run(model, optimizer, history)


def same(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    """Bit for bit, NaN included."""
    return len(ours) == len(theirs) and all(
        a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.fixture
def saved(small: Experiment, tmp_path: Path) -> Path:
    """A checkpoint after four of six steps."""
    run, path = new(small), tmp_path / checkpoints.FILE
    run.train(0, 4)
    run.save(path, 4)
    return path


def refused(path: Path, small: Experiment, **settings: Any) -> str:
    """The message with which a checkpoint is refused; the run must stay as it was."""
    run = new(small, **settings)
    run.train(0, 1)
    before = run.tensors()
    with pytest.raises(CheckpointError) as raised:
        run.load(path)
    assert same(run.tensors(), before)
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_loading_restores_every_bit(small: Experiment, tmp_path: Path) -> None:
    one, path = new(small), tmp_path / checkpoints.FILE
    one.train(0, 4)
    one.save(path, 4)
    other = new(small, seed=5)
    assert other.load(path) == 4
    assert same(other.tensors(), one.tensors())
    for run in (one, other):
        run.train(4, 6)
    assert same(other.tensors(), one.tensors())


def test_a_longer_run_can_take_it_up(saved: Path, small: Experiment) -> None:
    run = new(small, steps=9)
    assert run.load(saved) == 4
    assert torch.isfinite(run.history.losses["total"][:4]).all()
    assert run.history.losses["total"][4:].isnan().all()
    assert run.history.diagnostics["norm"].shape == (5,)


def test_more_steps_than_asked_for_are_refused(saved: Path, small: Experiment) -> None:
    message = refused(saved, small, steps=3)
    assert "has 4 steps, more than the 3 asked for" in message
    assert "Ask for at least 4 steps" in message


def test_as_many_steps_as_asked_for_are_welcome(saved: Path, small: Experiment) -> None:
    assert new(small, steps=4).load(saved) == 4


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"learning_rate": 0.02}, "learning_rate: '0.01' there, '0.02' here"),
        ({"model": {"alpha": 1.0, "shape": [3, 4]}}, "model.alpha: '0.5' there, '1.0' here"),
        ({"model": {"alpha": 0.5, "shape": [3, 5]}}, "model.shape: '[3, 4]' there, '[3, 5]' here"),
        ({"extra": True}, "extra: None there, 'true' here"),
    ],
)
def test_another_configuration_is_refused_and_the_difference_named(
    changed: dict[str, Any], difference: str, saved: Path, small: Experiment
) -> None:
    run = new(small)
    before = run.tensors()
    with pytest.raises(CheckpointError, match=r"another configuration.*Move it away") as raised:
        run.load(saved, {**CONFIGURATION, **changed})
    assert difference in str(raised.value)
    assert same(run.tensors(), before)


def test_a_setting_that_is_missing_here_is_named_too(saved: Path, small: Experiment) -> None:
    with pytest.raises(CheckpointError, match="name: '\"sine\"' there, None here"):
        new(small).load(saved, {k: v for k, v in CONFIGURATION.items() if k != "name"})


def test_of_many_differences_the_rest_is_counted(saved: Path, small: Experiment) -> None:
    other = {f"setting {i}": i for i in range(9)}
    with pytest.raises(CheckpointError, match=r"learning_rate.*; and 9 more\)"):
        new(small).load(saved, other)


def test_a_file_cut_short_anywhere_is_refused(saved: Path, small: Experiment) -> None:
    content = saved.read_bytes()
    lengths = [0, 1, 3, 64, *range(500, len(content), len(content) // 12)]
    for length in [*lengths, *(len(content) - n for n in (1, 10, 30, 100, 1000))]:
        saved.write_bytes(content[:length])
        message = refused(saved, small)
        assert "not a readable checkpoint" in message, length
        assert "Move it away, or restore it from a copy" in message


def flat(value: Any) -> list[Any]:
    """A nested content as a list, tensors as bytes, so that it can be compared."""
    if isinstance(value, dict):
        return [part for key, one in value.items() for part in (key, *flat(one))]
    if isinstance(value, list | tuple):
        return [part for one in value for part in flat(one)]
    if isinstance(value, Tensor):
        return [str(value.dtype), tuple(value.shape), value.numpy().tobytes()]
    return [value]


def test_a_flipped_bit_never_goes_unnoticed(saved: Path) -> None:
    """Wherever a bit flips, reading either fails or gives what was saved (padding, say)."""
    content = saved.read_bytes()
    expected = flat(checkpoints.read(saved))
    unnoticed = []
    for place in range(0, len(content), len(content) // 97):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        saved.write_bytes(bytes(damaged))
        try:
            read = checkpoints.read(saved)
        except CheckpointError:
            continue
        if flat(read) != expected:
            unnoticed.append(place)
    assert unnoticed == []


class Trap:
    """Whoever unpickles this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_code_in_a_checkpoint_does_not_run(small: Experiment, tmp_path: Path) -> None:
    run, path, trace = new(small), tmp_path / checkpoints.FILE, tmp_path / "trace"
    run.save(path, 0, {**CONFIGURATION, "extra": Trap(trace)})
    assert "tensors and plain data" in refused(path, small)
    assert not trace.exists()


def test_code_in_a_bare_pickle_does_not_run(small: Experiment, tmp_path: Path) -> None:
    path, trace = tmp_path / checkpoints.FILE, tmp_path / "trace"
    path.write_bytes(pickle.dumps(Trap(trace)))
    assert "tensors and plain data" in refused(path, small)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # the trap does work
    assert trace.exists()


def test_a_whole_module_is_more_than_plain_data(small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / checkpoints.FILE
    torch.save(nn.Linear(2, 2), path)
    refused(path, small)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04" + bytes(200)])
def test_another_kind_of_file_is_refused(content: bytes, small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / checkpoints.FILE
    path.write_bytes(content)
    refused(path, small)


@pytest.mark.parametrize("content", [{"format": 1}, {"weights": torch.zeros(2)}, torch.zeros(3)])
def test_another_programs_tensors_are_refused(
    content: Any, small: Experiment, tmp_path: Path
) -> None:
    path = tmp_path / checkpoints.FILE
    torch.save(content, path)
    refused(path, small)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        checkpoints.read(tmp_path / "nothing.pt")


def test_another_optimizer_is_refused_before_anything_changes(
    saved: Path, small: Experiment
) -> None:
    run = new(small, seed=5)
    run.optimizer = SGD(run.model.trained_parameters(), lr=1e-2, momentum=0.9)
    before = run.tensors()
    with pytest.raises(CheckpointError):
        run.load(saved)
    assert same(run.tensors(), before)


def test_weights_of_another_model_are_refused(saved: Path, small: Experiment) -> None:
    """Even under a configuration that says the same."""
    refused(saved, small, alpha=1.0)


def test_a_folder_that_cannot_be_one_is_named_before_any_work(
    small: Experiment, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")

    def batches(step: int) -> tuple[Tensor, Tensor]:
        raise AssertionError("work began")

    with pytest.raises(CheckpointError, match=r"file cannot be written to"):
        pretrain(
            small.model(Configuration(), 0), batches, steps=3, device="cpu",
            checkpoint=Checkpoint(tmp_path / "file"), progress=False,
        )  # fmt: skip


def test_what_stands_in_the_files_place_is_left(small: Experiment, tmp_path: Path) -> None:
    (tmp_path / checkpoints.FILE).mkdir()
    for resume in (False, True):
        with pytest.raises(CheckpointError, match=r"checkpoint\.pt is no ordinary file"):
            pretrain(
                small.model(Configuration(), 0), SineBatches(0, 6), steps=3, device="cpu",
                checkpoint=Checkpoint(tmp_path, resume=resume), progress=False,
            )  # fmt: skip


def test_a_checkpoint_from_before_random_states_were_kept_is_welcome(
    saved: Path, small: Experiment
) -> None:
    changed(saved, lambda content: content.pop("random"))
    test_a_longer_run_can_take_it_up(saved, small)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folder": ""}, "folder must be a path"),
        ({"folder": None}, "folder must be a path"),
        ({"folder": "a", "resume": "no"}, "resume must be True or False. Received 'no'"),
    ],
)
def test_a_checkpoint_names_a_folder(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Checkpoint(**settings)


def test_another_table_of_the_same_size_is_another_configuration() -> None:
    x, y = torch.zeros(9, 4), torch.ones(9, 4)
    one, other = (
        DrawnBatches(x, values, batch_size=2, seeds=0).configuration() for values in (y, y + 1)
    )
    assert one != other
    assert one == DrawnBatches(x.clone(), y, batch_size=2, seeds=0).configuration()


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A checkpoint whose content has been forged, and its digest made anew."""
    content = checkpoints.read(str(path))
    change(content)
    buffer = io.BytesIO()
    torch.save(content, buffer)
    body = buffer.getvalue()
    path.write_bytes(hashlib.sha256(body).digest() + body)


def test_forged_content_is_refused_before_it_is_put_anywhere(
    small: Experiment, saved: Path
) -> None:
    """An optimizer takes moments of any shape, and then writes past their end."""
    original = saved.read_bytes()

    def moment(content: dict[str, Any]) -> None:
        content["optimizer"]["state"][0]["exp_avg"] = torch.zeros(1000)

    def scalar(content: dict[str, Any]) -> None:
        content["optimizer"]["state"][0]["exp_avg_sq"] = torch.zeros(())

    def stranger(content: dict[str, Any]) -> None:
        content["optimizer"]["state"][999] = content["optimizer"]["state"][0]

    def rate(content: dict[str, Any]) -> None:
        content["optimizer"]["param_groups"][0]["lr"] = 1e3

    def weights(content: dict[str, Any]) -> None:
        content["model"] = {n: v.double() for n, v in content["model"].items()}

    def losses(content: dict[str, Any]) -> None:
        del content["losses"]["forward"]

    def random(content: dict[str, Any]) -> None:
        content["random"]["cpu"] = content["random"]["cpu"][:-1]

    for change, message in (
        (random, "no state of random numbers"),
        (moment, "optimizer state of other shapes"),
        (scalar, "optimizer state of other shapes"),
        (stranger, "optimizer state of other shapes"),
        (rate, "other settings"),
        (weights, "weights of another model"),
        (losses, "losses of another kind"),
    ):
        changed(saved, change)
        assert message in refused(saved, small), change.__name__
        saved.write_bytes(original)


def test_numbers_of_numpy_are_numbers(small: Experiment, tmp_path: Path) -> None:
    n: Any = np
    kept = Checkpoint(tmp_path, every=n.int64(2))
    for steps, resume in ((n.int32(3), False), (n.int64(5), True)):
        history = pretrain(
            small.model(Configuration(), 0), SineBatches(0, 6), steps=steps,
            learning_rate=n.float32(1e-2), log_every=n.int64(1), device="cpu",
            checkpoint=replace(kept, resume=resume), progress=False,
        )  # fmt: skip
    assert history.steps == 5
