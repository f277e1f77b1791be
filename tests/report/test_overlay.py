from __future__ import annotations

import colorsys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_scenes import plant_picture
from scipy import ndimage

from phenopipe.report import draw_overlay, leaf_colours


@pytest.fixture
def scene():
    return plant_picture(1, 5, 128)


def test_background_is_untouched_and_inputs_too(scene):
    rgb, labels = scene
    before = rgb.copy(), labels.copy()
    drawn = draw_overlay(rgb, labels, numbers=False)
    assert drawn.dtype == np.uint8 and drawn.shape == rgb.shape
    np.testing.assert_array_equal(drawn[labels == 0], rgb[labels == 0])
    np.testing.assert_array_equal(rgb, before[0])
    np.testing.assert_array_equal(labels, before[1])


def test_contours_are_the_inner_border_in_the_leaf_s_colour(scene):
    rgb, labels = scene
    drawn = draw_overlay(rgb, labels, numbers=False)
    for label in range(1, 6):
        leaf = labels == label
        border = leaf & ~ndimage.binary_erosion(leaf, np.ones((3, 3)), border_value=0)
        colour = leaf_colours(np.array([label]))[0]
        assert (drawn[border] == colour).all()
        inside = leaf & ~border
        assert not (drawn[inside] == colour).all(axis=-1).any()


def test_touching_leaves_keep_their_own_contours():
    labels = np.zeros((20, 20), np.uint32)
    labels[5:15, 5:10], labels[5:15, 10:15] = 7, 70000
    drawn = draw_overlay(np.full((20, 20, 3), 90, np.uint8), labels, numbers=False)
    first, second = leaf_colours(np.array([7, 70000]))
    assert (drawn[5:15, 9] == first).all() and (drawn[5:15, 10] == second).all()


def test_a_leaf_at_the_picture_s_border_is_closed():
    labels = np.ones((12, 12), np.uint8)
    drawn = draw_overlay(np.zeros((12, 12, 3), np.uint8), labels, numbers=False)
    assert (drawn[0] == leaf_colours(np.array([1]))[0]).all()


def test_contours_widen_with_the_picture():
    labels = np.zeros((1200, 1200), np.int32)
    labels[100:1100, 100:1100] = 1
    drawn = draw_overlay(np.zeros((1200, 1200, 3), np.uint8), labels, numbers=False)
    is_line = (drawn[600] == leaf_colours(np.array([1]))[0]).all(axis=-1)
    assert is_line.sum() == 4


def test_numbers_are_written_where_they_fit(scene):
    rgb, labels = scene
    small = np.zeros_like(labels)
    small[10:13, 10:13] = 1
    plain, numbered = draw_overlay(rgb, labels, numbers=False), draw_overlay(rgb, labels)
    assert (plain != numbered).any()
    np.testing.assert_array_equal(draw_overlay(rgb, small, numbers=False), draw_overlay(rgb, small))


def test_nothing_to_draw(scene):
    rgb, labels = scene
    np.testing.assert_array_equal(draw_overlay(rgb, np.zeros_like(labels)), rgb)


def test_sizes_must_agree(scene):
    with pytest.raises(ValueError, match="labels are"):
        draw_overlay(scene[0], scene[1][:-1])


@settings(max_examples=30)
@given(st.sets(st.integers(1, 2**32 - 1), min_size=1, max_size=20))
def test_a_colour_belongs_to_its_label_alone_and_is_not_green(chosen):
    labels = np.array(sorted(chosen), np.uint32)
    colours = leaf_colours(labels).astype(int)
    for label, colour in zip(labels, colours, strict=True):
        np.testing.assert_array_equal(leaf_colours(np.array([label]))[0], colour)
    hues = np.array([360 * colorsys.rgb_to_hsv(*colour)[0] for colour in colours])
    assert not np.any((hues > 65) & (hues < 160))


def test_following_labels_are_easily_told_apart():
    colours = leaf_colours(np.arange(1, 30)).astype(int)
    assert np.abs(np.diff(colours, axis=0)).sum(axis=1).min() > 150


def test_large_pictures_take_little_memory():
    labels = np.kron(np.arange(1, 26).reshape(5, 5), np.ones((300, 300), int)).astype(np.uint32)
    rgb = np.full((*labels.shape, 3), 90, np.uint8)
    tracemalloc.start()
    try:
        draw_overlay(rgb, labels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * labels.size


def test_labels_without_background_and_with_gaps():
    labels = np.array([[7, 7, 70000, 70000]], np.uint32)
    drawn = draw_overlay(np.zeros((1, 4, 3), np.uint8), labels, numbers=False)
    np.testing.assert_array_equal(drawn[0], leaf_colours(labels[0]))
