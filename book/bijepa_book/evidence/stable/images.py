"""What is read from embeddings of half images: hunt, company and baselines read alike."""

from typing import NamedTuple

from torch import Tensor

from bijepa_book.evidence.second.images import by_column, read, reestimated
from bijepa_book.evidence.second.stacked import softmax_accuracy, standardized
from bijepa_core.data.mnist import ImageData, Side
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import train_decoder
from bijepa_core.experiments import MNIST
from bijepa_core.model import BiJEPA


class Embedded(NamedTuple):
    """One side's halves as a model has them.

    Args:
        seen: of training images, ``(seeds, n, d)``.
        unseen: of test images, ``(seeds, m, d)``.
    """

    seen: Tensor
    unseen: Tensor


def embedded(model: BiJEPA, data: ImageData, side: Side = "left") -> Embedded:
    """Embeddings of one side, by batch normalization's statistics of that side."""
    known = reestimated(model, data.train.half(side))
    seen, unseen = (read(known.embed, half.half(side)) for half in (data.train, data.test))
    return Embedded(seen, unseen)


def label_error(given: Embedded, data: ImageData) -> list[float]:
    """The share of test images that a converged softmax regression misses."""
    seen, unseen = standardized(*given)
    right = softmax_accuracy(seen, data.train.labels, unseen, data.test.labels)
    return per_seed(1 - right)


def drawing_error(given: Embedded, data: ImageData, side: Side, seeds: tuple[int, ...]) -> Tensor:
    """How far the ten epochs' decoder misses a side, by column of pixels.

    Args:
        given: embeddings of the other side.
        data: the images.
        side: to be drawn.
        seeds: initialize the decoder.

    Returns:
        ``(seeds, 14)``; their mean is the error of the drawing.
    """
    decoder = train_decoder(
        given.seen, data.train.pixels(side), epochs=MNIST.probe_steps, seeds=seeds, progress=False
    )
    return by_column(decoder(given.unseen), data.test.pixels(side))
