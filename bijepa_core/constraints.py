"""A stability configuration as a value (paper, section 3.3 and appendix A)."""

import reprlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bijepa_core._support.checks import (
    check_kind,
    check_positive,
    check_unit_interval,
    is_number,
    make_plain,
)
from bijepa_core.regularizers import whitened


@dataclass(frozen=True)
class Penalty:
    """A soft constraint: something that is added to the loss.

    Args:
        weight: on Eq. 8's own scale; positive.
        of: maps embeddings ``(*seeds, batch, d)`` to ``(*seeds,)``; see
            :mod:`bijepa_core.regularizers`. Its name stands for it in files, so it must have one:
            a function that is defined with ``def``, or a ``functools.partial`` of one.

    Raises:
        ValueError: if the weight is not positive, or ``of`` has no name.
        TypeError: if ``of`` is no function.
    """

    weight: float
    of: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        make_plain(self)
        check_positive(weight=self.weight)
        check_kind("of must be a function of embeddings, such as scale.", self.of, Callable)
        if not self.name.partition("(")[0].isidentifier():
            raise ValueError(
                "a penalty must have a name, by which files know it; received "
                f"{reprlib.repr(self.of)}. Define it with def."
            )

    @property
    def name(self) -> str:
        """The function's, with what a partial has fixed; empty where there is none."""
        if isinstance(self.of, partial):
            fixed = [*map(repr, self.of.args)]
            fixed += [f"{name}={value!r}" for name, value in self.of.keywords.items()]
            return f"{_named(self.of.func)}({', '.join(fixed)})"
        return _named(self.of)


def _named(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", ""))


@dataclass(frozen=True)
class Constraint:
    """What keeps the embedding's norm in check; each part switches by itself.

    Args:
        layer_norm: LayerNorm on the hidden layers of encoder and predictors (never on
            the output, so that the embedding's scale stays free).
        weight_decay: AdamW's decoupled weight decay, at least 0. It acts on every trained
            parameter, biases and LayerNorm gains included, as in the paper's script.
        sphere: project embeddings onto the unit sphere (Eq. 9), in training and inference.
        penalties: added to the loss, each the mean over the online embeddings of both views.
        whitening: how far targets are moved towards their whitened batch, from 0 to 1; see
            :func:`bijepa_core.regularizers.whitened`.

    Raises:
        ValueError: if ``weight_decay`` is negative or not finite, whitening is outside [0, 1], or
            two penalties have one name.
        TypeError: if a switch is neither True nor False, or a penalty is none.
    """

    layer_norm: bool = True
    weight_decay: float = 1e-4
    sphere: bool = False
    penalties: tuple[Penalty, ...] = ()
    whitening: float = 0.0

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("layer_norm", "sphere"):
            check_kind(f"{name} must be True or False.", getattr(self, name), bool)
        if not is_number(self.weight_decay) or not 0 <= self.weight_decay < float("inf"):
            raise ValueError(
                f"weight_decay must be a finite number >= 0; received {self.weight_decay!r}. "
                "The paper uses 1e-4, and 0 where it is unconstrained."
            )
        check_unit_interval(whitening=self.whitening)
        check_kind("penalties must be a tuple of Penalty.", self.penalties, tuple)
        for penalty in self.penalties:
            check_kind("penalties must be a tuple of Penalty.", penalty, Penalty)
        names = [penalty.name for penalty in self.penalties]
        if len(set(names)) < len(names):
            raise ValueError(
                f"penalties must differ in name; received {', '.join(names)}. Add their weights, "
                "or name the functions apart."
            )

    def project(self, embedding: Tensor) -> Tensor:
        """The embedding where the configuration wants it.

        Args:
            embedding: ``(..., d)``.

        Returns:
            ``embedding / ||embedding||`` on the sphere (Eq. 9), else ``embedding`` itself.

        Raises:
            TypeError: if it is no tensor.
        """
        check_kind("an encoder must return one tensor, (*seeds, batch, d).", embedding, Tensor)
        return F.normalize(embedding, dim=-1) if self.sphere else embedding

    def aim(self, target: Tensor) -> Tensor:
        """What a prediction is compared with.

        Args:
            target: from the target encoder, ``(*seeds, batch, d)``.

        Returns:
            The target, moved towards its whitened batch; itself without whitening.
        """
        if not self.whitening:
            return target
        return torch.lerp(target, whitened(target), self.whitening)

    def penalty(self, embeddings: Sequence[Tensor]) -> Tensor:
        """What the penalties add to the loss.

        Args:
            embeddings: the online ones of one view or both, ``(*seeds, batch, d)`` each.

        Returns:
            ``(*seeds,)``; 0 without penalties.

        Raises:
            ValueError: if a penalty gives anything else.
        """
        total = embeddings[0].new_zeros(embeddings[0].shape[:-2])
        for penalty in self.penalties:
            found = [penalty.of(s) for s in embeddings]
            if any(not isinstance(one, Tensor) or one.shape != total.shape for one in found):
                raise ValueError(
                    "a penalty must give one number a seed, a tensor of shape "
                    f"{tuple(total.shape)}; received {reprlib.repr(found[0])}. Take the mean over "
                    "batch and dimensions."
                )
            total = total + penalty.weight * torch.stack(found).mean(0)
        return total

    def plain(self) -> dict[str, Any]:
        """As plain data: whitening and penalties where there are any, these by name and weight."""
        values = asdict(self)
        if not self.whitening:
            del values["whitening"]
        if not values.pop("penalties"):
            return values
        return {**values, "penalties": {p.name: p.weight for p in self.penalties}}


UNCONSTRAINED = Constraint(layer_norm=False, weight_decay=0.0)
EXPRESSIVE = Constraint(layer_norm=True, weight_decay=1e-4)
RESTRICTIVE = Constraint(layer_norm=True, weight_decay=1e-4, sphere=True)
WHITENED = Constraint(layer_norm=False, weight_decay=0.0, whitening=0.2)
"""Not of the paper: what chapter 10 recommends for forecasts of series, at a rate that falls."""
