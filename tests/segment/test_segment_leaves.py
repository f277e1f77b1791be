from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from segment_scenes import (
    directions,
    discs,
    distance_of,
    embedding_of,
    same_partition,
    voronoi,
)

from phenopipe.config import SegmentSettings
from phenopipe.encoding import (
    background_direction,
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)
from phenopipe.errors import InputError
from phenopipe.segment import find_leaves, segment_leaves
from phenopipe.segment.confidence import leaf_confidence
from phenopipe.segment.seeds import find_seeds

EIGHT = np.ones((3, 3), int)
CENTRES = [(14, 16), (14, 44), (44, 14), (44, 46), (70, 30)]
DISCS = discs((90, 60), CENTRES, 11)
points = st.lists(
    st.tuples(st.integers(8, 71), st.integers(8, 71)), min_size=1, max_size=7, unique=True
).filter(lambda p: all(np.hypot(a - c, b - d) > 14 for a, b in p for c, d in p if (a, b) != (c, d)))


def reference(distance, embedding, options):
    """Regions with scipy, the smallest angle by argmax, one piece a leaf; no second chances."""
    seeds = find_seeds(distance, embedding, options)
    to_background = embedding @ background_direction(embedding.shape[-1])
    least = np.cos(np.deg2rad(options.max_angle_deg))
    cosines = np.full((len(seeds) + 1, *distance.shape), -2.0)
    cosines[0] = -1.5
    for k, (row, column) in enumerate(zip(seeds.rows, seeds.columns, strict=True), 1):
        cosine = embedding @ seeds.vectors[k - 1]
        agrees = (cosine > least) & (cosine > to_background)
        agrees[row, column] = True
        pieces, _ = ndimage.label(agrees, EIGHT)
        cosines[k] = np.where(pieces == pieces[row, column], cosine, -2)
    owner = cosines.argmax(axis=0)
    for k, (row, column) in enumerate(zip(seeds.rows, seeds.columns, strict=True), 1):
        pieces, _ = ndimage.label(owner == k, EIGHT)
        assert pieces[row, column]  # these scenes have no seed inside another leaf
        owner[(owner == k) & (pieces != pieces[row, column])] = 0
    return owner


@settings(max_examples=30, deadline=None)
@given(points, st.integers(0, 1000))
@example([(24, 29), (39, 39), (53, 41)], 0)  # a pixel of one cell lies apart from it
def test_touching_cells_are_recovered_exactly(cells, seed):
    truth = voronoi((80, 80), cells)
    embedding = embedding_of(truth, directions(len(cells), seed=seed))
    options = SegmentSettings(min_confidence=0)
    labels = segment_leaves(distance_of(truth), embedding, options)
    assert same_partition(labels, truth)
    # Labels have the pixels' order, whatever the order of leaves; chunks and shards know nothing.
    assert np.array_equal(
        labels, segment_leaves(distance_of(truth), embedding.copy(order="F"), options)
    )


@settings(max_examples=20, deadline=None)
@given(points, st.integers(0, 1000), st.permutations(range(7)))
def test_nothing_depends_on_order(cells, seed, order):
    truth = voronoi((80, 80), cells)
    vectors = directions(7, seed=seed)
    distance = distance_of(truth)
    embedding = embedding_of(truth, vectors[: len(cells)], noise=0.1, seed=seed)
    labels = segment_leaves(distance, embedding)
    assert np.array_equal(labels, segment_leaves(distance, embedding))
    # Which leaf has which direction says nothing, nor does the order of the dimensions.
    swapped = (embedding @ vectors.T) @ vectors[list(order)]
    swapped += np.outer(embedding @ background_direction(8), background_direction(8)).reshape(
        embedding.shape
    )
    assert same_partition(labels, segment_leaves(distance, swapped))
    assert same_partition(labels, segment_leaves(distance, embedding[..., [*order, 7]]))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_turning_the_picture_turns_the_labels(turns, flip):
    distance, embedding = distance_of(DISCS), embedding_of(DISCS, directions(5), noise=0.1)
    labels = segment_leaves(distance, embedding)
    assert labels.max() == 5

    def turn(array):
        return np.rot90(array[:, ::-1] if flip else array, turns)

    assert same_partition(segment_leaves(turn(distance), turn(embedding)), turn(labels))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.1, 0.2]))
