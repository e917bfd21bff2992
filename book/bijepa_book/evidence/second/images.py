"""MNIST in the study's second edition: all seeds trained together, every reading a fair one.

What differs from the first edition: batch normalization's statistics are estimated again, on the
halves that a probe will see, before every probe (BiJEPA's mix both halves while it trains,
classic's do not); features are standardized before neighbors vote; the decoder is trained until it
has converged, beside the paper's ten epochs; and there are probes that are not linear, an encoder
trained with labels, and the mean of neighbors for a rival in drawing.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from bijepa_book.evidence.metrics import LOOKED_AT, latent_measures
from bijepa_book.evidence.second.recording import IMAGE_SEEDS, Measured, Recording
from bijepa_book.evidence.second.stacked import (
    EPOCHS,
    drawings,
    mlp_accuracy,
    softmax_accuracy,
    standardized,
)
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import COLUMNS, ROWS, Halves, ImageData, Side
from bijepa_core.diagnostics import effective_rank, norm
from bijepa_core.evaluation.metrics import (
    NEIGHBORS,
    fraction_unexplained,
    nearest,
    neighbor_accuracy,
    per_seed,
    sharpness,
    training_summary,
)
from bijepa_core.evaluation.probes import Features, adam_classifier, train_decoder
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import CONFIGURATIONS, MNIST, Configuration, Experiment
from bijepa_core.layers import Linear
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import fused_adamw
from bijepa_core.seeds import init_stacked

LOOKS = 100  # rows of diagnostics in a run
PART = 500  # images that pass all seeds' encoders at once
SECONDS = 300.0  # of one core, for a seed
Curves = dict[str, list[list[float]]]
Measure = Callable[[Experiment, int, tuple[int, ...], str], Measured]


def recordings(
    experiment: Experiment = MNIST, seeds: Sequence[int] = IMAGE_SEEDS, epochs: int = EPOCHS
) -> list[Recording]:
    """The conditions, those that most claims need first.

    Args:
        experiment: MNIST, or a shorter one on other images.
        seeds: all of them train together.
        epochs: of the probes that are trained until they have converged.

    Returns:
        One recording each.
    """
    twice_long = replace(experiment, steps=2 * experiment.steps)
    twice_wide = replace(experiment, batch_size=2 * experiment.batch_size)
    classic = CONFIGURATIONS["classic"]
    trained = {
        "classic": (experiment, classic),
        "expressive": (experiment, CONFIGURATIONS["expressive"]),
        "classic-steps": (twice_long, classic),
        "classic-batch": (twice_wide, classic),
        "unconstrained": (experiment, CONFIGURATIONS["unconstrained"]),
        "restrictive": (experiment, CONFIGURATIONS["restrictive"]),
    }

    def recording(name: str, schedule: Experiment, learns: str, measure: Measure) -> Recording:
        about = {"experiment": schedule.plain(), "learns": learns, "probe_epochs": epochs}
        return Recording(
            key=f"{experiment.name}-{name}-paper",
            about=about,
            seeds=seeds,
            chunk=len(seeds),
            seconds=SECONDS,
            measure=partial(measure, schedule, epochs),
        )

    found = []
    for name, (schedule, configuration) in trained.items():
        one = recording(name, schedule, "without labels", partial(configured, configuration))
        found.append(replace(one, about={**one.about, "configuration": configuration.plain()}))
    return [
        *found,
        recording("baselines", experiment, "nothing", untrained),
        recording("supervised", experiment, "labels", supervised),
    ]


# --- what is trained --------------------------------------------------------------------------


def configured(
    configuration: Configuration,
    experiment: Experiment,
    epochs: int,
    seeds: tuple[int, ...],
    device: str,
) -> Measured:
    """A BiJEPA, or a classic JEPA, of the paper.

    Args:
        configuration: constraint and alpha.
        experiment, epochs, seeds, device: see :func:`pretrained`.

    Returns:
        See :func:`pretrained`.
    """
    return pretrained(experiment.model(configuration, seeds), experiment, epochs, seeds, device)


def pretrained(
    model: BiJEPA,
    experiment: Experiment,
    epochs: int,
    seeds: tuple[int, ...],
    device: str,
    make_optimizer: Callable[..., AdamW] = fused_adamw,
) -> Measured:
    """A fresh model, trained and read.

    Args:
        model: with a seed axis.
        experiment: sizes and schedule.
        epochs: of the probes that converge.
        seeds: the model's, trained together.
        device: where.
        make_optimizer: of :func:`bijepa_core.training.pretrain`.

    Returns:
        :func:`readings`, and :func:`bijepa_core.evaluation.metrics.training_summary`.
    """
    with full_precision():
        data: ImageData = experiment.data(seeds, experiment.batch_size, device)
        model = model.to(device)
        history = experiment.train(
            model,
            data.batches,
            device=device,
            log_every=max(experiment.steps // LOOKS, 1),
            progress=False,
            make_optimizer=make_optimizer,
        )
        measures, curves = readings(model, data, seeds, quick=experiment.probe_steps, epochs=epochs)
    return Measured(training_summary(history) | measures, curves)


def supervised(
    experiment: Experiment, epochs: int, seeds: tuple[int, ...], device: str
) -> Measured:
    """The same encoder with a linear head, trained end to end with labels, on left halves.

    Args:
        experiment, epochs, seeds, device: see :func:`pretrained`.

    Returns:
        ``accuracy``, of its own head on left halves of test images, and :func:`readings`.
    """
    with full_precision():
        data: ImageData = experiment.data(seeds, experiment.batch_size, device)
        train, test = data.train, data.test
        model = experiment.model(CONFIGURATIONS["classic"], seeds).to(device).train()
        model.forward_predictor = None
        classes = int(train.labels.max()) + 1
        head = init_stacked(lambda: Linear(experiment.embed_dim, classes), seeds).to(device)
        optimizer = fused_adamw(
            [*model.online.parameters(), *head.parameters()],
            lr=experiment.learning_rate,
            weight_decay=model.constraint.weight_decay,
        )
        for step in range(experiment.steps):
            rows = data.batches.indices(step)  # (seeds, batch)
            scores = head(model.online(train.left[rows]))
            loss = F.cross_entropy(scores.mT, train.labels[rows], reduction="none").mean(-1)
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            scores = head(read(reestimated(model, train.left).embed, test.left))
        accuracy = (scores.argmax(-1) == test.labels).double().mean(-1)
        measures, curves = readings(model, data, seeds, quick=experiment.probe_steps, epochs=epochs)
    return Measured({"accuracy": per_seed(accuracy)} | measures, curves)


@contextmanager
def full_precision() -> Iterator[None]:
    """Products and convolutions of float32 in float32, on devices that would round them."""
    convolutions, products = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products


# --- what is read -----------------------------------------------------------------------------


def reestimated(model: BiJEPA, images: Tensor) -> BiJEPA:
    """A copy whose encoder's batch normalization knows these images, and no others.

    Args:
        model: trained, with a seed axis.
        images: halves ``(n, 1, 28, 14)``: of the side that is to be read, from training images.

    Returns:
        The copy. Mean and variance are averages over parts of the images, by their size.
    """
    copied = copy.deepcopy(model)
    norms = [m for m in copied.online.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    copied.online.train()
    known = 0
    with torch.no_grad():
        for part in images.split(PART):
            known += len(part)
            for layer in norms:
                layer.momentum = len(part) / known  # the first replaces what was there
            copied.online(part)
    return copied.eval()


def read(features: Features, images: Tensor) -> Tensor:
    """Features of halves ``(n, 1, 28, 14)``, part by part: ``(seeds, n, d)``."""
    return torch.cat([features(part) for part in images.split(PART)], dim=-2)


def readings(
    model: BiJEPA, data: ImageData, seeds: tuple[int, ...], *, quick: int, epochs: int
) -> Measured:
    """All that is read from a frozen model.

    Args:
        model: trained, with a seed axis.
        data: the images.
        seeds: the model's.
        quick: epochs of the paper's probes.
        epochs: of the probes that converge.

    Returns:
        Read from statistics estimated again (:func:`reestimated`), on test images:
        ``fair_accuracy_a``, ``_b``: converged softmax regression on the left half's embedding, and
        on the forward predictor's output; ``right_accuracy`` on the right half's embedding;
        ``past_accuracy_b`` on the backward predictor's output; ``mlp_accuracy_a``, ``_b``: one
        hidden layer; ``knn_accuracy``: five neighbors, standardized features;
        ``accuracy_ten``: the paper's classifier. ``fair_decoder``, the error of the converged
        decoder's drawing of the right half from the left half's embedding, with
        ``fair_sharpness`` and ``fair_true`` (how often five neighbors among real halves see the
        true digit in a drawing; pixels as they are); ``decoder_ten``, the same after ten epochs;
        ``decoder_b`` from the forecast; ``past_decoder``, of the left half from the right half's
        embedding. And :func:`latents`.

        With the statistics as training left them: ``mixed_fair_accuracy_a``, ``_b``,
        ``mixed_fair_decoder``, ``mixed_`` and each of
        :func:`bijepa_book.evidence.metrics.latent_measures`; and all that is the paper's:
        ``paper_accuracy``, ``paper_decoder`` (images rescaled before the encoder, error on its
        training set) and ``paper_sharpness``.

        Curves, the converged drawings' error by column of pixels: ``decoder_by_column``, ``_b``
        (column 0 lies at the seam), ``past_by_column`` (column 13 does).
    """
    train, test = data.train, data.test
    left, right = reestimated(model, train.left), reestimated(model, train.right)
    sources: dict[str, tuple[Features, Side]] = {
        "a": (left.embed, "left"),
        "right": (right.embed, "right"),
        "mixed_a": (model.embed, "left"),
    }
    if model.forward_predictor is not None:
        sources |= {
            "b": (left.predict_forward, "left"),
            "mixed_b": (model.predict_forward, "left"),
        }
    if model.backward_predictor is not None:
        sources["past"] = (right.predict_backward, "right")
    seen, unseen = (
        {name: read(features, half.half(side)) for name, (features, side) in sources.items()}
        for half in (train, test)
    )
    labels, truth = train.labels, test.labels

    def quick_accuracy(name: str) -> list[float]:
        probe = adam_classifier(seen[name], labels, epochs=quick, seeds=seeds, progress=False)
        return per_seed(probe.accuracy(unseen[name], truth))

    scores: Scores = {
        "paper_accuracy": quick_accuracy("mixed_a"),
        "accuracy_ten": quick_accuracy("a"),
    }
    script = read(model.embed, train.unnormalized("left"))
    decoder = train_decoder(script, train.right_pixels, epochs=quick, seeds=seeds, progress=False)
    scores["paper_decoder"] = per_seed(decoder.training_error)
    scores["paper_sharpness"] = _edges(decoder(read(model.embed, test.unnormalized("left"))), test)
    decoder = train_decoder(
        seen["a"], train.right_pixels, epochs=quick, seeds=seeds, progress=False
    )
    scores["decoder_ten"] = per_seed(decoder.mse(unseen["a"], test.right_pixels))

    for name in sources:
        seen[name], unseen[name] = standardized(seen[name], unseen[name])
    scores["knn_accuracy"] = [
        neighbor_accuracy(queries, bank, truth, labels)
        for queries, bank in zip(unseen["a"], seen["a"], strict=True)
    ]
    stored = {
        "a": "fair_accuracy_a",
        "b": "fair_accuracy_b",
        "right": "right_accuracy",
        "past": "past_accuracy_b",
        "mixed_a": "mixed_fair_accuracy_a",
        "mixed_b": "mixed_fair_accuracy_b",
    }
    for name in seen:
        probed = softmax_accuracy(seen[name], labels, unseen[name], truth)
        scores[stored[name]] = per_seed(probed)
        if name in ("a", "b"):
            bent = mlp_accuracy(seen[name], labels, unseen[name], truth, seeds=seeds, epochs=epochs)
            scores[f"mlp_accuracy_{name}"] = per_seed(bent)

    drawn_scores, curves = _drawn(seen, unseen, data, seeds, epochs)
    latent = latents(left, right, test.left, test.right)
    mixed = {
        f"mixed_{name}": values
        for name, values in latent_measures(model, test.left, test.right).items()
    }
    return Measured(scores | drawn_scores | latent | mixed, curves)


def _drawn(
    seen: dict[str, Tensor],
    unseen: dict[str, Tensor],
    data: ImageData,
    seeds: tuple[int, ...],
    epochs: int,
) -> tuple[Scores, Curves]:
    """What the converged decoders draw, all readings trained together."""
    train, test = data.train, data.test
    asked: dict[str, tuple[str, Side, str | None]] = {
        "a": ("fair_decoder", "right", "decoder_by_column"),
        "b": ("decoder_b", "right", "decoder_by_column_b"),
        "right": ("past_decoder", "left", "past_by_column"),
        "mixed_a": ("mixed_fair_decoder", "right", None),
    }
    names = [name for name in asked if name in seen]
    drawn = drawings(
        [seen[name] for name in names],
        [train.pixels(asked[name][1]) for name in names],
        [unseen[name] for name in names],
        seeds=seeds,
        epochs=epochs,
    )
    scores: Scores = {}
    curves: Curves = {}
    for name, pictures in zip(names, drawn, strict=True):
        number, side, curve = asked[name]
        wrong = by_column(pictures, test.pixels(side))
        scores[number] = per_seed(wrong.mean(-1))
        if curve is not None:
            curves[curve] = wrong.tolist()
    scores["fair_sharpness"] = _edges(drawn[0], test)
    few = test.first(LOOKED_AT)
    scores["fair_true"] = [
        neighbor_accuracy(one[:LOOKED_AT], train.right_pixels, few.labels, train.labels)
        for one in drawn[0]
    ]
    return scores, curves


def by_column(drawn: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error by column of pixels, ``(*seeds, n, 392)`` to ``(*seeds, 14)``."""
    return (drawn - truth).square().unflatten(-1, (ROWS, COLUMNS)).mean((-3, -2))


