"""Chapter 5: what the left half of a digit tells about the right one, and what it leaves open."""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_book.hallucinate import Hallucinator, train_hallucinator
from bijepa_book.records import medians
from bijepa_book.uncertainty import (
    calibration,
    confidence,
    confused_pairs,
    entropy,
    map_scores,
    pixel_uncertainty,
)
from bijepa_core._support.checks import inference
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.errors import DataNotFoundError
from bijepa_core.data.mnist import (
    COLUMNS,
    MEAN,
    ROWS,
    STD,
    Dataset,
    Halves,
    ImageData,
    Side,
    image_data,
)
from bijepa_core.evaluation.metrics import neighbor_accuracy, sharpness, training_summary
from bijepa_core.evaluation.probes import protocol_a, softmax_classifier
from bijepa_core.experiments import CONFIGURATIONS, MNIST
from bijepa_core.history import History
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.networks import Decoder
from bijepa_core.seeds import init_stacked

MODELS = {"classic": "classic", "BiJEPA": "expressive"}
"""The two models of Table 2, and the configuration of each."""
EPOCHS = MNIST.probe_steps  # of the classifier, of the decoder, and of pretraining
FEW_EPOCHS = 3  # of the decoders that Table 2 does not need
SEEDS = (0, 2)  # 1 was left out for want of time, unseen
LOOKED_AT = 2_000  # test images where every one is compared with every training image
THIRDS = {"nothing": (0, 0), "top": (0, 9), "middle": (9, 19), "bottom": (19, 28), "all": (0, 28)}
Rows = dict[str, dict[str, float]]


def images(wanted: Dataset, seed: int) -> tuple[ImageData, Dataset]:
    """MNIST where it can be had, else the stand-in that needs no download.

    Args:
        wanted: ``"digits"`` asks for the stand-in straight away.
        seed: of the order in which images are learned.

    Returns:
        The images, on a GPU where there is one, and which data set they are.

    Raises:
        CorruptDataError: if a file of MNIST is cut short or altered.
        ModuleNotFoundError: if the stand-in is needed and scikit-learn is missing.
    """
    device = resolve_device("auto")
    try:
        # torchvision announces its attempts on both streams; a notebook would keep them
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return image_data(seed, MNIST.batch_size, device, wanted), wanted
    except DataNotFoundError:
        return image_data(seed, MNIST.batch_size, device, "digits"), "digits"


def train(name: str, data: ImageData, epochs: int = EPOCHS) -> tuple[BiJEPA, History]:
    """Pretrain one of the two models of Table 2.

    Args:
        name: ``"classic"`` or ``"BiJEPA"``.
        data: the images; their seed is the weights', too. The encoders of both models start alike.
        epochs: 10 in the paper.

    Returns:
        The model, in evaluation mode, and the history of its training.
    """
    model = MNIST.model(CONFIGURATIONS[MODELS[name]], data.batches.seeds)
    steps = epochs * data.batches.steps_per_epoch
    device = data.train.left.device
    return model, MNIST.train(model, data.batches, steps=steps, device=device, progress=False)


def first_of_each(labels: Tensor) -> Tensor:
    """The first image of each digit, ``(10,)``: fixed, and chosen by nobody."""
    return torch.stack([(labels == digit).int().argmax() for digit in range(10)])


# --- reading the digit (section 3) ---------------------------------------------------------------


def table_row(hallucinator: Hallucinator, test: Halves) -> dict[str, float]:
    """One row of Table 2, with the held-out error beside it.

    Args:
        hallucinator: a model with the paper's decoder and classifier on its encoder.
        test: held-out images.

    Returns:
        ``paper_accuracy``; ``decoder_training`` and ``fair_decoder``, the decoder's error on its
        training set and held out.
    """
    source, decoder = hallucinator.source, hallucinator.decoder
    features = hallucinator.features(source.view(test))
    return {
        "paper_accuracy": float(hallucinator.probe.accuracy(features, test.labels)),
        "decoder_training": float(decoder.training_error),
        "fair_decoder": float(decoder.mse(features, test.pixels(source.missing))),
    }


