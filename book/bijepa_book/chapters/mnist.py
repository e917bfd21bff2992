"""Chapter 5: what the left half of a digit tells about the right one, and what it leaves open."""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_book.chapters.courses import course
from bijepa_book.paper.tables import TABLE_2
from bijepa_book.records import medians
from bijepa_core._support.checks import check_counts, inference
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data import mnist
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.evaluation.probes import (
    Features,
    LinearProbe,
    TrainedDecoder,
    adam_classifier,
    protocol_a,
    protocol_b,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.experiments import CONFIGURATIONS, MNIST
from bijepa_core.history import History
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.networks import Decoder
from bijepa_core.seeds import init_stacked
from bijepa_core.training import pretrain

Side = Literal["left", "right"]
MODELS = {"classic": CONFIGURATIONS["classic"], "BiJEPA": CONFIGURATIONS["expressive"]}
EPOCHS = MNIST.probe_steps  # of the classifier, of the decoder, and of pretraining
QUICK = 3  # epochs of the decoders that Table 2 does not need
SEEDS = (0, 2)  # 1 was left out for want of time, unseen
NEIGHBORS = 32  # a sample of the futures that a left half leaves open
LOOKED_AT = 2_000  # test images where every one is compared with every training image
PAIRS = ((3, 8), (4, 9), (1, 7))
"""Digits that may share a left half."""
ROWS, COLUMNS = 28, mnist.CROP


@dataclass(frozen=True)
class Views:
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

    def half(self, side: Side) -> Tensor:
        """A half as encoders see it."""
        return self.left if side == "left" else self.right

    def pixels(self, side: Side) -> Tensor:
        """A half as decoders draw it."""
        return self.left_pixels if side == "left" else self.right_pixels

    def first(self, count: int) -> "Views":
        """The first images alone."""
        return self.rows(slice(count))

    def rows(self, rows: Tensor | slice) -> "Views":
        """Some of the images."""
        return Views(*(value[rows] for value in vars(self).values()))


class Halves(NamedTuple):
    """The images to learn from, and those held out."""

    train: Views
    test: Views


def images(wanted: mnist.Dataset = "mnist") -> tuple[mnist.Digits, mnist.Dataset]:
    """MNIST where it can be had, else the stand-in that needs no download.

    Args:
        wanted: ``"digits"`` asks for the stand-in straight away.

    Returns:
        The images, and which data set they are.

    Raises:
        CorruptDataError: if a file of MNIST is cut short or altered.
        ModuleNotFoundError: if the stand-in is needed and scikit-learn is missing.
    """
    try:
        # torchvision announces its attempts on both streams; a notebook would keep them
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return mnist.load(wanted), wanted
    except DataNotFoundError:
        return mnist.load("digits"), "digits"


def prepare(digits: mnist.Digits, device: str | torch.device = "auto") -> Halves:
    """Cut images in two, on one device, normalized for encoders and in 0..1 for decoders.

    Args:
        digits: see :func:`bijepa_core.data.mnist.load`.
        device: ``"auto"`` or a device.

    Returns:
        Training and test images.
    """
    place = resolve_device(device)

    def cut(pictures: Tensor, labels: Tensor) -> Views:
        pictures = pictures.to(place)
        left, right = mnist.halves(mnist.normalize(pictures))
        left_pixels, right_pixels = mnist.halves(mnist.scale(pictures))
        return Views(left, right, left_pixels.flatten(1), right_pixels.flatten(1), labels.to(place))

    return Halves(cut(digits.train, digits.train_labels), cut(digits.test, digits.test_labels))


def train(
    name: str, views: Views, seed: int, epochs: int = EPOCHS, *, progress: bool = True
) -> tuple[BiJEPA, History]:
    """Pretrain one of the two models of Table 2.

    Args:
        name: ``"classic"`` or ``"BiJEPA"``.
        views: the training images.
        seed: of weights and batches; the encoders of both models start alike.
        epochs: 10 in the paper.
        progress: show a bar where somebody can see it.

    Returns:
        The model, in evaluation mode, and the history of its training.
    """
    check_counts(epochs=epochs)
    stream = ShuffledBatches(views.left, views.right, batch_size=MNIST.batch_size, seeds=seed)
    model = MNIST.model(MODELS[name], seed)
    history = pretrain(
        model,
        stream,
        steps=epochs * stream.steps_per_epoch,
        learning_rate=MNIST.learning_rate,
        device=views.left.device,
        progress=progress,
    )
    return model, history


def backward_features(model: BiJEPA) -> Features:
    """The mirror of Protocol B: the past's embedding inferred from the present, P_bwd(s_y)."""
    return lambda y: torch.cat([model.predict_backward(part) for part in y.split(4096)])


def pixels_of(_: BiJEPA) -> Features:
    """No model at all: the pixels that are given."""
    return lambda x: x.flatten(1)


class Source(NamedTuple):
    """What a hallucination is drawn from."""

    features: Callable[[BiJEPA], Features]
    given: Side
    scaled: bool = False
    """Whether the encoder, trained on normalized images, is given images in 0..1."""

    @property
    def missing(self) -> Side:
        """The half to be drawn."""
        return "right" if self.given == "left" else "left"

    def view(self, views: Views) -> Tensor:
        """The half that is given, as the encoder gets it."""
        if self.scaled:
            return views.pixels(self.given).unflatten(1, (1, ROWS, COLUMNS))
        return views.half(self.given)


SOURCES = {
    "encoder": Source(protocol_a, "left"),
    "as in the script": Source(protocol_a, "left", scaled=True),
    "forward predictor": Source(protocol_b, "left"),
    "backward predictor": Source(backward_features, "right"),
    "encoder, right half": Source(protocol_a, "right"),
    "pixels": Source(pixels_of, "left", scaled=True),
}


@dataclass(frozen=True)
class Hallucinator:
    """A frozen model with a decoder that draws the missing half from what the model says.

    Args:
        model: the pretrained model.
        source: what is drawn from; see :data:`SOURCES`.
        decoder: draws the missing half's pixels.
        probe: reads the digit from the same features.
        bank: the features of the training images, ``(n, d)``.
        views: the training images.
    """

    model: BiJEPA
    source: Source
    decoder: TrainedDecoder
    probe: LinearProbe
    bank: Tensor
    views: Views

    def features(self, given: Tensor) -> Tensor:
        """Halves ``(m, 1, 28, 14)`` to what is drawn from, ``(m, d)``."""
        return self.source.features(self.model)(given)

    def draw(self, given: Tensor) -> Tensor:
        """Halves ``(m, 1, 28, 14)`` to the missing ones' pixels in 0..1, ``(m, 392)``."""
        return self.decoder(self.features(given))

    def probabilities(self, given: Tensor) -> Tensor:
        """Halves ``(m, 1, 28, 14)`` to the probability of each digit, ``(m, 10)``."""
        return probabilities(self.probe, self.features(given))

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
        return self.views.pixels(self.source.missing)[self.neighbors(given, count)]


def hallucinator(
    model: BiJEPA,
    source: str,
    views: Views,
    seed: int,
    epochs: int = EPOCHS,
    *,
    probe: LinearProbe | None = None,
    progress: bool = True,
) -> Hallucinator:
    """Train the paper's decoder, and its classifier, on one kind of features.

    Args:
        model: the pretrained model; it stays as it is.
        source: a name among :data:`SOURCES`.
        views: the training images.
        seed: of the decoder's and classifier's weights and batches.
        epochs: of both; 10 in the paper.
        probe: a classifier to use instead.
        progress: show bars where somebody can see them.

    Returns:
        The model with both.

    Raises:
        ValueError: if the source is unknown, or the model lacks the predictor it needs.
    """
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}; received {source!r}.")
    chosen = SOURCES[source]
    bank = chosen.features(model)(chosen.view(views))
    pixels = views.pixels(chosen.missing)
    decoder = train_decoder(bank, pixels, epochs=epochs, seeds=seed, progress=progress)
    if probe is None:
        probe = adam_classifier(bank, views.labels, epochs=epochs, seeds=seed, progress=progress)
    return Hallucinator(model, chosen, decoder, probe, bank, views)


