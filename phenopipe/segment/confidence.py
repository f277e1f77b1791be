"""How sure a leaf is: whether it has the shape that the predicted distance map speaks of.

Distance map and embedding are two answers of the network. Leaves come from the embedding, so the
distance map is a witness of its own: over a leaf found rightly it rises from the leaf's border to
its middle. Over two leaves taken for one it has a valley, over half a leaf it ends on a slope.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Agreement that a shape gets by chance: there, confidence is 0.
CHANCE = 0.3
_SQUARE = np.ones((3, 3), np.uint8)


def confidence_at(
    at: NDArray[np.intp],
    leaf: NDArray[np.intp],
    labels: NDArray[np.int32],
    distance: NDArray[np.float32],
    count: int,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Compare the distance map over each leaf with the one that the leaf's shape has.

    Parameters
    ----------
    at : ndarray, (P,), int
        Sorted places of the leaves' pixels in the flattened map; all of them, and perhaps some of
        the background, of which what is returned means nothing.
    leaf : ndarray, (P,), int
        Labels there.
    labels : ndarray, (H, W), int32
        Leaves 1..count, 0 = background.
    distance : ndarray, (H, W), float32
        Predicted distance map.
    count : int
        Number of leaves.

    Returns
    -------
    area : ndarray, (count + 1,), int
        Pixels of each label.
    confidence : ndarray, (count + 1,), float64
        0..1; 0 of a leaf without pixels.

    Notes
    -----
    With d the predicted distances of a leaf's pixels, clipped to 0..1, and s those of its shape,
    the agreement J = sum(min(d, s)) / sum(max(d, s)) is 1 if they are the same (the weighted
    Jaccard index). As chance alone gives about 0.3, confidence is (J - 0.3) / 0.7, at least 0,
    as in Cohen's kappa.
    """
    if not at.size:
        return np.zeros(count + 1, np.intp), np.zeros(count + 1)
    # Runs of one leaf are summed up first: there are far fewer of them than pixels.
    first = np.flatnonzero(np.append(True, leaf[1:] != leaf[:-1]))
    of = leaf[first]
    shape = _shape_distance(labels, at, leaf, first, count)
    predicted = distance.ravel().take(at)
    np.minimum(np.maximum(predicted, 0, out=predicted), 1, out=predicted)
    common, united = (
        np.bincount(of, np.add.reduceat(d, first, dtype=np.float64), minlength=count + 1)
        for d in (np.minimum(predicted, shape), np.maximum(predicted, shape))
    )
    agreement = common / np.maximum(united, 1e-9)
    area = np.zeros(count + 1, np.intp)
    np.add.at(area, of, np.diff(first, append=len(at)))
    return area, np.clip((agreement - CHANCE) / (1 - CHANCE), 0, 1)


def _shape_distance(
    labels: NDArray[np.int32],
    at: NDArray[np.intp],
    leaf: NDArray[np.intp],
    first: NDArray[np.intp],
    count: int,
) -> NDArray[np.float32]:
    """Return the distance to its leaf's border of each pixel `at`, over the leaf's largest.

    `first` is where runs of one leaf begin in `leaf`.

    As the network learns it (`phenopipe.train.targets`): both sides of a border are 0, and the
    map's edge is no border; but distances are approximate, to 2 %, for a fifth of the time.
    """
    # OpenCV filters no 32-bit integers; float32 is exact for 2^24 leaves.
    kinds = {np.uint8: 2**8, np.uint16: 2**16, np.float32: 2**24}
    values = np.asarray(labels, next(kind for kind, most in kinds.items() if count < most))
    inside = (cv2.erode(values, _SQUARE) == cv2.dilate(values, _SQUARE)) & (labels > 0)
    if inside.all():
        return np.ones(len(at), np.float32)
    apart = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    shape: NDArray[np.float32] = np.asarray(apart, np.float32).ravel().take(at)
    largest = np.zeros(count + 1, np.float32)
    np.maximum.at(largest, leaf[first], np.maximum.reduceat(shape, first))
    # A leaf so thin that it is all border is 1 all over.
    thin = largest == 0
    shape /= np.where(thin, 1, largest).take(leaf)
    if thin[1:].any():
        shape[thin[leaf]] = 1
    return shape
