"""Distance maps and neighbour graphs against slow references."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from phenopipe.train.targets import (
    all_pairs,
    distance_target,
    drop_small_leaves,
    neighbour_pairs,
)

label_maps = st.tuples(st.integers(3, 24), st.integers(3, 24)).flatmap(
    lambda shape: arrays(np.uint16, shape, elements=st.integers(0, 4))
)


def blocks(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (40, 40)) -> np.ndarray:
    labels = np.zeros(shape, np.uint16)
    for number, (top, bottom, left, right) in enumerate(boxes, start=1):
        labels[top:bottom, left:right] = number
    return labels


def slow_distance(labels: np.ndarray) -> np.ndarray:
    """Border pixels by their eight neighbours, then the nearest removed pixel by brute force."""
    height, width = labels.shape
    inside = np.zeros(labels.shape, bool)
    for y in range(height):
        for x in range(width):
            window = labels[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            inside[y, x] = labels[y, x] > 0 and (window == labels[y, x]).all()
    outside = np.argwhere(~inside)
    result = np.zeros(labels.shape)
    for y, x in np.argwhere(inside):
        result[y, x] = np.sqrt(((outside - (y, x)) ** 2).sum(1).min()) if len(outside) else 1
    for leaf in np.unique(labels[labels > 0]):
        mask = labels == leaf
        result[mask] = result[mask] / result[mask].max() if result[mask].max() else 1
    return result


@settings(max_examples=60, deadline=None)
@given(label_maps)
def test_distance_equals_the_slow_reference(labels: np.ndarray) -> None:
    np.testing.assert_allclose(distance_target(labels), slow_distance(labels), atol=1e-5)


def test_touching_leaves_are_parted_and_peak_at_one() -> None:
    labels = blocks((5, 25, 5, 15), (5, 25, 15, 35))
    distance = distance_target(labels)
    assert not distance[5:25, 14:16].any()
    assert distance[labels == 1].max() == 1
    assert distance[labels == 2].max() == 1
    assert not distance[labels == 0].any()


def test_the_edge_of_the_picture_is_no_border() -> None:
    distance = distance_target(blocks((0, 40, 0, 10)))
    assert distance[0, 0] == distance[39, 0] == 1


def test_a_leaf_of_nothing_but_border_is_one_all_over() -> None:
    labels = blocks((5, 7, 5, 30))
    assert (distance_target(labels)[labels == 1] == 1).all()


def test_one_leaf_over_the_whole_picture() -> None:
    assert (distance_target(np.full((8, 8), 3, np.uint16)) == 1).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_distances_are_the_same_to_the_last_bit_at_every_call(seed: int) -> None:
    noise = np.random.default_rng(seed).random((64, 64))
    labels = (ndimage.gaussian_filter(noise, 3) > 0.5).astype(np.uint16)
    inside = (ndimage.grey_erosion(labels, (3, 3)) > 0) & (labels > 0)
    exact = ndimage.distance_transform_edt(inside).astype(np.float32)
    peak = exact.max() or np.float32(1)
    # Elsewhere in memory, where OpenCV takes other instructions.
    maps = [distance_target(np.pad(labels, ((0, n), (0, 0)))[:64]) for n in range(8)]
    assert all((found == maps[0]).all() for found in maps)
    if inside.any():
        assert (maps[0][inside] == (exact / peak)[inside]).all()


def slow_pairs(labels: np.ndarray, radius: float) -> set[tuple[int, int]]:
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = x**2 + y**2 <= radius**2
    leaves = [int(k) for k in np.unique(labels) if k]
    grown = {k: ndimage.binary_dilation(labels == k, disk) for k in leaves}
    return {(a, b) for a in leaves for b in leaves if a != b and grown[a][labels == b].any()}


@settings(max_examples=60, deadline=None)
@given(label_maps, st.floats(1, 6))
def test_neighbours_equal_dilated_masks(labels: np.ndarray, radius: float) -> None:
    found = {(int(a), int(b)) for a, b in neighbour_pairs(labels, radius)}
    assert found == slow_pairs(labels, radius)


def test_a_large_radius_needs_little_memory() -> None:
    rng = np.random.default_rng(0)
    labels = np.kron(rng.permutation(256).reshape(16, 16), np.ones((14, 14), int))
    labels[::14] = labels[:, ::14] = 0
    tracemalloc.start()
    try:
        pairs = neighbour_pairs(labels, 32.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    near = {k: ndimage.distance_transform_edt(labels != k) <= 32.0 for k in range(1, 256)}
    expected = [
        [a, b] for a in near for b in np.unique(labels[near[a]]).tolist() if b not in (0, a)
    ]
    assert pairs.tolist() == expected
    assert peak < 400e6


def test_neighbours_stop_at_the_radius() -> None:
    labels = blocks((5, 15, 5, 15), (5, 15, 19, 30))  # pixels 14 and 19: 5 apart
    assert len(neighbour_pairs(labels, 4.9)) == 0
    assert neighbour_pairs(labels, 5.0).tolist() == [[1, 2], [2, 1]]


def test_all_pairs_joins_far_leaves() -> None:
    labels = blocks((0, 2, 0, 2), (38, 40, 38, 40), (20, 22, 0, 2))
    assert len(all_pairs(labels)) == 6
    assert len(neighbour_pairs(labels, 5)) == 0
    assert len(all_pairs(np.zeros((4, 4), int))) == 0


@pytest.mark.parametrize(("size", "kept"), [(512, 25), (256, 7), (1024, 100)])
def test_the_smallest_leaf_scales_with_the_picture(size: int, kept: int) -> None:
    labels = np.zeros((size, size), np.uint16)
    labels[0, :kept] = 7
    labels[5, : kept - 1] = 9
    cleaned = drop_small_leaves(labels)
    assert (cleaned[0, :kept] == 1).all()
    assert not cleaned[5].any()
