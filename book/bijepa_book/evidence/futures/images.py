"""Half images: many right halves for one left half, many left halves for one right half.

A decoder is fitted to *target* embeddings, those of the half that is to be drawn. It then draws
each embedding that a model samples. Forecasts of a model that cannot sample are samples that are
all alike, and so every reading is defined for all models: the energy score becomes the distance to
the drawing, the spread zero, frequencies of classes zero or one. Two rivals need no training: the
halves that belong to a half's nearest neighbors, and halves of any training images.
"""

import copy
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_book.evidence.second.images import Curves, full_precision, read, reestimated
from bijepa_book.evidence.second.recording import Measured, Recording
from bijepa_book.evidence.second.stacked import (
    EPOCHS,
    center_and_scale,
    decoders,
    mlp_classifier,
    softmax_accuracy,
    standardized,
)
from bijepa_book.int8 import pack
from bijepa_core._support.checks import inference
from bijepa_core._support.devices import resolve_device
from bijepa_core._support.files import atomic_write
from bijepa_core.constraints import EXPRESSIVE, WHITENED, Constraint
from bijepa_core.data.mnist import COLUMNS, ROWS, Halves, ImageData, Side
from bijepa_core.evaluation.metrics import (
    SMALL,
    nearest,
    per_seed,
    sharpness,
    training_summary,
)
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import MNIST, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, script_scale
from bijepa_core.networks import Decoder, MLPPredictor
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.seeds import borrowing_random_state, generator, init_stacked, unstack
from bijepa_core.stochastic import (
    EnergyPredictor,
    GaussianPredictor,
    StochasticBiJEPA,
    energy_score,
    relative_energy_score,
    spread_to_error,
)

SEEDS = range(8, 16)
NEIGHBORS = 50
LOOKS = 100  # rows of diagnostics in a run
DOUBTS = 10  # parts of the test images, by what their neighbors disagree about
DOUBTED, CERTAIN, SHOWN = 8, 4, 8  # halves that are kept as pictures, completions of each
WAYS: Mapping[str, tuple[Side, Side]] = {"": ("left", "right"), "past_": ("right", "left")}
"""What a reading's name begins with: the half that is given, and the half that is drawn."""


def steady_adamw(steps: int) -> Any:
    """The paper's optimizer, whatever the length of the training."""
    return fused_adamw


class Regime(NamedTuple):
    """What holds the embedding.

    Args:
        constraint: on it.
        optimizer: from the steps of a training to what makes its optimizer; the paper's by default.
        rate: what the optimizer does with the learning rate, in records.
    """

    constraint: Constraint
    optimizer: Callable[[int], Any] = steady_adamw
    rate: Mapping[str, str] = {}


REGIMES: Mapping[str, Regime] = {
    "expressive": Regime(EXPRESSIVE),
    "whitened-falling": Regime(WHITENED, falling_adamw, {"rate": "falls to 0.3"}),
}
"""The paper's, and what chapter 10 recommends: a constraint, and a learning rate that falls."""

PREDICTORS: Mapping[str, Callable[[int, int, bool], nn.Module]] = {
    "deterministic": MLPPredictor,
    "energy": lambda d, hidden, norm: EnergyPredictor(d, hidden, 16, 8, norm),
    "gaussian": lambda d, hidden, norm: GaussianPredictor(d, hidden, 1, norm),
    "mixture": lambda d, hidden, norm: GaussianPredictor(d, hidden, 8, norm),
}
"""By name: from the embedding's width, the hidden one, and whether LayerNorm is there."""
RIVALS = ("neighbors", "climatology")


@dataclass(frozen=True)
class Look:
    """How much is looked at.

    Args:
        images: of the test set, evenly spread over it: its halves differ in difficulty.
        samples: for each.
        epochs: of decoders and classifiers.
    """

    images: int = 2000
    samples: int = 16
    epochs: int = EPOCHS


