"""What every stored number is called in tables and legends: one name a number, everywhere."""

NAMES = {
    # errors of probes, by protocol
    "paper_a": "A, paper",
    "paper_b": "B, paper",
    "fair_a": "A, fair",
    "fair_b": "B, fair",
    "whole_a": "A, whole target",
    "whole_b": "B, whole target",
    "weight_a": "A, norm of weights",
    "before_a": "A, sample before",
    "before_b": "B, sample before",
    # what needs no training
    "copy_last": "copy the last",
    "extrapolate": "extrapolate",
    "raw": "raw context",
    "untrained": "untrained encoder",
    "raw_whole": "raw context, whole target",
    "best": "best possible",
    "best_whole": "best possible, whole target",
    "mean": "mean",
    # of a training run
    "train_loss": "training loss",
    "roughness_forward": "roughness, forward",
    "roughness_frozen": "roughness, frozen",
    # of images
    "paper_accuracy": "accuracy, paper",
    "fair_accuracy_a": "accuracy, fair",
    "paper_decoder": "decoder, paper",
    "decoder_training": "decoder, training",
    "fair_decoder": "decoder, held out",
    "fair_sharpness": "sharpness",
    "fair_true": "true digit seen",
}
"""``paper``: the paper's probe, and its error on its own training set. ``fair``: a converged probe
on standardized features, judged on held-out data."""


def words(name: str) -> str:
    """A stored name as a reader sees it."""
    return NAMES.get(name, name.replace("_", " "))
