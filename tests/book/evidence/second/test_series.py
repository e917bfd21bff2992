"""What the second edition measures on series, against oracles."""

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from bijepa_book.chapters.why import by_position
from bijepa_book.evidence.second import amplification
from bijepa_book.evidence.second.amplification import Amplification
from bijepa_book.evidence.second.ceilings import PENALTIES, kernel_probe, supervised
from bijepa_book.evidence.second.recording import Recording, joined, measured
from bijepa_book.evidence.second.series import (
    broken_pairs,
    recordings,
    wave_parameters,
)
from bijepa_core import BiJEPA, pretrain
from bijepa_core.constraints import UNCONSTRAINED
from bijepa_core.data.lorenz import lorenz_data
from bijepa_core.data.sine import GRID, sine_data, split, waves
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.evaluation.probes import raw_input, ridge_probe
from bijepa_core.evaluation.scores import held_out_mse
from bijepa_core.experiments import CONFIGURATIONS, SINE
from bijepa_core.layers import Linear
from bijepa_core.seeds import init_stacked, sample_per_seed


def test_the_nonlinear_probe_is_kernel_ridge_and_knows_a_curve() -> None:
    ridge = pytest.importorskip("sklearn.kernel_ridge")
    g = torch.Generator().manual_seed(0)
    f = torch.randn(400, 3, generator=g, dtype=torch.float64)
    t = (f[:, :1] * f[:, 1:2]).sin() + 0.05 * torch.randn(400, 1, generator=g, dtype=torch.float64)
    probe = kernel_probe(f[:300], t[:300])
    z = ((f[300:] - probe.mean) / probe.scale).numpy()
    apart = []
    for candidate in PENALTIES.tolist():
        theirs = ridge.KernelRidge(alpha=candidate * 300, kernel="rbf", gamma=probe.gamma)
        theirs.fit(probe.anchors.numpy(), (t[:300] - probe.center).numpy())
        guess = torch.from_numpy(theirs.predict(z)) + probe.center
        apart.append(float((guess - probe(f[300:])).abs().max()))
    assert min(apart) < 1e-6  # one of its penalties is the chosen one
    curved = (probe(f[300:]) - t[300:]).square().mean() / t[300:].var()
    straight = (ridge_probe(f[:300], t[:300])(f[300:]) - t[300:]).square().mean() / t[300:].var()
    assert curved < 0.3 < 0.8 < straight


def model_that_must_follow() -> BiJEPA:
    """Its predictor is the identity: a larger target leaves the encoder no choice."""
    return BiJEPA(Linear(10, 3), nn.Identity, constraint=UNCONSTRAINED, alpha=1.0)


def test_where_the_encoder_must_follow_the_exponent_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amplification, "FOLLOWS", 1500)
    x = torch.randn(64, 10, generator=torch.Generator().manual_seed(0))
    batches = ShuffledBatches(x, x, batch_size=64, seeds=0)
    asked = init_stacked(model_that_must_follow, seeds=0)
    asking = Amplification(asked, batches, x, (20,))
    train = partial(pretrain, steps=30, learning_rate=3e-3, device="cpu", log_every=10)
    train(asked, batches, on_log=asking, make_optimizer=asking.make_optimizer)
    assert float(asking.exponents[0]) == pytest.approx(1.0, abs=0.02)
    left_alone = init_stacked(model_that_must_follow, seeds=0)
    train(left_alone, batches)
    for a, b in zip(asked.parameters(), left_alone.parameters(), strict=True):
        assert torch.equal(a, b)  # who asks changes nothing


def test_errors_by_position_average_to_the_whole_error() -> None:
    data = lorenz_data([0], 64)
    (x, y), judge = data.probe, data.held_out
    fit = x[:, :400], y[:, :400]
    curve = by_position(raw_input, fit, judge, 3)
    assert len(curve[0]) == 20
    probe = ridge_probe(*fit)
    assert np.mean(curve[0]) == pytest.approx(held_out_mse(probe, *judge)[0])


