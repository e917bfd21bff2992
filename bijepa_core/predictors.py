"""Predictors map one embedding to another (Eq. 3, 6 and 7)."""

import torch
from torch import Tensor, nn

from bijepa_core.checks import check_positive
from bijepa_core.encoders import hidden_layer
from bijepa_core.layers import Linear


class MLPPredictor(nn.Module):
    """One hidden layer between two embedding spaces (appendix B.3), with an optional z.

    Args:
        embedding: width d of the embedding, in and out.
        hidden: width of the hidden layer.
        layer_norm: LayerNorm on the hidden layer.
        z_size: width of the conditioning variable z of Eq. 3; 0, the paper's runs, for none.

    Raises:
        ValueError: if a size is not positive (``z_size``: negative).
    """

    def __init__(
        self, embedding: int, hidden: int, layer_norm: bool = True, z_size: int = 0
    ) -> None:
        super().__init__()
        check_positive(embedding=embedding, hidden=hidden)
        if z_size < 0:
            raise ValueError(f"z_size must not be negative (0: no z); received {z_size!r}.")
        self.z_size = z_size
        self.net = nn.Sequential(
            *hidden_layer(embedding + z_size, hidden, layer_norm),
            Linear(hidden, embedding),
        )

    def forward(self, s: Tensor, z: Tensor | None = None) -> Tensor:
        """Predict the other view's embedding.

        Args:
            s: ``(*seeds, batch, d)``.
            z: ``(*seeds, batch, z_size)``, where the predictor was built with one.

        Returns:
            ``(*seeds, batch, d)``.

        Raises:
            ValueError: if z is missing, unexpected, or of the wrong width.
        """
        received = 0 if z is None else z.shape[-1]
        if received != self.z_size:
            raise ValueError(
                f"this predictor takes a z of width {self.z_size} (0: none); received width "
                f"{received}. Build it with z_size={received}, or pass a matching z."
            )
        return self.net(s if z is None else torch.cat([s, z], dim=-1))
