from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from phenopipe.segment.regions import OUTSIDE, grow_leaves, grow_region
from phenopipe.segment.seeds import Seeds


def seeds_at(pixels, vectors):
    rows, columns = np.array(pixels).T
    return Seeds(rows, columns, np.asarray(vectors, np.float32), np.ones(len(rows)))


def grow_regions(embedding, limit, seeds, reach):
    places = zip(seeds.rows.tolist(), seeds.columns.tolist(), seeds.vectors, strict=True)
    return [grow_region(embedding, limit, place, vector, reach) for *place, vector in places]


def test_a_region_is_connected_over_corners_and_holds_its_seed():
    embedding = np.zeros((5, 6, 2), np.float32)
    embedding[..., 1] = 1
    for pixel in [(1, 1), (2, 2), (3, 2), (0, 5)]:
        embedding[pixel] = [1, 0]
    seeds = seeds_at([(1, 1), (4, 4)], [[1, 0], [1, 0]])
    here, lost = grow_regions(embedding, np.full((5, 6), 0.5, np.float32), seeds, 1)
    assert (here.top, here.left, here.cosine.shape) == (1, 1, (3, 2))
    assert np.array_equal(here.cosine > OUTSIDE, [[True, False], [False, True], [False, True]])
    assert (lost.top, lost.left, lost.cosine.tolist()) == (4, 4, [[0.0]])


def test_many_seeds():
    count = 40
    embedding = np.zeros((2, 2 * count, 2), np.float32)
    embedding[:, ::2, 0] = 1
    seeds = seeds_at([(1, 2 * k) for k in range(count)], [[1, 0]] * count)
    limit = np.full(embedding.shape[:2], 0.5, np.float32)
    regions = grow_regions(embedding, limit, seeds, 3)
    assert [(r.top, r.left, r.cosine.shape) for r in regions] == [
        (0, 2 * k, (2, 1)) for k in range(count)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 90), st.sampled_from([2, 3, 8]))
def test_regions_do_not_depend_on_where_a_search_begins(seed, reach, dimensions):
    random = np.random.default_rng(seed)
    shape = random.integers(1, 70, 2)
    embedding = ndimage.gaussian_filter(random.normal(size=(*shape, dimensions)), (4, 4, 0))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    limit = random.uniform(0.3, 0.6, shape).astype(np.float32)
    pixels = np.unique(random.integers(0, shape, (6, 2)), axis=0)
    seeds = seeds_at(pixels, embedding[tuple(pixels.T)])
    regions = grow_regions(embedding.astype(np.float32), limit, seeds, reach)
    assert len(regions) == len(pixels)
    for region, (row, column), vector in zip(regions, pixels, seeds.vectors, strict=True):
        agrees = embedding @ vector > limit
        agrees[row, column] = True
        pieces, _ = ndimage.label(agrees, np.ones((3, 3)))
        expected = pieces == pieces[row, column]
        held = np.zeros(shape, bool)
        held[region.window] = region.cosine > OUTSIDE
        assert np.array_equal(held, expected)
        assert expected.any(axis=1).sum() == region.cosine.shape[0]  # no row too many
        cosine = (embedding @ vector)[region.window][held[region.window]]
        assert np.allclose(region.cosine[held[region.window]], cosine, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([5, 8, 16]))
def test_cosines_are_rounded_alike_wherever_a_window_lies(seed, reach, dimensions):
    """Bit for bit those of the whole map: BLAS rounds by a pixel's place in the row it is given."""
    random = np.random.default_rng(seed)
    embedding = random.normal(size=(9, 61, dimensions)).astype(np.float32)
    vector = random.normal(size=dimensions).astype(np.float32)
    first, last = np.sort(random.choice(62, 2, replace=False))
    limit = np.full((9, 61), 99, np.float32)  # walls around columns first to last
    limit[:, first:last] = -99
    seed_at = int(random.integers(9)), int(random.integers(first, last))
    region = grow_region(embedding, limit, seed_at, vector, reach)
    assert region.window == (slice(0, 9), slice(first, last))
    assert np.array_equal(region.cosine, (embedding @ vector)[:, first:last])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)))
