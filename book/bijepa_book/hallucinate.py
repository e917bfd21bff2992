"""Half a digit completed: what a frozen model says of one half, drawn as the other half."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from bijepa_core.data.mnist import MEAN, STD, Halves, Side
from bijepa_core.evaluation.metrics import nearest
from bijepa_core.evaluation.probes import (
    Features,
    LinearProbe,
    TrainedDecoder,
    adam_classifier,
    protocol_a,
    protocol_b,
    train_decoder,
)
from bijepa_core.experiments import MNIST
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds

NEIGHBORS = 32  # a sample of the futures that a half leaves open


def backward_features(model: BiJEPA) -> Features:
    """The mirror of Protocol B: the past's embedding inferred from the present, P_bwd(s_y)."""
    return lambda y: torch.cat([model.predict_backward(part) for part in y.split(4096)])


def script_features(model: BiJEPA) -> Features:
    """The embedding of images in 0..1, as in the paper's script, though it learned from others."""
    return lambda x: protocol_a(model)(x * STD + MEAN)


def pixel_features(_: BiJEPA) -> Features:
    """No model at all: the pixels that are given, in 0..1."""
    return lambda x: x.flatten(1) * STD + MEAN


def other(side: Side) -> Side:
    """The half that is not this one."""
    return "right" if side == "left" else "left"


class Source(NamedTuple):
    """What a hallucination is drawn from."""

    features: Callable[[BiJEPA], Features]
    given: Side


SOURCES = {
    "encoder": Source(protocol_a, "left"),
    "as in the script": Source(script_features, "left"),
    "forward predictor": Source(protocol_b, "left"),
    "backward predictor": Source(backward_features, "right"),
    "encoder, right half": Source(protocol_a, "right"),
    "pixels": Source(pixel_features, "left"),
}


@dataclass(frozen=True)
class Hallucinator:
    """What a frozen model says of one half, and two readers of it: a decoder and a probe.

    Args:
        features: normalized halves ``(m, 1, 28, 14)`` to what is drawn from, ``(m, d)``.
        given: the half that it is shown.
        decoder: draws the missing half's pixels.
        probe: reads the digit from the same features.
        bank: the features of the training images, ``(n, d)``.
        images: the training images.
    """

    features: Features
    given: Side
    decoder: TrainedDecoder
    probe: LinearProbe
    bank: Tensor
    images: Halves

    @property
    def missing(self) -> Side:
        """The half to be drawn."""
        return other(self.given)

    def draw(self, given: Tensor) -> Tensor:
        """Halves ``(m, 1, 28, 14)`` to the missing ones' pixels in 0..1, ``(m, 392)``."""
        return self.decoder(self.features(given))

    def probabilities(self, given: Tensor) -> Tensor:
        """Halves ``(m, 1, 28, 14)`` to the probability of each digit, ``(m, 10)``."""
        return torch.softmax(self.probe(self.features(given)), -1)

    def correct(self, test: Halves) -> Tensor:
        """Which images the probe puts into their class, booleans ``(m,)``."""
        return self.probabilities(test.half(self.given)).argmax(-1) == test.labels

    def neighbors(self, given: Tensor, count: int = NEIGHBORS) -> Tensor:
        """Rows of the training images that look most alike to the model, ``(m, count)``."""
        return nearest(self.features(given), self.bank, count)

    def futures(self, given: Tensor, count: int = NEIGHBORS) -> Tensor:
        """What was missing in those training images: a sample of possible halves.

        Args:
            given: ``(m, 1, 28, 14)``.
            count: how many of each.

        Returns:
            ``(m, count, 392)``.
        """
        return self.images.pixels(self.missing)[self.neighbors(given, count)]


def train_hallucinator(
    model: BiJEPA, source: str, images: Halves, seed: Seeds, epochs: int = MNIST.probe_steps
) -> Hallucinator:
    """Train the paper's decoder, and its classifier, on one kind of features.

    Args:
        model: the pretrained model; it stays as it is.
        source: a name among :data:`SOURCES`.
        images: the training images.
        seed: of the decoder's and classifier's weights and batches.
        epochs: of both; 10 in the paper.

    Returns:
        The model with both.

    Raises:
        ValueError: if the source is unknown, or the model lacks the predictor it needs.
    """
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}; received {source!r}.")
    given, features = SOURCES[source].given, SOURCES[source].features(model)
    bank, pixels = features(images.half(given)), images.pixels(other(given))
    decoder = train_decoder(bank, pixels, epochs=epochs, seeds=seed, progress=False)
    probe = adam_classifier(bank, images.labels, epochs=epochs, seeds=seed, progress=False)
    return Hallucinator(features, given, decoder, probe, bank, images)
