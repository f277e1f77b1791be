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
    cosine = torch.einsum("nehw,e->nhw", embedding, background)
    sure = (distance <= SURE_DISTANCE) & (cosine >= SURE_COSINE)
    stored = (embedding * 127.0).round_().clamp_(-127, 127).to(torch.int8)
    stored = stored.masked_fill_(sure[:, None], 0).permute(0, 2, 3, 1).contiguous()
    return (distance * 255.0).round_().to(torch.uint8), stored