def recordings(
    folder: Path | None = None,
    experiment: Experiment = MNIST,
    seeds: Sequence[int] = SEEDS,
    look: Look = Look(),
    regimes: Mapping[str, Regime] = REGIMES,
) -> list[Recording]:
    """What is recorded: both rivals, then every predictor under each regime.

    Args:
        folder: where pictures and weights go, beside the records; None for nowhere.
        experiment: MNIST, or a shorter one on other images.
        seeds: all of them train together.
        look: how much is looked at.
        regimes: by name.

    Returns:
        One recording each.
    """
    about = {"experiment": experiment.plain(), "look": asdict(look), "neighbors": NEIGHBORS}

    def recording(name: str, seconds: float, measure: Any, **more: Any) -> Recording:
        key = f"{experiment.name}-futures-{name}"
        pictures = None if folder is None else folder / f"{key}-pictures.npz"
        done = partial(measure, experiment, look, pictures)
        return Recording(key, {**about, **more}, seeds, len(seeds), seconds, done)

    return [
        *(recording(name, 60.0, partial(rival, name), model=name) for name in RIVALS),
        *(
            recording(
                f"{kind}-{name}",
                300.0,
                partial(trained, kind, regime),
                model=kind,
                constraint=regime.constraint.plain(),
                **regime.rate,
            )
            for name, regime in regimes.items()
            for kind in PREDICTORS
        ),
    ]


# --- what all are judged by --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Bench:
    """Images, and what judges drawings of them.

    Args:
        data: all images.
        rows: of the test images that are looked at.
        test: these.
        near: by the side that is given, ``(n, NEIGHBORS)`` training images, the nearest first.
        halves: by side, a classifier for each seed, trained on real halves.
        whole: the same for whole images.
    """

    data: ImageData
    rows: Tensor
    test: Halves
    near: dict[Side, Tensor]
    halves: dict[Side, nn.Module]
    whole: nn.Module

    def frequencies(self, given: Side) -> Tensor:
        """How often neighbors are of each class, ``(n, classes)``."""
        return _frequencies(self.data.train.labels[self.near[given].T], self.classes)

    def doubt(self, given: Side) -> Tensor:
        """The entropy of these frequencies, ``(n,)`` nats."""
        return _entropy(self.frequencies(given))

    @property
    def classes(self) -> int:
        """How many there are."""
        return int(self.data.train.labels.max()) + 1


