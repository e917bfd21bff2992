"""Pretraining: the one loop."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.optim import AdamW, Optimizer

from bijepa_core._support import checkpoints
from bijepa_core._support.checks import check_counts, check_positive, check_table
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import NonFiniteLossError
from bijepa_core._support.interrupts import deferred_interrupt
from bijepa_core._support.progress import progress_bar
from bijepa_core.data.streams import Batches
from bijepa_core.history import History
from bijepa_core.model import BiJEPA

fused_adamw = partial(AdamW, fused=True)  # one kernel for all parameters


def pretrain(
    model: BiJEPA,
    batches: Batches,
    *,
    steps: int,
    learning_rate: float = 1e-3,
    optimizer: Callable[..., Optimizer] = fused_adamw,
    device: str | torch.device = "auto",
    log_every: int = 20,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 500,
    resume: bool = False,
    progress: bool = True,
    on_log: Callable[[int, History], None] | None = None,
) -> History:
    """Train a BiJEPA, one seed or many, in place (section 3 and appendix B.3).

    Args:
        model: the model; left in evaluation mode, on ``device``.
        batches: maps a step to ``(x, y)``; a pure function of the step (see
            :mod:`bijepa_core.data.streams`), which is what makes a resumed run exact.
        steps: optimizer steps in all, those before a resume included.
        learning_rate: the optimizer's; its weight decay is ``model.constraint.weight_decay``.
        optimizer: called with the parameters, ``lr`` and ``weight_decay``.
        device: ``"auto"`` (CUDA, else MPS, else CPU) or a device.
        log_every: steps between two rows of diagnostics, and between two looks at the losses.
        checkpoint: a folder for ``checkpoint.pt``; None for no file.
        checkpoint_every: steps between two checkpoints; one more is written at the end.
        resume: go on from the folder's checkpoint, if it holds one.
        progress: show a bar, where the output is a terminal or a notebook.
        on_log: called with the step and the history at every row of diagnostics.

    Returns:
        The losses of every step and the diagnostics of every ``log_every``-th, on the CPU.

    Raises:
        ValueError: if an argument or the first batch breaks a rule; before any work.
        CheckpointError: if the checkpoint or its folder cannot be used; before any work.
        NonFiniteLossError: if a loss is NaN or infinite; the last good checkpoint stays.
        KeyboardInterrupt: on Ctrl-C, after the current step, with a checkpoint written.
    """
    check_counts(steps=steps, log_every=log_every, checkpoint_every=checkpoint_every)
    check_positive(learning_rate=learning_rate)
    if resume and checkpoint is None:
        raise ValueError("resume needs the folder to resume from; received checkpoint=None.")
    place = resolve_device(device)
    model.to(place).train()
    updates = optimizer(
        model.trained_parameters(), lr=learning_rate, weight_decay=model.constraint.weight_decay
    )
    history = History.empty(steps, log_every, model.seed_axis, like=next(model.parameters()))
    path = None if checkpoint is None else Path(checkpoint) / checkpoints.FILE
    start = 0
    configuration: dict[str, Any] = {}
    if path is not None:  # a fingerprint of the data takes a while: only where it is of use
        checkpoints.prepare(path)
        configuration = {
            "model": model.configuration(),
            "learning_rate": learning_rate,
            "log_every": log_every,
            "data": getattr(batches, "configuration", dict)(),
        }
        if resume and path.exists():
            start = checkpoints.load(path, configuration, model, updates, history)

    checked = start  # losses before this step are known to be finite
    with deferred_interrupt() as interrupted:
        for step in progress_bar(range(start, steps), progress, "pretraining"):
            x, y = (view.to(place) for view in batches(step))
            if step == start:
                check_table(x, y)
            losses = model(x, y)
            updates.zero_grad()
            losses.total.sum().backward()  # seeds share no parameter: gradients stay apart
            updates.step()
            model.update_target()
            history.record(step, losses)

            done = step + 1
            stopping = interrupted()
            saving = done % checkpoint_every == 0 or done == steps or stopping
            if saving or done % log_every == 0:
                history.check_finite(checked, done)
                checked = done
            if saving and path is not None:
                check_weights(model, step)
                checkpoints.save(path, configuration, done, model, updates, history)
            if stopping:
                raise KeyboardInterrupt(f"stopped after {done} of {steps} steps")
            if on_log is not None and step % log_every == 0:
                on_log(step, history)
        if interrupted():
            raise KeyboardInterrupt(f"stopped after {steps} of {steps} steps")
    model.eval()
    return history.cpu()


def check_weights(model: BiJEPA, step: int) -> None:
    """Weights worth keeping: a gradient can overflow at a step whose own loss is still finite.

    Raises:
        NonFiniteLossError: if a weight is NaN or infinite.
    """
    if not all(bool(torch.isfinite(weights).all()) for weights in model.parameters()):
        raise NonFiniteLossError(
            f"weights became NaN or infinite at step {step}, though its loss is finite. The last "
            "checkpoint, if any, is good. Lower the learning rate.",
            step,
        )
