"""Synthetic predictions with a known answer."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from phenopipe.encoding import background_direction


def directions(count, dimensions=8, seed=0):
    """`count` unit vectors at right angles with each other and with the background."""
    random = np.random.default_rng(seed).normal(size=(dimensions, dimensions))
    random[:, 0] = background_direction(dimensions)
    return np.linalg.qr(random)[0].T[1 : count + 1]


def distance_of(truth):
    """Per-leaf Euclidean distance to the leaf's border, each leaf peaking at 1."""
    distance = np.zeros(truth.shape, np.float32)
    for leaf in np.unique(truth[truth > 0]):
        inside = ndimage.distance_transform_edt(np.pad(truth == leaf, 1, mode="edge"))[1:-1, 1:-1]
        inside[truth != leaf] = 0
        distance = np.maximum(distance, inside / inside.max())
    return distance.astype(np.float32)


def embedding_of(truth, vectors, noise=0.0, seed=0):
    """Unit vectors: `vectors[k - 1]` on leaf k, the background's direction elsewhere."""
    table = np.vstack([background_direction(vectors.shape[1]), vectors])
    embedding = table[truth]
    embedding = embedding + np.random.default_rng(seed).normal(scale=noise, size=embedding.shape)
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    return embedding.astype(np.float32)


def discs(shape, centres, radius):
    """Label map of discs, numbered in the order given."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    truth = np.zeros(shape, np.int64)
    for label, (row, column) in enumerate(centres, 1):
        truth[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = label
    return truth


def voronoi(shape, points, margin=4):
    """Label map of touching cells, one a point, with background along the image's edge."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    squared = [(rows - row) ** 2 + (columns - column) ** 2 for row, column in points]
    truth = np.argmin(squared, axis=0) + 1
    inner = np.zeros(shape, bool)
    inner[margin:-margin, margin:-margin] = True
    truth = np.where(inner, truth, 0)
    # Where three cells meet, a pixel may touch no other of its own.
    for number, point in enumerate(points, start=1):
        pieces, _ = ndimage.label(truth == number, np.ones((3, 3)))
        truth[(truth == number) & (pieces != pieces[point])] = 0
    return truth


def same_partition(first, second):
    """Tell whether two label maps are one up to the names of labels."""
    pairs = np.unique(np.stack([first.ravel(), second.ravel()]), axis=1)
    one_to_one = all(len(np.unique(side)) == pairs.shape[1] for side in pairs)
    return one_to_one and np.array_equal(first > 0, second > 0)
