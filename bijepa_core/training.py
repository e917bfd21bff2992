"""Pretraining: the one loop (section 3 and appendix B.3)."""

from collections.abc import Callable
from functools import partial

import torch
from torch.optim import AdamW, Optimizer

from bijepa_core._support.checks import check_counts, check_positive, check_table
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import StoppedBySignal
from bijepa_core._support.interrupts import deferred_interrupt
from bijepa_core._support.progress import progress_bar
from bijepa_core.checkpoints import Checkpoint, Keeper
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
    make_optimizer: Callable[..., Optimizer] = fused_adamw,
    device: str | torch.device = "auto",
    log_every: int = 20,
    checkpoint: Checkpoint | None = None,
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
        make_optimizer: called with the parameters, ``lr`` and ``weight_decay``.
        device: ``"auto"`` (CUDA, else MPS, else CPU) or a device.
        log_every: steps between two rows of diagnostics, and between two looks at the losses.
        checkpoint: where to keep the run, how often, and whether to go on from what is there;
            None for no file.
        progress: show a bar, where the output is a terminal or a notebook.
        on_log: called with the step and the history at every row of diagnostics.

    Returns:
        The losses of every step and the diagnostics of every ``log_every``-th, on the CPU.

    Raises:
        ValueError: if an argument or the first batch breaks a rule; before any work.
        CheckpointError: if the checkpoint or its folder cannot be used; before any work.
        NonFiniteLossError: if a loss is NaN or infinite; the last good checkpoint stays.
        KeyboardInterrupt: on Ctrl-C, SIGTERM or SIGHUP, after the current step, with a checkpoint
            written.
    """
    check_counts(steps=steps, log_every=log_every)
    check_positive(learning_rate=learning_rate)
    steps, log_every, learning_rate = int(steps), int(log_every), float(learning_rate)
    device = resolve_device(device)
    model.to(device).train()
    optimizer = make_optimizer(
        model.trained_parameters(), lr=learning_rate, weight_decay=model.constraint.weight_decay
    )
    history = History.empty(steps, log_every, model.seed_axis, like=next(model.parameters()))
    keeper = Keeper(checkpoint, model, optimizer, history, learning_rate, batches)
    start = checked = keeper.restore()  # losses before ``checked`` are known to be finite

    with deferred_interrupt() as interrupted:
        for step in progress_bar(range(start, steps), progress, "pretraining"):
            x, y = (view.to(device) for view in batches(step))
            if step == start:
                check_table(x, y)
            losses = model(x, y)
            optimizer.zero_grad()
            losses.total.sum().backward()  # seeds share no parameter: gradients stay apart
            optimizer.step()
            model.update_target()
            history.record(step, losses)

            done = step + 1
            stopping = interrupted()
            saving = keeper.is_due(done) or done == steps or stopping
            if saving or done % log_every == 0:
                history.check_finite(checked, done)
                checked = done
            if saving:
                keeper.save(done)
            if stopping:
                raise StoppedBySignal(f"stopped after {done} of {steps} steps", stopping)
            if on_log is not None and step % log_every == 0:
                on_log(step, history)
        if interrupted():
            raise StoppedBySignal(f"stopped after {steps} of {steps} steps", interrupted())
    model.eval()
    return history.cpu()