def test_broken_pairs_begin_at_or_near_the_true_ones() -> None:
    data = lorenz_data([0], 64)
    true = data.held_out[1][:, 2000:4000].unflatten(-1, (20, 3))
    odd = {name: y.unflatten(-1, (20, 3)) for name, y in broken_pairs(data).items()}
    torch.testing.assert_close(odd["reversed"][..., 0, :], true[..., 0, :])
    torch.testing.assert_close(odd["reversed"].diff(dim=-2), -true.diff(dim=-2).flip(-2))
    apart = (odd["swapped"][..., 0, :] - true[..., 0, :]).norm(dim=-1)[0, :50]
    others = data.held_out[1][:, 4000:8000].unflatten(-1, (20, 3))[0, :, 0]
    nearer = torch.cdist(true[0, :50, 0], others) < apart[:, None] - 1e-4
    assert (nearer.sum(-1) - 0.05 * 4000).abs().max() <= 2  # a near miss, everywhere


def test_the_parameters_are_those_that_the_waves_were_drawn_with() -> None:
    wave = sample_per_seed([3, 5], "sine/probe", lambda g: waves(100, g))
    frequency, sine, cosine = wave_parameters((3, 5), "sine/probe", 100).unbind(-1)
    seam = torch.atan2(sine, cosine) - frequency * GRID[10]  # the phase at the start
    clean = torch.sin(frequency[..., None] * GRID + seam[..., None])
    assert float((wave - clean).std()) == pytest.approx(0.05, rel=0.05)


def test_labels_teach_the_same_encoder_to_forecast() -> None:
    short = replace(SINE, steps=300)
    data = sine_data([0, 1], 64)
    forecast = supervised(short, data.batches, 10, (0, 1))
    x, y = split(waves(500, torch.Generator().manual_seed(9)))
    assert ((forecast(x) - y).square().mean((-2, -1)) < 0.1).all()  # of a variance of a half


def test_parts_of_a_record_have_fixed_borders_and_join_in_order() -> None:
    def measure(
        seeds: tuple[int, ...], device: str
    ) -> tuple[dict[str, list[float]], dict[str, list[list[float]]]]:
        return {"twice": [2.0 * s for s in seeds]}, {
            "curve": [[float(s), float("nan")] for s in seeds]
        }

    recording = Recording("k", {"a": 1}, range(10, 15), 2, 1.0, measure)  # type: ignore[arg-type]
    assert [*recording.parts(done=[11])] == [(10,), (12, 13), (14,)]
    later, first = (measured(recording, seeds) for seeds in ((12, 13), (10, 11)))
    record = joined(recording, [joined(recording, [later]), first])
    assert record["seeds"] == [10, 11, 12, 13]
    assert record["measures"]["twice"] == [20.0, 22.0, 24.0, 26.0]
    assert record["curves"]["curve"][0] == [10.0, None]
    assert [origin["seeds"] for origin in record["provenance"]] == [[10, 11], [12, 13]]


@pytest.mark.slow
def test_a_condition_gives_all_that_is_asked_of_it() -> None:
    known = {r.key: r for r in recordings()}
    short = copy.copy(known["sine-unconstrained-paper"].measure.args[0])  # type: ignore[attr-defined]
    short = replace(short, experiment=replace(short.experiment, steps=40))
    from bijepa_book.evidence.second.series import trained

    measures, curves = trained(short, sine_data((0, 1), 64), (0, 1))
    assert {"fair_b", "kernel_whole_b", "frequency_a", "seam_swapped_both"} <= measures.keys()
    assert {len(values) for values in measures.values()} == {2}
    assert {"future_a", "future_b", "kept", "past_a", "past_b"} <= curves.keys()
    assert CONFIGURATIONS["unconstrained"] == short.configuration
