"""How good a segmentation is: the metrics of the Leaf Segmentation Challenge."""

from phenopipe.evaluate.metrics import (
    best_dice,
    difference_in_count,
    foreground_dice,
    symmetric_best_dice,
)

__all__ = ["best_dice", "difference_in_count", "foreground_dice", "symmetric_best_dice"]
