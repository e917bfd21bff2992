"""What is measured on each trained model: one number a seed under each name."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bijepa_book.chapters.courses import course
from bijepa_book.chapters.mnist import neighbor_accuracy, sharpness
from bijepa_book.chapters.own_data import auroc
from bijepa_book.chapters.sphere import best_forecast, roughness
from bijepa_book.evidence.grid import Condition
from bijepa_core._support.checks import inference
from bijepa_core.data import mnist
from bijepa_core.diagnostics import effective_rank, inconsistency, loop_spectrum, norm, variance
from bijepa_core.evaluation.baselines import copy_last, extrapolate
from bijepa_core.evaluation.probes import (
    Features,
    LinearProbe,
    TrainedDecoder,
    adam_classifier,
    adam_probe,
    protocol_a,
    raw_input,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.evaluation.scores import protocols
from bijepa_core.history import History
from bijepa_core.model import BiJEPA
from bijepa_core.runs import SeriesData
from bijepa_core.seeds import Seeds, sample_per_seed

Values = dict[str, list[float]]
"""Measure, then one number a seed."""
NEIGHBORS, LOOKED_AT, WATCHED = 10, 2_000, 8
GAINS = (0.5, 2.0)  # by which a signal is made fainter and louder
LOOKS = 20  # at a model while it learns


def plain(values: Tensor) -> list[float]:
    """One float a seed."""
    return torch.atleast_1d(values.detach()).double().tolist()


# --- while it learns --------------------------------------------------------------------------


class Watch:
    """Looks at a model while it learns, on a few fixed contexts: an ``on_log`` of ``pretrain``.

    Args:
        model: before training.
        x: contexts, ``(*seeds, n, inputs)``.
    """

    def __init__(self, model: BiJEPA, x: Tensor) -> None:
        self.model, self.x = model, x
        self.steps: list[int] = []
        self.norms: list[Tensor] = []
        self.leads: list[Tensor] = []
        self.radii: list[Tensor] = []

    def __call__(self, step: int, history: History) -> None:
        """Look, at every twentieth part of the training."""
        every = max(history.steps // LOOKS // history.log_every, 1) * history.log_every
        if step % every:
            return
        model, x = self.model, self.x
        with inference(model):
            online, target = (
                norm(model.constraint.project(encoder(x))).mean(-1)
                for encoder in (model.online, model.target)
            )
        self.steps.append(step)
        self.norms.append(online.cpu())
        self.leads.append((online / target).cpu())
        if model.forward_predictor is not None and model.backward_predictor is not None:
            largest = loop_spectrum(model, x).abs()[..., 0]  # (*seeds, n)
            self.radii.append(largest.quantile(0.5, dim=-1))

    def measures(self) -> Values:
        """Where the norm grew most, and what the loop of predictors did there.

        Returns:
            ``lead``, the largest ratio of the online encoder's norm to the target's; with both
            predictors, ``radius_growing``, the loop's largest eigenvalue (modulus; the median
            over contexts) at the look after which the norm grew by the largest factor, and
            ``radius_last``.
        """
        found = {"lead": plain(torch.stack(self.leads).amax(0))}
        if self.radii:
            radii, norms = torch.stack(self.radii), torch.stack(self.norms)  # (looks, *seeds)
            steepest = norms.log().diff(dim=0).argmax(0)  # (*seeds,)
            found["radius_growing"] = plain(radii.gather(0, steepest[None])[0])
            found["radius_last"] = plain(radii[-1])
        return found

    def curves(self) -> dict[str, list[object]]:
        """The looks themselves: ``steps``, and ``norm`` and ``radius``, a list a seed each."""
        found: dict[str, list[object]] = {"steps": list(self.steps)}
        for name, values in (("norm", self.norms), ("radius", self.radii)):
            if values:
                found[name] = torch.stack(values).reshape(len(values), -1).T.tolist()
        return found


def training_measures(history: History) -> Values:
    """What the losses say.

    Args:
        history: of a training run.

    Returns:
        The numbers of :func:`bijepa_book.chapters.courses.course`; ``relative_rebound``, the
        relative loss over the last tenth over its lowest mean over a twentieth; ``roughness``
        of the loss that was minimized, and of each direction alone; ``rises``, the share of
        means over 100 steps that lie above the one before; ``train_loss``, the mean of the last
        100 steps.
    """
    found = course(history)
    relative = history.diagnostics["relative_loss"]
    lowest = torch.stack([part.mean(0) for part in relative.split(_part(relative, 20))]).amin(0)
    found["relative_rebound"] = plain(relative[-_part(relative, 10) :].mean(0) / lowest)
    for name in ("total", "forward", "backward"):
        curve = history.losses[name]
        if not curve.isnan().any():
            found["roughness" if name == "total" else f"roughness_{name}"] = plain(roughness(curve))
    _, means = history.smooth_loss(100)
    found["rises"] = plain((means.diff(dim=0) > 0).double().mean(0))
    found["train_loss"] = plain(history.mean_loss()[-100:].mean(0))
    return found


def _part(curve: Tensor, parts: int) -> int:
    return max(len(curve) // parts, 1)


# --- series -----------------------------------------------------------------------------------


def series_measures(model: BiJEPA, condition: Condition, data: SeriesData, seeds: Seeds) -> Values:
    """A trained model of the sine or the Lorenz experiment.

    Args:
        model: trained.
        condition: that it was trained under.
        data: its seeds' data.
        seeds: of the model, a sequence.

    Returns:
        For Protocols a and b, on the value (state) after the context: ``paper_``, the paper's
        probe (its training error), ``fair_``, the converged one held out, ``knn_``, nearest
        neighbors, held out; ``whole_``, the converged probe on the whole target; ``weight_``, the
        size of the converged probe's weights; ``swing_``, the variance of its forecasts over the
        truth's. ``past_``: the same converged probe on the
        whole context, from ``s_y`` (a) and from the backward predictor (b). The rest: see
        :func:`latent_measures`, :func:`gain_measures` and :func:`violation_measures`.
    """
    (x, y), (unseen_x, unseen_y) = data.probe_windows, data.held_out_windows
    size, found = data.size, Values()
    first, unseen_first = y[..., :size], unseen_y[..., :size]
    for name, features in protocols(model).items():
        letter = name[-1]
        seen, unseen = features(x), features(unseen_x)
        paper = adam_probe(seen, first, steps=condition.experiment.probe_steps, seeds=seeds)
        fair = ridge_probe(seen, first)
        found[f"paper_{letter}"] = plain(paper.training_error)
        found[f"fair_{letter}"] = held_out_mse(fair, unseen, unseen_first)
        found[f"weight_{letter}"] = plain(fair.weight.norm(dim=(-2, -1)))
        found[f"whole_{letter}"] = held_out_mse(ridge_probe(seen, y), unseen, unseen_y)
        found[f"knn_{letter}"] = neighbor_errors(seen, first, unseen, unseen_first)
        for which, probe, s, truth in (
            ("paper", paper, seen, first),
            ("fair", fair, unseen.double(), unseen_first),
        ):
            swing = variance(probe(s.cpu())) / variance(truth.cpu().double())
            found[f"swing_{which}_{letter}"] = plain(swing)
    present: dict[str, Features] = {"a": protocol_a(model)}
    if model.backward_predictor is not None:
        present["b"] = model.predict_backward
    for letter, features in present.items():
        probe = ridge_probe(features(y), x)
        found[f"past_{letter}"] = held_out_mse(probe, features(unseen_y), unseen_x)
    found |= latent_measures(model, unseen_x, unseen_y)
    found |= gain_measures(model, data, seeds)
    if model.forward_predictor is not None and model.backward_predictor is not None:
        found |= violation_measures(lambda w: inconsistency(model, w), data, seeds)
    return found


def series_baselines(condition: Condition, data: SeriesData, seeds: Seeds) -> Values:
    """What needs no training, on the same data.

    Args:
        condition: says which experiment.
        data: of the seeds.
        seeds: a sequence.

    Returns:
        ``copy_last``, ``extrapolate``: errors of the value (state) after the context; ``raw``,
        ``raw_whole``, ``raw_past``, ``raw_knn``: probes on the raw window; ``untrained`` and
        ``untrained_whole``: on an encoder before training; ``mean``: the variance of the value;
        ``distance_*``: violations told by distance (:func:`violation_measures`). For sine,
        ``best`` and ``best_whole``, the lowest errors that any forecast can have.
    """
    (x, y), (unseen_x, unseen_y) = data.probe_windows, data.held_out_windows
    size, first, unseen_first = data.size, y[..., : data.size], unseen_y[..., : data.size]
    rules: dict[str, Callable[[Tensor, int], Tensor]] = {
        "copy_last": copy_last,
        "extrapolate": extrapolate,
    }
    found: Values = {
        name: plain((rule(unseen_x, size) - unseen_first).square().mean((-2, -1)))
        for name, rule in rules.items()
    }
    found["raw"] = held_out_mse(ridge_probe(x, first), unseen_x, unseen_first)
    found["raw_whole"] = held_out_mse(ridge_probe(x, y), unseen_x, unseen_y)
    found["raw_past"] = held_out_mse(ridge_probe(y, x), unseen_y, unseen_x)
    found["raw_knn"] = neighbor_errors(raw_input(x), first, unseen_x, unseen_first)
    fresh = protocol_a(condition.model(seeds))
    seen, unseen = fresh(x), fresh(unseen_x)
    found["untrained"] = held_out_mse(ridge_probe(seen, first), unseen, unseen_first)
    found["untrained_whole"] = held_out_mse(ridge_probe(seen, y), unseen, unseen_y)
    found["mean"] = plain(variance(unseen_first))
    if condition.experiment.name == "sine":
        few, truth = unseen_x[..., :LOOKED_AT, :], unseen_y[..., :LOOKED_AT, :]
        wrong = (torch.stack([best_forecast(one) for one in few]) - truth).square()
        found["best"] = plain(wrong[..., 0].mean(-1))
        found["best_whole"] = plain(wrong.mean((-2, -1)))
    far = [plain_distance(one) for one in x]

    def distance(windows: Tensor) -> Tensor:
        return torch.stack([f(one) for f, one in zip(far, windows, strict=True)])

    found |= {
        name.replace("violation", "distance"): values
        for name, values in violation_measures(distance, data, seeds).items()
    }
    return found


def plain_distance(good: Tensor, floor: float = 1e-6) -> Callable[[Tensor], Tensor]:
    """Squared distance from the mean in units of the covariance, with a floor under the latter.

    Lorenz windows of 60 numbers vary in a few directions only. Without a floor the others'
    variance is rounding error, and so is the distance.

    Args:
        good: windows, ``(n, d)``.
        floor: added to each variance, as a share of the mean variance: a resolution of a
            thousandth of the data's spread.

    Returns:
        Maps windows ``(m, d)`` to scores ``(m,)``.
    """
    f = good.cpu().double()
    covariance = torch.cov(f.T)
    least = floor * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh(covariance)
    scale = (values.clamp_min(0) + least).rsqrt()

    def distance(windows: Tensor) -> Tensor:
        return ((windows.cpu().double() - f.mean(0)) @ vectors * scale).square().sum(-1)

    return distance


def held_out_mse(probe: LinearProbe, features: Tensor, targets: Tensor) -> list[float]:
    """Error of a converged probe on data it has not seen, one number a seed."""
    return plain(probe.mse(features.cpu().double(), targets.cpu().double()))


def neighbor_errors(
    seen: Tensor, targets: Tensor, unseen: Tensor, truth: Tensor, count: int = NEIGHBORS
) -> list[float]:
    """Error of the mean target of the nearest neighbors, on standardized features.

    Args:
        seen, targets: ``(*seeds, n, d)`` and ``(*seeds, n, k)``.
        unseen, truth: held-out ones; the first 2,000 are looked at.
        count: neighbors.

    Returns:
        One number a seed.
    """
    known, asked = seen.cpu().double(), unseen[..., :LOOKED_AT, :].cpu().double()
    center, scale = known.mean(-2, keepdim=True), known.std(-2, keepdim=True).clamp_min(1e-12)
    bank, queries = (known - center) / scale, (asked - center) / scale
    errors = []
    for b, q, t, y in zip(bank, queries, targets, truth[..., :LOOKED_AT, :], strict=True):
        nearest = torch.cdist(q, b).topk(count, largest=False).indices  # (queries, count)
        errors.append((t[nearest].mean(-2) - y).square().mean())
    return plain(torch.stack(errors))


def latent_measures(model: BiJEPA, x: Tensor, y: Tensor) -> Values:
    """How predictable held-out embeddings are from each other.

    Args:
        model: trained.
        x, y: held-out views, ``(*seeds, n, *view)``.

    Returns:
        ``rank``, the effective rank of ``s_x``; ``size``, its mean norm; ``missed_future``, the
        share of the variance of ``s_y`` that the forecast leaves unexplained; ``missed_past``,
        the mirror; ``missed_loop``, the same there and back. At inference there is one encoder:
        both embeddings are the online encoder's.
    """
    few = (slice(None),) * (x.ndim - len(model.view_shape or x.shape[-1:]) - 1) + (
        slice(LOOKED_AT),
    )
    x, y = x[few], y[few]
    s, t = model.embed(x), model.embed(y)
    found = {"rank": plain(effective_rank(s)), "size": plain(norm(s).mean(-1))}
    with inference(model):
        if model.forward_predictor is not None:
            found["missed_future"] = missed(model.forecast(x), t)
        if model.backward_predictor is not None:
            found["missed_past"] = missed(model.infer_past(y), s)
        if model.forward_predictor is not None and model.backward_predictor is not None:
            found["missed_loop"] = missed(
                model.constraint.project(model.backward_predictor(model.forward_predictor(s))), s
            )
    return found


def missed(guess: Tensor, truth: Tensor) -> list[float]:
    """Mean squared error over the truth's variance, one number a seed."""
    return plain((guess - truth).square().mean((-2, -1)) / variance(truth))


