"""The three losses of Wu, Chen and Merhof (2020) and one more, vectorised over pictures and leaves.

Memory of the three is linear in pixels times E: nothing is computed per pair of pixels or per
leaf and pixel. The fourth, :func:`contrast_loss`, is not the paper's and says what it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phenopipe.encoding import background_direction
from phenopipe.model.wnet import DISTANCE_SCALE

#: Cosines are divided by this before the softmax of :func:`contrast_loss`.
CONTRAST_TEMPERATURE = 0.1
#: Step in both directions of the pixels that :func:`contrast_loss` looks at.
CONTRAST_STRIDE = 2


@dataclass(frozen=True)
class Losses:
    """The parts of the loss, each a scalar tensor."""

    distance: Tensor
    intra: Tensor
    inter: Tensor
    contrast: Tensor


def distance_loss(predicted: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared error of the distance map, L_dist.

    Parameters
    ----------
    predicted : Tensor, (N, H, W)
        The network's output, at ten times the target's scale.
    target : Tensor, (N, H, W)
        Distance target, 0..1.
    weights : Tensor, (N, H, W), optional
        Weight of each pixel, 1 in the mean over a picture; by default 1 (the paper's).
    """
    squared = (predicted.float() - target.float() * DISTANCE_SCALE).square()
    return (squared if weights is None else squared * weights).mean()


def balance_leaves(labels: Tensor, counts: Tensor) -> Tensor:
    """Weigh the leaves of a picture by the square roots of their pixels.

    Parameters
    ----------
    labels : Tensor, (N, H, W), int64
        Instances, 0 is background.
    counts : Tensor, (N, K+1), float32
        Pixels of each instance.

    Returns
    -------
    Tensor, (N, H, W), float32
        Weights of pixels for :func:`distance_loss`: 1 on the background, and 1 in the mean over a
        picture's leaves, so that leaves and background weigh against each other as without.
    """
    leaves = counts[:, 1:]
    scale = leaves.sum(1, keepdim=True) / leaves.sqrt().sum(1, keepdim=True).clamp_min(1)
    of_leaf = scale * leaves.clamp_min(1).rsqrt()
    weights = torch.cat([torch.ones_like(counts[:, :1]), of_leaf], dim=1)
    return weights.gather(1, labels.flatten(1)).view(labels.shape)


@dataclass(frozen=True)
class Instances:
    """The instances of a batch, background first, and what their embeddings add up to.

    Attributes
    ----------
    sums : Tensor, (N, K+1, E), float32
        Sum of the unit vectors of each instance's pixels.
    counts : Tensor, (N, K+1), float32
        Pixels of each instance; 0 where a picture has fewer leaves than another.
    means : Tensor, (N, K+1, E), float32
        Mean directions, unit vectors; of the background its fixed direction if it is anchored.
    """

    sums: Tensor
    counts: Tensor
    means: Tensor


def find_instances(embedding: Tensor, labels: Tensor, *, anchored: bool = True) -> Instances:
    """Sum up the embedding over each instance.

    Parameters
    ----------
    embedding : Tensor, (N, E, H, W)
        Unit vectors.
    labels : Tensor, (N, H, W), int64
        Instances, 0 is background.
    anchored : bool
        Whether the background's mean is replaced by its fixed direction.
    """
    pictures, dimensions = embedding.shape[:2]
    instances = int(labels.max()) + 1
    offset = torch.arange(pictures, device=labels.device)[:, None] * instances
    index = (labels.flatten(1) + offset).flatten()
    vectors = embedding.float().permute(0, 2, 3, 1).reshape(-1, dimensions)
    sums = vectors.new_zeros(pictures * instances, dimensions).index_add_(0, index, vectors)
    counts = torch.bincount(index, minlength=pictures * instances).to(vectors.dtype)
    sums = sums.view(pictures, instances, dimensions)
    means = F.normalize(sums, dim=-1, eps=1e-6)
    if anchored:
        anchor = torch.from_numpy(background_direction(dimensions)).to(means)
        means = torch.cat([anchor.expand(pictures, 1, -1), means[:, 1:]], dim=1)
    return Instances(sums, counts.view(pictures, instances), means)


