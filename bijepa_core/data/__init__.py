"""Data sets and streams: tensors in, tensors out, one random generator a seed."""

from bijepa_core.data.lorenz import lorenz_data
from bijepa_core.data.mnist import Halves, ImageData, image_data
from bijepa_core.data.series import SeriesData
from bijepa_core.data.sine import SineBatches, sine_data
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

__all__ = [
    "Batches",
    "DatasetBatches",
    "DrawnBatches",
    "Halves",
    "ImageData",
    "LoaderBatches",
    "SeriesData",
    "ShuffledBatches",
    "SineBatches",
    "Windows",
    "channel_statistics",
    "cut_windows",
    "fill_gaps",
    "image_data",
    "lorenz_data",
    "series_by_name",
    "sine_data",
    "split_series",
]
