"""What completions of half images are judged by: pixels, edges, classes, and similar halves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_book.evidence.second.images import Curves
from bijepa_book.evidence.second.stacked import EPOCHS, mlp_classifier
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import COLUMNS, ROWS, Halves, ImageData, Side
from bijepa_core.evaluation.metrics import SMALL, nearest, per_seed, sharpness
from bijepa_core.evaluation.scores import Scores
from bijepa_core.experiments import Experiment
from bijepa_core.stochastic import energy_score, spread_to_error

NEIGHBORS = 50
DOUBTS = 10  # parts of the test images, by what their neighbors disagree about
PREFIXES: Mapping[str, tuple[Side, Side]] = {"": ("left", "right"), "past_": ("right", "left")}
"""What a reading's name begins with: the half that is given, and the half that is drawn."""


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
        experiment, look: see :func:`.futures.images.recordings`.
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
