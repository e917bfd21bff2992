"""Does a larger target make a larger embedding? The question behind section 5.3, asked directly."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from bijepa_core._support.checks import inference
from bijepa_core.data.streams import Batches
from bijepa_core.diagnostics import norm
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import fused_adamw

FACTOR = 1.25  # the target's embedding is made larger and smaller by it
FOLLOWS = 100  # steps that the online encoder has to follow


class Amplification:
    """Asks a model while it trains: an ``on_log`` of ``pretrain``, with its ``make_optimizer``.

    At the steps asked for, model and optimizer are copied twice. One copy is shown target
    embeddings multiplied by a factor, the other by its inverse; the target encoder stands
    still. Both train on the same batches. The exponent by which the online norm follows,
    ``d log |s| / d log c``, is 1 where the online encoder follows entirely; above 1 the loop
    of online and target encoder amplifies, and a norm that grows makes itself grow.

    Args:
        model: to be trained.
        batches: of its training.
        contexts: where the norm is measured, ``(*seeds, n, *view)``.
        steps: when to ask.
    """

    def __init__(
        self, model: BiJEPA, batches: Batches, contexts: Tensor, steps: tuple[int, ...]
    ) -> None:
        self.model, self.batches, self.contexts, self.steps = model, batches, contexts, steps
        self.optimizer: Optimizer | None = None
        self.exponents: list[Tensor] = []

    def make_optimizer(self, parameters: Any, **settings: Any) -> Optimizer:
        """The usual optimizer, kept, because its moments belong to what is copied."""
        self.optimizer = fused_adamw(parameters, **settings)
        return self.optimizer

    def __call__(self, step: int, _: History) -> None:
        """Ask, where the step is one of those."""
        if step in self.steps:
            up, down = self._followed(step, FACTOR), self._followed(step, 1 / FACTOR)
            apart = 2 * torch.log(torch.tensor(FACTOR))
            self.exponents.append((up.log() - down.log()) / apart)  # (*seeds,)

    def _followed(self, step: int, factor: float) -> Tensor:
        """The online norm after a while of training towards larger targets, ``(*seeds,)``."""
        assert self.optimizer is not None
        model = copy.deepcopy(self.model).train()
        model.target.register_forward_hook(scaled_by(factor))
        settings = {k: v for k, v in self.optimizer.defaults.items() if k in ("lr", "weight_decay")}
        optimizer = fused_adamw(model.trained_parameters(), **settings)
        optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        for later in range(step + 1, step + 1 + FOLLOWS):
            optimizer.zero_grad()
            model(*self.batches(later)).total.sum().backward()
            optimizer.step()
        with inference(model):
            return norm(model.online(self.contexts)).mean(-1)


def scaled_by(factor: float) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """A forward hook that multiplies what a module gives."""
    return lambda module, given, result: factor * result
