"""Crops keep aspect, area and place: whatever is measured in them can be told in the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.ingest import PotBox, cut_crop


def disc(height, width, centre, radius):
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - centre[0], y - centre[1]) <= radius
    return np.dstack([inside * np.uint8(255)] * 3), inside.sum()


def whole(image):
    return PotBox("1", 0, 0, image.shape[1], image.shape[0])


def centroid(weights):
    y, x = np.indices(weights.shape)
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


CASES = [
    ((432, 450), (100.0, 300.0), 60.0, 256),
    ((900, 300), (150.0, 700.0), 90.0, 128),
    ((300, 900), (80.0, 90.0), 40.0, 512),
    ((97, 61), (30.0, 20.0), 15.0, 256),
    ((256, 256), (128.0, 100.0), 50.0, 256),
]


@pytest.mark.parametrize(("size", "centre", "radius", "crop_size"), CASES)
def test_a_disc_keeps_its_centre_and_its_area(size, centre, radius, crop_size):
    image, area = disc(*size, centre, radius)
    crop = cut_crop(image, whole(image), crop_size)
    left, top, right, bottom = crop.valid
    weights = np.zeros((crop_size, crop_size))
    weights[top:bottom, left:right] = crop.picture[..., 0] / 255.0
    found = crop.transform @ (*centroid(weights), 1)
    np.testing.assert_allclose(found, centre, atol=0.25)
    scale = abs(np.linalg.det(crop.transform[:, :2]))
    assert weights.sum() * scale == pytest.approx(area, rel=0.01)


def test_points_of_a_box_within_the_image_round_trip():
    image = np.zeros((200, 300, 3), np.uint8)
    for x, y in [(110, 60), (150, 100), (199, 139)]:
        image[y, x] = 255
    crop = cut_crop(image, PotBox("B2", 100, 50, 200, 140), 400)
    labelled = crop.rgb[..., 0] > 100
    forward = np.vstack([crop.transform, [0, 0, 1]])
    for x, y in [(110, 60), (150, 100), (199, 139)]:
        spot = np.linalg.inv(forward) @ (x, y, 1)
        column, row = np.rint(spot[:2]).astype(int)
        assert labelled[row, column]
        back = forward @ (column, row, 1)
        assert np.abs(back[:2] - (x, y)).max() < 0.5


def test_averaging_is_the_mean_of_whole_blocks():
    image = np.random.default_rng(0).integers(0, 256, (64, 32, 3)).astype(np.uint8)
    crop = cut_crop(image, whole(image), 16)
    blocks = image.reshape(16, 4, 8, 4, 3).mean(axis=(1, 3))
    assert crop.valid == (4, 0, 12, 16)
    assert np.abs(crop.picture - blocks).max() <= 0.5
    np.testing.assert_array_equal(crop.transform, [[4, 0, -14.5], [0, 4, 1.5]])


def test_a_picture_of_the_right_size_is_untouched():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    crop = cut_crop(image, whole(image), 64)
    np.testing.assert_array_equal(crop.rgb, image)
    np.testing.assert_array_equal(crop.transform, [[1, 0, 0], [0, 1, 0]])


def test_padding_repeats_the_edge():
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3)).astype(np.uint8)
    crop = cut_crop(image, whole(image), 64)
    np.testing.assert_array_equal(crop.rgb, np.pad(image, ((16, 16), (0, 0), (0, 0)), "edge"))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([64, 80, 256]))
def test_the_corners_of_the_valid_box_are_those_of_the_pot(height, width, size):
    image = np.zeros((height + 7, width + 5, 3), np.uint8)
    crop = cut_crop(image, PotBox("1", 5, 7, width + 5, height + 7), size)
    left, top, right, bottom = crop.valid
    assert crop.rgb.shape == (size, size, 3)
    assert 0 <= left < right <= size
    assert 0 <= top < bottom <= size
    assert max(right - left, bottom - top) == size
    first = crop.transform @ (left - 0.5, top - 0.5, 1)
    last = crop.transform @ (right - 0.5, bottom - 0.5, 1)
    np.testing.assert_allclose(first, (4.5, 6.5), atol=1e-9)
    np.testing.assert_allclose(last, (width + 4.5, height + 6.5), atol=1e-9)


@pytest.mark.parametrize("width", [20_000, 40_000])
def test_a_very_wide_picture_is_cut(width):
    crop = cut_crop(np.full((40, width, 3), 9, np.uint8), PotBox("1", 0, 0, width, 40), 256)
    assert crop.valid == (0, 127, 256, 128)
    assert (crop.rgb == 9).all()
