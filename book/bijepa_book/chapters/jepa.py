"""Chapter 1: the first experiment with its safeguards against collapse taken out, one by one."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bijepa_book.records import medians
from bijepa_core._support.checks import check_unit_interval
from bijepa_core._support.errors import CollapseWarning
from bijepa_core.data.sine import SineBatches, sine_data
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.probes import adam_probe, protocol_a, raw_input
from bijepa_core.evaluation.scores import fair_mse
from bijepa_core.experiments import SINE
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses, Term, script_scale
from bijepa_core.networks import MLPPredictor
from bijepa_core.seeds import Seeds, check_seeds, init_stacked

SEEDS = range(8)
LONG = ("complete", "no EMA", "no stop-gradient", "no predictor")
LONG_STEPS = (SINE.steps, 5_000, 10_000)


@dataclass(frozen=True)
class Safeguards:
    """What stands between a JEPA and collapse; each part switches by itself.

    Args:
        stop_gradient: no gradient reaches the target. Without it one encoder, the online one,
            makes predictions and targets, and learns from both.
        tau: EMA momentum of the target encoder (Eq. 5), in [0, 1]; at 0 it *is* the online
            encoder, one step behind the optimizer. Without the stop-gradient it has no effect.
        predictor: a trained predictor in each direction, else the identity.
        alpha: weight of the forward term in Eq. 8; 1 is classic JEPA.

    Raises:
        ValueError: if tau or alpha is outside [0, 1].
    """

    stop_gradient: bool = True
    tau: float = SINE.tau
    predictor: bool = True
    alpha: float = 0.5

    def __post_init__(self) -> None:
        check_unit_interval(tau=self.tau, alpha=self.alpha)


CONDITIONS = {
    "complete": Safeguards(),
    "no EMA": Safeguards(tau=0.0),
    "no stop-gradient": Safeguards(stop_gradient=False),
    "no predictor": Safeguards(predictor=False),
    "no EMA, no predictor": Safeguards(tau=0.0, predictor=False),
    "no stop-gradient, no predictor": Safeguards(stop_gradient=False, predictor=False),
}
"""All three safeguards, then without each, then two pairs."""


class Ablated(BiJEPA):
    """BiJEPA whose stop-gradient can be taken out; in all else the model of the other chapters.

    Args:
        safeguards: what it is built with.
    """

    def __init__(self, safeguards: Safeguards) -> None:
        predictor = partial(MLPPredictor, SINE.embed_dim, SINE.hidden_dim)
        super().__init__(
            SINE.encoder(SINE, True),
            predictor if safeguards.predictor else nn.Identity,
            alpha=safeguards.alpha,
            tau=safeguards.tau,
            scale=script_scale(safeguards.alpha),
        )
        self.stop_gradient = safeguards.stop_gradient

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z_forward: Tensor | None = None,
        z_backward: Tensor | None = None,
    ) -> Losses:
        """As :meth:`bijepa_core.model.BiJEPA.forward`; gradients may come through the target."""
        total, *terms = super().forward(x, y, z_forward, z_backward)
        return Losses(total, *map(_without_gradient, terms))  # what is logged keeps no graph

    def _encode(self, encoder: nn.Module, *views: Tensor | None) -> list[Tensor | None]:
        if self.stop_gradient or encoder is self.online:
            return super()._encode(encoder, *views)
        with torch.enable_grad():
            return super()._encode(self.online, *views)


def _without_gradient(term: Term | None) -> Term | None:
    return None if term is None else Term(*(value.detach() for value in term))


def train(
    safeguards: Safeguards,
    seeds: Seeds,
    steps: int = SINE.steps,
    *,
    on_log: Callable[[int, History], None] | None = None,
) -> tuple[Ablated, History]:
    """Train on sine waves, expressive but for its safeguards, on the CPU.

    Args:
        safeguards: what stands against collapse.
        seeds: one seed, or several for a leading seed axis.
        steps: optimizer steps.
        on_log: see :func:`bijepa_core.training.pretrain`.

    Returns:
        The trained model and its history.
    """
    model = init_stacked(partial(Ablated, safeguards), seeds)
    batches = SineBatches(seeds, SINE.batch_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # to see it is what this is for
        history = SINE.train(
            model, batches, steps=steps, device="cpu", progress=False, on_log=on_log
        )
    return model, history


def ending(history: History) -> dict[str, list[float]]:
    """Where a run ends: means over its last tenth, one number a seed.

    Args:
        history: of several seeds; at least one row of diagnostics.

    Returns:
        ``late_loss`` (mean of the directions in use); ``relative_loss``, ``variance`` and
        ``effective_rank``, see :func:`bijepa_core.evaluation.metrics.training_summary`.
    """
    loss, summary = history.mean_loss(), training_summary(history)
    return {
        "late_loss": per_seed(loss[-max(len(loss) // 10, 1) :].mean(0)),
        **{name: summary[name] for name in ("relative_loss", "variance", "effective_rank")},
    }


def next_value_errors(
    models: Mapping[str, BiJEPA], seeds: Seeds
) -> dict[str, dict[str, list[float]]]:
    """How well the sample after the context can be read off each model's embedding (Protocol A).

    Args:
        models: by name, all with these seeds.
        seeds: the models', a sequence.

    Returns:
        Mean squared errors, one a seed: ``fair_a``, of the fair probe on held-out waves, and
        ``paper_a``, of the paper's on its own training set. For each model, for an ``untrained``
        encoder, for the ``raw`` context, and for the ``mean`` of all targets, which needs no
        input.
    """
    data = sine_data(seeds, SINE.batch_size)
    fit, judge = data.next_state(data.probe), data.next_state(data.held_out)
    (x, targets), (_, truth) = fit, judge
    features = {name: protocol_a(model) for name, model in models.items()}
    features["untrained"] = protocol_a(init_stacked(partial(Ablated, Safeguards()), seeds))
    features["raw"] = raw_input
    errors: dict[str, dict[str, list[float]]] = {}
    for name, feature in features.items():
        paper = adam_probe(feature(x), targets, steps=SINE.probe_steps, seeds=seeds)
        errors[name] = {
            "fair_a": fair_mse(feature, fit, judge),
            "paper_a": per_seed(paper.training_error),
        }
    center = targets.mean(-2, keepdim=True)
    errors["mean"] = {
        "fair_a": per_seed((truth - center).square().mean((-2, -1))),
        "paper_a": per_seed((targets - center).square().mean((-2, -1))),
    }
    return errors


def milestones(history: History, steps: Iterable[int]) -> dict[str, dict[str, float]]:
    """Variance and effective rank at some steps of a long run, medians over seeds.

    Args:
        history: of several seeds.
        steps: counted from 1; each at most the run's length.

    Returns:
        By quantity, then by ``step 2000``, ...: the last row of diagnostics not after the step.
    """
    return {
        name: {
            f"step {step}": float(rows[(step - 1) // history.log_every].quantile(0.5))
            for step in steps
        }
        for name, rows in history.diagnostics.items()
        if name in ("variance", "effective_rank")
    }


def long_runs(steps: int = LONG_STEPS[-1], seeds: Seeds = SEEDS) -> dict[str, Any]:
    """Each safeguard taken out for longer than the paper trains.

    Args:
        steps: optimizer steps.
        seeds: the same in every condition.

    Returns:
        ``variance`` and ``effective_rank``, each a table: conditions, then :func:`milestones`.
    """
    seen = [step for step in LONG_STEPS if step <= steps]
    tables: dict[str, Any] = {"variance": {}, "effective_rank": {}}
    for name in LONG:
        _, history = train(CONDITIONS[name], seeds, steps)
        for quantity, row in milestones(history, seen).items():
            tables[quantity][name] = row
    return tables


def record() -> dict[str, Any]:
    """What the chapter compares itself with: both ways, one way, and for longer; medians."""
    content: dict[str, Any] = {"seeds": list(check_seeds(SEEDS))}
    for kind, alpha in (("both ways", 0.5), ("one way", 1.0)):
        runs = {n: train(replace(s, alpha=alpha), SEEDS) for n, s in CONDITIONS.items()}
        models = {name: model for name, (model, _) in runs.items()}
        content[kind] = {
            "endings": medians({name: ending(history) for name, (_, history) in runs.items()}),
            "errors": medians(next_value_errors(models, SEEDS)),
        }
    return content | {"long": long_runs()}
