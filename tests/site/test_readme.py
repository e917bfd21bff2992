"""The README's example runs, its picture is the chapter's, and what it names is there."""

import re
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bijepa_core import init_stacked
from bijepa_core.diagnostics import relative_loss

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's fenced blocks in a language."""
    return [str(found) for found in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)]


def write_series(path: Path, seed: int) -> None:
    """Twelve walks of three channels and different lengths; some cells are empty."""
    random = np.random.default_rng(seed)
    lines = ["series,a,b,c"]
    for number in range(12):
        walk = random.normal(size=(int(random.integers(60, 90)), 3)).cumsum(0)
        cells = np.where(random.random(walk.shape) < 0.01, "", walk.round(4).astype(str))
        lines += [f"{number},{','.join(row)}" for row in cells]
    path.write_text("\n".join(lines))


def exec_encoder(block: str) -> nn.Module:
    """The encoder that a block builds."""
    built: dict[str, Any] = {}
    exec(block, built)
    encoder: nn.Module = built["encoder"]
    return encoder


@pytest.mark.slow
def test_the_example_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it reads two tables and saves a model
    write_series(tmp_path / "sensors.csv", seed=0)
    write_series(tmp_path / "today.csv", seed=1)
    today, tomorrow, own = blocks("python")
    assert len([line for line in (today + tomorrow).splitlines() if line]) <= 35
    left: dict[str, Any] = {}
    exec(today, left)
    model, x, y = left["model"], *(view.flatten(1) for view in left["unseen"][:2])
    with torch.no_grad():
        unexplained = [
            (predicted - target).square().mean() / target.var(0, correction=0).mean()
            for predicted, target in (
                (model.predict_forward(x), model.target(y)),
                (model.predict_backward(y), model.target(x)),
            )
        ]
    torch.testing.assert_close(relative_loss(left["losses"].terms), sum(unexplained) / 2)
    relative = left["history"].diagnostics["relative_loss"]
    assert relative[-1] < relative[0]
    kept = {name: left[name] for name in ("read", "build", "cut_windows")}
    exec(tomorrow, kept)  # a new session: it has the functions, and nothing that was computed
    assert len(kept["new"]) > 100
    shape = f"torch.Size([{len(kept['new'])}, 8])"
    assert capsys.readouterr().out.count(shape) == 3
    for name in ("mean", "std"):
        assert torch.equal(kept["settings"][name], left["settings"][name])
    assert torch.equal(left["model"].embed(left["x"]), kept["model"].embed(left["x"]))
    encoder = init_stacked(partial(exec_encoder, own), range(2))
    assert encoder(left["windows"].x[:5]).shape == (2, 5, 8)


def test_the_picture_is_the_chapters() -> None:
    picture = runpy.run_path(str(ROOT / "tools" / "picture.py"))
    assert picture["PICTURE"].read_bytes() == picture["stored_figure"]()


def test_what_it_points_to_exists() -> None:
    targets = [one for one in re.findall(r"\]\(([^)#]+)\)", README) if not one.startswith("http")]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
