"""What is read from a trained model and from what needs no training: the stored numbers, by name.

``paper_`` is the paper's probe (section 4.1), ``fair_`` one that has converged and is judged on
held-out data; ``_a`` and ``_b`` are the two protocols. :mod:`bijepa_core.evaluation.metrics` says
what every name means.
"""

from typing import NamedTuple

from torch import Tensor

from bijepa_core.data.mnist import ImageData
from bijepa_core.data.series import Pairs, SeriesData
from bijepa_core.evaluation.baselines import copy_last, extrapolate
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.probes import (
    Features,
    LinearProbe,
    adam_classifier,
    adam_probe,
    protocol_a,
    protocol_b,
    raw_input,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds

Scores = dict[str, list[float]]
"""The number's name, then one number a seed."""


def protocols(model: BiJEPA) -> dict[str, Features]:
    """Protocol ``a``, and Protocol ``b`` where the model has a forward predictor."""
    both = {"a": protocol_a(model), "b": protocol_b(model)}
    return both if model.forward_predictor is not None else {"a": both["a"]}


class ProbedSeries(NamedTuple):
    """One protocol of a series experiment under both probes.

    ``seen`` and ``unseen`` are its features of the probe set and of the held-out set.
    """

    seen: Tensor
    unseen: Tensor
    paper: LinearProbe
    fair: LinearProbe


def probe_series(
    model: BiJEPA, data: SeriesData, *, seeds: Seeds, probe_steps: int
) -> dict[str, ProbedSeries]:
    """Both probes of the first state of the target, by protocol; Args as :func:`series_scores`."""
    (x, first), (unseen_x, _) = data.next_state(data.probe), data.held_out
    probed = {}
    for name, features in protocols(model).items():
        seen = features(x)
        paper = adam_probe(seen, first, steps=probe_steps, seeds=seeds)
        probed[name] = ProbedSeries(seen, features(unseen_x), paper, ridge_probe(seen, first))
    return probed


def series_scores(
    model: BiJEPA,
    untrained: BiJEPA,
    data: SeriesData,
    *,
    seeds: Seeds,
    probe_steps: int,
    progress: bool = True,
) -> Scores:
    """How well the value (state) after the context can be read, for sine and Lorenz.

    Args:
        model: the trained model.
        untrained: the same model before training.
        data: of its seeds.
        seeds: the model's; they initialize the paper's probe, too.
        probe_steps: of the paper's probe.
        progress: not used: this takes seconds.

    Returns:
        ``paper_a``, ``paper_b``, ``fair_a``, ``fair_b``, and what needs no training:
        ``untrained``, ``raw``, ``copy_last`` and ``extrapolate``.
    """
    scores: Scores = {}
    _, truth = data.next_state(data.held_out)
    probes = probe_series(model, data, seeds=seeds, probe_steps=probe_steps)
    for name, probed in probes.items():
        scores[f"paper_{name}"] = per_seed(probed.paper.training_error)
        scores[f"fair_{name}"] = held_out_mse(probed.fair, probed.unseen, truth)
    return scores | series_baselines(untrained, data)


def series_baselines(untrained: BiJEPA, data: SeriesData) -> Scores:
    """Forecasts of the value (state) after the context that need no training.

    Args as :func:`series_scores`.

    Returns:
        ``copy_last`` and ``extrapolate``; ``raw`` and ``untrained``, the fair probe on the raw
        window and on the untrained encoder.
    """
    fit, judge = data.next_state(data.probe), data.next_state(data.held_out)
    unseen_x, truth = judge
    scores = {
        name: per_seed((rule(unseen_x, data.state_dim) - truth).square().mean((-2, -1)))
        for name, rule in (("copy_last", copy_last), ("extrapolate", extrapolate))
    }
    for name, features in (("untrained", protocol_a(untrained)), ("raw", raw_input)):
        scores[name] = fair_mse(features, fit, judge)
    return scores


def fair_mse(features: Features, fit: Pairs, judge: Pairs) -> list[float]:
    """Error of the fair probe: fitted to convergence, judged on data it has not seen.

    Args:
        features: of a window.
        fit, judge: windows and targets, to fit it on and to judge it on.

    Returns:
        One number a seed.
    """
    return held_out_mse(ridge_probe(features(fit[0]), fit[1]), features(judge[0]), judge[1])


def held_out_mse(probe: LinearProbe, features: Tensor, targets: Tensor) -> list[float]:
    """Error of a fitted probe on data it has not seen, one number a seed."""
    return per_seed(probe.mse(features.cpu().double(), targets.cpu().double()))


def image_scores(
    model: BiJEPA,
    untrained: BiJEPA,
    data: ImageData,
    *,
    seeds: Seeds,
    probe_steps: int,
    progress: bool = True,
) -> Scores:
    """Experiment 3: classify, and hallucinate the right half, from the left half's features.

    Args:
        model, untrained, data, seeds: as in :func:`series_scores`.
        probe_steps: epochs of the paper's classifier and of the decoder (10).
        progress: show bars where somebody can see them.

    Returns:
        ``paper_accuracy`` and ``fair_accuracy_a``, of the digit on test images;
        ``decoder_training`` and ``fair_decoder``, the decoder's error on its training set and
        held out; the same from Protocol B, ending in ``_b``. ``paper_decoder`` and
        ``paper_decoder_test``: the decoder on Protocol A's features as the paper's script
        computes them, from images in 0..1 although the encoder learned on normalized ones. What
        needs no training: ``untrained_accuracy`` and ``mean_image``.
    """
    train, test = data.train, data.test
    pixels, test_pixels = train.right_pixels, test.right_pixels  # (n, 392)

    def decode(seen: Tensor, unseen: Tensor) -> tuple[list[float], list[float]]:
        decoder = train_decoder(seen, pixels, epochs=probe_steps, seeds=seeds, progress=progress)
        return per_seed(decoder.training_error), per_seed(decoder.mse(unseen, test_pixels))

    def classify(seen: Tensor, unseen: Tensor) -> list[float]:
        probe = softmax_classifier(seen, train.labels)
        return per_seed(probe.accuracy(unseen.cpu().double(), test.labels.cpu()))

    scores: Scores = {}
    for name, features in protocols(model).items():
        seen, unseen = features(train.left), features(test.left)
        paper = adam_classifier(
            seen, train.labels, epochs=probe_steps, seeds=seeds, progress=progress
        )
        end = {"a": "", "b": "_b"}[name]
        scores[f"paper_accuracy{end}"] = per_seed(paper.accuracy(unseen, test.labels))
        scores[f"fair_accuracy_{name}"] = classify(seen, unseen)
        scores[f"decoder_training{end}"], scores[f"fair_decoder{end}"] = decode(seen, unseen)
    embed, fresh = protocol_a(model), protocol_a(untrained)
    scores["paper_decoder"], scores["paper_decoder_test"] = decode(
        embed(train.unnormalized("left")), embed(test.unnormalized("left"))
    )
    scores["untrained_accuracy"] = classify(fresh(train.left), fresh(test.left))
    scores["mean_image"] = per_seed((pixels.mean(0) - test_pixels).square().mean())
    return scores
