"""Chapter 4: how far each model sees, ahead and back, and what rules without learning see.

Arrays are in the system's own units; tensors are normalized as the models are trained, and carry a
leading seed axis. A *window* is 20 states, flattened to 60 numbers, as in the experiment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bijepa_book.chapters.attractor import SYSTEMS, runge_kutta, settled
from bijepa_book.records import medians
from bijepa_core._support.checks import check_counts, inference
from bijepa_core._support.devices import resolve_device
from bijepa_core.data import lorenz
from bijepa_core.data.lorenz import CONTEXT, DT, LENGTH, Array, Integrator
from bijepa_core.data.streams import DrawnBatches
from bijepa_core.evaluation.metrics import per_seed, training_summary
from bijepa_core.evaluation.probes import LinearProbe, protocol_a, ridge_probe
from bijepa_core.experiments import CONFIGURATIONS, LORENZ, Run, run
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, sample_per_seed, unstack

MODELS = ("classic", "expressive")
MEAN = "mean_state"  # the forecast that any useful one has to beat
LOST = 1e6  # the largest error that counts


# The experiment, on any of the systems


def train(
    integrator: Integrator,
    seeds: Seeds,
    steps: int = LORENZ.steps,
    *,
    device: str = "auto",
    progress: bool = True,
) -> dict[str, Run]:
    """Experiment 2 on trajectories of one's choice; both models see the same.

    Args:
        integrator: one of :data:`bijepa_book.chapters.attractor.SYSTEMS`, or another.
        seeds: one seed or several.
        steps: optimizer steps.
        device: ``"auto"`` or a device.
        progress: show a bar where somebody can see it.

    Returns:
        The trained models with their scores, by name.
    """
    drawn = partial(lorenz.lorenz_data, integrator=integrator)
    data = replace(LORENZ, data=drawn).load(seeds, resolve_device(device))
    experiment = replace(LORENZ, steps=steps, data=lambda *_: data)
    return {
        name: run(experiment, CONFIGURATIONS[name], seeds, device=device, progress=progress)
        for name in MODELS
    }


def fluctuation(history: History) -> dict[str, list[float]]:
    """How restless a loss is, one number a seed.

    Args:
        history: of a run.

    Returns:
        ``p90_over_median``: over the last third of the run, the loss that one batch in ten exceeds
        over the median, for the mean of the directions in use and, with ``_forward``, for the
        forward term; ``rises``: see :func:`bijepa_core.evaluation.metrics.training_summary`.
    """
    losses = {"": history.mean_loss(), "_forward": history.losses["forward"]}
    late = {term: loss[-(len(loss) // 3) :] for term, loss in losses.items()}
    return {
        f"p90_over_median{term}": per_seed(loss.quantile(0.9, dim=0) / loss.median(dim=0).values)
        for term, loss in late.items()
    } | {"rises": training_summary(history)["rises"]}


# Several windows away


@dataclass(frozen=True)
class Scale:
    """What a model's training set was normalized by.

    Args:
        mean, std: one number each over all values of the set, ``(*seeds, 1, 1)``.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, states: Tensor) -> "Scale":
        """The scale of trajectories ``(*seeds, n, length, 3)``: all numbers of a seed together."""
        numbers = states.flatten(-3)
        return cls(
            numbers.mean(-1)[..., None, None], numbers.std(-1, correction=0)[..., None, None]
        )

    def raw(self, states: Tensor) -> Tensor:
        """States or windows ``(*seeds, n, k)`` in the system's own units."""
        return states.double() * self.std + self.mean

    def normalized(self, states: Tensor) -> Tensor:
        """The inverse of :meth:`raw`, in float32."""
        return ((states - self.mean) / self.std).float()


@dataclass(frozen=True)
class LongTrajectories:
    """Trajectories of several windows each, on the scale of a system's training set.

    Args:
        fit, test: ``(*seeds, n, windows, 60)``.
        scale: of the training set.
    """

    fit: Tensor
    test: Tensor
    scale: Scale


