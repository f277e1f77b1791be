"""From predictions to leaves and their measurements."""

from phenopipe.segment.leaves import Segmentation, find_leaves, segment_leaves

__all__ = ["Segmentation", "find_leaves", "segment_leaves"]
