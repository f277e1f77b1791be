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
from phenopipe.segment import find_leaves, segment_leaves
from phenopipe.segment.blocks import PredictedCrop, segment_crop
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


@given(
    centres=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=4),
    valid=st.sampled_from([(0, 0, 80, 80), (0, 7, 80, 60), (21, 0, 75, 80)]),
    smoothing=st.sampled_from([0.0, 1.5, 4.0]),
    min_distance=st.sampled_from([1.0, 3.0, 12.0]),
    noise=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 9),
)
def test_stored_background_around_a_plant_changes_nothing(
    centres, valid, smoothing, min_distance, noise, seed
):
    truth = discs((80, 80), centres, 6)
    embedding = embedding_of(truth, directions(4, dimensions=8), noise, seed)
    random = np.random.default_rng(seed)
    distance = distance_of(truth) + random.uniform(0, 0.2 * noise, truth.shape)
    stored = encode_distance(distance), encode_embedding(embedding, distance)
    settings = SegmentSettings(seed_smoothing_px=smoothing, seed_min_distance_px=min_distance)
    crop = PredictedCrop(np.zeros((80, 80, 3), np.uint8), *stored, Window(0, 0, 80), EYE, valid)
    labels, traits = segment_crop(crop, settings)
    left, top, right, bottom = valid
    inside = (slice(top, bottom), slice(left, right))
    whole = decode_distance(stored[0][inside]), decode_embedding(stored[1][inside])
    found = find_leaves(*whole, settings)
    assert np.array_equal(labels[inside], found.labels)
    # A table's confidence went through a mean over the leaf's pixels.
    np.testing.assert_allclose(traits["confidence"][1:], found.confidence, rtol=1e-12)
    assert np.count_nonzero(labels) == np.count_nonzero(found.labels)
