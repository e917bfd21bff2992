"""Both protocols, both kinds of probe, and the baselines beside them."""

from collections.abc import Callable

import torch
from torch import Tensor

from bijepa_core.data import mnist
from bijepa_core.evaluation.baselines import copy_last, extrapolate
from bijepa_core.evaluation.probes import (
    Features,
    adam_classifier,
    adam_probe,
    protocol_a,
    protocol_b,
    raw_input,
    ridge_probe,
    softmax_classifier,
    train_decoder,
)
from bijepa_core.experiments import Experiment
from bijepa_core.model import BiJEPA
from bijepa_core.seeds import Seeds

Scores = dict[str, dict[str, list[float]]]
"""Features, then measure, then one number a seed."""


def protocols(model: BiJEPA) -> dict[str, Features]:
    """Protocol A, and Protocol B where the model has a forward predictor."""
    both = {"protocol_a": protocol_a(model), "protocol_b": protocol_b(model)}
    if model.forward_predictor is None:
        del both["protocol_b"]
    return both


def series_scores(
    model: BiJEPA,
    untrained: BiJEPA,
    experiment: Experiment,
    seeds: Seeds,
    training: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
) -> Scores:
    """How well the value (state) after the context can be read, for sine and Lorenz.

    Args:
        model: the trained model.
        untrained: the same model before training.
        experiment: sine or Lorenz.
        seeds: the model's seeds.
        training: the probe's contexts ``(*seeds, n, inputs)`` and targets ``(*seeds, n, k)``.
        held_out: the same, fresh, to judge the converged probe on.

    Returns:
        For ``protocol_a`` and ``protocol_b``: ``paper_mse`` (Adam, error on its own training
        set) and ``converged_mse`` (ridge, held out). For the untrained encoder and the raw input:
        ``converged_mse``. For copying and extrapolating: ``mse``.
    """
    (views, targets), (held_views, held_targets) = training, held_out
    scores: Scores = {}
    for name, features in protocols(model).items():
        seen = features(views)
        paper = adam_probe(seen, targets, steps=experiment.probe_steps, seeds=seeds)
        scores[name] = {"paper_mse": _plain(paper.training_error)}
        scores[name]["converged_mse"] = converged_mse(features, training, held_out)
    others = {"untrained_encoder": protocol_a(untrained), "raw_input": raw_input}
    for name, features in others.items():
        scores[name] = {"converged_mse": converged_mse(features, training, held_out)}
    rules: dict[str, Callable[[Tensor, int], Tensor]] = {
        "copy_last": copy_last,
        "extrapolate": extrapolate,
    }
    for name, rule in rules.items():
        error = (rule(held_views, targets.shape[-1]) - held_targets).square().mean((-2, -1))
        scores[name] = {"mse": _plain(error)}
    return scores


def converged_mse(
    features: Features, training: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]
) -> list[float]:
    """Held-out error of the ridge probe on features, one number a seed."""
    probe = ridge_probe(features(training[0]), training[1])
    return _plain(probe.mse(features(held_out[0]).cpu().double(), held_out[1].cpu().double()))


def image_scores(
    model: BiJEPA,
    untrained: BiJEPA,
    digits: mnist.Digits,
    seeds: Seeds,
    *,
    epochs: int,
    progress: bool = True,
) -> Scores:
    """Experiment 3: classify, and hallucinate the right half, from the left half's features.

    Args:
        model: the trained model.
        untrained: the same model before training.
        digits: the images.
        seeds: the model's seeds.
        epochs: of the paper's classifier and of the decoder (10).
        progress: show bars where somebody can see them.

    Returns:
        For ``protocol_a`` and ``protocol_b``: ``paper_accuracy`` (Adam classifier) and
        ``converged_accuracy`` (softmax regression), both on the test images; for the decoder,
        ``training_mse`` and ``test_mse``. For ``script_decoder``, Protocol A's features as the
        paper's script computes them, from images in 0..1 although the encoder learned on
        normalized ones: the same two. For the untrained encoder: ``converged_accuracy``. For
        ``mean_image``: ``test_mse``.
    """
    device = next(model.parameters()).device
    train_left, _ = mnist.halves(mnist.normalize(digits.train.to(device)))
    test_left, _ = mnist.halves(mnist.normalize(digits.test.to(device)))
    script_train, pixels = mnist.halves(mnist.scale(digits.train.to(device)))
    script_test, test_pixels = mnist.halves(mnist.scale(digits.test.to(device)))
    pixels, test_pixels = pixels.flatten(1), test_pixels.flatten(1)  # (n, 392)
    labels, test_labels = digits.train_labels.to(device), digits.test_labels.to(device)

    def decode(seen: Tensor, unseen: Tensor) -> dict[str, list[float]]:
        decoder = train_decoder(seen, pixels, epochs=epochs, seeds=seeds, progress=progress)
        test = decoder.mse(unseen, test_pixels)
        return {"training_mse": _plain(decoder.training_error), "test_mse": _plain(test)}

    def converged(seen: Tensor, unseen: Tensor) -> list[float]:
        probe = softmax_classifier(seen, labels)
        return _plain(probe.accuracy(unseen.cpu().double(), test_labels.cpu()))

    scores: Scores = {}
    for name, features in protocols(model).items():
        seen, unseen = features(train_left), features(test_left)
        paper = adam_classifier(seen, labels, epochs=epochs, seeds=seeds, progress=progress)
        scores[name] = {
            "paper_accuracy": _plain(paper.accuracy(unseen, test_labels)),
            "converged_accuracy": converged(seen, unseen),
            **decode(seen, unseen),
        }
    embed = protocol_a(model)
    scores["script_decoder"] = decode(embed(script_train), embed(script_test))
    fresh = protocol_a(untrained)
    scores["untrained_encoder"] = {
        "converged_accuracy": converged(fresh(train_left), fresh(test_left))
    }
    constant = (pixels.mean(0) - test_pixels).square().mean()
    scores["mean_image"] = {"test_mse": _plain(constant)}
    return scores


def _plain(values: Tensor) -> list[float]:
    return torch.atleast_1d(values.detach()).double().tolist()
