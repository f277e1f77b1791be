"""What is stored of a prediction gives the leaves that the prediction itself gives."""

from __future__ import annotations

import numpy as np
from segment_scenes import directions, distance_of, embedding_of

from phenopipe.config import PlantSettings
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.segment import segment_leaves
from phenopipe.synth import draw_plant


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
