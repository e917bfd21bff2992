"""Chapter 4: how chaotic the Lorenz task is, what its data are, and how far each model sees.

Arrays are in the system's own units; tensors are normalized as the models are trained, and carry a
leading seed axis. A *window* is 20 states, flattened to 60 numbers, as in the experiment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from bijepa_core.runs import TRAIN, lorenz_data
from scipy.spatial import cKDTree
from torch import Tensor

from bijepa_book.records import load, medians
from bijepa_core._support.checks import check_counts, check_positive, inference
from bijepa_core._support.devices import resolve_device
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, DT, LENGTH, Array, Integrator
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.evaluation.probes import LinearProbe, protocol_a, ridge_probe
from bijepa_core.evaluation.scores import Scores, series_scores
from bijepa_core.experiments import CONFIGURATIONS, LORENZ
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, generator, sample_per_seed, unstack
from bijepa_core.training import pretrain

EXPONENT = 0.906  # the largest Lyapunov exponent at the standard parameters, as in the literature
WINDOW_TIMES = CONTEXT * DT * EXPONENT  # a window in Lyapunov times
NAMES = ("classic", "expressive")
MODEL_ROWS = tuple(f"{name} {letter}" for name in NAMES for letter in "AB")
RANKED = (*MODEL_ROWS, "copy the last", "extrapolate")
"""Rows of :func:`state_errors`: those of trained models, and those that the figure shows."""
MEAN = "the mean state"  # the forecast that any useful one has to beat
LOST = 1e6  # the largest error that counts
LEAD, SAMPLES = 20, 20  # time units an orbit is given to settle, and states then taken from it


# The system


def runge_kutta(states: Array, length: int, dt: float = DT, substeps: int = 10) -> Array:
    """The equations by the classic fourth-order method, which may also run backwards.

    Backwards errors explode, because volumes, which shrink at the rate 13.67 forwards, grow: to
    infinity, where double precision ends.

    Args:
        states: ``(n, 3)``.
        length: how many states to return.
        dt: time between two of them; negative to go back.
        substeps: integration steps between two of them.

    Returns:
        ``(n, length, 3)``, the first of them ``dt`` away from ``states``.

    Raises:
        ValueError: if a size is not positive, or dt is zero or not finite.
    """
    check_counts(length=length, substeps=substeps)
    check_positive(**{"the size of dt": abs(dt)})
    state, passed, h = np.asarray(states, dtype=np.float64), [], dt / substeps
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(length):
            for _ in range(substeps):
                a = lorenz.velocity(state)
                b = lorenz.velocity(state + h / 2 * a)
                c = lorenz.velocity(state + h / 2 * b)
                d = lorenz.velocity(state + h * c)
                state = state + h / 6 * (a + 2 * b + 2 * c + d)
            passed.append(state)
    return np.stack(passed, axis=-2)


def settled(starts: Array, length: int = LENGTH, dt: float = DT) -> Array:
    """An integrator whose trajectories begin on the attractor.

    Every 20th start is carried on for 20 time units. From then on its orbit gives a new start a
    time unit, 20 in all. The other starts are not used.

    Args, returns and errors as :func:`bijepa_core.data.lorenz.euler`.
    """
    check_positive(length=length, dt=dt)
    orbits = runge_kutta(starts[: -(-len(starts) // SAMPLES)], LEAD + SAMPLES, 1.0, 100)
    return lorenz.accurate(orbits[:, LEAD:].reshape(-1, 3)[: len(starts)], length, dt)


SYSTEMS: dict[str, Integrator] = {
    "paper (Euler)": lorenz.euler,
    "accurate": lorenz.accurate,
    "on the attractor": settled,
}
"""Where the training trajectories come from."""


def on_attractor(count: int, generator: torch.Generator) -> Array:
    """States on the attractor, ``(count, 3)``."""
    return settled(lorenz.starts(count, generator), 1)[:, 0]


def separation(
    states: Array, length: int, integrator: Integrator = lorenz.accurate, distance: float = 1e-6
) -> Array:
    """How fast near neighbors part.

    Args:
        states: ``(n, 3)``, each given a neighbor at ``distance`` along the first axis.
        length: states to follow them for.
        integrator: what moves them.
        distance: between neighbors at the start.

    Returns:
        ``(length,)``: their distance after each step, the geometric mean over the pairs.
    """
    check_positive(distance=distance)
    neighbors = states + distance * np.eye(3)[0]
    one, other = np.split(integrator(np.concatenate([states, neighbors]), length, DT), 2)
    gap: Array = np.exp(np.log(np.linalg.norm(one - other, axis=-1)).mean(0))
    return gap


def growth_rate(gap: Array, begin: int, end: int) -> float:
    """The slope of log distance against time, by least squares over the steps ``begin`` to ``end``.

    Args:
        gap: of :func:`separation`.
        begin, end: steps; late enough for the fastest direction to win, while gaps are small.

    Returns:
        Per time unit: an estimate of the largest Lyapunov exponent.
    """
    steps = np.arange(begin, end)
    return float(np.polyfit(DT * (steps + 1), np.log(gap[begin:end]), 1)[0])


def attractor_distance(trajectories: Array, integrator: Integrator = lorenz.accurate) -> Array:
    """How far states are from the attractor of a system.

    Args:
        trajectories: ``(..., 3)``.
        integrator: the system; Euler's attractor is not quite the true one.

    Returns:
        ``(...)``: the distance to the nearest of 50,000 states of orbits that have settled.
    """
    begun = on_attractor(100, generator(0, "chaos/reference"))
    orbits = integrator(begun, 700, DT)[:, 200:]
    found: Array = cKDTree(orbits.reshape(-1, 3)).query(trajectories)[0]
    return found


# The experiment, on any of the systems


@dataclass(frozen=True)
class Trained:
    """A trained model with what was measured on it; see :class:`bijepa_core.runs.Run`."""

    model: BiJEPA
    history: History
    scores: Scores


def train(
    integrator: Integrator,
    seeds: Seeds,
    steps: int = LORENZ.steps,
    names: Iterable[str] = NAMES,
    *,
    device: str = "auto",
    progress: bool = True,
) -> dict[str, Trained]:
    """Experiment 2 on trajectories of one's choice.

    Args:
        integrator: one of :data:`SYSTEMS`, or another.
        seeds: one seed or several.
        steps: optimizer steps.
        names: of configurations; all see the same data.
        device: ``"auto"`` or a device.
        progress: show a bar where somebody can see it.

    Returns:
        The trained models by name.
    """
    place = resolve_device(device)
    data = lorenz_data(LORENZ, seeds, place, integrator)
    trained = {}
    for name in names:
        model, untrained = (LORENZ.model(CONFIGURATIONS[name], seeds).to(place) for _ in range(2))
        history = pretrain(
            model,
            data.batches,
            steps=steps,
            learning_rate=LORENZ.learning_rate,
            device=place,
            progress=progress,
        )
        scores = series_scores(model, untrained, LORENZ, seeds, data.probe, data.held_out)
        trained[name] = Trained(model, history, scores)
    return trained


def state_errors(trained: Mapping[str, Trained]) -> dict[str, dict[str, list[float]]]:
    """The errors at state 20 of all models and baselines in one table.

    Args:
        trained: of :func:`train`.

    Returns:
        A row for each protocol and baseline; columns ``paper_probe`` (Adam, its own training set)
        and ``converged`` (ridge, held out), each one number a seed. A baseline without a probe has
        its error in both.
    """
    rows = {}
    for name, one in trained.items():
        for letter in "AB":
            scores = one.scores[f"protocol_{letter.lower()}"]
            rows[f"{name} {letter}"] = {
                "paper_probe": scores["paper_mse"],
                "converged": scores["converged_mse"],
            }
    shared = next(iter(trained.values())).scores
    for row, key in (("untrained encoder", "untrained_encoder"), ("raw context", "raw_input")):
        rows[row] = dict.fromkeys(("paper_probe", "converged"), shared[key]["converged_mse"])
    for row, key in (("copy the last", "copy_last"), ("extrapolate", "extrapolate")):
        rows[row] = dict.fromkeys(("paper_probe", "converged"), shared[key]["mse"])
    return rows


def table_1() -> dict[str, dict[str, float]]:
    """The paper's Table 1 beside the recorded replay's, in the columns that the chapter prints."""
    return {
        row["configuration"]: {
            "paper loss": row["train_loss"]["paper"],
            "loss": row["train_loss"]["replayed"],
            "paper A": row["protocol_a"]["paper"],
            "A": row["protocol_a"]["replayed"],
            "paper B": row["protocol_b"]["paper"],
            "B": row["protocol_b"]["replayed"],
        }
        for row in load("tables")["table_1"]
        if "configuration" in row
    }


def unrest(history: History, term: str = "forward") -> list[float]:
    """How much a loss fluctuates from batch to batch, one number a seed.

    Args:
        history: of a run.
        term: ``forward`` or ``backward``, or ``mean`` of the directions in use.

    Returns:
        Over the last third of the run, the loss that one batch in ten exceeds over the median.
    """
    loss = history.mean_loss() if term == "mean" else history.losses[term]
    late = loss.reshape(len(loss), -1)[-(len(loss) // 3) :]
    return (late.quantile(0.9, dim=0) / late.median(dim=0).values).tolist()


def rises(history: History, window: int = 100) -> list[float]:
    """Of the means over ``window`` steps, the share above the one before; one number a seed."""
    _, means = history.smooth_loss(window)
    means = means.reshape(len(means), -1)
    return (means[1:] > means[:-1]).double().mean(0).tolist()


def unrests(trained: Mapping[str, Trained]) -> dict[str, dict[str, list[float]]]:
    """:func:`unrest` of the forward term and of the mean, and :func:`rises`, by model."""
    return {
        name: {
            "forward": unrest(one.history),
            "mean": unrest(one.history, "mean"),
            "rises": rises(one.history),
        }
        for name, one in trained.items()
    }


# Several windows away


@dataclass(frozen=True)
class Scale:
    """What a model's training set was normalized by.

    Args:
        mean, std: one number each over all values of the set, ``(*seeds, 1, 1)``.
    """

    mean: Tensor
    std: Tensor

    def raw(self, states: Tensor) -> Tensor:
        """States or windows ``(*seeds, n, k)`` in the system's own units."""
        return states.double() * self.std + self.mean

    def normalized(self, states: Tensor) -> Tensor:
        """The inverse of :meth:`raw`, in float32."""
        return ((states - self.mean) / self.std).float()