def probabilities(probe: LinearProbe, features: Tensor) -> Tensor:
    """A classifier's probabilities, ``(m, d)`` to ``(m, classes)``."""
    return torch.softmax(probe(features.to(probe.weight)), -1)


def entropy(shares: Tensor) -> Tensor:
    """How many bits a distribution leaves open, ``(..., classes)`` to ``(...)``."""
    return torch.special.entr(shares).sum(-1) / torch.log(torch.tensor(2.0)).to(shares)


def nearest(queries: Tensor, bank: Tensor, count: int) -> Tensor:
    """Rows of the bank nearest to each query.

    Args:
        queries: ``(m, d)``.
        bank: ``(n, d)``.
        count: neighbors of each, at most n.

    Returns:
        ``(m, count)``, the nearest first.

    Raises:
        ValueError: if there are fewer rows than neighbors.
    """
    check_counts(count=count)
    if count > len(bank):
        raise ValueError(f"count must be at most the {len(bank)} rows; received {count}.")
    parts = queries.split(500)  # 500 x 60,000 distances take 120 MB
    return torch.cat([torch.cdist(p, bank).topk(count, largest=False).indices for p in parts])


def vote(labels: Tensor, classes: int = 10) -> Tensor:
    """The commonest label of each row, ``(m, count)`` to ``(m,)``; the lowest of equals."""
    return F.one_hot(labels, classes).sum(-2).argmax(-1)


