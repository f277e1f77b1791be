"""From predictions to leaves and their measurements."""

from phenopipe.segment.blocks import PredictedCrop, segment_crop
from phenopipe.segment.image_set import segment_set
from phenopipe.segment.leaves import Segmentation, find_leaves, segment_leaves
from phenopipe.segment.measured import empty_measurements
from phenopipe.segment.traits import measure_traits

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