def test_agrees_with_a_plain_reference(seed, noise):
    options = SegmentSettings(merge_angle_deg=0, min_leaf_area_px=0, min_confidence=0)
    distance = distance_of(DISCS)
    embedding = embedding_of(DISCS, directions(5, seed=seed), noise=noise, seed=seed)
    expected = reference(distance, embedding, options)
    labels = segment_leaves(distance, embedding, options)
    decided = expected > 0
    assert np.array_equal(labels[decided], expected[decided])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(2, 9),
    st.sampled_from([0.0, 12.0]),
    st.sampled_from([0.0, 1.5]),
    st.sampled_from([1.0, 2.0]),
)
# A leaf that lost its seed's pixel to one that is removed, which gives the pixel back.
@example(seed=374, shape=(15, 26), dimensions=2, min_area=12.0, smoothing=0.0, width=1.0)
def test_any_input_gives_whole_consecutive_leaves(
    seed, shape, dimensions, min_area, smoothing, width
):
    random = np.random.default_rng(seed)
    distance = ndimage.gaussian_filter(random.random(shape), 1.5).astype(np.float32)
    distance /= distance.max()
    embedding = random.normal(size=(*shape, dimensions))
    embedding = ndimage.gaussian_filter(embedding, (width, width, 0))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    options = SegmentSettings(
        min_leaf_area_px=min_area, min_confidence=0.3, seed_smoothing_px=smoothing
    )
    found = find_leaves(distance, embedding, options)
    assert found.labels.dtype == np.uint32
    assert set(np.unique(found.labels)) - {0} == set(range(1, len(found.confidence) + 1))
    assert ((found.confidence >= 0.3) & (found.confidence <= 1)).all()
    for label in range(1, len(found.confidence) + 1):
        assert ndimage.label(found.labels == label, EIGHT)[1] == 1
        assert np.count_nonzero(found.labels == label) >= min_area


def test_leaves_are_numbered_by_row_then_column():
    labels = segment_leaves(distance_of(DISCS), embedding_of(DISCS, directions(5)))
    assert [labels[centre] for centre in sorted(CENTRES)] == [1, 2, 3, 4, 5]


def test_stored_predictions_give_the_same_leaves():
    distance, embedding = distance_of(DISCS), embedding_of(DISCS, directions(5))
    stored = encode_distance(distance), encode_embedding(embedding, distance)
    assert not stored[1][DISCS == 0].any()
    labels = segment_leaves(decode_distance(stored[0]), decode_embedding(stored[1]))
    assert same_partition(labels, DISCS)


def test_far_leaves_may_share_a_direction():
    vectors = np.repeat(directions(1), 5, axis=0)
    labels = segment_leaves(distance_of(DISCS), embedding_of(DISCS, vectors))
    assert same_partition(labels, DISCS)


def test_a_long_leaf_with_two_maxima_stays_whole():
    truth = discs((30, 60), [(15, 15), (15, 44)], 11) > 0
    truth[11:20, 15:44] = True
    truth = truth.astype(int)
    distance, embedding = distance_of(truth), embedding_of(truth, directions(1), noise=0.05)
    assert same_partition(segment_leaves(distance, embedding), truth)
    split = segment_leaves(
        distance, embedding, SegmentSettings(merge_angle_deg=0, min_confidence=0)
    )
    assert split.max() == 2


def test_touching_leaves_are_not_merged_unless_their_vectors_agree():
    truth = voronoi((40, 60), [(20, 15), (20, 45)])
    one, lenient = directions(2), SegmentSettings(min_confidence=0, merge_angle_deg=15)
    for angle, leaves in ((10, 1), (25, 2)):
        turned = np.cos(np.deg2rad(angle)) * one[0] + np.sin(np.deg2rad(angle)) * one[1]
        labels = segment_leaves(
            distance_of(truth), embedding_of(truth, np.stack([one[0], turned])), lenient
        )
        assert labels.max() == leaves


def test_equal_angles_go_to_the_nearer_seed_then_to_the_first():
    distance = np.full((9, 21), 0.2, np.float32)
    distance[4, 4] = distance[4, 16] = 1
    embedding = np.zeros((9, 21, 2), np.float32)
    embedding[..., 0] = 1
    options = SegmentSettings(merge_angle_deg=0, seed_smoothing_px=0, min_confidence=0)
    labels = segment_leaves(distance, embedding, options)
    assert (labels[:, :11] == 1).all()
    assert (labels[:, 11:] == 2).all()


