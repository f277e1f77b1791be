"""From predictions to leaves and their measurements."""

from phenopipe.segment.image_set import segment_set
from phenopipe.segment.leaves import Segmentation, find_leaves, segment_leaves
from phenopipe.segment.traits import measure_traits

__all__ = ["Segmentation", "find_leaves", "measure_traits", "segment_leaves", "segment_set"]
