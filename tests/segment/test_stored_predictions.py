"""What is stored of a prediction gives the leaves that the prediction itself gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from segment_scenes import directions, discs, distance_of, embedding_of

from phenopipe.config import PlantSettings, SegmentSettings
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.segment import PredictedCrop, find_leaves, segment_crop, segment_leaves
from phenopipe.synth import draw_plant
from phenopipe.window import Window

EYE = np.eye(2, 3)


def test_eight_bits_cost_less_than_a_five_hundredth_of_sbd():
    differences, scores = [], []
    for number in range(6):
        _, truth = np.unique(
            draw_plant((7, number), PlantSettings(), 128).labels, return_inverse=True
        )
        # As many directions as fit, over and over; noise as of a network that is not sure.
        vectors = directions(7)[np.arange(max(truth.max(), 1)) % 7]
        distance = np.clip(distance_of(truth) * np.float32(0.9) + np.float32(0.02), 0, 1)
        embedding = embedding_of(truth, vectors, noise=0.15, seed=number)
        stored = (
            decode_distance(encode_distance(distance)),
            decode_embedding(encode_embedding(embedding, distance)),
        )
        exact, kept = segment_leaves(distance, embedding), segment_leaves(*stored)
        scores.append(symmetric_best_dice(exact, truth))
        differences.append(symmetric_best_dice(kept, truth) - scores[-1])
    assert np.mean(scores) > 0.5
    assert abs(np.mean(differences)) < 0.002


def assert_stored_as_whole(distance, embedding, valid, settings):
    """Check that a stored crop has the leaves of all that is decoded of it, bit for bit."""
    stored = encode_distance(distance), encode_embedding(embedding, distance)
    rgb, window = np.zeros((*distance.shape, 3), np.uint8), Window(0, 0, len(distance))
    labels, traits = segment_crop(PredictedCrop(rgb, *stored, window, EYE, valid), settings)
    left, top, right, bottom = valid
    inside = (slice(top, bottom), slice(left, right))
    found = find_leaves(
        decode_distance(stored[0][inside]), decode_embedding(stored[1][inside]), settings
    )
    assert np.array_equal(labels[inside], found.labels)
    # A table's confidence went through a mean over the leaf's pixels.
    np.testing.assert_allclose(traits["confidence"][1:], found.confidence, rtol=1e-12)
    assert np.count_nonzero(labels) == np.count_nonzero(found.labels)


@given(
    centres=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=4),
    valid=st.sampled_from([(0, 0, 80, 80), (0, 7, 80, 60), (21, 0, 75, 80), (30, 5, 38, 70)]),
    dimensions=st.sampled_from([2, 3, 8]),
    height=st.sampled_from([0.1, 0.3, 1.0]),
    settings=st.builds(
        SegmentSettings,
        seed_smoothing_px=st.sampled_from([0.0, 0.8, 1.5, 4.0]),
        seed_min_distance_px=st.sampled_from([1.0, 3.0, 12.0]),
        seed_threshold=st.sampled_from([0.005, 0.03, 0.05, 0.4]),
        min_confidence=st.just(0.0),
        min_leaf_area_px=st.just(0.0),
    ),
    seed=st.integers(0, 99),
)
def test_stored_background_around_a_plant_changes_nothing(
    centres, valid, dimensions, height, settings, seed
):
    random = np.random.default_rng(seed)
    truth = discs((80, 80), centres, 6)
    # Leaves may be low, and background is not quite 0, which is still stored as zeros.
    low = random.uniform(0, 0.039, truth.shape) * random.integers(0, 2)
    distance = np.maximum(distance_of(truth) * np.float32(height), low)
    vectors = directions(dimensions - 1, dimensions)[np.arange(4) % (dimensions - 1)]
    embedding = embedding_of(truth, vectors, noise=0.05 * random.integers(0, 2), seed=seed)
    assert_stored_as_whole(distance, embedding, valid, settings)


def test_a_threshold_that_sees_stored_background_sees_all_of_it():
    """Everything is one plateau: its seed is its middle, far from the only stored leaf."""
    distance = np.full((80, 80), 8 / 255, np.float32)
    truth = np.zeros((80, 80), int)
    truth[10:16, 10:16] = 1
    embedding = embedding_of(truth, directions(1))
    settings = SegmentSettings(seed_threshold=0.03, min_confidence=0)
    assert_stored_as_whole(distance, embedding, (0, 0, 80, 80), settings)