def long_trajectories(
    integrator: Integrator, seeds: Seeds, windows: int, count: int = 1000
) -> LongTrajectories:
    """Fresh trajectories of a system, longer than any that a model was trained on.

    Args:
        integrator: one of :data:`bijepa_book.chapters.attractor.SYSTEMS`.
        seeds: the models'; the scale is that of their own training sets.
        windows: of 20 states each.
        count: trajectories to fit on, and as many to test on.

    Returns:
        The windows.
    """
    check_counts(windows=windows, count=count)

    def states(purpose: str, number: int, length: int) -> Tensor:
        return sample_per_seed(
            seeds,
            purpose,
            lambda g: torch.from_numpy(integrator(lorenz.starts(number, g), length, DT)),
        )

    scale = Scale.of(states("lorenz/train", lorenz.TRAIN, LENGTH))

    def cut(purpose: str) -> Tensor:
        raw = states(purpose, count, windows * CONTEXT).flatten(-2)  # (*seeds, n, values)
        return scale.normalized(raw).unflatten(-1, (windows, -1))

    return LongTrajectories(cut("chaos/fit"), cut("chaos/test"), scale)


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
    """A model with a linear readout, which turns an embedding back into its window.

    Args:
        model: a trained one, on the CPU.
        readout: fitted once, on the encoder's embeddings of true windows, and used for all others.
        scale: of the model's training set.
    """

    model: BiJEPA
    readout: LinearProbe
    scale: Scale

    def embed(self, x: Tensor) -> Tensor:
        """The embedding ``(*seeds, n, d)`` of windows ``(*seeds, n, 60)``."""
        return protocol_a(self.model)(x)

    def read(self, s: Tensor) -> Tensor:
        """The window ``(*seeds, n, 60)`` that an embedding ``(*seeds, n, d)`` stands for."""
        return self.readout(s.double())

    def roll_forward(self, x: Tensor, count: int) -> Tensor:
        """Forecasts of the next windows, the predictor applied to its own forecast.

        Args:
            x: windows ``(*seeds, n, 60)``.
            count: how many.

        Returns:
            ``(*seeds, n, count, 60)``.

        Raises:
            ValueError: if the model has no forward predictor.
        """
        return self._roll(self.model.forward_predictor, self.model.forecast(x), count)

    def roll_backward(self, y: Tensor, count: int) -> Tensor:
        """The windows before y, the latest first; mirrors :meth:`roll_forward`."""
        return self._roll(self.model.backward_predictor, self.model.infer_past(y), count)

    def _roll(self, predictor: torch.nn.Module | None, s: Tensor, count: int) -> Tensor:
        check_counts(count=count)
        assert predictor is not None  # else the first prediction has said so
        embeddings = [s]
        with inference(self.model):
            while len(embeddings) < count:
                embeddings.append(self.model.constraint.project(predictor(embeddings[-1])))
        return torch.stack([self.read(s) for s in embeddings], dim=-2)


def forecaster(model: BiJEPA, data: LongTrajectories) -> Forecaster:
    """Fit a model's readout, a ridge regression from embedding to window.

    Args:
        model: a trained one; it moves to the CPU.
        data: whose ``fit`` to fit it on.

    Returns:
        The model and its readout.
    """
    windows = data.fit.flatten(-3, -2)  # (*seeds, n * windows, 60)
    embeddings = protocol_a(model.cpu())(windows)
    return Forecaster(model, ridge_probe(embeddings, windows), data.scale)


def first_seed(several: Forecaster) -> Forecaster:
    """The forecaster of the first seed out of several."""
    readout, scale = several.readout, several.scale
    return Forecaster(
        unstack(several.model, 0),
        LinearProbe(readout.weight[0], readout.bias[0], readout.training_error[0]),
        Scale(scale.mean[0], scale.std[0]),
    )


def train_forecaster(
    seed: int,
    steps: int,
    on_log: Callable[[int, History], None] | None = None,
    configuration: str = "expressive",
) -> Forecaster:
    """A model of one seed, trained on the attractor, with its readout.

    Args:
        seed: of weights and data.
        steps: optimizer steps.
        on_log: see :func:`bijepa_core.training.pretrain`.
        configuration: see :data:`bijepa_core.experiments.CONFIGURATIONS`.

    Returns:
        The forecaster.
    """
    data = long_trajectories(settled, seed, 2)
    x, y = data.fit[:, 0], data.fit[:, 1]
    model = LORENZ.model(CONFIGURATIONS[configuration], seed)
    batches = DrawnBatches(x, y, batch_size=LORENZ.batch_size, seeds=seed)
    LORENZ.train(model, batches, steps=steps, device="cpu", progress=False, on_log=on_log)
    return forecaster(model, data)


