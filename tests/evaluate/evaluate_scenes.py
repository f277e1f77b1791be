"""Small plants and predictions of them, and label maps on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from phenopipe.evaluate import Pair


def blocks(*boxes, shape=(24, 24)):
    """Draw boxes (top, bottom, left, right) as leaves 1, 2, .."""
    labels = np.zeros(shape, np.uint16)
    for number, (top, bottom, left, right) in enumerate(boxes, start=1):
        labels[top:bottom, left:right] = number
    return labels


def random_pair(rng, name="plant", side=20, most=9):
    """Make a patchwork and a disturbed copy: leaves shifted, cut, merged, lost and invented."""
    cells = rng.integers(0, most, (side // 4, side // 4))
    truth = np.kron(cells, np.ones((4, 4), int))
    prediction = np.roll(truth, rng.integers(-1, 2, 2), (0, 1))
    prediction[prediction == rng.integers(1, most)] = 0
    prediction[:, : rng.integers(0, side)] *= rng.integers(1, 3)
    leaves = len(np.unique(prediction[prediction > 0]))
    return Pair(name, prediction, truth, rng.permutation(leaves) / max(leaves, 1) + 0.01)


def write_png(path: Path, pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path)
    return path
