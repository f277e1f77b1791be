"""Stored predictions: how exact they are, and that background reads back as background."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.encoding import (
    background_direction,
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@given(st.integers(2, 64), st.integers(0, 2**32 - 1))
def test_directions_are_kept_within_a_degree(dimensions: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(50, dimensions)))
    read = decode_embedding(encode_embedding(vectors, np.ones(50)))
    np.testing.assert_allclose(np.linalg.norm(read, axis=-1), 1, atol=1e-5)
    angles = np.degrees(np.arccos(np.clip((read * vectors).sum(-1), -1, 1)))
    # Rounding moves each component by 1/254 at most: sqrt(E)/254 in all.
    assert angles.max() <= np.degrees(np.sqrt(dimensions) / 254) * 1.1


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1))
def test_distances_are_kept_within_half_a_step(values: list[float]) -> None:
    distance = np.array(values, np.float32)
    read = decode_distance(encode_distance(distance))
    assert np.abs(read - distance.clip(0, 1)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("dimensions", [2, 4, 8, 16])
def test_only_sure_background_is_dropped(dimensions: int) -> None:
    back = background_direction(dimensions)
    tilted = unit(back + 0.6 * np.eye(dimensions)[0])  # away from the background by over 25 deg
    leaf = np.eye(dimensions)[0]
    vectors = np.stack([back, back, tilted, leaf])
    stored = encode_embedding(vectors, np.array([0.0, 0.5, 0.0, 0.0]))
    assert (stored == 0).all(axis=-1).tolist() == [True, False, tilted @ back > 0.9063, False]
    np.testing.assert_allclose(decode_embedding(stored)[0], back, atol=1e-6)


def test_background_is_far_from_every_axis_and_random_leaf() -> None:
    assert (np.eye(8) @ background_direction(8) < 0).all()
    np.testing.assert_allclose(np.linalg.norm(background_direction(8)), 1, atol=1e-6)