def gain_measures(model: BiJEPA, data: SeriesData, seeds: Seeds) -> Values:
    """What a signal that is fainter or louder does to its embedding.

    Args:
        model: trained on signals of one loudness.
        data: of its seeds.
        seeds: a sequence.

    Returns:
        ``gain_drift``: the mean squared change of the embedding under gains of one half and two,
        over its variance; ``gain_error``: the error of the converged probe, fitted at gain 1, when
        it reads the target (at gain 1) from contexts under those gains; ``gain_hidden``: the
        share of the variance of a random gain from U(0.5, 1.5) that a converged probe on the
        embedding leaves unexplained.
    """
    (x, first), (unseen_x, truth) = data.probe, data.held_out
    read, few = protocol_a(model), unseen_x[..., :LOOKED_AT, :]
    usual = read(few)
    probe = ridge_probe(read(x), first)
    drifts, errors = [], []
    for gain in GAINS:
        moved = read(gain * few)
        drifts.append((moved - usual).square().mean((-2, -1)) / variance(usual))
        errors.append(probe.mse(moved.cpu().double(), truth[..., :LOOKED_AT, :].cpu().double()))

    def gains(purpose: str, count: int) -> Tensor:
        return sample_per_seed(seeds, purpose, lambda g: 0.5 + torch.rand(count, 1, generator=g)).to(x)

    near = gains("evidence/gains", x.shape[-2])  # (seeds, n, 1)
    far = gains("evidence/held-out gains", unseen_x.shape[-2])
    unread = ridge_probe(read(near * x), near).mse(
        read(far * unseen_x).cpu().double(), far.cpu().double()
    )
    return {
        "gain_drift": plain(torch.stack(drifts).mean(0)),
        "gain_error": plain(torch.stack(errors).mean(0)),
        "gain_hidden": plain(unread / variance(far.cpu().double())),
    }


