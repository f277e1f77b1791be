"""Regions by scipy, claims pixel by pixel: plain references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from phenopipe.encoding import background_direction, encode_embedding
from phenopipe.segment.regions import grow_leaves
from phenopipe.segment.seeds import Seeds


def seeds_at(pixels, vectors, peaks=None):
    rows, columns = np.array(pixels).T
    peaks = np.ones(len(rows)) if peaks is None else np.asarray(peaks, float)
    return Seeds(rows, columns, np.asarray(vectors, np.float32), peaks)


def random_scene(seed, dimensions, smoothing=3, count=12):
    """Smooth unit vectors, and seeds among them that point as their pixels do."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(8, 40, 2))
    noise = random.normal(size=(*shape, dimensions))
    embedding = ndimage.gaussian_filter(noise, (smoothing, smoothing, 0))
    embedding = np.float32(embedding / np.linalg.norm(embedding, axis=-1, keepdims=True))
    pixels = np.unique(random.integers(0, shape, (count, 2)), axis=0)
    return embedding, seeds_at(pixels, embedding[tuple(pixels.T)], random.random(len(pixels)))


def plain_region(embedding, seeds, k, max_angle_deg):
    """Return where a seed's region is, and the cosine of every pixel to the seed.

    In 32 bits and one dimension after another: of nearly equal angles the rounding decides.
    """
    along = total = squared = np.float32(0)
    for values, component in zip(np.moveaxis(embedding, 2, 0), seeds.vectors[k], strict=True):
        along = along + values * component
        total = total + values
        squared = squared + values * values
    length = np.sqrt(squared)
    least = np.float32(np.cos(np.deg2rad(max_angle_deg)))
    to_background = background_direction(embedding.shape[-1])[0] * total
    agrees = along > np.maximum(to_background, least * length)
    place = seeds.rows[k], seeds.columns[k]
    agrees[place] = True
    pieces, _ = ndimage.label(agrees, np.ones((3, 3)))
    return pieces == pieces[place], along / length


def dot(one, other):
    total = np.float32(0)
    for product in one * other:
        total += product
    return total


def plain_leaders(embedding, seeds, max_angle_deg, merge_angle_deg):
    """Find the seeds that begin a leaf: one after another, pair by pair of vectors."""
    points = list(zip(seeds.rows.tolist(), seeds.columns.tolist(), strict=True))
    least = np.float32(np.cos(np.deg2rad(merge_angle_deg)))
    left = sorted(range(len(seeds)), key=lambda k: (-seeds.peaks[k], points[k]))
    leaders = []
    while left:
        leaders.append(left.pop(0))
        region, _ = plain_region(embedding, seeds, leaders[-1], max_angle_deg)
        same, found = [leaders[-1]], [None]
        while found and merge_angle_deg:
            found = [
                k
                for k in left
                if region[points[k]]
                and any(dot(seeds.vectors[m], seeds.vectors[k]) > least for m in same)
            ]
            same += found
            left = [k for k in left if k not in found]
    return sorted(leaders)


def plain_claims(embedding, seeds, leaders, max_angle_deg):
    """Give every pixel its two leaves: by angle, then by distance to the seed, then by place."""
    best = np.zeros((2, *embedding.shape[:2]), int)
    found = [plain_region(embedding, seeds, k, max_angle_deg) for k in leaders]
    for row, column in np.ndindex(*embedding.shape[:2]):
        claims = sorted(
            (
                -cosine[row, column],
                (seeds.rows[k] - row) ** 2 + (seeds.columns[k] - column) ** 2,
                k,
            )
            for k, (region, cosine) in zip(leaders, found, strict=True)
            if region[row, column]
        )
        for place, (*_, k) in enumerate(claims[:2]):
            best[place, row, column] = k + 1
    return best


