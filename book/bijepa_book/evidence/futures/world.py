"""A world whose truth is known: what is seen of it, what is asked, and the exact answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from bijepa_core.data.streams import Batches
from bijepa_core.model import Direction


class Known(NamedTuple):
    """Pairs of views, and the numbers that are asked of each view's time.

    Args:
        x, y: ``(*seeds, n, in_dim)``.
        past, future: asked of x's time and of y's, ``(*seeds, n, k)``; the first of the k numbers
            is nearest to the other view.
    """

    x: Tensor
    y: Tensor
    past: Tensor
    future: Tensor

    def seen(self, direction: Direction) -> Tensor:
        """The view that is given."""
        return self.x if direction == "forward" else self.y

    def hidden(self, direction: Direction) -> Tensor:
        """The view that is not."""
        return self.y if direction == "forward" else self.x

    def asked(self, direction: Direction) -> Tensor:
        """What is asked of the hidden view's time."""
        return self.future if direction == "forward" else self.past


@dataclass(frozen=True)
class Drawn:
    """What models learn from, and are judged on.

    Args:
        batches: the training stream.
        fit: to fit read-outs on.
        judge: fresh ones.
    """

    batches: Batches
    fit: Known
    judge: Known


@dataclass(frozen=True)
class World:
    """A world, and its law.

    Args:
        name: in keys.
        in_dim: numbers in a view.
        drawn: data of seeds, in batches of a size.
        exact: draws from the exact law of what is asked, from what is seen ``(n, in_dim)``,
            a direction, how many, and a generator: ``(count, n, k)``.
        forks: whether the sign of what is asked is a question: which well, which wing.
        places: views that are looked at closely, ``(n, in_dim)``; the middle one is the fork.
    """

    name: str
    in_dim: int
    drawn: Callable[[tuple[int, ...], int], Drawn]
    exact: Callable[[Tensor, Direction, int, torch.Generator], Tensor]
    forks: bool = False
    places: Tensor | None = None
