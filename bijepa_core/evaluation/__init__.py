"""What a frozen representation tells: probes, scores, metrics, baselines."""

from bijepa_core.evaluation.baselines import copy_last, extrapolate
from bijepa_core.evaluation.metrics import (
    auroc,
    fraction_unexplained,
    mahalanobis,
    neighbor_accuracy,
    neighbor_errors,
    roughness,
    sharpness,
    training_summary,
)
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
from bijepa_core.evaluation.scores import fair_mse, image_scores, protocols, series_scores

__all__ = [
    "Features",
    "LinearProbe",
    "adam_classifier",
    "adam_probe",
    "auroc",
    "copy_last",
    "extrapolate",
    "fair_mse",
    "fraction_unexplained",
    "image_scores",
    "mahalanobis",
    "neighbor_accuracy",
    "neighbor_errors",
    "protocol_a",
    "protocol_b",
    "protocols",
    "raw_input",
    "ridge_probe",
    "roughness",
    "series_scores",
    "sharpness",
    "softmax_classifier",
    "train_decoder",
    "training_summary",
]
