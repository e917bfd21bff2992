"""The company's settings: who is chosen, and what is then trained on which data set."""

import json
from pathlib import Path

import pytest
import torch

from bijepa_book.evidence.second import stacked
from bijepa_book.evidence.second.recording import joined as parts_joined
from bijepa_book.evidence.second.recording import load, measured, write
from bijepa_book.evidence.stable import company, standing
from bijepa_book.evidence.stable.choice import (
    READINGS,
    both_ways_company,
    both_ways_tuning,
    chosen,
    drawings,
    hunted_company,
    image_company,
    sampling_company,
    series_company,
)
from bijepa_book.evidence.stable.company import (
    DATA,
    FRESH_IMAGES,
    Joined,
    Member,
    Sampling,
    image_recordings,
    image_tuning,
    key,
    members,
    read_halves,
    recordings,
)
from bijepa_book.evidence.stable.distractor import STRENGTHS
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.stable.images import Embedded
from bijepa_book.evidence.stable.kinds import KINDS
from bijepa_book.evidence.stable.relatives import TWO_HEADED, Relative
from bijepa_core.constraints import WHITENED
from bijepa_core.data.mnist import ImageData
from bijepa_core.data.series import SeriesData
from bijepa_core.experiments import DIGITS, SINE
from bijepa_core.stochastic import EnergyPredictor
from tests.book.evidence.stable.known import TINY, tuned

NAMES = list(dict.fromkeys(one.name for one in company.company()))


def test_a_setting_is_chosen_by_the_mean_log_of_its_errors_on_each_data_set() -> None:
    records = {
        **tuned("sine", {"byol-0.9-plain": {"whole": [0.1, 0.1]}}),
        # of arithmetic means 0.2 and 0.26, of geometric ones 0.2 and 0.1
        **tuned("lorenz", {"byol-0.98-norm": {"whole": [0.02, 0.5], "kept": [0.02, 0.5]}}),
        **tuned("distracted", {"byol-0.999-plain": {"wave": [0.1, 0.3], "whole": [0.9, 0.9]}}),
        **tuned("mnist", {"byol-0.995-norm": {"label_error": [0.19, 0.19]}}),
    }
    found = chosen(records)
    assert [*found] == [*DATA]
    assert all([one.name for one in ours] == NAMES for ours in found.values())
    byol = {data: ours[NAMES.index("byol")].label for data, ours in found.items()}
    assert byol == {
        "sine": "byol-0.9-plain",
        "lorenz": "byol-0.98-norm",
        "distracted": "byol-0.999-plain",
        "mnist": "byol-0.995-norm",
    }
    keys = [one.key for one in series_company(records)]
    assert len(set(keys)) == len(keys) == (len(NAMES) + 1) * (2 + len(STRENGTHS))
    assert {one.split("bijepa")[1] for one in keys if "bijepa" in one} == {"-0.25-norm", "-1-norm"}
    records |= tuned("sine", {"bijepa-1-norm": {"whole": [0.1, 0.1]}})
    assert len(series_company(records)) == len(keys) - 1  # chosen, and as in the paper
    assert {name for name in keys if "byol" in name} == {
        "sine-company-byol-0.9-plain",
        "lorenz-company-byol-0.98-norm",
        *(f"sine-company-distracted-{s:g}-byol-0.999-plain" for s in STRENGTHS),
    }
    assert "mnist-company-byol-0.995-norm" in [one.key for one in image_company(records)]


def test_what_collapsed_or_exploded_is_never_chosen() -> None:
    best = {"whole": [1e-3, 1e-3], "kept": [1e-3, 1e-3]}
    byol = [one.label for one in members("sine") if one.name == "byol"]
    records = tuned(
        "sine",
        {
            "vicreg-1-norm": best | {"varying_share": [1e-4, 1e-3]},
            "vicreg-5-norm": best | {"kept": [float("nan"), 1e-3]},
            "vicreg-400-plain": {"whole": [0.19, 0.19]},
            **{label: {"varying_share": [0.0, 0.0]} for label in byol},
        },
    )
    records[key("sine", "tuning", "vicreg-25-norm")] = {"measures": {"stopped_at": [3.0, 3.0]}}
    labels = {one.name: one.label for one in chosen(records)["sine"]}
    assert labels["vicreg"] == "vicreg-400-plain"
    assert labels.keys() == {*NAMES} - {"byol"}


