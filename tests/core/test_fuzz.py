"""Whatever is passed: it works, or one sentence names the argument. Never another package's error.

Each call below works with the arguments beside it. Hypothesis puts something else in the place of
one of them: a value that is wrong by its kind, which must be refused, or any value at all.
"""

import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import bijepa_core as core
from bijepa_core import diagnostics, regularizers
from bijepa_core.data import (
    channel_statistics,
    cut_windows,
    fill_gaps,
    series_by_name,
    split_series,
)
from bijepa_core.data.streams import as_pair
from bijepa_core.evaluation import (
    adam_classifier,
    adam_probe,
    auroc,
    mahalanobis,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.experiments import SINE, configuration_named

OURS = (
    ValueError,
    TypeError,
    core.CheckpointError,
    core.CorruptDataError,
    core.DataNotFoundError,
    core.NonFiniteLossError,
)
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)

# --- what is put in the place of an argument ------------------------------------------------------

SHAPES = [
    (),
    (0,),
    (3,),
    (6, 4),
    (6, 3),
    (5, 4),
    (2, 6, 4),
    (3, 6, 4),
    (6, 0),
    (0, 4),
    (1, 1, 1, 1),
]
TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64]


def tensor(shape: tuple[int, ...], dtype: torch.dtype, fill: float | None) -> Tensor:
    """Ones and twos, or one number everywhere where the type can hold it."""
    values = 1 + torch.arange(math.prod(shape)).reshape(shape) % 2
    if fill is None or not (dtype.is_floating_point or dtype.is_complex):
        return values.to(dtype)
    return torch.full(shape, fill, dtype=dtype)


TENSORS = st.builds(
    tensor,
    st.sampled_from(SHAPES),
    st.sampled_from(TYPES),
    st.sampled_from([None, 0.0, math.nan, math.inf, 1e38]),
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.floats(width=16),
    st.text(max_size=3),
    st.lists(st.integers(-1, 3) | st.floats(width=16) | st.booleans(), max_size=3),
    st.sampled_from([b"1", 1j, ..., {}, {1}, np.int64(2), np.float32(0.5), np.arange(3)]),
)
ANYTHING = PLAIN | TENSORS

NO_NUMBERS: list[Any] = ["1", None, [1], 1j, math.nan, math.inf, -1]
WRONG: dict[str, list[Any]] = {
    "count": [*NO_NUMBERS, 0, 2.5, True],
    "positive": [*NO_NUMBERS, 0],
    "not negative": NO_NUMBERS,
    "share": [*NO_NUMBERS, 1.5],
    "seeds": ["12", None, [], [1, 1], [1.5], [True], True, -1, [-1], 2.5, {1}, 1j],
    "seed": ["1", None, 1.5, -1, True, 1j],
    "table": [None, "x", 3, torch.ones(0, 4), torch.full((6, 4), math.nan), torch.tensor(1.0)],
    "scores": [None, "x", 3, torch.ones(0, 4), torch.full((6,), math.nan)],
    "labels": [
        None,
        "x",
        3,
        torch.full((6,), -1),
        torch.full((6,), math.nan),
        torch.zeros(5).long(),
    ],
    "item": [None, "x", torch.full((4,), math.nan)],
    "penalty": [None, "x", torch.ones(2), torch.ones(6, 4)],
    "view": [None, "x", 3, torch.ones(0, 4), torch.ones(6, 3), torch.ones(6, 4).long()],
    "series": [None, "x", 3, ["x"], [torch.full((6, 4), math.inf)], [torch.ones(2, 2, 2)]],
    "one series": [None, "x", 3, torch.full((6, 4), math.inf), torch.ones(2, 2, 2)],
    "statistic": ["x", torch.ones(3), torch.full((4,), math.nan), torch.ones(4, 4)],
    "names": [None, "x", 3, ["a"], ["a", "a", "b", "b", "b", None]],
    "module": [None, "net", 3, torch.nn.Linear],
    "function": [None, "f", 3],
    "device": ["gpu", "", "cuda:99", 2.5, [], "meta"],
    "folder": [None, 3, [], 1j],
    "name": [None, "Classic", "", 3, []],
    "anything": [],
}

