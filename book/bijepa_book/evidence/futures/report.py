"""Many futures as chapter 11 tells them: records in words, completions from stored weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bijepa_book import records as stored
from bijepa_book.evidence.futures import criteria, images_criteria, well
from bijepa_book.evidence.futures.completions import together
from bijepa_book.evidence.futures.images import PREDICTORS, RIVALS
from bijepa_book.evidence.futures.recordings import costs, verdict_records
from bijepa_book.evidence.second.recording import load
from bijepa_book.evidence.stable import standing
from bijepa_book.evidence.statistics import bootstrap_interval
from bijepa_book.int8 import unpack
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import COLUMNS, MEAN, ROWS, STD, Side
from bijepa_core.layers import Linear
from bijepa_core.model import Direction
from bijepa_core.networks import ConvEncoder, Decoder
from bijepa_core.stochastic import EnergyPredictor

Record = Mapping[str, Any]
Records = Mapping[str, Record]
Array = NDArray[np.float64]
WAYS: Mapping[Direction, str] = {"forward": "future", "backward": "past"}
SCORES: Mapping[str, str] = {"crps": "CRPS", "energy": "energy score"}
"""Of :data:`.criteria.DEMANDED`, in words."""
HEADS = ("exact", "energy", "flow", "mixture", "gaussian", "deterministic", "climatology")
"""In the order in which tables list them."""
SPEAKS = {True: "yes", False: "NO", None: "-"}


def folder() -> Path:
    """Where this chapter's records, pictures and weights are."""
    return stored.results_folder() / "futures"


def recorded(constraint: str = "expressive") -> tuple[dict[str, Record], dict[str, Record]]:
    """The records of fresh seeds: of the worlds, by world and head; and of half images, by key.

    Args:
        constraint: under which the worlds' heads were trained.

    Returns:
        Both.
    """
    found = load(folder())
    halves: dict[str, Record] = {k: one for k, one in found.items() if k.startswith("mnist")}
    return verdict_records(found, constraint), halves


def present(worlds: Records, world: str) -> list[str]:
    """The heads that were recorded in a world, in the order of tables."""
    return [head for head in HEADS if f"{world}-{head}" in worlds]


def interval(values: Sequence[float], decimals: int = 1) -> str:
    """A mean with its bootstrap interval of 95 %."""
    low, high = bootstrap_interval(values)
    return _bracketed(float(np.mean(values)), low, high, decimals)


def over(
    worlds: Records, world: str, head: str, way: str, rival: str = "energy", decimals: int = 2
) -> str:
    """A head's score over a rival's, with its interval: :func:`.criteria.compared`, in words."""
    found = criteria.compared(worlds, world, head, way, rival)
    return _bracketed(found["ratio"], found["low"], found["high"], decimals)


def _bracketed(value: float, low: float, high: float, decimals: int) -> str:
    return f"{value:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


def above(worlds: Records, world: str, head: str, way: str) -> list[float]:
    """How far a head's score is above the optimum, in percent, seed by seed."""
    excess = criteria.excess(criteria.DEMANDED[world])
    return [100 * value for value in excess(worlds, world, head, way).values()]


def distances(worlds: Records, world: str) -> list[list[str]]:
    """By head: how far its score is above the optimum, in percent, in both directions.

    Args:
        worlds: of :func:`recorded`.
        world: which; its score is that of :data:`.criteria.DEMANDED`.

    Returns:
        Rows with a header, for :func:`bijepa_book.text.text_table`.
    """
    rows = [[f"{SCORES[criteria.DEMANDED[world]]}, % above optimum", *WAYS.values(), "seeds"]]
    for head in present(worlds, world)[1:]:
        ways = [above(worlds, world, head, way) for way in WAYS]
        rows.append([head, *map(interval, ways), str(len(ways[-1]))])
    return rows


def summary(worlds: Records) -> list[list[str]]:
    """By world: how far samples and the single answer are above the optimum, in percent.

    Args:
        worlds: of :func:`recorded`; those without either head are left out.

    Returns:
        Rows with a header.
    """
    rows = [["% above the optimum", "P(s, z)", "P(s)"]]
    for world in criteria.DEMANDED:
        if not {"energy", "deterministic", "exact"} <= set(present(worlds, world)):
            continue
        for way, words in WAYS.items():
            heads = ("energy", "deterministic")
            cells = [interval(above(worlds, world, head, way)) for head in heads]
            rows.append([f"{world}, {words}", *cells])
    return rows


def mean(worlds: Records, world: str, head: str, name: str) -> float:
    """A measure's mean over seeds."""
    return float(np.mean(list(criteria.column(worlds, world, head, name).values())))