def test_a_data_set_waits_until_it_is_tuned_at_every_setting() -> None:
    records = tuned("sine", {}) | tuned("distracted", {})
    del records[key("distracted", "tuning", "simclr-1-plain")]
    assert chosen(records).keys() == {"sine"}
    assert {one.key.split("-")[2] for one in series_company(records)} >= {"classic", "lejepa"}
    assert not any("distracted" in one.key for one in series_company(records))
    assert series_company({}) == image_company({}) == []
    assert hunted_company({}) == []


def test_a_constraint_of_the_hunt_joins_in_both_models() -> None:
    whole, ahead = company.joined([Candidate("scale", 0.1)])
    assert [whole.label, ahead.label] == ["with-scale-0.1", "with-scale-0.1-classic"]
    assert [one.plain()["name"] for one in (whole, ahead)] == ["bijepa", "classic"]
    assert whole.model(SINE, 0).backward_predictor is not None
    assert ahead.model(SINE, 0).backward_predictor is None
    assert ahead.model(SINE, 0).constraint == KINDS["scale"].build(SINE, 0.1, 1.0).constraint
    assert ahead.learning_rate(SINE) == SINE.learning_rate
    falling = Joined(Candidate("falling-rate", 0.1)).optimizer(10)
    assert falling.keywords == {"to": 0.1, "steps": 10}


@pytest.mark.usefixtures("few")
def test_half_images_are_trained_on_read_and_kept(tmp_path: Path) -> None:
    one = Member("masked-autoencoder", 0.5, True)
    (long,) = image_recordings([one], TINY)
    assert list(long.parts()) == [tuple(FRESH_IMAGES)]
    found = [measured(long, (8, 9)) for _ in range(2)]
    assert found[0]["measures"] == found[1]["measures"]  # masks are drawn by the seeds
    measures = found[0]["measures"]
    assert measures.keys() == {
        *("label_error", "right_label_error", "decoder_ten", "past_decoder_ten"),
        *("norm", "effective_rank", "varying_share"),
    }
    assert max(measures["label_error"]) < 0.7  # 0.9 by chance
    curves = found[0]["curves"]
    for name, curve in (("decoder_ten", "drawn"), ("past_decoder_ten", "past_drawn")):
        assert len(curves[curve][0]) == 14
        assert measures[name][1] == pytest.approx(sum(curves[curve][1]) / 14, rel=1e-3)
    write(tmp_path, parts_joined(long, found[:1]))
    record = load(tmp_path)["mnist-company-masked-autoencoder-0.5-norm"]
    assert record["about"] == json.loads(json.dumps(long.about))
    assert record["about"]["parameters"] == sum(
        p.numel() for p in one.model(TINY, 0).trained_parameters()
    )


def test_the_past_is_drawn_from_the_right_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))
    data = DIGITS.load((8,))
    assert isinstance(data, ImageData)
    train, test = data.train, data.test
    g = torch.Generator().manual_seed(0)
    nothing = Embedded(*(torch.randn(1, len(one.labels), 4, generator=g) for one in (train, test)))
    everything = Embedded(train.left_pixels[None], test.left_pixels[None])
    found = read_halves(nothing, everything, data, (8,)).measures
    assert found["right_label_error"][0] < 0.3 < 0.8 < found["label_error"][0]
    assert found["past_decoder_ten"][0] < 0.7 * found["decoder_ten"][0]


@pytest.mark.usefixtures("few")
def test_tuning_on_half_images_reads_labels_alone_and_says_where_a_loss_exploded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = {one.key: one for one in image_tuning(TINY)}
    assert len(short) == 5 * len(NAMES)
    one = short["mnist-tuning-bijepa-1-norm"]
    assert one.about["experiment"]["steps"] == 6
    found = one.measure((100, 101), "cpu")
    assert found.measures.keys() == {"label_error", "norm", "effective_rank", "varying_share"}
    monkeypatch.setattr(Member, "learning_rate", lambda self, experiment: 1e30)
    (long,) = image_recordings([Member("bijepa", 1.0, True)], TINY)
    for exploding in (one, long):
        assert measured(exploding, (100, 101))["measures"].keys() == {"stopped_at"}


