"""Checkpoints: tensors and plain data, written whole, loaded without running code."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from bijepa_core._support import archives
from bijepa_core._support.checks import check_counts, check_kind, make_plain
from bijepa_core._support.errors import CheckpointError, NonFiniteLossError
from bijepa_core._support.locks import folder_lock
from bijepa_core.history import History
from bijepa_core.model import SHAPES, BiJEPA
from bijepa_core.seeds import random_state, set_random_state

FILE = "checkpoint.pt"
FORMAT = 1
MOMENTS = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "sum"}
"""Optimizer state of its weight's shape: torch's fused kernels write to it without looking."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is kept, how often, and whether to go on from what is there.

    Args:
        folder: for ``checkpoint.pt``; made where it is missing.
        every: steps between two checkpoints; one more is written at the end.
        resume: go on from the folder's checkpoint, if it holds one. Without it, a folder that
            holds one is refused: finished steps are never written over.

    Raises:
        ValueError: if ``every`` is not a positive whole number.
        TypeError: if ``folder`` names no folder, or ``resume`` is neither True nor False.
    """

    folder: str | Path
    every: int = 500
    resume: bool = False

    def __post_init__(self) -> None:
        make_plain(self)
        check_counts(every=self.every)
        given = None if isinstance(self.folder, str) and not self.folder else self.folder
        check_kind("folder must be a path.", given, str, Path)
        check_kind("resume must be True or False.", self.resume, bool)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.folder) / FILE


class Keeper:
    """Keeps a run in its checkpoint, or does nothing where there is none.

    Its ``lock``, a context, holds the checkpoint's folder against other runs; entering it raises a
    CheckpointError where the folder cannot be written to, or another run holds it.

    Args:
        checkpoint: where; None for no file.
        model, optimizer, history: what to keep, and what to restore in place.
        learning_rate, batches: must be a resumed run's, too, besides the model's configuration.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        model: BiJEPA,
        optimizer: Optimizer,
        history: History,
        learning_rate: float,
        batches: Any,
    ) -> None:
        self.checkpoint, self.device = checkpoint, next(model.parameters()).device
        self.model, self.optimizer, self.history = model, optimizer, history
        self.configuration: dict[str, Any] = {
            "model": model.configuration(),
            "learning_rate": learning_rate,
            "log_every": history.log_every,
            "data": getattr(batches, "configuration", dict)(),
        }
        self.lock: AbstractContextManager[None] = (
            nullcontext() if checkpoint is None else folder_lock(checkpoint.folder)
        )

    def is_due(self, done: int) -> bool:
        """Whether so many steps call for a checkpoint."""
        return self.checkpoint is not None and done % self.checkpoint.every == 0

    def save(self, done: int) -> None:
        """Write a checkpoint of the first ``done`` steps.

        Raises:
            NonFiniteLossError: if a weight is NaN or infinite; the former checkpoint stays.
            OSError: if it cannot be written; the former checkpoint stays.
        """
        if self.checkpoint is None:
            return
        _check_weights(self.model, done - 1)
        archives.write(
            self.checkpoint.path,
            {
                "format": FORMAT,
                "configuration": self.configuration,
                "done": done,
                "model": self.model.weights(),
                "optimizer": self.optimizer.state_dict(),
                "losses": self.history.losses,
                "diagnostics": self.history.diagnostics,
                "random": random_state(self.device),
            },
        )

    def restore(self) -> int:
        """Put a checkpoint's state into model, optimizer and history, once all is checked.

        Returns:
            The number of steps done; 0 where there is nothing to go on from.

        Raises:
            CheckpointError: if there is a file and the run is not to go on from it; if it is
                damaged, holds anything but tensors and plain data, is of another configuration, or
                is further on than the present run goes.
        """
        if self.checkpoint is None:
            return 0
        path, history = self.checkpoint.path, self.history
        if not path.exists():
            return 0
        if not path.is_file():
            raise CheckpointError(f"{path} is no ordinary file. Choose another folder.")
        if not self.checkpoint.resume:
            raise CheckpointError(
                f"{path} holds a run, and a new one would write over it. Go on from it with "
                "resume=True (--resume), choose another folder, or move it away."
            )
        remedy = "Move it away, or choose another folder."
        content = read(path)
        differing = archives.differences(self.configuration, content["configuration"], SHAPES)
        if differing:
            raise CheckpointError(f"{path} is of another configuration ({differing}). {remedy}")
        done: int = content["done"]
        if done > history.steps:
            raise CheckpointError(
                f"{path} has {done} steps, more than the {history.steps} asked for. "
                f"Ask for at least {done} steps. {remedy}"
            )
        self._check_fit(content, path, remedy)
        set_random_state(content["random"], self.device)
        self.model.load_weights(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        history.keep(History(history.log_every, content["losses"], content["diagnostics"]), done)
        return done

    def _check_fit(self, content: dict[str, Any], path: Path, remedy: str) -> None:
        """Every tensor has the place that it is to be put into: its shape and dtype."""
        optimizer = self.optimizer
        if _settings(optimizer.state_dict()) != _settings(content["optimizer"]):
            raise CheckpointError(
                f"{path} was written with another optimizer, or with other settings of it. {remedy}"
            )
        if archives.forms(self.model.weights()) != archives.forms(content["model"]):
            raise CheckpointError(f"{path} holds weights of another model. {remedy}")
        weights = [p for group in optimizer.param_groups for p in group["params"]]
        for i, moments in content["optimizer"]["state"].items():
            fits = isinstance(i, int) and 0 <= i < len(weights)
            for name in MOMENTS & moments.keys():
                fits = fits and moments[name].shape == weights[i].shape
            if not fits:
                raise CheckpointError(f"{path} holds optimizer state of other shapes. {remedy}")
        try:
            for kind, state in content["random"].items():
                if kind in ("cpu", self.device.type):
                    torch.Generator(kind).set_state(state)
        except (AttributeError, RuntimeError, TypeError) as error:
            raise CheckpointError(f"{path} holds no state of random numbers. {remedy}") from error
        for kept in ("losses", "diagnostics"):
            there, here = (
                archives.forms({name: curve[:0] for name, curve in curves.items()})
                for curves in (content[kept], getattr(self.history, kept))
            )  # of a step's values: there may be other numbers of steps
            if there != here:
                raise CheckpointError(f"{path} holds {kept} of another kind. {remedy}")


def read(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, on the CPU, without running any code from it.

    Raises:
        CheckpointError: if it is missing, damaged, or holds more than tensors and plain data.
    """
    content = archives.read(path, "checkpoint")
    keys = {"format", "configuration", "done", "model", "optimizer", "losses", "diagnostics"}
    if isinstance(content, dict) and content.keys() == keys:
        content["random"] = {}  # from before it was kept
    keys |= {"random"}
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.keys() != keys:
        raise CheckpointError(
            f"{path} is not a checkpoint of this program (format {FORMAT}). Choose another folder."
        )
    return content


def _check_weights(model: BiJEPA, step: int) -> None:
    """Weights worth keeping: a gradient can overflow at a step whose own loss is still finite."""
    if not all(bool(torch.isfinite(weights).all()) for weights in model.parameters()):
        raise NonFiniteLossError(
            f"weights became NaN or infinite at step {step}, though its loss is finite. The last "
            "checkpoint, if any, is good. Lower the learning rate.",
            step,
        )


def _settings(state: dict[str, Any]) -> list[dict[str, str]]:
    """An optimizer's settings, as text, which has no trouble with tensors."""
    return [{name: repr(value) for name, value in group.items()} for group in state["param_groups"]]