@lru_cache(maxsize=1)
def bench(experiment: Experiment, look: Look, seeds: tuple[int, ...], device: str) -> Bench:
    """Load images, find neighbors, train classifiers; kept for the next recording.

    Args:
        experiment, look: see :func:`recordings`.
        seeds: the models'; each has classifiers of its own.
        device: where.
    """
    data: ImageData = experiment.data(seeds, experiment.batch_size, device)
    train, count = data.train, len(data.test.labels)
    step = max(count // look.images, 1)
    rows = torch.arange(0, count, step, device=train.labels.device)[: look.images]
    test, labels, epochs = data.test.rows(rows), train.labels, look.epochs
    sides: tuple[Side, Side] = ("left", "right")
    learn = partial(mlp_classifier, labels=labels, seeds=seeds, epochs=epochs)
    return Bench(
        data,
        rows,
        test,
        {side: nearest(test.pixels(side), train.pixels(side), NEIGHBORS) for side in sides},
        {side: learn(train.pixels(side)) for side in sides},
        learn(together("left", train.left_pixels, train.right_pixels)),
    )


def together(given: Side, half: Tensor, drawn: Tensor) -> Tensor:
    """Whole images, ``(*, 784)``, from the half that is given and the one that is drawn.

    Args:
        given: which side the first one is.
        half: ``(n, 392)``, or as drawn.
        drawn: ``(*, n, 392)``.
    """
    pictures = [part.unflatten(-1, (ROWS, COLUMNS)) for part in (half.expand_as(drawn), drawn)]
    if given == "right":
        pictures.reverse()
    return torch.cat(pictures, dim=-1).flatten(-2)


# --- what is trained ---------------------------------------------------------------------------


def model(
    kind: str, constraint: Constraint, experiment: Experiment, seeds: Sequence[int]
) -> BiJEPA:
    """A fresh model of all seeds, with the paper's sizes, both directions.

    Args:
        kind: of :data:`PREDICTORS`.
        constraint: what holds the embedding.
        experiment: sizes and schedule.
        seeds: initialize it.
    """
    form = BiJEPA if kind == "deterministic" else StochasticBiJEPA
    norm = constraint.layer_norm
    sizes = (experiment.embed_dim, experiment.hidden_dim, norm)

    def build() -> BiJEPA:
        return form(
            experiment.encoder(experiment, norm),
            partial(PREDICTORS[kind], *sizes),
            constraint=constraint,
            tau=experiment.tau,
            scale=script_scale(0.5),
        )

    return init_stacked(build, seeds)


def fit(
    one: BiJEPA, regime: Regime, experiment: Experiment, data: ImageData, seed: int, device: str
) -> History:
    """Train it; noise is drawn anew from PyTorch's global generators, which are put back."""
    with borrowing_random_state(resolve_device(device)):
        torch.manual_seed(seed)
        return experiment.train(
            one,
            data.batches,
            device=device,
            log_every=max(experiment.steps // LOOKS, 1),
            progress=False,
            make_optimizer=regime.optimizer(experiment.steps),
        )


def as_target(one: BiJEPA) -> BiJEPA:
    """A copy whose :meth:`BiJEPA.embed` is the target encoder's: what predictors aim at."""
    copied = copy.deepcopy(one)
    copied.online = copied.target
    return copied


def targets(one: BiJEPA, side: Side, train: Halves, test: Halves) -> tuple[Tensor, Tensor]:
    """What predictions of a side are compared with, ``(seeds, n, d)``.

    Args:
        one: trained.
        side: of the halves.
        train, test: halves; whitening is theirs together, so that both get one map.

    Returns:
        Of training halves, to fit decoders to; and of test halves.
    """
    aiming = reestimated(as_target(one), train.half(side))
    seen = [read(aiming.embed, halves.half(side)) for halves in (train, test)]
    aimed = one.constraint.aim(torch.cat(seen, -2))
    first, last = aimed.split([len(train.labels), len(test.labels)], -2)
    return first, last


def sampled(one: BiJEPA, given: Side, views: Tensor, count: int) -> Tensor:
    """Embeddings of the other half, ``(count, seeds, n, d)``; equal ones of a model without z.

    Args:
        one: its statistics :func:`reestimated` on the given side.
        given: left halves are followed by right ones; right halves preceded by left ones.
        views: ``(n, 1, 28, 14)``.
        count: for each.
    """
    if isinstance(one, StochasticBiJEPA):
        draw = one.sample_forward if given == "left" else one.sample_backward
        return draw(views, count, generator(0, f"futures/images/{given}"))
    point = forecast(one, given, views)
    return point.expand(count, *point.shape)


def forecast(one: BiJEPA, given: Side, views: Tensor) -> Tensor:
    """The other half's embedding by a model without z, ``(seeds, n, d)``."""
    return one.forecast(views) if given == "left" else one.infer_past(views)


@dataclass(frozen=True, eq=False)
class Drawer:
    """Decoders of several readings, all seeds of the first, then of the next.

    Args:
        decoder: reads standardized features.
        center, scale: of the features that it was fitted to, ``(readings * seeds, 1, d)``.
    """

    decoder: Decoder
    center: Tensor
    scale: Tensor

    @classmethod
    def fitted(
        cls, seen: list[Tensor], pixels: list[Tensor], seeds: tuple[int, ...], epochs: int
    ) -> "Drawer":
        """Fit to features ``(seeds, n, d)`` and the halves ``(n, 392)`` that belong to them."""
        center, width = center_and_scale(torch.cat(seen))
        plain = [standardized(one, one)[0] for one in seen]
        return cls(decoders(plain, pixels, seeds=seeds, epochs=epochs), center, width)

    def __call__(self, features: list[Tensor]) -> list[Tensor]:
        """Drawings ``(count, seeds, n, 392)`` of features ``(count, seeds, n, d)``."""
        asked = (torch.cat(features, dim=1) - self.center) / self.scale
        with inference(self.decoder):
            drawn = torch.stack([self.decoder(one) for one in asked])
        return list(drawn.split(features[0].shape[1], dim=1))


def trained(
    kind: str,
    regime: Regime,
    experiment: Experiment,
    look: Look,
    pictures: Path | None,
    seeds: tuple[int, ...],
    device: str,
) -> Measured:
    """Train a model, fit decoders to its targets, and read what it draws.

    Args:
        kind: see :func:`model`.
        regime: what holds the embedding.
        experiment, look: see :func:`recordings`.
        pictures: where the first seed's pictures go; of the energy score, its weights beside them.
        seeds: trained together.
        device: where.

    Returns:
        :func:`readings` of both ways, the second's names with ``past_`` in front. In the
        embedding, likewise: ``spread_to_error`` and ``relative_energy_score``. ``label_accuracy``
        of a converged softmax regression on left halves, all test images. ``decoded_error``,
        ``decoded_sharpness`` and ``decoded_true``: what the decoder makes of the true half's own
        embedding (``decoded_true`` by the classifier of halves). For the deterministic model
        ``fitted_`` and each reading: the drawings of a decoder that was fitted to its forecasts,
        the best that one drawing can do. And
        :func:`bijepa_core.evaluation.metrics.training_summary`.

    Raises:
        NonFiniteLossError: if a loss stops being finite.
    """
    with full_precision():
        judges = bench(experiment, look, seeds, device)
        train, test = judges.data.train, judges.test
        one = model(kind, regime.constraint, experiment, seeds).to(device)
        history = fit(one, regime, experiment, judges.data, seeds[0], device)
        sides: tuple[Side, Side] = ("left", "right")
        own = {side: reestimated(one, train.half(side)) for side in sides}
        scores: Scores = {**training_summary(history), "label_accuracy": labels(own, judges)}
        curves: Curves = {}

        # a decoder for each way, and of the deterministic model's forecasts another
        ways = list(WAYS.items())
        prefixes = [prefix for prefix, _ in ways]
        seen, unseen = zip(
            *(targets(one, drawn, train, test) for _, (_, drawn) in ways), strict=True
        )
        if kind == "deterministic":
            prefixes += [f"fitted_{prefix}" for prefix, _ in ways]
            seen += tuple(
                read(partial(forecast, own[given], given), train.half(given))
                for _, (given, _) in ways
            )
        times = len(seen) // len(ways)
        wanted = [train.pixels(drawn) for _, (_, drawn) in ways] * times
        drawer = Drawer.fitted(list(seen), wanted, seeds, look.epochs)
        del seen

        samples = [
            sampled(own[given], given, test.half(given), look.samples) for _, (given, _) in ways
        ]
        true = drawer([target[None] for target in unseen] * times)
        drawings = drawer(samples * times)
        for (prefix, (_, side)), target, futures, decoded in zip(
            ways, unseen, samples, true[: len(ways)], strict=True
        ):
            embedded = {
                "spread_to_error": spread_to_error(futures, target),
                "relative_energy_score": relative_energy_score(futures, target),
            }
            scores |= {prefix + name: per_seed(value) for name, value in embedded.items()}
            found = of_the_truth(judges, side, decoded[0])
            scores |= {f"{prefix}decoded_{name}": value for name, value in found.items()}
        for prefix, (_, (given, _)), drawn in zip(prefixes, ways * times, drawings, strict=True):
            found, more = readings(judges, given, drawn)
            scores |= {prefix + name: value for name, value in found.items()}
            curves |= {prefix + name: value for name, value in more.items()}
        if pictures is not None:
            keep_pictures(pictures, judges, seeds[0], [part[:, 0] for part in drawings[:2]])
            if kind == "energy" and regime == REGIMES["expressive"]:  # the page has one of them
                name = pictures.name.replace("pictures", "weights")
                pack(pictures.with_name(name), weights(own, drawer, judges))
    return Measured(scores, curves)


def labels(own: Mapping[Side, BiJEPA], judges: Bench) -> list[float]:
    """Accuracy of a converged softmax regression on the embeddings of left halves."""
    train, test = judges.data.train, judges.data.test
    seen, unseen = (read(own["left"].embed, half.left) for half in (train, test))
    seen, unseen = standardized(seen, unseen)
    return per_seed(softmax_accuracy(seen, train.labels, unseen, test.labels))


# --- rivals that need no training --------------------------------------------------------------


def rival(
    name: str,
    experiment: Experiment,
    look: Look,
    pictures: Path | None,
    seeds: tuple[int, ...],
    device: str,
) -> Measured:
    """Halves of training images in the place of drawings: of neighbors, or of any.

    Args:
        name: of :data:`RIVALS`.
        experiment, look, pictures, seeds, device: see :func:`trained`.

    Returns:
        :func:`readings` of both ways. For neighbors also, from all fifty's labels,
        ``label_entropy``, ``label_brier``, ``label_log_score`` and ``label_true``; of the nearest
        one alone ``nearest_score``, ``nearest_error`` and ``nearest_sharpness``; and
        ``real_half_true`` and ``real_whole_true``, the classifiers' accuracy on real test images.
        What knows no seed is there once for each.
    """
    with full_precision():
        judges = bench(experiment, look, seeds, device)
        train, test = judges.data.train, judges.test
        scores: Scores = {}
        curves: Curves = {}
        kept = []
        for prefix, (given, drawn) in WAYS.items():
            pixels, truth, near = train.pixels(drawn), test.pixels(drawn), judges.near[given]
            draw, size = generator(0, f"futures/{name}/{given}"), (len(near), look.samples)
            if name == "neighbors":
                order = torch.rand(near.shape, generator=draw).argsort(-1)[:, : look.samples]
                rows = near.gather(-1, order.to(near.device))
            else:
                rows = torch.randint(len(pixels), size, generator=draw).to(near.device)
            halves = pixels[rows.T][:, None].expand(-1, len(seeds), -1, -1)
            found, more = readings(judges, given, halves)
            if name == "neighbors":
                voted = train.labels[near.T][:, None]  # (50, 1, n)
                told, _ = class_readings(judges, given, voted)
                wanted = ("entropy", "brier", "log_score", "true")
                found |= {f"label_{one}": told[one] * len(seeds) for one in wanted}
                first = pixels[near[:, 0]]
                wrong = first - truth
                alone = {
                    "nearest_score": float(wrong.norm(dim=-1).mean()),
                    "nearest_error": float(wrong.square().mean()),
                    "nearest_sharpness": edges(first, truth),
                }
                found |= {one: [value] * len(seeds) for one, value in alone.items()}
                real = truth.expand(1, len(seeds), -1, -1)
                for what in ("half", "whole"):
                    right = classified(judges, what, given, real)[0] == test.labels
                    found[f"real_{what}_true"] = per_seed(right.double().mean(-1))
            scores |= {prefix + one: value for one, value in found.items()}
            curves |= {prefix + one: value for one, value in more.items()}
            kept.append(pixels[near[:, :SHOWN].T] if name == "neighbors" else halves[:, 0])
        if pictures is not None:
            keep_pictures(pictures, judges, seeds[0], kept)
    return Measured(scores, curves)


# --- what is read ------------------------------------------------------------------------------


def readings(judges: Bench, given: Side, drawn: Tensor) -> tuple[Scores, Curves]:
    """Completions beside the truth: in pixels, by edges, and by class.

    Args:
        judges: of the same images.
        given: the half that was given.
        drawn: ``(m, seeds, n, 392)`` in 0..1, two or more of each.

    Returns:
        ``pixel_score``, the energy score, and ``mean_score``, that of their mean alone, its
        distance; ``sample_error``, ``mean_error`` and ``best_error``: mean squared error of each,
        of their mean, and of the best of m; ``pixel_spread_to_error``; ``sharpness`` of each and
        ``mean_sharpness`` of their mean. With ``half_``, by a classifier of halves, and
        ``whole_``, of whole images: :func:`class_readings`.
    """
    truth = judges.test.pixels("right" if given == "left" else "left")
    mean, wrong = drawn.mean(0), (drawn - truth).square().mean(-1)  # (seeds, n, 392), (m, seeds, n)
    missed = mean - truth
    measures = {
        "pixel_score": energy_score(drawn, truth).mean(-1),
        "mean_score": missed.norm(dim=-1).mean(-1),
        "sample_error": wrong.mean((0, 2)),
        "mean_error": missed.square().mean((-2, -1)),
        "best_error": wrong.amin(0).mean(-1),
        "pixel_spread_to_error": spread_to_error(drawn, truth),
    }
    scores: Scores = {name: per_seed(value) for name, value in measures.items()}
    scores["sharpness"] = [edges(one, truth) for one in drawn.unbind(1)]
    scores["mean_sharpness"] = [edges(one, truth) for one in mean]
    curves: Curves = {}
    for what in ("half", "whole"):
        seen = classified(judges, what, given, drawn)
        found, more = class_readings(judges, given, seen)
        scores |= {f"{what}_{name}": value for name, value in found.items()}
        curves |= {f"{what}_{name}": value for name, value in more.items()}
    return scores, curves


def of_the_truth(judges: Bench, side: Side, drawn: Tensor) -> Scores:
    """Drawings ``(seeds, n, 392)`` from the embedding of the very half that is to be drawn."""
    truth, given = judges.test.pixels(side), "left" if side == "right" else "right"
    seen = classified(judges, "half", given, drawn[None])[0]  # type: ignore[arg-type]
    return {
        "error": per_seed((drawn - truth).square().mean((-2, -1))),
        "sharpness": [edges(one, truth) for one in drawn],
        "true": per_seed((seen == judges.test.labels).double().mean(-1)),
    }


def edges(drawn: Tensor, truth: Tensor) -> float:
    """:func:`sharpness` of halves ``(*, 392)`` against ``(n, 392)``."""
    pictures, real = (one.reshape(-1, ROWS, COLUMNS) for one in (drawn, truth))
    return sharpness(pictures, real)


def classified(judges: Bench, what: str, given: Side, drawn: Tensor) -> Tensor:
    """The class of each completion ``(m, seeds, n, 392)``: ``(m, seeds, n)``.

    Args:
        judges: whose classifiers.
        what: ``"half"`` looks at what was drawn alone, ``"whole"`` at both halves together.
        given: the half that was given.
        drawn: the completions.
    """
    network = judges.halves["right" if given == "left" else "left"]
    if what == "whole":
        network = judges.whole
    found = []
    with inference(network):
        for one in drawn:  # (seeds, n, 392)
            seen = together(given, judges.test.pixels(given), one) if what == "whole" else one
            found.append(network(seen).argmax(-1))
    return torch.stack(found)


def class_readings(judges: Bench, given: Side, seen: Tensor) -> tuple[Scores, Curves]:
    """Classes of completions beside the truth, and beside what neighbors show.

    Args:
        judges: of the same images.
        given: the half that was given.
        seen: ``(m, seeds, n)``, two or more of each.

    Returns:
        ``entropy`` of the frequencies, nats (of m samples: it grows with m, and is to be compared
        at one m); ``brier``, unbiased for any m; ``log_score``, with half a sample added to each
        class; ``true``, the share of completions of the true class; ``distance``, the squared
        distance between frequencies and the neighbors', unbiased; ``doubt``, the correlation over
        images between their entropies, 0 where one never changes. Curves over tenths of the
        images, from those whose neighbors agree to those whose neighbors do not:
        ``entropy_by_doubt``, ``brier_by_doubt``.
    """
    m, classes = len(seen), judges.classes
    shares = _frequencies(seen, classes)  # (seeds, n, classes)
    truth = F.one_hot(judges.test.labels, classes).to(shares)
    beside = judges.frequencies(given)
    own = (shares * truth).sum(-1)
    by_chance = (shares * (1 - shares)).sum(-1) / (m - 1)
    theirs = (beside * (1 - beside)).sum(-1) / (NEIGHBORS - 1)
    entropy, doubt = _entropy(shares), judges.doubt(given)
    brier = (shares - truth).square().sum(-1) - by_chance
    centered = entropy - entropy.mean(-1, keepdim=True)
    other = doubt - doubt.mean()
    length = centered.norm(dim=-1) * other.norm()
    measures = {
        "entropy": entropy.mean(-1),
        "brier": brier.mean(-1),
        "log_score": -((m * own + 0.5) / (m + classes / 2)).log().mean(-1),
        "true": own.mean(-1),
        "distance": ((shares - beside).square().sum(-1) - by_chance - theirs).mean(-1),
        "doubt": (centered * other).sum(-1) / length.clamp_min(SMALL),
    }
    parts = doubt.argsort(stable=True).tensor_split(DOUBTS)
    curves = {
        f"{name}_by_doubt": torch.stack([values[:, part].mean(-1) for part in parts], -1).tolist()
        for name, values in (("entropy", entropy), ("brier", brier))
    }
    return {name: per_seed(value) for name, value in measures.items()}, curves


def _frequencies(seen: Tensor, classes: int) -> Tensor:
    """How often each class is among ``(m, *)``: ``(*, classes)``."""
    return F.one_hot(seen, classes).double().mean(0)


def _entropy(shares: Tensor) -> Tensor:
    return torch.special.entr(shares).sum(-1)


# --- what is kept for the book and the page ----------------------------------------------------


def shown(judges: Bench, given: Side) -> Tensor:
    """Positions of the halves that are kept: most in doubt, and least, by their neighbors."""
    order = judges.doubt(given).argsort(stable=True)
    return torch.cat([order.flip(0)[:DOUBTED], order[:CERTAIN]])


def keep_pictures(path: Path, judges: Bench, seed: int, drawn: list[Tensor]) -> None:
    """A few halves with their completions, a byte a pixel, whole or not at all.

    Args:
        path: ends in ``.npz``. It holds, and with ``past_`` for the way back: ``rows`` of the test
            set, ``labels``, ``given`` and ``truth`` ``(12, 392)``, ``drawn`` ``(12, 8, 392)``
            (one for each where all are alike), ``neighbors``, class frequencies ``(12, 10)``.
        judges: of the same images.
        seed: whose they are.
        drawn: for both ways, ``(m, n, 392)``.
    """
    arrays: dict[str, Any] = {"seed": np.array(seed)}
    for (prefix, (given, side)), completions in zip(WAYS.items(), drawn, strict=True):
        at = shown(judges, given)
        few = judges.test.rows(at)
        several = _bytes(completions[:SHOWN, at].transpose(0, 1))  # (12, 8, 392)
        if bool((several == several[:, :1]).all()):
            several = several[:, :1]
        kept = {
            "rows": judges.rows[at],
            "labels": few.labels,
            "given": _bytes(few.pixels(given)),
            "truth": _bytes(few.pixels(side)),
            "drawn": several,
            "neighbors": judges.frequencies(given)[at].float(),
        }
        arrays |= {prefix + name: value.cpu().numpy() for name, value in kept.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    atomic_write(path, buffer.getvalue())


def _bytes(pixels: Tensor) -> Tensor:
    return (255 * pixels).round().to(torch.uint8)


def weights(own: Mapping[Side, BiJEPA], drawer: Drawer, judges: Bench) -> dict[str, Tensor]:
    """What the page needs to draw completions with the first seed, by the names of the other pads.

    Args:
        own: by side, the trained model.
        drawer: fitted to targets of both ways.
        judges: whose classifier of whole images goes with it.

    Returns:
        ``online.``, the encoder with the statistics of left halves; ``right.``, those of right
        halves; ``forward_predictor.`` and ``backward_predictor.``, which read ``[s, z]``;
        ``decoder.forward.`` and ``decoder.backward.``, of standardized embeddings, with ``center``
        and ``scale``; ``classifier.``, of whole images in 0..1.
    """
    left, right = (unstack(own[side], 0) for side in ("left", "right"))
    parts: dict[str, nn.Module | None] = {"online": left.online}
    for name in ("forward_predictor", "backward_predictor"):
        predictor = getattr(left, name)
        assert isinstance(predictor, EnergyPredictor)
        parts[name] = predictor.net
    seeds = drawer.center.shape[0] // len(WAYS)
    found: dict[str, Tensor] = {}
    for way, position in (("forward", 0), ("backward", seeds)):
        parts[f"decoder.{way}"] = unstack(drawer.decoder, position)
        found[f"decoder.{way}.center"] = drawer.center[position, 0]
        found[f"decoder.{way}.scale"] = drawer.scale[position, 0]
    parts["classifier"] = unstack(judges.whole, 0)
    for prefix, module in parts.items():
        assert module is not None
        found |= {f"{prefix}.{name}": value for name, value in module.state_dict().items()}
    found |= {
        f"right.{name}": value
        for name, value in right.online.state_dict().items()
        if "running" in name
    }
    return {name: value for name, value in found.items() if "num_batches" not in name}