@dataclass(frozen=True)
class Journeys:
    """Long trajectories cut into windows, on the scale of a system's training set.

    Args:
        fit, test: ``(*seeds, n, windows, 60)``.
        scale: of the training set.
    """

    fit: Tensor
    test: Tensor
    scale: Scale


def journeys(integrator: Integrator, seeds: Seeds, windows: int, count: int = 1000) -> Journeys:
    """Fresh trajectories of a system, longer than any that a model was trained on.

    Args:
        integrator: one of :data:`SYSTEMS`.
        seeds: the models'; the scale is that of their own training sets.
        windows: of 20 states each.
        count: trajectories to fit on, and as many to test on.

    Returns:
        The windows.
    """
    check_counts(windows=windows, count=count)

    def series(purpose: str, number: int, length: int) -> Tensor:
        return sample_per_seed(
            seeds,
            purpose,
            lambda g: torch.from_numpy(integrator(lorenz.starts(number, g), length, DT)),
        )

    known = series("lorenz/train", TRAIN, LENGTH).flatten(-3)  # (*seeds, values)
    scale = Scale(known.mean(-1)[..., None, None], known.std(-1, correction=0)[..., None, None])

    def cut(purpose: str) -> Tensor:
        raw = series(purpose, count, windows * CONTEXT).flatten(-2)  # (*seeds, n, values)
        return scale.normalized(raw).unflatten(-1, (windows, -1))

    return Journeys(cut("chaos/fit"), cut("chaos/test"), scale)


