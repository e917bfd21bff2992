"""A stream is a pure function of the step, and a seed means the same rows everywhere."""

import copy
import hashlib
import json
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bijepa_core.data.sine import SineBatches
from bijepa_core.data.streams import (
    BLOCK,
    Batches,
    DrawnBatches,
    ShuffledBatches,
    fingerprint,
    take,
)
from bijepa_core.seeds import Seeds

ROWS = 23
SEEDS = [4, 9, 1]
# each row of the table is told by its number, and y by its sign
X = torch.arange(ROWS)[:, None] + torch.tensor([0.0, 0.25, 0.5])
OFFSETS = torch.tensor([0.0, 100.0, 200.0])[:, None, None]


def drawn(seeds: Seeds) -> DrawnBatches:
    return DrawnBatches(X, -X, batch_size=5, seeds=seeds)


def shuffled(seeds: Seeds) -> ShuffledBatches:
    return ShuffledBatches(X, -X, batch_size=5, seeds=seeds)


def waves(seeds: Seeds) -> SineBatches:
    return SineBatches(seeds, 5)


Make = Callable[[Seeds], Batches]
each_stream = pytest.mark.parametrize("make", [drawn, shuffled, waves])
each_table = pytest.mark.parametrize("make", [DrawnBatches, ShuffledBatches])


@each_stream
@pytest.mark.parametrize("seeds", [3, SEEDS])
def test_a_step_means_the_same_batch_in_any_order(make: Make, seeds: Seeds) -> None:
    steps = [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 7]
    forwards, backwards = make(seeds), make(seeds)
    first = {step: forwards(step) for step in steps}
    for step in reversed(steps):
        for one, other in zip(first[step], backwards(step), strict=True):
            assert torch.equal(one, other)
    for one, other in zip(first[1], forwards(1), strict=True):
        assert torch.equal(one, other)


@each_stream
def test_a_batch_is_not_spoiled_by_its_user_forgetting_it(make: Make) -> None:
    """Blocks are kept for a while; dropping one must not change what it holds."""
    batches = make(3)
    first = batches(2)[0].clone()
    for step in range(0, 8 * BLOCK, BLOCK):
        batches(step)
    assert torch.equal(batches(2)[0], first)


@each_stream
def test_a_seed_sees_the_same_data_alone_and_in_company(make: Make) -> None:
    together = make(SEEDS)
    for position, seed in enumerate(SEEDS):
        alone = make(seed)
        for step in (0, 4, BLOCK + 1):
            for many, one in zip(together(step), alone(step), strict=True):
                assert many.shape == (3, *one.shape)
                assert torch.equal(many[position], one)


@each_stream
def test_seeds_and_steps_differ(make: Make) -> None:
    batches = make(SEEDS)
    seen = [batches(step)[0][seed] for step in (0, 1, BLOCK) for seed in range(3)]
    for i, one in enumerate(seen):
        assert not any(one.shape == other.shape and torch.equal(one, other) for other in seen[:i])


@each_table
def test_x_and_y_stay_paired(make: type[DrawnBatches]) -> None:
    for seeds in (3, SEEDS):
        x, y = make(X, -X, batch_size=5, seeds=seeds)(7)
        assert torch.equal(x, -y)
        assert torch.equal(x - x[..., :1], torch.tensor([0.0, 0.25, 0.5]).expand(x.shape))


@each_table
def test_tables_of_their_own_give_each_seed_its_own_rows(make: type[DrawnBatches]) -> None:
    batches = make(X + OFFSETS, -X - OFFSETS, batch_size=5, seeds=SEEDS, per_seed=True)
    shared = make(X, -X, batch_size=5, seeds=SEEDS)
    for step in (0, 6):
        x, y = batches(step)
        assert torch.equal(x, shared(step)[0] + OFFSETS)
        assert torch.equal(x, -y)
    assert batches.rows == ROWS


@pytest.mark.parametrize("seeds", [3, SEEDS])
@pytest.mark.parametrize("size", [5, 1, 23, 40])
def test_every_row_is_visited_once_an_epoch(size: int, seeds: Seeds) -> None:
    batches = ShuffledBatches(X, -X, batch_size=size, seeds=seeds)
    per_epoch = batches.steps_per_epoch
    assert per_epoch == {5: 5, 1: 23, 23: 1, 40: 1}[size]
    orders = []
    for epoch in range(3):
        chosen = [batches(epoch * per_epoch + i)[0] for i in range(per_epoch)]
        sizes = [x.shape[-2] for x in chosen]
        assert sizes == [size] * (ROWS // size) + [ROWS % size] * (ROWS % size > 0)
        order = torch.cat(chosen, dim=-2)[..., 0]
        assert torch.equal(order.sort(-1).values, torch.arange(ROWS).expand(order.shape).float())
        orders.append(order)
    assert not torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[1], orders[2])


def test_drawing_with_replacement_is_uniform() -> None:
    batches = DrawnBatches(X, -X, batch_size=50, seeds=3)
    rows = torch.cat([batches.indices(step) for step in range(200)])
    counts = torch.bincount(rows, minlength=ROWS).double()
    expected = len(rows) / ROWS
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < 48  # 22 degrees of freedom: one in a thousand


