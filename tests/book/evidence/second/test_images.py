"""MNIST of the second edition: statistics estimated again, readings by name, seeds apart."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from bijepa_book.evidence.metrics import latent_measures
from bijepa_book.evidence.second import images, stacked
from bijepa_book.evidence.second.recording import Recording, joined, measured
from bijepa_core.data.mnist import ImageData
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import adam_classifier
from bijepa_core.experiments import CONFIGURATIONS, DIGITS, Experiment
from bijepa_core.seeds import unstack
from tests.book.evidence.few import few_digits

Normal = Callable[..., Tensor]
TINY = replace(DIGITS, steps=4, batch_size=20, probe_steps=2)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of scikit-learn's digits, and the penalty that takes the fewest iterations."""
    few_digits(monkeypatch, 200, 80)
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))


def data(seeds: tuple[int, ...]) -> ImageData:
    return cast(ImageData, TINY.load(seeds))


def conditions(experiment: Experiment = TINY) -> dict[str, Recording]:
    return {one.key: one for one in images.recordings(experiment, seeds=(0, 1), epochs=2)}


def test_the_conditions_come_in_the_order_of_their_weight_and_say_what_they_are() -> None:
    found = conditions()
    assert [*found] == [
        f"mnist-{name}-paper"
        for name in (
            *("classic", "expressive", "classic-steps", "classic-batch"),
            *("unconstrained", "restrictive", "baselines", "supervised"),
        )
    ]
    plain = {name: json.loads(json.dumps(one.about)) for name, one in found.items()}
    assert len({json.dumps(about) for about in plain.values()}) == len(found)
    assert plain["mnist-classic-steps-paper"]["experiment"]["steps"] == 8
    assert plain["mnist-classic-batch-paper"]["experiment"]["batch_size"] == 40


BOTH = {"accuracy_ten", "decoder_ten", "knn_accuracy", "rank", "size", "right_accuracy"} | {
    *("fair_accuracy_a", "mlp_accuracy_a", "mixed_fair_accuracy_a", "fair_decoder"),
    *("mixed_fair_decoder", "past_decoder", "fair_sharpness", "fair_true"),
    *("mixed_rank", "mixed_size", "paper_accuracy", "paper_decoder", "paper_sharpness"),
}
AHEAD = {"fair_accuracy_b", "mlp_accuracy_b", "mixed_fair_accuracy_b", "decoder_b"} | {
    *("missed_future", "mixed_missed_future", "train_loss", "effective_rank"),
}
BACK = {"past_accuracy_b", "missed_past", "missed_loop", "mixed_missed_past", "mixed_missed_loop"}
RAW = {f"raw_{name}" for name in ("accuracy", "mlp_accuracy", "knn_accuracy", "decoder")} | {
    *("raw_past_decoder", "untrained_accuracy", "untrained_mlp_accuracy", "untrained_decoder"),
    *("untrained_past_decoder", "mean_image", "mean_image_past", "neighbor_mean_error"),
    *("neighbor_mean_sharpness", "neighbor_one_sharpness"),
}


@pytest.mark.parametrize(
    ("name", "expected", "absent"),
    [
        ("classic", BOTH | AHEAD, BACK),
        ("expressive", BOTH | AHEAD | BACK, set()),
        ("restrictive", BOTH | AHEAD | BACK, set()),
        ("supervised", BOTH | {"accuracy"}, AHEAD | BACK),
        ("baselines", RAW, BOTH),
    ],
)
def test_a_condition_is_measured_under_every_name(
    name: str, expected: set[str], absent: set[str]
) -> None:
    one = conditions()[f"mnist-{name}-paper"]
    (part,) = one.parts()
    record = joined(one, [measured(one, part)])
    found = record["measures"]
    assert expected - {*found} == set()
    assert absent & {*found} == set()
    # four steps of training have too few means for some numbers of the training run
    assert all(None not in found[key] for key in expected)
    for curve, rows in record["curves"].items():
        assert [len(row) for row in rows] == [14, 14], curve
    for number, curve in (("fair_decoder", "decoder_by_column"), ("raw_decoder", "raw_by_column")):
        if number in found:
            means = torch.tensor(record["curves"][curve]).mean(-1).tolist()
            assert means == pytest.approx(found[number], rel=1e-4)