def reverse(windows: Tensor) -> Tensor:
    """Time turned round: the last state of the last window comes first.

    Args:
        windows: ``(..., windows, 60)``.

    Returns:
        The same shape. Reversing twice changes nothing.
    """
    return windows.unflatten(-1, (-1, 3)).flip((-3, -2)).flatten(-2)


@dataclass(frozen=True)
class Forecaster:
    """A model with a linear reader, which turns an embedding back into the window it stands for.

    Args:
        model: a trained one.
        reader: fitted once, on the encoder's embeddings of true windows, and used for all others.
        scale: of the model's training set.
    """

    model: BiJEPA
    reader: LinearProbe
    scale: Scale

    def embed(self, x: Tensor) -> Tensor:
        """The embedding ``(*seeds, n, d)`` of windows ``(*seeds, n, 60)``."""
        return protocol_a(self.model)(self._placed(x))

    def read(self, s: Tensor) -> Tensor:
        """The window ``(*seeds, n, 60)`` that an embedding ``(*seeds, n, d)`` stands for."""
        return self.reader(s.cpu().double())

    def ahead(self, x: Tensor, count: int) -> Tensor:
        """Forecasts of the next windows, the predictor applied to its own forecast.

        Args:
            x: windows ``(*seeds, n, 60)``.
            count: how many.

        Returns:
            ``(*seeds, n, count, 60)``.

        Raises:
            ValueError: if the model has no forward predictor.
        """
        return self._follow(
            self.model.forward_predictor, self.model.forecast(self._placed(x)), count
        )

    def back(self, y: Tensor, count: int) -> Tensor:
        """The windows before y, from the latest to the earliest; mirrors :meth:`ahead`."""
        return self._follow(
            self.model.backward_predictor, self.model.infer_past(self._placed(y)), count
        )

    def _placed(self, x: Tensor) -> Tensor:
        return x.to(next(self.model.parameters()).device)

    def _follow(self, predictor: torch.nn.Module | None, s: Tensor, count: int) -> Tensor:
        check_counts(count=count)
        assert predictor is not None  # else the first prediction has said so
        passed = [s]
        with inference(self.model):
            while len(passed) < count:
                passed.append(self.model.constraint.project(predictor(passed[-1])))
        return torch.stack([self.read(one) for one in passed], dim=-2)