def accuracy_table(recorded: Mapping[str, Any], tables: Mapping[str, Any]) -> Rows:
    """Table 2's accuracy in percent: as printed, with the paper's seed, and with others.

    Args:
        recorded: see :func:`record`.
        tables: the record of :func:`bijepa_book.paper.tables.reproduce`.

    Returns:
        Rows of ``classic``, ``BiJEPA`` and their ``difference``, BiJEPA minus classic.
    """
    printed, rerun = (_column(tables["table_2"][k], "paper_accuracy") for k in ("printed", "rerun"))
    rows = {"paper": printed, f"seed {tables['seed']}": rerun}
    for seed, table in recorded["table"].items():
        rows[f"seed {seed}"] = [table[name]["paper_accuracy"] for name in MODELS]
    return _with_differences(rows, 100)


def decoder_table(recorded: Mapping[str, Any], tables: Mapping[str, Any]) -> Rows:
    """Table 2's squared error of drawings, on the decoder's own training images.

    Args and Returns as :func:`accuracy_table`; the paper's seed also with the script's images.
    """
    table_2 = tables["table_2"]
    rows = {
        "paper": _column(table_2["printed"], "paper_decoder"),
        f"seed {tables['seed']}, as in the script": _column(table_2["rerun"], "paper_decoder"),
        f"seed {tables['seed']}": _column(table_2["rerun"], "decoder_training"),
    }
    for seed, table in recorded["table"].items():
        rows[f"seed {seed}"] = [table[name]["decoder_training"] for name in MODELS]
    return _with_differences(rows, 1)


def _column(table: Mapping[str, Any], number: str) -> list[float]:
    return [table[configuration][number] for configuration in MODELS.values()]


def _with_differences(rows: Mapping[str, list[float]], factor: float) -> Rows:
    return {
        name: dict(zip(MODELS, (factor * classic, factor * both), strict=True))
        | {"difference": factor * (both - classic)}
        for name, (classic, both) in rows.items()
    }


