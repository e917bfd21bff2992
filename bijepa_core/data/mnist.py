"""Experiment 3: MNIST halves (section 4.4 and appendix B.2), as resident tensors."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from bijepa_core._support.errors import CorruptDataError, DataNotFoundError
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.seeds import Seeds

VARIABLE = "BIJEPA_DATA"
MEAN, STD = 0.1307, 0.3081
CROP = 14  # columns 0..13 are the context, 14..27 the target
ROWS, COLUMNS = 28, CROP  # of a half
Dataset = Literal["mnist", "digits"]
Side = Literal["left", "right"]

# Size in bytes and SHA-256 of the four uncompressed files.
FILES = {
    "train-images-idx3-ubyte": (
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


@dataclass(frozen=True)
class Digits:
    """Images and labels, resident.

    Args:
        train, test: ``(n, 28, 28)``, uint8.
        train_labels, test_labels: ``(n,)``, int64.
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def load(dataset: Dataset = "mnist", root: str | Path | None = None) -> Digits:
    """Load the images, from disk where they are there.

    MNIST is looked for in ``root``, in the folder that the environment variable
    ``BIJEPA_DATA`` names and in the user's cache folder, each as ``MNIST/raw/*-ubyte``, and then
    downloaded by torchvision into the cache folder.

    Args:
        dataset: ``"mnist"``, or ``"digits"``: scikit-learn's 1,797 bundled 8 x 8 digits,
            enlarged to 28 x 28, which need no download. They are another, easier data set.
        root: a folder to look in first.

    Returns:
        60,000 and 10,000 images of MNIST; 1,500 and 297 of digits.

    Raises:
        ValueError: if the data set is unknown.
        DataNotFoundError: if MNIST is nowhere and cannot be downloaded.
        CorruptDataError: if a file of MNIST is cut short or altered.
        ModuleNotFoundError: if digits are asked for without scikit-learn.
    """
    if dataset == "digits":
        return _load_digits()
    if dataset != "mnist":
        raise ValueError(f"dataset must be 'mnist' or 'digits'; received {dataset!r}.")
    from torchvision.datasets import MNIST

    places = list(search_places(root))
    found = next((place for place in places if is_complete(place)), None)
    if found is None:
        found = _download(places)
    check_files(found)
    train, test = MNIST(found, train=True), MNIST(found, train=False)
    return Digits(train.data, train.targets, test.data, test.targets)


def search_places(root: str | Path | None = None) -> Iterator[Path]:
    """The folders to look in, in order; the last, the user's cache, is where downloads go."""
    from platformdirs import user_cache_path

    if root is not None:
        yield Path(root).expanduser()
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE]).expanduser()
    yield user_cache_path("bijepa")


def is_complete(place: Path) -> bool:
    """Whether all four files are there, whatever is in them."""
    return all((place / "MNIST" / "raw" / name).is_file() for name in FILES)


def check_files(place: Path) -> None:
    """The four files are what they should be, by size and SHA-256.

    Raises:
        CorruptDataError: naming the first that is not.
    """
    for name, (size, digest) in FILES.items():
        path = place / "MNIST" / "raw" / name
        content = path.read_bytes()
        if len(content) != size:
            what = f"has {len(content):,} bytes instead of {size:,}"
        elif hashlib.sha256(content).hexdigest() != digest:
            what = "has the right size but the wrong content (its SHA-256 differs)"
        else:
            continue
        raise CorruptDataError(
            f"{path} {what}. Move it away and run again to download it anew, or set {VARIABLE} "
            "to a folder with intact files under MNIST/raw."
        )


def _download(places: list[Path]) -> Path:
    from torchvision.datasets import MNIST

    try:
        MNIST(places[-1], download=True)
    except (RuntimeError, OSError) as error:
        looked = ", ".join(str(place / "MNIST" / "raw") for place in places)
        variable = os.environ.get(VARIABLE)
        state = f"is {variable!r}" if variable else "is not set"
        raise DataNotFoundError(
            f"MNIST was not found in {looked} ({VARIABLE} {state}) and could not be downloaded "
            f"({' '.join(str(error).split())}). Connect to the network, or set {VARIABLE} to "
            "a folder that holds MNIST/raw/train-images-idx3-ubyte and its three companions. "
            "Another, easier data set needs no download: dataset='digits' (--dataset digits)."
        ) from error
    return places[-1]