def forecaster(model: BiJEPA, data: Journeys) -> Forecaster:
    """Fit a model's reader, a ridge regression from embedding to window.

    Args:
        model: a trained one.
        data: whose ``fit`` to fit it on.

    Returns:
        The model and its reader.
    """
    flat = data.fit.flatten(-3, -2)  # (*seeds, n * windows, 60)
    embeddings = protocol_a(model)(flat.to(next(model.parameters()).device))
    return Forecaster(model, ridge_probe(embeddings, flat), data.scale)


def single(many: Forecaster, position: int = 0) -> Forecaster:
    """The forecaster of one seed out of several."""
    reader, scale = many.reader, many.scale
    probe = LinearProbe(
        reader.weight[position], reader.bias[position], reader.training_error[position]
    )
    return Forecaster(
        unstack(many.model, position), probe, Scale(scale.mean[position], scale.std[position])
    )


def quick(
    seed: int, steps: int, on_log: Callable[[int, History], None] | None = None
) -> Forecaster:
    """A BiJEPA of one seed, trained on the attractor for as long as a reader will wait.

    Args:
        seed: of weights and data.
        steps: optimizer steps.
        on_log: see :func:`bijepa_core.training.pretrain`.

    Returns:
        The model with its reader.
    """
    data = journeys(settled, seed, 2)
    x, y = data.fit[:, 0], data.fit[:, 1]
    model = LORENZ.model(CONFIGURATIONS["expressive"], seed)
    pretrain(
        model,
        DrawnBatches(x, y, batch_size=LORENZ.batch_size, seeds=seed),
        steps=steps,
        learning_rate=LORENZ.learning_rate,
        device="cpu",
        progress=False,
        on_log=on_log,
    )
    return forecaster(model, data)


def guesses(one: Forecaster, states: Array, back: int, ahead: int) -> dict[str, Array]:
    """What a model makes of a trajectory of which it sees one window.

    Args:
        one: a forecaster of one seed.
        states: ``((back + 1 + ahead) * 20, 3)`` in the system's units; the window after ``back``
            windows is seen.
        back, ahead: windows to infer and to forecast; at least one ahead.

    Returns:
        ``forecast``, ``(ahead * 20, 3)``; ``inferred past``, ``(back * 20, 3)``, if there is one;
        ``straight on``, the line through the last two states, one window long.
    """
    seen = torch.from_numpy(states[back * CONTEXT : (back + 1) * CONTEXT].reshape(1, -1))
    x = one.scale.normalized(seen)

    def plain(windows: Tensor) -> Array:
        found: Array = one.scale.raw(windows[0]).reshape(-1, 3).numpy()
        return found

    found = {"forecast": plain(one.ahead(x, ahead))}
    if back:
        found["inferred past"] = plain(one.back(x, back).flip(-2))
    last, before = states[(back + 1) * CONTEXT - 1], states[(back + 1) * CONTEXT - 2]
    found["straight on"] = last + np.arange(1, CONTEXT + 1)[:, None] * (last - before)
    return found


