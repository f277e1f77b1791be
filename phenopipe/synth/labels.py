"""Tidy label maps: no remnants of a few pixels, consecutive numbers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as connected
from skimage.segmentation import relabel_sequential

#: The smallest visible piece of a leaf that keeps its label, as a share of the picture.
SMALLEST_SHARE = 1e-4
#: ... and in px.
SMALLEST_PX = 4


def smallest_piece(side: int) -> int:
    """Return the fewest pixels that a piece of a leaf may have in a picture of that side."""
    return max(SMALLEST_PX, round(SMALLEST_SHARE * side * side))


def tidy_labels(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Give remnants of hidden leaves to the leaf that they touch, and renumber.

    Parameters
    ----------
    labels : ndarray, (S, S), uint16
        Visible pixels of each leaf.

    Returns
    -------
    ndarray, (S, S), uint16
        Labels 1..K in the same order; a piece too small to be seen belongs to a leaf beside it,
        or to the background if there is none.
    """
    pieces = connected(labels, background=0, connectivity=2)
    sizes = np.bincount(pieces.ravel())
    small = (sizes < smallest_piece(labels.shape[0]))[pieces] & (labels > 0)
    if not small.any():
        return np.asarray(relabel_sequential(labels)[0], np.uint16)
    kept = np.where(small, np.uint16(0), labels)
    beside = cv2.dilate(kept, np.ones((3, 3), np.uint8), iterations=2)
    kept[small] = beside[small]
    return np.asarray(relabel_sequential(kept)[0], np.uint16)