# --- what is called -------------------------------------------------------------------------------


def table(rows: int = 6, columns: int = 4) -> Tensor:
    """A small table, the same each time."""
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))


def model(seeds: core.Seeds = 0) -> core.BiJEPA:
    """A small model of views of four numbers."""
    return core.init_stacked(
        lambda: core.BiJEPA(core.MLPEncoder(4, 3, 2), partial(core.MLPPredictor, 2, 3)), seeds
    )


def batches() -> core.Batches:
    """A small stream for it."""
    return core.DrawnBatches(table(), table(), batch_size=2, seeds=0)


def ask(method: str, **views: Any) -> object:
    """Call a method of a small model."""
    return getattr(model(), method)(**views)


def penalized(given: Any) -> object:
    """The loss of a small model with a penalty of one's own, which gives this."""

    def penalty(s: Tensor) -> Any:
        return given

    constraint = core.Constraint(penalties=(core.Penalty(0.1, penalty),))
    encoder, predictor = core.MLPEncoder(4, 3, 2), partial(core.MLPPredictor, 2, 3)
    return core.BiJEPA(encoder, predictor, constraint=constraint)(table(), table())


def save_and_load(path: Any, note: object) -> None:
    """Keep a small model in a folder of its own, and take it back."""
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / path if isinstance(path, str) and path else path
        model().save(named, note=note)
        model().load(named)


@dataclass(frozen=True)
class Case:
    """A call, arguments that it takes, and the kind of each that is exchanged."""

    call: Callable[..., object]
    arguments: Callable[[], dict[str, Any]]
    kinds: dict[str, str]


def stream(kind: Callable[..., core.Batches]) -> Case:
    """A stream, and its first batch."""
    return Case(
        lambda **options: kind(**options)(0),
        lambda: {"x": table(), "y": table(), "batch_size": 2, "seeds": [0, 1], "per_seed": False},
        {"x": "table", "y": "table", "batch_size": "count", "seeds": "seeds"},
    )


def probe(call: Callable[..., object], of: str, **kinds: str) -> Case:
    """A probe of twelve samples of four features."""
    options = {"steps": 2, "epochs": 1, "learning_rate": 0.01, "batch_size": 5, "progress": False}
    targets = {
        "labels": torch.arange(12) % 2,
        "targets": table(12, 1),
        "pixels": table(12, 4).sigmoid(),
    }
    known: dict[str, Any] = options | {"seeds": 0, "seed": 0}
    return Case(
        call,
        lambda: {
            "features": table(12),
            of: targets[of],
            **{name: known[name] for name in kinds},
            **({"progress": False} if "epochs" in kinds else {}),
        },
        {"features": "table", of: "labels" if of == "labels" else "table", **kinds},
    )


