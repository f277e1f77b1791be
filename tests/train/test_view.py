"""Views: resampling against plain NumPy, and frames that hold what they should."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.train.view import View, majority, plant_view, turned, whole_view

RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 256, (48, 48, 3)).astype(np.uint8)
LABELS = np.kron(RNG.integers(0, 5, (12, 12)), np.ones((4, 4), int)).astype(np.uint16)


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_quarter_turns_and_mirrors_keep_every_pixel(quarter: int, mirrored: bool) -> None:
    view = whole_view(LABELS.shape, turned(90 * quarter, mirrored=mirrored))
    rgb, labels = view.show(RGB, LABELS, 48)
    # A view turned one way shows the picture turned the other way, then mirrored.
    expected = [np.rot90(pixels, quarter) for pixels in (RGB, LABELS)]
    if mirrored:
        expected = [pixels[:, ::-1] for pixels in expected]
    assert np.array_equal(rgb, expected[0])
    assert np.array_equal(labels, expected[1])


@pytest.mark.parametrize("block", [2, 3, 4])
def test_shrinking_takes_means_and_majorities_of_blocks(block: int) -> None:
    size = 48 // block
    rgb, labels = whole_view(LABELS.shape).show(RGB, LABELS, size)
    blocks = RGB.reshape(size, block, size, block, 3).astype(float)
    assert np.abs(rgb - blocks.mean(axis=(1, 3))).max() <= 0.51
    assert np.array_equal(labels, slow_majority(LABELS, block))


def slow_majority(labels: np.ndarray, block: int) -> np.ndarray:
    result = np.zeros(np.array(labels.shape) // block, labels.dtype)
    for row, column in np.ndindex(*result.shape):
        part = labels[row * block : (row + 1) * block, column * block : (column + 1) * block]
        counts = Counter(part.ravel().tolist())
        result[row, column] = min(counts, key=lambda label: (-counts[label], label))
    return result


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_majority_is_that_of_counting(seed: int, block: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (3 * block, 5 * block)).astype(np.uint16)
    assert np.array_equal(majority(labels, block), slow_majority(labels, block))


def test_beyond_the_picture_are_no_leaves() -> None:
    full = np.full((20, 30), 3, np.uint16)
    rgb = np.full((20, 30, 3), 200, np.uint8)
    view = View(np.eye(2), np.array([14.5, 9.5]), 60.0)
    for border, colour in ((cv2.BORDER_REPLICATE, 200), (cv2.BORDER_CONSTANT, 0)):
        seen, labels = view.show(rgb, full, 60, border)
        assert np.array_equal(np.argwhere(labels)[[0, -1]], [[20, 15], [39, 44]])
        assert (labels > 0).sum() == full.size
        assert (seen[0, 0] == colour).all()


@settings(max_examples=25)
@given(st.floats(0, 360), st.booleans(), st.floats(0.5, 0.97))
def test_a_plant_view_holds_the_whole_plant_at_its_extent(angle, mirrored, extent) -> None:
    labels = np.zeros((200, 300), np.uint16)
    labels[60:140, 100:130] = 1
    labels[90:100, 100:220] = 2
    axes = turned(angle, mirrored=mirrored)
    _, shown = plant_view(labels, extent, axes).show(np.zeros((200, 300, 3), np.uint8), labels, 128)
    rows, columns = np.nonzero(shown)
    spans = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(spans) / 128 == pytest.approx(extent, abs=0.04)
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    assert np.allclose(middle, 63.5, atol=2)
    scale = 128 / plant_view(labels, extent, axes).side
    # Within a pixel along half of the border, 260 px since the second leaf divides the first.
    assert (shown == 1).sum() == pytest.approx((labels == 1).sum() * scale**2, abs=130 * scale)


def test_no_plant_is_enlarged_without_end() -> None:
    labels = np.zeros((100, 100), np.uint16)
    labels[50:53, 50:53] = 1
    assert plant_view(labels, 0.75).side == pytest.approx(4.0)
    assert plant_view(labels, 0.75, min_side=32).side == 32
    assert plant_view(labels * 0).side == 100
