"""Tidy label maps: label what somebody could have labelled, with consecutive numbers."""

from __future__ import annotations

from collections.abc import Iterator

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
#: A piece among other leaves is told from them if it is this share of the largest leaf (half of
#: the smallest, 0.059, among the 100 labelled leaves of leaf_series_plant17) ...
SMALLEST_OF_LARGEST = 0.03
#: ... and somewhere as wide as this, in pixels of the camera.
NARROWEST_CAMERA_PX = 3
#: A pixel and its eight neighbours.
_AROUND = np.ones((3, 3), np.uint8)


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
        Labels 1..K in the same order. A connected piece is a remnant if it has fewer than
        `smallest_piece` pixels, or if it touches another leaf and is less than
        `SMALLEST_OF_LARGEST` of the largest leaf or nowhere `NARROWEST_CAMERA_PX` wide: nobody
        would tell it from its neighbour. A remnant belongs to the nearest leaf that it touches,
        to the highest label among equals, or to the background if it touches none.
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
    remnant = _remnants(labels, enlarged)
    return _spread(np.where(remnant, np.uint16(0), labels), remnant)


def label_edges(
    labels: NDArray[np.uint16], seen: NDArray[np.float32], edge_share: float
) -> NDArray[np.uint16]:
    """Let leaves reach into the background as far as a picture shows enough of them.

    Parameters
    ----------
    labels : ndarray, (S, S), uint16
        Leaves, 0 is background.
    seen : ndarray, (S, S), float32
        Which share of what each pixel shows is plant, 0..1.
    edge_share : float
        Pixels of the background that show more than this, and are connected to a leaf through
        others, become the nearest leaf's, the highest label's among equals.

    Returns
    -------
    ndarray, (S, S), uint16
        The same leaves, none smaller.
    """
    return _spread(labels, (labels == 0) & (seen > edge_share))


def _spread(labels: NDArray[np.uint16], free: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Give free pixels to the nearest leaf, as far as they are connected to one."""
    spread, free = labels, free.copy()
    while free.any():  # again and again, since the inside of a free piece touches no leaf
        given = np.where(free, cv2.dilate(spread, _AROUND), np.uint16(0))
        if not given.any():
            break
        spread = np.maximum(spread, given)
        free &= given == 0
    return np.asarray(spread, np.uint16)


def _remnants(labels: NDArray[np.uint16], enlarged: float) -> NDArray[np.bool_]:
    """Return which pixels belong to pieces that nobody would label."""
    fewest = smallest_piece(labels.shape[0], enlarged)
    largest = np.bincount(labels.ravel())[1:].max(initial=0)
    wide = np.ones((round(NARROWEST_CAMERA_PX * enlarged),) * 2, np.uint8)
    # One leaf all around, as far as the widest square that fits: the square's middle.
    inside = cv2.erode(labels, wide) == cv2.dilate(labels, wide)
    near_other = _next_to_another_leaf(labels)
    small = np.zeros(labels.shape, bool)
    for window, piece, area in _pieces(labels):
        among_leaves = near_other[window][piece].any()
        unclear = area < SMALLEST_OF_LARGEST * largest or not inside[window][piece].any()
        if area < fewest or (among_leaves and unclear):
            small[window] |= piece
    return small


def _pieces(
    labels: NDArray[np.uint16],
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_], int]]:
    """Yield the connected pieces of every label: window, mask in it, area in px."""
    for number, window in enumerate(find_objects(labels), start=1):
        if window is not None:
            mask = (labels[window] == number).astype(np.uint8)
            count, pieces, table, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
            for piece in range(1, count):
                yield window, pieces == piece, int(table[piece, cv2.CC_STAT_AREA])


def _next_to_another_leaf(labels: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return which pixels of leaves have a pixel of another leaf among their eight neighbours."""
    # Background becomes the highest number, which the lowest of the neighbours leaves out.
    lowest = cv2.erode(np.where(labels == 0, np.uint16(65535), labels), _AROUND)
    touches: NDArray[np.bool_] = (labels > 0) & (lowest < cv2.dilate(labels, _AROUND))
    return touches


def _renumber(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the map with the labels that occur numbered 1..K, in the same order."""
    occurs = np.bincount(labels.ravel()) > 0
    occurs[0] = False
    return np.asarray((np.cumsum(occurs) * occurs)[labels], np.uint16)
