"""What is kept of completions for the book and the page: a few pictures, and a model's weights."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bijepa_book.evidence.futures.completions import PREFIXES, Bench
from bijepa_book.evidence.futures.drawer import Drawer
from bijepa_core._support.files import atomic_write
from bijepa_core.data.mnist import Side
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import unstack
from bijepa_core.stochastic import (
    EnergyPredictor,
)

DOUBTED, CERTAIN, SHOWN = 8, 4, 8  # halves that are kept as pictures, completions of each


def shown(judges: Bench, given: Side) -> Tensor:
    """Positions of the halves that are kept: most in doubt, and least, by their neighbors."""
    order = judges.doubt(given).argsort(stable=True)
    return torch.cat([order.flip(0)[:DOUBTED], order[:CERTAIN]])


def keep_pictures(path: Path, judges: Bench, seed: int, drawn: list[Tensor]) -> None:
    """A few halves with their completions, a byte a pixel, whole or not at all.

    Args:
        path: ends in ``.npz``. It holds, and with ``past_`` for the way back: ``rows`` of the test
            set, ``labels``, ``given`` and ``truth`` ``(12, 392)``, ``drawn`` ``(12, 8, 392)``
            (one for each where all are alike), ``neighbors``, class frequencies ``(12, 10)``.
        judges: of the same images.
        seed: whose they are.
        drawn: for both ways, ``(m, n, 392)``.
    """
    arrays: dict[str, Any] = {"seed": np.array(seed)}
    for (prefix, (given, side)), completions in zip(PREFIXES.items(), drawn, strict=True):
        at = shown(judges, given)
        few = judges.test.rows(at)
        several = _bytes(completions[:SHOWN, at].transpose(0, 1))  # (12, 8, 392)
        if bool((several == several[:, :1]).all()):
            several = several[:, :1]
        kept = {
            "rows": judges.rows[at],
            "labels": few.labels,
            "given": _bytes(few.pixels(given)),
            "truth": _bytes(few.pixels(side)),
            "drawn": several,
            "neighbors": judges.frequencies(given)[at].float(),
        }
        arrays |= {prefix + name: value.cpu().numpy() for name, value in kept.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    atomic_write(path, buffer.getvalue())


def _bytes(pixels: Tensor) -> Tensor:
    return (255 * pixels).round().to(torch.uint8)


def weights(own: Mapping[Side, BiJEPA], drawer: Drawer, judges: Bench) -> dict[str, Tensor]:
    """What the page needs to draw completions with the first seed, by the names of the other pads.

    Args:
        own: by side, the trained model.
        drawer: fitted to targets of both ways.
        judges: whose classifier of whole images goes with it.

    Returns:
        ``online.``, the encoder with the statistics of left halves; ``right.``, those of right
        halves; ``forward_predictor.`` and ``backward_predictor.``, which read ``[s, z]``;
        ``decoder.forward.`` and ``decoder.backward.``, of standardized embeddings, with ``center``
        and ``scale``; ``classifier.``, of whole images in 0..1.
    """
    left, right = (unstack(own[side], 0) for side in ("left", "right"))
    parts: dict[str, nn.Module | None] = {"online": left.online}
    for name in ("forward_predictor", "backward_predictor"):
        predictor = getattr(left, name)
        assert isinstance(predictor, EnergyPredictor)
        parts[name] = predictor.net
    seeds = drawer.center.shape[0] // len(PREFIXES)
    found: dict[str, Tensor] = {}
    for way, position in (("forward", 0), ("backward", seeds)):
        parts[f"decoder.{way}"] = unstack(drawer.decoder, position)
        found[f"decoder.{way}.center"] = drawer.center[position, 0]
        found[f"decoder.{way}.scale"] = drawer.scale[position, 0]
    parts["classifier"] = unstack(judges.whole, 0)
    for prefix, module in parts.items():
        assert module is not None
        found |= {f"{prefix}.{name}": value for name, value in module.state_dict().items()}
    found |= {
        f"right.{name}": value
        for name, value in right.online.state_dict().items()
        if "running" in name
    }
    return {name: value for name, value in found.items() if "num_batches" not in name}