def test_a_piece_cut_off_goes_to_the_second_best_leaf_that_touches_it():
    one, two = directions(2)
    towards = {
        angle: np.cos(angle) * one + np.sin(angle) * two for angle in np.deg2rad([0, 30, 40, 90])
    }
    a, far, near, b = towards.values()
    embedding = np.tile(b, (20, 40, 1))
    embedding[:, :14] = a
    embedding[:, 30:] = near  # 50 degrees from b: out of reach, 40 from a: out of connection
    embedding[8:12, 18:22] = far  # an island in b, nearer to a, that b may not claim either
    distance = np.full((20, 40), 0.2, np.float32)
    distance[10, 6] = distance[4, 25] = 1
    options = SegmentSettings(seed_smoothing_px=0, max_angle_deg=45, min_confidence=0)
    labels = segment_leaves(distance, embedding.astype(np.float32), options)
    assert not labels[8:12, 18:22].any()
    assert not labels[:, 30:].any()
    wide = SegmentSettings(seed_smoothing_px=0, max_angle_deg=65, min_confidence=0)
    bridged = embedding.astype(np.float32)
    bridged[9, 14:18] = np.cos(np.deg2rad(50)) * one + np.sin(np.deg2rad(50)) * two
    labels = segment_leaves(distance, bridged, wide)
    assert (labels[8:12, 18:22] == labels[4, 25]).all()