def test_which_seeds_are_one_leaf(heights):
    """A chain 0-1-2 in steps of 10 degrees; 3 has 0's vector beyond a gap; 4 lies in the gap."""
    degrees = np.deg2rad([0, 10, 20, 90, 0])
    vectors = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    pixels = [(0, 1), (0, 4), (0, 7), (0, 9), (0, 14)]
    embedding = np.tile(np.array([1, 0], np.float32), (1, 16, 1))
    embedding[:, 9:12] = [0, 1]
    limit = np.full((1, 16), 0.7, np.float32)
    seeds = replace(seeds_at(pixels, vectors), peaks=1 + np.array(heights))
    highest = int(np.argmax(heights[:3]))
    for angle, leaders in ((15, [highest, 3, 4]), (5, [0, 1, 2, 3, 4]), (0, [0, 1, 2, 3, 4])):
        regions, kept = grow_leaves(embedding, limit, seeds, 2, angle)
        assert kept.columns.tolist() == [pixels[k][1] for k in leaders]
        for region, k in zip(regions, leaders, strict=True):
            alone = grow_region(embedding, limit, pixels[k], seeds.vectors[k], 2)
            assert region.window == alone.window
            assert np.array_equal(region.cosine, alone.cosine)


def plain_leaves(embedding, limit, seeds, angle):
    """Regions by leading seed: scipy, one seed after another, pair by pair of vectors."""
    points = list(zip(seeds.rows.tolist(), seeds.columns.tolist(), strict=True))
    least = np.cos(np.deg2rad(angle))
    left = sorted(range(len(seeds)), key=lambda k: (-seeds.peaks[k], points[k]))
    leaves = {}
    while left:
        first = left.pop(0)
        agrees = embedding @ seeds.vectors[first] > limit
        agrees[points[first]] = True
        pieces, _ = ndimage.label(agrees, np.ones((3, 3)))
        leaves[first] = pieces == pieces[points[first]]
        same, found = [first], True
        while found:
            found = [
                k
                for k in left
                if leaves[first][points[k]]
                and any(seeds.vectors[k] @ seeds.vectors[m] > least for m in same)
            ]
            same += found
            left = [k for k in left if k not in found]
    return leaves


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3, 8]), st.integers(5, 60), st.booleans())
def test_leaves_equal_a_plain_reference(seed, dimensions, angle, level):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(8, 40, 2))
    embedding = ndimage.gaussian_filter(random.normal(size=(*shape, dimensions)), (3, 3, 0))
    embedding = np.float32(embedding / np.linalg.norm(embedding, axis=-1, keepdims=True))
    limit = random.uniform(0.1, 0.4, shape).astype(np.float32)
    pixels = np.unique(random.integers(0, shape, (12, 2)), axis=0)
    peaks = random.integers(0, 3, len(pixels)) if level else random.random(len(pixels))
    seeds = replace(seeds_at(pixels, embedding[tuple(pixels.T)]), peaks=peaks)
    expected = plain_leaves(embedding, limit, seeds, angle)
    regions, leaders = grow_leaves(embedding, limit, seeds, 4, angle)
    held = np.zeros((len(regions), *shape), bool)
    for mask, region in zip(held, regions, strict=True):
        mask[region.window] = region.cosine > OUTSIDE
    assert np.array_equal(np.stack([leaders.rows, leaders.columns], 1), pixels[sorted(expected)])
    assert np.array_equal(held, np.stack([expected[k] for k in sorted(expected)]))


def test_of_equally_high_seeds_the_first_by_position_stands_for_the_leaf():
    seeds = seeds_at([(0, 5), (0, 9), (2, 1)], [[1, 0]] * 3)
    embedding = np.tile(np.array([1, 0], np.float32), (3, 12, 1))
    regions, kept = grow_leaves(embedding, np.zeros((3, 12), np.float32), seeds, 2, 10)
    assert (kept.rows.tolist(), kept.columns.tolist(), len(regions)) == ([0], [5], 1)


def test_a_leaf_of_more_seeds_than_are_compared_at_once(monkeypatch):
    monkeypatch.setattr("phenopipe.segment.regions.BLOCK", 2)
    turn = np.deg2rad(4 * np.arange(12))
    vectors = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    seeds = seeds_at([(0, 2 * k) for k in range(12)], vectors)
    embedding = np.tile(np.array([1, 0], np.float32), (1, 24, 1))
    for angle, leaves in ((5, 1), (3, 12)):
        _, kept = grow_leaves(embedding, np.full((1, 24), -1, np.float32), seeds, 3, angle)
        assert len(kept) == leaves
