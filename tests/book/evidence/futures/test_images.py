"""Completions of half images: scores beside a kept library, judges, files, and what is asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scoringrules
import torch
from torch import Tensor

from bijepa_book.evidence.futures import completions, images, images_criteria
from bijepa_book.evidence.futures.completions import Bench, Look, bench
from bijepa_book.evidence.futures.images import recordings
from bijepa_book.evidence.second import stacked
from bijepa_book.evidence.second.images import reestimated
from bijepa_book.evidence.second.recording import joined, measured
from bijepa_book.int8 import unpack
from bijepa_core.constraints import EXPRESSIVE, WHITENED
from bijepa_core.data import mnist
from bijepa_core.evaluation.metrics import nearest
from bijepa_core.experiments import DIGITS
from bijepa_core.networks import ConvEncoder, Decoder, MLPPredictor
from bijepa_core.seeds import generator
from tests.book.evidence.few import few_digits

TINY, SEEDS = replace(DIGITS, steps=6, batch_size=20), (8, 9)
LOOK = Look(images=30, samples=4, epochs=2)
MODELS = ("deterministic", "energy", "gaussian", "mixture")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few of scikit-learn's digits, and the penalty that takes the fewest iterations."""
    few_digits(monkeypatch, 200, 90)
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))
    bench.cache_clear()
    yield
    bench.cache_clear()


def judges() -> Bench:
    return bench(TINY, LOOK, SEEDS, "cpu")


def records(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        one.key: joined(one, [measured(one, seeds) for seeds in one.parts()])
        for one in recordings(folder, TINY, SEEDS, LOOK)
    }


def test_predictions_are_compared_with_what_training_aims_at() -> None:
    """Wholly whitened, the targets of all halves together have the identity as covariance."""
    whole = replace(WHITENED, whitening=1.0)
    one = images.model("energy", whole, TINY, SEEDS)
    train, test = judges().data.train, judges().test
    found = torch.cat(images.targets(one, "left", train, test), -2)
    assert found.shape == (2, len(train.labels) + len(test.labels), 64)
    values = torch.linalg.eigvalsh(torch.stack([torch.cov(part.T) for part in found]))
    assert values.max() < 1.02
    assert (values > 0.9).sum() > 20  # and hardly any of what does not vary
    plain = images.model("energy", EXPRESSIVE, TINY, SEEDS)
    seen = torch.cat(images.targets(plain, "left", train, test), -2)
    assert torch.equal(
        seen,
        reestimated(plain, train.half("left")).embed(
            torch.cat([train.half("left"), test.half("left")])
        ),
    )


@pytest.mark.slow
def test_everything_is_recorded_and_the_demands_are_answered(tmp_path: Path) -> None:
    found = records(tmp_path)
    wanted = [f"{kind}-{name}" for name in images.REGIMES for kind in MODELS]
    assert [*found] == [f"mnist-futures-{name}" for name in ("neighbors", "climatology", *wanted)]
    for key, record in found.items():
        measures = record["measures"]
        assert all(len(values) == 2 for values in measures.values()), key
        missing = {name for name, values in measures.items() if None in values}
        assert missing <= {"rises"}, key  # the run is too short to rise
        for way in ("", "past_"):
            assert measures[f"{way}best_error"] <= measures[f"{way}sample_error"], key
            assert len(record["curves"][f"{way}half_entropy_by_doubt"][0]) == completions.DOUBTS, (
                key
            )
    one = found["mnist-futures-deterministic-expressive"]["measures"]
    for way in ("", "past_", "fitted_", "fitted_past_"):
        assert one[f"{way}pixel_score"] == pytest.approx(one[f"{way}mean_score"], rel=1e-4)
        assert one[f"{way}sample_error"] == pytest.approx(one[f"{way}mean_error"], rel=1e-4)
        assert max(one[f"{way}half_entropy"]) == max(one[f"{way}half_doubt"]) == 0
        error = [2 * (1 - share) for share in one[f"{way}half_true"]]
        assert one[f"{way}half_brier"] == pytest.approx(error, abs=1e-5)
    assert max(one["spread_to_error"]) == 0
    for way in ("", "past_"):
        told = images_criteria.answers(found, "expressive", way)
        assert ("label" in told) == (way == "")
        assert {answer for answer, _ in told.values()} <= {"holds", "does not hold", "open"}
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == sorted(
        [f"{key}-pictures.npz" for key in found] + ["mnist-futures-energy-expressive-weights.npz"]
    )


