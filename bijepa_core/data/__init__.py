"""Data sets and streams: tensors in, tensors out, one random generator a seed."""

from bijepa_core.data.lorenz import lorenz_data
from bijepa_core.data.mnist import Halves, ImageData, image_data
from bijepa_core.data.series import SeriesData
from bijepa_core.data.sine import SineBatches, sine_data
from bijepa_core.data.streams import Batches, DrawnBatches, ShuffledBatches

__all__ = [
    "Batches",
    "DrawnBatches",
    "Halves",
    "ImageData",
    "SeriesData",
    "ShuffledBatches",
    "SineBatches",
    "image_data",
    "lorenz_data",
    "sine_data",
]