def test_series_say_where_a_loss_exploded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Member, "learning_rate", lambda self, experiment: 1e30)
    tuning = {one.key: one for one in recordings()}
    for name in ("sine-tuning-bijepa-1-plain", "sine-tuning-distracted-3-bijepa-1-plain"):
        assert measured(tuning[name], (96, 97))["measures"].keys() == {"stopped_at"}


def test_what_samples_joins_as_chapter_11_has_it() -> None:
    one = Sampling()
    model = one.model(SINE, (64, 65))
    assert isinstance(model.forward_predictor, EnergyPredictor)
    assert model.constraint == WHITENED
    winner = Candidate("whitened-falling", 0.2)
    assert one.optimizer(10).keywords == Joined(winner).optimizer(10).keywords
    keys = [one.key for one in sampling_company()]
    assert len(keys) == len(set(keys)) == 3 + len(STRENGTHS)
    assert all(name.endswith("-with-energy") for name in keys)


def test_who_draws_both_ways_is_tuned_like_the_company_and_is_not_of_it() -> None:
    plans = {one.key for one in both_ways_tuning()}
    assert len(plans) == 10 + 10 + 10 + 5
    assert not {one.name for one in company.company()} & set(TWO_HEADED)
    records: dict[str, dict[str, dict[str, list[float]]]] = {}
    for data, readings in READINGS.items():
        for one in company.both_ways(data):
            error = abs(one.setting - 1e-3) + 0.1 * one.layer_norm + 0.1
            measures = {name: [error, error] for name in (*readings, "varying_share")}
            records[key(data, "tuning", one.label)] = {"measures": measures}
    assert plans == set(records)
    found = standing.two_headed(records)
    assert {data: one.setting for data, one in found.items()} == dict.fromkeys(DATA, 1e-3)
    assert {data for data, one in found.items() if one.layer_norm} == {"mnist"}
    fresh = [one.key for one in both_ways_company(records)]
    assert len(fresh) == 2 + len(STRENGTHS) + 1 + 2
    assert sum("drawing" in name for name in fresh) == 2
    del records["mnist-tuning-two-headed-autoencoder-0-norm"]
    assert "mnist" not in standing.two_headed(records)


def test_a_drawing_is_judged_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member("predictive-autoencoder", 0.0, False)

    def blank(who: Member) -> torch.nn.Module:
        model = who.model(SINE, (64, 65))
        assert isinstance(model, Relative)
        for weight in model.head.parameters():
            weight.data.zero_()
        return model

    monkeypatch.setattr(company, "_trained", lambda *_: blank(member))
    found = company.measure_drawing(member, SINE, (64, 65), "cpu")
    data = SINE.load((64, 65))
    assert isinstance(data, SeriesData)
    y = data.held_out[1]
    assert found.measures["whole"] == pytest.approx(y.square().mean((-2, -1)).tolist(), rel=1e-5)
    assert found.measures["fair"] == pytest.approx(y[..., 0].square().mean(-1).tolist(), rel=1e-5)
    assert "past" not in found.measures
    two_headed = Member("two-headed-autoencoder", 0.0, False)
    monkeypatch.setattr(company, "_trained", lambda *_: blank(two_headed))
    found = company.measure_drawing(two_headed, SINE, (64, 65), "cpu")
    x, y = data.held_out
    for name, asked in (("whole", y), ("past", x)):
        error = asked.square().mean((-2, -1)).tolist()
        assert found.measures[name] == pytest.approx(error, rel=1e-5)
    one, two = drawings(tuned("sine", {}) | tuned("lorenz", {}))
    assert [one.key, two.key] == [
        f"{name}-company-drawing-predictive-autoencoder-0-norm" for name in ("sine", "lorenz")
    ]