def digit_accuracy(bank: Tensor, unseen: Tensor, data: ImageData) -> dict[str, float]:
    """How well the digit can be read from features.

    Args:
        bank, unseen: features of training and test images.
        data: the images, for their labels.

    Returns:
        ``fair_accuracy_a``, softmax regression run to convergence, on all test images;
        ``knn_accuracy_2000``, the vote of the five nearest training images, on the first 2,000.
    """
    labels, truth = data.train.labels, data.test.labels
    probe = softmax_classifier(bank, labels)
    few = slice(LOOKED_AT)
    return {
        "fair_accuracy_a": float(probe.accuracy(unseen.cpu().double(), truth.cpu())),
        "knn_accuracy_2000": neighbor_accuracy(unseen[few], bank, truth[few], labels),
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


def shift_scores(hallucinator: Hallucinator, test: Halves) -> dict[str, float]:
    """What happens to a classifier when images come in 0..1 instead of normalized.

    Args:
        hallucinator: with a source that takes normalized images.
        test: held-out images.

    Returns:
        ``moved``: the mean squared change of the embedding over its variance; the accuracy of the
        same probe on both, ``paper_accuracy`` and ``shifted_accuracy``.
    """
    source, probe = hallucinator.source, hallucinator.probe
    usual = hallucinator.features(source.view(test))
    moved = hallucinator.features(test.unnormalized(source.given))
    ratio = (moved - usual).square().mean() / usual.var(0, correction=0).mean()
    return {
        "moved": float(ratio),
        "paper_accuracy": float(probe.accuracy(usual, test.labels)),
        "shifted_accuracy": float(probe.accuracy(moved, test.labels)),
    }


def occlude(half: Tensor, start: int, stop: int) -> Tensor:
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
    changed[..., start:stop, :] = -MEAN / STD  # black, normalized
    return changed


def occlusion_scores(hallucinator: Hallucinator, test: Halves) -> Rows:
    """Accuracy and doubt of the probe when rows of the given half are black.

    Args:
        hallucinator: what reads the digit.
        test: held-out images.

    Returns:
        For each of :data:`THIRDS`: ``paper_accuracy``, and the mean ``entropy`` in bits.
    """
    rows = {}
    for name, (start, stop) in THIRDS.items():
        given = occlude(hallucinator.source.view(test), start, stop)
        shares = hallucinator.probabilities(given)
        rows[name] = {
            "paper_accuracy": float((shares.argmax(-1) == test.labels).double().mean()),
            "entropy": float(entropy(shares).mean()),
        }
    return rows


# --- drawing the other half (sections 4 and 5) ---------------------------------------------------


def drawing_scores(hallucinator: Hallucinator, test: Halves) -> dict[str, float]:
    """How good, how sharp, and how true to the digit the drawings are.

    Args:
        hallucinator: what draws.
        test: held-out images.

    Returns:
        ``decoder_training`` (mean squared error as the paper reports it), and what
        :func:`held_out_scores` returns.
    """
    drawn, side = hallucinator.draw(hallucinator.source.view(test)), hallucinator.source.missing
    scores = held_out_scores(drawn, side, hallucinator.images, test)
    return {"decoder_training": float(hallucinator.decoder.training_error)} | scores


def held_out_scores(drawn: Tensor, side: Side, train: Halves, test: Halves) -> dict[str, float]:
    """Drawings of test images against the truth.

    Args:
        drawn: ``(m, 392)``.
        side: the half that is drawn.
        train, test: the images.

    Returns:
        ``fair_decoder``, the mean squared error; ``fair_sharpness``; ``fair_true``: the share of
        the first drawings in which a neighbor vote among real halves of training images sees the
        true digit.
    """
    truth, few = test.pixels(side), slice(LOOKED_AT)
    pictures = (pixels.unflatten(-1, (ROWS, COLUMNS)) for pixels in (drawn, truth))
    return {
        "fair_decoder": float((drawn - truth).square().mean()),
        "fair_sharpness": sharpness(*pictures),
        "fair_true": neighbor_accuracy(
            drawn[few], train.pixels(side), test.labels[few], train.labels
        ),
    }


def references(data: ImageData, side: Side) -> Rows:
    """The worst and the best drawing of a half, ``mean image`` and ``truth``, scored alike."""
    train, test = data.train, data.test
    seen, truth = train.pixels(side), test.pixels(side)
    mean = seen.mean(0)
    error = float((seen - mean).square().mean())
    same = held_out_scores(mean.expand_as(truth), side, train, test)
    return {
        "mean image": {"decoder_training": error} | same,
        "truth": {"decoder_training": 0.0} | held_out_scores(truth, side, train, test),
    }


def sample_scores(hallucinator: Hallucinator, test: Halves) -> dict[str, float]:
    """A single possible future against the mean of many.

    Args:
        hallucinator: what finds neighbors.
        test: held-out images; 32 halves for each are held at once.

    Returns:
        ``single``, the mean squared error of the nearest neighbor's half, and ``mean``, that of
        the mean of all; their ``ratio``; ``single_sharpness`` and ``mean_sharpness``.
    """
    futures = hallucinator.futures(hallucinator.source.view(test))  # (m, count, 392)
    truth = test.pixels(hallucinator.source.missing)
    single, mean = futures[:, 0], futures.mean(1)
    errors = [float((drawn - truth).square().mean()) for drawn in (single, mean)]
    one, many, true = (pixels.unflatten(-1, (ROWS, COLUMNS)) for pixels in (single, mean, truth))
    return {
        "single": errors[0],
        "mean": errors[1],
        "ratio": errors[0] / errors[1],
        "single_sharpness": sharpness(one, true),
        "mean_sharpness": sharpness(many, true),
    }


# --- the same networks, end to end ---------------------------------------------------------------


def end_to_end(
    head: Callable[[], nn.Module], objective: Callable[[Tensor, Tensor], Tensor], data: ImageData
) -> Tensor:
    """The same encoder with a head on it, trained at once on what the chapter measures.

    No frozen representation can be expected to beat it: the encoder may keep what this one task
    needs and nothing else.

    Args:
        head: builds what follows the embedding.
        objective: of the head's output and the rows of the training images it belongs to.
        data: the images; their seed is the weights', too.

    Returns:
        The head's output for the left halves of the test images.
    """
    batches = data.batches
    network = init_stacked(
        lambda: nn.Sequential(MNIST.encoder(MNIST, True), head()), batches.seeds
    ).to(data.train.left.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=MNIST.learning_rate, weight_decay=1e-4, fused=True
    )
    for step in range(EPOCHS * batches.steps_per_epoch):
        left, _ = batches(step)
        loss = objective(network(left), batches.indices(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with inference(network):
        return torch.cat([network(part) for part in data.test.left.split(4096)])


def supervised_scores(data: ImageData) -> dict[str, float]:
    """The same networks end to end, held out: ``accuracy`` with labels, ``mse`` with pixels."""
    train, test = data.train, data.test
    scores = end_to_end(
        lambda: Linear(MNIST.embed_dim, 10),
        lambda scores, rows: F.cross_entropy(scores, train.labels[rows]),
        data,
    )
    drawn = end_to_end(
        lambda: Decoder(MNIST.embed_dim, ROWS * COLUMNS),
        lambda drawn, rows: F.mse_loss(drawn, train.right_pixels[rows]),
        data,
    )
    return {
        "accuracy": float((scores.argmax(-1) == test.labels).double().mean()),
        "mse": float(F.mse_loss(drawn, test.right_pixels)),
    }


# --- the record ----------------------------------------------------------------------------------


def train_encoders(data: ImageData) -> tuple[dict[str, Hallucinator], dict[str, History]]:
    """Both models of one seed, drawing from the encoder, and the histories of their training."""
    trained = {name: train(name, data) for name in MODELS}
    encoders = {
        name: train_hallucinator(model, "encoder", data.train, data.batches.seeds)
        for name, (model, _) in trained.items()
    }
    return encoders, {name: history for name, (_, history) in trained.items()}


def measure(data: ImageData, encoders: Mapping[str, Hallucinator]) -> dict[str, Any]:
    """Everything that the chapter says of one seed beyond Table 2, by section."""
    train, test, seed = data.train, data.test, data.batches.seeds
    untrained = MNIST.model(CONFIGURATIONS["expressive"], seed).eval()
    fresh = protocol_a(untrained)
    hallucinator, few = encoders["BiJEPA"], test.first(LOOKED_AT)
    classic, both = (encoders[name].model for name in MODELS)
    shares, maps = hallucinator.probabilities(test.left), pixel_uncertainty(hallucinator, few)

    def drawn(model: BiJEPA, source: str, epochs: int = EPOCHS) -> dict[str, float]:
        return drawing_scores(train_hallucinator(model, source, train, seed, epochs), test)

    return {
        "digit_accuracy": {
            "pixels": digit_accuracy(train.left_pixels, test.left_pixels, data),
            "untrained encoder": digit_accuracy(fresh(train.left), fresh(test.left), data),
            **{n: digit_accuracy(h.bank, h.features(test.left), data) for n, h in encoders.items()},
        },
        "right from left": {
            **references(data, "right"),
            "pixels": drawn(untrained, "pixels"),
            "untrained encoder": drawn(untrained, "encoder"),
            **{name: drawing_scores(encoder, test) for name, encoder in encoders.items()},
            "classic, as in the script": drawn(classic, "as in the script"),
            "BiJEPA, as in the script": drawn(both, "as in the script"),
            "classic, predictor": drawn(classic, "forward predictor"),
            "BiJEPA, predictor": drawn(both, "forward predictor"),
        },
        "left from right": {
            **references(data, "left"),
            "untrained encoder": drawn(untrained, "encoder, right half"),
            "classic, encoder": drawn(classic, "encoder, right half"),
            "BiJEPA, encoder": drawn(both, "encoder, right half"),
            "BiJEPA, predictor": drawn(both, "backward predictor"),
        },
        "few_epochs": {
            source: drawn(both, source, FEW_EPOCHS)
            for source in ("forward predictor", "backward predictor")
        },
        "shift": {name: shift_scores(encoder, test) for name, encoder in encoders.items()},
        "uncertainty": {
            "maps": map_scores(maps),
            "calibration": {
                "gray": calibration(maps.gray, maps.error),
                "spread": calibration(maps.spread, maps.error),
            },
            "confidence": confidence(shares, test.labels),
            "entropy": float(entropy(shares).mean()),
            "pairs": confused_pairs(shares.argmax(-1), test.labels),
        },
        "samples": sample_scores(hallucinator, few),
        "occluded": occlusion_scores(hallucinator, test),
        "supervised": supervised_scores(data),
    }


def record() -> dict[str, Any]:
    """What the chapter compares itself with: MNIST, two seeds, the first in full.

    Returns:
        ``seeds``; ``table``, ``training`` and ``paired`` by seed; for the first seed, what
        :func:`measure` returns.
    """
    table, training, paired, sections = {}, {}, {}, {}
    for seed in SEEDS:
        data = image_data(seed, MNIST.batch_size)
        encoders, histories = train_encoders(data)
        right, other = (encoders[name].correct(data.test) for name in ("BiJEPA", "classic"))
        table[str(seed)] = {name: table_row(h, data.test) for name, h in encoders.items()}
        training[str(seed)] = medians({n: training_summary(h) for n, h in histories.items()})
        paired[str(seed)] = paired_difference(right, other)
        if seed == SEEDS[0]:
            sections = measure(data, encoders)
    by_seed = {"table": table, "training": training, "paired": paired}
    return {"seeds": list(SEEDS), **by_seed, **sections}