def _edges(drawn: Tensor, test: Halves) -> list[float]:
    truth = test.right_pixels.unflatten(-1, (ROWS, COLUMNS))
    return [sharpness(one.unflatten(-1, (ROWS, COLUMNS)), truth) for one in drawn]


def latents(left: BiJEPA, right: BiJEPA, x: Tensor, y: Tensor) -> Scores:
    """:func:`bijepa_book.evidence.metrics.latent_measures`, each half by its own statistics.

    Args:
        left, right: the model, :func:`reestimated` on either side.
        x, y: halves of test images.

    Returns:
        ``rank``, ``size``, ``missed_future``, ``missed_past`` and ``missed_loop``, the latter
        where the model has the predictors.
    """
    x, y = x[:LOOKED_AT], y[:LOOKED_AT]
    s, t = read(left.embed, x), read(right.embed, y)
    scores = {"rank": per_seed(effective_rank(s)), "size": per_seed(norm(s).mean(-1))}
    if left.forward_predictor is not None:
        scores["missed_future"] = per_seed(fraction_unexplained(read(left.forecast, x), t))
    if left.backward_predictor is not None:
        scores["missed_past"] = per_seed(fraction_unexplained(read(right.infer_past, y), s))
    if left.forward_predictor is not None and left.backward_predictor is not None:
        with inference(left):
            around = left.constraint.project(left.backward_predictor(left.forward_predictor(s)))
        scores["missed_loop"] = per_seed(fraction_unexplained(around, s))
    return scores


