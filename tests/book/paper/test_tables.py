"""The three tables in miniature, as data and as text."""

import json
from typing import Any

import pytest

from bijepa_book.paper import tables as module
from bijepa_book.paper.report import reproduction
from bijepa_book.paper.tables import TABLE_1, TABLE_2, TABLE_3, reproduce


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """A reproduction with a hundredth of the training, on the bundled digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK", 100)
        return reproduce(quick=True, dataset="digits", progress=False)


def test_it_is_plain_data(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result)) == result


def test_each_row_of_the_paper_is_there_with_its_values(result: dict[str, Any]) -> None:
    for key, paper in (("table_1", TABLE_1), ("table_3", TABLE_3)):
        rows = {row["configuration"]: row for row in result[key] if "configuration" in row}
        assert list(rows) == list(paper)
        for name, reported in paper.items():
            for column in reported._fields:
                assert rows[name][column]["paper"] == getattr(reported, column)
                assert rows[name][column]["replayed"] > 0
            assert rows[name]["protocol_b"]["converged"] > 0
    rows = {row["configuration"]: row for row in result["table_2"]}
    for name, (accuracy, mse) in TABLE_2.items():
        assert rows[name]["accuracy"]["paper"] == accuracy
        assert rows[name]["decoder_mse"]["paper"] == mse


def test_the_text_holds_every_number_and_owns_up_to_shortcuts(result: dict[str, Any]) -> None:
    text = reproduction(result)
    for row in (*result["table_1"], *result["table_3"]):
        if "configuration" in row:
            assert f"{row['protocol_a']['converged']:.4f}" in text
        else:
            assert f"{row['mse']:.4f}" in text
    for row in result["table_2"]:
        assert f"{100 * row['accuracy']['rerun']:.2f} %" in text
    assert "a tenth of the training" in text
    assert "'digits' in place of MNIST" in text
    assert "Quick" not in reproduction({**result, "quick": False})


def test_copying_the_last_state_is_the_same_baseline_whatever_was_trained(
    result: dict[str, Any],
) -> None:
    copied = next(r for r in result["table_1"] if r.get("baseline") == "copy the last value")
    assert copied["mse"] == pytest.approx(0.022, rel=0.1)
