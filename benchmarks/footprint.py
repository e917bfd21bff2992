"""Peak memory and import time, each in a process of its own."""

import statistics
import subprocess
import sys
import time

HEAVY = ("matplotlib", "torchvision", "ipywidgets")


def import_times(rounds: int) -> tuple[float, float, list[str]]:
    """What ``import bijepa_core`` costs beside ``import torch`` alone.

    Returns:
        Median seconds for ``bijepa_core`` and for ``torch``, interpreter start included,
        and which of the packages in :data:`HEAVY` came along.
    """
    times: dict[str, list[float]] = {"bijepa_core": [], "torch": []}
    for _ in range(rounds):
        for name, taken in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
            taken.append(time.perf_counter() - began)
    listing = f"import sys, bijepa_core; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    pulled = _output([sys.executable, "-c", listing]).split()
    return statistics.median(times["bijepa_core"]), statistics.median(times["torch"]), pulled


def peak_memory() -> float:
    """GB that the MNIST experiment occupied at its peak (see :func:`mnist_at_full_size`).

    To be called while the calling process is still small: Linux lets a child start with its
    parent's peak.
    """
    code = "from benchmarks.footprint import mnist_at_full_size as f; print(f())"
    return float(_output([sys.executable, "-c", code]))


def mnist_at_full_size() -> float:
    """This process's peak in GB, with all 70,000 images resident and some steps of everything.

    Memory does not grow with the number of steps, so 20 steps of each part suffice. The encoder
    passes over all images, once for each set of features, as in the whole experiment.
    """
    import resource

    from bijepa_core.data import mnist
    from bijepa_core.data.streams import ShuffledBatches
    from bijepa_core.evaluation.probes import adam_classifier, protocol_a, protocol_b, train_decoder
    from bijepa_core.experiments import CONFIGURATIONS, MNIST
    from bijepa_core.training import pretrain

    some = 20 * MNIST.batch_size
    digits = mnist.load()
    x, y = mnist.halves(mnist.normalize(digits.train))
    unseen, _ = mnist.halves(mnist.normalize(digits.test))
    scaled, pixels = mnist.halves(mnist.scale(digits.train))
    pixels, labels = pixels.flatten(1), digits.train_labels
    model = MNIST.model(CONFIGURATIONS["expressive"], 0)
    batches = ShuffledBatches(x, y, batch_size=MNIST.batch_size, seeds=0)
    pretrain(model, batches, steps=20, device="cpu", progress=False)
    for features in (protocol_a(model), protocol_b(model)):
        seen, test, drawn = features(x), features(unseen), features(scaled)
        probe = adam_classifier(seen[:some], labels[:some], epochs=1, seeds=0, progress=False)
        probe.accuracy(test, digits.test_labels)
        train_decoder(drawn[:some], pixels[:some], epochs=1, seeds=0, progress=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9  # macOS counts bytes, Linux KiB


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