@each_table
@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (X, X[:-1], {}, r"same number of rows.*\(23, 3\) and \(22, 3\)"),
        (X[:0], X[:0], {}, r"must not be empty; received shape \(0, 3\)"),
        (X / 0, X, {}, "x must be finite; 69 of its 69"),
        (X, X / 0, {}, "y must be finite; 69 of its 69"),
        (X, X, {"batch_size": 0}, "batch_size must be positive.*received 0"),
        (X, X, {"batch_size": True}, "batch_size must be positive.*received True"),
        (X, X, {"seeds": True}, "distinct integers >= 0; received True"),
        (X, X, {"seeds": []}, r"distinct integers >= 0; received \[\]"),
        (X, X, {"seeds": [1, 1]}, r"distinct integers >= 0; received \[1, 1\]"),
        (X, X, {"per_seed": True, "seeds": [1, 2]}, r"2 here.*shape \(23, 3\) and seeds \[1, 2\]"),
        (X, X, {"per_seed": True, "seeds": 23}, r"sequence of seeds; received.*seeds 23"),
    ],
)
def test_bad_tables_and_settings_are_named(
    make: type[DrawnBatches], x: Tensor, y: Tensor, settings: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {"batch_size": 5, "seeds": 0}
    with pytest.raises(ValueError, match=message):
        make(x, y, **(given | settings))


@pytest.mark.parametrize("seeds", [3, SEEDS, range(2)])
def test_the_configuration_is_plain_and_tells_streams_apart(seeds: int | Sequence[int]) -> None:
    described = [
        json.dumps(stream.configuration())
        for stream in (
            drawn(seeds),
            shuffled(seeds),
            waves(seeds),
            drawn(77),
            DrawnBatches(X, -X, batch_size=6, seeds=seeds),
            DrawnBatches(X[1:], -X[1:], batch_size=5, seeds=seeds),
        )
    ]
    assert len(set(described)) == len(described)
    assert json.dumps(drawn(seeds).configuration()) == described[0]


def test_streams_can_be_copied_and_pickled() -> None:
    x = torch.arange(40.0).reshape(10, 4)
    for stream in (
        SineBatches((0, 1), 3),
        DrawnBatches(x, x + 1, batch_size=3, seeds=0),
        ShuffledBatches(x, x + 1, batch_size=3, seeds=(4, 5)),
    ):
        stream(70)  # something is kept
        again = pickle.dumps(stream)
        assert len(again) < 3_000  # and not what was kept
        for other in (pickle.loads(again), copy.deepcopy(stream)):
            for step in (0, 63, 64, 200):
                for ours, theirs in zip(stream(step), other(step), strict=True):
                    assert torch.equal(ours, theirs)


@each_table
def test_arrays_and_tensors_make_the_same_stream(make: type[DrawnBatches]) -> None:
    size: Any = np.int64(5)
    seed: Any = np.int64(3)
    arrays = make(X.numpy(), -X.numpy(), batch_size=size, seeds=seed)
    graph = X.clone().requires_grad_() * 1
    for other in (arrays, make(graph, -graph, batch_size=5, seeds=3)):
        ours = make(X, -X, batch_size=5, seeds=3)
        assert json.dumps(other.configuration()) == json.dumps(ours.configuration())
        for one, two in zip(other(7), ours(7), strict=True):
            assert torch.equal(one, two)
            assert not two.requires_grad


@each_table
def test_views_may_differ_in_shape_but_not_in_rows(make: type[DrawnBatches]) -> None:
    x, y = make(X, -X[:, :2], batch_size=5, seeds=SEEDS)(3)
    assert (x.shape, y.shape) == ((3, 5, 3), (3, 5, 2))
    assert torch.equal(x[..., :2], -y)
    own = make(X + OFFSETS, -(X + OFFSETS)[..., None], batch_size=5, seeds=SEEDS, per_seed=True)
    x, y = own(3)
    assert torch.equal(x, -y[..., 0])


def test_the_smallest_batch_is_what_an_epoch_leaves_over() -> None:
    sizes = {size: ShuffledBatches(X, X, batch_size=size, seeds=0) for size in (1, 5, 11, 23, 40)}
    for stream in sizes.values():
        seen = [len(stream(step)[0]) for step in range(stream.steps_per_epoch)]
        assert stream.smallest_batch == min(seen)
    assert DrawnBatches(X, X, batch_size=5, seeds=0).smallest_batch == 5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int16])
def test_a_fingerprint_is_of_the_bytes(dtype: torch.dtype) -> None:
    values = X.to(dtype).T  # not contiguous
    expected = hashlib.sha256(np.ascontiguousarray(values.numpy()).tobytes()).hexdigest()
    assert fingerprint(values) == expected
    assert len(fingerprint(values.bfloat16())) == 64  # numpy does not know this dtype


@pytest.mark.parametrize("form", [lambda x, y: (x, y), lambda x, y: {"x": x.numpy(), "y": y}])
def test_a_step_of_any_function_is_taken_as_tensors_without_a_graph(
    form: Callable[[Tensor, Tensor], Any],
) -> None:
    graph = X.clone().requires_grad_() * 1
    x, y = take(lambda step: form(X + step, graph), 3, "cpu")
    assert torch.equal(x, X + 3)
    assert torch.equal(y, X)
    assert not y.requires_grad
