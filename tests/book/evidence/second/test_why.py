"""What is recorded for chapter 9: the same parts of the same curves, under the study's names."""

import pickle
from dataclasses import replace

import pytest
import torch

from bijepa_book.chapters import why as chapter
from bijepa_book.evidence.second import why
from bijepa_book.evidence.second.recording import SERIES_SEEDS, joined, load, measured
from bijepa_core.data import series
from bijepa_core.diagnostics import variance

SEEDS = (32, 33)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps and windows."""
    monkeypatch.setattr(series, "PROBE", 200)
    monkeypatch.setattr(series, "HELD_OUT", 300)
    for system, experiment in chapter.SYSTEMS.items():
        monkeypatch.setitem(chapter.SYSTEMS, system, replace(experiment, steps=10))


def test_every_condition_is_recorded_once_and_can_be_sent_to_a_worker() -> None:
    found = why.recordings()
    keys = [recording.key for recording in found]
    assert len(set(keys)) == len(keys) == 2 * (len(chapter.CONDITIONS) + 1)
    abouts = [str(recording.about) for recording in found]
    assert len(set(abouts)) == len(abouts)
    assert all(tuple(recording.seeds) == tuple(SERIES_SEEDS) for recording in found)
    assert [pickle.loads(pickle.dumps(recording)).key for recording in found] == keys


def test_the_ends_of_a_curve_are_its_first_and_last_number() -> None:
    scores = why.ends({"kept": [[1.0, 2.0, 6.0]], "future_b": [[4.0, 5.0]]})
    assert scores == {
        "kept_first": [1.0],
        "kept_last": [6.0],
        "kept_whole": [3.0],
        "first_b": [4.0],
        "last_b": [5.0],
        "whole_b": [4.5],
        "tilt_b": [0.8],
    }


@pytest.mark.parametrize("key", ["sine-why-bijepa-paper", "lorenz-why-classic-paper"])
def test_a_record_holds_a_number_and_a_curve_for_each_seed(key: str) -> None:
    recording = next(one for one in why.recordings() if one.key == key)
    record = joined(recording, [measured(recording, SEEDS)])
    assert record["seeds"] == list(SEEDS)
    assert all(len(values) == len(SEEDS) for values in record["measures"].values())
    curves, measures = record["curves"], record["measures"]
    assert measures["first_b"] == [row[0] for row in curves["future_b"]]
    assert measures["kept_last"] == [row[-1] for row in curves["kept"]]
    assert all(value > 0 for value in measures["missed_future"])
    assert None not in [value for values in measures.values() for value in values]


def test_a_forecast_is_compared_with_the_window_that_it_was_trained_to_forecast() -> None:
    experiment, condition = chapter.SYSTEMS["sine"], chapter.CONDITIONS["gap-classic"]
    data = experiment.data(SEEDS, experiment.batch_size, "cpu")
    model = condition.model(experiment, SEEDS)
    forecast, truth = (
        model.forecast(data.held_out[..., 10:20]),
        model.embed(data.held_out[..., 30:]),
    )
    share = (forecast - truth).square().sum((-2, -1)) / (
        truth - truth.mean(-2, keepdim=True)
    ).square().sum((-2, -1))
    assert why.missed(model, condition, data)["missed_future"] == pytest.approx(share.tolist())


def test_without_training_the_variance_of_each_position_is_kept() -> None:
    experiment = chapter.SYSTEMS["lorenz"]
    found = why.untrained(experiment, SEEDS, "cpu").curves
    data = experiment.data(SEEDS, experiment.batch_size, "cpu")
    spread = torch.tensor(found["spread"])  # (seeds, 80)
    y = chapter.window(data.held_out, chapter.Y).double()
    # variance() is the mean over the numbers of a view
    torch.testing.assert_close(spread[:, 40:60].mean(-1).double(), variance(y), rtol=1e-5, atol=0)
    assert bool((torch.tensor(found["raw_future"]) < spread[:, 40:60]).all())


def test_what_was_recorded_is_read_window_by_window() -> None:
    study = load()
    curves = study["sine-why-bijepa-paper"]["curves"]
    found = why.recorded(study, "sine", "bijepa", why.FORECAST)
    assert list(found) == ["x", "y", "z"]
    assert found["y"].tolist() == curves["future_b"]
    digits = study["mnist-expressive-paper"]["curves"]
    halves = why.recorded(study, "mnist", "bijepa", why.EMBEDDING)
    assert [one.tolist() for one in halves.values()] == [
        digits["past_by_column"],
        digits["decoder_by_column"],
    ]