FITTED = {"seeds": "seeds", "learning_rate": "positive"}
EPOCHS = FITTED | {"epochs": "count", "batch_size": "count"}
CASES = {
    "Constraint": Case(
        core.Constraint, lambda: {"weight_decay": 1e-4}, {"weight_decay": "not negative"}
    ),
    "Checkpoint": Case(
        core.Checkpoint, lambda: {"folder": "f", "every": 5}, {"folder": "folder", "every": "count"}
    ),
    "MLPEncoder": Case(
        core.MLPEncoder,
        lambda: {"in_dim": 4, "hidden_dim": 3, "embed_dim": 2},
        dict.fromkeys(("in_dim", "hidden_dim", "embed_dim"), "count"),
    ),
    "MLPPredictor": Case(
        core.MLPPredictor,
        lambda: {"embed_dim": 2, "hidden_dim": 3, "z_dim": 0},
        {"embed_dim": "count", "hidden_dim": "count", "z_dim": "not negative"},
    ),
    "Decoder": Case(
        core.Decoder,
        lambda: {"embed_dim": 2, "pixels": 4},
        {"embed_dim": "count", "pixels": "count"},
    ),
    "BiJEPA": Case(
        core.BiJEPA,
        lambda: {
            "encoder": core.MLPEncoder(4, 3, 2),
            "predictor": partial(core.MLPPredictor, 2, 3),
            "constraint": core.EXPRESSIVE,
            "alpha": 0.5,
            "tau": 0.9,
            "scale": 1.0,
        },
        {
            "encoder": "module",
            "predictor": "function",
            "constraint": "module",
            "alpha": "share",
            "tau": "share",
            "scale": "positive",
        },
    ),
    "script_scale": Case(core.script_scale, lambda: {"alpha": 0.5}, {"alpha": "share"}),
    "init_stacked": Case(
        core.init_stacked,
        lambda: {"make": lambda: core.MLPEncoder(4, 3, 2), "seeds": [0, 1]},
        {"make": "function", "seeds": "seeds"},
    ),
    "unstack": Case(
        core.unstack,
        lambda: {"module": model([0, 1]), "position": 1},
        {"module": "module", "position": "seed"},
    ),
    "DrawnBatches": stream(core.DrawnBatches),
    "ShuffledBatches": stream(core.ShuffledBatches),
    "DatasetBatches": Case(
        lambda **options: core.DatasetBatches(**options)(0),
        lambda: {
            "dataset": [(row, row) for row in table()],
            "batch_size": 2,
            "seeds": [0, 1],
            "pair": as_pair,
        },
        {"dataset": "module", "batch_size": "count", "seeds": "seeds", "pair": "function"},
    ),
    "item": Case(
        lambda x, y: core.DatasetBatches([(x, y)] * 2, batch_size=2, seeds=0)(0),
        lambda: {"x": table(), "y": table()},
        {"x": "item", "y": "item"},
    ),
    "LoaderBatches": Case(
        lambda **options: core.LoaderBatches(**options)(0),
        lambda: {
            "loader": [(table(), table())],
            "seed": 1,
            "pair": as_pair,
        },
        {"loader": "module", "seed": "seed", "pair": "function"},
    ),
    "batch": Case(
        lambda x, y: core.LoaderBatches([(x, y)])(0),
        lambda: {"x": table(), "y": table()},
        {"x": "table", "y": "table"},
    ),
    "Penalty": Case(
        core.Penalty,
        lambda: {"weight": 0.1, "of": regularizers.scale},
        {"weight": "positive", "of": "function"},
    ),
    "penalty": Case(
        lambda penalty: penalized(penalty),
        lambda: {"penalty": torch.tensor(1.0)},
        {"penalty": "penalty"},
    ),
    "save": Case(
        save_and_load,
        lambda: {"path": "model.pt", "note": [1.0, "m"]},
        {"path": "folder", "note": "anything"},
    ),
    "pretrain": Case(
        core.pretrain,
        lambda: {
            "model": model(),
            "batches": batches(),
            "steps": 2,
            "learning_rate": 1e-3,
            "device": "cpu",
            "log_every": 1,
            "checkpoint": None,
            "on_log": None,
        },
        {
            "model": "module",
            "batches": "function",
            "steps": "count",
            "learning_rate": "positive",
            "device": "device",
            "log_every": "count",
            "checkpoint": "anything",
            "on_log": "anything",
        },
    ),
    "forward": Case(
        partial(ask, "forward"), lambda: {"x": table(), "y": table()}, {"x": "view", "y": "view"}
    ),
    "embed": Case(partial(ask, "embed"), lambda: {"x": table()}, {"x": "view"}),
    "forecast": Case(
        partial(ask, "forecast"),
        lambda: {"x": table(), "z": None},
        {"x": "view", "z": "anything"},
    ),
    "infer_past": Case(partial(ask, "infer_past"), lambda: {"y": table()}, {"y": "view"}),
    "loop_spectrum": Case(
        diagnostics.loop_spectrum,
        lambda: {"model": model(), "x": table()},
        {"model": "module", "x": "view"},
    ),
    "inconsistency": Case(
        diagnostics.inconsistency,
        lambda: {"model": model(), "x": table()},
        {"model": "module", "x": "view"},
    ),
    "ridge_probe": probe(ridge_probe, "targets"),
    "adam_probe": probe(adam_probe, "targets", steps="count", **FITTED),
    "softmax_classifier": probe(softmax_classifier, "labels", seed="seed"),
    "adam_classifier": probe(adam_classifier, "labels", **EPOCHS),
    "train_decoder": probe(train_decoder, "pixels", **EPOCHS),
    "auroc": Case(
        auroc, lambda: {"good": table()[0], "odd": table()[1]}, {"good": "scores", "odd": "scores"}
    ),
    "mahalanobis": Case(
        mahalanobis,
        lambda: {"good": table(), "floor": 0.1},
        {"good": "table", "floor": "not negative"},
    ),
    "cut_windows": Case(
        cut_windows,
        lambda: {
            "series": [table(), table(7)],
            "past": 2,
            "future": 1,
            "every": 1,
            "mean": torch.zeros(4),
            "std": torch.ones(4),
        },
        {
            "series": "series",
            "past": "count",
            "future": "not negative",
            "every": "count",
            "mean": "statistic",
            "std": "statistic",
        },
    ),
    "split_series": Case(
        split_series,
        lambda: {"series": ["a", "b", "c"], "held_out": 0.4, "seed": 1},
        {"series": "anything", "held_out": "share", "seed": "seed"},
    ),
    "fill_gaps": Case(
        fill_gaps,
        lambda: {"series": table(), "longest": 2},
        {"series": "one series", "longest": "count"},
    ),
    "channel_statistics": Case(
        channel_statistics, lambda: {"series": [table(), table(7)]}, {"series": "series"}
    ),
    "series_by_name": Case(
        series_by_name,
        lambda: {"table": table(), "names": ["a", "a", "b", "b", "b", "c"]},
        {"table": "series", "names": "names"},
    ),
    "configuration_named": Case(
        configuration_named,
        lambda: {"name": "expressive", "alpha": 0.5},
        {"name": "name", "alpha": "anything"},
    ),
    "Experiment": Case(
        partial(replace, SINE),
        lambda: {"steps": 2, "batch_size": 2, "learning_rate": 1e-3, "tau": 0.9, "in_dim": 10},
        {
            "steps": "count",
            "batch_size": "count",
            "learning_rate": "positive",
            "tau": "share",
            "in_dim": "count",
        },
    ),
}


