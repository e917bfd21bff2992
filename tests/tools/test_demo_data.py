"""What the demos in the page are given: arrays end to end, images as bytes, or none."""

import base64
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bijepa_book.evidence.futures import well
from bijepa_book.int8 import pack, unpack
from bijepa_book.style import LOOKS, OTHERS
from bijepa_core._support.errors import DataNotFoundError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool() -> dict[str, Any]:
    """The names in the tool."""
    return runpy.run_path(str(ROOT / "tools" / "demo_data.py"))


def test_arrays_are_found_again_where_the_list_says(tool: dict[str, Any], tmp_path: Path) -> None:
    given = {"odd": torch.arange(15.0).view(3, 5), "b": torch.tensor([1.5, -2.0])}
    pack(tmp_path / "w.npz", given)
    packed = tool["packed"](tmp_path / "w.npz")
    content, found = base64.b64decode(packed["data"]), {}
    for name, shape, kind, start in packed["arrays"]:
        assert kind == "int8" or start % 4 == 0, "a page reads floats at multiples of four bytes"
        count = int(np.prod(shape))
        found[name] = np.frombuffer(content, kind, count, start).reshape(shape)
    assert torch.equal(torch.from_numpy(found["b"].copy()), given["b"])
    again = found["odd"] * found["odd@scale"][:, None]
    assert np.array_equal(again, unpack(tmp_path / "w.npz")["odd"].numpy())


def test_a_script_hands_over_plain_data(tool: dict[str, Any]) -> None:
    text = tool["script"]("images", {"a": [1]}).decode()
    assert text.startswith("(globalThis.bijepaData ??= {}).images = ")
    assert json.loads(text.split(" = ", 1)[1].rstrip(";\n")) == {"a": [1]}


def test_contrasts_are_those_of_wcag(tool: dict[str, Any]) -> None:
    """1 to 21; #767676 is the palest gray that may be text on white (technique G18)."""
    assert tool["contrast"]("white", "black") == pytest.approx(21)
    assert tool["contrast"]("#777777", "white") < 4.5 < tool["contrast"]("white", "#767676")


def test_looks_are_the_figures_and_stand_out_from_every_page(tool: dict[str, Any]) -> None:
    """A color that stands out enough is the figures' own; anything else is drawn as no model is."""
    found = tool["looks"]()
    assert list(found["models"]) == list(LOOKS)
    assert found["models"]["expressive"]["ink"]["light"] == LOOKS["expressive"].color.lower()
    assert found["models"]["unconstrained"]["dash"] == [5, 2]
    for name, one in [*found["models"].items(), *enumerate(found["others"])]:
        for page, (ground, _, least, faint) in tool["PAGES"].items():
            clear, pale = (tool["contrast"](one[kind][page], ground) for kind in ("ink", "pale"))
            assert clear >= least > pale >= faint, (name, page)
    for other in OTHERS:
        assert other.color not in {one.color for one in LOOKS.values()}
        assert other.dash not in {one.dash for one in LOOKS.values()}
    assert len({str(one.dash) for one in OTHERS}) == len(OTHERS)


def test_the_wells_laws_are_the_exact_ones_summed(tool: dict[str, Any]) -> None:
    """Mirrored, each of probability 1; the stationary law is that of the potential."""
    found = tool["double_well"]()
    laws, starts = np.array(found["laws"]), np.array(found["starts"])
    assert found == json.loads(json.dumps(found))
    assert (found["sigma"], found["time"], found["dt"]) == (well.SIGMA, well.TIME, well.DT)
    assert np.allclose(laws.sum(1), 1, atol=1e-3)
    assert np.allclose(laws, laws[::-1, ::-1], atol=1e-5)
    assert np.allclose(starts, np.arange(-1.8, 1.801, 0.05))
    exact = well.law(torch.tensor([[-1.0], [0.35]])).reshape(2, 100, 2).sum(-1)
    assert np.allclose(laws[[16, 43]], exact, atol=1e-5)
    width = 2 * found["edge"] / len(found["stationary"])
    place = -found["edge"] + width * (np.arange(100) + 0.5)
    weight = np.exp(-2 * (place**4 / 4 - place**2 / 2) / 0.49)
    assert np.allclose(found["stationary"], weight / weight.sum(), atol=2e-4)


def test_halves_are_bytes_row_by_row(tool: dict[str, Any]) -> None:
    pictures = torch.arange(2 * 28 * 28).remainder(251).byte().view(2, 28, 28)
    halves = tool["halves"](pictures, torch.tensor([3, 8]))
    right = np.frombuffer(base64.b64decode(halves["right"]), np.uint8).reshape(2, 28, 14)
    assert np.array_equal(right, pictures[:, :, 14:].numpy())
    assert base64.b64decode(halves["labels"]) == bytes([3, 8])


def test_without_mnist_the_pads_are_built_without_images(
    tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> None:
        raise DataNotFoundError("it is nowhere")

    monkeypatch.setattr(tool["mnist"], "load", nowhere)
    assert tool["images"]() == {"images": None, "training": None}
    assert "no images to choose from" in capsys.readouterr().err
