"""BiJEPA, the bi-directional joint embedding predictive architecture, and its training.

All that data of one's own need comes from here; the paper's experiments from
:mod:`bijepa_core.experiments`, probes and scores from :mod:`bijepa_core.evaluation`, data sets from
:mod:`bijepa_core.data`.
"""

from bijepa_core._support.errors import (
    CheckpointError,
    CollapseWarning,
    CorruptDataError,
    DataNotFoundError,
    NonFiniteLossError,
    NormalizationWarning,
)
from bijepa_core.checkpoints import Checkpoint
from bijepa_core.constraints import (
    EXPRESSIVE,
    RESTRICTIVE,
    UNCONSTRAINED,
    WHITENED,
    Constraint,
    Penalty,
)
from bijepa_core.data.sources import DatasetBatches, LoaderBatches
from bijepa_core.data.streams import Batches, DrawnBatches, ShuffledBatches
from bijepa_core.data.windows import (
    Windows,
    channel_statistics,
    cut_windows,
    fill_gaps,
    series_by_name,
    split_series,
)
from bijepa_core.history import History
from bijepa_core.model import BiJEPA, Losses, script_scale
from bijepa_core.networks import ConvEncoder, Decoder, MLPEncoder, MLPPredictor
from bijepa_core.seeds import Seeds, init_stacked, unstack
from bijepa_core.training import pretrain

__version__ = "0.1.0"

__all__ = [
    "EXPRESSIVE",
    "RESTRICTIVE",
    "UNCONSTRAINED",
    "WHITENED",
    "Batches",
    "BiJEPA",
    "Checkpoint",
    "CheckpointError",
    "CollapseWarning",
    "Constraint",
    "ConvEncoder",
    "CorruptDataError",
    "DataNotFoundError",
    "DatasetBatches",
    "Decoder",
    "DrawnBatches",
    "History",
    "LoaderBatches",
    "Losses",
    "MLPEncoder",
    "MLPPredictor",
    "NonFiniteLossError",
    "NormalizationWarning",
    "Penalty",
    "Seeds",
    "ShuffledBatches",
    "Windows",
    "channel_statistics",
    "cut_windows",
    "fill_gaps",
    "init_stacked",
    "pretrain",
    "script_scale",
    "series_by_name",
    "split_series",
    "unstack",
]
