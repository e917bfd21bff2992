"""Data sets and loaders of PyTorch's kind: complete, in pairs, and the same after a stop."""

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from bijepa_core._support.errors import CheckpointError
from bijepa_core.checkpoints import Checkpoint
from bijepa_core.data.sources import DatasetBatches, LoaderBatches
from bijepa_core.data.streams import Batches, ShuffledBatches
from bijepa_core.model import BiJEPA
from bijepa_core.networks import MLPEncoder, MLPPredictor
from bijepa_core.seeds import init_stacked
from bijepa_core.training import pretrain

ROWS = 23
X = torch.arange(ROWS)[:, None] + torch.tensor([0.0, 0.25, 0.5])
TABLE = TensorDataset(X, -X)


class Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Items with noise from torch's generator, as its transforms draw it."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return X[index] + torch.rand(3) / 8, -X[index]


class Unsized(IterableDataset[tuple[Tensor, Tensor]]):
    """Pairs that come one after the other, nobody knows how many."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(X, -X, strict=True)


def dataset() -> Batches:
    return DatasetBatches(Augmented(), batch_size=5, seeds=3)


def loader() -> Batches:
    return LoaderBatches(DataLoader(Augmented(), 5, shuffle=True), seed=3)


def loader_with_a_generator() -> Batches:
    generator = torch.Generator()
    return LoaderBatches(DataLoader(Augmented(), 5, shuffle=True, generator=generator), seed=3)


def loader_with_workers() -> Batches:
    return LoaderBatches(DataLoader(Augmented(), 5, shuffle=True, num_workers=2), seed=3)


def unsized() -> Batches:
    return LoaderBatches(DataLoader(Unsized(), 5))


def listed() -> Batches:
    return LoaderBatches([(x.numpy(), -x.numpy()) for x in X.split(5)])


Make = Callable[[], Batches]
each_source = pytest.mark.parametrize(
    "make",
    [
        dataset,
        loader,
        loader_with_a_generator,
        pytest.param(loader_with_workers, marks=pytest.mark.slow),
        unsized,
        listed,
    ],
)


@each_source
def test_a_step_means_the_same_batch_in_any_order(make: Make) -> None:
    straight, jumping = make(), make()
    first = [straight(step) for step in range(12)]
    torch.rand(7)  # what others draw has no part in it
    for step in (7, 8, 2, 2, 11, 0):
        for one, other in zip(first[step], jumping(step), strict=True):
            assert torch.equal(one, other)
    for again in (pickle.loads(pickle.dumps(straight)), copy.deepcopy(straight)):
        assert torch.equal(again(7)[0], first[7][0])


@each_source
def test_an_epoch_is_whole_and_paired_and_the_callers_generator_untouched(make: Make) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    batches = make()
    for epoch in range(2):
        chosen = [batches(5 * epoch + step) for step in range(5)]
        assert [len(x) for x, _ in chosen] == [5, 5, 5, 5, 3]
        x, y = (torch.cat(views) for views in zip(*chosen, strict=True))
        assert torch.equal(x.floor()[:, 0], -y[:, 0])
        assert torch.equal(y[:, 0].sort(descending=True).values, -X[:, 0])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("make", [dataset, loader])
def test_epochs_differ_in_their_order_and_their_noise(make: Make) -> None:
    batches = make()
    orders = [torch.cat([batches(5 * epoch + step)[0] for step in range(5)]) for epoch in range(2)]
    assert not torch.equal(*orders)
    noise = [order.sort(0).values - X for order in orders]
    assert not torch.equal(*noise)


def test_a_data_set_has_the_order_of_the_same_table_for_each_seed() -> None:
    table = ShuffledBatches(X, -X, batch_size=5, seeds=[4, 9])
    items = DatasetBatches(TABLE, batch_size=5, seeds=[4, 9])
    assert (items.steps_per_epoch, items.smallest_batch) == (5, 3)
    for step in (0, 4, 9):
        for ours, theirs in zip(items(step), table(step), strict=True):
            assert torch.equal(ours, theirs)
    noisy = DatasetBatches(Augmented(), batch_size=5, seeds=[4, 9])(2)[0]
    for position, seed in enumerate([4, 9]):  # the noise is the same alone or in company
        own: Any = np.int64(seed)
        alone = DatasetBatches(Augmented(), batch_size=5, seeds=own)(2)[0]
        assert torch.equal(noisy[position], alone)


def test_dictionaries_and_items_of_any_form_are_pairs() -> None:
    keyed = [{"x": x, "y": -x, "label": 3} for x in X.numpy()]
    triples = [(x, 3, -x) for x in X]
    made = [
        DatasetBatches(keyed, batch_size=5, seeds=0),
        DatasetBatches(triples, batch_size=5, seeds=0, pair=lambda item: (item[0], item[2])),
        DatasetBatches(TABLE, batch_size=5, seeds=0),
    ]
    first, *others = [stream(3) for stream in made]
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("make", [dataset, loader])
def test_a_stopped_run_resumes_bit_for_bit(make: Make, tmp_path: Path) -> None:
    def run(steps: int, folder: Path, resume: bool = False) -> dict[str, Tensor]:
        model = init_stacked(
            lambda: BiJEPA(MLPEncoder(3, 8, 4), lambda: MLPPredictor(4, 8)), seeds=0
        )
        kept = Checkpoint(folder, every=7, resume=resume)
        pretrain(model, make(), steps=steps, device="cpu", checkpoint=kept, progress=False)
        return model.state_dict()

    whole = run(12, tmp_path / "whole")
    run(7, tmp_path / "stopped")
    again = run(12, tmp_path / "stopped", resume=True)
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


def test_a_loader_that_gives_something_else_the_next_time_is_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    class Unseeded(Augmented):
        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            return X[index] + float(random.random()), X[index]

    def run(steps: int) -> None:
        model = init_stacked(lambda: BiJEPA(MLPEncoder(3, 8, 4), lambda: MLPPredictor(4, 8)), 0)
        kept = Checkpoint(tmp_path, resume=True)
        batches = LoaderBatches(DataLoader(Unseeded(), 5))
        pretrain(model, batches, steps=steps, device="cpu", checkpoint=kept, progress=False)

    run(3)
    with pytest.raises(CheckpointError, match=r"another configuration \(data\.first_batch"):
        run(6)


NUMBER: Any = 3
UNSIZED: Any = Unsized()


def spoiled() -> list[tuple[Tensor, Tensor]]:
    pairs = [(x, -x) for x in X.split(5)]
    pairs[3] = (pairs[3][0] / 0, pairs[3][1])
    return pairs


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LoaderBatches(iter([])), TypeError, "walked every epoch.*received list_iterator"),
        (lambda: LoaderBatches(NUMBER), TypeError, "iterable.*received int"),
        (lambda: LoaderBatches([], seed=0)(0), ValueError, "no batch in a whole epoch"),
        (lambda: LoaderBatches([(X, X)], seed=True), ValueError, "received .?True"),
        (lambda: LoaderBatches([(X,)])(0), TypeError, r"received a tuple of 1.*pair=lambda item"),
        (lambda: LoaderBatches([X])(0), TypeError, "received a Tensor"),
        (lambda: LoaderBatches([(X, "a")])(0), TypeError, "y must be a tensor or an array"),
        (lambda: LoaderBatches(spoiled())(3), ValueError, "batch of step 3, x must be finite; 15"),
        (lambda: LoaderBatches([(X, X[1:])])(0), ValueError, "same number of rows"),
        (lambda: DatasetBatches(UNSIZED, batch_size=5, seeds=0), TypeError, "__len__.*Unsized"),
        (lambda: DatasetBatches([], batch_size=5, seeds=0), ValueError, "empty"),
        (lambda: DatasetBatches(TABLE, batch_size=True, seeds=0), ValueError, "batch_size.*True"),
        (lambda: DatasetBatches(TABLE, batch_size=5, seeds=True), ValueError, "seeds.*True"),
        (lambda: DatasetBatches([(X, 3)], batch_size=1, seeds=0)(0), TypeError, "y of an item"),
        (
            lambda: DatasetBatches([(X, X), (X[1:], X)], batch_size=2, seeds=0)(0),
            ValueError,
            r"one shape in all items.*received \(22, 3\) and \(23, 3\)",
        ),
    ],
)
def test_what_cannot_be_a_source_is_named(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_loader_can_be_asked_again_after_an_error() -> None:
    batches = LoaderBatches(spoiled())
    batches(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="step 3"):
            batches(3)
    assert torch.equal(batches(4)[0], X[20:])


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (DataLoader(TABLE, 11), 1),
        (DataLoader(TABLE, 11, drop_last=True), 11),
        (DataLoader(TABLE, 40), 23),
        (DataLoader(Unsized(), 11), 2),
        (DataLoader(TABLE, batch_size=None), 2),
        ([(X, X)], 2),
    ],
)
def test_the_smallest_batch_is_told_where_it_can_be(given: Any, size: int) -> None:
    assert LoaderBatches(given).smallest_batch == size


def test_a_single_row_left_over_is_refused_before_batch_normalization_meets_it() -> None:
    encoder = nn.Sequential(MLPEncoder(3, 8, 4), nn.BatchNorm1d(4))
    for batches in (
        ShuffledBatches(X, X, batch_size=11, seeds=0),
        DatasetBatches(TABLE, batch_size=11, seeds=0),
        LoaderBatches(DataLoader(TABLE, 11)),
    ):
        with pytest.raises(ValueError, match="leaves no single row over"):
            pretrain(BiJEPA(encoder, lambda: MLPPredictor(4, 8)), batches, steps=3, device="cpu")
