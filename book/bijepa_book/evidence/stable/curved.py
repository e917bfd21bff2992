"""Where a constraint costs: in an embedding that is bent, or in a forecast that is worse."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.stable.hunt import Candidate, precision, trained
from bijepa_book.evidence.stable.kinds import LADDER
from bijepa_core.data.series import SeriesData
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import protocol_a, ridge_probe
from bijepa_core.evaluation.scores import Scores, fair_mse
from bijepa_core.experiments import LORENZ, SINE, Experiment
from bijepa_core.model import BiJEPA

DIVIDING = ("batch-scaled", "batch-standardized", "sample-scaled", "sample-standardized")
ASKING = (Candidate("scale", 0.01), Candidate("scale", 1.0))
WHITENED = (Candidate("whitened", 0.2), Candidate("whitened", 1.0))
LARGE = 5  # directions in which nearly all of the variance lies, on both series
SEEDS = SERIES_SEEDS[:8]


def unexplained(seen: tuple[Tensor, Tensor], unseen: tuple[Tensor, Tensor]) -> Tensor:
    """What no linear map of features gives of an embedding, by its principal directions.

    Args:
        seen: features and embeddings ``(*seeds, n, d)`` that the map is fitted on.
        unseen: others, whose shares are given.

    Returns:
        ``(2, *seeds, d)``: by direction, the largest variance first, what is missed and what
        there is.
    """
    probe = ridge_probe(*seen)
    features, embedding = (part.cpu().double() for part in unseen)
    missed = probe(features) - embedding
    centered = embedding - embedding.mean(-2, keepdim=True)
    _, axes = torch.linalg.eigh(centered.mT @ centered)  # ascending
    along = torch.stack([missed @ axes, centered @ axes]).square().mean(-2)
    return along.flip(-1)


def where(model: BiJEPA, data: SeriesData) -> Scores:
    """What the embedding tells of its own window, and what the forecast misses of it.

    Args:
        model: trained.
        data: of its seeds.

    Returns:
        One number a seed: ``curvature``, the share of an embedding's variance that no linear map
        of its window gives; ``own_whole``, the fair probe's error of a window off its own
        embedding; ``missed_large`` and ``missed_small``, the mean log share that a forecast,
        mapped linearly, misses of the first :data:`LARGE` directions and of the others.
    """
    embed = protocol_a(model)
    (x, y), (far_x, far_y) = data.probe, data.held_out
    s, far_s = embed(y), embed(far_y)
    bent, there = unexplained((y, s), (far_y, far_s))
    missed, var = unexplained((model.predict_forward(x), s), (model.predict_forward(far_x), far_s))
    shares = (missed / var).log()
    return {
        "curvature": per_seed(bent.sum(-1) / there.sum(-1)),
        "own_whole": fair_mse(embed, (y, y), (far_y, far_y)),
        "missed_large": per_seed(shares[..., :LARGE].mean(-1)),
        "missed_small": per_seed(shares[..., LARGE:].mean(-1)),
    }


def candidates() -> list[Candidate]:
    """What divides, what asks, what whitens, and what they are compared with."""
    plain = ("unconstrained", "expressive", *LADDER)
    return [*(Candidate(name) for name in plain), *ASKING, *WHITENED]


def recordings() -> list[Recording]:
    """Each on both series, on fresh seeds, at the paper's length."""
    return [_recording(one, experiment) for experiment in (LORENZ, SINE) for one in candidates()]


def _recording(candidate: Candidate, experiment: Experiment) -> Recording:
    about: dict[str, Any] = {**candidate.plain(), "experiment": experiment.plain()}
    key = f"{experiment.name}-curved-{candidate.name}-paper"
    measure = partial(_measure, candidate, experiment)
    return Recording(key, about, SEEDS, len(SEEDS), 1.0, measure)


def _measure(
    candidate: Candidate, experiment: Experiment, seeds: tuple[int, ...], device: str
) -> Measured:
    model, data, _ = trained(candidate, experiment, seeds, device)
    return Measured(precision(model, data) | where(model, data), {})