def assert_grown(embedding, seeds, max_angle_deg, merge_angle_deg):
    claims = grow_leaves(embedding, seeds, max_angle_deg, merge_angle_deg)
    leaders = plain_leaders(embedding, seeds, max_angle_deg, merge_angle_deg)
    assert claims.leaders.tolist() == leaders
    best, second = plain_claims(embedding, seeds, leaders, max_angle_deg)
    assert np.array_equal(claims.best, best)
    assert np.array_equal(claims.second, second)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([2, 3, 8]),
    st.sampled_from([45, 80, 90]),
    st.integers(0, 60),
)
def test_leaders_and_claims_equal_a_plain_reference(seed, dimensions, angle, merge_angle):
    assert_grown(*random_scene(seed, dimensions), angle, merge_angle)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_equal_angles_go_to_the_nearer_seed_then_to_the_first(seed, count):
    """All pixels and seeds have one of two vectors: every angle is equal to many others."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(2, 14, 2))
    embedding = np.eye(2, dtype=np.float32)[(random.random(shape) < 0.3).astype(int)]
    pixels = np.unique(random.integers(0, shape, (count, 2)), axis=0)
    assert_grown(embedding, seeds_at(pixels, embedding[tuple(pixels.T)]), 80, 0)


def test_a_region_is_connected_over_corners_and_holds_its_seed():
    embedding = np.zeros((5, 6, 2), np.float32)
    embedding[..., 1] = 1
    for pixel in [(1, 1), (2, 2), (3, 2), (0, 5)]:
        embedding[pixel] = [1, 0]
    seeds = seeds_at([(1, 1), (4, 4)], [[1, 0], [1, 0]])
    claims = grow_leaves(embedding, seeds, 45, 10)
    assert np.argwhere(claims.best == 1).tolist() == [[1, 1], [2, 2], [3, 2]]
    assert np.argwhere(claims.best == 2).tolist() == [[4, 4]]  # no pixel agrees, nor its own


def test_a_spiral_is_one_region():
    """Rows are entered from both sides and from above and below."""
    size = 41
    embedding = np.zeros((size, size, 2), np.float32)
    row = column = size // 2
    path = [(row, column)]
    for length in range(1, size, 2):
        for step, times in (((0, 1), length), ((1, 0), length), ((0, -1), length + 1)):
            for _ in range(times):
                row, column = row + step[0], column + step[1]
                path.append((row, column))
        for _ in range(length + 1):
            row -= 1
            path.append((row, column))
    inside = np.array([at for at in path if max(at) < size and min(at) >= 0 and sum(at) % 7])
    embedding[..., 1] = 1
    embedding[tuple(inside.T)] = [1, 0]
    seeds = seeds_at([inside[0]], [[1, 0]])
    expected, _ = plain_region(embedding, seeds, 0, 45)
    assert np.array_equal(grow_leaves(embedding, seeds, 45, 0).best == 1, expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 5, 8]))
def test_the_length_of_a_vector_counts_for_nothing(seed, dimensions):
    """Nor does it matter where in the map a pixel lies: claims of a part are those of the whole."""
    embedding, seeds = random_scene(seed, dimensions)
    stored = encode_embedding(embedding, np.ones(embedding.shape[:2]))
    decoded = stored / np.linalg.norm(stored.astype(float), axis=-1, keepdims=True)
    expected = grow_leaves(np.float32(decoded), seeds, 80, 30)
    for vectors in (stored, np.float32(stored), np.float32(decoded * 3.7)):
        claims = grow_leaves(vectors, seeds, 80, 30)
        assert claims.leaders.tolist() == expected.leaders.tolist()
        # Of pixels with nearly equal angles the rounding decides.
        assert np.mean(claims.best != expected.best) < 0.01
    framed = np.pad(stored, ((3, 5), (7, 2), (0, 0)))
    moved = replace(seeds, rows=seeds.rows + 3, columns=seeds.columns + 7)
    claims, whole = grow_leaves(stored, seeds, 80, 30), grow_leaves(framed, moved, 80, 30)
    assert np.array_equal(np.pad(claims.best, ((3, 5), (7, 2))), whole.best)
    assert np.array_equal(np.pad(claims.second, ((3, 5), (7, 2))), whole.second)


def test_stored_zeros_are_background():
    embedding = np.zeros((3, 9, 4), np.int8)
    embedding[:, :4, 0] = 127
    embedding[:, 5:, 0] = 127
    claims = grow_leaves(embedding, seeds_at([(1, 1)], [[1, 0, 0, 0]]), 90, 0)
    assert np.array_equal(claims.best, np.pad(np.ones((3, 4), int), ((0, 0), (0, 5))))


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)))
def test_which_seeds_are_one_leaf(heights):
    """A chain 0-1-2 in steps of 10 degrees; 3 has another vector; 4 has 0's beyond a gap."""
    degrees = np.deg2rad([0, 10, 20, 90, 0])
    vectors = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    pixels = [(0, 1), (0, 4), (0, 7), (0, 9), (0, 14)]
    embedding = np.tile(np.array([1, 0], np.float32), (1, 16, 1))
    embedding[:, 9:12] = [0, 1]
    seeds = seeds_at(pixels, vectors, 1 + np.array(heights))
    highest = int(np.argmax(heights[:3]))
    for angle, leaders in ((15, [highest, 3, 4]), (5, [0, 1, 2, 3, 4]), (0, [0, 1, 2, 3, 4])):
        assert grow_leaves(embedding, seeds, 45, angle).leaders.tolist() == leaders


def test_of_equally_high_seeds_the_first_by_position_stands_for_the_leaf():
    seeds = seeds_at([(0, 5), (0, 9), (2, 1)], [[1, 0]] * 3)
    embedding = np.tile(np.array([1, 0], np.float32), (3, 12, 1))
    assert grow_leaves(embedding, seeds, 80, 10).leaders.tolist() == [0]


def test_seeds_join_a_leaf_through_one_another():
    turn = np.deg2rad(4 * np.arange(12))
    vectors = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    seeds = seeds_at([(0, 2 * k) for k in range(12)], vectors)
    embedding = np.tile(np.array([1, 0], np.float32), (1, 24, 1))
    for angle, leaves in ((5, 1), (3, 12)):
        assert len(grow_leaves(embedding, seeds, 90, angle).leaders) == leaves
