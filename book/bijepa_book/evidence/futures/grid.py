"""What is recorded: every head in every world, and what its samples say in both directions."""

from collections.abc import Callable
from functools import partial
from typing import get_args

import torch
from torch import Tensor

from bijepa_book.evidence.futures import linear, well, wing
from bijepa_book.evidence.futures.models import Settings, futures, new_model
from bijepa_book.evidence.futures.skill import read_out, said, side
from bijepa_book.evidence.futures.world import Drawn, World
from bijepa_book.evidence.second.recording import Measured
from bijepa_core._support.checks import inference
from bijepa_core.constraints import Constraint
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.scores import Scores
from bijepa_core.model import BiJEPA, Direction
from bijepa_core.seeds import generator, init_stacked, initializing
from bijepa_core.stochastic import relative_energy_score, spread_to_error
from bijepa_core.training import pretrain

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
WELL = World("well", 1, well.well_data, well.exact, forks=True, places=well.PLACES)
LINEAR = World("linear", linear.WINDOW, linear.linear_data, linear.exact)
WING = World("wing", 3 * wing.WINDOW, wing.wing_data, wing.exact, forks=True)
WORLDS = (WELL, LINEAR, WING)
KNOWING = ("exact", "climatology")
"""Who does not learn: the law itself, and the values that there are in the long run."""
SAMPLES, CLOSELY = 100, 2_000  # drawn for a view that is judged, and at a place
RANGE, FORK_BINS = 2.5, 50  # of the histogram at the fork: from -RANGE to RANGE, and its bins
CHUNK = 8

Sampler = Callable[[Tensor, Direction, int], Tensor]
"""From views ``(seeds, n, in_dim)``, a direction and a count to ``(count, seeds, n, k)``."""


def _exact(world: World, seeds: tuple[int, ...], view: Tensor, way: Direction, m: int) -> Tensor:
    drawn = [
        world.exact(one, way, m, generator(seed, f"{world.name}/exact/{way}"))
        for seed, one in zip(seeds, view, strict=True)
    ]
    return torch.stack(drawn, 1)


def _climate(drawn: Drawn, seeds: tuple[int, ...], view: Tensor, way: Direction, m: int) -> Tensor:
    values, found = drawn.fit.asked(way), []
    for seed, one in zip(seeds, values, strict=True):
        rows = torch.randint(
            len(one), (m, view.shape[-2]), generator=generator(seed, f"climatology/{way}")
        )
        found.append(one[rows])
    return torch.stack(found, 1)


def _embedded(model: BiJEPA, view: Tensor) -> Tensor:
    with inference(model):
        return model.constraint.aim(model.constraint.project(model.target(view)))


def _noise(way: Direction) -> torch.Generator:
    return generator(0, f"futures/{way}")  # shared by seeds: each is the same in any company


