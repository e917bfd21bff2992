"""The README's example runs, its picture is the chapter's, and what it names is there."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(language: str) -> str:
    """The README's one fenced block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


@pytest.mark.slow
def test_the_example_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it saves a model
    script = tmp_path / "example.py"
    script.write_text(block("python"))
    left = runpy.run_path(str(script))
    relative = left["history"].diagnostics["relative_loss"]
    assert relative[-1] < relative[0]
    assert capsys.readouterr().out.count("torch.Size([500, 4])") == 3
    left["model"].load("walks.bijepa")


def test_the_picture_is_the_chapters() -> None:
    picture = runpy.run_path(str(ROOT / "tools" / "picture.py"))
    assert picture["PICTURE"].read_bytes() == picture["stored_figure"]()


def test_what_it_points_to_exists() -> None:
    targets = [one for one in re.findall(r"\]\(([^)#]+)\)", README) if not one.startswith("http")]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