def violations(x: Tensor, size: int, seeds: Seeds) -> dict[str, Tensor]:
    """Windows that break the system's law, made from good ones.

    Args:
        x: ``(seeds, n, states * size)``.
        size: numbers in a state.
        seeds: a sequence.

    Returns:
        ``spike``: one state is off by one; ``static``: noise of deviation 0.15 on top;
        ``frozen``: the second half repeats its first state; ``spliced``: the second half
        is another window's, moved to fit. Values are near unit variance in both experiments.
    """
    n, states = x.shape[-2], x.shape[-1] // size
    good = x.unflatten(-1, (states, size))  # (seeds, n, states, size)
    half = states // 2
    where = sample_per_seed(seeds, "evidence/spike", lambda g: torch.randint(states, (n,), generator=g))
    noise = sample_per_seed(seeds, "evidence/static", lambda g: torch.randn(n, states, size, generator=g))
    spike, frozen, spliced = good.clone(), good.clone(), good.clone()
    spike += torch.nn.functional.one_hot(where, states)[..., None].to(good)
    frozen[..., half:, :] = good[..., half : half + 1, :]
    other = good.roll(1, dims=1)
    shift = good[..., half : half + 1, :] - other[..., half : half + 1, :]
    spliced[..., half:, :] = other[..., half:, :] + shift
    odd = {"spike": spike, "static": good + 0.15 * noise, "frozen": frozen, "spliced": spliced}
    return {name: windows.flatten(-2) for name, windows in odd.items()}


