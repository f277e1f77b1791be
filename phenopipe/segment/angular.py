"""Angular clustering: every pixel joins the seed of the smallest angle.

Steps, none of which depends on an order of seeds or labels:

1. Seeds (`phenopipe.segment.seeds`).
2. Each seed's region: the connected pixels around it within `max_angle_deg` of its vector and
   nearer, by angle, to it than to the background (`phenopipe.segment.regions`).
3. Seeds of one leaf are joined.
4. A pixel goes to the leaf of the smallest angle among those whose region holds it; of equal ones
   to the leaf with the nearer seed, then to the one whose seed comes first by row and column.
5. A leaf keeps one piece: the one with its highest seed, or the largest if a rival took that
   pixel. Leaves too small or too unsure are removed.
6. Pixels that so lost their leaf go to the second-best leaf of theirs if that connects them to
   it, else to the background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as label_pieces

from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction
from phenopipe.segment.regions import OUTSIDE, Region, grow_regions, join, same_leaf
from phenopipe.segment.seeds import Seeds, bounding_box, find_seeds


@dataclass(frozen=True)
class _Claims:
    """Best and second-best leaf of each pixel, 0 = none, and cosines to them."""

    owner: NDArray[np.int32]
    best: NDArray[np.float32]
    runner_up: NDArray[np.int32]
    second: NDArray[np.float32]


def cluster(
    distance: NDArray[np.float32], embedding: NDArray[np.float32], settings: SegmentSettings
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Segment one crop.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1, H and W at least 1.
    embedding : ndarray, (H, W, E), float32
        Unit vectors; zeros are background.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (H, W), uint32
        0 = background, 1..K by position of the seeds.
    confidence : ndarray, (K,), float64
        Geometric mean of two figures in 0..1: the smoothed distance at the leaf's highest seed,
        and the mean margin of its pixels. A pixel's margin is its cosine to the leaf's seed less
        the largest of its cosine to the second-best leaf, its cosine to the background, and 0.
    """
    labels = np.zeros(distance.shape, np.uint32)
    seeds = find_seeds(distance, embedding, settings)
    if not len(seeds):
        return labels, np.zeros(0)
    to_background = embedding @ background_direction(embedding.shape[-1])
    near = to_background < _surely_background(seeds)
    near[seeds.rows, seeds.columns] = True
    box = bounding_box(near)
    shifted = Seeds(
        seeds.rows - box[0].start, seeds.columns - box[1].start, seeds.vectors, seeds.peaks
    )
    boxed, confidence = _cluster_box(embedding[box], to_background[box], shifted, settings)
    labels[box] = boxed
    return labels, confidence


def _surely_background(seeds: Seeds) -> float:
    """Return the cosine to the background from which on a pixel is nearer to it than to any seed.

    Angles obey the triangle inequality: less than half of a seed's own angle will do.
    """
    cosine = seeds.vectors @ background_direction(seeds.vectors.shape[1])
    half = np.arccos(np.clip(cosine.max(), -1, 1)) / 2
    return float(np.cos(half)) + 1e-5


