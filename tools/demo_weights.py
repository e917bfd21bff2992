"""Make the weights of the demos in the page: `make demo-weights`, two minutes on two free cores.

The hallucination pad gets the model of chapter 5 (BiJEPA, seed 0, ten epochs) with a decoder and a
classifier for each way to complete a digit, rounded to a byte a number. The Lorenz explorer gets a
BiJEPA and a classic JEPA trained on the attractor as long as the paper trains, with their
readouts, not rounded. The explosion lab gets the curves of two runs to stand there until the
reader's own do.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bijepa_book.chapters.lorenz import train_forecaster
from bijepa_book.chapters.mnist_record import train
from bijepa_book.hallucinate import train_hallucinator
from bijepa_book.int8 import pack
from bijepa_core._support.files import atomic_write
from bijepa_core._support.provenance import provenance
from bijepa_core.data.mnist import image_data
from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, MNIST, SINE

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
    """Two models of the attractor, the readouts of their embeddings, and the scale of the data."""
    ours = train_forecaster(SEED, LORENZ.steps)
    classic = train_forecaster(SEED, LORENZ.steps, configuration="classic")
    return {
        **used(ours.model),
        **used(classic.model, "classic."),
        "reader.weight": ours.readout.weight,
        "reader.bias": ours.readout.bias,
        "classic.reader.weight": classic.readout.weight,
        "classic.reader.bias": classic.readout.bias,
        "mean": ours.scale.mean.flatten(),
        "std": ours.scale.std.flatten(),
    }


def ghost() -> dict[str, dict[str, list[float]]]:
    """The curves of an unconstrained and an expressive run, to four digits."""
    found = {}
    for name in ("unconstrained", "expressive"):
        model = SINE.model(CONFIGURATIONS[name], SEED)
        history = SINE.train(model, SineBatches(SEED), device="cpu", progress=False)
        middles, loss = history.smooth_loss(history.log_every)
        curves = history.diagnostics | {
            "middle": middles,
            "loss": loss,
            "step": history.logged_steps,
        }
        found[name] = {
            key: [float(f"{value:.4g}") for value in curve.tolist()]
            for key, curve in curves.items()
        }
    return found


def main() -> None:
    """Make the files, and the note on where they come from."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    origin = FOLDER / "provenance.json"
    note: dict[str, Any] = json.loads(origin.read_text("utf-8")) if origin.is_file() else {}
    makers: dict[str, Callable[[Path], None]] = {
        "lorenz.npz": lambda path: pack(path, lorenz_weights(), rounded=False),
        "hallucination.npz": lambda path: pack(path, hallucination_weights()),
        "ghost.json": lambda path: atomic_write(path, json.dumps(ghost()).encode() + b"\n"),
    }
    for file, make in makers.items():
        name = Path(file).stem
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        began = time.perf_counter()
        make(FOLDER / file)
        here = provenance(torch.device("cpu"), time.perf_counter() - began)
        note[name] = {"seed": SEED, **here}
        size = (FOLDER / file).stat().st_size / 1e6
        print(f"{name}: {size:.2f} MB, {here['seconds']:.0f} s")
    atomic_write(origin, (json.dumps(note, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
