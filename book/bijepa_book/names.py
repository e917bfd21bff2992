"""What every stored number is called: in tables and legends, and in sentences."""

NAMES = {
    # errors of probes, by protocol
    "paper_a": "A, paper",
    "paper_b": "B, paper",
    "fair_a": "A, fair",
    "fair_b": "B, fair",
    "whole_a": "A, whole target",
    "whole_b": "B, whole target",
    "before_a": "A, before",
    "before_b": "B, before",
    "weight_a": "A, norm of weights",
    # what needs no training
    "copy_last": "copy the last",
    "extrapolate": "extrapolate",
    "raw": "raw context",
    "untrained": "untrained encoder",
    "raw_whole": "raw context, whole target",
    "best": "best possible",
    "best_whole": "best possible, whole target",
    "mean": "mean",
    "mean_state": "the mean state",
    # of a training run
    "train_loss": "training loss",
    "radius_first": "first radius",
    "radius_last": "last radius",
    "lead": "widest lead",
    "roughness_forward": "roughness, forward",
    "roughness_frozen": "roughness, frozen",
    "p90_over_median": "p90 / median",
    "p90_over_median_forward": "p90 / median, forward",
    # of images
    "paper_accuracy": "accuracy, paper",
    "fair_accuracy_a": "accuracy, fair",
    "knn_accuracy_2000": "accuracy, neighbors",
    "paper_decoder": "decoder, paper",
    "decoder_training": "decoder, training",
    "fair_decoder": "decoder, held out",
    "fair_sharpness": "sharpness",
    "fair_true": "true digit seen",
}
"""``paper``: the paper's probe, and its error on its own training set. ``fair``: a converged probe
on standardized features, judged on held-out data."""

MEASURES = {
    "paper_a": "error A, paper's probe",
    "paper_b": "error B, paper's probe",
    "fair_a": "error A, fair probe",
    "fair_b": "error B, fair probe",
    "whole_a": "error A, whole target",
    "whole_b": "error B, whole target",
    "past_a": "error of the past, from the embedding",
    "past_b": "error of the past",
    "knn_a": "error A, neighbors",
    "knn_b": "error B, neighbors",
    "norm": "norm at the end",
    "norm_growth": "norm, last over first",
    "late_growth": "norm, last tenth over the one before",
    "rebound": "loss, last over lowest",
    "relative_rebound": "relative loss, last over lowest",
    "relative_loss": "relative loss",
    "train_loss": "training loss",
    "roughness": "roughness of the loss",
    "roughness_forward": "roughness, forward term",
    "rises": "share of rising means",
    "radius_growing": "largest eigenvalue",
    "rank": "effective rank",
    "weight_b": "probe's weights",
    "gain_hidden": "gain that cannot be read",
    "gain_drift": "drift under gain",
    "gain_error": "error under gain",
    "swing_paper_b": "swing B, paper's probe",
    "swing_fair_b": "swing B, fair probe",
    "missed_past": "past missed",
    "missed_loop": "missed there and back",
    "violation": "AUROC of violations",
    "paper_accuracy": "accuracy, paper's probe",
    "fair_accuracy_a": "accuracy, fair probe",
    "knn_accuracy": "accuracy, neighbors",
    "paper_decoder": "decoder error, paper's",
    "fair_decoder": "decoder error, held out",
    "paper_sharpness": "sharpness, paper's decoder",
    "fair_sharpness": "sharpness, held out",
    "fair_true": "true digit seen",
}
"""The same in sentences, of a trained model; see :mod:`bijepa_book.evidence.metrics`."""
BASELINE_MEASURES = {
    "copy_last": "copying",
    "extrapolate": "a straight line",
    "raw": "the raw window",
    "raw_whole": "the raw window",
    "raw_past": "the raw window",
    "distance": "plain distance",
}
"""And of what needs no training."""


def words(name: str) -> str:
    """A stored name as a table or legend shows it."""
    return NAMES.get(name, name.replace("_", " "))