def neighbor_accuracy(
    queries: Tensor, bank: Tensor, truth: Tensor, labels: Tensor, count: int = 5
) -> float:
    """How often the commonest label among the nearest rows is the true one.

    Args:
        queries: ``(m, d)``; ``truth``, ``(m,)``, their labels.
        bank: ``(n, d)``; ``labels``, ``(n,)``, its labels.
        count: neighbors that vote.

    Returns:
        A share.
    """
    votes = vote(labels[nearest(queries, bank, count)])
    return float((votes == truth).double().mean())


def total_variation(pixels: Tensor) -> Tensor:
    """The sum of absolute differences of pixels side by side, ``(..., 392)`` to ``(...)``."""
    picture = pixels.unflatten(-1, (ROWS, COLUMNS))
    return picture.diff(dim=-1).abs().sum((-2, -1)) + picture.diff(dim=-2).abs().sum((-2, -1))


def sharpness(drawn: Tensor, truth: Tensor) -> float:
    """Total variation of drawings in units of the truth's: 1 has as much edge as the truth.

    Args:
        drawn, truth: ``(m, 392)``.

    Returns:
        A ratio of means; blurring lowers it.
    """
    return float(total_variation(drawn).mean() / total_variation(truth).mean())


def drawing_scores(one: Hallucinator, test: Views) -> dict[str, float]:
    """How good, how sharp, and how true to the digit the drawings are.

    Args:
        one: what draws.
        test: held-out images.

    Returns:
        ``training`` (mean squared error as the paper reports it) and ``test``; ``sharpness``;
        ``recognized``: the share of the first drawings in which a neighbor vote among real
        halves of training images sees the true digit.
    """
    drawn = one.draw(one.source.view(test))
    truth, real = test.pixels(one.source.missing), one.views.pixels(one.source.missing)
    few, labels = drawn[:LOOKED_AT], test.labels[:LOOKED_AT]
    return {
        "training": float(one.decoder.training_error),
        "test": float((drawn - truth).square().mean()),
        "sharpness": sharpness(drawn, truth),
        "recognized": neighbor_accuracy(few, real, labels, one.views.labels),
    }


def shift_scores(one: Hallucinator, test: Views) -> dict[str, float]:
    """What happens to a classifier when images come in 0..1 instead of normalized.

    Args:
        one: with a source that takes normalized images.
        test: held-out images.

    Returns:
        ``moved``: the mean squared change of the embedding over its variance; ``normalized`` and
        ``shifted``: the accuracy of the same probe on both.
    """
    usual = one.features(one.source.view(test))
    moved = one.features(one.source._replace(scaled=True).view(test))
    truth = test.labels

    def accuracy(features: Tensor) -> float:
        guess = probabilities(one.probe, features).argmax(-1)
        return float((guess == truth.to(guess.device)).double().mean())

    ratio = (moved - usual).square().mean() / usual.var(0, correction=0).mean()
    return {
        "moved": float(ratio),
        "normalized": accuracy(usual),
        "shifted": accuracy(moved),
    }


