"""Labelled pictures on disk for the tests: plants whose leaves are rectangles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Leaves as (top, bottom, left, right) in a picture of 40 x 48 px.
LEAVES = ((4, 14, 5, 20), (14, 26, 5, 17), (8, 30, 24, 40))


def label_map(leaves=LEAVES, shape: tuple[int, int] = (40, 48)) -> NDArray[np.uint8]:
    labels = np.zeros(shape, np.uint8)
    for number, (top, bottom, left, right) in enumerate(leaves, start=1):
        labels[top:bottom, left:right] = number
    return labels


def picture(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Green leaves of different brightness on brown soil."""
    soil = np.random.default_rng(0).integers(60, 90, (*labels.shape, 3))
    leaf = np.stack([30 + 0 * labels, 120 + 15 * (labels % 7), 40 + 0 * labels], axis=-1)
    return np.where(labels[..., None] > 0, leaf, soil).astype(np.uint8)


def save(path: Path, pixels: NDArray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    return path


def save_pair(folder: Path, name: str, labels: NDArray | None = None) -> None:
    """Write ``NAME_rgb.png`` and ``NAME_label.png``."""
    labels = label_map() if labels is None else labels
    save(folder / f"{name}_rgb.png", picture(labels))
    save(folder / f"{name}_label.png", labels)
