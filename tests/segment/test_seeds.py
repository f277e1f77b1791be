from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction
from phenopipe.segment.seeds import bounding_box, find_peaks, find_seeds


def peaks(distance, *, smoothing=0.0, min_distance=1.0, threshold=0.5):
    rows, columns, heights = find_peaks(
        np.asarray(distance, np.float32),
        smoothing=smoothing,
        min_distance=min_distance,
        threshold=threshold,
    )
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), heights


def slow_peaks(levels, min_distance, threshold):
    """Regional maxima of integer maps without plateaus, each the highest in its disc."""
    found = []
    for row, column in np.argwhere(levels >= threshold):
        rows, columns = np.mgrid[: levels.shape[0], : levels.shape[1]]
        squared = (rows - row) ** 2 + (columns - column) ** 2
        near = (squared < min_distance**2) | (squared <= 2)
        if levels[row, column] == levels[near].max():
            found.append((int(row), int(column)))
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 1.5, 3.0, 4.2]), st.sampled_from([0.3, 0.8]))
def test_agrees_with_a_pixel_by_pixel_reference(seed, min_distance, threshold):
    distinct = np.random.default_rng(seed).permutation(13 * 11).reshape(13, 11) / (13 * 11)
    found, heights = peaks(distinct, min_distance=min_distance, threshold=threshold)
    assert found == slow_peaks(distinct, min_distance, threshold)
    assert heights == pytest.approx([distinct[p] for p in found], abs=1e-5)


def test_a_plateau_is_one_seed_at_its_middle():
    distance = np.zeros((7, 12))
    distance[2:5, 3:10] = 0.9
    assert peaks(distance)[0] == [(3, 6)]


def test_a_ring_plateau_has_its_seed_on_the_ring():
    rows, columns = np.mgrid[:15, :15] - 7
    ring = np.abs(np.hypot(rows, columns) - 5) < 0.8
    ((row, column),) = peaks(ring.astype(float), min_distance=20)[0]
    assert ring[row, column]


def test_a_shelf_below_a_maximum_is_no_seed():
    distance = np.full((5, 20), 0.6)
    distance[2, 17] = 0.9
    assert peaks(distance)[0] == [(2, 17)]


def test_of_equal_maxima_too_close_the_first_stays():
    distance = np.zeros((9, 9))
    distance[6, 2] = distance[2, 4] = 0.8
    assert peaks(distance, min_distance=5)[0] == [(2, 4)]
    assert peaks(distance, min_distance=4)[0] == [(2, 4), (6, 2)]


@pytest.mark.parametrize("corner", [(0, 0), (0, 8), (6, 0), (6, 8), (3, 0)])
def test_the_edge_of_the_image_may_hold_a_seed(corner):
    distance = np.zeros((7, 9))
    distance[corner] = 1
    distance = ndimage.gaussian_filter(distance, 1, mode="nearest")
    assert peaks(distance / distance.max(), min_distance=4)[0] == [corner]


@pytest.mark.parametrize("value", [0.0, 0.49])
def test_nothing_below_the_threshold(value):
    assert peaks(np.full((6, 6), value), smoothing=1)[0] == []


def test_a_saturated_map_has_one_seed():
    assert peaks(np.ones((9, 15)), smoothing=1.0, min_distance=2)[0] == [(4, 7)]
    assert peaks(np.ones((1, 1)))[0] == [(0, 0)]


def test_smoothing_removes_a_speck():
    distance = np.zeros((9, 9))
    distance[4, 4] = 1
    assert peaks(distance)[0] == [(4, 4)]
    assert peaks(distance, smoothing=2.0)[0] == []


def test_the_vector_is_the_weighted_mean_of_the_neighbourhood():
    distance = np.zeros((5, 5), np.float32)
    distance[0, 3], distance[0, 4], distance[1, 4] = 1.0, 0.6, 0.2
    embedding = np.zeros((5, 5, 3), np.float32)
    embedding[..., 2] = 1
    embedding[0, 3], embedding[0, 4], embedding[1, 4] = np.eye(3)
    seeds = find_seeds(distance, embedding, SegmentSettings(seed_smoothing_px=0))
    expected = np.array([1.0, 0.6, 0.2])
    assert seeds.vectors == pytest.approx(expected[None] / np.linalg.norm(expected))
    assert (seeds.rows[0], seeds.columns[0]) == (0, 3)


def test_seeds_on_the_background_are_none():
    distance = np.zeros((20, 20), np.float32)
    distance[4, 4] = distance[14, 4] = distance[4, 14] = 1
    embedding = np.zeros((20, 20, 2), np.float32)
    embedding[:9, :9] = background_direction(2)
    embedding[10:, :9] = [0.6, -0.8]
    seeds = find_seeds(distance, embedding, SegmentSettings(seed_smoothing_px=0))
    assert list(zip(seeds.rows, seeds.columns, strict=True)) == [(14, 4)]


def test_the_box_of_a_mask():
    mask = np.zeros((6, 8), bool)
    assert bounding_box(mask) == (slice(0, 1), slice(0, 1))
    mask[2, 5] = mask[4, 3] = True
    assert bounding_box(mask) == (slice(2, 5), slice(3, 6))
