"""The example in one file computes what the package computes, and stays one small file."""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn

import bijepa_core
from bijepa_core.data import sine
from bijepa_core.evaluation.baselines import copy_last
from bijepa_core.evaluation.probes import protocol_a, protocol_b

EXAMPLE = Path(__file__).parents[2] / "examples" / "minimal.py"


@pytest.fixture
def double() -> Iterator[None]:
    """float64 wherever no type is named, so that equal means equal to many digits."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def example(capsys: pytest.CaptureFixture[str]) -> ModuleType:
    """The example, imported: that alone must not train."""
    spec = importlib.util.spec_from_file_location("minimal", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not capsys.readouterr().out
    return module


def core_of(networks: tuple[nn.Module, ...], alpha: float = 0.5) -> bijepa_core.BiJEPA:
    """The package's model at the paper's sizes (appendix B.3), with the example's weights."""
    model = bijepa_core.BiJEPA(
        bijepa_core.MLPEncoder(10, 64, 16),
        lambda: bijepa_core.MLPPredictor(16, 64),
        constraint=bijepa_core.EXPRESSIVE,
        alpha=alpha,
        tau=0.995,
        scale=1.0,  # Eq. 8 as it stands
    )
    with torch.no_grad():
        for plain, ours in parameter_pairs(model, networks):
            ours.copy_(plain)
    return model


def parameter_pairs(
    model: bijepa_core.BiJEPA, networks: tuple[nn.Module, ...]
) -> list[tuple[Tensor, Tensor]]:
    """Each parameter of the example beside the package's, of the same shape."""
    parts = (model.online, model.target, model.forward_predictor, model.backward_predictor)
    pairs: list[tuple[Tensor, Tensor]] = []
    for part, plain in zip(parts, networks, strict=True):
        assert part is not None
        pairs += zip(plain.parameters(), part.parameters(), strict=True)
    assert all(plain.shape == ours.shape for plain, ours in pairs)
    return pairs


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("constants", "alpha"), [({}, 0.5), ({"ALPHA": 0.8}, 0.8)])
def test_example_trains_as_the_package_does(
    example: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    constants: dict[str, float],
    alpha: float,
) -> None:
    """Losses of both directions, weights and EMA weights after 20 steps from the same start."""
    for name, value in {"STEPS": 20, **constants}.items():
        monkeypatch.setattr(example, name, value)
    torch.manual_seed(3)
    networks = example.networks()
    model = core_of(networks, alpha)
    torch.manual_seed(4)
    batches = [example.waves(64) for _ in range(20)]

    torch.manual_seed(4)  # the example draws the same batches again
    losses = example.train(*networks)  # (20, 4)
    history = bijepa_core.pretrain(
        model,
        lambda step: batches[step],
        steps=20,
        learning_rate=1e-3,
        device="cpu",
        log_every=1,
        progress=False,
    )

    forward, backward, relative_y, relative_x = losses.T
    compared = [
        (forward, history.losses["forward"]),
        (backward, history.losses["backward"]),
        ((relative_y + relative_x) / 2, history.diagnostics["relative_loss"]),
        *parameter_pairs(model, networks),
    ]
    for plain, ours in compared:
        torch.testing.assert_close(plain, ours, rtol=1e-10, atol=1e-12)
    assert all(p.grad is None for p in networks[1].parameters())  # the stop-gradient
    assert forward[-1] < 0.5 * forward[0]  # and something was learned


def test_example_draws_the_package_s_waves(example: ModuleType) -> None:
    torch.manual_seed(5)
    x, y = example.waves(300)  # (300, 10) each
    expected = sine.split(sine.waves(300, torch.Generator().manual_seed(5)))
    torch.testing.assert_close((x, y), expected)


@pytest.mark.usefixtures("double")
def test_protocols_read_what_the_package_gives(
    example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each printed error, against scikit-learn's least squares on the package's features."""
    torch.manual_seed(6)
    networks = example.networks()
    model = core_of(networks)
    torch.manual_seed(7)
    example.evaluate(networks[0], networks[2])
    printed = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[-4:]]

    torch.manual_seed(7)  # the same waves: 1,000 to fit, 1,000 to judge
    x, y = example.waves(2000)
    fit, held_out = slice(1000), slice(1000, None)
    target = y[:, :1].numpy()  # (2000, 1)
    expected = []
    for features in (protocol_a(model)(x).numpy(), protocol_b(model)(x).numpy(), x.numpy()):
        line = LinearRegression().fit(features[fit], target[fit])
        expected.append(np.square(line.predict(features[held_out]) - target[held_out]).mean())
    expected.append(np.square(copy_last(x, 1).numpy() - target)[held_out].mean())
    assert printed == pytest.approx(expected, abs=5.1e-5)  # four digits are printed


def test_short_run_prints_finite_numbers_and_beats_copying(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example, "STEPS", 100)
    monkeypatch.setattr(example, "LOG_EVERY", 50)
    example.main()
    *steps, _, _, protocol_a, protocol_b, raw, copied = capsys.readouterr().out.splitlines()
    numbers = [[float(number) for number in re.findall(r"\d+\.\d+", line)] for line in steps]
    assert [len(line) for line in numbers] == [3, 3, 3]  # a nan or inf has no digits
    assert numbers[-1][1] < 0.5 * numbers[0][1]
    errors = [float(line.split()[-1]) for line in (protocol_a, protocol_b, raw)]
    assert 0.0025 < max(errors) < 0.5 * float(copied.split()[-1])


def test_example_is_one_small_file_of_plain_pytorch() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 130
    modules = {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    foreign = {name.split(".")[0] for name in modules} - {"torch"} - sys.stdlib_module_names
    assert not foreign
