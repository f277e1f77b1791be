"""Black padding, as pictures have that were cut around a plant or made square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pad_black(
    rng: np.random.Generator, rgb: NDArray[np.uint8], labels: NDArray[np.uint16]
) -> NDArray[np.bool_]:
    """Keep a rectangle of a picture, black out the rest, in place.

    Half of the time the rectangle lies close around the plant, else it is a band across the
    picture; leaves are cut where it ends.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    rgb : ndarray, (S, S, 3), uint8
        The picture.
    labels : ndarray, (S, S), uint16
        Its labels.

    Returns
    -------
    ndarray, (S, S), bool
        What is black now.
    """
    top, bottom, left, right = _around_plant(rng, labels) if rng.random() < 0.5 else _band(rng, rgb)
    outside = np.ones(labels.shape, bool)
    outside[top:bottom, left:right] = False
    rgb[outside] = 0
    labels[outside] = 0
    return outside


def _around_plant(
    rng: np.random.Generator, labels: NDArray[np.uint16]
) -> tuple[int, int, int, int]:
    rows, cols = (np.flatnonzero((labels > 0).any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return _band(rng, labels)
    spare = rng.uniform(-0.04, 0.2, 4) * max(np.ptp(rows), np.ptp(cols))
    edges = np.array([rows[0], rows[-1] + 1, cols[0], cols[-1] + 1]) + spare * [-1, 1, -1, 1]
    top, bottom, left, right = np.clip(edges, 0, labels.shape[0]).astype(int).tolist()
    return top, bottom, left, right


def _band(
    rng: np.random.Generator, picture: NDArray[np.unsignedinteger]
) -> tuple[int, int, int, int]:
    side = picture.shape[0]
    first, last = int(side * rng.uniform(0.0, 0.2)), int(side * rng.uniform(0.8, 1.0))
    return (first, last, 0, side) if rng.random() < 0.5 else (0, side, first, last)
