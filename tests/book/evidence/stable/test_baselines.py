"""Baselines of the company, against scikit-learn and against what is known of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bijepa_book.evidence.second import stacked
from bijepa_book.evidence.second.ceilings import Supervised, train_supervised
from bijepa_book.evidence.stable import baselines
from bijepa_book.evidence.stable.baselines import (
    KERNEL,
    VIEWS,
    canonical,
    kernel_missed,
    measure,
    measure_distracted,
    measure_images,
    principal,
    recordings,
)
from bijepa_core.data.streams import Batches
from bijepa_core.experiments import DIGITS, LORENZ, SINE, Experiment
from bijepa_core.seeds import Seeds


def pairs(n: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    """Two seeds of views that share two numbers, and correlate among themselves."""
    g = torch.Generator().manual_seed(0)
    shared, own = torch.randn(2, n, 2, generator=g), torch.randn(2, 2, n, 6, generator=g)
    mix = torch.randn(2, 8, 6, generator=g)
    x, y = (torch.cat([shared, one[..., :6]], -1) @ m for one, m in zip(own, mix, strict=True))
    return x + 3, y


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    x, _ = pairs()
    ours = principal(x, 3)(x)
    theirs = [PCA(3).fit(one.double().numpy()) for one in x]
    for seed, fitted in enumerate(theirs):
        variances = ours[seed].var(0, correction=1).numpy()
        np.testing.assert_allclose(variances, fitted.explained_variance_, rtol=1e-6)
        sides = fitted.transform(x[seed].double().numpy())
        np.testing.assert_allclose(ours[seed].abs().numpy(), np.abs(sides), atol=1e-6)


def test_variates_are_those_of_scikit_learn_and_white() -> None:
    from sklearn.cross_decomposition import CCA

    x, y = pairs()
    of_x, of_y = canonical(x, y, 4)
    s, t = of_x(x), of_y(y)
    for seed in range(2):
        theirs = CCA(4, max_iter=5000, tol=1e-12).fit(x[seed].numpy(), y[seed].numpy())
        a, b = theirs.transform(x[seed].numpy(), y[seed].numpy())
        wanted = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(4)]
        found = (s[seed].T @ t[seed] / len(s[seed])).numpy()
        np.testing.assert_allclose(found, np.diag(wanted), atol=1e-4)
        torch.testing.assert_close(s[seed].T.cov(correction=0), torch.eye(4).double())


def test_a_direction_that_does_not_vary_is_no_variate() -> None:
    x, y = pairs()
    x = torch.cat([x, torch.zeros(2, 500, 2)], -1)
    s = canonical(x, y, 8)[0](x)
    assert torch.isfinite(s).all()
    assert (s.square().mean(-2).sum(-1) - 6).abs().max() < 1e-6


def test_kernel_ridge_knows_a_curve() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, 700, 2, generator=g)
    y = torch.cat([(x[..., :1] * x[..., 1:]).sin(), x[..., :1]], -1)
    wrong = kernel_missed((x[:, :400], y[:, :400]), (x[:, 400:], y[:, 400:]))
    assert wrong.shape == (2, 2)
    assert (wrong < 0.02).all()


@pytest.mark.parametrize("name", [*VIEWS, KERNEL])
def test_series_are_read_as_a_members_are(name: str) -> None:
    found = measure(name, replace(LORENZ, steps=200), (64, 65), "cpu")
    scores = {reading: max(values) for reading, values in found.measures.items()}
    assert {"fair", "whole", "past"} <= scores.keys()
    assert len(found.curves["future"][0]) == 20
    assert scores["fair"] < 0.1  # of a variance of 1
    if name in ("raw", "pca"):
        assert scores["kept"] < 1e-5


def test_labels_ask_for_the_wave_where_the_drift_is_louder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "SINE", replace(SINE, steps=400))
    asked: list[int] = []

    def watched(experiment: Experiment, batches: Batches, outputs: int, seeds: Seeds) -> Supervised:
        asked.append(outputs)
        return train_supervised(experiment, batches, outputs, seeds)

    monkeypatch.setattr(baselines, "train_supervised", watched)
    wrong = {name: measure_distracted(name, 3.0, (64,), "cpu") for name in (*VIEWS, KERNEL)}
    wave = {name: found.measures["wave"][0] for name, found in wrong.items()}
    assert wave["pca"] == pytest.approx(wave["raw"], rel=0.01)  # ten numbers of ten
    assert asked == [1]  # the wave's next value, not the whole target
    assert wave["supervised"] < wave["untrained"]
    assert max(wave.values()) < 0.3  # of 0.5


def test_half_images_are_read_as_a_members_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))
    for name in ("pca", "cca", "untrained"):
        found = measure_images(name, DIGITS, (8, 9), "cpu").measures
        assert max(found["label_error"]) < 0.5, name
        if name != "untrained":  # they know no seed
            assert found["label_error"][0] == pytest.approx(found["label_error"][1])
        assert found["decoder_ten"][0] != found["decoder_ten"][1]


def test_every_baseline_has_its_own_key() -> None:
    keys = [one.key for one in recordings()]
    assert len(set(keys)) == len(keys)
    assert {"lorenz-company-kernel", "sine-company-distracted-10-raw", "mnist-company-cca"} < {
        *keys
    }
