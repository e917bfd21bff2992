"""Half images: many right halves for one left half, many left halves for one right half.

A decoder is fitted to *target* embeddings, those of the half that is to be drawn. It then draws
each embedding that a model samples. Forecasts of a model that cannot sample are samples that are
all alike, and so every reading is defined for all models: the energy score becomes the distance to
the drawing, the spread zero, frequencies of classes zero or one. Two rivals need no training: the
halves that belong to a half's nearest neighbors, and halves of any training images.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from bijepa_book.evidence.futures.completions import (
    NEIGHBORS,
    PREFIXES,
    Bench,
    Look,
    bench,
    class_readings,
    classified,
    edges,
    of_the_truth,
    readings,
)
from bijepa_book.evidence.futures.drawer import Drawer
from bijepa_book.evidence.futures.keeping import SHOWN, keep_pictures, weights
from bijepa_book.evidence.second.images import Curves, full_precision, read, reestimated
from bijepa_book.evidence.second.recording import Measured, Recording
from bijepa_book.evidence.second.stacked import softmax_accuracy, standardized
from bijepa_book.evidence.stable.kinds import FALLS_TO
from bijepa_book.int8 import pack
from bijepa_core._support.devices import resolve_device
from bijepa_core.constraints import EXPRESSIVE, WHITENED, Constraint
from bijepa_core.data.mnist import Halves, ImageData, Side
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import MNIST, Experiment
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, script_scale
from bijepa_core.networks import MLPPredictor
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.seeds import borrowing_random_state, generator, init_stacked
from bijepa_core.stochastic import (
    EnergyPredictor,
    GaussianPredictor,
    StochasticBiJEPA,
    relative_energy_score,
    spread_to_error,
)

SEEDS = range(8, 16)
WHOLE_LOOK = Look()
LOOKS = 100  # rows of diagnostics in a run


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
    "whitened-falling": Regime(
        WHITENED, partial(falling_adamw, to=FALLS_TO), {"rate": f"falls to {FALLS_TO:g}"}
    ),
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


def recordings(
    folder: Path | None = None,
    experiment: Experiment = MNIST,
    seeds: Sequence[int] = SEEDS,
    look: Look = WHOLE_LOOK,
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
        ways = list(PREFIXES.items())
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
        for prefix, (given, drawn) in PREFIXES.items():
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