def rules(fit: Tensor, test: Tensor, count: int) -> dict[str, Tensor]:
    """Forecasts of windows that need no embedding.

    Args:
        fit: windows ``(*seeds, n, windows, 60)`` to fit the ridge regression on.
        test: windows to forecast from, ``(*seeds, n, 60)``.
        count: windows to forecast.

    Returns:
        By name, ``(*seeds, n, count, 60)``: the mean state; the last state, copied; the line
        through the last two states; a ridge regression from one raw window to the next, applied
        again and again.
    """
    last, before = test[..., -3:].double(), test[..., -6:-3].double()
    steps = torch.arange(1, count * CONTEXT + 1, dtype=torch.float64)[:, None]  # (states, 1)
    line = last[..., None, :] + steps * (last - before)[..., None, :]  # (*seeds, n, states, 3)
    copied = last[..., None, :].expand_as(line)
    mean = fit.double().unflatten(-1, (-1, 3)).flatten(-4, -2).mean(-2)  # (*seeds, 3)
    pairs = (part.flatten(-3, -2) for part in (fit[..., :-1, :], fit[..., 1:, :]))
    step, passed = ridge_probe(*pairs), [test.double()]
    for _ in range(count):
        passed.append(step(passed[-1]))

    def windows(states: Tensor) -> Tensor:
        return states.unflatten(-2, (count, CONTEXT)).flatten(-2)

    return {
        MEAN: windows(mean[..., None, None, :].expand_as(line)),
        "copy the last": windows(copied),
        "extrapolate": windows(line),
        "ridge on raw windows": torch.stack(passed[1:], dim=-2),
    }


def reading(trained: Mapping[str, Trained], data: Journeys) -> dict[str, dict[str, list[float]]]:
    """How much of a window stays in its embedding: what the reader misses of true windows.

    Args:
        trained: models by name.
        data: at least two windows.

    Returns:
        For each model the mean squared error on the ``context`` windows of the test trajectories
        and on their ``target`` windows, one number a seed.
    """
    views = {"context": data.test[..., 0, :], "target": data.test[..., 1, :]}

    def missed(able: Forecaster, windows: Tensor) -> list[float]:
        gap = able.read(able.embed(windows)) - windows
        return torch.atleast_1d(gap.square().mean((-2, -1))).tolist()

    able = {name: forecaster(one.model, data) for name, one in trained.items()}
    return {
        name: {view: missed(one, windows) for view, windows in views.items()}
        for name, one in able.items()
    }


def look_ahead(trained: Mapping[str, Trained], data: Journeys, count: int) -> dict[str, Tensor]:
    """Errors ahead, of models and rules, from the first window of each test trajectory.

    Args:
        trained: models by name.
        data: at least ``count + 1`` windows.
        count: windows ahead.

    Returns:
        Mean squared error at each state ahead, ``(*seeds, count * 20)``, by name.
    """
    test = data.test[..., : count + 1, :]
    first, truth = test[..., 0, :], test[..., 1:, :]
    seen = {name: forecaster(one.model, data).ahead(first, count) for name, one in trained.items()}
    seen |= rules(data.fit, first, count)
    return {name: errors(forecast, truth) for name, forecast in seen.items()}


def look_back(trained: Mapping[str, Trained], data: Journeys, count: int) -> dict[str, Tensor]:
    """Errors into the past, to the first window of each test trajectory.

    Args, returns: as :func:`look_ahead`; the window ``count`` after the first is seen, and the
    nearest past comes first. Models without a backward predictor are left out. Each of the others
    comes with ``equations from NAME``: the differential equations run backwards from the earliest
    state that the reader finds in the embedding.
    """
    test = data.test[..., : count + 1, :]
    last, truth = test[..., -1, :], reverse(test)[..., 1:, :]
    fit = reverse(data.fit)
    seen = {}
    for name, one in trained.items():
        if one.model.backward_predictor is None:
            continue
        able = forecaster(one.model, data)
        seen[name] = _turned(able.back(last, count))
        known = able.read(able.embed(last))[..., :3]  # the earliest state
        seen[f"equations from {name}"] = _rewound(data, known, count)
    seen |= rules(fit, reverse(last[..., None, :])[..., 0, :], count)
    return {name: errors(forecast, truth) for name, forecast in seen.items()}