def violation_measures(score: Features, data: SeriesData, seeds: Seeds) -> Values:
    """How well a score tells windows that break the law from good ones.

    Args:
        score: maps windows ``(seeds, n, inputs)`` to ``(seeds, n)``, high where odd.
        data: of the seeds.
        seeds: a sequence.

    Returns:
        ``violation_<kind>`` for each kind of :func:`violations`: the chance that an odd window
        scores above a good one; ``violation``: their mean.
    """
    x = data.held_out_windows[0]
    good, source = x[..., :LOOKED_AT, :], x[..., LOOKED_AT : 2 * LOOKED_AT, :]
    usual = score(good)
    found = {
        f"violation_{kind}": [auroc(a, b) for a, b in zip(usual, score(odd), strict=True)]
        for kind, odd in violations(source, data.size, seeds).items()
    }
    each = list(found.values())
    found["violation"] = [math.fsum(column) / len(each) for column in zip(*each, strict=True)]
    return found


# --- images -----------------------------------------------------------------------------------


class Halves:
    """The images as the MNIST measures need them.

    Args:
        digits: training and test images.
    """

    def __init__(self, digits: mnist.Digits, device: torch.device) -> None:
        train, test = digits.train.to(device), digits.test.to(device)
        self.left, self.right = mnist.halves(mnist.normalize(train))
        self.test_left, self.test_right = mnist.halves(mnist.normalize(test))
        self.scaled, pixels = mnist.halves(mnist.scale(train))
        _, test_pixels = mnist.halves(mnist.scale(test))
        self.pixels, self.test_pixels = pixels.flatten(1), test_pixels.flatten(1)  # (n, 392)
        self.scaled_test, _ = mnist.halves(mnist.scale(test))
        self.labels, self.test_labels = digits.train_labels, digits.test_labels