def _cluster_box(
    embedding: NDArray[np.float32],
    to_background: NDArray[np.float32],
    seeds: Seeds,
    settings: SegmentSettings,
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    least = np.float32(np.cos(np.deg2rad(settings.max_angle_deg)))
    regions = list(grow_regions(embedding, np.maximum(to_background, least), seeds))
    regions, seeds = _one_region_a_leaf(regions, seeds, settings.merge_angle_deg)
    claims = _compete(regions, seeds, to_background.shape)

    kept = _one_piece(claims.owner, seeds)
    confidence = _confidence(kept, claims, to_background, seeds)
    area = np.bincount(kept.ravel(), minlength=len(seeds) + 1)
    real = (area >= max(1.0, settings.min_leaf_area_px)) & (confidence >= settings.min_confidence)
    real[0] = False
    kept[~real[kept]] = 0
    orphans = (claims.owner > 0) & (kept == 0) & real[claims.runner_up]
    if orphans.any():
        kept[orphans] = claims.runner_up[orphans]
        kept = _one_piece(kept, seeds)
    number = np.cumsum(real, dtype=np.uint32) * real
    return number.astype(np.uint32)[kept], confidence[real]


def _one_region_a_leaf(
    regions: list[Region], seeds: Seeds, merge_angle_deg: float
) -> tuple[list[Region], Seeds]:
    """Join the regions of seeds that are one leaf; the highest seed stands for it."""
    count, leaf_of = same_leaf(regions, seeds, merge_angle_deg)
    if count == len(seeds):
        return regions, seeds
    order = np.lexsort((seeds.columns, seeds.rows, -seeds.peaks, leaf_of))
    highest = np.sort(order[np.unique(leaf_of[order], return_index=True)[1]])
    joined = [
        join([regions[k] for k in np.flatnonzero(leaf_of == leaf_of[main])]) for main in highest
    ]
    return joined, seeds.take(highest)


def _compete(regions: list[Region], seeds: Seeds, shape: tuple[int, ...]) -> _Claims:
    """Give each pixel its best and its second-best leaf."""
    claims = _Claims(
        np.zeros(shape, np.int32),
        np.full(shape, OUTSIDE),
        np.zeros(shape, np.int32),
        np.full(shape, OUTSIDE),
    )
    for leaf, region in enumerate(regions, 1):
        _claim(claims, leaf, region, seeds)
    return claims


def _claim(claims: _Claims, leaf: int, region: Region, seeds: Seeds) -> None:
    at = region.window
    owner, best, runner_up, second = (
        part[at] for part in (claims.owner, claims.best, claims.runner_up, claims.second)
    )
    cosine = region.cosine
    wins = cosine > best
    tied = (cosine == best) & (cosine > OUTSIDE)
    if tied.any():
        rows, columns = (
            index + start.start for index, start in zip(tied.nonzero(), at, strict=True)
        )
        rivals = owner[tied] - 1
        wins[tied] = _squared(seeds, leaf - 1, rows, columns) < _squared(
            seeds, rivals, rows, columns
        )
    follows = ~wins & (cosine > second)
    runner_up[follows], second[follows] = leaf, cosine[follows]
    runner_up[wins], second[wins] = owner[wins], best[wins]
    owner[wins], best[wins] = leaf, cosine[wins]


def _squared(
    seeds: Seeds,
    index: int | NDArray[np.int32],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return squared distances of pixels to seeds."""
    squared: NDArray[np.intp] = (seeds.rows[index] - rows) ** 2 + (
        seeds.columns[index] - columns
    ) ** 2
    return squared


def _one_piece(owner: NDArray[np.int32], seeds: Seeds) -> NDArray[np.int32]:
    """Keep of each leaf the piece with its seed, or the largest piece if it lost that pixel."""
    pieces = label_pieces(owner, connectivity=2)  # type: ignore[no-untyped-call]
    size = np.bincount(pieces.ravel())
    leaf_of = np.zeros(len(size), np.intp)
    leaf_of[pieces.ravel()] = owner.ravel()
    # Pieces are numbered by their first pixel, so that equal sizes have a fixed winner.
    order = np.lexsort((np.arange(len(size)), -size, leaf_of))
    leaves, first = np.unique(leaf_of[order], return_index=True)
    piece_of = np.zeros(len(seeds) + 1, np.intp)
    piece_of[leaves] = order[first]
    own = owner[seeds.rows, seeds.columns] == np.arange(1, len(seeds) + 1)
    piece_of[1:][own] = pieces[seeds.rows, seeds.columns][own]
    keeps = np.zeros(len(size), bool)
    keeps[piece_of] = True
    keeps[0] = False
    return np.where(keeps[pieces], owner, 0)


def _confidence(
    labels: NDArray[np.int32], claims: _Claims, to_background: NDArray[np.float32], seeds: Seeds
) -> NDArray[np.float64]:
    """Return the confidence of each leaf, index 0 (background) included as 0."""
    inside = labels > 0
    of = labels[inside]
    rival = np.maximum(np.maximum(claims.second[inside], to_background[inside]), 0)
    margin = np.bincount(of, claims.best[inside] - rival, minlength=len(seeds) + 1)
    mean = margin / np.maximum(np.bincount(of, minlength=len(seeds) + 1), 1)
    peaks = np.concatenate([[0.0], seeds.peaks])
    confidence: NDArray[np.float64] = np.sqrt(np.clip(mean, 0, 1) * peaks)
    return confidence
