"""The three tables in miniature, as data and as text."""

import json
from typing import Any

import pytest

from bijepa_book.paper import tables as module
from bijepa_book.paper.report import reproduction
from bijepa_book.paper.tables import TABLE_1, TABLE_2, TABLE_3, reproduce
from bijepa_core.evaluation import probes


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """A reproduction with a hundredth of the training, on the bundled digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK", 100)
        patch.setattr(probes, "SOFTMAX_PENALTIES", (1e-2,))  # quick to converge
        return reproduce(quick=True, dataset="digits", progress=False)


@pytest.mark.slow
def test_it_is_plain_data(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result)) == result


@pytest.mark.slow
def test_what_the_paper_prints_stands_beside_what_was_run(result: dict[str, Any]) -> None:
    for key, paper in (("table_1", TABLE_1), ("table_3", TABLE_3)):
        table = result[key]
        assert table["printed"] == {name: row._asdict() for name, row in paper.items()}
        assert list(table["replayed"]) == list(paper)
        for row in table["replayed"].values():
            assert row.keys() == {"train_loss", "paper_a", "paper_b", "fair_a", "fair_b"}
            assert min(row.values()) > 0
    assert result["table_2"]["printed"] == TABLE_2
    for name, row in result["table_2"]["rerun"].items():
        assert TABLE_2[name].keys() <= row.keys()


@pytest.mark.slow
def test_the_text_holds_every_number_and_owns_up_to_shortcuts(result: dict[str, Any]) -> None:
    text = reproduction(result)
    for key in ("table_1", "table_3"):
        for row in (*result[key]["replayed"].values(), result[key]["baselines"]):
            for number in row.values():
                assert f"{number:.4f}" in text
    for row in result["table_2"]["rerun"].values():
        assert f"{100 * row['paper_accuracy']:.2f} %" in text
    assert "a tenth of the training" in text
    assert "'digits' in place of MNIST" in text
    assert "Quick" not in reproduction({**result, "quick": False})


@pytest.mark.slow
def test_copying_the_last_state_is_the_same_baseline_whatever_was_trained(
    result: dict[str, Any],
) -> None:
    assert result["table_1"]["baselines"]["copy_last"] == pytest.approx(0.022, rel=0.1)
