"""Tidy label maps: no remnants of a few pixels, consecutive numbers."""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

#: The smallest visible piece of a leaf that keeps its label, as a share of the picture.
SMALLEST_SHARE = 1e-4
#: ... and in px.
SMALLEST_PX = 4
#: ... and in pixels of the camera, where the picture is enlarged.
SMALLEST_CAMERA_PX = 2


def smallest_piece(side: int, enlarged: float = 1.0) -> int:
    """Return the fewest pixels that a piece of a leaf may have.

    Parameters
    ----------
    side : int
        Side of the picture, px.
    enlarged : float
        Pixels of the picture over the camera's.
    """
    seen = SMALLEST_CAMERA_PX * enlarged**2
    return max(SMALLEST_PX, round(SMALLEST_SHARE * side * side), round(seen))


def tidy_labels(labels: NDArray[np.uint16], enlarged: float = 1.0) -> NDArray[np.uint16]:
    """Give remnants of hidden leaves to the leaf that they touch, and renumber.

    Parameters
    ----------
    labels : ndarray, (S, S), uint16
        Visible pixels of each leaf.
    enlarged : float
        Pixels of the picture over the camera's.

    Returns
    -------
    ndarray, (S, S), uint16
        Labels 1..K in the same order. A piece of fewer than `smallest_piece` pixels belongs to
        the highest label that touches it, or to the background if there is none.
    """
    return _renumber(absorb_remnants(labels, enlarged))


def absorb_remnants(labels: NDArray[np.uint16], enlarged: float = 1.0) -> NDArray[np.uint16]:
    """Give remnants of hidden leaves away as `tidy_labels` does, but let leaves keep their numbers.

    Parameters
    ----------
    labels, enlarged
        As for `tidy_labels`.

    Returns
    -------
    ndarray, (S, S), uint16
        Labels without remnants; the number of a leaf that is hidden does not occur.
    """
    small = _remnants(labels, smallest_piece(labels.shape[0], enlarged))
    kept = np.where(small, np.uint16(0), labels)
    if small.any():
        # Again and again, since the inside of a remnant touches no other leaf.
        for _ in range(1 + ceil(enlarged)):
            open_ = small & (kept == 0)
            kept[open_] = cv2.dilate(kept, np.ones((3, 3), np.uint8))[open_]
    return np.asarray(kept, np.uint16)


def _remnants(labels: NDArray[np.uint16], fewest: int) -> NDArray[np.bool_]:
    """Return where connected pieces of one label have fewer than `fewest` pixels."""
    small = np.zeros(labels.shape, bool)
    for number, window in enumerate(find_objects(labels), start=1):
        if window is not None:
            mask = (labels[window] == number).astype(np.uint8)
            _, pieces, table, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
            too_small = table[:, cv2.CC_STAT_AREA] < fewest
            too_small[0] = False
            small[window] |= too_small[pieces]
    return small


def _renumber(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the map with the labels that occur numbered 1..K, in the same order."""
    occurs = np.bincount(labels.ravel()) > 0
    occurs[0] = False
    return np.asarray((np.cumsum(occurs) * occurs)[labels], np.uint16)
