"""Views are corrupted as stated, Eq. 13 weighs them, and reversed time turns alpha around."""

import math
from functools import partial
from statistics import median

import pytest
import torch

from bijepa_book import records
from bijepa_book.chapters import alpha
from bijepa_book.chapters.alpha import CLEAN, View
from bijepa_core.data.sine import SineBatches, waves
from bijepa_core.evaluation.probes import ridge_probe
from bijepa_core.experiments import SINE, Configuration
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import generator, unstack


def samples(count: int = 4000) -> torch.Tensor:
    return waves(count, generator(0, "test"))[:, :10]


def test_a_clean_view_is_the_samples_and_draws_nothing() -> None:
    source = generator(0, "view")
    before = source.get_state()
    clean = samples()
    assert torch.equal(CLEAN(clean, source), clean)
    assert torch.equal(source.get_state(), before)


def test_noise_hides_and_second_waves_are_what_they_say() -> None:
    clean = samples()
    noisy = View(noise=0.5)(clean, generator(0, "view")) - clean
    assert float(noisy.std()) == pytest.approx(0.5, rel=0.02)
    hidden = View(hidden=3)(clean, generator(0, "view"))
    assert bool(((hidden == 0).sum(-1) == 3).all())
    kept = hidden != 0
    assert torch.equal(hidden[kept], clean[kept])
    assert float(kept.float().mean(0).std()) < 0.03  # every sample has the same chance
    own = View(own=0.5)(clean, generator(0, "view")) - clean
    assert float(own.var()) == pytest.approx(0.125, rel=0.05)
    assert abs(float((own * clean).mean())) < 0.01  # it knows nothing of the first wave


@pytest.mark.parametrize("wrong", [{"noise": -1.0}, {"hidden": 11}, {"hidden": -1}, {"own": -0.1}])
def test_a_view_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="received View"):
        View(**wrong)  # type: ignore[arg-type]


def test_bits_are_samples_times_half_the_logarithm_of_the_ratio() -> None:
    assert CLEAN.bits() == pytest.approx(5 * math.log2(1 + 0.5 / 0.0025))
    assert View(hidden=5).bits() == pytest.approx(CLEAN.bits() / 2)
    assert View(noise=1.0).bits() == pytest.approx(5 * math.log2(1 + 0.5 / 1.0025))
    assert View(own=1.0).bits() == pytest.approx(CLEAN.bits())  # it takes any signal for signal


def test_equation_13() -> None:
    assert alpha.alpha_from_information(3.0, 1.0) == 0.75
    assert alpha.alpha_from_information(2.0, 0.0) == 1.0
    assert alpha.alpha_of(CLEAN, View(hidden=8)) == pytest.approx(1 / 1.2, abs=1e-3)
    assert alpha.alpha_of(View(hidden=8), CLEAN) == pytest.approx(0.2 / 1.2, abs=1e-3)
    for wrong in ((0.0, 0.0), (-1.0, 2.0), (float("nan"), 1.0), (float("inf"), 1.0)):
        with pytest.raises(ValueError, match="information must be finite"):
            alpha.alpha_from_information(*wrong)


def test_clean_batches_are_the_first_experiments() -> None:
    for seeds in (3, (0, 3)):
        for step in (0, 70):
            for ours, theirs in zip(
                alpha.ViewedBatches(seeds)(step), SineBatches(seeds)(step), strict=True
            ):
                assert torch.equal(ours, theirs)


def test_batches_corrupt_y_alone_and_by_the_step_and_the_seed() -> None:
    batches = alpha.ViewedBatches((0, 1), y=View(noise=0.3))
    x, y = batches(5)
    clean_x, clean_y = SineBatches((0, 1))(5)
    assert torch.equal(x, clean_x)
    assert not torch.equal(y, clean_y)
    assert torch.equal(alpha.ViewedBatches((0, 1), y=View(noise=0.3))(5)[1], y)
    assert torch.equal(alpha.ViewedBatches(1, y=View(noise=0.3))(5)[1], y[1])


def mirrored(model: BiJEPA) -> BiJEPA:
    """The model with time reversed: encoder columns in reverse, predictors exchanged."""
    other = SINE.model(Configuration(alpha=1 - model.alpha), 0)
    for ours, theirs in ((other.online, model.online), (other.target, model.target)):
        ours.load_state_dict(theirs.state_dict())
        with torch.no_grad():
            first = next(ours.parameters())
            first.copy_(first.flip(-1))
    other.forward_predictor, other.backward_predictor = (
        model.backward_predictor,
        model.forward_predictor,
    )
    return other


def test_reversing_time_exchanges_alpha_and_its_complement() -> None:
    model = SINE.model(Configuration(alpha=0.3), 0)
    other = mirrored(model)
    x, y = SineBatches(0)(0)
    there, back = model(x, y), other(y.flip(-1), x.flip(-1))
    torch.testing.assert_close(there.total, back.total)
    assert there.forward is not None
    assert back.backward is not None
    torch.testing.assert_close(there.forward.loss, back.backward.loss)