def _turned(windows: Tensor) -> Tensor:
    """States from the latest to the earliest within windows that are in that order already."""
    return windows.unflatten(-1, (-1, 3)).flip(-2).flatten(-2)


def _rewound(data: Journeys, states: Tensor, count: int) -> Tensor:
    raw = data.scale.raw(states)  # (*seeds, n, 3)
    past = torch.from_numpy(runge_kutta(raw.flatten(0, -2).numpy(), count * CONTEXT, -DT))
    past = past.flatten(-2).reshape(*raw.shape[:-1], -1)  # (*seeds, n, values)
    return ((past - data.scale.mean) / data.scale.std).unflatten(-1, (count, -1))


def errors(forecast: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error at each state away; a trajectory that runs away counts a million.

    Args:
        forecast, truth: windows ``(*seeds, n, count, 60)``.

    Returns:
        ``(*seeds, count * 20)``.
    """
    gap = (forecast - truth).square().unflatten(-1, (-1, 3)).mean(-1).flatten(-2)
    return gap.nan_to_num(nan=LOST, posinf=LOST).clamp_max(LOST).mean(-2)


def by_window(curve: Tensor) -> Tensor:
    """Errors a state, ``(*seeds, count * 20)``, as errors a window, ``(*seeds, count)``."""
    return curve.unflatten(-1, (-1, CONTEXT)).mean(-1)


def horizon(curve: Tensor, ceiling: Tensor) -> list[float]:
    """How far a forecast is of use: until its error reaches half of the mean state's.

    Args:
        curve: errors ``(*seeds, states)`` of a forecast.
        ceiling: errors of the mean state, of the same shape.

    Returns:
        In time units, one number a seed; the whole length where the error stays below.
    """
    above = torch.atleast_2d(curve >= ceiling / 2)
    first = torch.where(above.any(-1), above.double().argmax(-1), above.shape[-1])
    return (DT * first).tolist()


def reach(curves: Mapping[str, Tensor]) -> dict[str, float]:
    """The :func:`horizon` of each curve, the median over seeds, in time units."""
    return {name: median(horizon(curve, curves[MEAN])) for name, curve in curves.items()}


# The record

AHEAD = {"paper (Euler)": 4, "on the attractor": 12}
"""Windows to look ahead, by system."""
BACK = {"paper (Euler)": 1, "on the attractor": 4}
"""Windows to look back."""
SHOWN = (1, 2, 3, 4, 6, 8, 12)  # windows in the record


def window_table(curves: Mapping[str, Tensor]) -> dict[str, dict[str, list[float]]]:
    """Errors by window as a table of lists, one number a seed."""
    table = {}
    for name, curve in curves.items():
        windows = torch.atleast_2d(by_window(curve))
        table[name] = {f"{k}": windows[:, k - 1].tolist() for k in SHOWN if k <= windows.shape[1]}
    return table


def record(count: int = 4) -> dict[str, Any]:
    """What the chapter compares itself with, medians over seeds 0 to ``count - 1``."""
    seeds = range(count)
    found: dict[str, Any] = {"seeds": list(seeds)}
    found |= {name: {} for name in ("state_20", "unrest", "reading", "ahead", "back")}
    for system, integrator in SYSTEMS.items():
        trained = train(integrator, seeds, device="cpu", progress=False)
        found["state_20"][system] = medians(state_errors(trained))
        found["unrest"][system] = medians(unrests(trained))
        if system not in AHEAD:
            continue
        data = journeys(integrator, seeds, AHEAD[system] + 1)
        found["reading"][system] = medians(reading(trained, data))
        for name, look, windows in (
            ("ahead", look_ahead, AHEAD[system]),
            ("back", look_back, BACK[system]),
        ):
            found[name][system] = medians(window_table(look(trained, data, windows)))
    return found