def fault(case: Case, name: str, value: object, wrong: bool) -> str | None:
    """What is amiss when an argument is exchanged; None where all is well."""
    try:
        case.call(**{**case.arguments(), name: value})
    except OURS as error:
        words = "|".join([*case.kinds, "table", "samples", "targets", "configuration"])
        named = re.search(rf"\b({words})s?\b", str(error))
        return None if named else f"{type(error).__name__} names no argument: {error}"
    except Exception as error:
        return f"a foreign {type(error).__name__}: {error}"
    return "accepted" if wrong else None


@pytest.mark.parametrize("name", CASES)
def test_it_works_as_it_stands(name: str) -> None:
    """Else a refusal would say nothing about the exchanged argument."""
    case = CASES[name]
    case.call(**case.arguments())


@pytest.mark.parametrize("name", CASES)
def test_it_works_or_names_what_is_wrong(name: str) -> None:
    case = CASES[name]

    @EXAMPLES
    @given(st.data())
    def exchange(data: st.DataObject) -> None:
        argument = data.draw(st.sampled_from(list(case.kinds)), "argument")
        wrong = WRONG[case.kinds[argument]]
        is_wrong = bool(wrong) and data.draw(st.booleans(), "wrong by its kind")
        value = data.draw(st.sampled_from(wrong) if is_wrong else ANYTHING, "value")
        found = fault(case, argument, value, is_wrong)
        assert found is None, f"{name}({argument}={value!r}): {found}"

    exchange()