def intra_loss(instances: Instances, balance: str = "pixels") -> Tensor:
    """Pull the pixels of an instance together, L_intra.

    Parameters
    ----------
    instances : Instances
        The batch's instances.
    balance : {"pixels", "sqrt"}
        Weight of an instance: its number of pixels (the paper: a mean over pixels) or the square
        root of that, so that small leaves count beside the background.

    Notes
    -----
    With S_k the sum of an instance's n_k unit vectors, the mean of 1 - <mu_k, e_p> over its
    pixels is 1 - <mu_k, S_k> / n_k, so no per-pixel mean is gathered.
    """
    aligned = (instances.means * instances.sums).sum(-1)
    error = 1 - aligned / instances.counts.clamp_min(1)
    weights = instances.counts if balance == "pixels" else instances.counts.sqrt()
    return (weights * error).sum() / weights.sum()


def inter_loss(instances: Instances, pairs: Tensor) -> Tensor:
    """Push neighbouring instances to right angles, L_inter.

    Parameters
    ----------
    instances : Instances
        The batch's instances.
    pairs : Tensor, (P, 3), int64
        Neighbours (picture, a, b), both leaves; background neighbours every leaf by itself.

    Returns
    -------
    Tensor
        Mean ``|<mu_a, mu_b>|`` over ordered pairs; zero without any leaf.
    """
    means = instances.means
    leaves = instances.counts[:, 1:] > 0
    to_background = (means[:, 1:] * means[:, :1]).sum(-1).abs()[leaves]
    picture, first, second = pairs.unbind(-1)
    to_neighbour = (means[picture, first] * means[picture, second]).sum(-1).abs()
    both_ways = torch.cat([to_background, to_background, to_neighbour])
    return both_ways.sum() / max(len(both_ways), 1)


def contrast_loss(
    instances: Instances, embedding: Tensor, labels: Tensor, offset: tuple[int, int] = (0, 0)
) -> Tensor:
    """Let every pixel choose its own instance among all of its picture.

    The cross-entropy of a softmax over the cosines to the instances' means. L_inter alone has
    almost no gradient while all means are alike; this has. The same idea pulls representations
    to their class in van den Oord et al. 2018 (InfoNCE) and Wang et al. 2021 (pixel contrast).

    Parameters
    ----------
    instances : Instances
        The batch's instances.
    embedding : Tensor, (N, E, H, W)
        Unit vectors.
    labels : Tensor, (N, H, W), int64
        Instances, 0 is background.
    offset : (int, int)
        Row and column, below :data:`CONTRAST_STRIDE`, of the first pixel looked at.

    Returns
    -------
    Tensor
        Scalar, at least 0. Instances weigh by the square roots of their pixels.

    Notes
    -----
    Only every second pixel of every second row is looked at, since memory is that of pixels
    times leaves; another offset at each step looks at all of them in turn.
    """
    rows, columns = (slice(first, None, CONTRAST_STRIDE) for first in offset)
    labels = labels[:, rows, columns].flatten(1)
    vectors = embedding[:, :, rows, columns].flatten(2).float()
    cosine = torch.einsum("nke,nep->nkp", instances.means, vectors)
    absent = (instances.counts == 0)[..., None]
    logits = (cosine / CONTRAST_TEMPERATURE).masked_fill(absent, -torch.inf)
    surprise = F.cross_entropy(logits, labels, reduction="none")
    weights = instances.counts.clamp_min(1).rsqrt().gather(1, labels)
    return (surprise * weights).sum() / weights.sum()


def compute_losses(
    distance: Tensor,
    embedding: Tensor,
    labels: Tensor,
    target: Tensor,
    pairs: Tensor,
    *,
    anchored: bool = True,
    balance: str = "pixels",
    distance_balance: str = "pixels",
    contrast: bool = True,
    offset: tuple[int, int] = (0, 0),
) -> Losses:
    """Compute all losses; see the functions of each part for what is what.

    The contrast, which takes memory of leaves times pixels, is 0 where it is not asked for.
    """
    instances = find_instances(embedding, labels, anchored=anchored)
    weights = balance_leaves(labels, instances.counts) if distance_balance == "sqrt" else None
    return Losses(
        distance_loss(distance, target, weights),
        intra_loss(instances, balance),
        inter_loss(instances, pairs),
        contrast_loss(instances, embedding, labels, offset) if contrast else distance.new_zeros(()),
    )
