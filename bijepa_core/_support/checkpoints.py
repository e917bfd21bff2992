"""Checkpoints: tensors and plain data, written whole, loaded without running code."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from bijepa_core._support.errors import CheckpointError
from bijepa_core._support.files import write_whole
from bijepa_core.history import History
from bijepa_core.model import BiJEPA

FILE = "checkpoint.pt"
FORMAT = 1
DIGEST = 32  # bytes of SHA-256 in front of the content


def prepare(path: Path) -> None:
    """Make the checkpoint's folder, and see that it can be written to.

    Raises:
        CheckpointError: if it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"checkpoints need a folder; {path.parent} cannot be one ({error.strerror})."
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise CheckpointError(f"the folder {path.parent} cannot be written to. Choose another.")


def save(
    path: Path,
    configuration: dict[str, Any],
    done: int,
    model: BiJEPA,
    optimizer: Optimizer,
    history: History,
) -> None:
    """Write a checkpoint.

    Args:
        path: the file.
        configuration: plain data that a resuming run must agree on.
        done: optimizer steps taken.
        model, optimizer, history: what to keep; the history's first ``done`` steps.

    Raises:
        OSError: if it cannot be written; the former checkpoint stays.
    """
    buffer = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "configuration": configuration,
            "done": done,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "losses": history.losses,
            "diagnostics": history.diagnostics,
        },
        buffer,
    )
    content = buffer.getvalue()
    # torch does not check what it reads: a flipped bit would become a wrong weight, unnoticed
    write_whole(path, hashlib.sha256(content).digest() + content)


def load(
    path: Path,
    configuration: dict[str, Any],
    model: BiJEPA,
    optimizer: Optimizer,
    history: History,
) -> int:
    """Put a checkpoint's state into model, optimizer and history.

    Args:
        path: the file.
        configuration: the present run's; must equal the checkpoint's.
        model, optimizer, history: changed in place, once everything has been checked.

    Returns:
        The number of steps done.

    Raises:
        CheckpointError: if the file is damaged, holds anything but tensors and plain data, is
            of another configuration, or is further on than the present run goes.
    """
    remedy = "Move it away, choose another folder, or start without resume."
    content = read(path)
    ours, theirs = _flat(configuration), _flat(content["configuration"])
    differing = sorted(
        key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)
    )
    if differing:
        listed = "; ".join(
            f"{key}: {theirs.get(key)!r} there, {ours.get(key)!r} here" for key in differing[:4]
        )
        more = f"; and {len(differing) - 4} more" if len(differing) > 4 else ""
        raise CheckpointError(f"{path} is of another configuration ({listed}{more}). {remedy}")
    done = content["done"]
    if done > history.steps:
        raise CheckpointError(
            f"{path} has {done} steps, more than the {history.steps} asked for. "
            f"Ask for at least {done} steps. {remedy}"
        )
    if optimizer_keys(optimizer.state_dict()) != optimizer_keys(content["optimizer"]):
        raise CheckpointError(f"{path} was written with another optimizer. {remedy}")
    if shapes(model.state_dict()) != shapes(content["model"]):
        raise CheckpointError(f"{path} holds weights of another model. {remedy}")
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    history.keep(History(history.log_every, content["losses"], content["diagnostics"]), done)
    return done


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint file, on the CPU, without running any code from it.

    Raises:
        CheckpointError: if it is missing, damaged, or holds more than tensors and plain data.
    """
    try:
        raw = path.read_bytes()
        digest, body = raw[:DIGEST], raw[DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("its SHA-256 differs")
        content = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist.") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} is not a readable checkpoint: cut short, damaged, or holding more than "
            f"tensors and plain data ({reason}). Delete it, or restore it from a copy."
        ) from error
    keys = {"format", "configuration", "done", "model", "optimizer", "losses", "diagnostics"}
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.keys() != keys:
        raise CheckpointError(
            f"{path} is not a checkpoint of this program (format {FORMAT}). Choose another folder."
        )
    return content


def optimizer_keys(state: dict[str, Any]) -> list[list[str]]:
    """Names of an optimizer's settings, by which one kind is told from another."""
    return [sorted(group) for group in state["param_groups"]]


def shapes(state: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    """Shape of each tensor, by name."""
    return {name: value.shape for name, value in state.items()}


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {
            k: v for key, one in value.items() for k, v in _flat(one, f"{prefix}{key}.").items()
        }
    return {prefix.rstrip("."): json.dumps(value)}
