"""Training runs under several conditions with the same seeds, each summed up in a few numbers."""

from collections.abc import Mapping

import torch

from bijepa_core.data.sine import SineBatches
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History
from bijepa_core.seeds import Seeds
from bijepa_core.training import pretrain


def sine_histories(
    conditions: Mapping[str, Configuration],
    seeds: Seeds,
    steps: int = SINE.steps,
    *,
    device: str = "auto",
    progress: bool = True,
) -> dict[str, History]:
    """Train on sine waves under each condition.

    Args:
        conditions: a name for each configuration.
        seeds: the same weights (where the networks are the same) and waves in every condition.
        steps: optimizer steps.
        device: ``"auto"`` or a device.
        progress: show a bar where somebody can see it.

    Returns:
        The history of each, in order.
    """
    return {
        name: pretrain(
            SINE.model(configuration, seeds),
            SineBatches(seeds, SINE.batch_size),
            steps=steps,
            learning_rate=SINE.learning_rate,
            device=device,
            progress=progress,
        )
        for name, configuration in conditions.items()
    }


def course(history: History) -> dict[str, list[float]]:
    """A training run in a few numbers, one a seed.

    Args:
        history: of a run; at least one row of diagnostics.

    Returns:
        ``lowest_loss`` (of means over 20 steps); ``rebound``, the last loss over the lowest;
        ``norm_growth``, the last norm over the first; ``late_growth``, the norm over the last tenth
        of the run over that of the tenth before; and, over the last tenth, the means ``norm``,
        ``variance``, ``relative_loss`` and ``effective_rank``. Losses are means of the directions.
    """
    _, means = history.smooth_loss()
    lowest, norm = means.amin(0), history.diagnostics["norm"]
    numbers = {
        "lowest_loss": lowest,
        "rebound": _tenth(history.mean_loss()) / lowest,
        "norm_growth": _tenth(norm) / norm[0],
        "late_growth": _tenth(norm) / _tenth(norm, before_last=1),
    }
    for name in ("norm", "variance", "relative_loss", "effective_rank"):
        numbers[name] = _tenth(history.diagnostics[name])
    return {name: torch.atleast_1d(value).tolist() for name, value in numbers.items()}


def _tenth(curve: torch.Tensor, before_last: int = 0) -> torch.Tensor:
    """Mean over the last tenth of a curve, or over one that many tenths before it."""
    size = max(len(curve) // 10, 1)
    stop = len(curve) - before_last * size
    return curve[stop - size : stop].mean(0)
