"""Chapter 7's table of real series: eighty recordings of a watch, as a CSV file with gaps.

The chapter's cells read the file, cut windows, build the encoder and judge it. Here the same
stands again, for the record.
"""

import csv
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bijepa_book.chapters.own_data import raw
from bijepa_book.records import medians
from bijepa_core import NormalizationWarning, layers
from bijepa_core._support.checks import inference
from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.data.windows import (
    Windows,
    channel_statistics,
    cut_windows,
    fill_gaps,
    series_by_name,
    split_series,
)
from bijepa_core.diagnostics import effective_rank, norm, relative_loss, variance
from bijepa_core.evaluation.metrics import fraction_unexplained, per_seed
from bijepa_core.evaluation.probes import Features, ridge_probe, softmax_classifier
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.networks import MLPPredictor
from bijepa_core.seeds import Seeds, generator, init_stacked
from bijepa_core.training import pretrain

CHANNELS = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")
WINDOW, EMBEDDING, HIDDEN = 20, 16, 64
STEPS, SEEDS, SICK_STEPS = 800, 8, 300
OFFSET = 10_000.0
"""Added to every channel of the first sick run: a sensor that counts from elsewhere."""
HALF = "LayerNorm: predictors only"

Goals = dict[str, tuple[Tensor, Tensor]]


def write_csv(path: str | Path) -> None:
    """Write the recordings as a long table: name, activity, six channels; a row every 0.1 s.

    The series are whole; the gaps are cut in here. Forty values are missing one at a time, as when
    a message is lost; six times all channels are missing for a second, as when a battery is loose.

    Args:
        path: of the file.

    Raises:
        ModuleNotFoundError: where sktime, which ships the series, is not installed.

    Source:
        BasicMotions, of the UEA archive (Bagnall et al. 2018, arXiv 1811.00075).
    """
    from sktime.datasets import load_basic_motions

    values, activities = load_basic_motions(return_type="numpy3D")  # (80, 6, 100)
    table = values.transpose(0, 2, 1).copy()  # (80, 100, 6)
    source = generator(0, "watch/gaps")

    def draw(high: int, count: int) -> Any:
        return torch.randint(high, (count,), generator=source).numpy()

    recordings, steps, channels = table.shape
    table[draw(recordings, 40), draw(steps, 40), draw(channels, 40)] = np.nan
    for recording, start in zip(draw(recordings, 6), draw(steps - 10, 6), strict=True):
        table[recording, start : start + 10] = np.nan
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("recording", "activity", *CHANNELS))
        for number, (series, activity) in enumerate(zip(table, activities, strict=True)):
            for row in series:
                cells = ["" if np.isnan(value) else f"{value:.6g}" for value in row]
                rows.writerow((f"r{number:02}", activity, *cells))


class Recordings(NamedTuple):
    """Windows to learn from and windows that are held out, and what was done on each."""

    learned: Windows
    held_out: Windows
    learned_labels: Tensor
    """``(windows,)``: the activity's place in the alphabet."""
    held_out_labels: Tensor


def read_csv(path: str | Path, *, shift: float = 0.0, normalize: bool = True) -> Recordings:
    """The table as windows of two seconds, past and future, split by recording.

    Args:
        path: of :func:`write_csv`.
        shift: added to every value.
        normalize: by the statistics of the recordings that are learned from.

    Returns:
        The windows and their labels.
    """
    values = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(2, 8)) + shift
    words = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(0, 1), dtype=str)
    series = series_by_name(values, words[:, 0])
    series = {name: fill_gaps(one, longest=2) for name, one in series.items()}
    activity = dict(words.tolist())
    kinds = sorted(set(activity.values()))
    names = split_series(list(series))
    groups = [[series[name] for name in group] for group in names]
    mean, std = channel_statistics(groups[0]) if normalize else (None, None)
    learned, held_out = (
        cut_windows(group, past=WINDOW, future=WINDOW, mean=mean, std=std) for group in groups
    )
    places = [torch.tensor([kinds.index(activity[name]) for name in group]) for group in names]
    return Recordings(
        learned,
        held_out,
        places[0][learned.origin[:, 0]],
        places[1][held_out.origin[:, 0]],
    )