def test_the_score_is_that_of_a_kept_library_and_of_truths_the_best() -> None:
    test = judges().test
    drawn = torch.rand(5, 2, 30, 392, generator=torch.Generator().manual_seed(0))
    scores, _ = completions.readings(judges(), "right", drawn)
    wanted = [
        scoringrules.es_ensemble(
            test.left_pixels.numpy(),
            drawn[:, seed].movedim(0, -2).numpy(),
            estimator="fair",
            backend="numpy",
        ).mean()
        for seed in (0, 1)
    ]
    assert scores["pixel_score"] == pytest.approx(wanted, rel=1e-4)
    perfect, _ = completions.readings(judges(), "left", test.right_pixels.expand(3, 2, -1, -1))
    assert perfect["pixel_score"] == pytest.approx([0, 0], abs=1e-5)
    assert perfect["sharpness"] == pytest.approx([1, 1])
    assert perfect["best_error"] == [0, 0]


def test_classes_are_counted() -> None:
    """By a loop in numpy, without the correction; and it by sampling."""
    one, m = judges(), 6
    seen = torch.randint(10, (m, 1, 30), generator=torch.Generator().manual_seed(1))
    found, curves = completions.class_readings(one, "left", seen)
    labels = one.test.labels.numpy()
    own, entropy, brier = [], [], []
    for i, label in enumerate(labels):
        share = np.bincount(seen[:, 0, i].numpy(), minlength=10) / m
        own.append(share[label])
        entropy.append(-sum(p * np.log(p) for p in share if p))
        unbiased = (share * (1 - share)).sum() / (m - 1)
        brier.append(((share - np.eye(10)[label]) ** 2).sum() - unbiased)
    assert found["true"] == pytest.approx([np.mean(own)])
    assert found["entropy"] == pytest.approx([np.mean(entropy)])
    assert found["brier"] == pytest.approx([np.mean(brier)])
    assert found["log_score"] == pytest.approx([-np.log((m * np.array(own) + 0.5) / 11).mean()])
    doubt = one.doubt("left").numpy()
    assert found["doubt"] == pytest.approx([np.corrcoef(entropy, doubt)[0, 1]])
    assert np.mean(curves["entropy_by_doubt"]) == pytest.approx(np.mean(entropy))


def test_scores_of_classes_do_not_depend_on_the_number_of_samples() -> None:
    one = judges()
    p = one.frequencies("left")  # (n, 10)
    draw = torch.Generator().manual_seed(2)

    def mean(m: int, name: str) -> float:
        each = [torch.multinomial(p, m, replacement=True, generator=draw).T for _ in range(2000)]
        found, _ = completions.class_readings(one, "left", torch.stack(each, 1))
        return float(np.mean(found[name]))

    assert mean(2, "brier") == pytest.approx(mean(20, "brier"), abs=0.005)
    # samples of the neighbors' own frequencies are as far from theirs as others of their kind
    noise = float((p * (1 - p)).sum(-1).mean()) / (completions.NEIGHBORS - 1)
    assert mean(4, "distance") == pytest.approx(-noise, abs=0.005)


def test_the_judges_see_what_they_are_named_for() -> None:
    one = judges()
    train, test = one.data.train, one.test
    whole = completions.together("right", test.right_pixels, test.left_pixels[None])[0]
    rows = mnist.load("digits").test[one.rows]
    torch.testing.assert_close(whole, mnist.scale(rows).flatten(1))
    assert one.rows.tolist() == list(range(0, 90, 3))
    assert torch.equal(one.near["right"], nearest(test.right_pixels, train.right_pixels, 50))
    real = train.right_pixels[:30].expand(2, 2, -1, -1)
    few = replace(one, test=train.first(30))
    for what in ("half", "whole"):
        seen = completions.classified(few, what, "left", real)
        assert seen.shape == (2, 2, 30)
        assert float((seen == few.test.labels).double().mean()) > 0.3  # two epochs; chance: 0.1