def image_measures(model: BiJEPA, condition: Condition, data: Halves, seed: int) -> Values:
    """A trained model of the MNIST experiment.

    Args:
        model: trained, of one seed.
        condition: that it was trained under.
        data: the images.
        seed: the model's.

    Returns:
        ``paper_accuracy``, the paper's classifier on the test images; ``fair_accuracy_a`` and
        ``_b``, converged softmax regression; ``knn_accuracy``, five neighbors;
        ``paper_decoder``, the script's decoder (images rescaled before the encoder, error on its
        training set) with ``paper_sharpness``; ``fair_decoder``, the same decoder on the
        images that the encoder knows, held out, with ``fair_sharpness`` and ``fair_true``: how
        often five neighbors among real halves see the true digit in a drawing; and
        :func:`latent_measures`.
    """
    epochs = condition.experiment.probe_steps
    read = protocol_a(model)
    seen, unseen = read(data.left), read(data.test_left)
    quick = adam_classifier(seen, data.labels, epochs=epochs, seeds=seed, progress=False)
    found = {"paper_accuracy": plain(quick.accuracy(unseen, data.test_labels))}
    for name, features in protocols(model).items():
        probe = softmax_classifier(features(data.left), data.labels)
        found[f"fair_accuracy_{name[-1]}"] = plain(
            probe.accuracy(features(data.test_left).double(), data.test_labels)
        )
    found["knn_accuracy"] = [neighbor_accuracy(unseen, seen, data.test_labels, data.labels)]

    def decoder(features: Tensor) -> TrainedDecoder:
        return train_decoder(features, data.pixels, epochs=epochs, seeds=seed, progress=False)

    script, usual = decoder(read(data.scaled)), decoder(seen)
    drawn = usual(unseen)
    found["paper_decoder"] = plain(script.training_error)
    found["paper_sharpness"] = [sharpness(script(read(data.scaled_test)), data.test_pixels)]
    found["fair_decoder"] = plain((drawn - data.test_pixels).square().mean())
    found["fair_sharpness"] = [sharpness(drawn, data.test_pixels)]
    few = slice(LOOKED_AT)
    found["fair_true"] = [
        neighbor_accuracy(drawn[few], data.pixels, data.test_labels[few], data.labels)
    ]
    return found | latent_measures(model, data.test_left, data.test_right)