class WindowEncoder(nn.Module):
    """Two convolutions along time, one hidden layer, a free output.

    Args:
        kit: where layers come from: ``torch.nn`` for one model, ``bijepa_core.layers`` for many.
    """

    def __init__(self, kit: ModuleType = nn) -> None:
        super().__init__()
        self.input_shape = (6, WINDOW)
        self.net = nn.Sequential(
            kit.Conv1d(6, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            kit.Conv1d(32, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(-2),
            kit.Linear(32 * 5, HIDDEN),
            kit.LayerNorm(HIDDEN),
            nn.ReLU(),
            kit.Linear(HIDDEN, EMBEDDING),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(*seeds, batch, 6, 20)`` to ``(*seeds, batch, 16)``."""
        return self.net(x)


class BareEncoder(WindowEncoder):
    """The same without LayerNorm."""

    def __init__(self, kit: ModuleType = nn) -> None:
        super().__init__(kit)
        self.net = nn.Sequential(*(one for one in self.net if not isinstance(one, nn.LayerNorm)))


def new_models(
    seeds: Seeds,
    alpha: float = 0.5,
    encoder: Callable[[ModuleType], nn.Module] = WindowEncoder,
    constraint: Constraint = EXPRESSIVE,
) -> BiJEPA:
    """Fresh models on a leading axis; predictors have LayerNorm where the constraint has it."""
    predictor = partial(MLPPredictor, EMBEDDING, HIDDEN, constraint.layer_norm)
    return init_stacked(
        lambda: BiJEPA(encoder(layers), predictor, alpha=alpha, constraint=constraint), seeds
    )


def half_normalized(seeds: Seeds) -> BiJEPA:
    """A slip: a bare encoder and no decay, but predictors with the LayerNorm of their default."""
    return new_models(seeds, encoder=BareEncoder, constraint=Constraint(weight_decay=0.0))


def quiet_at_first(seeds: Seeds) -> BiJEPA:
    """The same, but predictors begin with a tenth of their output layer's weights."""
    model = half_normalized(seeds)
    with torch.no_grad():
        for predictor in (model.forward_predictor, model.backward_predictor):
            assert isinstance(predictor, MLPPredictor)
            for weights in predictor.net[-1].parameters():
                weights.mul_(0.1)
    return model


def unconstrained(seeds: Seeds) -> BiJEPA:
    """No LayerNorm anywhere, and no weight decay."""
    return new_models(seeds, encoder=BareEncoder, constraint=UNCONSTRAINED)


def fit(model: BiJEPA, windows: Windows, seeds: Seeds, steps: int, **settings: Any) -> History:
    """Train on the CPU, 64 windows a step."""
    batches = ShuffledBatches(windows.x, windows.y, batch_size=64, seeds=seeds)
    return pretrain(model, batches, steps=steps, device="cpu", progress=False, **settings)


def relative(model: BiJEPA, windows: Windows) -> Tensor:
    """The relative loss on all windows at once, ``(*seeds,)``; the model is left as it was."""
    with inference(model):
        return relative_loss(model(windows.x, windows.y).terms)


def goals(data: Recordings) -> Goals:
    """What is to be read, of windows learned from and of held-out ones.

    ``next value`` and ``last value`` of the future, and how ``lively`` it is: the standard
    deviation of each channel, ``(n, 6)`` each.
    """
    y, z = data.learned.y, data.held_out.y
    return {
        "next value": (y[..., 0], z[..., 0]),
        "last value": (y[..., -1], z[..., -1]),
        "lively": (y.std(-1), z.std(-1)),
    }


def spread(x: Tensor) -> Tensor:
    """Mean and standard deviation of each channel of a window: what anybody would try first."""
    return torch.cat([x.mean(-1), x.std(-1)], dim=-1)


def readings(features: Features, data: Recordings) -> dict[str, list[float]]:
    """Variance left unexplained of each goal, and share of activities told wrong, a seed."""
    seen, unseen = features(data.learned.x), features(data.held_out.x)
    found = {
        name: per_seed(fraction_unexplained(ridge_probe(seen, known)(unseen), truth.double()))
        for name, (known, truth) in goals(data).items()
    }
    teller = softmax_classifier(seen, data.learned_labels)
    return found | {"activity": per_seed(1 - teller.accuracy(unseen, data.held_out_labels))}


def without_learning(data: Recordings) -> dict[str, dict[str, float]]:
    """The goals by rules: as it was, and one step on along a straight line."""
    x, truths = data.held_out.x, {name: truth for name, (_, truth) in goals(data).items()}
    last, slope = x[..., -1], x[..., -1] - x[..., -2]
    guesses = {
        "copy": {"next value": last, "last value": last, "lively": x.std(-1)},
        "straight line": {"next value": last + slope},
    }
    return {
        rule: {g: float(fraction_unexplained(guess, truths[g])) for g, guess in by_goal.items()}
        for rule, by_goal in guesses.items()
    }


def few_labels(features: Features, data: Recordings) -> list[float]:
    """Share of activities told wrong, a seed, where one recording of each activity is labeled."""
    chosen = []
    for kind in data.learned_labels.unique():
        recordings = data.learned.origin[data.learned_labels == kind, 0]
        chosen.append(data.learned.origin[:, 0] == recordings[0])
    kept = torch.stack(chosen).any(0)  # (windows,)
    teller = softmax_classifier(features(data.learned.x[kept]), data.learned_labels[kept])
    return per_seed(1 - teller.accuracy(features(data.held_out.x), data.held_out_labels))


def split_by_window(data: Recordings, share: float = 0.2) -> tuple[Windows, Windows]:
    """How not to split: windows at random, so that those held out overlap those learned from."""
    x, y = (torch.cat([getattr(part, name) for part in data[:2]]) for name in ("x", "y"))
    order = torch.randperm(len(x), generator=generator(0, "watch/leak"))
    away, kept = order.tensor_split([round(share * len(x))])
    held_out, learned = (Windows(x[rows], y[rows], rows, 0) for rows in (away, kept))
    return learned, held_out


def sick_runs(
    path: str | Path, steps: int
) -> Iterator[tuple[str, BiJEPA, History, Windows, list[str]]]:
    """Runs of seed 0: two healthy ones, and three that go wrong on purpose.

    Args:
        path: of :func:`write_csv`.
        steps: of training.

    Yields:
        A name, the model, its history, the held-out windows in its units, and the warnings given.
    """
    usual, shifted = read_csv(path), read_csv(path, shift=OFFSET, normalize=False)
    for name, make, data, rate in (
        ("healthy", new_models, usual, 1e-3),
        ("unconstrained", unconstrained, usual, 1e-3),
        ("not normalized", new_models, shifted, 1e-3),
        ("rate 0.1", new_models, usual, 0.1),
        (HALF, half_normalized, usual, 1e-3),
    ):
        model = make(0)
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            history = fit(model, data.learned, 0, steps, learning_rate=rate)
        yield name, model, history, data.held_out, [str(one.message) for one in given]


def symptoms(model: BiJEPA, held_out: Windows) -> dict[str, float]:
    """Relative loss, norm, variance and effective rank on held-out windows."""
    s = model.embed(held_out.x)
    return {
        "relative loss": float(relative(model, held_out)),
        "norm": float(norm(s).mean()),
        "variance": float(variance(s)),
        "effective rank": float(effective_rank(s)),
    }


def by_seed(data: Recordings, seeds: Seeds, steps: int) -> dict[str, list[float]]:
    """The held-out relative loss of each seed: LayerNorm in half of the model, and nowhere."""
    models = {
        HALF: half_normalized(seeds),
        "the same, quiet at first": quiet_at_first(seeds),
        "unconstrained": unconstrained(seeds),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NormalizationWarning)  # whether it is right is asked here
        for model in models.values():
            fit(model, data.learned, seeds, steps)
    return {name: per_seed(relative(model, data.held_out)) for name, model in models.items()}


def _end(learned: Windows, held_out: Windows, steps: int) -> float:
    """The relative loss that seed 0 reaches on held-out windows."""
    model = new_models(0)
    fit(model, learned, 0, steps)
    return float(relative(model, held_out))


def record() -> dict[str, Any]:
    """What the chapter compares itself with: eight seeds, both directions and one; sick runs."""
    seeds = range(SEEDS)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "watch.csv"
        write_csv(path)
        data = read_csv(path)
        sick = {
            name: symptoms(model, held_out)
            for name, model, _, held_out, _ in sick_runs(path, SICK_STEPS)
        }
        slips = {
            "no statistics": _end(*read_csv(path, normalize=False)[:2], SICK_STEPS),
            "split by window": _end(*split_by_window(data), 2 * STEPS),
            "split by recording": _end(*data[:2], 2 * STEPS),
            "learned from": _end(data.learned, data.learned, 2 * STEPS),
        }
    models = {name: new_models(seeds, alpha) for name, alpha in (("both", 0.5), ("classic", 1.0))}
    for model in models.values():
        fit(model, data.learned, seeds, STEPS)
    both = models["both"]
    features: Sequence[tuple[str, Features]] = (
        ("raw window", raw),
        ("mean and spread", spread),
        ("untrained", new_models(seeds).embed),
        ("A", both.embed),
        ("B", both.forecast),
        ("A, classic", models["classic"].embed),
    )
    read = medians({name: readings(one, data) for name, one in features})
    ends = {
        name: {
            "learned from": per_seed(relative(model, data.learned)),
            "held out": per_seed(relative(model, data.held_out)),
        }
        for name, model in models.items()
    }
    few = {name: {"activity": few_labels(one, data)} for name, one in features[:4]}
    return {
        "seeds": list(seeds),
        "relative loss": medians(ends),
        "read": {**without_learning(data), **read},
        "few labels": medians(few),
        "sick": sick,
        "sick by seed": by_seed(data, seeds, SICK_STEPS),
        "slips": slips,
    }