def trained(
    head: str,
    world: World,
    drawn: Drawn,
    settings: Settings,
    constraint: Constraint,
    seeds: tuple[int, ...],
) -> tuple[BiJEPA, Scores]:
    """A model after its training, and the training in a few numbers.

    Raises:
        NonFiniteLossError: if a loss stops being finite.
    """
    model = init_stacked(partial(new_model, head, world.in_dim, settings, constraint), seeds)
    with initializing(0):  # the noise of samples in training, shared by seeds
        history = pretrain(
            model,
            drawn.batches,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            device="cpu",
            log_every=max(settings.steps // 100, 1),
            progress=False,
        )
    return model, training_summary(history)


def learned(model: BiJEPA, drawn: Drawn, seeds: tuple[int, ...]) -> tuple[Sampler, Scores]:
    """A model's samples as statements, and what can be said of its embedding.

    Args:
        model: trained.
        drawn: of its seeds.
        seeds: a sequence.

    Returns:
        The sampler; and for each direction ``floor_*`` and ``floor_energy_*``, the scores of the
        read-out that is given the true embedding (its distance from the first number, and from
        all), and ``spread_to_error_*`` and ``relative_score_*`` of the
        samples in the embedding.
    """
    fit, judge, reads, scores = drawn.fit, drawn.judge, {}, Scores()
    for way in DIRECTIONS:
        reads[way] = read_out(_embedded(model, fit.hidden(way)), fit.asked(way), seeds)
        target = _embedded(model, judge.hidden(way))
        missed = reads[way](target) - judge.asked(way)
        scores[f"floor_{way}"] = per_seed(missed[..., 0].abs().mean(-1))
        scores[f"floor_energy_{way}"] = per_seed(missed.norm(dim=-1).mean(-1))
        samples = futures(model, judge.seen(way), way, SAMPLES, _noise(way))
        if len(samples) > 1:
            scores[f"spread_to_error_{way}"] = per_seed(spread_to_error(samples, target))
            scores[f"relative_score_{way}"] = _relative(samples, target)

    def sample(view: Tensor, way: Direction, count: int) -> Tensor:
        return reads[way](futures(model, view, way, count, _noise(way)))

    return sample, scores


def _relative(samples: Tensor, target: Tensor) -> list[float]:
    each = zip(samples.unbind(1), target, strict=True)  # seed by seed, for the memory
    return per_seed(torch.stack([relative_energy_score(drawn, one) for drawn, one in each]))


def judged(sampler: Sampler, world: World, drawn: Drawn) -> Measured:
    """What samples say, in both directions.

    Args:
        sampler: whoever's.
        world: its questions.
        drawn: data.

    Returns:
        Measures: :func:`.skill.said`, and :func:`.skill.side` where the road forks. Curves:
        ``often_*``, ``claimed_*``, ``true_*`` by bins of probability; ``right_*``, the share on the
        right at each place; ``fork_*``, the histogram at the fork.
    """
    judge, scores, curves = drawn.judge, Scores(), {}
    for way in DIRECTIONS:
        asked = judge.asked(way)
        samples = sampler(judge.seen(way), way, SAMPLES)
        found = said(samples, asked)
        if world.forks:
            sides, bins = side(samples, asked)
            found |= sides
            for i, name in enumerate(("often", "claimed", "true")):
                curves[f"{name}_{way}"] = bins[:, i].tolist()
        scores |= {f"{name}_{way}": value for name, value in found.items()}
        if world.places is not None:
            seeds, middle = asked.shape[0], len(world.places) // 2
            close = sampler(world.places.expand(seeds, -1, -1), way, CLOSELY)[..., 0]
            curves[f"right_{way}"] = (close > 0).double().mean(0).tolist()
            curves[f"fork_{way}"] = [
                (one.double().histc(FORK_BINS, -RANGE, RANGE) / CLOSELY).tolist()
                for one in close[..., middle].T
            ]
    return Measured(scores, curves)


def measure(
    head: str,
    world: World,
    settings: Settings,
    constraint: Constraint,
    seeds: tuple[int, ...],
    device: str,
) -> Measured:
    """Train a head in a world, or ask who knows; and judge what is said.

    Args:
        head: of :data:`.models.HEADS` or :data:`KNOWING`.
        world: where.
        settings, constraint: of the model.
        seeds: trained together.
        device: ``"cpu"``.

    Returns:
        :func:`judged`, :func:`learned` and
        :func:`bijepa_core.evaluation.metrics.training_summary`.

    Raises:
        ValueError: if the device is another.
        NonFiniteLossError: if a loss stops being finite.
    """
    if device != "cpu":
        raise ValueError(f"these small models are trained on the CPU; received {device!r}.")
    drawn = world.drawn(seeds, settings.batch_size)
    if head == "exact":
        return judged(partial(_exact, world, seeds), world, drawn)
    if head == "climatology":
        return judged(partial(_climate, drawn, seeds), world, drawn)
    model, training = trained(head, world, drawn, settings, constraint, seeds)
    sampler, scores = learned(model, drawn, seeds)
    measures, curves = judged(sampler, world, drawn)
    return Measured(measures | scores | training, curves)
