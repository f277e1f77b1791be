"""How good a segmentation is: of one picture, and of sets of pictures."""

from phenopipe.evaluate.average_precision import IOU_THRESHOLDS, PrecisionCurve
from phenopipe.evaluate.matching import Matches, match_leaves
from phenopipe.evaluate.metrics import (
    best_dice,
    difference_in_count,
    foreground_dice,
    symmetric_best_dice,
)
from phenopipe.evaluate.overlap import Overlap
from phenopipe.evaluate.pair import Pair, PairScore, score_pair
from phenopipe.evaluate.scores import Scores, score_pictures
from phenopipe.evaluate.summary import figure, summarize_scores

__all__ = [
    "IOU_THRESHOLDS",
    "Matches",
    "Overlap",
    "Pair",
    "PairScore",
    "PrecisionCurve",
    "Scores",
    "best_dice",
    "difference_in_count",
    "figure",
    "foreground_dice",
    "match_leaves",
    "score_pair",
    "score_pictures",
    "summarize_scores",
    "symmetric_best_dice",
]