def curve(worlds: Records, world: str, head: str, name: str) -> Array:
    """A curve's mean over seeds."""
    return np.mean(worlds[f"{world}-{head}"]["curves"][name], 0)


def on_ridge(shares: Array) -> float:
    """How far a forecast of the ridge's futures is above the optimum, by its mean CRPS in percent.

    Args:
        shares: in bars of one width from -2.5 to 2.5: the grid's cells, or a histogram's.

    Returns:
        The integral of the squared distance between both distribution functions, over the law's
        own CRPS.
    """
    law = well.law(torch.zeros(1, 1))[0].numpy()
    told = np.repeat(shares / shares.sum(), len(law) // len(shares)) / (len(law) // len(shares))
    apart = np.abs(np.subtract.outer(well.GRID.numpy(), well.GRID.numpy()))
    least = law @ apart @ law / 2
    gap = ((told - law).cumsum() ** 2).sum() * well.WIDTH
    return float(100 * gap / least)


def tried(constraint: str = "expressive") -> list[list[str]]:
    """By world and head: the score at each learning rate that was tried, on the hunting seeds.

    Args:
        constraint: under which.

    Returns:
        Rows with a header: geometric means over seeds and directions; empty where a rate was not
        tried, ``inf`` where a loss stopped being finite.
    """
    found = load(folder())
    known = {
        (world, head): scores
        for world in criteria.DEMANDED
        for head in HEADS
        if (scores := costs(found, world, head, constraint))
    }
    rates = sorted({rate for scores in known.values() for rate in scores})
    rows = [["score at a learning rate of", *(f"{rate:g}" for rate in rates)]]
    for (world, head), scores in known.items():
        cells = [f"{np.exp(scores[rate]):.3f}" if rate in scores else "" for rate in rates]
        rows.append([f"{world}, {head}", *cells])
    return rows


def reliability(worlds: Records, world: str, head: str, way: str = "forward") -> Array:
    """How often each tenth of probability is said, its mean, how often it came true."""
    often, claimed, true = (
        np.array(worlds[f"{world}-{head}"]["curves"][f"{name}_{way}"])
        for name in ("often", "claimed", "true")
    )
    total = often.sum(0)
    weighted = ((often * part).sum(0) / np.maximum(total, 1e-12) for part in (claimed, true))
    return np.stack([often.mean(0), *weighted])


@dataclass(frozen=True)
class Answer:
    """One claim in one direction, judged.

    Args:
        value: the measure with its interval, in percent or points.
        seeds: how many.
        direction: whether head and rival are on the claimed sides; None where there is no rival,
            or none was recorded.
        size: whether the interval is within the bounds.
    """

    value: str
    seeds: int
    direction: bool | None
    size: bool


def verdicts(worlds: Records, world: str) -> dict[str, dict[str, Answer]]:
    """The claims of a world whose head was recorded.

    Where its rival was not, the claim stays, judged by its size alone.

    Args:
        worlds: of :func:`recorded`.
        world: which.

    Returns:
        By the claim's words, then by ``future`` and ``past``.
    """
    found: dict[str, dict[str, Answer]] = {}
    for claim in criteria.claims():
        needed = (claim.head, "exact")
        if claim.world != world or any(f"{world}-{one}" not in worlds for one in needed):
            continue
        judged = criteria.judge(claim, worlds)
        low, middle, high = (100 * judged[end] for end in ("low", "mean", "high"))
        value = f"{middle:.1f} [{low:.1f}, {high:.1f}]"
        answer = Answer(value, judged["seeds"], judged["direction"], judged["size"])
        found.setdefault(claim.text, {})[WAYS[claim.way]] = answer  # type: ignore[index]
    return found


def verdict_table(found: Mapping[str, Mapping[str, Answer]]) -> str:
    """Claims as text: a line with the words, then one for each direction of time."""
    lines: list[str] = []
    for words, answers in found.items():
        lines.append(words)
        for way, one in answers.items():
            head = f"   {way:7}{one.value:>19}   {one.seeds:2} seeds"
            lines.append(f"{head}   direction {SPEAKS[one.direction]:4} size {SPEAKS[one.size]}")
    return "\n".join(lines)


def lead(worlds: Records, world: str, head: str) -> list[str]:
    """A head's score over the energy predictor's, on the same seeds: a cell for each direction."""
    cells = []
    for way in WAYS:
        one = criteria.compared(worlds, world, head, way)
        better = one["better"] or "none"
        cells.append(f"{one['ratio']:.3f} [{one['low']:.3f}, {one['high']:.3f}] {better:>8}")
    return cells


# --- half images --------------------------------------------------------------------------------


def _of_images(halves: Records, model: str, regime: str) -> Record:
    trained = "" if model in RIVALS else f"-{regime}"
    return halves[f"mnist-futures-{model}{trained}"]


def of_images(halves: Records, model: str, name: str, regime: str = "expressive") -> float:
    """A measure's mean over seeds.

    Args:
        halves: of :func:`recorded`.
        model: of :data:`.images.PREDICTORS` or :data:`.images.RIVALS`.
        name: of the measure.
        regime: under which of :data:`.images.REGIMES` the model was trained.
    """
    return float(np.mean(_of_images(halves, model, regime)["measures"][name]))


def between_regimes(halves: Records, model: str, name: str, regime: str) -> str:
    """A measure over the expressive constraint's, seed by seed, with its interval of 95 %."""
    ours, theirs = (
        np.array(_of_images(halves, model, one)["measures"][name]) for one in (regime, "expressive")
    )
    return _bracketed(*standing.ratio(ours, theirs), 3)


def image_curve(halves: Records, model: str, name: str) -> list[float]:
    """A curve's mean over seeds, under the paper's expressive constraint."""
    found: list[float] = np.mean(
        _of_images(halves, model, "expressive")["curves"][name], 0
    ).tolist()
    return found


def image_answers(
    halves: Records, prefix: str = "", regime: str = "expressive"
) -> dict[str, tuple[str, str]]:
    """What was asked of completions: by demand the answer, and the margin with its interval."""
    return {
        name: (answer, f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]")
        for name, (answer, found) in images_criteria.answers(halves, regime, prefix).items()
    }


def pictures(model: str) -> dict[str, Tensor]:
    """Halves that were kept with a model's drawings, in 0..1 where they are pixels.

    Args:
        model: as in the file's name: ``"neighbors"``, ``"energy-expressive"``.

    Returns:
        See :func:`.keeping.keep_pictures`.
    """
    with np.load(folder() / f"mnist-futures-{model}-pictures.npz") as archive:
        found = {name: torch.from_numpy(archive[name]) for name in archive.files}
    return {n: one.float() / 255 if one.dtype == torch.uint8 else one for n, one in found.items()}


class Completer:
    """Draws halves with the model whose weights are stored: the first seed of the recording."""

    def __init__(self) -> None:
        packed = unpack(folder() / "mnist-futures-energy-expressive-weights.npz")
        self.encoders = {
            side: _loaded(ConvEncoder(), packed, "online") for side in ("left", "right")
        }
        statistics = {k[len("right.") :]: v for k, v in packed.items() if k.startswith("right.")}
        self.encoders["right"].load_state_dict(statistics, strict=False)
        self.predictors, self.decoders, self.standard = {}, {}, {}
        for side, way in (("left", "forward"), ("right", "backward")):
            predictor = PREDICTORS["energy"](64, 128, True)
            assert isinstance(predictor, EnergyPredictor)
            _loaded(predictor.net, packed, f"{way}_predictor")
            self.predictors[side] = predictor
            self.decoders[side] = _loaded(Decoder(), packed, f"decoder.{way}")
            self.standard[side] = [packed[f"decoder.{way}.{one}"] for one in ("center", "scale")]
        layers = (Linear(ROWS * 2 * COLUMNS, 256), nn.ReLU(), Linear(256, 10))
        self.classifier = _loaded(nn.Sequential(*layers), packed, "classifier")

    @property
    def z_dim(self) -> int:
        """Width of z."""
        return self.predictors["left"].z_dim

    def draw(self, given: Side, half: Tensor, z: Tensor) -> Tensor:
        """The other half, once for each z.

        Args:
            given: which side the half is.
            half: ``(n, 392)`` in 0..1.
            z: ``(count, n, z_dim)``.

        Returns:
            ``(count, n, 392)`` in 0..1.
        """
        view = (half.unflatten(-1, (1, ROWS, COLUMNS)) - MEAN) / STD
        center, scale = self.standard[given]
        decoder = self.decoders[given]
        with inference(self.encoders[given]), inference(decoder):
            s = self.predictors[given](self.encoders[given](view), z)
            return torch.stack([decoder((one - center) / scale) for one in s])

    def digits(self, given: Side, half: Tensor, drawn: Tensor) -> Tensor:
        """What each whole image is read as, ``(count, n)``."""
        with inference(self.classifier):
            found: Tensor = self.classifier(together(given, half, drawn)).argmax(-1)
        return found


def _loaded(module: nn.Module, packed: Mapping[str, Tensor], name: str) -> Any:
    """A module with the weights under a name."""
    weights = {
        key[len(name) + 1 :]: value for key, value in packed.items() if key.startswith(f"{name}.")
    }
    own = module.state_dict()
    module.load_state_dict({k: weights.get(k, own[k]) for k in own})
    return module.requires_grad_(False)
