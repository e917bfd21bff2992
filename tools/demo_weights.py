"""Make the weights of the demos in the page: `make demo-weights`, two minutes on two free cores.

The hallucination pad gets the model of chapter 5 (BiJEPA, seed 0, ten epochs) with a decoder and a
classifier for each way to complete a digit, rounded to a byte a number. The Lorenz explorer gets a
model trained on the attractor as long as the paper trains, with its readout, not rounded.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bijepa_book.chapters.lorenz import train_forecaster
from bijepa_book.chapters.mnist import train
from bijepa_book.hallucinate import train_hallucinator
from bijepa_book.int8 import pack
from bijepa_core._support.files import atomic_write
from bijepa_core._support.provenance import provenance
from bijepa_core.data.mnist import image_data
from bijepa_core.experiments import LORENZ, MNIST

FOLDER = Path(__file__).parents[1] / "book" / "interactive" / "weights"
WAYS = {
    "encoder": "encoder",
    "forward": "forward predictor",
    "backward": "backward predictor",
}
"""How the page calls each source of :data:`bijepa_book.hallucinate.SOURCES`."""
SEED = 0


def used(module: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """What inference needs of a module: no target encoder, no counters."""
    return {
        prefix + name: value
        for name, value in module.state_dict().items()
        if not name.startswith("target.") and not name.endswith("num_batches_tracked")
    }


def hallucination_weights() -> dict[str, Tensor]:
    """Chapter 5's model and all that draws and classifies from it."""
    data = image_data(SEED, MNIST.batch_size)
    model, _ = train("BiJEPA", data)
    tensors = used(model)
    for name, source in WAYS.items():
        hallucinator = train_hallucinator(model, source, data.train, SEED)
        tensors |= used(hallucinator.decoder.decoder, f"decoder.{name}.")
        tensors |= {
            f"probe.{name}.weight": hallucinator.probe.weight,
            f"probe.{name}.bias": hallucinator.probe.bias,
        }
    return tensors


def lorenz_weights() -> dict[str, Tensor]:
    """A model of the attractor, the readout of its embeddings, and the scale of its data."""
    forecaster = train_forecaster(SEED, LORENZ.steps)
    return {
        **used(forecaster.model),
        "reader.weight": forecaster.readout.weight,
        "reader.bias": forecaster.readout.bias,
        "mean": forecaster.scale.mean.flatten(),
        "std": forecaster.scale.std.flatten(),
    }


def main() -> None:
    """Make both files, and the note on where they come from."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    origin = FOLDER / "provenance.json"
    note: dict[str, Any] = json.loads(origin.read_text("utf-8")) if origin.is_file() else {}
    makers = {"lorenz": (lorenz_weights, False), "hallucination": (hallucination_weights, True)}
    for name, (make, rounded) in makers.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        began = time.perf_counter()
        pack(FOLDER / f"{name}.npz", make(), rounded=rounded)
        here = provenance(torch.device("cpu"), time.perf_counter() - began)
        note[name] = {"seed": SEED, **here}
        size = (FOLDER / f"{name}.npz").stat().st_size / 1e6
        print(f"{name}: {size:.2f} MB, {here['seconds']:.0f} s")
    atomic_write(origin, (json.dumps(note, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