def test_targets_are_read_from_the_target_encoder() -> None:
    one = images.model("energy", EXPRESSIVE, TINY, SEEDS)
    images.fit(one, images.REGIMES["expressive"], TINY, judges().data, 8, "cpu")
    view = judges().test.right
    one.eval()
    torch.testing.assert_close(images.as_target(one).embed(view), one.target(view).detach())
    assert not torch.allclose(images.as_target(one).embed(view), one.embed(view))


def test_training_is_the_seeds_own_and_leaves_the_generators_alone() -> None:
    runs = []
    for before in (1, 2):
        torch.manual_seed(before)
        state = torch.get_rng_state()
        one = images.model("energy", EXPRESSIVE, TINY, SEEDS)
        images.fit(one, images.REGIMES["expressive"], TINY, judges().data, 8, "cpu")
        assert torch.equal(torch.get_rng_state(), state)
        runs.append(one.weights())
    assert all(torch.equal(value, runs[1][name]) for name, value in runs[0].items())


def test_a_loss_that_is_not_finite_is_recorded_as_such() -> None:
    wild = recordings(None, replace(TINY, learning_rate=1e30), SEEDS, LOOK)
    (one,) = (r for r in wild if "deterministic-expressive" in r.key)
    found = joined(one, [measured(one, SEEDS)])
    assert [*found["measures"]] == ["stopped_at"]
    assert len(found["measures"]["stopped_at"]) == len(SEEDS)


def test_the_page_draws_what_is_drawn_here(tmp_path: Path) -> None:
    """From the file alone, through the usual layers, but for a byte's rounding."""
    (energy,) = (r for r in recordings(tmp_path, TINY, SEEDS, LOOK) if "energy-expr" in r.key)
    measured(energy, SEEDS)
    kept = unpack(tmp_path / f"{energy.key}-weights.npz")

    def of(prefix: str) -> dict[str, Tensor]:
        prefix += "."
        return {n.removeprefix(prefix): v for n, v in kept.items() if n.startswith(prefix)}

    encoder, predictor, decoder = ConvEncoder(), MLPPredictor(64, 128, z_dim=16), Decoder()
    for module, name in ((predictor, "forward_predictor"), (decoder, "decoder.forward")):
        values = {n: v for n, v in of(name).items() if n not in ("center", "scale")}
        assert not module.load_state_dict(values, strict=False).unexpected_keys
    missing = encoder.load_state_dict(of("online"), strict=False)
    assert not missing.unexpected_keys
    assert all("num_batches" in name for name in missing.missing_keys)
    assert of("right").keys() == {n for n in of("online") if "running" in n}
    with np.load(tmp_path / f"{energy.key}-pictures.npz") as pictures:
        assert pictures["drawn"].shape == (12, 4, 392)
        assert pictures["neighbors"].sum(-1) == pytest.approx(1)
        rows = torch.from_numpy(pictures["rows"])
        drawn = torch.from_numpy(pictures["drawn"]) / 255
        assert pictures["seed"] == 8
    at = torch.tensor([judges().rows.tolist().index(row) for row in rows.tolist()])
    z = torch.randn(4, 30, 16, generator=generator(0, "futures/images/left"))[:, at]
    encoder.eval()
    decoder.eval()
    with torch.no_grad():
        s = encoder(judges().test.left[at]).expand(4, -1, -1)
        part = of("decoder.forward")
        features = (predictor(s, z) - part["center"]) / part["scale"]
        mine = torch.stack([decoder(one) for one in features], 1)  # (12, 4, 392)
    assert float((mine - drawn).abs().mean()) < 0.01