def test_an_empty_pot_stays_empty():
    noise = np.random.default_rng(0)
    distance = np.abs(noise.normal(scale=0.05, size=(64, 64))).astype(np.float32)
    embedding = noise.normal(size=(64, 64, 8)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    assert not segment_leaves(distance, embedding).any()
    assert not segment_leaves(np.zeros_like(distance), embedding).any()


def test_the_background_wins_its_own_pixels():
    truth = discs((40, 40), [(20, 20)], 12)
    leaf = directions(1)[0]
    embedding = embedding_of(truth, leaf[None])
    bare = background_direction(8)
    for share, expected in ((0.6, 0), (0.3, 1)):
        angle = share * np.pi / 2
        mixed = np.cos(angle) * leaf + np.sin(angle) * bare
        embedding[18:22, 24:30] = mixed
        labels = segment_leaves(distance_of(truth), embedding, SegmentSettings(max_angle_deg=80))
        assert (labels[18:22, 24:30] == expected).all()
    embedding[18:22, 24:30] = 0
    labels = segment_leaves(distance_of(truth), embedding, SegmentSettings(max_angle_deg=90))
    assert not labels[18:22, 24:30].any()


def test_a_saturated_map_is_one_leaf():
    embedding = np.tile(directions(1)[0].astype(np.float32), (33, 47, 1))
    labels, confidence = vars(find_leaves(np.ones((33, 47)), embedding)).values()
    assert (labels == 1).all()
    assert confidence == pytest.approx([1])


def test_three_hundred_leaves():
    centres = [(8 + 16 * r, 8 + 16 * c) for r in range(15) for c in range(20)]
    truth = discs((240, 320), centres, 6)
    embedding = embedding_of(truth, np.tile(directions(6), (50, 1)))
    assert same_partition(segment_leaves(distance_of(truth), embedding), truth)


def test_small_and_unsure_leaves_are_removed():
    truth = discs((40, 60), [(20, 15)], 10) + 2 * discs((40, 60), [(20, 45)], 5)
    distance, embedding = distance_of(truth), embedding_of(truth, directions(2))
    area = np.count_nonzero(truth == 2)
    for limit, leaves in ((area, 2), (area + 1, 1)):
        options = SegmentSettings(min_leaf_area_px=limit)
        assert segment_leaves(distance, embedding, options).max() == leaves
    distance[truth == 2] = 0.5  # a plateau, where a leaf has a peak
    sure = find_leaves(distance, embedding, SegmentSettings(min_confidence=0)).confidence
    assert sure[0] > sure[1] + 0.2
    between = SegmentSettings(min_confidence=float(sure.mean()))
    assert segment_leaves(distance, embedding, between).max() == 1


def test_confidence_sees_leaves_taken_for_one_and_leaves_cut_in_two():
    cells = np.int32(voronoi((50, 70), [(25, 18), (25, 51)]))
    whole = np.minimum(cells, 1)
    for true, found in ((cells, whole), (whole, cells)):
        distance = distance_of(true)
        _, right = leaf_confidence(true, distance, int(true.max()))
        _, wrong = leaf_confidence(found, distance, int(found.max()))
        assert right[0] == wrong[0] == 0
        assert (right[1:] > 0.75).all()
        assert (wrong[1:] < right[1:].min() - 0.2).all()


def test_confidence_of_a_map_without_leaves():
    area, sure = leaf_confidence(np.zeros((4, 5), np.int32), np.ones((4, 5), np.float32), 2)
    assert area.tolist() == sure.tolist() == [0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(points, st.integers(0, 1000), st.booleans())
def test_confidence_knows_neither_labels_nor_directions(cells, seed, transposed):
    truth = np.int32(voronoi((80, 80), cells))
    noise = np.random.default_rng(seed).normal(scale=0.2, size=truth.shape)
    distance = np.float32(distance_of(truth) + noise)
    area, sure = leaf_confidence(truth, distance, len(cells))
    assert ((sure >= 0) & (sure <= 1)).all()
    assert np.array_equal(area[1:], np.bincount(truth.ravel(), minlength=len(cells) + 1)[1:])
    reversed_labels = np.where(truth > 0, len(cells) + 1 - truth, 0).astype(np.int32)
    maps = reversed_labels, distance
    maps = [np.ascontiguousarray(m[:, ::-1].T if transposed else m[::-1]) for m in maps]
    _, other = leaf_confidence(*maps, len(cells))
    assert other[:0:-1] == pytest.approx(sure[1:], abs=0.02)


@settings(max_examples=20, deadline=None)
@given(points, st.integers(0, 1000), st.tuples(*[st.integers(0, 40)] * 2))
def test_leaves_are_the_same_wherever_they_lie_in_the_picture(cells, seed, shift):
    truth = voronoi((80, 80), cells)
    distance = distance_of(truth)
    embedding = embedding_of(truth, directions(7, seed=seed)[: len(cells)], noise=0.1, seed=seed)
    labels = segment_leaves(distance, embedding)
    place = slice(shift[0], shift[0] + 80), slice(shift[1], shift[1] + 80)
    larger = np.zeros((120, 120), np.float32), np.zeros((120, 120, 8), np.float32)
    larger[1][:] = background_direction(8)
    larger[0][place], larger[1][place] = distance, embedding
    moved = segment_leaves(*larger)
    assert np.array_equal(moved[place], labels)
    assert np.count_nonzero(moved) == np.count_nonzero(labels)


@pytest.mark.parametrize("edge", ["top", "left", "corner"])
def test_leaves_at_the_edge_of_the_picture_are_kept(edge):
    centre = {"top": (0, 30), "left": (30, 0), "corner": (0, 0)}[edge]
    truth = discs((60, 60), [centre], 14)
    found = find_leaves(distance_of(truth), embedding_of(truth, directions(1)))
    assert np.array_equal(found.labels, truth)
    assert found.confidence[0] > 0.75


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_bare_soil_has_no_leaves(seed, scale):
    random = np.random.default_rng(seed)
    distance = np.abs(random.normal(scale=scale, size=(48, 48))).astype(np.float32)
    embedding = background_direction(8) + random.normal(scale=0.1, size=(48, 48, 8))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    assert not segment_leaves(np.minimum(distance, 1), embedding).any()


@pytest.mark.parametrize("dimensions", [2, 4, 16, 33])
def test_any_number_of_dimensions(dimensions):
    truth = discs((40, 40), [(20, 20)], 12)
    embedding = embedding_of(truth, directions(1, dimensions=dimensions))
    assert np.array_equal(segment_leaves(distance_of(truth), embedding), truth)


def test_70_000_leaves():
    pitch, across = 8, 265
    cell = np.maximum(0, 1 - np.hypot(*(np.mgrid[:pitch, :pitch] - 3)) / 3.5).astype(np.float32)
    distance = np.tile(cell, (across, across))
    embedding = np.empty((*distance.shape, 2), np.float32)
    embedding[:] = background_direction(2)
    embedding[distance > 0] = [-np.sqrt(0.5), np.sqrt(0.5)]
    labels = segment_leaves(distance, embedding)
    assert labels.dtype == np.uint32
    assert labels.max() == across**2 > 70_000
    middles = labels[3::pitch, 3::pitch]
    assert np.array_equal(middles.ravel(), np.arange(1, across**2 + 1))
    assert np.array_equal(labels > 0, distance > 0)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_no_pixels_no_leaves(shape):
    labels = segment_leaves(np.zeros(shape), np.zeros((*shape, 3)))
    assert labels.shape == shape
    assert labels.dtype == np.uint32


def test_bad_input_is_refused_in_plain_words():
    distance, embedding = np.zeros((4, 5)), np.zeros((4, 5, 3))
    with pytest.raises(InputError, match=r"distance \(4, 5\) and embedding \(5, 4, 3\)"):
        segment_leaves(distance, embedding.swapaxes(0, 1))
    with pytest.raises(InputError, match="2 dimensions or more, not 1"):
        segment_leaves(distance, embedding[..., :1])
    embedding[1, 2] = np.nan
    with pytest.raises(InputError, match="embedding: 3 of 60 values are NaN"):
        segment_leaves(distance, embedding)
    distance[0, 0] = np.inf
    with pytest.raises(InputError, match="distance: 1 of 20"):
        segment_leaves(distance, embedding)
