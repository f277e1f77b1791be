from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.segment.regions import OUTSIDE, Region, grow_regions, join, same_leaf
from phenopipe.segment.seeds import Seeds


def seeds_at(pixels, vectors):
    rows, columns = np.array(pixels).T
    return Seeds(rows, columns, np.asarray(vectors, np.float32), np.ones(len(rows)))


def test_a_region_is_connected_over_corners_and_holds_its_seed():
    embedding = np.zeros((5, 6, 2), np.float32)
    embedding[..., 1] = 1
    for pixel in [(1, 1), (2, 2), (3, 2), (0, 5)]:
        embedding[pixel] = [1, 0]
    seeds = seeds_at([(1, 1), (4, 4)], [[1, 0], [1, 0]])
    here, lost = grow_regions(embedding, np.full((5, 6), 0.5, np.float32), seeds)
    assert (here.top, here.left, here.cosine.shape) == (1, 1, (3, 2))
    assert np.array_equal(here.cosine > OUTSIDE, [[True, False], [False, True], [False, True]])
    assert (lost.top, lost.left, lost.cosine.tolist()) == (4, 4, [[0.0]])


def test_many_seeds_in_blocks():
    count = 40
    embedding = np.zeros((2, 2 * count, 2), np.float32)
    embedding[:, ::2, 0] = 1
    seeds = seeds_at([(1, 2 * k) for k in range(count)], [[1, 0]] * count)
    regions = list(grow_regions(embedding, np.full(embedding.shape[:2], 0.5, np.float32), seeds))
    assert [(r.top, r.left, r.cosine.shape) for r in regions] == [
        (0, 2 * k, (2, 1)) for k in range(count)
    ]


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)))
def test_which_seeds_are_one_leaf_does_not_depend_on_their_order(order):
    # A chain 0-1-2 in steps of 10 degrees; 3 has the vector of 0, but lies beyond a gap; 4 is far.
    degrees = np.deg2rad([0, 10, 20, 0, 90])[list(order)]
    vectors = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    pixels = np.array([(0, 1), (0, 4), (0, 7), (0, 14), (0, 9)])[list(order)]
    embedding = np.tile(np.array([1, 0], np.float32), (1, 16, 1))
    embedding[:, 9:12] = [0, 1]
    seeds = seeds_at(pixels, vectors)
    regions = list(grow_regions(embedding, np.full((1, 16), 0.7, np.float32), seeds))
    count, leaf_of = same_leaf(regions, seeds, 15)
    assert count == 3
    leaf = dict(zip(order, leaf_of.tolist(), strict=True))
    assert leaf[0] == leaf[1] == leaf[2] != leaf[3]
    assert leaf[4] not in (leaf[0], leaf[3])
    assert same_leaf(regions, seeds, 5)[0] == 5
    assert same_leaf(regions, seeds, 0)[0] == 5


def test_joined_regions_keep_the_larger_cosine():
    one = Region(1, 0, np.array([[0.9, 0.5, OUTSIDE]], np.float32))
    two = Region(0, 1, np.array([[OUTSIDE, 0.8], [0.7, OUTSIDE]], np.float32))
    joined = join([one, two])
    assert (joined.top, joined.left) == (0, 0)
    expected = [[OUTSIDE, OUTSIDE, 0.8], [0.9, 0.7, OUTSIDE]]
    assert np.array_equal(joined.cosine, np.array(expected, np.float32))
    assert join([one]) is one
