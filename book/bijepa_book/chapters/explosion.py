"""Chapter 2: the first experiment with its constraints switched one at a time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bijepa_book.chapters.courses import course, sine_histories
from bijepa_book.paper.replay import Replay, replay
from bijepa_book.paper.tables import final_loss
from bijepa_book.records import medians
from bijepa_core._support.checks import inference
from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, Constraint
from bijepa_core.data import sine
from bijepa_core.diagnostics import loop_spectrum, norm
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.history import History
from bijepa_core.seeds import Seeds, check_seeds, sample_per_seed
from bijepa_core.training import pretrain

REPLAYED = ("unconstrained", "expressive", "classic")
CONDITIONS = {
    "unconstrained": Configuration(UNCONSTRAINED),
    "expressive": Configuration(EXPRESSIVE),
    "LayerNorm alone": Configuration(Constraint(layer_norm=True, weight_decay=0.0)),
    "decay alone": Configuration(Constraint(layer_norm=False, weight_decay=1e-4)),
    "classic, unconstrained": Configuration(UNCONSTRAINED, alpha=1.0),
    "classic": Configuration(EXPRESSIVE, alpha=1.0),
}
"""LayerNorm and weight decay one at a time, in two directions and in one."""
LONG = ("unconstrained", "expressive", "classic, unconstrained", "classic")
LONG_STEPS = 10 * SINE.steps
TAUS = (0.0, 0.9, 0.99, 0.995, 0.999, 1.0)
SEEDS = range(8)
POINTS = 60  # of a recorded curve


def scores(run: Replay) -> dict[str, float]:
    """A replay in the columns of the paper's tables.

    Args:
        run: of the sine or the Lorenz experiment.

    Returns:
        ``loss``, and the probes' errors ``A`` and ``B`` on their own training set.
    """
    return {
        "loss": final_loss(run.history),
        "A": float(run.probe_a.training_error),
        "B": float(run.probe_b.training_error),
    }


def tau_courses(
    configuration: Configuration, seeds: Seeds, steps: int = SINE.steps
) -> dict[str, dict[str, list[float]]]:
    """Train with target encoders from one that *is* the online encoder to one that never moves.

    Args:
        configuration: what constrains the embedding.
        seeds: the same for every tau.
        steps: optimizer steps.

    Returns:
        ``tau 0``, ``tau 0.9``, ...: see :func:`bijepa_book.chapters.courses.course`.
    """
    return {
        f"tau {tau:g}": course(
            pretrain(
                replace(SINE, tau=tau).model(configuration, seeds),
                sine.SineBatches(seeds, SINE.batch_size),
                steps=steps,
                learning_rate=SINE.learning_rate,
                progress=False,
            )
        )
        for tau in TAUS
    }


def loop_course(
    configuration: Configuration, seeds: Seeds, steps: int = SINE.steps, every: int = 50
) -> dict[str, Tensor]:
    """Watch the two encoders' norms and the loop's eigenvalues during training (section 5.3).

    Args:
        configuration: with both directions.
        seeds: one seed or several.
        steps: optimizer steps.
        every: steps between two looks.

    Returns:
        ``steps``, ``(n,)``, and on 32 fresh waves a seed, each ``(n, *seeds)``: the mean norms
        ``online`` and ``target`` of what the two encoders say; ``radius``, the largest modulus
        among the eigenvalues of ``s -> P_bwd(P_fwd(s))``, the median over waves.
    """
    model = SINE.model(configuration, seeds)
    x, _ = sine.split(sample_per_seed(seeds, "chapter/loop", lambda g: sine.waves(32, g)))
    looks: dict[str, list[Tensor]] = {"steps": [], "online": [], "target": [], "radius": []}

    def look(step: int, _: History) -> None:
        here = x.to(next(model.parameters()).device)
        with inference(model):
            both = {"online": model.online(here), "target": model.target(here)}
        for name, s in both.items():
            looks[name].append(norm(model.constraint.project(s)).mean(-1).cpu())
        largest = loop_spectrum(model, here).abs()[..., 0]  # (*seeds, waves)
        looks["radius"].append(largest.quantile(0.5, dim=-1))
        looks["steps"].append(torch.tensor(step))

    pretrain(
        model,
        sine.SineBatches(seeds, SINE.batch_size),
        steps=steps,
        learning_rate=SINE.learning_rate,
        log_every=every,
        progress=False,
        on_log=look,
    )
    return {name: torch.stack(values) for name, values in looks.items()}


def curve(history: History, points: int = POINTS) -> dict[str, list[Any]]:
    """A long run in few points: dense at its start, sparse at its end.

    Args:
        history: of several seeds.
        points: how many at most.

    Returns:
        ``steps``, and for ``loss`` (means around the step), ``norm`` and ``relative_loss`` as
        many triples: median over seeds, lowest, highest.
    """
    rows = len(history.logged_steps)
    chosen = torch.logspace(0, torch.tensor(float(rows)).log10().item(), points).long() - 1
    chosen = chosen.clamp(0, rows - 1).unique()
    _, means = history.smooth_loss(history.log_every)
    values = {
        "loss": means,
        "norm": history.diagnostics["norm"],
        "relative_loss": history.diagnostics["relative_loss"],
    }
    plain: dict[str, list[Any]] = {"steps": history.logged_steps[chosen].tolist()}
    for name, value in values.items():
        kept = value[chosen]  # (points, seeds)
        triples = torch.stack([kept.quantile(0.5, dim=1), kept.amin(1), kept.amax(1)], dim=1)
        plain[name] = [[float(f"{number:.4g}") for number in row] for row in triples.tolist()]
    return plain


def long_runs(steps: int = LONG_STEPS, seeds: Seeds = SEEDS) -> dict[str, Any]:
    """The first experiment ten times longer than the paper's.

    Args:
        steps: optimizer steps.
        seeds: the same in every condition.

    Returns:
        ``curves``, see :func:`curve`, and ``courses``, medians over seeds, by condition.
    """
    conditions = {name: CONDITIONS[name] for name in LONG}
    histories = sine_histories(conditions, seeds, steps, device="cpu")
    return {
        "curves": {name: curve(history) for name, history in histories.items()},
        "courses": medians({name: course(history) for name, history in histories.items()}),
    }


def at_step(recorded: Mapping[str, list[Any]], step: int) -> dict[str, float]:
    """The medians of a recorded curve at the last point not after a step.

    Args:
        recorded: see :func:`curve`.
        step: from 0.

    Returns:
        ``step``, ``loss``, ``norm`` and ``relative_loss`` there.
    """
    i = max(k for k, point in enumerate(recorded["steps"]) if point <= step)
    return {
        "step": recorded["steps"][i],
        **{name: recorded[name][i][0] for name in ("loss", "norm", "relative_loss")},
    }


def record() -> dict[str, Any]:
    """What the chapter compares itself with, and its runs of ten times the paper's length."""
    histories = sine_histories(CONDITIONS, SEEDS, SINE.steps, device="cpu")
    courses = {name: course(history) for name, history in histories.items()}
    return {
        "seeds": list(check_seeds(SEEDS)),
        "replayed": {name: scores(replay("sine", name)) for name in REPLAYED},
        "courses": medians(courses),
        "long": long_runs(),
        "taus": {
            name: medians(tau_courses(CONDITIONS[name], SEEDS))
            for name in ("unconstrained", "expressive")
        },
        "loop": {
            name: loop_summary(loop_course(CONDITIONS[name], SEEDS))
            for name in ("unconstrained", "expressive")
        },
    }


def loop_summary(looks: Mapping[str, Tensor]) -> dict[str, float]:
    """The watched loop in a few numbers, medians over seeds.

    Args:
        looks: see :func:`loop_course`, of several seeds.

    Returns:
        ``radius_at_half_norm``: the largest eigenvalue when the online norm first reaches half
        of its last value; ``first_radius`` and ``last_radius``; ``widest_lead``: the largest
        ratio of the online to the target encoder's norm.
    """
    online, radius = looks["online"], looks["radius"]
    half = (online >= online[-1] / 2).float().argmax(0)  # (seeds,): the first row that has it
    numbers = {
        "radius_at_half_norm": radius.gather(0, half[None])[0],
        "first_radius": radius[0],
        "last_radius": radius[-1],
        "widest_lead": (online / looks["target"]).amax(0),
    }
    return {name: float(value.quantile(0.5)) for name, value in numbers.items()}
