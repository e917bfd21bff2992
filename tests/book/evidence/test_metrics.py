"""Each measure of the study against something that is not the study."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bijepa_book.evidence import metrics
from bijepa_book.evidence.grid import Condition, conditions
from bijepa_book.evidence.metrics import (
    gain_measures,
    image_measures,
    latent_measures,
    series_measures,
    untrained_images,
    untrained_series,
    violation_measures,
    violations,
)
from bijepa_core.constraints import EXPRESSIVE
from bijepa_core.data import mnist, sine
from bijepa_core.data.mnist import Halves, ImageData
from bijepa_core.data.series import SeriesData
from bijepa_core.data.streams import ShuffledBatches
from bijepa_core.evaluation import probes
from bijepa_core.evaluation.probes import Features, ridge_probe
from bijepa_core.evaluation.scores import Scores
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import sample_per_seed
from bijepa_core.training import pretrain

Normal = Callable[..., Tensor]
Array = NDArray[np.float64]
SEEDS = (3, 8)
FEW = 100
SIZES = {"sine": 1, "lorenz": 3}
WIDTHS = {"sine": 10, "lorenz": 60}


def condition(experiment: str, name: str = "expressive", **changes: Any) -> Condition:
    """A condition with a short schedule."""
    found = next(c for c in conditions(cast(Any, experiment)) if c.name == name)
    return replace(found, experiment=replace(found.experiment, steps=20, **changes))


def series(experiment: str, probe: int = 600, held_out: int = 2 * FEW) -> SeriesData:
    """Smooth random series in place of the experiment's, small: both of about unit variance."""
    width, size = WIDTHS[experiment], SIZES[experiment]

    def views(purpose: str, count: int) -> tuple[Tensor, Tensor]:
        def sample(g: torch.Generator) -> Tensor:
            phase = 2 * math.pi * torch.rand(count, 1, size, generator=g)
            time = torch.arange(2 * width // size)[None, :, None]
            waves = torch.sin(0.3 * time + phase) + 0.1 * torch.randn(
                count, 2 * width // size, size, generator=g
            )
            return waves.flatten(-2)

        both = sample_per_seed(SEEDS, purpose, sample)
        return both[..., :width], both[..., width:]

    def batches(step: int) -> tuple[Tensor, Tensor]:
        return views(f"test/{step}", 16)

    return SeriesData(batches, size, views("test/probe", probe), views("test/held out", held_out))


def trained(which: Condition, data: SeriesData, seeds: tuple[int, ...] = SEEDS) -> BiJEPA:
    model = which.model(seeds)
    pretrain(model, data.batches, steps=20, device="cpu", progress=False)
    return model


def each_seed(found: Scores, count: int = len(SEEDS)) -> Scores:
    """The same, after a look that each measure has a finite number a seed."""
    for name, numbers in found.items():
        assert len(numbers) == count, name
        assert all(isinstance(a, float) and math.isfinite(a) for a in numbers), name
    return found


def fitted(features: Tensor, targets: Tensor, unseen: Tensor) -> Array:
    """Forecasts of least squares with a constant, by numpy."""
    a, b = (np.column_stack([t.double().numpy(), np.ones(len(t))]) for t in (features, unseen))
    return b @ np.linalg.lstsq(a, targets.double().numpy(), rcond=None)[0]


def least_squares(features: Tensor, targets: Tensor, unseen: Tensor, truth: Tensor) -> list[float]:
    """Held-out error of least squares, one number a seed."""
    return [
        float(np.square(fitted(f, t, u) - w.double().numpy()).mean())
        for f, t, u, w in zip(features, targets, unseen, truth, strict=True)
    ]


def neighbors(features: Tensor, targets: Tensor, unseen: Tensor, truth: Tensor) -> list[float]:
    """Held-out error of scikit-learn's nearest neighbors, one number a seed."""
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.preprocessing import StandardScaler

    found = []
    for f, t, u, w in zip(features, targets, unseen, truth, strict=True):
        scaler = StandardScaler().fit(f.double().numpy())
        knn = KNeighborsRegressor(10).fit(scaler.transform(f.double().numpy()), t.double().numpy())
        guess = knn.predict(scaler.transform(u.double().numpy()))
        found.append(float(np.square(guess - w.double().numpy()).mean()))
    return found


@pytest.fixture(autouse=True)
def looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The study looks at fewer windows: at half of those held out here."""
    monkeypatch.setattr(metrics, "LOOKED_AT", FEW)


@pytest.fixture(params=["sine", "lorenz"])
def experiment(request: pytest.FixtureRequest) -> str:
    """One, then the other."""
    return str(request.param)


@pytest.fixture
def data(experiment: str) -> SeriesData:
    """Its data."""
    return series(experiment)


# --- probes ----------------------------------------------------------------------------------


def test_series_measures_are_those_of_other_libraries(experiment: str, data: SeriesData) -> None:
    which = condition(experiment)
    model = trained(which, data)
    found = each_seed(series_measures(model, which, data, SEEDS))
    (x, y), (unseen_x, unseen_y), size = data.probe, data.held_out, data.state_dim
    first, truth = y[..., :size], unseen_y[..., :size]
    for letter, read in (("a", model.embed), ("b", model.predict_forward)):
        seen, unseen = read(x), read(unseen_x)
        expected = neighbors(seen, first, unseen[:, :FEW], truth[:, :FEW])
        assert found[f"knn_{letter}"] == pytest.approx(expected, rel=1e-3)
        # ridge regression can only be near to least squares, on either side of it
        expected = least_squares(seen, first, unseen, truth)
        assert found[f"fair_{letter}"] == pytest.approx(expected, rel=0.15)
        expected = least_squares(seen, y, unseen, unseen_y)
        assert found[f"whole_{letter}"] == pytest.approx(expected, rel=0.15)
        for k in range(2):
            forecast = fitted(seen[k], first[k], unseen[k])
            swing = forecast.var(0).mean() / truth[k].double().numpy().var(0).mean()
            assert found[f"swing_fair_{letter}"][k] == pytest.approx(swing, rel=0.15)
            weight = ridge_probe(seen[k], first[k]).weight.numpy()
            assert found[f"weight_{letter}"][k] == pytest.approx(np.sqrt((weight**2).sum()))
    backward: tuple[tuple[str, Features], ...] = (("a", model.embed), ("b", model.predict_backward))
    for letter, features in backward:
        expected = least_squares(features(y), x, features(unseen_y), unseen_x)
        assert found[f"past_{letter}"] == pytest.approx(expected, rel=0.15)
    assert {"rank", "missed_loop", "gain_drift", "violation"} <= found.keys()


def test_the_papers_probe_approaches_the_fit_to_its_own_training_set() -> None:
    data = series("sine")
    x, first = data.next_state(data.probe)
    seen = condition("sine").model(SEEDS).embed(x)
    errors = []
    for steps in (3, 50, 500):
        which = condition("sine", probe_steps=steps)
        errors.append(series_measures(which.model(SEEDS), which, data, SEEDS)["paper_a"])
    least = least_squares(seen, first, seen, first)
    for few, more, most, bound in zip(*errors, least, strict=True):
        assert few > more > most > bound


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("classic", {"past_b", "missed_past", "missed_loop", "violation"}),
        ("alpha-0", {"paper_b", "fair_b", "knn_b", "missed_future", "missed_loop", "violation"}),
    ],
)
def test_what_a_missing_predictor_would_say_is_left_out(name: str, absent: set[str]) -> None:
    which, whole, data = condition("sine", name), condition("sine"), series("sine")
    found = series_measures(which.model(SEEDS), which, data, SEEDS).keys()
    everything = series_measures(whole.model(SEEDS), whole, data, SEEDS).keys()
    assert found < everything
    assert absent <= everything - found


# --- baselines -------------------------------------------------------------------------------


def test_baselines_by_hand(experiment: str, data: SeriesData) -> None:
    which = condition(experiment, "baselines")
    found = each_seed(untrained_series(which, data, SEEDS))
    (x, y), (unseen_x, unseen_y), size = data.probe, data.held_out, data.state_dim
    past = unseen_x.double().numpy().reshape(2, 200, -1, size)
    future = unseen_y.double().numpy().reshape(2, 200, -1, size)
    step = past[:, :, -1] - past[:, :, -2]
    for name, guess in (("copy_last", past[:, :, -1]), ("extrapolate", past[:, :, -1] + step)):
        error = np.square(guess - future[:, :, 0]).mean((1, 2))
        assert found[name] == pytest.approx(error, rel=1e-5)
    spread = [float(np.var(one[:, 0], axis=0).mean()) for one in future]
    assert found["mean"] == pytest.approx(spread, rel=1e-5)
    first, truth = y[..., :size], unseen_y[..., :size]
    for name, expected in (
        ("raw", least_squares(x, first, unseen_x, truth)),
        ("raw_whole", least_squares(x, y, unseen_x, unseen_y)),
        ("raw_past", least_squares(y, x, unseen_y, unseen_x)),
    ):
        assert found[name] == pytest.approx(expected, rel=0.3)
    expected = neighbors(x, first, unseen_x[:, :FEW], truth[:, :FEW])
    assert found["raw_knn"] == pytest.approx(expected, rel=1e-4)
    fresh = which.model(SEEDS)
    seen, unseen = fresh.embed(x), fresh.embed(unseen_x)
    for name, a, b in (("untrained", first, truth), ("untrained_whole", y, unseen_y)):
        assert found[name] == pytest.approx(least_squares(seen, a, unseen, b), rel=0.3)
    assert ("best" in found) == (experiment == "sine")


def test_distance_is_the_rank_of_scipys_mahalanobis(normal: Normal) -> None:
    from scipy.spatial.distance import cdist
    from sklearn.metrics import roc_auc_score

    data = series("sine")
    found = untrained_series(condition("sine", "baselines"), data, SEEDS)
    x, held_out = data.probe[0], data.held_out[0]
    odd = violations(held_out[:, FEW:], 1, SEEDS)["static"]
    for k in range(2):
        bank = x[k].double().numpy()
        far = cdist(
            torch.cat([held_out[k, :FEW], odd[k]]).double().numpy(), bank.mean(0)[None],
            "mahalanobis", VI=np.linalg.inv(np.cov(bank.T)),
        )  # fmt: skip
        expected = roc_auc_score(np.repeat([0, 1], FEW), far[:, 0])
        assert found["distance_static"][k] == pytest.approx(expected, abs=1e-3)


def test_no_forecast_of_waves_beats_the_best() -> None:
    def views(purpose: str, count: int) -> tuple[Tensor, Tensor]:
        return sine.split(sample_per_seed(SEEDS, purpose, lambda g: sine.waves(count, g)))

    data = SeriesData(lambda step: views("test/train", 8), 1, views("a", 500), views("b", 500))
    found = untrained_series(condition("sine", "baselines"), data, SEEDS)
    for k in range(2):
        assert sine.NOISE**2 < found["best"][k] < found["raw"][k] < found["mean"][k]
        assert sine.NOISE**2 < found["best_whole"][k] < found["raw_whole"][k]
        assert found["best"][k] < found["untrained"][k]


# --- latents ---------------------------------------------------------------------------------


class Plain(nn.Module):
    """Predicts one and the same, or what it is given."""

    def __init__(self, constant: bool) -> None:
        super().__init__()
        self.constant = constant

    def forward(self, s: Tensor) -> Tensor:
        return s.mean(-2, keepdim=True).expand_as(s) if self.constant else s


@pytest.mark.parametrize("constant", [True, False])
def test_latents_of_predictors_that_are_known(constant: bool) -> None:
    model = condition("sine").model(SEEDS)
    model.forward_predictor = model.backward_predictor = Plain(constant)
    x, _ = series("sine").held_out
    found = latent_measures(model, x, x)  # the future is the past
    x = x[:, :FEW]
    for name in ("missed_future", "missed_past", "missed_loop"):
        assert found[name] == pytest.approx([float(constant)] * 2, abs=1e-5)
    s = model.embed(x).double().numpy()
    assert found["size"] == pytest.approx(np.linalg.norm(s, axis=-1).mean(-1), rel=1e-5)
    sigma = np.linalg.svd(s, compute_uv=False)
    share = sigma / sigma.sum(-1, keepdims=True)
    rank = np.exp(-(share * np.log(share)).sum(-1))
    assert found["rank"] == pytest.approx(rank, rel=1e-4)


def test_a_loop_is_told_from_its_halves() -> None:
    model = condition("sine").model(SEEDS)
    model.forward_predictor, model.backward_predictor = Plain(False), Plain(True)
    x, _ = series("sine").held_out
    found = latent_measures(model, x, x)
    assert found["missed_future"] == [0, 0]
    assert found["missed_past"] == pytest.approx([1, 1], abs=1e-5)
    assert found["missed_loop"] == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("name", ["expressive", "restrictive"])
def test_each_direction_is_held_against_what_it_aims_at(name: str) -> None:
    model = condition("sine", name).model(SEEDS)
    model.forward_predictor, model.backward_predictor = Scaled(2.0), Scaled(0.25)
    x, y = series("sine").held_out
    found = latent_measures(model, x, y)
    s, t = (model.embed(w[:, :FEW]).double().numpy() for w in (x, y))
    sphere = name == "restrictive"  # where a forecast has no length of its own
    for direction, guess, truth in (
        ("future", s if sphere else 2 * s, t),
        ("past", t if sphere else t / 4, s),
        ("loop", s if sphere else s / 2, s),
    ):
        unexplained = np.square(guess - truth).mean((-2, -1)) / truth.var(-2).mean(-1)
        assert found[f"missed_{direction}"] == pytest.approx(unexplained, rel=1e-3, abs=1e-9)


# --- gains -----------------------------------------------------------------------------------


class Reading(nn.Module):
    """An encoder that is known, for each seed: a direction only, or the window itself."""

    input_shape = (10,)

    def __init__(self, blind: bool) -> None:
        super().__init__()
        self.blind, self.scale = blind, nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x / x.norm(dim=-1, keepdim=True) if self.blind else x)


def reading(blind: bool) -> BiJEPA:
    model = BiJEPA(Reading(blind), lambda: Plain(False), constraint=EXPRESSIVE)
    model.seed_axis = len(SEEDS)
    return model


def test_gains_do_nothing_to_an_encoder_that_is_blind_to_them() -> None:
    data = series("sine")
    found = each_seed(gain_measures(reading(True), data, SEEDS))
    assert found["gain_drift"] == pytest.approx([0, 0], abs=1e-10)
    (x, first), (unseen, truth) = map(data.next_state, (data.probe, data.held_out))
    s, t = (w / w.norm(dim=-1, keepdim=True) for w in (x, unseen))
    assert found["gain_error"] == pytest.approx(
        least_squares(s, first, t[:, :FEW], truth[:, :FEW]), rel=0.15
    )
    assert min(found["gain_hidden"]) > 0.9


def test_gains_drive_a_linear_encoder() -> None:
    data = series("sine")
    found = each_seed(gain_measures(reading(False), data, SEEDS))
    (x, first), (unseen, truth) = map(data.next_state, (data.probe, data.held_out))
    for k in range(2):
        w = unseen[k, :FEW].double().numpy()
        power = np.square(w).mean() / w.var(0).mean()  # the change is half the window, or all of it
        assert found["gain_drift"][k] == pytest.approx((0.25 + 1) / 2 * power, rel=1e-4)
        forecasts = [fitted(x[k], first[k], gain * unseen[k, :FEW]) for gain in (0.5, 2.0)]
        errors = [np.square(f - truth[k, :FEW].double().numpy()).mean() for f in forecasts]
        assert found["gain_error"][k] == pytest.approx(np.mean(errors), rel=0.05)


class Loudness(Reading):
    """An encoder that tells how loud a window is, and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x.norm(dim=-1, keepdim=True)


def test_a_gain_is_hidden_from_some_encoders_alone() -> None:
    even = torch.sin(2 * math.pi * torch.arange(10) / 10 + torch.arange(200)[:, None])
    windows = even.expand(2, 200, 10)  # whole periods: one loudness, before the gain
    data = SeriesData(lambda step: (windows, windows), 1, (windows, windows), (windows, windows))
    model = BiJEPA(Loudness(False), lambda: Plain(False), constraint=EXPRESSIVE)
    model.seed_axis = 2
    assert gain_measures(model, data, SEEDS)["gain_hidden"] == pytest.approx([0, 0], abs=1e-6)
    hidden = gain_measures(reading(True), data, SEEDS)["gain_hidden"]
    assert hidden == pytest.approx([1, 1], abs=0.15)


# --- violations ------------------------------------------------------------------------------


def test_each_violation_breaks_what_it_says_and_no_more(experiment: str, data: SeriesData) -> None:
    good, size = data.held_out[0], data.state_dim
    before = good.clone()
    odd = violations(good, size, SEEDS)
    assert torch.equal(good, before)
    assert list(odd) == ["spike", "static", "frozen", "spliced"]
    states = WIDTHS[experiment] // size
    half = states // 2
    was = good.unflatten(-1, (states, size))
    now = {name: windows.unflatten(-1, (states, size)) for name, windows in odd.items()}
    assert all(windows.shape == good.shape for windows in odd.values())

    moved = now["spike"] - was
    changed = moved.abs().sum(-1) > 0  # (seeds, n, states)
    assert (changed.sum(-1) == 1).all()
    torch.testing.assert_close(moved[changed], torch.ones_like(moved[changed]))
    assert changed.any(1).all()  # in the long run, any state

    noise = now["static"] - was
    assert noise.std().item() == pytest.approx(0.15, rel=0.05)
    assert abs(noise.mean().item()) < 0.01

    for name in ("frozen", "spliced"):
        assert torch.equal(now[name][..., :half, :], was[..., :half, :])
        torch.testing.assert_close(now[name][..., half, :], was[..., half, :])  # the seam holds
    assert (now["frozen"].diff(dim=-2)[..., half:, :] == 0).all()
    steps, former = now["spliced"].diff(dim=-2), was.diff(dim=-2)
    torch.testing.assert_close(steps[:, 1:, half:], former[:, :-1, half:], atol=1e-5, rtol=0)
    assert (steps[:, 1:, half:] - former[:, 1:, half:]).abs().amax((-2, -1)).min() > 0.01


def test_violations_of_a_seed_are_the_same_alone_and_in_company() -> None:
    good = series("lorenz").held_out[0]
    together, alone = violations(good, 3, SEEDS), violations(good[1:], 3, SEEDS[1:])
    assert all(torch.equal(together[name][1:], windows) for name, windows in alone.items())
    assert not torch.equal(together["spike"][0] - good[0], together["spike"][1] - good[1])


def test_a_score_that_knows_nothing_scores_one_half(normal: Normal) -> None:
    data = series("sine")
    found = violation_measures(lambda w: torch.zeros(w.shape[:-1]), data, SEEDS)
    assert all(values == [0.5, 0.5] for values in found.values())
    found = violation_measures(lambda w: normal(*w.shape[:-1]), data, SEEDS)
    for values in found.values():
        assert values == pytest.approx([0.5, 0.5], abs=0.15)


def test_an_oracle_scores_one_and_its_opposite_nothing(data: SeriesData) -> None:
    held_out = data.held_out[0]

    def odd(w: Tensor) -> Tensor:
        gap = torch.cdist(w, held_out, compute_mode="donot_use_mm_for_euclid_dist")
        return (gap.amin(-1) > 1e-6).double()

    found = each_seed(violation_measures(odd, data, SEEDS))
    assert set(found) == {"violation"} | {
        f"violation_{kind}" for kind in ("spike", "static", "frozen", "spliced")
    }
    assert all(values == [1, 1] for values in found.values())
    opposite = violation_measures(lambda w: -odd(w), data, SEEDS)
    assert all(values == [0, 0] for values in opposite.values())


def test_the_mean_over_kinds_is_a_mean_over_kinds(data: SeriesData) -> None:
    states = data.held_out[0].shape[-1] // data.state_dim

    def stillness(w: Tensor) -> Tensor:  # sees one kind alone
        return -w.unflatten(-1, (states, data.state_dim)).diff(dim=-2)[..., -1, :].abs().sum(-1)

    found = violation_measures(stillness, data, SEEDS)
    assert found["violation_frozen"] == [1, 1]
    kinds = [values for name, values in found.items() if name != "violation"]
    assert found["violation"] == pytest.approx(np.mean(kinds, axis=0))
    assert max(found["violation"]) < 0.8


class Scaled(nn.Module):
    """A predictor that is a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, s: Tensor) -> Tensor:
        return self.factor * s


# --- images ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images() -> ImageData:
    """A few of scikit-learn's digits."""
    digits = mnist.load("digits")
    train = Halves.of(digits.train[:300], digits.train_labels[:300])
    test = Halves.of(digits.test[:100], digits.test_labels[:100])
    return ImageData(ShuffledBatches(train.left, train.right, batch_size=8, seeds=0), train, test)


PENALTY = 0.01


@pytest.fixture
def one_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the fair classifier no choice, and little to do."""
    monkeypatch.setattr(probes, "SOFTMAX_PENALTIES", (PENALTY,))


def logistic(seen: Tensor, unseen: Tensor, data: ImageData) -> list[float]:
    """Accuracy of scikit-learn's softmax regression, under the same penalty."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(seen.double().numpy())
    model = LogisticRegression(C=1 / (len(seen) * PENALTY), max_iter=1_000)
    model.fit(scaler.transform(seen.double().numpy()), data.train.labels.numpy())
    return [float(model.score(scaler.transform(unseen.double().numpy()), data.test.labels.numpy()))]


def voted(seen: Tensor, unseen: Tensor, data: ImageData) -> list[float]:
    """Accuracy of scikit-learn's five nearest neighbors."""
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(5).fit(seen.numpy(), data.train.labels.numpy())
    return [float(model.score(unseen.numpy(), data.test.labels.numpy()))]


@pytest.mark.usefixtures("one_penalty")
def test_image_measures_are_those_of_other_libraries(images: ImageData) -> None:
    which = condition("mnist", probe_steps=2)
    model = which.model(0).eval()
    found = each_seed(image_measures(model, which, images, 0), 1)
    for letter, read in (("a", model.embed), ("b", model.predict_forward)):
        expected = logistic(read(images.train.left), read(images.test.left), images)
        assert found[f"fair_accuracy_{letter}"] == pytest.approx(expected, abs=0.011)
    expected = voted(model.embed(images.train.left), model.embed(images.test.left), images)
    assert found["knn_accuracy"] == pytest.approx(expected, abs=0.03)  # ties are broken otherwise
    assert 0.3 < found["paper_accuracy"][0] <= 1  # chance is 0.1
    assert {"rank", "missed_future", "missed_past", "missed_loop"} <= found.keys()


@pytest.mark.usefixtures("one_penalty")
@pytest.mark.parametrize("knows", [True, False])
def test_drawings_are_judged_on_images_that_were_held_out(
    knows: bool, images: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Tensor] = []
    truth, mean = (
        images.test.right_pixels,
        images.train.right_pixels.mean(0).expand(len(images.test.right_pixels), -1),
    )

    def decoder(features: Tensor, pixels: Tensor, **_: object) -> Drawing:
        asked.append(features)
        assert pixels is images.train.right_pixels
        return Drawing(truth if knows else mean, float(len(asked)))

    monkeypatch.setattr(metrics, "train_decoder", decoder)
    which = condition("mnist", probe_steps=1)
    model = which.model(0).eval()
    found = image_measures(model, which, images, 0)
    torch.testing.assert_close(
        asked[0], model.embed(images.train.unnormalized("left"))
    )  # as the paper's script does
    torch.testing.assert_close(asked[1], model.embed(images.train.left))
    assert found["paper_decoder"] == [1]  # what it says of its own training set
    expected = voted(images.train.right_pixels, truth if knows else mean, images)
    assert found["fair_true"] == pytest.approx(expected, abs=0.03)
    error = np.square((truth - mean).double().numpy()).mean()
    assert found["fair_decoder"] == pytest.approx([0 if knows else error], rel=1e-5)
    edges = [
        sum(float(np.abs(np.diff(w.reshape(-1, 28, 14).numpy(), axis=i)).sum()) for i in (1, 2))
        for w in (truth if knows else mean, truth)
    ]
    for name in ("paper_sharpness", "fair_sharpness"):
        assert found[name] == pytest.approx([edges[0] / edges[1]], rel=1e-4)


class Drawing:
    """In place of a trained decoder: draws what it has been told to.

    Args:
        drawn: a picture for each test image.
        error: on its training set.
    """

    def __init__(self, drawn: Tensor, error: float) -> None:
        self.drawn, self.training_error = drawn, torch.tensor(error)

    def __call__(self, features: Tensor) -> Tensor:
        assert len(features) == len(self.drawn)
        return self.drawn


@pytest.mark.slow
@pytest.mark.usefixtures("one_penalty")
def test_image_baselines_are_those_of_other_libraries(images: ImageData) -> None:
    which = condition("mnist", "baselines", probe_steps=2)
    found = each_seed(untrained_images(which, images, 0), 1)
    flat, unseen = images.train.left.flatten(1), images.test.left.flatten(1)
    fresh = which.model(0).eval()
    assert found["raw_knn_accuracy"] == pytest.approx(voted(flat, unseen, images), abs=0.03)
    assert found["raw_accuracy"] == pytest.approx(logistic(flat, unseen, images), abs=0.011)
    expected = logistic(fresh.embed(images.train.left), fresh.embed(images.test.left), images)
    assert found["untrained_accuracy"] == pytest.approx(expected, abs=0.011)
    test = images.test.right_pixels.double().numpy()
    mean = images.train.right_pixels.double().numpy().mean(0)
    assert found["mean_image"] == pytest.approx([np.square(test - mean).mean()], rel=1e-5)
    assert 0 < found["untrained_decoder"][0] < 0.3
