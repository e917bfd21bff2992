"""The recordings: learning rates on the hunting seeds, then everybody on fresh ones.

Sizes were chosen by hand, on one to four hunting seeds, by the energy predictor, at a learning rate
of 0.001 where nothing else is said. All that was tried:

- the well: 64 and 8 dimensions (hidden, embedding), batches of 256, 3,000 steps: a CRPS of 0.356
  in both directions, as the exact law's on those seeds; and what is below, at a sixth of the work:
  0.361;
- the linear world: what is below, with 2,000 steps: an energy score of 1.66, where the filter's is
  1.64;
- the wing: what is below, with 2,000 steps, where the exact law's CRPS ahead is 0.29: 0.37, and
  0.36 at a learning rate of 0.003; with 128 and 32, the sizes of the paper's Lorenz experiment, at
  a rate of 0.002: 0.35, at some three times the work.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from bijepa_book.evidence.futures.criteria import DEMANDED, RATES, RUNGS
from bijepa_book.evidence.futures.grid import CHUNK, KNOWING, WORLDS, measure
from bijepa_book.evidence.futures.models import HEADS, Settings
from bijepa_book.evidence.futures.world import World
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Recording
from bijepa_book.evidence.stable.hunt import HUNTING
from bijepa_core.constraints import EXPRESSIVE, Constraint

Records = Mapping[str, Mapping[str, Any]]

SIZES = {
    "well": Settings(hidden_dim=32, embed_dim=4, steps=2000, batch_size=128, z_dim=4),
    "linear": Settings(hidden_dim=64, embed_dim=16, steps=3000, batch_size=128),
    "wing": Settings(hidden_dim=64, embed_dim=16, steps=3000, batch_size=128),
}
TUNED, FEW = 4, 2  # hunting seeds, and those of the flow
SLOW = ("flow",)
FEWER = 8  # fresh seeds of slow ones


def recording(
    key: str, head: str, world: World, settings: Settings, constraint: Constraint, seeds: range
) -> Recording:
    """One head in one world."""
    about = {"head": head, "settings": asdict(settings), "constraint": constraint.plain()}
    if head in KNOWING:
        about = {"head": head}
    done = partial(measure, head, world, settings, constraint)
    return Recording(f"{world.name}-{key}", about, seeds, CHUNK, 10.0, done)


def tuning(
    records: Records, constraint: Constraint = EXPRESSIVE, name: str = "expressive"
) -> list[Recording]:
    """Every head at the learning rates that are due.

    Args:
        records: of this, by key.
        constraint: on the embedding.
        name: of it, in keys.

    Returns:
        Recordings on the hunting seeds, quick ones first.
    """
    return [
        recording(
            f"tuning-{head}-{rate:g}-{name}",
            head,
            world,
            replace(SIZES[world.name], learning_rate=rate),
            constraint,
            HUNTING[: FEW if head in SLOW else TUNED],
        )
        for head in HEADS
        for world in WORLDS
        for rate in due(costs(records, world.name, head, name))
    ]


def costs(records: Records, world: str, head: str, name: str) -> dict[float, float]:
    """How badly a head did in a world at each learning rate that was tried.

    Args:
        records: of :func:`tuning`, by key.
        world, head: where, who.
        name: of the constraint.

    Returns:
        The mean log of the score over seeds and directions, infinite where a loss stopped being
        finite.
    """
    found = {}
    for rate in RUNGS:
        if record := records.get(f"{world}-tuning-{head}-{rate:g}-{name}"):
            names = (f"{DEMANDED[world]}_{way}" for way in ("forward", "backward"))
            both = [record["measures"].get(one) for one in names]
            found[rate] = math.inf if None in both else float(np.log(both).mean())
    return found


def due(costs: Mapping[float, float]) -> tuple[float, ...]:
    """The learning rates that are to be tried: the first ones, and further ones beyond an end.

    Args:
        costs: of those that were tried.

    Returns:
        A stretch of :data:`.criteria.RUNGS`.
    """
    places = [RUNGS.index(rate) for rate in (*RATES, *costs)]
    first, last = min(places), max(places)
    if costs.keys() >= set(RUNGS[first : last + 1]):
        best = RUNGS.index(min(costs, key=lambda rate: costs[rate]))
        first, last = min(first, max(best - 1, 0)), max(last, best + 1)
    return RUNGS[first : last + 1]


def chosen(records: Records, world: str, head: str, name: str = "expressive") -> float:
    """The learning rate of a head in a world: that of the least score.

    Args:
        records: of :func:`tuning`, by key.
        world, head: where, who.
        name: of the constraint.

    Returns:
        One of :data:`.criteria.RUNGS`.

    Raises:
        KeyError: if one that is :func:`due` was not tried.
    """
    known = costs(records, world, head, name)
    if missing := [f"{rate:g}" for rate in due(known) if rate not in known]:
        raise KeyError(f"{head} in the {world} ({name}) was not tried at {', '.join(missing)}.")
    return min(known, key=lambda rate: known[rate])


def recordings(
    records: Records, constraint: Constraint = EXPRESSIVE, name: str = "expressive"
) -> list[Recording]:
    """Everybody on fresh seeds, at the learning rates that were chosen.

    Args:
        records: of :func:`tuning`, by key; heads with a rate that is still due are left out.
        constraint: on the embedding.
        name: of it, in keys.

    Returns:
        One for each world and head; who knows comes first.
    """
    found = [
        recording(head, head, world, SIZES[world.name], constraint, SERIES_SEEDS)
        for head in KNOWING
        for world in WORLDS
    ]
    for head in HEADS:
        for world in WORLDS:
            known = costs(records, world.name, head, name)
            if not known.keys() >= set(due(known)):
                continue
            settings = replace(
                SIZES[world.name], learning_rate=chosen(records, world.name, head, name)
            )
            seeds = SERIES_SEEDS[:FEWER] if head in SLOW else SERIES_SEEDS
            found.append(recording(f"{head}-{name}", head, world, settings, constraint, seeds))
    return found


def verdict_records(records: Records, name: str = "expressive") -> dict[str, Mapping[str, Any]]:
    """Fresh seeds' records under one constraint, by world and head."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, record in records.items():
        world, head, *rest = key.split("-")
        if head in KNOWING or (head in HEADS and rest == [name]):
            found[f"{world}-{head}"] = record
    return found
