"""AdamW as the paper has it, and with a learning rate that falls."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from torch.optim import AdamW

from bijepa_core._support.checks import check_counts, check_unit_interval

fused_adamw = partial(AdamW, fused=True)  # one kernel for all parameters


class FallingAdamW(AdamW):
    """AdamW whose learning rate falls along half a cosine; a resumed run finds it where it was.

    Args:
        parameters: to train.
        lr: the first learning rate.
        steps: until the last one.
        to: the last learning rate, over the first.
        settings: AdamW's.
    """

    def __init__(
        self, parameters: Any, *, lr: float, steps: int, to: float, **settings: Any
    ) -> None:
        super().__init__(parameters, lr=lr, fused=True, **settings)
        self.done = 0
        for group in self.param_groups:  # part of what a resumed run has to agree on
            group |= {"steps": steps, "to": to}

    def rate(self) -> float:
        """The learning rate of the next step, over the first one."""
        group = self.param_groups[0]
        falling = (1 + math.cos(math.pi * min(self.done / group["steps"], 1.0))) / 2  # 1 to 0
        return float(group["to"] + (1 - group["to"]) * falling)

    def step(self, closure: Any = None) -> Any:
        """One step at the rate that is due; the groups keep the first one."""
        first, rate = [group["lr"] for group in self.param_groups], self.rate()
        for group in self.param_groups:
            group["lr"] *= rate
        self.done += 1
        try:
            return super().step(closure)
        finally:
            for group, lr in zip(self.param_groups, first, strict=True):
                group["lr"] = lr

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on from a state; AdamW counts its steps itself."""
        super().load_state_dict(state_dict)
        self.done = max((int(state["step"]) for state in self.state.values()), default=0)


def falling_adamw(steps: int, to: float = 0.3) -> Callable[..., AdamW]:
    """What :func:`bijepa_core.training.pretrain` takes as ``make_optimizer``.

    Args:
        steps: over which the learning rate falls: those of the training.
        to: its last value, over the first, from 0 to 1.

    Returns:
        Makes a :class:`FallingAdamW` from parameters, ``lr`` and ``weight_decay``.

    Raises:
        ValueError: if steps is no positive whole number or ``to`` is outside [0, 1].
    """
    check_counts(steps=steps)
    check_unit_interval(to=to)
    return partial(FallingAdamW, steps=int(steps), to=float(to))
