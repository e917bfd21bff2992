"""A particle in the well that the reader places: where it may go, and where it may come from."""

from collections.abc import Callable

import ipywidgets
import torch
from torch import Tensor

from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.evidence.futures import well
from bijepa_book.figures.futures import WORDS, placed
from bijepa_core.model import Direction

Answer = Callable[[Tensor, Direction], Tensor]
"""From a place ``(1, 1)`` and a direction to where the particle is then, ``(count, 1)``."""


class ParticleDesk:
    """Place a particle, and see samples of its futures and pasts beside the exact law.

    Args:
        many: of a model that samples.
        one: of a deterministic model.
    """

    def __init__(self, many: Answer, one: Answer) -> None:
        self.many, self.one = many, one
        self.place = ipywidgets.FloatSlider(
            value=0.0, min=-1.5, max=1.5, step=0.05, description="place q", style=NAMED
        )
        self.said, self.picture = ipywidgets.HTML(), picture()
        self.place.observe(self.update, "value")
        self.panel = ipywidgets.VBox([self.place, self.said, self.picture])
        self.update()

    def update(self, _: object = None) -> None:
        """Any change: ask the models, and draw."""
        q = torch.tensor([[self.place.value]])
        law = well.law(q)[0]
        ways = {
            words: (self.many(q, way)[:, 0], self.one(q, way)[0, 0]) for way, words in WORDS.items()
        }
        shares = [100 * float((samples > 0).float().mean()) for samples, _ in ways.values()]
        self.said.value = (
            f"Right of the ridge: {shares[0]:.0f} % of the futures and {shares[1]:.0f} % of the "
            f"pasts; by the exact law {100 * float(well.right(law)):.0f} % of both."
        )
        self.picture.value = png(placed(ways, law))
