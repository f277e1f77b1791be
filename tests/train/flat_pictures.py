"""Labelled pictures of one leaf each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save_flat(folder: Path, names: list[str], green: int) -> None:
    """Write pictures of one leaf each, all of one colour."""
    folder.mkdir(parents=True)
    labels = np.zeros((50, 50), np.uint8)
    labels[10:40, 15:35] = 9
    for name in names:
        Image.fromarray(np.full((50, 50, 3), [0, green, 0], np.uint8)).save(
            folder / f"{name}_rgb.png"
        )
        Image.fromarray(labels).save(folder / f"{name}_label.png")