def image_baselines(condition: Condition, data: Halves, seed: int) -> Values:
    """What needs no training, on the same images.

    Args:
        condition: says which encoder.
        data: the images.
        seed: of the untrained encoder.

    Returns:
        ``untrained_accuracy``: converged softmax regression on an encoder before training;
        ``untrained_decoder``: the decoder's error on it. With seed 0 also what knows no seed:
        ``raw_accuracy``, the same regression on pixels (the slowest of all measures);
        ``raw_knn_accuracy``; ``mean_image``, the error of one drawing for all.
    """
    epochs = condition.experiment.probe_steps
    read = protocol_a(condition.model(seed))
    seen, unseen = read(data.left), read(data.test_left)
    probe = softmax_classifier(seen, data.labels)
    drawing = train_decoder(seen, data.pixels, epochs=epochs, seeds=seed, progress=False)
    found = {
        "untrained_accuracy": plain(probe.accuracy(unseen.double(), data.test_labels)),
        "untrained_decoder": plain(drawing.mse(unseen, data.test_pixels)),
    }
    if seed == 0:
        flat, flat_test = data.left.flatten(1), data.test_left.flatten(1)
        raw = softmax_classifier(flat, data.labels)
        near = neighbor_accuracy(flat_test, flat, data.test_labels, data.labels)
        constant = (data.pixels.mean(0) - data.test_pixels).square().mean()
        found["raw_accuracy"] = plain(raw.accuracy(flat_test.double(), data.test_labels))
        found["raw_knn_accuracy"] = [near]
        found["mean_image"] = plain(constant)
    return found
