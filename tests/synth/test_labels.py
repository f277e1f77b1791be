"""Remnants go to a leaf that touches them, numbers become consecutive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as connected

from phenopipe.synth.labels import absorb_remnants, smallest_piece, tidy_labels


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
def test_large_pieces_never_change_and_nothing_grows(labels):
    tidy = tidy_labels(labels)
    pieces = connected(labels, background=0, connectivity=2)
    large = np.bincount(pieces.ravel()) >= smallest_piece(12)
    large[0] = False
    stays = large[pieces]
    assert not tidy[labels == 0].any()
    kept = np.unique(labels[stays])
    np.testing.assert_array_equal(tidy[stays], np.searchsorted(kept, labels[stays]) + 1)
    assert tidy.max() == kept.size