def guesses(
    forecaster: Forecaster, states: Array, windows_back: int, windows_ahead: int
) -> dict[str, Array]:
    """What a model makes of a trajectory of which it sees one window.

    Args:
        forecaster: of one seed.
        states: ``((windows_back + 1 + windows_ahead) * 20, 3)`` in the system's units; the window
            after the first ``windows_back`` is seen.
        windows_back, windows_ahead: to infer and to forecast; at least one ahead.

    Returns:
        ``forecast``, ``(windows_ahead * 20, 3)``; ``inferred past``, ``(windows_back * 20, 3)``,
        if there is one; ``straight on``, the line through the last two states, one window long.
    """
    end = (windows_back + 1) * CONTEXT
    seen = states[end - CONTEXT : end]
    x = forecaster.scale.normalized(torch.from_numpy(seen.reshape(1, -1)))

    def raw(windows: Tensor) -> Array:
        values: Array = forecaster.scale.raw(windows[0]).reshape(-1, 3).numpy()
        return values

    guessed = {"forecast": raw(forecaster.roll_forward(x, windows_ahead))}
    if windows_back:
        guessed["inferred past"] = raw(forecaster.roll_backward(x, windows_back).flip(-2))
    steps = np.arange(1, CONTEXT + 1)[:, None]
    return guessed | {"straight on": seen[-1] + steps * (seen[-1] - seen[-2])}


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
    step, regressed = ridge_probe(*pairs), [test.double()]
    for _ in range(count):
        regressed.append(step(regressed[-1]))

    def windows(states: Tensor) -> Tensor:
        return states.unflatten(-2, (count, CONTEXT)).flatten(-2)

    return {
        MEAN: windows(mean[..., None, None, :].expand_as(line)),
        "copy_last": windows(copied),
        "extrapolate": windows(line),
        "ridge_on_raw_windows": torch.stack(regressed[1:], dim=-2),
    }


def readout_errors(
    models: Mapping[str, Run], data: LongTrajectories
) -> dict[str, dict[str, list[float]]]:
    """How much of a window stays in its embedding: what the readout misses of true windows.

    Args:
        models: by name.
        data: at least two windows.

    Returns:
        For each model the mean squared error on the ``context`` windows of the test trajectories
        and on their ``target`` windows, one number a seed.
    """
    views = {"context": data.test[..., 0, :], "target": data.test[..., 1, :]}
    errors = {}
    for name, trained in models.items():
        able = forecaster(trained.model, data)
        errors[name] = {
            view: per_seed((able.read(able.embed(windows)) - windows).square().mean((-2, -1)))
            for view, windows in views.items()
        }
    return errors


def forecast_errors(
    models: Mapping[str, Run], data: LongTrajectories, count: int
) -> dict[str, Tensor]:
    """Errors ahead, of models and rules, from the first window of each test trajectory.

    Args:
        models: by name.
        data: at least ``count + 1`` windows.
        count: windows ahead.

    Returns:
        Mean squared error at each state ahead, ``(*seeds, count * 20)``, by name.
    """
    test = data.test[..., : count + 1, :]
    first, truth = test[..., 0, :], test[..., 1:, :]
    forecasts = {
        name: forecaster(trained.model, data).roll_forward(first, count)
        for name, trained in models.items()
    } | rules(data.fit, first, count)
    return {name: errors(forecast, truth) for name, forecast in forecasts.items()}


