"""One part of the study: what it gives alone, in company, twice, and where training diverges."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
import torch

from bijepa_book.evidence import metrics, worker
from bijepa_book.evidence.grid import Condition, conditions
from bijepa_book.evidence.worker import merged, run_part
from bijepa_book.process import threads
from bijepa_core import experiments
from bijepa_core._support.errors import DataNotFoundError, NonFiniteLossError
from bijepa_core.data import mnist, series
from bijepa_core.evaluation import probes
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.training import pretrain
from tests.book.evidence.few import few_digits

Part = dict[str, Any]


@pytest.fixture(autouse=True)
def fewer_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the study's windows."""
    monkeypatch.setattr(series, "PROBE", 200)
    monkeypatch.setattr(series, "HELD_OUT", 300)
    monkeypatch.setattr(metrics, "LOOKED_AT", 100)


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of scikit-learn's digits in place of MNIST."""
    few_digits(monkeypatch, 200, 80)


def condition(experiment: str, name: str = "expressive", **changes: Any) -> Condition:
    """A condition with a short schedule."""
    found = next(c for c in conditions(cast(Any, experiment)) if c.name == name)
    changes = {"steps": 20, "probe_steps": 5} | changes
    return replace(found, experiment=replace(found.experiment, **changes))


def numbers(part: Part) -> Part:
    """All but the provenance, which holds times."""
    return {name: value for name, value in part.items() if name != "provenance"}


def assert_near(ours: list[float | None], theirs: list[float | None], name: str) -> None:
    """Equal but for rounding, which training enlarges; None where the other is None."""
    a, b = ([math.nan if v is None else v for v in values] for values in (ours, theirs))
    assert a == pytest.approx(b, rel=5e-3, abs=1e-4, nan_ok=True), name


# What it gives


@pytest.mark.parametrize("experiment", ["sine", "lorenz"])
@pytest.mark.parametrize("name", ["baselines", "classic", "unconstrained"])
def test_a_seed_has_the_same_numbers_alone_and_in_company(experiment: str, name: str) -> None:
    which = condition(experiment, name)
    together, alone = run_part(which, (3, 5)), run_part(which, (5,))
    assert together["measures"].keys() == alone["measures"].keys()
    for measure, (_, second) in together["measures"].items():
        assert_near(alone["measures"][measure], [second], measure)
    assert any(first != second for first, second in together["measures"].values())


def test_twice_is_exactly_the_same() -> None:
    which = condition("sine")
    first, second = (run_part(which, (1, 2)) for _ in range(2))
    assert numbers(first) == numbers(second)


def test_a_part_is_plain_data_with_provenance() -> None:
    found = json.loads(json.dumps(run_part(condition("sine"), (4, 2)), allow_nan=False))
    assert found["seeds"] == [4, 2]
    assert found["diverged"] == []
    assert all(len(values) == 2 for values in found["measures"].values())
    assert found["curves"]["steps"] == list(range(20))  # twenty looks at twenty steps
    assert [len(row) for row in found["curves"]["norm"]] == [20, 20]
    assert found["provenance"]["torch"] == torch.__version__.split("+")[0]
    assert found["provenance"]["device"] == "cpu"
    assert found["provenance"]["seconds"] > 0


def test_the_baselines_are_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "pretrain", None)  # cannot be called
    found = run_part(condition("sine", "baselines"), (0,))
    assert found["curves"] == {}
    assert {"copy_last", "best", "distance"} <= found["measures"].keys()


def test_the_condition_is_what_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[BiJEPA, dict[str, Any]]] = []

    def remember(model: BiJEPA, batches: Any, **options: Any) -> History:
        x, _ = batches(0)
        seen.append((model, options | {"batch": x.shape}))
        return pretrain(model, batches, **options)

    monkeypatch.setattr(experiments, "pretrain", remember)
    which = condition("sine", "restrictive", batch_size=7, steps=250, learning_rate=2e-3, tau=0.5)
    run_part(which, (0, 1))
    ((model, options),) = seen
    assert options["batch"] == (2, 7, 10)
    assert (options["steps"], options["learning_rate"], options["log_every"]) == (250, 2e-3, 2)
    assert model.tau == 0.5
    assert model.configuration()["constraint"] == {
        "layer_norm": which.configuration.constraint.layer_norm,
        "weight_decay": which.configuration.constraint.weight_decay,
        "sphere": True,
    }


def test_training_changes_what_is_measured() -> None:
    short, long = (run_part(condition("sine", steps=k), (0,))["measures"] for k in (5, 60))
    assert long["train_loss"] < short["train_loss"]
    assert long["fair_a"] != short["fair_a"]


@pytest.mark.slow
@pytest.mark.usefixtures("digits")
def test_images_are_measured_one_seed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = run_part(condition("mnist", steps=6, probe_steps=1, batch_size=32), (1,))
    idle = run_part(condition("mnist", "baselines", probe_steps=1), (1,))
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (0.01,))  # pixels are slow to converge
    first = run_part(condition("mnist", "baselines", probe_steps=1), (0,))
    assert all(len(v) == 1 for part in (trained, idle) for v in part["measures"].values())
    assert {"paper_accuracy", "fair_decoder", "missed_loop", "rises"} <= trained["measures"].keys()
    once = {"raw_accuracy", "raw_knn_accuracy", "mean_image"}  # these know no seed
    assert first["measures"].keys() - idle["measures"].keys() == once
    assert trained["curves"] == idle["curves"] == {}
    with pytest.raises(ValueError, match=r"mnist is trained 1 seed.*received seeds \(0, 1\)"):
        run_part(condition("mnist"), (0, 1))


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,)])
def test_seeds_that_are_none_are_refused(seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="seeds must be"):
        run_part(condition("sine"), seeds)


