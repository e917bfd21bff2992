"""Records are found, written whole, and compared with a stated tolerance."""

import json
from pathlib import Path

import pytest

from bijepa_book import records


def test_a_record_comes_back_as_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "results_folder", lambda: tmp_path)
    path = records.save("mine", {"a": {"b": 1.5}})
    assert path == tmp_path / "mine.json"
    assert records.load("mine") == {"a": {"b": 1.5}}


def test_an_unknown_record_is_named_with_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match=r"'nonsense'.*explosion"):
        records.load("nonsense")


def test_the_chapters_records_say_where_they_come_from() -> None:
    for path in records.results_folder().glob("*.json"):
        origin = records.load(path.stem)["provenance"]
        assert {"torch", "device", "date", "seconds", "commit"} <= set(origin)


def test_medians_are_over_seeds() -> None:
    assert records.medians({"a": {"b": [3.0, 1.0, 100.0]}}) == {"a": {"b": 3.0}}


def test_disagreements_are_listed_and_agreement_is_not() -> None:
    recorded = {"a": {"b": 10.0, "c": 1.0}}
    assert records.disagreements({"a": {"b": 11.9, "c": 1.0}}, recorded, 0.2) == []
    (said,) = records.disagreements({"a": {"b": 12.1, "c": 1.0}}, recorded, 0.2)
    assert said == "a, b: 12.1, recorded 10"
    nan = float("nan")
    assert len(records.disagreements({"a": {"b": nan, "c": 1.0}}, recorded, 0.2)) == 1
    with pytest.raises(KeyError):
        records.disagreements({"a": {"b": 10.0}}, recorded, 0.2)


def test_what_is_no_finite_number_is_written_as_null(tmp_path: Path) -> None:
    content = {"a": [1.5, float("nan"), (float("inf"), 2)], "b": {"c": -float("inf")}}
    path = records.save("mine", content, tmp_path)
    assert json.loads(path.read_text()) == {"a": [1.5, None, [None, 2]], "b": {"c": None}}
    assert records.read(path) == {"a": [1.5, None, [None, 2]], "b": {"c": None}}


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    contents = [b"", b"[]", b"null", b'"a"', b'{"a": NaN}', b'{"a": 1', b"\xff\xfe", b"[" * 10**5]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"mine\.json is no") as raised:
            records.read(path)
        assert len(str(raised.value)) < 300