def past_errors(models: Mapping[str, Run], data: LongTrajectories, count: int) -> dict[str, Tensor]:
    """Errors into the past, to the first window of each test trajectory.

    Args, returns: as :func:`forecast_errors`; the window ``count`` after the first is seen, and the
    nearest past comes first. Models without a backward predictor are left out. Each of the others
    comes with ``equations_from_NAME``: the differential equations run backwards from the earliest
    state that the readout finds in the embedding.
    """
    turned = reverse(data.test[..., : count + 1, :])
    last, truth = data.test[..., count, :], turned[..., 1:, :]
    pasts = {}
    for name, trained in models.items():
        if trained.model.backward_predictor is None:
            continue
        able = forecaster(trained.model, data)
        pasts[name] = reverse(able.roll_backward(last, count).flip(-2))
        earliest = able.read(able.embed(last))[..., :3]
        pasts[f"equations_from_{name}"] = rewound(earliest, data.scale, count)
    pasts |= rules(reverse(data.fit), turned[..., 0, :], count)
    return {name: errors(past, truth) for name, past in pasts.items()}


def rewound(states: Tensor, scale: Scale, count: int) -> Tensor:
    """The windows before states, by the equations run backwards.

    Args:
        states: normalized, ``(*seeds, n, 3)``.
        scale: of theirs.
        count: windows to go back.

    Returns:
        ``(*seeds, n, count, 60)``, the nearest state first.
    """
    raw = scale.raw(states)  # (*seeds, n, 3)
    past = torch.from_numpy(runge_kutta(raw.flatten(0, -2).numpy(), count * CONTEXT, -DT))
    past = past.flatten(-2).reshape(*raw.shape[:-1], -1)  # (*seeds, n, values)
    return ((past - scale.mean) / scale.std).unflatten(-1, (count, -1))


def errors(forecast: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error at each state away; a trajectory that runs away counts a million.

    Args:
        forecast, truth: windows ``(*seeds, n, count, 60)``.

    Returns:
        ``(*seeds, count * 20)``.
    """
    gap = (forecast - truth).square().unflatten(-1, (-1, 3)).mean(-1).flatten(-2)
    return gap.nan_to_num(nan=LOST, posinf=LOST).clamp_max(LOST).mean(-2)


def horizons(curves: Mapping[str, Tensor]) -> dict[str, float]:
    """How far forecasts are of use: until the error reaches half of the mean state's.

    Args:
        curves: errors ``(*seeds, states)`` by name, the mean state's among them.

    Returns:
        In time units, medians over seeds; the whole length where the error stays below.
    """
    reached = {}
    for name, curve in curves.items():
        above = curve >= curves[MEAN] / 2
        first = torch.where(above.any(-1), above.double().argmax(-1), above.shape[-1])
        reached[name] = median(per_seed(DT * first))
    return reached


# The record

AHEAD = {"paper (Euler)": 4, "on the attractor": 12}
"""Windows to look ahead, by system."""
BACK = {"paper (Euler)": 1, "on the attractor": 4}
"""Windows to look back."""
SHOWN = (1, 2, 3, 4, 6, 8, 12)  # windows in the record
SEEDS = range(4)  # of the record


def window_table(curves: Mapping[str, Tensor]) -> dict[str, dict[str, list[float]]]:
    """Errors a state, ``(*seeds, states)``, as a table of errors by window, one number a seed."""
    table = {}
    for name, curve in curves.items():
        windows = curve.unflatten(-1, (-1, CONTEXT)).mean(-1)  # (*seeds, count)
        count = windows.shape[-1]
        table[name] = {f"{k}": per_seed(windows[..., k - 1]) for k in SHOWN if k <= count}
    return table


def record() -> dict[str, Any]:
    """What the chapter compares itself with, medians over :data:`SEEDS`."""
    content: dict[str, Any] = {"seeds": list(SEEDS)}
    content |= {name: {} for name in ("state_20", "fluctuation", "readout", "ahead", "back")}
    for system, integrator in SYSTEMS.items():
        models = train(integrator, SEEDS, LORENZ.steps, device="cpu", progress=False)
        measured = {
            "state_20": {name: trained.scores for name, trained in models.items()},
            "fluctuation": {name: fluctuation(trained.history) for name, trained in models.items()},
        }
        if system in AHEAD:
            data = long_trajectories(integrator, SEEDS, AHEAD[system] + 1)
            measured |= {
                "readout": readout_errors(models, data),
                "ahead": window_table(forecast_errors(models, data, AHEAD[system])),
                "back": window_table(past_errors(models, data, BACK[system])),
            }
        for name, table in measured.items():
            content[name][system] = medians(table)
    return content
