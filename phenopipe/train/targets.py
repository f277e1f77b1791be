"""What the network is to predict, from a label map: distance map and neighbour graph.

Definitions follow Wu, Chen and Merhof (2020) and their code: both sides of every 3x3 border are
removed, leaf against leaf too, the exact Euclidean distance transform of what is left is divided
per leaf by its maximum, and the picture's edge is not a border.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Leaves of fewer pixels are left out, in a picture of 512x512 (authors' code).
MIN_LEAF_PX_AT_512 = 25
#: Pixels looked at together for neighbours: what a large radius needs in memory, about 200 MB.
_LOOKED_AT_ONCE = 2**22


def drop_small_leaves(labels: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Turn leaves that are too small to learn into background, and number the rest 1..K.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        Label map, 0 is background; numbers may have gaps.

    Returns
    -------
    ndarray, (H, W), int32
        Label map without leaves under 25 px at 512x512, scaled to this picture's width.
    """
    smallest = MIN_LEAF_PX_AT_512 * (labels.shape[1] / 512) ** 2
    values, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    keep = (counts >= smallest) & (values != 0)
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return number[inverse].reshape(labels.shape)


def distance_target(labels: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Compute the normalised distance of each pixel to its leaf's border.

    Parameters
    ----------
    labels : ndarray, (H, W), integer in 0..65535
        Label map, 0 is background.

    Returns
    -------
    ndarray, (H, W), float32
        0 on background and borders; every leaf peaks at exactly 1. A leaf so thin that nothing
        of it is left without its border is 1 all over.
    """
    maps = labels.astype(np.uint16)
    window = np.ones((3, 3), np.uint8)
    inside = (cv2.erode(maps, window) == cv2.dilate(maps, window)) & (maps > 0)
    if inside.all():  # one leaf fills the picture: there is no border to measure from
        return np.ones(maps.shape, np.float32)
    rough = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # OpenCV's last bit changes from call to call; a squared distance is a whole number.
    distance = np.sqrt(np.rint(np.square(rough, dtype=np.float64))).astype(np.float32)
    peaks = np.zeros(int(maps.max()) + 1, np.float32)
    np.maximum.at(peaks, maps[inside], distance[inside])
    distance[(peaks[maps] == 0) & (maps > 0)] = 1
    normalised: NDArray[np.float32] = distance / np.where(peaks == 0, 1, peaks)[maps]
    return normalised


def neighbour_pairs(labels: NDArray[np.integer[Any]], radius: float) -> NDArray[np.int64]:
    """Find which leaves are neighbours: closer than `radius` to one another.

    Leaf b is a neighbour of a if b has a pixel inside a's mask dilated by a disk. The nearest
    pixels of two leaves lie on their borders, so only border pixels are looked at.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        Label map, 0 is background.
    radius : float
        Radius of the disk in pixels.

    Returns
    -------
    ndarray, (P, 2), int64
        Ordered pairs (a, b) of leaves, each pair in both orders, sorted; without background.
    """
    maps = labels.astype(np.int64)
    height, width = maps.shape
    window = np.ones((3, 3), np.uint8)
    small = labels.astype(np.uint16)
    border = (maps > 0) & (cv2.erode(small, window) != cv2.dilate(small, window))
    rows, cols = np.nonzero(border)
    reach = int(radius)
    offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    offsets = offsets[:, (offsets**2).sum(axis=0) <= radius**2]
    size = int(maps.max()) + 1
    found = [np.empty(0, np.int64)]
    pieces = -(-rows.size * offsets.shape[1] // _LOOKED_AT_ONCE)
    for piece in np.array_split(np.arange(rows.size), max(pieces, 1)):
        near_rows = rows[piece, None] + offsets[0]
        near_cols = cols[piece, None] + offsets[1]
        inside = (near_rows >= 0) & (near_rows < height) & (near_cols >= 0) & (near_cols < width)
        near = maps[near_rows.clip(0, height - 1), near_cols.clip(0, width - 1)]
        other = np.where(inside, near, 0)
        here = np.broadcast_to(maps[rows[piece], cols[piece]][:, None], other.shape)
        touching = (other > 0) & (other != here)
        found.append(np.unique(here[touching] * size + other[touching]))
    codes = np.concatenate(found)
    codes = np.unique(np.concatenate([codes, codes % size * size + codes // size]))
    return np.stack([codes // size, codes % size], axis=1)


def all_pairs(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return every ordered pair of different leaves, (P, 2) int64 (the global constraint)."""
    leaves = np.unique(labels)
    leaves = leaves[leaves > 0].astype(np.int64)
    first, second = np.meshgrid(leaves, leaves, indexing="ij")
    return np.stack([first[first != second], second[first != second]], axis=1)
