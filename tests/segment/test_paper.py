from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage
from segment_scenes import directions, discs, distance_of, embedding_of, same_partition
from skimage.morphology import disk

from phenopipe.config import SegmentSettings
from phenopipe.segment import find_leaves, segment_leaves

PAPER = SegmentSettings(method="paper")
TRUTH = discs((100, 100), [(30, 30), (30, 70), (70, 50)], 15)


def slow(distance, embedding, seeds):
    """Ring growth pixel by pixel: free pixels only, the higher label wins within a ring."""
    smooth = np.stack(
        [cv2.filter2D(embedding[..., e], -1, disk(3) / disk(3).sum()) for e in range(8)], axis=-1
    )
    smooth /= np.linalg.norm(smooth, axis=-1, keepdims=True)
    labels = np.zeros(distance.shape, int)
    for label, pixel in enumerate(seeds, 1):
        labels[pixel] = label
    while True:
        joins = {}
        for row, column in np.argwhere(labels > 0):
            label = labels[row, column]
            for r in range(max(0, row - 1), min(labels.shape[0], row + 2)):
                for c in range(max(0, column - 1), min(labels.shape[1], column + 2)):
                    agrees = smooth[r, c] @ smooth[seeds[label - 1]] > 0.7
                    if labels[r, c] == 0 and agrees:
                        joins[r, c] = max(label, joins.get((r, c), 0))
        if not joins:
            return labels
        for pixel, label in joins.items():
            labels[pixel] = label


def test_far_leaves_are_found():
    labels = segment_leaves(distance_of(TRUTH), embedding_of(TRUTH, directions(3)), PAPER)
    assert labels.dtype == np.uint32
    assert same_partition(np.where(labels > 0, TRUTH, 0), labels)
    assert np.count_nonzero((labels > 0) != (TRUTH > 0)) < 0.1 * np.count_nonzero(TRUTH)


def test_agrees_with_growth_pixel_by_pixel():
    truth = np.zeros((50, 60), int)
    truth[12:37, 12:31], truth[14:35, 31:48] = 1, 2
    vectors = np.stack([v := directions(2)[0], 0.8 * v + 0.6 * directions(2)[1]])
    distance, embedding = distance_of(truth), embedding_of(truth, vectors, noise=0.05)
    labels = segment_leaves(distance, embedding, PAPER)
    smooth = ndimage.gaussian_filter(distance, 3, mode="mirror")
    seeds = [
        tuple(np.unravel_index(np.where(truth == k, smooth, 0).argmax(), truth.shape))
        for k in (1, 2)
    ]
    seeds.sort(key=lambda pixel: -smooth[pixel])
    assert labels.max() == 2
    assert np.array_equal(labels, slow(distance, embedding, seeds))


def test_known_flaws_are_kept():
    edge = discs((60, 60), [(6, 30)], 5)
    scene = distance_of(edge), embedding_of(edge, directions(1))
    assert segment_leaves(*scene, PAPER).max() == 0
    assert segment_leaves(*scene).max() == 1
    faint = 0.1 * distance_of(TRUTH), embedding_of(TRUTH, directions(3))
    assert segment_leaves(*faint, PAPER).max() == 3
    assert segment_leaves(*faint).max() == 0


def test_nothing_to_find_and_confidence_in_range():
    nothing = find_leaves(np.zeros((40, 40)), np.zeros((40, 40, 4)), PAPER)
    assert not nothing.labels.any()
    assert nothing.confidence.shape == (0,)
    found = find_leaves(distance_of(TRUTH), embedding_of(TRUTH, directions(3)), PAPER)
    assert len(found.confidence) == 3
    assert ((found.confidence > 0.1) & (found.confidence <= 1)).all()
