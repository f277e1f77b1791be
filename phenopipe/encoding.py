"""How predictions are stored: distance as uint8, embedding as int8, background as zeros.

The background of an image has one fixed direction of the embedding space, the negative diagonal.
Training anchors background pixels to it and pushes every leaf to a right angle with it, so that
any pixel can be told to be background by its embedding alone, and a stored zero vector can be
read back as that direction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: A pixel is surely background if its distance is at most this ...
SURE_DISTANCE = 0.04
#: ... and its embedding is within 25 degrees of the background's direction. A leaf's seed stands
#: at about 90 degrees to that, so such a pixel is 65 degrees or more from any leaf.
SURE_COSINE = float(np.cos(np.deg2rad(25.0)))


def background_direction(dimensions: int) -> NDArray[np.float32]:
    """Return the unit vector of the background, (E,) float32.

    Parameters
    ----------
    dimensions : int
        Dimensions E of the embedding.
    """
    return np.full(dimensions, -1.0 / np.sqrt(dimensions), np.float32)


def encode_distance(distance: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Store a distance map, 0..1, as uint8, 0..255."""
    stored: NDArray[np.uint8] = np.rint(np.clip(distance, 0.0, 1.0) * 255.0).astype(np.uint8)
    return stored


def decode_distance(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read a distance map back, float32, 0..1."""
    return stored.astype(np.float32) / np.float32(255.0)


def encode_embedding(
    embedding: NDArray[np.floating], distance: NDArray[np.floating]
) -> NDArray[np.int8]:
    """Store unit vectors as int8, with zeros where a pixel is surely background.

    Parameters
    ----------
    embedding : ndarray, (..., E), float
        Unit vectors.
    distance : ndarray, (...), float
        Distance map, 0..1.

    Returns
    -------
    ndarray, (..., E), int8
        127 stands for 1.
    """
    stored: NDArray[np.int8] = np.rint(np.clip(embedding, -1.0, 1.0) * 127.0).astype(np.int8)
    cosine = embedding @ background_direction(embedding.shape[-1]).astype(embedding.dtype)
    stored[(distance <= SURE_DISTANCE) & (cosine >= SURE_COSINE)] = 0
    return stored


def is_stored(embedding: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Tell which pixels (...) of a stored embedding (..., E) are not the zeros of background."""
    dimensions = embedding.shape[-1]
    together = int(np.gcd(dimensions, 8))  # up to 8 bytes at once tell
    words = np.ascontiguousarray(embedding).view(f"u{together}")
    return np.asarray(words.any(axis=-1) if words.shape[-1] > 1 else words[..., 0] != 0)


def decode_embedding(stored: NDArray[np.int8]) -> NDArray[np.float32]:
    """Read unit vectors back, (..., E) float32; a stored zero is the background's direction."""
    vectors = stored.astype(np.float32)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    background = np.broadcast_to(background_direction(stored.shape[-1]), vectors.shape)
    unit: NDArray[np.float32] = np.divide(vectors, length, out=background.copy(), where=length > 0)
    return unit
