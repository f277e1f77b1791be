"""Remnants go to a leaf that touches them, numbers become consecutive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as connected

from phenopipe.synth.labels import absorb_remnants, label_edges, smallest_piece, tidy_labels


def scene() -> np.ndarray:
    labels = np.zeros((40, 40), np.uint16)
    labels[5:20, 5:20] = 3
    labels[5:20, 20:35] = 7
    return labels


def test_numbers_become_consecutive_in_order():
    tidy = tidy_labels(scene())
    assert tidy.dtype == np.uint16
    np.testing.assert_array_equal(tidy, np.select([scene() == 3, scene() == 7], [1, 2]))


def test_remnant_goes_to_the_highest_leaf_that_touches_it():
    labels = scene()
    labels[10:12, 20] = 9
    tidy = tidy_labels(labels)
    assert (tidy[10:12, 20] == 2).all()
    assert tidy.max() == 2


@pytest.mark.parametrize(
    ("rows", "columns", "stays"),
    [
        (slice(6, 9), slice(17, 20), True),  # a small leaf of 3x3 on a larger one
        (slice(6, 18), slice(18, 20), False),  # longer, but nowhere 3 wide
    ],
)
def test_a_leaf_among_others_counts_from_three_pixels_of_width(rows, columns, stays):
    labels = scene()
    labels[rows, columns] = 9
    assert tidy_labels(labels).max() == (3 if stays else 2)


def test_a_leaf_among_others_counts_from_a_share_of_the_largest():
    labels = np.zeros((64, 64), np.uint16)
    labels[2:42, 2:42] = 1  # 1600 px, of which 3 % are 48
    labels[42:48, 2:9] = 2
    labels[42:48, 20:29] = 3
    labels[55:59, 55:60] = 4  # touches none
    tidy = tidy_labels(labels)
    assert tidy[45, 5] == 1
    assert tidy[45, 25] == 2
    assert tidy[57, 57] == 3


def test_narrow_pieces_of_an_enlarged_picture_are_measured_in_its_cameras_pixels():
    labels = scene()
    labels[5:20, 15:20] = 9
    assert tidy_labels(labels).max() == 3
    assert tidy_labels(labels, 2.0).max() == 2


def test_leaves_may_keep_their_numbers():
    labels = scene()
    labels[10:12, 20] = 9
    np.testing.assert_array_equal(absorb_remnants(labels), scene())


@pytest.mark.parametrize(("enlarged", "stays"), [(1.0, True), (4.0, False)])
def test_pieces_that_an_enlarged_picture_cannot_show_go(enlarged, stays):
    labels = scene()
    labels[30:34, 30:35] = 5
    assert tidy_labels(labels, enlarged)[32, 32] == (2 if stays else 0)


def test_lone_remnant_becomes_background():
    labels = scene()
    labels[30, 30:33] = 5
    np.testing.assert_array_equal(tidy_labels(labels), tidy_labels(scene()))


def test_large_pieces_of_a_split_leaf_stay():
    labels = scene()
    labels[25:30, 5:12] = 7
    tidy = tidy_labels(labels)
    assert (tidy[25:30, 5:12] == 2).all()


@pytest.mark.parametrize(("side", "fewest"), [(64, 4), (256, 7), (512, 26)])
def test_smallest_piece(side, fewest):
    assert smallest_piece(side) == fewest


def test_empty_map_stays_empty():
    assert not tidy_labels(np.zeros((16, 16), np.uint16)).any()


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint16, (12, 12), elements=st.sampled_from([0, 0, 1, 4, 6])))
def test_pieces_that_touch_no_other_leaf_never_change_and_nothing_grows(labels):
    tidy = tidy_labels(labels)
    pieces = connected(labels > 0, connectivity=2)
    alone = [len(np.unique(labels[pieces == piece])) == 1 for piece in range(pieces.max() + 1)]
    large = np.bincount(pieces.ravel()) >= smallest_piece(12)
    stays = (np.array(alone) & large)[pieces] & (pieces > 0)
    assert not tidy[labels == 0].any()
    assert (tidy[stays] > 0).all()
    kept = np.unique(tidy)
    assert kept.size == tidy.max() + (kept[0] == 0)
    for number in kept[kept > 0]:
        assert len(np.unique(labels[stays & (tidy == number)])) <= 1


def test_edges_belong_to_the_nearest_leaf_as_far_as_enough_of_it_is_seen():
    labels, seen = np.zeros((1, 9), np.uint16), np.zeros((1, 9), np.float32)
    labels[0, 3:5], labels[0, 5] = 2, 5
    seen[0] = [0.1, 0.3, 0.4, 0.9, 1.0, 1.0, 0.25, 0.3, 0.1]
    assert label_edges(labels, seen, 0.25).tolist() == [[0, 2, 2, 2, 2, 5, 0, 0, 0]]


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint16, (10, 12), elements=st.sampled_from([0, 0, 0, 1, 4])),
    arrays(np.float32, (10, 12), elements=st.floats(0, 1, width=32)),
    st.floats(0.1, 0.5),
)
def test_edges_grow_into_all_that_is_connected_to_a_leaf_and_nowhere_else(labels, seen, share):
    grown = label_edges(labels, seen, share)
    pieces = connected((labels > 0) | (seen > share), connectivity=2, background=0)
    with_leaf = np.unique(pieces[labels > 0])
    np.testing.assert_array_equal(grown > 0, np.isin(pieces, with_leaf) & (pieces > 0))
    np.testing.assert_array_equal(grown[labels > 0], labels[labels > 0])
