"""The three losses of Wu, Chen and Merhof (2020), vectorised over pictures and leaves.

Memory is linear in pixels times E: nothing is computed per pair of pixels or per leaf and pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phenopipe.encoding import background_direction
from phenopipe.model.wnet import DISTANCE_SCALE


@dataclass(frozen=True)
class Losses:
    """The parts of the loss, each a scalar tensor."""

    distance: Tensor
    intra: Tensor
    inter: Tensor


def distance_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of the distance map, L_dist.

    Parameters
    ----------
    predicted : Tensor, (N, H, W)
        The network's output, at ten times the target's scale.
    target : Tensor, (N, H, W)
        Distance target, 0..1.
    """
    return F.mse_loss(predicted.float(), target.float() * DISTANCE_SCALE)


def embedding_losses(
    embedding: Tensor,
    labels: Tensor,
    pairs: Tensor,
    *,
    anchored: bool = True,
    balance: str = "pixels",
) -> tuple[Tensor, Tensor]:
    """Pull the pixels of an instance together, and push neighbouring instances to right angles.

    Parameters
    ----------
    embedding : Tensor, (N, E, H, W)
        Unit vectors.
    labels : Tensor, (N, H, W), int64
        Instances, 0 is background.
    pairs : Tensor, (P, 3), int64
        Neighbours (picture, a, b), both leaves; background neighbours every leaf by itself.
    anchored : bool
        Whether the background's mean is replaced by its fixed direction.
    balance : {"pixels", "sqrt"}
        Weight of an instance in L_intra: its number of pixels (the paper: a mean over pixels) or
        the square root of that, so that small leaves count beside the background.

    Returns
    -------
    intra, inter : Tensor
        Scalars; zero where there is nothing to compare.

    Notes
    -----
    With S_k the sum of an instance's n_k unit vectors and mu_k = S_k / ``|S_k|``, the mean of
    1 - <mu_k, e_p> over its pixels is 1 - ``|S_k|`` / n_k, so no per-pixel mean is gathered.
    """
    sums, counts = _sum_by_instance(embedding, labels)
    means = F.normalize(sums, dim=-1, eps=1e-6)
    if anchored:
        anchor = torch.from_numpy(background_direction(sums.shape[-1])).to(sums)
        means = torch.cat([anchor.expand(len(sums), 1, -1), means[:, 1:]], dim=1)
    error = 1 - (means * sums).sum(-1) / counts.clamp_min(1)
    weights = counts if balance == "pixels" else counts.sqrt()
    intra = (weights * error).sum() / weights.sum()
    leaves = counts[:, 1:] > 0
    to_background = (means[:, 1:] * means[:, :1]).sum(-1).abs()[leaves]
    picture, first, second = pairs.unbind(-1)
    to_neighbour = (means[picture, first] * means[picture, second]).sum(-1).abs()
    both_ways = torch.cat([to_background, to_background, to_neighbour])
    inter = both_ways.sum() / max(len(both_ways), 1)
    return intra, inter


def _sum_by_instance(embedding: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Sum unit vectors and count pixels: (N, K+1, E) and (N, K+1), float32."""
    pictures, dimensions = embedding.shape[:2]
    instances = int(labels.max()) + 1
    offset = torch.arange(pictures, device=labels.device)[:, None] * instances
    index = (labels.flatten(1) + offset).flatten()
    vectors = embedding.float().permute(0, 2, 3, 1).reshape(-1, dimensions)
    sums = vectors.new_zeros(pictures * instances, dimensions).index_add_(0, index, vectors)
    counts = torch.bincount(index, minlength=pictures * instances).to(vectors.dtype)
    return sums.view(pictures, instances, dimensions), counts.view(pictures, instances)


def compute_losses(
    distance: Tensor,
    embedding: Tensor,
    labels: Tensor,
    target: Tensor,
    pairs: Tensor,
    *,
    anchored: bool = True,
    balance: str = "pixels",
) -> Losses:
    """Compute all three losses; see :func:`distance_loss` and :func:`embedding_losses`."""
    intra, inter = embedding_losses(embedding, labels, pairs, anchored=anchored, balance=balance)
    return Losses(distance_loss(distance, target), intra, inter)