class Uncertainty(NamedTuple):
    """Two maps of doubt for each drawing, and how wrong it was, each ``(m, 392)``."""

    gray: Tensor
    """p (1 - p) of the drawn pixel p: the variance of a pixel that is black or white."""
    spread: Tensor
    """The variance of that pixel among the neighbors' true halves."""
    error: Tensor
    """The squared difference from the truth."""


def uncertainty(one: Hallucinator, test: Views, count: int = NEIGHBORS) -> Uncertainty:
    """Where the drawings are in doubt.

    Args:
        one: what draws.
        test: images; their number times ``count`` halves are held at once.
        count: neighbors of each image.

    Returns:
        Both maps and the squared error.
    """
    given = one.source.view(test)
    drawn = one.draw(given)
    chosen = one.neighbors(given, count)
    real = one.views.pixels(one.source.missing)
    spread = torch.cat([real[rows].var(1) for rows in chosen.split(200)])
    error = (drawn - test.pixels(one.source.missing)).square()
    return Uncertainty(drawn * (1 - drawn), spread, error)


def calibration(doubt: Tensor, error: Tensor, bins: int = 8) -> dict[str, list[float]]:
    """Whether a variance that was foretold is the squared error that came.

    Args:
        doubt, error: of the same shape; doubt in 0..0.25.
        bins: of equal width.

    Returns:
        ``foretold`` and ``measured``: means in each bin that holds at least a thousandth of the
        pixels.
    """
    place = (doubt * 4 * bins).long().clamp(0, bins - 1).flatten()
    number = torch.bincount(place, minlength=bins).double()
    kept = number >= place.numel() / 1000

    def means(values: Tensor) -> list[float]:
        sums = torch.bincount(place, values.flatten().double(), minlength=bins)
        return (sums / number)[kept].tolist()

    return {"foretold": means(doubt), "measured": means(error)}


def doubt_scores(maps: Uncertainty) -> dict[str, dict[str, float]]:
    """Both maps of doubt in a few numbers.

    Args:
        maps: see :func:`uncertainty`.

    Returns:
        For ``gray`` and ``spread``: ``foretold``, the mean variance; ``measured``, the mean
        squared error; ``images`` and ``pixels``: the correlation of both over images and over
        pixels.
    """
    return {
        name: {
            "foretold": float(doubt.mean()),
            "measured": float(maps.error.mean()),
            "images": correlation(doubt.mean(1), maps.error.mean(1)),
            "pixels": correlation(doubt.flatten(), maps.error.flatten()),
        }
        for name, doubt in (("gray", maps.gray), ("spread", maps.spread))
    }


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's correlation of two vectors."""
    return float(torch.corrcoef(torch.stack([one, other]).double())[0, 1])


def confidence(shares: Tensor, labels: Tensor) -> dict[str, list[float]]:
    """Accuracy against confidence, in tenths of the test images, the least confident first.

    Args:
        shares: class probabilities, ``(m, 10)``.
        labels: ``(m,)``.

    Returns:
        ``confidence`` (mean highest probability) and ``accuracy`` of each tenth.
    """
    top, guess = shares.max(-1)
    order = top.argsort()
    right = (guess == labels.to(guess.device)).double()[order].tensor_split(10)
    sure = top.double()[order].tensor_split(10)
    return {
        "confidence": [float(part.mean()) for part in sure],
        "accuracy": [float(part.mean()) for part in right],
    }


def open_pairs(guess: Tensor, labels: Tensor) -> dict[str, float]:
    """Which two digits are taken for each other, as shares of all mistakes.

    Args:
        guess, labels: ``(m,)``.

    Returns:
        ``"4 or 9"`` and so on, the commonest pair first; no mistakes give an empty dictionary.
    """
    table = torch.bincount(labels.cpu() * 10 + guess.cpu(), minlength=100).view(10, 10)
    mistakes = int(table.sum() - table.diagonal().sum())
    counts = {f"{a} or {b}": int(table[a, b] + table[b, a]) for a, b in combinations(range(10), 2)}
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return {pair: number / mistakes for pair, number in ordered if number}


