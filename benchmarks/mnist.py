"""Experiment 3: an epoch of pretraining, and the whole experiment on a stated part of it."""

from collections.abc import Callable
from functools import partial

import torch
from torch.utils.data import Subset

from benchmarks import reference
from benchmarks.timing import Comparison, compare
from bijepa_core.data import mnist
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.evaluation.probes import adam_classifier, protocol_a, train_decoder
from bijepa_core.experiments import CONFIGURATIONS, MNIST
from bijepa_core.seeds import initializing

STEPS = 20  # a block of pretraining: 5,120 images, about a twelfth of an epoch
IMAGES, TEST, EPOCHS = 2_560, 512, 10  # the part of the whole experiment that is measured

Reached = dict[str, list[float]]
"""What the two sides reached, by name, to be printed beside their times."""


def root() -> str:
    """The folder in which ``bijepa_core`` finds MNIST; ``load`` has put it there if need be."""
    return str(next(place for place in mnist.search_places() if mnist.is_complete(place)))


def script(seed: int = 0) -> reference.Script:
    """The plain loop's networks; they start from the weights of ours."""
    with initializing(seed):
        return reference.Script(
            reference.conv_encoder,
            partial(reference.predictor, MNIST.embed_dim, MNIST.hidden_dim),
            MNIST.learning_rate,
            MNIST.tau,
        )


def pretraining(digits: mnist.Digits, reached: Reached, rounds: int) -> Comparison:
    """``STEPS`` steps a block, each block from fresh weights, both sides on the same batches."""
    x, y = mnist.halves(mnist.normalize(digits.train))
    stream = ShuffledBatches(x, y, batch_size=MNIST.batch_size, seeds=0)
    order = [stream.indices(step).tolist() for step in range(STEPS)]
    dataset = reference.mnist_dataset(root(), train=True)

    def plain_block() -> None:
        plain = script()
        losses = []
        for images, _ in reference.mnist_loader(dataset, order):
            losses.append(plain.step(*reference.halves(images)))
        reached["plain losses"] = losses

    def our_block() -> None:
        batches = ShuffledBatches(x, y, batch_size=MNIST.batch_size, seeds=0)
        model = MNIST.model(CONFIGURATIONS["expressive"], 0)
        history = MNIST.train(model, batches, steps=STEPS, device="cpu", progress=False)
        reached["our losses"] = history.losses["total"].tolist()

    unit = f"ms a step, {stream.steps_per_epoch} an epoch"
    return compare(
        "MNIST, pretraining", unit, 2.0, (plain_block, STEPS), (our_block, STEPS), rounds
    )


def plain_experiment(reached: Reached) -> Callable[[], None]:
    """Pretraining, linear probe and decoder as a script does them, loading at every epoch."""
    folder, part, unseen = root(), range(IMAGES), range(TEST)
    train = Subset(reference.mnist_dataset(folder, train=True), part)
    test = Subset(reference.mnist_dataset(folder, train=False), unseen)
    scaled = Subset(reference.mnist_dataset(folder, train=True, normalized=False), part)

    def block() -> None:
        torch.manual_seed(0)
        plain = script()
        for _ in range(EPOCHS):
            for images, _ in reference.mnist_loader(train):
                plain.step(*reference.halves(images))
        head = reference.train_probe(plain.online, reference.mnist_loader(train), EPOCHS)
        right = reference.accuracy(plain.online, head, reference.mnist_loader(test))
        error = reference.train_decoder(plain.online, reference.mnist_loader(scaled), EPOCHS)
        reached["plain accuracy"] = [right]
        reached["plain decoder's error"] = [error]

    return block


def our_experiment(digits: mnist.Digits, reached: Reached) -> Callable[[], None]:
    """The same by ``bijepa_core``: frozen features are computed once."""
    train, labels = digits.train[:IMAGES], digits.train_labels[:IMAGES]
    test, test_labels = digits.test[:TEST], digits.test_labels[:TEST]

    def block() -> None:
        x, y = mnist.halves(mnist.normalize(train))
        unseen, _ = mnist.halves(mnist.normalize(test))
        scaled, pixels = mnist.halves(mnist.scale(train))
        model = MNIST.model(CONFIGURATIONS["expressive"], 0)
        batches = ShuffledBatches(x, y, batch_size=MNIST.batch_size, seeds=0)
        steps = EPOCHS * batches.steps_per_epoch
        MNIST.train(model, batches, steps=steps, device="cpu", progress=False)
        embed = protocol_a(model)
        probe = adam_classifier(embed(x), labels, epochs=EPOCHS, seeds=0, progress=False)
        decoder = train_decoder(
            embed(scaled), pixels.flatten(1), epochs=EPOCHS, seeds=0, progress=False
        )
        reached["our accuracy"] = [float(probe.accuracy(embed(unseen), test_labels))]
        reached["our decoder's error"] = [float(decoder.training_error)]

    return block


def whole(digits: mnist.Digits, reached: Reached, rounds: int) -> Comparison:
    """Pretraining, linear probe and decoder on a part of the images, ``EPOCHS`` epochs each."""
    return compare(
        "MNIST, whole experiment",
        f"ms a run: {IMAGES:,} images, {EPOCHS} epochs of each part",
        3.0,
        (plain_experiment(reached), 1),
        (our_experiment(digits, reached), 1),
        rounds,
    )


def measure(rounds: int) -> tuple[list[Comparison], list[str]]:
    """Both measurements, and lines that say what the two sides reached."""
    digits = mnist.load()
    reached: Reached = {}
    # the whole experiment takes long: a third of the rounds
    comparisons = [pretraining(digits, reached, rounds), whole(digits, reached, -(-rounds // 3))]
    plain, ours = reached["plain losses"], reached["our losses"]
    lines = [
        f"MNIST, loss at step {step + 1:2} of the same batches: "
        f"plain {plain[step]:.6f}, ours {ours[step]:.6f}"
        for step in (0, STEPS // 2 - 1, STEPS - 1)
    ]
    worst = max(abs(a - b) / a for a, b in zip(plain, ours, strict=True))
    lines.append(f"MNIST, loss: largest relative difference in {STEPS} steps: {worst:.0e}")
    for what in ("accuracy", "decoder's error"):
        plain, ours = reached[f"plain {what}"], reached[f"our {what}"]
        lines.append(
            f"MNIST, whole experiment, {what} (each side shuffles for itself): "
            f"plain {plain[0]:.4f}, ours {ours[0]:.4f}"
        )
    return comparisons, lines