def _load_digits() -> Digits:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "dataset='digits' needs scikit-learn: pip install 'bijepa-core[digits]'."
        ) from error
    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float()[:, None] / 16  # (n, 1, 8, 8), 0..1
    large = F.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    images = (255 * large[:, 0]).round().to(torch.uint8)
    labels = torch.from_numpy(bunch.target).long()
    return Digits(images[:1500], labels[:1500], images[1500:], labels[1500:])


def scale(images: Tensor) -> Tensor:
    """Pixels 0..255 to 0..1, ``(n, 28, 28)`` of torch's default dtype.

    The paper's script min-max scales normalized images batch by batch. Every batch holds black
    and white pixels, so that the result is this, and no batch is needed.
    """
    return images.to(torch.get_default_dtype()) / 255


def normalize(images: Tensor) -> Tensor:
    """Pixels 0..255 to the mean and deviation of appendix B.2, ``(n, 28, 28)``."""
    return (scale(images) - MEAN) / STD


def halves(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right halves, ``(n, 28, 28)`` to ``(n, 1, 28, 14)`` each, contiguous."""
    left, right = pictures[:, None, :, :CROP], pictures[:, None, :, CROP:]
    return left.contiguous(), right.contiguous()


@dataclass(frozen=True)
class Halves:
    """A set of images, cut in two.

    Args:
        left, right: normalized halves, ``(n, 1, 28, 14)``: what encoders learn from.
        left_pixels, right_pixels: the same in 0..1, ``(n, 392)``: what decoders draw.
        labels: ``(n,)``.
    """

    left: Tensor
    right: Tensor
    left_pixels: Tensor
    right_pixels: Tensor
    labels: Tensor

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, device: torch.device | str = "cpu") -> "Halves":
        """Cut images ``(n, 28, 28)`` of 0..255 with their labels, on a device."""
        images = images.to(device)
        left, right = halves(normalize(images))
        left_pixels, right_pixels = halves(scale(images))
        return cls(left, right, left_pixels.flatten(1), right_pixels.flatten(1), labels.to(device))

    def half(self, side: Side) -> Tensor:
        """A half as encoders see it."""
        return self.left if side == "left" else self.right

    def pixels(self, side: Side) -> Tensor:
        """A half as decoders draw it."""
        return self.left_pixels if side == "left" else self.right_pixels

    def unnormalized(self, side: Side) -> Tensor:
        """A half in 0..1 and in an encoder's shape, ``(n, 1, 28, 14)``.

        The paper's script shows these to an encoder that learned on normalized ones.
        """
        return self.pixels(side).unflatten(1, (1, ROWS, COLUMNS))

    def first(self, count: int) -> "Halves":
        """The first images alone."""
        return self.rows(slice(count))

    def rows(self, rows: Tensor | slice) -> "Halves":
        """Some of the images."""
        return Halves(*(value[rows] for value in vars(self).values()))


@dataclass(frozen=True)
class ImageData:
    """What the MNIST experiment learns from, and is judged on.

    Args:
        batches: the training stream: left halves as x, right ones as y.
        train, test: the images.
    """

    batches: ShuffledBatches
    train: Halves
    test: Halves


def image_data(
    seeds: Seeds,
    batch_size: int,
    device: torch.device | str = "cpu",
    dataset: Dataset = "mnist",
) -> ImageData:
    """Experiment 3's data.

    Args:
        seeds: one seed, or several for a leading seed axis; they decide the order of the images.
        batch_size: images a step.
        device: where they go.
        dataset: see :func:`load`.

    Returns:
        The stream, training and test images.

    Raises:
        DataNotFoundError, CorruptDataError, ModuleNotFoundError: see :func:`load`.
    """
    digits = load(dataset)
    train = Halves.of(digits.train, digits.train_labels, device)
    test = Halves.of(digits.test, digits.test_labels, device)
    stream = ShuffledBatches(train.left, train.right, batch_size=batch_size, seeds=seeds)
    return ImageData(stream, train, test)