def undecided(shares: Tensor, labels: Tensor) -> Tensor:
    """For each pair of digits, the image that the probe finds hardest to tell.

    Args:
        shares: class probabilities, ``(m, 10)``.
        labels: ``(m,)``.

    Returns:
        Rows, one for each of :data:`PAIRS`: among images of either digit, the one whose smaller
        probability of the two is the largest.
    """
    labels = labels.to(shares.device)
    rows = []
    for a, b in PAIRS:
        doubt = torch.minimum(shares[:, a], shares[:, b])
        rows.append(torch.where((labels == a) | (labels == b), doubt, -1.0).argmax())
    return torch.stack(rows)


def one_of_each(labels: Tensor) -> Tensor:
    """The first image of each digit, ``(10,)``: fixed, and chosen by nobody."""
    return torch.stack([(labels == digit).int().argmax() for digit in range(10)])


def erase(half: Tensor, start: int, stop: int) -> Tensor:
    """Paint rows of halves black.

    Args:
        half: normalized, ``(m, 1, 28, 14)``.
        start, stop: rows, from 0; stop excluded.

    Returns:
        A changed copy.

    Raises:
        ValueError: if the rows are not rows.
    """
    if not 0 <= start <= stop <= ROWS:
        raise ValueError(
            f"rows must satisfy 0 <= start <= stop <= {ROWS}; received {start}, {stop}."
        )
    changed = half.clone()
    changed[..., start:stop, :] = -mnist.MEAN / mnist.STD  # black, normalized
    return changed


THIRDS = {"nothing": (0, 0), "top": (0, 9), "middle": (9, 19), "bottom": (19, 28), "all": (0, 28)}


def erased_scores(one: Hallucinator, test: Views) -> dict[str, dict[str, float]]:
    """Accuracy and doubt of the probe when rows of the given half are black.

    Args:
        one: what reads the digit.
        test: held-out images.

    Returns:
        For each of :data:`THIRDS`: ``accuracy``, and the mean ``entropy`` in bits.
    """
    rows = {}
    for name, (start, stop) in THIRDS.items():
        shares = one.probabilities(erase(one.source.view(test), start, stop))
        right = shares.argmax(-1) == test.labels.to(shares.device)
        rows[name] = {
            "accuracy": float(right.double().mean()),
            "entropy": float(entropy(shares).mean()),
        }
    return rows


def sample_scores(one: Hallucinator, test: Views, count: int = NEIGHBORS) -> dict[str, float]:
    """A single possible future against the mean of many.

    Args:
        one: what finds neighbors.
        test: held-out images.
        count: neighbors of each.

    Returns:
        Mean squared errors of ``one``, the nearest neighbor's half, and of the ``mean`` of all;
        ``sharpness of one`` and ``sharpness of the mean``; their ``ratio`` of errors.
    """
    chosen = one.neighbors(one.source.view(test), count)
    real, truth = one.views.pixels(one.source.missing), test.pixels(one.source.missing)
    first = real[chosen[:, 0]]
    mean = torch.cat([real[rows].mean(1) for rows in chosen.split(200)])
    single, many = (float((drawn - truth).square().mean()) for drawn in (first, mean))
    return {
        "one": single,
        "mean": many,
        "ratio": single / many,
        "sharpness of one": sharpness(first, truth),
        "sharpness of the mean": sharpness(mean, truth),
    }


def paired_difference(right: Tensor, other: Tensor) -> dict[str, float]:
    """Two classifiers on the same images: the difference, and its standard error over images.

    Args:
        right, other: which images each got right, booleans ``(m,)``.

    Returns:
        In percentage points: ``difference``, ``standard error`` of paired images, and
        ``unpaired``, what it would be if the two had been tested on different images.
    """
    a, b = right.double(), other.double()
    gap, m = a - b, len(a)
    apart = (a.var() / m + b.var() / m).sqrt()
    return {
        "difference": 100 * float(gap.mean()),
        "standard error": 100 * float(gap.std() / m**0.5),
        "unpaired": 100 * float(apart),
    }


