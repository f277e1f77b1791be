"""How sure a leaf is: whether it has the shape that the predicted distance map speaks of.

Distance map and embedding are two answers of the network. Leaves come from the embedding, so the
distance map is a witness of its own: over a leaf found rightly it rises from the leaf's border to
its middle. Over two leaves taken for one it has a valley, over half a leaf it ends on a slope.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled

#: Agreement that a shape gets by chance: there, confidence is 0.
CHANCE = 0.3


def leaf_confidence(
    labels: NDArray[np.int32], distance: NDArray[np.float32], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Compare the distance map over each leaf with the one that the leaf's shape has.

    Parameters
    ----------
    labels : ndarray, (H, W), int32
        Leaves 1..count, 0 = background.
    distance : ndarray, (H, W), float32
        Predicted distance map.
    count : int
        Number of leaves.

    Returns
    -------
    area : ndarray, (count + 1,), int
        Pixels of each leaf; 0 at index 0.
    confidence : ndarray, (count + 1,), float64
        0..1; 0 of a leaf without pixels.

    Notes
    -----
    With d the predicted distances of a leaf's pixels, clipped to 0..1, and s those of its shape,
    the agreement J = sum(min(d, s)) / sum(max(d, s)) is 1 if they are the same (the weighted
    Jaccard index). As chance alone gives about 0.3, confidence is (J - 0.3) / 0.7, at least 0,
    as in Cohen's kappa.

    A leaf's shape has the distances that the network learns (`phenopipe.train.targets`): both
    sides of a border are 0, the map's edge is no border, and a leaf so thin that it is all border
    is 1 all over; but they are approximate, to 2 %, for a fifth of the time.
    """
    inside = _find_inside(labels)
    if inside.all():  # without a border there is no distance to one
        apart = np.ones(labels.shape, np.float32)
    else:
        apart = np.asarray(
            cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5),
            dtype=np.float32,
        )
    area, common, united = np.zeros(count + 1, np.intp), *np.zeros((2, count + 1))
    _sum_up(labels, distance, apart, area, common, united)
    agreement = common / np.maximum(united, 1e-9)
    return area, np.clip((agreement - CHANCE) / (1 - CHANCE), 0, 1)


def _find_inside(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Find the pixels of leaves all of whose neighbours are the same leaf's."""
    beside = np.ones(labels.shape, bool)
    same = labels[:, 1:] == labels[:, :-1]
    beside[:, 1:] &= same
    beside[:, :-1] &= same
    inside = beside & (labels > 0)
    same = (labels[1:] == labels[:-1]) & beside[1:] & beside[:-1]
    inside[1:] &= same
    inside[:-1] &= same
    return inside


@compiled
def _sum_up(
    labels: NDArray[np.int32],
    distance: NDArray[np.float32],
    apart: NDArray[np.float32],
    area: NDArray[np.intp],
    common: NDArray[np.float64],
    united: NDArray[np.float64],
) -> None:
    """Add up areas, and the smaller and the larger of each pixel's two distances.

    Run by run of pixels of one leaf: sums are at hand only while they need not be looked up.
    """
    height, width = labels.shape
    largest = np.zeros(len(area), np.float32)
    for row in range(height):
        label, peak = 0, np.float32(0)
        for column in range(width):
            if labels[row, column] != label:
                largest[label] = max(largest[label], peak)
                label, peak = labels[row, column], np.float32(0)
            peak = max(peak, apart[row, column])
        largest[label] = max(largest[label], peak)
    for row in range(height):
        label, start, least, most, scale = 0, 0, 0.0, 0.0, np.float32(0)
        for column in range(width):
            if labels[row, column] != label:
                area[label] += column - start
                common[label] += least
                united[label] += most
                label, start, least, most = labels[row, column], column, 0.0, 0.0
                scale = largest[label]
            shape = apart[row, column] / scale if scale else np.float32(1)
            predicted = min(max(distance[row, column], np.float32(0)), np.float32(1))
            least += min(predicted, shape)
            most += max(predicted, shape)
        area[label] += width - start
        common[label] += least
        united[label] += most
    area[0], common[0] = 0, 0.0
