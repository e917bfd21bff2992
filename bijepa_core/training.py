"""Pretraining: the one loop (section 3 and appendix B.3)."""

import warnings
from collections.abc import Callable
from types import NoneType

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.optim import Optimizer

from bijepa_core._support.checks import check_counts, check_kind, check_positive, check_table
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import (
    CollapseWarning,
    NonFiniteLossError,
    NormalizationWarning,
    StoppedBySignal,
)
from bijepa_core._support.interrupts import deferred_interrupt
from bijepa_core._support.progress import progress_bar
from bijepa_core.checkpoints import Checkpoint, Keeper
from bijepa_core.data.streams import Batches, take
from bijepa_core.diagnostics import varying_share
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses
from bijepa_core.optimizers import fused_adamw
from bijepa_core.seeds import borrowing_random_state

COLLAPSED = 1e-3  # share of the embedding's mean square that differs between samples
NORMALIZATIONS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, _InstanceNorm)
MOST = 10**9  # losses that a history has room for


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
        make_optimizer: called with the parameters, ``lr`` and ``weight_decay``; see
            :mod:`bijepa_core.optimizers`.
        device: ``"auto"`` (CUDA, else MPS, else CPU) or a device.
        log_every: steps between two rows of diagnostics, and between two looks at the losses.
        checkpoint: where to keep the run, how often, and whether to go on from what is there;
            None for no file.
        progress: show a bar, where the output is a terminal or a notebook.
        on_log: called with the step and the history at every row of diagnostics.

    Returns:
        The losses of every step and the diagnostics of every ``log_every``-th, on the CPU.

    Whatever is drawn from PyTorch's global generators, by dropout say, begins where they stand,
    goes on after a resume where it stopped, and leaves them as they were.

    A :class:`~bijepa_core.NormalizationWarning` is given where predictors have LayerNorm and the
    encoder normalizes nothing (chapter 7: on real data four seeds of eight learned nothing so).
    A :class:`~bijepa_core.CollapseWarning` is given, once, when less than a thousandth of the
    embedding's mean square differs between the samples of a batch, 8 or more, at a step where
    losses are looked at. The paper's runs stay above it, by ten times on sine and Lorenz.

    Raises:
        ValueError, TypeError: if an argument or the first batch breaks a rule; before any work.
        CheckpointError: if the checkpoint or its folder cannot be used, or another run is using
            it; before any work.
        NonFiniteLossError: if a loss is NaN or infinite; the last good checkpoint stays.
        KeyboardInterrupt: on Ctrl-C, SIGTERM or SIGHUP, after the current step, with a checkpoint
            written.
    """
    check_counts(steps=steps, log_every=log_every)
    check_positive(learning_rate=learning_rate)
    _check_arguments(model, batches, steps, checkpoint, on_log)
    check_kind(
        "make_optimizer must be a function of parameters, lr and weight_decay, such as the class "
        "torch.optim.AdamW.",
        make_optimizer,
        Callable,
    )
    steps, log_every, learning_rate = int(steps), int(log_every), float(learning_rate)
    device = resolve_device(device)
    model.to(device).train()
    settings = {"lr": learning_rate, "weight_decay": model.constraint.weight_decay}
    try:
        optimizer = make_optimizer(model.trained_parameters(), **settings)
    except TypeError as error:
        raise TypeError(
            "make_optimizer is called with parameters, lr and weight_decay, and must take them; "
            f"received one that does not ({error}). Pass falling_adamw(steps), say, not "
            "falling_adamw."
        ) from error
    check_kind("make_optimizer must return a torch.optim.Optimizer.", optimizer, Optimizer)
    history = History.empty(steps, log_every, model.seed_axis, like=next(model.parameters()))
    goes_on = "go on with resume=True (--resume)"
    kept = "" if checkpoint is None else f", kept in {checkpoint.folder}: {goes_on}"
    keeper = Keeper(checkpoint, model, optimizer, history, learning_rate, batches)

    with keeper.lock, borrowing_random_state(device), deferred_interrupt() as interrupted:
        warned = False
        start = checked = keeper.restore()  # losses before ``checked`` are known to be finite
        for step in progress_bar(range(start, steps), progress, "pretraining"):
            x, y = take(batches, step, device)
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
                _check_finite(history, checked, done, batches)
                checked = done
                warned = warned or _warns_of_collapse(losses, step)
            if saving:
                keeper.save(done)
            if stopping:
                raise StoppedBySignal(f"stopped after {done} of {steps} steps{kept}", stopping)
            if on_log is not None and step % log_every == 0:
                on_log(step, history)
        if interrupted():
            raise StoppedBySignal(f"stopped after {steps} of {steps} steps{kept}", interrupted())
    model.eval()
    return history.cpu()


def _check_arguments(
    model: object, batches: object, steps: int, checkpoint: object, on_log: object
) -> None:
    """Each is of its kind, and they fit each other."""
    check_kind("model must be a BiJEPA; to compile it, compile its encoder.", model, BiJEPA)
    assert isinstance(model, BiJEPA)
    check_kind("checkpoint must be a Checkpoint(folder) or None.", checkpoint, Checkpoint, NoneType)
    check_kind(
        "batches must be a function of the step, as those of bijepa_core.data.streams are; a "
        "DataLoader becomes one by LoaderBatches(loader).",
        batches,
        Callable,
    )
    check_kind(
        "on_log must be a function of step and history, or None.", on_log, Callable, NoneType
    )
    if steps * (model.seed_axis or 1) > MOST:
        raise ValueError(f"steps must be at most {MOST:,}, over all seeds; received {steps!r}.")
    mixing = any(isinstance(part, _BatchNorm) for part in model.modules())
    compares = model.constraint.whitening or model.constraint.penalties
    if (mixing or compares) and getattr(batches, "smallest_batch", 2) < 2:
        raise ValueError(
            "batch normalization, whitening and penalties need two samples or more, and a batch of "
            "these has one. Choose a batch_size that leaves no single row over."
        )
    predictors = (model.forward_predictor, model.backward_predictor)
    inside = [part for one in predictors if one is not None for part in one.modules()]
    if any(isinstance(part, nn.LayerNorm) for part in inside) and not any(
        isinstance(part, NORMALIZATIONS) for part in model.online.modules()
    ):
        warnings.warn(
            "the predictors have LayerNorm and the encoder normalizes nothing: for some seeds such "
            "a model learns nothing. Give the encoder's hidden layers LayerNorm, too, or build the "
            "predictors without, MLPPredictor(..., layer_norm=False).",
            NormalizationWarning,
            stacklevel=3,
        )


def _warns_of_collapse(losses: Losses, step: int) -> bool:
    """Say it where samples have nearly one embedding; whether it was said."""
    s = losses.terms[0].online
    low = varying_share(s) < COLLAPSED
    if s.shape[-2] < 8 or not bool(low.any()):  # a few samples may be alike by chance
        return False
    where = f" (positions {low.nonzero().flatten().tolist()} on the seed axis)" if low.ndim else ""
    warnings.warn(
        f"the embedding is collapsing: at step {step} less than {COLLAPSED:.1%} of its mean square "
        f"differs between samples{where}. Normalize the data; keep LayerNorm, a predictor and tau "
        "near 1; leave the sphere out; or lower the learning rate.",
        CollapseWarning,
        stacklevel=3,
    )
    return True


def _check_finite(history: History, start: int, stop: int, batches: Batches) -> None:
    """As the history's own check, which knows nothing of the data: they may be the reason."""
    try:
        history.check_finite(start, stop)
    except NonFiniteLossError as error:
        if all(bool(view.isfinite().all()) for view in take(batches, error.step, "cpu")):
            raise
        raise NonFiniteLossError(
            f"the data of step {error.step} are NaN or infinite, and so became the loss. The "
            "last checkpoint, if any, is good. Drop or impute such values first.",
            error.step,
            error.seeds,
        ) from error