def end_to_end(
    head: Callable[[], nn.Module],
    objective: Callable[[Tensor, Tensor], Tensor],
    halves: Halves,
    seed: int,
    epochs: int = EPOCHS,
) -> Callable[[Tensor], Tensor]:
    """The same encoder with a head on it, trained at once on what the chapter measures.

    No frozen representation can be expected to beat it: the encoder may keep what this one task
    needs and nothing else.

    Args:
        head: builds what follows the embedding.
        objective: of the head's output and the rows of the training images it belongs to.
        halves: the images.
        seed: of weights and batches.
        epochs: as many as pretraining has.

    Returns:
        Maps left halves to the head's output.
    """
    network = init_stacked(lambda: nn.Sequential(MNIST.encoder(True), head()), seed)
    network.to(halves.train.left.device)
    stream = ShuffledBatches(
        halves.train.left, halves.train.left, batch_size=MNIST.batch_size, seeds=seed
    )
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=MNIST.learning_rate, weight_decay=1e-4, fused=True
    )
    for step in range(epochs * stream.steps_per_epoch):
        rows = stream.indices(step)
        if len(rows) == 1:
            continue  # one sample has no batch statistics to normalize by
        loss = objective(network(stream(step)[0]), rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def apply(left: Tensor) -> Tensor:
        with inference(network):
            return torch.cat([network(part) for part in left.split(4096)])

    return apply


def supervised_scores(halves: Halves, seed: int, epochs: int = EPOCHS) -> dict[str, float]:
    """How well the same networks do when trained end to end for each task.

    Args:
        halves: the images.
        seed: of weights and batches.
        epochs: as many as pretraining has.

    Returns:
        ``accuracy`` with labels, and ``mse`` with the right halves' pixels, both held out.
    """
    train, test = halves
    classify = end_to_end(
        lambda: Linear(MNIST.embed_dim, 10),
        lambda scores, rows: F.cross_entropy(scores, train.labels[rows]),
        halves,
        seed,
        epochs,
    )
    complete = end_to_end(
        lambda: Decoder(MNIST.embed_dim, ROWS * COLUMNS),
        lambda drawn, rows: F.mse_loss(drawn, train.right_pixels[rows]),
        halves,
        seed,
        epochs,
    )
    guess = classify(test.left).argmax(-1)
    return {
        "accuracy": float((guess == test.labels).double().mean()),
        "mse": float(F.mse_loss(complete(test.left), test.right_pixels)),
    }


def table_row(one: Hallucinator, halves: Halves) -> dict[str, float]:
    """One row of Table 2, with the held-out error beside it.

    Args:
        one: a model with the paper's decoder and classifier on its encoder.
        halves: the images.

    Returns:
        ``accuracy``, of the paper's probe on test images; ``decoder``, the paper's training error;
        ``test``, the same held out.
    """
    test = halves.test
    given = one.source.view(test)
    error = (one.draw(given) - test.pixels(one.source.missing)).square().mean()
    return {
        "accuracy": float(recognized(one, test).double().mean()),
        "decoder": float(one.decoder.training_error),
        "test": float(error),
    }


def recognized(one: Hallucinator, test: Views) -> Tensor:
    """Which images the probe puts into their class, booleans ``(m,)``."""
    guess = one.probabilities(one.source.view(test)).argmax(-1)
    return guess == test.labels.to(guess.device)


def knowing(bank: Tensor, unseen: Tensor, halves: Halves) -> dict[str, float]:
    """How well the digit can be read from features.

    Args:
        bank, unseen: features of training and test images.
        halves: the images, for their labels.

    Returns:
        ``linear``, softmax regression run to convergence, and ``neighbors``, the vote of the five
        nearest training images: accuracies on all and on the first test images.
    """
    train, test = halves
    probe = softmax_classifier(bank, train.labels)
    few, truth = unseen[:LOOKED_AT], test.labels[:LOOKED_AT]
    return {
        "linear": float(probe.accuracy(unseen.cpu().double(), test.labels.cpu())),
        "neighbors": neighbor_accuracy(few, bank, truth, train.labels),
    }


def references(halves: Halves, side: Side) -> dict[str, dict[str, float]]:
    """The worst and the best drawing: one picture for all, and the truth.

    Args:
        halves: the images.
        side: the half that is drawn.

    Returns:
        ``mean image`` and ``truth`` with the columns of :func:`drawing_scores`.
    """
    train, test = halves
    real, truth = train.pixels(side), test.pixels(side)
    mean = real.mean(0)
    rows = {}
    for name, drawn in (("mean image", mean.expand_as(truth)), ("truth", truth)):
        few = drawn[:LOOKED_AT]
        same = name == "truth"
        rows[name] = {
            "training": 0.0 if same else float((real - mean).square().mean()),
            "test": float((drawn - truth).square().mean()),
            "sharpness": sharpness(drawn, truth),
            "recognized": neighbor_accuracy(few, real, test.labels[:LOOKED_AT], train.labels),
        }
    return rows


def drawings(
    cases: Mapping[str, tuple[BiJEPA, str]], halves: Halves, seed: int, epochs: int = EPOCHS
) -> dict[str, dict[str, float]]:
    """Decoders on several features.

    Args:
        cases: by name, a model and the name of a source.
        halves: the images.
        seed: of the decoders.
        epochs: of the decoders.

    Returns:
        A row of :func:`drawing_scores` for each.
    """
    return {
        name: drawing_scores(
            hallucinator(model, source, halves.train, seed, epochs, progress=False), halves.test
        )
        for name, (model, source) in cases.items()
    }


def doubts(one: Hallucinator, test: Views) -> dict[str, Any]:
    """The numbers of the chapter's section on what is left open.

    Args:
        one: what draws and classifies.
        test: held-out images; maps are made for the first of them.

    Returns:
        ``maps``, ``calibration`` of both, ``confidence``, the mean ``entropy`` in bits, and
        ``pairs`` taken for each other.
    """
    shares = one.probabilities(one.source.view(test))
    maps = uncertainty(one, test.first(LOOKED_AT))
    return {
        "maps": doubt_scores(maps),
        "calibration": {
            "gray": calibration(maps.gray, maps.error),
            "spread": calibration(maps.spread, maps.error),
        },
        "confidence": confidence(shares, test.labels),
        "entropy": float(entropy(shares).mean()),
        "pairs": open_pairs(shares.argmax(-1), test.labels),
    }


def measure(seed: int, halves: Halves, encoders: Mapping[str, Hallucinator]) -> dict[str, Any]:
    """Everything that the chapter says of one seed beyond Table 2.

    Args:
        seed: of models, decoders and probes.
        halves: the images.
        encoders: ``classic`` and ``BiJEPA``, drawing from the encoder.

    Returns:
        Plain data, by section of the chapter.
    """
    train, test = halves
    untrained = MNIST.model(MODELS["BiJEPA"], seed).to(train.left.device).eval()
    classic, both = (encoders[name].model for name in MODELS)
    fresh = protocol_a(untrained)
    one = encoders["BiJEPA"]
    return {
        "knowing": {
            "pixels": knowing(train.left_pixels, test.left_pixels, halves),
            "untrained encoder": knowing(fresh(train.left), fresh(test.left), halves),
            **{
                name: knowing(encoder.bank, encoder.features(test.left), halves)
                for name, encoder in encoders.items()
            },
        },
        "right from left": {
            **references(halves, "right"),
            **drawings(
                {
                    "pixels": (untrained, "pixels"),
                    "untrained encoder": (untrained, "encoder"),
                },
                halves,
                seed,
            ),
            **{name: drawing_scores(encoder, test) for name, encoder in encoders.items()},
            **drawings(
                {
                    "classic, as in the script": (classic, "as in the script"),
                    "BiJEPA, as in the script": (both, "as in the script"),
                    "classic, predictor": (classic, "forward predictor"),
                    "BiJEPA, predictor": (both, "forward predictor"),
                },
                halves,
                seed,
            ),
        },
        "left from right": {
            **references(halves, "left"),
            **drawings(
                {
                    "untrained encoder": (untrained, "encoder, right half"),
                    "classic, encoder": (classic, "encoder, right half"),
                    "BiJEPA, encoder": (both, "encoder, right half"),
                    "BiJEPA, predictor": (both, "backward predictor"),
                },
                halves,
                seed,
            ),
        },
        "quick": drawings(
            {
                "forward predictor": (both, "forward predictor"),
                "backward predictor": (both, "backward predictor"),
            },
            halves,
            seed,
            QUICK,
        ),
        "shift": {name: shift_scores(encoder, test) for name, encoder in encoders.items()},
        "doubt": doubts(one, test),
        "samples": sample_scores(one, test.first(LOOKED_AT)),
        "erased": erased_scores(one, test),
        "supervised": supervised_scores(halves, seed),
    }


def seed_record(seed: int, halves: Halves) -> dict[str, Any]:
    """Train one seed's two models, and measure them; the first seed's in full.

    Args:
        seed: of everything.
        halves: the images.

    Returns:
        Rows of ``table``, ``training`` and ``paired``, and what :func:`measure` returns.
    """
    trained = {name: train(name, halves.train, seed, progress=False) for name in MODELS}
    encoders = {
        name: hallucinator(model, "encoder", halves.train, seed, progress=False)
        for name, (model, _) in trained.items()
    }
    right = {name: recognized(encoder, halves.test) for name, encoder in encoders.items()}
    content: dict[str, Any] = {
        "table": {name: table_row(encoder, halves) for name, encoder in encoders.items()},
        "training": medians({name: course(history) for name, (_, history) in trained.items()}),
        "paired": paired_difference(right["BiJEPA"], right["classic"]),
    }
    return content | (measure(seed, halves, encoders) if seed == SEEDS[0] else {})


def assemble(parts: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """The record from those of its seeds.

    Args:
        parts: by seed, see :func:`seed_record`.

    Returns:
        ``seeds``; ``table``, ``training`` and ``paired`` by seed; the rest for the first seed.
    """
    by_seed = ("table", "training", "paired")
    first = next(iter(parts.values()))
    return {
        "seeds": list(parts),
        **{key: {str(seed): part[key] for seed, part in parts.items()} for key in by_seed},
        **{key: value for key, value in first.items() if key not in by_seed},
    }


def record() -> dict[str, Any]:
    """What the chapter compares itself with: MNIST, two seeds, the first in full."""
    halves = prepare(mnist.load("mnist"), "cpu")
    return assemble({seed: seed_record(seed, halves) for seed in SEEDS})


def table_2(
    recorded: Mapping[str, Any], tables: Mapping[str, Any], column: Literal["accuracy", "decoder"]
) -> dict[str, dict[str, float]]:
    """A column of Table 2: as printed, as rerun with the paper's seed, and with other seeds.

    Args:
        recorded: see :func:`record`.
        tables: the record of :func:`bijepa_book.paper.tables.reproduce`.
        column: ``"accuracy"``, in percent, or ``"decoder"``, mean squared error in training.

    Returns:
        Rows of ``classic``, ``BiJEPA`` and their ``difference``, BiJEPA minus classic.
    """
    percent = column == "accuracy"
    position, factor = (0, 100.0) if percent else (1, 1.0)
    printed = {name: TABLE_2[key][position] for name, key in zip(MODELS, TABLE_2, strict=True)}
    rows = {"paper": printed}
    again = dict(zip(MODELS, (row["all"] for row in tables["table_2"]), strict=True))
    measure = "paper_accuracy" if percent else "training_mse"
    if not percent:
        script = {name: scores["script_decoder"][measure][0] for name, scores in again.items()}
        rows[f"seed {tables['seed']}, as in the script"] = script
    rows[f"seed {tables['seed']}"] = {
        name: scores["protocol_a"][measure][0] for name, scores in again.items()
    }
    for seed, table in recorded["table"].items():
        rows[f"seed {seed}"] = {name: table[name][column] for name in MODELS}
    return {
        name: {model: factor * value for model, value in row.items()}
        | {"difference": factor * (row["BiJEPA"] - row["classic"])}
        for name, row in rows.items()
    }