def test_batch_statistics_are_those_of_the_halves_that_will_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against a plain pass over all of them: the first layer's in parts, both in one."""
    given = data((0, 1)).train.right
    model = TINY.model(CONFIGURATIONS["expressive"], (0, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    monkeypatch.setattr(images, "PART", 64)
    in_parts = images.reestimated(model, given)
    monkeypatch.setattr(images, "PART", len(given))
    at_once = images.reestimated(model, given)
    for position in (0, 1):
        layers = list(cast(nn.Sequential, unstack(model, position).online.net))
        first = layers[0](given)
        second = layers[3](torch.relu(nn.functional.batch_norm(first, None, None, training=True)))
        for copied, place, values in (
            (in_parts, "1", first),
            (at_once, "1", first),
            (at_once, "4", second),
        ):
            layer = copied.online.get_submodule(f"net.{place}")
            mean, var = (layer.get_buffer(f"running_{name}")[position] for name in ("mean", "var"))
            torch.testing.assert_close(mean, values.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
            if copied is at_once:
                torch.testing.assert_close(var, values.var((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_seed_is_measured_alike_alone_and_in_company() -> None:
    model = TINY.model(CONFIGURATIONS["expressive"], (3, 4))
    alone = TINY.model(CONFIGURATIONS["expressive"], (4,))
    together, curves = images.readings(model, data((3, 4)), (3, 4), quick=2, epochs=2)
    single, single_curves = images.readings(alone, data((4,)), (4,), quick=2, epochs=2)
    assert together.keys() == single.keys()
    for name, values in together.items():
        assert values[1] == pytest.approx(single[name][0], rel=2e-3, abs=0.02), name
    for name, rows in curves.items():
        assert rows[1] == pytest.approx(single_curves[name][0], rel=2e-3, abs=1e-4), name
    assert together["fair_decoder"][0] != together["fair_decoder"][1]


def test_the_papers_classifier_sees_the_statistics_as_training_left_them() -> None:
    """Before training they are 0 and 1, whatever the images."""
    given, model = data((0,)), TINY.model(CONFIGURATIONS["classic"], (0,))
    scores, _ = images.readings(model, given, (0,), quick=2, epochs=1)
    for name, encoder in (
        ("paper_accuracy", model),
        ("accuracy_ten", images.reestimated(model, given.train.left)),
    ):
        seen, unseen = encoder.embed(given.train.left), encoder.embed(given.test.left)
        probe = adam_classifier(seen, given.train.labels, epochs=2, seeds=(0,), progress=False)
        expected = per_seed(probe.accuracy(unseen, given.test.labels))
        assert scores[name] == expected, name
    assert scores["accuracy_ten"] != scores["paper_accuracy"]


def test_one_set_of_statistics_for_both_halves_gives_the_first_editions_numbers() -> None:
    test, model = data((0, 1)).test, TINY.model(CONFIGURATIONS["restrictive"], (0, 1))
    ours = images.latents(model, model, test.left, test.right)
    theirs = latent_measures(model, test.left, test.right)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        assert values == pytest.approx(theirs[name], rel=1e-4), name


def test_an_error_stands_in_its_column(normal: Normal) -> None:
    truth = normal(5, 28, 14)
    drawn = truth.clone()
    drawn[:, :, 3] += 2
    errors = images.by_column(drawn.flatten(1), truth.flatten(1))
    torch.testing.assert_close(errors, torch.tensor([0.0] * 3 + [4.0] + [0.0] * 10).double())


def test_full_precision_ends_with_the_work() -> None:
    def allowed() -> list[bool]:
        return [torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32]

    def fail() -> None:
        with images.full_precision():
            inside.append(allowed())
            raise ZeroDivisionError

    before: list[bool] = allowed()
    inside: list[list[bool]] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == [[False, False]]
    assert allowed() == before