# --- what needs no training -------------------------------------------------------------------


def untrained(experiment: Experiment, epochs: int, seeds: tuple[int, ...], device: str) -> Measured:
    """Encoders before training, raw pixels, and neighbors among them.

    Args:
        experiment, epochs, seeds, device: see :func:`pretrained`.

    Returns:
        ``untrained_accuracy``, ``untrained_mlp_accuracy``, ``untrained_decoder`` and
        ``untrained_past_decoder``: as :func:`readings` reads a trained encoder.
        ``raw_accuracy``, ``raw_mlp_accuracy``, ``raw_knn_accuracy`` (pixels as they are: they
        share one scale), ``raw_decoder`` and ``raw_past_decoder``: the same from the left (right)
        half's pixels themselves. ``mean_image``, the error of one drawing for all;
        ``neighbor_mean_error`` and ``neighbor_mean_sharpness``: of the mean right half of the ten
        nearest left halves; ``neighbor_one_sharpness``: of the nearest one's. What knows no seed
        is there once for each, the same number; so is the raw decoder, of the first seed.
        Curves by column: ``untrained_by_column``, ``raw_by_column``, ``mean_image_by_column``,
        each with its ``_past``, and ``neighbor_mean_by_column``.
    """
    with full_precision():
        data: ImageData = experiment.data(seeds, experiment.batch_size, device)
        train, test = data.train, data.test
        labels, truth = train.labels, test.labels
        model = experiment.model(CONFIGURATIONS["expressive"], seeds).to(device)
        left, right = reestimated(model, train.left), reestimated(model, train.right)
        pairs = [
            standardized(read(left.embed, train.left), read(left.embed, test.left)),
            standardized(read(right.embed, train.right), read(right.embed, test.right)),
        ]
        seen, unseen = ([pair[i] for pair in pairs] for i in (0, 1))
        flat, flat_test = train.left.flatten(1), test.left.flatten(1)
        pixels = [train.right_pixels, train.left_pixels]  # to draw from either half
        wanted = [test.right_pixels, test.left_pixels]
        near = nearest(flat_test, flat, NEIGHBORS)  # (m, 10)
        meeting = train.right_pixels[near].mean(-2)  # (m, 392)
        bent = mlp_accuracy(seen[0], labels, unseen[0], truth, seeds=seeds, epochs=epochs)
        raw_bent = mlp_accuracy(flat, labels, flat_test, truth, seeds=seeds, epochs=epochs)
        first = [flat[None], train.right.flatten(1)[None]]
        first_test = [flat_test[None], test.right.flatten(1)[None]]
        wrong = {
            "untrained": drawings(seen, pixels, unseen, seeds=seeds, epochs=epochs),
            "raw": drawings(first, pixels, first_test, seeds=seeds[:1], epochs=epochs),
            "mean_image": [half.mean(0, keepdim=True)[None] for half in pixels],
        }
        own = {
            "untrained_accuracy": softmax_accuracy(seen[0], labels, unseen[0], truth),
            "untrained_mlp_accuracy": bent,
            "raw_mlp_accuracy": raw_bent,
        }
        shared = {
            "raw_accuracy": float(softmax_accuracy(flat[None], labels, flat_test[None], truth)),
            "raw_knn_accuracy": neighbor_accuracy(flat_test, flat, truth, labels),
            "neighbor_mean_error": float((meeting - test.right_pixels).square().mean()),
            "neighbor_mean_sharpness": _edges(meeting[None], test)[0],
            "neighbor_one_sharpness": _edges(train.right_pixels[near[:, 0]][None], test)[0],
        }
        scores: Scores = {name: per_seed(values) for name, values in own.items()}
        scores |= {name: [value] * len(seeds) for name, value in shared.items()}
        curves: Curves = {
            "neighbor_mean_by_column": [by_column(meeting, test.right_pixels).tolist()] * len(seeds)
        }
        for name, (ahead, back) in wrong.items():
            for end, drawn, target in (("", ahead, wanted[0]), ("_past", back, wanted[1])):
                columns = by_column(drawn, target).expand(len(seeds), -1)
                number = f"{name}{end}" if name == "mean_image" else f"{name}{end}_decoder"
                scores[number] = per_seed(columns.mean(-1))
                curves[f"{name}{end}_by_column"] = columns.tolist()
    return Measured(scores, curves)
