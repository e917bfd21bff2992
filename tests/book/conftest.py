"""Half images and a model that draws, shared by the tests of chapter 5's modules."""

from collections.abc import Callable

import pytest

from bijepa_book.chapters.mnist_record import train
from bijepa_book.hallucinate import Hallucinator, train_hallucinator
from bijepa_core.data.mnist import ImageData, image_data
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.experiments import MNIST
from bijepa_core.model import BiJEPA


@pytest.fixture(scope="session")
def halves() -> ImageData:
    """A few of scikit-learn's digits: 300 to learn from, 60 held out."""
    every = image_data(0, MNIST.batch_size, dataset="digits")
    few = every.train.first(300)
    batches = ShuffledBatches(few.left, few.right, batch_size=MNIST.batch_size, seeds=0)
    return ImageData(batches, few, every.test.first(60))


@pytest.fixture(scope="session")
def models(halves: ImageData) -> dict[str, BiJEPA]:
    """Both models of Table 2 after one epoch."""
    return {name: train(name, halves, 1)[0] for name in ("classic", "BiJEPA")}


@pytest.fixture(scope="session")
def drawer(models: dict[str, BiJEPA], halves: ImageData) -> Callable[[str], Hallucinator]:
    """BiJEPA, drawing from a source after two epochs."""
    return lambda source: train_hallucinator(models["BiJEPA"], source, halves.train, 0, 2)


@pytest.fixture(scope="session")
def hallucinator(drawer: Callable[[str], Hallucinator]) -> Hallucinator:
    """BiJEPA, drawing from the encoder."""
    return drawer("encoder")
