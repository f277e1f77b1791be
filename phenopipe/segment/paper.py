"""Post-processing in the order and with the constants of Wu, Chen and Merhof 2020.

For comparison only. Its flaws are known and kept: no seed within 10 px of the image's edge, a
threshold relative to the image's own maximum, and conflicts that the label's number decides.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import peak_local_max

SMOOTHING_PX = 3.0
SEED_DISTANCE_PX = 10
SEED_THRESHOLD = 0.7
EMBEDDING_DISC_PX = 3
LEAST_COSINE = 0.7
MIN_AREA_PX = 10
MIN_MEAN_DISTANCE = 0.1


def grow_in_rings(
    distance: NDArray[np.float32], embedding: NDArray[np.float32]
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Segment one crop as the authors do: seeds grow ring by ring.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1.
    embedding : ndarray, (H, W, E), float32
        Unit vectors.

    Returns
    -------
    labels : ndarray, (H, W), uint32
        0 = background, 1..K in the order of seeds, highest first.
    confidence : ndarray, (K,), float64
        Mean distance of a leaf's pixels over the map's maximum, 0..1: what the authors' last
        filter looks at.

    Notes
    -----
    How conflicts end is known of the authors' code only as "the higher label overwrites". Here,
    leaves grow at the same pace into pixels that are still free, and the higher label takes a
    pixel that two leaves reach in the same ring. A leaf's mean distance is taken relative to the
    map's maximum.
    """
    seeds = _seeds(distance)
    vectors = _smooth(embedding)
    cosines = np.einsum("hwe,ke->khw", vectors, vectors[tuple(seeds.T)], optimize=True)
    labels = np.zeros(distance.shape, np.int32)
    labels[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    while _add_ring(labels, cosines):
        pass
    return _drop_weak(labels, distance, len(seeds))


def _seeds(distance: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return (K, 2) rows and columns, highest first."""
    smooth = cv2.GaussianBlur(distance, (0, 0), SMOOTHING_PX)
    seeds: NDArray[np.intp] = peak_local_max(  # type: ignore[no-untyped-call]
        smooth, min_distance=SEED_DISTANCE_PX, threshold_rel=SEED_THRESHOLD
    )
    return seeds


def _smooth(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average unit vectors over a disc and renormalise them."""
    offsets = np.arange(-EMBEDDING_DISC_PX, EMBEDDING_DISC_PX + 1)
    disc = (offsets[:, None] ** 2 + offsets**2 <= EMBEDDING_DISC_PX**2).astype(np.float32)
    mean = np.stack(
        [cv2.filter2D(channel, -1, disc / disc.sum()) for channel in np.moveaxis(embedding, -1, 0)],
        axis=-1,
    )
    norm = np.linalg.norm(mean, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(mean, norm, out=np.zeros_like(mean), where=norm > 1e-6)
    return unit


def _add_ring(labels: NDArray[np.int32], cosines: NDArray[np.float32]) -> bool:
    """Grow every leaf by one ring, in place; tell whether anything changed."""
    free = labels == 0
    ring = np.zeros_like(labels)
    for leaf, cosine in enumerate(cosines, 1):
        reach = cv2.dilate((labels == leaf).view(np.uint8), np.ones((3, 3), np.uint8))
        ring[reach.view(bool) & free & (cosine > LEAST_COSINE)] = leaf
    labels += ring
    return bool(ring.any())


def _drop_weak(
    labels: NDArray[np.int32], distance: NDArray[np.float32], count: int
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    area = np.bincount(labels.ravel(), minlength=count + 1)
    total = np.bincount(labels.ravel(), distance.ravel(), minlength=count + 1)
    strength = total / np.maximum(area, 1) / max(float(distance.max()), 1e-6)
    real = (area >= MIN_AREA_PX) & (strength >= MIN_MEAN_DISTANCE)
    real[0] = False
    number = (np.cumsum(real) * real).astype(np.uint32)
    return number[labels], np.clip(strength[real], 0, 1)
