"""One crop of a set, as the process that lists them tells the workers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.crop_array import CropArray
from phenopipe.window import Box


@dataclass(frozen=True)
class StoredShard:
    """Where the crops of a shard and their predictions are.

    Attributes
    ----------
    rgb : CropArray, (N, C, C, 3), uint8
        The crops; of a shard whose crops were cleaned, no file is there.
    distance : CropArray, (N, S, S), uint8
        Their distance maps.
    embedding : CropArray, (N, S, S, E), int8
        Their embeddings.
    window : CropArray, (N, 3), int32
        The part of each crop that was predicted.
    """

    rgb: CropArray
    distance: CropArray
    embedding: CropArray
    window: CropArray


@dataclass(frozen=True)
class Crop:
    """One crop of a set: where it lies, and what is known of it.

    Attributes
    ----------
    crop_id, image, pot : str
        As in the table of crops.
    status, reason : str
        "ok", or why there are no pixels.
    shard : StoredShard
        Where its pixels are.
    position : int
        Its place there.
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
    shard: StoredShard
    position: int
    transform: tuple[float, ...] = ()
    valid: Box = (0, 0, 0, 0)

    @property
    def size(self) -> int:
        """Its side, px."""
        return self.shard.rgb.shape[1]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine map, (2, 3)."""
        return np.array(self.transform, np.float64).reshape(2, 3)
