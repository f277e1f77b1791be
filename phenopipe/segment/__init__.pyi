"""From predictions to leaves and their measurements."""

from .crop import PredictedCrop, segment_crop
from .image_set import segment_set
from .leaves import Segmentation, find_leaves, segment_leaves
from .measured import empty_measurements
from .traits import measure_traits

__all__ = [
    "PredictedCrop",
    "Segmentation",
    "empty_measurements",
    "find_leaves",
    "measure_traits",
    "segment_crop",
    "segment_leaves",
    "segment_set",
]
