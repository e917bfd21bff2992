"""The watch's table is whole but for its gaps, and what the chapter writes stands in the module."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bijepa_book.chapters import watch
from bijepa_core import BiJEPA, Windows, init_stacked

pytest.importorskip("sktime")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watch") / "watch.csv"
    watch.write_csv(path)
    return path


@pytest.fixture(scope="module")
def data(path: Path) -> watch.Recordings:
    return watch.read_csv(path)


def test_the_file_holds_the_recordings_but_for_the_gaps(path: Path) -> None:
    from sktime.datasets import load_basic_motions

    values, activities = load_basic_motions(return_type="numpy3D")
    table = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(2, 8))
    whole = values.transpose(0, 2, 1).reshape(-1, 6)
    missing = np.isnan(table)
    np.testing.assert_allclose(table[~missing], whole[~missing], rtol=1e-5)
    assert 0.005 < missing.mean() < 0.02
    words = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(0, 1), dtype=str)
    assert len(set(words[:, 0])) == 80
    assert words[::100, 1].tolist() == activities.tolist()


def test_no_recording_is_on_both_sides_and_statistics_are_of_the_first(
    data: watch.Recordings,
) -> None:
    assert len(data.learned.origin[:, 0].unique()) == 64
    assert len(data.held_out.origin[:, 0].unique()) == 16
    assert data.learned.dropped > 0
    center = data.learned.x.mean((0, 2))
    assert float(center.abs().max()) < 0.1  # windows overlap: not exactly 0
    later = data.held_out.x[61:62, :, 1:] == data.held_out.x[62:63, :, :-1]
    assert bool(later.all())  # neighbors, a step apart
    labels = torch.stack([data.held_out_labels, data.held_out.origin[:, 0]], 1)
    assert len(labels.unique(dim=0)) == 16  # one activity a recording


def test_windows_split_at_random_are_all_of_them_and_share_recordings(
    data: watch.Recordings,
) -> None:
    learned, held_out = watch.split_by_window(data)
    assert len(learned.x) + len(held_out.x) == len(data.learned.x) + len(data.held_out.x)
    total = float(data.learned.y.sum() + data.held_out.y.sum())
    assert float(learned.y.sum() + held_out.y.sum()) == pytest.approx(total, rel=1e-3)
    assert set(held_out.origin.tolist()).isdisjoint(learned.origin.tolist())


def test_rules_without_learning_are_right_where_nothing_moves_or_all_is_a_line() -> None:
    line = torch.randn(50, 6, 1) * torch.arange(40.0)
    x, y = line[..., :20].contiguous(), line[..., 20:].contiguous()
    cut = Windows(x, y, torch.zeros(50, 2, dtype=torch.long), 0)
    none = torch.zeros(50, dtype=torch.long)
    found = watch.without_learning(watch.Recordings(cut, cut, none, none))
    assert found["straight line"]["next value"] == pytest.approx(0, abs=1e-6)
    assert found["copy"]["lively"] == pytest.approx(0, abs=1e-6)  # a line is as lively later
    assert found["copy"]["last value"] > 0.1


def test_activities_are_told_by_who_knows_them_and_guessed_by_who_does_not(
    data: watch.Recordings,
) -> None:
    def marked(cut: Windows, labels: Tensor) -> Windows:
        x = cut.x.clone()
        x[:, 0, 0] = labels.to(x)
        return cut._replace(x=x)

    known = data._replace(
        learned=marked(data.learned, data.learned_labels),
        held_out=marked(data.held_out, data.held_out_labels),
    )

    def reads_the_mark(x: Tensor) -> Tensor:
        return torch.eye(4)[x[:, 0, 0].long()]

    def noise(x: Tensor) -> Tensor:
        return torch.randn(len(x), 4, generator=torch.Generator().manual_seed(0))

    assert watch.readings(reads_the_mark, known)["activity"] == [0.0]
    assert watch.few_labels(reads_the_mark, known) == [0.0]
    assert watch.few_labels(noise, known)[0] > 0.5


def test_the_relative_loss_is_that_of_the_history_and_leaves_the_mode(
    data: watch.Recordings,
) -> None:
    model = watch.new_models(0)
    cut = Windows(data.learned.x[:64], data.learned.y[:64], data.learned.origin[:64], 0)
    before = watch.relative(model, cut)
    history = watch.fit(model, cut, 0, 1)  # one batch has all 64, in some order
    torch.testing.assert_close(history.diagnostics["relative_loss"][0], before)
    model.train()
    watch.relative(model, cut)
    assert model.training


def normalized(module: nn.Module) -> bool:
    """Whether there is a LayerNorm anywhere."""
    return any(isinstance(one, nn.LayerNorm) for one in module.modules())


def test_layer_norm_is_where_a_models_name_says() -> None:
    """Half a configuration was once taken for none."""
    found = {
        make: {name: normalized(part) for name, part in make(0).named_children()}
        for make in (watch.new_models, watch.half_normalized, watch.unconstrained)
    }
    parts = ("online", "forward_predictor", "backward_predictor", "target")
    assert found[watch.new_models] == dict.fromkeys(parts, True)
    assert found[watch.half_normalized] == {part: "predictor" in part for part in parts}
    assert found[watch.unconstrained] == dict.fromkeys(parts, False)


def test_sick_runs_are_sick_each_in_its_way(path: Path) -> None:
    found = {
        name: (watch.symptoms(model, cut), given)
        for name, model, _, cut, given in watch.sick_runs(path, 30)
    }
    healthy, sick = ["healthy", "unconstrained"], ["not normalized", "rate 0.1", watch.HALF]
    assert list(found) == [*healthy, *sick]
    assert found["healthy"][1] == found["unconstrained"][1] == []
    assert "collapsing" in found["not normalized"][1][0]
    assert found["not normalized"][0]["variance"] < 1e-5 < found["healthy"][0]["variance"]
    assert found["rate 0.1"][0]["norm"] > 5 * found["healthy"][0]["norm"]


def test_the_record_has_what_the_chapter_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": 1, "SICK_STEPS": 1, "SEEDS": 2}.items():
        monkeypatch.setattr(watch, name, value)
    record, stored = watch.record(), json.loads((RESULTS / "watch.json").read_text("utf-8"))
    assert set(stored) - set(record) == {"provenance"}
    for part, content in record.items():
        if part != "seeds":
            assert set(stored[part]) == set(content), part


BOOK = Path(__file__).parents[3] / "book"
RESULTS = BOOK / "results"
READER = ("class WindowEncoder(", "def judged(", "def unexplained(")


def readers_cells() -> list[str]:
    """The cells in which the chapter writes encoder, relative loss and probe."""
    notebook = json.loads((BOOK / "07-own-data.ipynb").read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [next(source for source in sources if mark in source) for mark in READER]


def lines_of_code(source: str) -> int:
    """Lines that are not blank, a comment, an import or documentation."""
    tree = ast.parse(source)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            note = node.body[0]
            left_out.update(range(note.lineno, (note.end_lineno or note.lineno) + 1))
    lines = enumerate(source.split("\n"), start=1)
    return sum(n not in left_out and line.strip()[:1] not in ("", "#") for n, line in lines)


def test_the_chapters_encoder_loss_and_probe_take_less_than_40_lines() -> None:
    counts = [lines_of_code(source) for source in readers_cells()]
    assert min(counts) >= 3
    assert sum(counts) < 40


def test_the_chapter_writes_what_stands_here(data: watch.Recordings) -> None:
    scope: dict[str, Any] = {
        "train": data.learned,
        "judge": data.held_out,
        **{"torch": torch, "nn": nn, "ModuleType": ModuleType, "BiJEPA": BiJEPA},
        **{"Windows": Windows, "Tensor": Tensor, "Callable": Callable},
    }
    for source in readers_cells():
        exec(source, scope)
    x = data.held_out.x[:8]
    encoders = (scope["WindowEncoder"], watch.WindowEncoder)
    first, second = (init_stacked(encoder, 0)(x) for encoder in encoders)
    assert torch.equal(first, second)
    model = watch.new_models([0, 1])
    assert torch.equal(scope["judged"](model, data.held_out), watch.relative(model, data.held_out))
    here = watch.readings(watch.spread, data)
    for goal in scope["GOALS"]:
        assert float(scope["unexplained"](watch.spread, goal)) == pytest.approx(here[goal][0])


def test_numbers_in_the_text_are_the_records() -> None:
    stored = json.loads((RESULTS / "watch.json").read_text("utf-8"))
    cells = json.loads((BOOK / "07-own-data.ipynb").read_text("utf-8"))["cells"]
    written = {cell["id"]: "".join(cell["source"]) for cell in cells}
    slips, wrong = stored["slips"], stored["few labels"]
    said = {
        "own-exercises": [f"healthy one's {stored['sick']['healthy']['relative loss']:.2f}"],
        "own-exercise-2": [
            f"at {slips['learned from']:.2f} on what is learned from",
            f"at {slips['split by recording']:.2f} on recordings held out",
        ],
        "own-answer-2": [f"In between: {slips['split by window']:.2f}"],
    }
    missing = [text for cell, texts in said.items() for text in texts if text not in written[cell]]
    assert missing == []
    assert 0.7 < slips["split by window"] / slips["split by recording"] < 0.8  # "a quarter better"
    assert 0.005 < wrong["A"]["activity"] < 0.015  # "one window in a hundred"
    assert all(0.2 < row["activity"] < 0.3 for name, row in wrong.items() if name != "A")