def test_probe_errors_are_those_of_a_probe_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha, "HELD_OUT", 500)
    view, seeds = View(noise=0.2), (0, 1)
    model = alpha.train(0.5, seeds, y=view, steps=5, progress=False)
    found = alpha.probe_errors(model, seeds, y=view)
    assert {"rank", "forward", "backward", *alpha.ERRORS} <= set(found)
    one = unstack(model, 1)
    fit, judge = (
        alpha.probe_data(1, purpose, count, y=view)
        for purpose, count in (("probe", 1000), ("held-out", 500))
    )
    probe = ridge_probe(one.predict_backward(fit.y), fit.x[:, -1:])
    expected = probe.mse(one.predict_backward(judge.y).double(), judge.x[:, -1:].double())
    assert found["before_b"][1] == pytest.approx(float(expected), rel=1e-3)
    error = (one.predict_forward(judge.x) - one.target(judge.y)).square().mean()
    spread = one.target(judge.y).var(0, correction=0).mean()
    assert found["forward"][1] == pytest.approx(float((error / spread).detach()), rel=1e-3)


def test_a_direction_that_does_not_exist_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha, "HELD_OUT", 200)
    for weight, gone in ((1.0, {"before_b", "backward"}), (0.0, {"fair_b", "forward"})):
        rows = alpha.sweep((weight,), (0, 1), steps=2, progress=False)
        assert not gone & set(rows[weight])
        assert {"fair_a", "before_a", "rank"} <= set(rows[weight])


def test_baselines_have_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha, "HELD_OUT", 2000)
    rows = alpha.baselines((0, 1), y=View(noise=0.5))
    raw, untrained = rows["raw"], rows["untrained"]
    assert max(raw["fair_a"]) < min(untrained["fair_a"])
    assert min(raw["before_a"]) > max(raw["fair_a"])  # noise on y harms what is read from y


def test_the_record_has_what_the_chapter_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha, "HELD_OUT", 100)
    monkeypatch.setattr(alpha, "sweep", partial(alpha.sweep, steps=1, progress=False))
    monkeypatch.setattr(alpha, "VIEWS", {"hidden 8": View(hidden=8)})
    monkeypatch.setattr(alpha, "ALPHAS", (1.0,))
    monkeypatch.setattr(alpha, "GRID", (0.5,))
    record = alpha.record()
    assert set(record["clean"]) == {"1"}
    (row,) = record["corrupted"].values()
    assert row["alpha"] == 0.833
    assert set(row["sweep"]) == {"0.5", "0.833"}
    assert all(len(numbers) == 8 for numbers in row["sweep"]["0.5"].values())


def test_numbers_in_the_chapters_prose_are_the_records() -> None:
    record = records.load("alpha")
    clean, raw = record["clean"], record["baselines"]["raw"]
    middle = {
        name: {a: {k: median(v) for k, v in row.items()} for a, row in condition["sweep"].items()}
        for name, condition in record["corrupted"].items()
    }
    rule = {name: f"{condition['alpha']:g}" for name, condition in record["corrupted"].items()}
    mirror = {"noise 0.5": "0.1", "noise 1": "0.1", "hidden 5": "0.25", "hidden 8": "0.1"}
    plateau = [clean[a] for a in ("0.25", "0.5", "0.75")]

    def at_half(name: str, weight: str, goal: str) -> float:
        return middle[name][weight][goal] / middle[name]["0.5"][goal]

    def classic(goal: str) -> float:
        return float(clean["1"][goal] / clean["0.5"][goal])

    past = {name: at_half(name, rule[name], "before_a") for name in middle}
    far = [
        middle[name]["0.5"][goal] / min(row[goal] for row in middle[name].values())
        for name in middle
        for goal in ("fair_a", "before_a")
    ]
    dear = [at_half(name, weight, "fair_a") for name, weight in mirror.items()]
    noise = middle["noise 0.5"]["0.5"]["fair_a"]
    claims = {
        "no column of errors changes by more than a quarter": all(
            max(row[goal] for row in plateau) < 1.25 * min(row[goal] for row in plateau)
            for goal in alpha.ERRORS
        ),
        "B: 2.2; A: a third": round(classic("fair_b"), 1) == 2.2 and 1.3 < classic("fair_a") < 1.4,
        "three times the error of the past": 3 < classic("before_a") < 3.3,
        "0.031 to 0.063": [round(clean[a]["forward"], 3) for a in ("0.5", "1")] == [0.031, 0.063],
        "the best encoder 8 %, the best predictor 15 %": [
            round(100 * min(row[g] / raw[h] for row in clean.values() for g, h in pair if g in row))
            for pair in (
                (("fair_a", "fair_a"), ("before_a", "before_a")),
                (("fair_b", "fair_a"), ("before_b", "before_a")),
            )
        ]
        == [92, 85],
        "Eq. 13: up to 13 %, five of seven": sum(r > 1 for r in past.values()) == 5
        and round(max(past.values()), 2) == 1.13,
        "and in two the past is easier": {n for n, r in past.items() if r < 1}
        == {"noise 0.05", "hidden 2"},
        "the future by less than a tenth": all(
            abs(at_half(name, rule[name], "fair_a") - 1) < 0.1 for name in middle
        ),
        "its mirror 21 to 47 %": [round(100 * r - 100) for r in (min(dear), max(dear))] == [21, 47],
        "off the forward predictor at most 12 %": round(
            max(at_half(n, a, "fair_b") for n, a in (mirror | {"noise 0.2": "0.25"}).items()), 2
        )
        == 1.12,
        "one half within 15 %": max(far) < 1.15,
        "noise of 0.5: 29 % off, 28 % before the raw samples": (
            round(100 * (1 - noise / clean["0.5"]["fair_a"])),
            round(100 * (1 - noise / raw["fair_a"])),
        )
        == (29, 28),
        "at alpha 1 lower than with clean targets": all(
            row["1"]["fair_a"] < clean["1"]["fair_a"] for row in middle.values()
        ),
    }
    assert [name for name, holds in claims.items() if not holds] == []
