"""A stability configuration as a value (paper, section 3.3 and appendix A)."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from bijepa_core._support.checks import check_kind, is_number, make_plain


@dataclass(frozen=True)
class Constraint:
    """What keeps the embedding's norm in check; each part switches by itself.

    Args:
        layer_norm: LayerNorm on the hidden layers of encoder and predictors (never on
            the output, so that the embedding's scale stays free).
        weight_decay: AdamW's decoupled weight decay, at least 0. It acts on every trained
            parameter, biases and LayerNorm gains included, as in the paper's script.
        sphere: project embeddings onto the unit sphere (Eq. 9), in training and inference.

    Raises:
        ValueError: if ``weight_decay`` is negative or not finite.
        TypeError: if a switch is neither True nor False.
    """

    layer_norm: bool = True
    weight_decay: float = 1e-4
    sphere: bool = False

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("layer_norm", "sphere"):
            check_kind(f"{name} must be True or False.", getattr(self, name), bool)
        if not is_number(self.weight_decay) or not 0 <= self.weight_decay < float("inf"):
            raise ValueError(
                f"weight_decay must be a finite number >= 0; received {self.weight_decay!r}. "
                "The paper uses 1e-4, and 0 where it is unconstrained."
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


UNCONSTRAINED = Constraint(layer_norm=False, weight_decay=0.0)
EXPRESSIVE = Constraint(layer_norm=True, weight_decay=1e-4)
RESTRICTIVE = Constraint(layer_norm=True, weight_decay=1e-4, sphere=True)