def test_absent_images_are_an_error_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(dataset: str) -> mnist.Digits:
        raise DataNotFoundError("not here")

    monkeypatch.setattr(mnist, "load", nowhere)
    with pytest.raises(DataNotFoundError, match="not here"):
        run_part(condition("mnist"), (0,))


# One thread


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As if PyTorch were on three threads: what it is set to, in order."""
    asked = [3]
    monkeypatch.setattr(torch, "get_num_threads", lambda: asked[-1])
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    return asked


def test_a_part_runs_on_one_thread_and_leaves_the_others_be(
    three_threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    during: list[int] = []

    def look(*_: Any) -> Any:
        during.append(torch.get_num_threads())
        return {}, {}

    monkeypatch.setattr(worker, "_measured", look)
    run_part(condition("sine"), (0,))
    assert during == [1]
    assert three_threads == [3, 1, 3]


def test_threads_come_back_after_an_error(three_threads: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt), threads(1):
        raise KeyboardInterrupt
    assert three_threads == [3, 1, 3]


# What is no number, and what diverges


def test_what_is_no_number_becomes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"a": [math.nan, 1.23456789], "b": [math.inf, -math.inf], "c": [0.0, 1e-30]}
    curves = {"steps": [0, 123_456_789], "norm": [[1.0, math.nan], [2.0, 3.0]]}
    monkeypatch.setattr(worker, "_measured", lambda *_: (values, curves))
    found = run_part(condition("sine"), (0, 1))
    assert found["measures"] == {"a": [None, 1.23457], "b": [None, None], "c": [0.0, 1e-30]}
    assert found["curves"] == {"steps": [0, 123_456_789], "norm": [[1.0, None], [2.0, 3.0]]}


@pytest.fixture
def diverging(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the training of some seeds diverge, alone and in company."""

    def arrange(*seeds: int) -> None:
        built: list[tuple[int, ...]] = []
        model = Condition.model

        def remember(self: Condition, these: Any) -> BiJEPA:
            built.append(tuple(these))
            return model(self, these)

        def explode(one: BiJEPA, batches: Any, **options: Any) -> History:
            if set(built[-1]) & set(seeds):
                raise NonFiniteLossError("the loss became NaN", 7)
            return pretrain(one, batches, **options)

        monkeypatch.setattr(Condition, "model", remember)
        monkeypatch.setattr(experiments, "pretrain", explode)

    return arrange


def test_a_seed_that_diverges_is_listed_and_the_others_keep_their_results(
    diverging: Callable[..., None],
) -> None:
    which = condition("sine")
    sound = run_part(which, (0, 1, 2))
    diverging(1)
    found = json.loads(json.dumps(run_part(which, (0, 1, 2)), allow_nan=False))
    assert found["seeds"] == [0, 1, 2]
    assert found["diverged"] == [1]
    assert found["measures"].keys() == sound["measures"].keys()
    for name, (first, second, third) in found["measures"].items():
        assert second is None
        whole = sound["measures"][name]
        assert_near([first, third], [whole[0], whole[2]], name)
    assert found["curves"]["steps"] == sound["curves"]["steps"]
    assert [row is None for row in found["curves"]["norm"]] == [False, True, False]
    assert found["provenance"]["seconds"] > 0


def test_seeds_that_all_diverge_have_no_measures(diverging: Callable[..., None]) -> None:
    diverging(0, 1)
    for seeds in ((0, 1), (1,)):
        found = run_part(condition("sine"), seeds)
        assert found["seeds"] == found["diverged"] == list(seeds)
        assert found["measures"] == found["curves"] == {}


def test_a_loss_that_really_explodes_is_listed() -> None:
    found = run_part(condition("sine", "unconstrained", learning_rate=1e20), (6,))
    assert found["diverged"] == [6]


# Parts put together


def part(seeds: list[int], **columns: list[float]) -> Part:
    return {
        "seeds": seeds, "measures": dict(columns), "diverged": [],
        "curves": {"steps": [0, 5], "norm": [[float(seed), 1.0] for seed in seeds]},
    }  # fmt: skip


def test_parts_are_merged_in_the_order_of_seeds() -> None:
    nothing: Part = {"seeds": [2], "measures": {}, "curves": {}, "diverged": [2]}
    pieces = [
        nothing,
        part([7, 1], a=[0.7, 0.1], b=[7.0, 1.0]),
        part([4], a=[0.4], late=[4.0]),
        {"seeds": [0], "measures": {}, "curves": {}, "diverged": [0]},
    ]
    found = merged(pieces)
    assert found["seeds"] == [0, 1, 2, 4, 7]
    assert found["diverged"] == [0, 2]
    assert found["measures"] == {
        "a": [None, 0.1, None, 0.4, 0.7],
        "b": [None, 1.0, None, None, 7.0],
        "late": [None, None, None, 4.0, None],
    }
    assert found["curves"]["steps"] == [0, 5]
    assert found["curves"]["norm"] == [None, [1.0, 1.0], None, [4.0, 1.0], [7.0, 1.0]]


def test_merging_in_steps_is_merging_at_once() -> None:
    pieces = [part([5, 3], a=[0.5, 0.3]), part([4], b=[0.4]), part([0, 9], a=[0.0, 0.9])]
    at_once = merged(pieces)
    for first, second, third in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        found = merged([merged([pieces[first], pieces[second]]), pieces[third]])
        assert found == at_once
    assert merged([at_once]) == at_once


def test_parts_without_curves_have_none_together() -> None:
    bare = [{**part([k], a=[1.0]), "curves": {}} for k in (1, 0)]
    assert merged(bare)["curves"] == {}
