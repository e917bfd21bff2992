"""What the study measures on each trained model: one number a seed under each name.

What any model may be asked stands in :mod:`bijepa_core.evaluation`; here is what the claims ask
beside it: gains, and windows that break the law. :class:`bijepa_book.watch.Watch` looks at a model
while it learns.
"""

import math

import torch
from torch import Tensor

from bijepa_book.bayes import best_forecast
from bijepa_book.evidence.grid import Condition
from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import COLUMNS, ROWS, ImageData
from bijepa_core.data.series import SeriesData
from bijepa_core.diagnostics import effective_rank, inconsistency, norm, variance
from bijepa_core.evaluation.metrics import (
    auroc,
    fraction_unexplained,
    mahalanobis,
    neighbor_accuracy,
    neighbor_errors,
    per_seed,
    sharpness,
)
from bijepa_core.evaluation.probes import (
    Features,
    TrainedDecoder,
    adam_classifier,
    protocol_a,
    raw_input,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.evaluation.scores import (
    Scores,
    fair_mse,
    held_out_mse,
    probe_series,
    protocols,
    series_baselines,
)
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds, sample_per_seed

LOOKED_AT = 2_000
GAINS = (0.5, 2.0)  # by which a signal is made fainter and louder
FLOOR = 1e-6  # under the variances of a plain distance: a thousandth of the data's spread


# --- series -----------------------------------------------------------------------------------


def series_measures(model: BiJEPA, condition: Condition, data: SeriesData, seeds: Seeds) -> Scores:
    """A trained model of the sine or the Lorenz experiment.

    Args:
        model: trained.
        condition: that it was trained under.
        data: its seeds' data.
        seeds: of the model, a sequence.

    Returns:
        For Protocols a and b, on the value (state) after the context: ``paper_``, the paper's
        probe (its training error), ``fair_``, the fair one held out, ``knn_``, nearest
        neighbors, held out; ``whole_``, the fair probe on the whole target; ``weight_``, the
        size of the fair probe's weights; ``swing_``, the variance of its forecasts over the
        truth's. ``past_``: the same fair probe on the
        whole context, from ``s_y`` (a) and from the backward predictor (b). The rest: see
        :func:`latent_measures`, :func:`gain_measures` and :func:`violation_measures`.
    """
    (x, y), (unseen_x, unseen_y) = data.probe, data.held_out
    (_, first), (_, unseen_first) = data.next_state(data.probe), data.next_state(data.held_out)
    few = slice(LOOKED_AT)
    scores: Scores = {}
    probes = probe_series(model, data, seeds=seeds, probe_steps=condition.experiment.probe_steps)
    for letter, (seen, unseen, paper, fair) in probes.items():
        scores[f"paper_{letter}"] = per_seed(paper.training_error)
        scores[f"fair_{letter}"] = held_out_mse(fair, unseen, unseen_first)
        scores[f"weight_{letter}"] = per_seed(fair.weight.norm(dim=(-2, -1)))
        scores[f"whole_{letter}"] = held_out_mse(ridge_probe(seen, y), unseen, unseen_y)
        scores[f"knn_{letter}"] = neighbor_errors(
            seen, first, unseen[..., few, :], unseen_first[..., few, :]
        )
        for which, probe, s, truth in (
            ("paper", paper, seen, first),
            ("fair", fair, unseen.double(), unseen_first),
        ):
            swing = variance(probe(s.cpu())) / variance(truth.cpu().double())
            scores[f"swing_{which}_{letter}"] = per_seed(swing)
    present: dict[str, Features] = {"a": protocol_a(model)}
    if model.backward_predictor is not None:
        present["b"] = model.predict_backward
    for letter, features in present.items():
        scores[f"past_{letter}"] = fair_mse(features, (y, x), (unseen_y, unseen_x))
    scores |= latent_measures(model, unseen_x, unseen_y)
    scores |= gain_measures(model, data, seeds)
    if model.forward_predictor is not None and model.backward_predictor is not None:
        scores |= violation_measures(lambda w: inconsistency(model, w), data, seeds)
    return scores


def untrained_series(condition: Condition, data: SeriesData, seeds: Seeds) -> Scores:
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
    (x, y), (unseen_x, unseen_y) = data.probe, data.held_out
    (_, first), (_, unseen_first) = data.next_state(data.probe), data.next_state(data.held_out)
    untrained, few = condition.model(seeds), slice(LOOKED_AT)
    scores = series_baselines(untrained, data)
    scores["raw_whole"] = fair_mse(raw_input, data.probe, data.held_out)
    scores["raw_past"] = fair_mse(raw_input, (y, x), (unseen_y, unseen_x))
    scores["raw_knn"] = neighbor_errors(x, first, unseen_x[..., few, :], unseen_first[..., few, :])
    scores["untrained_whole"] = fair_mse(protocol_a(untrained), data.probe, data.held_out)
    scores["mean"] = per_seed(variance(unseen_first))
    if condition.experiment.name == "sine":
        best = torch.stack([best_forecast(one) for one in unseen_x[..., few, :]])
        wrong = (best - unseen_y[..., few, :]).square()
        scores["best"] = per_seed(wrong[..., 0].mean(-1))
        scores["best_whole"] = per_seed(wrong.mean((-2, -1)))
    far = [mahalanobis(one, FLOOR) for one in x]

    def distance(windows: Tensor) -> Tensor:
        return torch.stack([f(one) for f, one in zip(far, windows, strict=True)])

    return scores | {
        name.replace("violation", "distance"): values
        for name, values in violation_measures(distance, data, seeds).items()
    }


def latent_measures(model: BiJEPA, x: Tensor, y: Tensor) -> Scores:
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
    scores = {"rank": per_seed(effective_rank(s)), "size": per_seed(norm(s).mean(-1))}
    with inference(model):
        if model.forward_predictor is not None:
            scores["missed_future"] = per_seed(fraction_unexplained(model.forecast(x), t))
        if model.backward_predictor is not None:
            scores["missed_past"] = per_seed(fraction_unexplained(model.infer_past(y), s))
        if model.forward_predictor is not None and model.backward_predictor is not None:
            around = model.backward_predictor(model.forward_predictor(s))
            scores["missed_loop"] = per_seed(
                fraction_unexplained(model.constraint.project(around), s)
            )
    return scores


def gain_measures(model: BiJEPA, data: SeriesData, seeds: Seeds) -> Scores:
    """What a signal that is fainter or louder does to its embedding.

    Args:
        model: trained on signals of one loudness.
        data: of its seeds.
        seeds: a sequence.

    Returns:
        ``gain_drift``: the mean squared change of the embedding under gains of one half and two,
        over its variance; ``gain_error``: the error of the fair probe, fitted at gain 1, when
        it reads the target (at gain 1) from contexts under those gains; ``gain_hidden``: the
        share of the variance of a random gain from U(0.5, 1.5) that a fair probe on the
        embedding leaves unexplained.
    """
    (x, first), (unseen_x, truth) = map(data.next_state, (data.probe, data.held_out))
    read, few = protocol_a(model), unseen_x[..., :LOOKED_AT, :]
    usual = read(few)
    probe = ridge_probe(read(x), first)
    drifts, errors = [], []
    for gain in GAINS:
        moved = read(gain * few)
        drifts.append((moved - usual).square().mean((-2, -1)) / variance(usual))
        errors.append(probe.mse(moved.cpu().double(), truth[..., :LOOKED_AT, :].cpu().double()))

    def gains(purpose: str, count: int) -> Tensor:
        return sample_per_seed(
            seeds, purpose, lambda g: 0.5 + torch.rand(count, 1, generator=g)
        ).to(x)

    near = gains("evidence/gains", x.shape[-2])  # (seeds, n, 1)
    far = gains("evidence/held-out gains", unseen_x.shape[-2])
    unread = ridge_probe(read(near * x), near).mse(
        read(far * unseen_x).cpu().double(), far.cpu().double()
    )
    return {
        "gain_drift": per_seed(torch.stack(drifts).mean(0)),
        "gain_error": per_seed(torch.stack(errors).mean(0)),
        "gain_hidden": per_seed(unread / variance(far.cpu().double())),
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
        is another window's, moved to fit. Scores are near unit variance in both experiments.
    """
    n, states = x.shape[-2], x.shape[-1] // size
    good = x.unflatten(-1, (states, size))  # (seeds, n, states, size)
    half = states // 2
    where = sample_per_seed(
        seeds, "evidence/spike", lambda g: torch.randint(states, (n,), generator=g)
    )
    noise = sample_per_seed(
        seeds, "evidence/static", lambda g: torch.randn(n, states, size, generator=g)
    )
    spike, frozen, spliced = good.clone(), good.clone(), good.clone()
    spike += torch.nn.functional.one_hot(where, states)[..., None].to(good)
    frozen[..., half:, :] = good[..., half : half + 1, :]
    other = good.roll(1, dims=1)
    shift = good[..., half : half + 1, :] - other[..., half : half + 1, :]
    spliced[..., half:, :] = other[..., half:, :] + shift
    odd = {"spike": spike, "static": good + 0.15 * noise, "frozen": frozen, "spliced": spliced}
    return {name: windows.flatten(-2) for name, windows in odd.items()}


def violation_measures(score: Features, data: SeriesData, seeds: Seeds) -> Scores:
    """How well a score tells windows that break the law from good ones.

    Args:
        score: maps windows ``(seeds, n, inputs)`` to ``(seeds, n)``, high where odd.
        data: of the seeds.
        seeds: a sequence.

    Returns:
        ``violation_<kind>`` for each kind of :func:`violations`: the chance that an odd window
        scores above a good one; ``violation``: their mean.
    """
    x = data.held_out[0]
    good, source = x[..., :LOOKED_AT, :], x[..., LOOKED_AT : 2 * LOOKED_AT, :]
    usual = score(good)
    scores = {
        f"violation_{kind}": [auroc(a, b) for a, b in zip(usual, score(odd), strict=True)]
        for kind, odd in violations(source, data.state_dim, seeds).items()
    }
    each = list(scores.values())
    scores["violation"] = [math.fsum(column) / len(each) for column in zip(*each, strict=True)]
    return scores


# --- images -----------------------------------------------------------------------------------


def image_measures(model: BiJEPA, condition: Condition, data: ImageData, seed: int) -> Scores:
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
    epochs, train, test = condition.experiment.probe_steps, data.train, data.test
    read = protocol_a(model)
    seen, unseen = read(train.left), read(test.left)
    quick = adam_classifier(seen, train.labels, epochs=epochs, seeds=seed, progress=False)
    scores = {"paper_accuracy": per_seed(quick.accuracy(unseen, test.labels))}
    for letter, features in protocols(model).items():
        probe = softmax_classifier(features(train.left), train.labels)
        scores[f"fair_accuracy_{letter}"] = per_seed(
            probe.accuracy(features(test.left).double(), test.labels)
        )
    scores["knn_accuracy"] = [neighbor_accuracy(unseen, seen, test.labels, train.labels)]

    def decoder(features: Tensor) -> TrainedDecoder:
        return train_decoder(
            features, train.right_pixels, epochs=epochs, seeds=seed, progress=False
        )

    def edges(drawn: Tensor) -> list[float]:
        halves = (pixels.unflatten(-1, (ROWS, COLUMNS)) for pixels in (drawn, test.right_pixels))
        return [sharpness(*halves)]

    script, usual = decoder(read(train.unnormalized("left"))), decoder(seen)
    drawn, few = usual(unseen), test.first(LOOKED_AT)
    scores["paper_decoder"] = per_seed(script.training_error)
    scores["paper_sharpness"] = edges(script(read(test.unnormalized("left"))))
    scores["fair_decoder"] = per_seed((drawn - test.right_pixels).square().mean())
    scores["fair_sharpness"] = edges(drawn)
    scores["fair_true"] = [
        neighbor_accuracy(drawn[:LOOKED_AT], train.right_pixels, few.labels, train.labels)
    ]
    return scores | latent_measures(model, test.left, test.right)


def untrained_images(condition: Condition, data: ImageData, seed: int) -> Scores:
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
    epochs, train, test = condition.experiment.probe_steps, data.train, data.test
    read = protocol_a(condition.model(seed))
    seen, unseen = read(train.left), read(test.left)
    probe = softmax_classifier(seen, train.labels)
    drawing = train_decoder(seen, train.right_pixels, epochs=epochs, seeds=seed, progress=False)
    scores = {
        "untrained_accuracy": per_seed(probe.accuracy(unseen.double(), test.labels)),
        "untrained_decoder": per_seed(drawing.mse(unseen, test.right_pixels)),
    }
    if seed == 0:
        flat, flat_test = train.left.flatten(1), test.left.flatten(1)
        raw = softmax_classifier(flat, train.labels)
        near = neighbor_accuracy(flat_test, flat, test.labels, train.labels)
        constant = (train.right_pixels.mean(0) - test.right_pixels).square().mean()
        scores["raw_accuracy"] = per_seed(raw.accuracy(flat_test.double(), test.labels))
        scores["raw_knn_accuracy"] = [near]
        scores["mean_image"] = per_seed(constant)
    return scores


# --- whichever data ---------------------------------------------------------------------------


def measures(
    model: BiJEPA, condition: Condition, data: SeriesData | ImageData, seeds: Seeds
) -> Scores:
    """All that is measured on a trained model: :func:`series_measures` or :func:`image_measures`.

    Args:
        model: trained.
        condition: that it was trained under.
        data: of its seeds.
        seeds: the model's: a sequence for a series, one seed for images.

    Returns:
        One number a seed under each name.
    """
    if isinstance(data, SeriesData):
        return series_measures(model, condition, data, seeds)
    return image_measures(model, condition, data, _single(seeds))


def baselines(condition: Condition, data: SeriesData | ImageData, seeds: Seeds) -> Scores:
    """All that needs no training: :func:`untrained_series` or :func:`untrained_images`.

    Args and returns as :func:`measures`.
    """
    if isinstance(data, SeriesData):
        return untrained_series(condition, data, seeds)
    return untrained_images(condition, data, _single(seeds))


def _single(seeds: Seeds) -> int:
    if not isinstance(seeds, int):
        raise ValueError(f"images are measured one seed at a time; received seeds {seeds!r}.")
    return seeds
