"""BiJEPA, the bi-directional joint embedding predictive architecture, and its training."""

from bijepa_core.constraints import EXPRESSIVE, RESTRICTIVE, UNCONSTRAINED, Constraint
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses, script_scale
from bijepa_core.networks import ConvEncoder, Decoder, MLPEncoder, MLPPredictor
from bijepa_core.training import pretrain

__version__ = "0.1.0"

__all__ = [
    "EXPRESSIVE",
    "RESTRICTIVE",
    "UNCONSTRAINED",
    "BiJEPA",
    "Constraint",
    "ConvEncoder",
    "Decoder",
    "History",
    "Losses",
    "MLPEncoder",
    "MLPPredictor",
    "pretrain",
    "script_scale",
]
