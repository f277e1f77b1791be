"""One crop of a set, as the process that lists them tells the workers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.window import Box


@dataclass(frozen=True)
class Crop:
    """One crop of a set: where it lies, and what is known of it.

    Attributes
    ----------
    crop_id, image, pot : str
        As in the table of crops.
    status, reason : str
        "ok", or why there are no pixels.
    rgb_store, prediction_store : str
        Stores of its shard.
    position : int
        Its place in them.
    size : int
        Its side, px.
    transform : tuple of float
        m00, m01, m02, m10, m11, m12 of the affine map from crop to image, where status is "ok".
    valid : tuple of int
        Left, top, right, bottom of the part that is picture, crop px, where status is "ok".
    """

    crop_id: str
    image: str
    pot: str
    status: str
    reason: str
    rgb_store: str
    prediction_store: str
    position: int
    size: int
    transform: tuple[float, ...] = ()
    valid: Box = (0, 0, 0, 0)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine map, (2, 3)."""
        return np.array(self.transform, np.float64).reshape(2, 3)
