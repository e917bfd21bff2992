"""The paper's encoders, predictors and generative decoder (appendix B.3 and section 4.4)."""

from types import NoneType

import torch
from torch import Tensor, nn

from bijepa_core._support.checks import check_counts, check_kind, is_zero
from bijepa_core.layers import BatchNorm1d, BatchNorm2d, Conv2d, LayerNorm, Linear


def hidden_layer(in_dim: int, out_dim: int, layer_norm: bool) -> list[nn.Module]:
    """Linear, LayerNorm (where asked for), ReLU: the paper's hidden layer."""
    check_kind("layer_norm must be True or False.", layer_norm, bool)
    norm: list[nn.Module] = [LayerNorm(out_dim)] if layer_norm else []
    return [Linear(in_dim, out_dim), *norm, nn.ReLU()]


class MLPEncoder(nn.Module):
    """The encoder f of experiments 1 and 2: two hidden layers, a free linear output.

    Args:
        in_dim: numbers in one view (10 for sine, 60 for Lorenz).
        hidden_dim: width of both hidden layers (64; 128).
        embed_dim: width d of the embedding (16; 32).
        layer_norm: LayerNorm on the hidden layers.

    Raises:
        ValueError: if a size is not a positive whole number.
    """

    def __init__(
        self, in_dim: int, hidden_dim: int, embed_dim: int, layer_norm: bool = True
    ) -> None:
        super().__init__()
        check_counts(in_dim=in_dim, hidden_dim=hidden_dim, embed_dim=embed_dim)
        self.input_shape = (in_dim,)
        self.net = nn.Sequential(
            *hidden_layer(in_dim, hidden_dim, layer_norm),
            *hidden_layer(hidden_dim, hidden_dim, layer_norm),
            Linear(hidden_dim, embed_dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(*seeds, batch, in_dim)`` to ``(*seeds, batch, d)``."""
        return self.net(x)


class ConvEncoder(nn.Module):
    """The encoder f of experiment 3, on half images of 28 x 14 pixels.

    Batch normalization stays in every configuration: the paper removes LayerNorm alone.

    Args:
        embed_dim: width d of the embedding (64).
        layer_norm: LayerNorm after the hidden linear layer.

    Raises:
        ValueError: if a size is not a positive whole number.
    """

    def __init__(self, embed_dim: int = 64, layer_norm: bool = True) -> None:
        super().__init__()
        check_counts(embed_dim=embed_dim)
        self.input_shape = (1, 28, 14)
        self.net = nn.Sequential(
            Conv2d(1, 32, 3, stride=2, padding=1),  # (b, 32, 14, 7)
            BatchNorm2d(32),
            nn.ReLU(inplace=True),
            Conv2d(32, 64, 3, stride=2, padding=1),  # (b, 64, 7, 4)
            BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.Flatten(-3),  # (b, 1792)
            *hidden_layer(64 * 7 * 4, 128, layer_norm),
            Linear(128, embed_dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(*seeds, batch, 1, 28, 14)`` to ``(*seeds, batch, d)``."""
        if x.ndim == 4:  # the convolutions follow this layout; they are faster in it on CPUs
            x = x.clone(memory_format=torch.channels_last)
        return self.net(x)


class MLPPredictor(nn.Module):
    """One hidden layer between two embedding spaces (appendix B.3), with an optional z.

    Args:
        embed_dim: width d of the embedding, in and out.
        hidden_dim: width of the hidden layer.
        layer_norm: LayerNorm on the hidden layer. The paper's models have it in encoder and
            predictors or in neither; in the predictors alone it is another constraint.
        z_dim: width of the conditioning variable z of Eq. 3; 0, the paper's runs, for none.

    Raises:
        ValueError: if a size is not a positive whole number (``z_dim`` may be 0).
    """

    def __init__(
        self, embed_dim: int, hidden_dim: int, layer_norm: bool = True, z_dim: int = 0
    ) -> None:
        super().__init__()
        check_counts(embed_dim=embed_dim, hidden_dim=hidden_dim)
        if not is_zero(z_dim):
            check_counts(z_dim=z_dim)
        self.z_dim = z_dim
        self.net = nn.Sequential(
            *hidden_layer(embed_dim + z_dim, hidden_dim, layer_norm),
            Linear(hidden_dim, embed_dim),
        )

    def forward(self, s: Tensor, z: Tensor | None = None) -> Tensor:
        """Predict the other view's embedding.

        Args:
            s: ``(*seeds, batch, d)``.
            z: ``(*seeds, batch, z_dim)``, where the predictor was built with one.

        Returns:
            ``(*seeds, batch, d)``.

        Raises:
            ValueError: if z is missing, unexpected, or of the wrong width or dtype.
        """
        check_kind("z must be a tensor, (*seeds, batch, z_dim), or None.", z, Tensor, NoneType)
        received = 0 if z is None else z.shape[-1] if z.ndim else 1
        if received != self.z_dim:
            raise ValueError(
                f"this predictor takes a z of width {self.z_dim} (0: none); received width "
                f"{received}. Build it with z_dim={received}, or pass a matching z."
            )
        if z is None:
            return self.net(s)
        if torch.promote_types(s.dtype, z.dtype) != s.dtype:
            raise ValueError(f"z must be of dtype {s.dtype}; received {z.dtype}. Convert it.")
        return self.net(torch.cat([s, z], dim=-1))


class Decoder(nn.Module):
    """The generative decoder of experiment 3: an embedding to the pixels of a half image.

    Args:
        embed_dim: width d of the embedding it reads.
        pixels: numbers it draws, each in 0..1 (28 * 14).

    Raises:
        ValueError: if a size is not a positive whole number.
    """

    def __init__(self, embed_dim: int = 64, pixels: int = 28 * 14) -> None:
        super().__init__()
        check_counts(embed_dim=embed_dim, pixels=pixels)
        self.net = nn.Sequential(
            Linear(embed_dim, 256),
            BatchNorm1d(256),
            nn.ReLU(),
            Linear(256, 512),
            BatchNorm1d(512),
            nn.ReLU(),
            Linear(512, pixels),
            nn.Sigmoid(),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """``(*seeds, batch, d)`` to ``(*seeds, batch, pixels)``."""
        return self.net(embedding)
