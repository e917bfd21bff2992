"""Decoders that draw what is embedded, all models' and all directions' at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bijepa_book.evidence.second.stacked import center_and_scale, decoders, standardized
from bijepa_core._support.checks import inference
from bijepa_core.networks import Decoder


@dataclass(frozen=True, eq=False)
class Drawer:
    """Decoders of several readings, all seeds of the first, then of the next.

    Args:
        decoder: reads standardized features.
        center, scale: of the features that it was fitted to, ``(readings * seeds, 1, d)``.
    """

    decoder: Decoder
    center: Tensor
    scale: Tensor

    @classmethod
    def fitted(
        cls, seen: list[Tensor], pixels: list[Tensor], seeds: tuple[int, ...], epochs: int
    ) -> "Drawer":
        """Fit to features ``(seeds, n, d)`` and the halves ``(n, 392)`` that belong to them."""
        center, width = center_and_scale(torch.cat(seen))
        plain = [standardized(one, one)[0] for one in seen]
        return cls(decoders(plain, pixels, seeds=seeds, epochs=epochs), center, width)

    def __call__(self, features: list[Tensor]) -> list[Tensor]:
        """Drawings ``(count, seeds, n, 392)`` of features ``(count, seeds, n, d)``."""
        asked = (torch.cat(features, dim=1) - self.center) / self.scale
        with inference(self.decoder):
            drawn = torch.stack([self.decoder(one) for one in asked])
        return list(drawn.split(features[0].shape[1], dim=1))
