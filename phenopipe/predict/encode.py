"""Encoding of predictions on the device that made them, so that only bytes are copied from it."""

from __future__ import annotations

import torch
from torch import Tensor

from phenopipe.encoding import SURE_COSINE, SURE_DISTANCE, background_direction


def encode(distance: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
    """Encode predictions as `phenopipe.encoding` defines it.

    Parameters
    ----------
    distance : Tensor, (N, H, W), float
        Distance map, 0..1.
    embedding : Tensor, (N, E, H, W), float
        Unit vectors.

    Returns
    -------
    distance : Tensor, (N, H, W), uint8
        0..255 for 0..1.
    embedding : Tensor, (N, H, W, E), int8
        127 for 1; zeros where a pixel is surely background.
    """
    background = torch.from_numpy(background_direction(embedding.shape[1])).to(embedding)
    vectors = embedding.permute(0, 2, 3, 1)  # as they lie in memory
    with torch.autocast(embedding.device.type, enabled=False):  # or the product is in bfloat16
        cosine = vectors @ background
    sure = (distance <= SURE_DISTANCE) & (cosine >= SURE_COSINE)
    scale = torch.where(sure, 0.0, 127.0)[..., None]
    # No component of a unit vector is so much above 1 that 127 would be left behind.
    stored = (vectors * scale).round_().to(torch.int8).contiguous()
    return (distance * 255.0).round_().to(torch.uint8), stored
