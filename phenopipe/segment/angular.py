"""Angular clustering: every pixel joins the seed of the smallest angle.

Steps, none of which depends on an order of seeds or labels:

1. Seeds (`phenopipe.segment.seeds`).
2. The highest seed's region: the connected pixels around it within `max_angle_deg` of its vector
   and nearer, by angle, to it than to the background. Seeds in there that point its way are the
   same leaf's (`phenopipe.segment.regions`).
3. So for the highest of the seeds left, until each has its leaf.
4. A pixel goes to the leaf of the smallest angle among those whose region holds it; of equal ones
   to the leaf with the nearer seed, then to the one whose seed comes first by row and column.
5. A leaf keeps one piece: the one with its highest seed, or the largest if a rival took that
   pixel. Leaves too small or too unsure are removed.
6. Pixels that so lost their leaf go to the second-best leaf of theirs if that connects them to
   it, else to the background.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction
from phenopipe.segment.confidence import confidence_at
from phenopipe.segment.regions import Region, grow_leaves
from phenopipe.segment.seeds import Seeds, bounding_box, find_seeds, grown

#: Cosine to no leaf: more than outside a region, less than inside.
NO_LEAF = np.float32(-1.5)
EIGHT = np.ones((3, 3), bool)


def cluster(
    distance: NDArray[np.float32],
    embedding: NDArray[np.float32],
    to_background: NDArray[np.float32],
    settings: SegmentSettings,
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Segment one crop.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1, H and W at least 1.
    embedding : ndarray, (H, W, E), float32
        Unit vectors; zeros are background.
    to_background : ndarray, (H, W), float32
        Cosine of each pixel to the background's direction.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (H, W), uint32
        0 = background, 1..K by position of the seeds.
    confidence : ndarray, (K,), float64
        How well each leaf's shape fits the distance map, 0..1 (`phenopipe.segment.confidence`),
        before it gained pixels by step 6.
    """
    labels = np.zeros(distance.shape, np.uint32)
    seeds = find_seeds(distance, embedding, settings)
    if not len(seeds):
        return labels, np.zeros(0)
    near = to_background < _surely_background(seeds)
    near[seeds.rows, seeds.columns] = True
    # Most leaves have room in a window of six times their mean area.
    reach = math.isqrt(3 * np.count_nonzero(near) // (2 * len(seeds))) + 1
    # With a rim of background, where there is any: the box's edge is no edge of the picture.
    box = grown(bounding_box(near), 1, near.shape)
    boxed, confidence = _cluster_box(
        distance[box], embedding[box], to_background[box], seeds.inside(box), settings, reach
    )
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
    distance: NDArray[np.float32],
    embedding: NDArray[np.float32],
    to_background: NDArray[np.float32],
    seeds: Seeds,
    settings: SegmentSettings,
    reach: int,
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    least = np.float32(np.cos(np.deg2rad(settings.max_angle_deg)))
    regions, seeds = grow_leaves(
        embedding, np.maximum(to_background, least), seeds, reach, settings.merge_angle_deg
    )
    owner = _compete(regions, seeds, to_background.shape)
    anchors = _anchors(owner, regions, seeds)
    at = np.flatnonzero(owner > 0)
    kept = _one_piece(owner, regions, anchors, np.ones(len(seeds) + 1, bool))
    leaf = kept.ravel().take(at).astype(np.intp)
    area, confidence = confidence_at(at, leaf, kept, distance, len(seeds))
    real = (area >= max(1.0, settings.min_leaf_area_px)) & (confidence >= settings.min_confidence)
    real[0] = False
    lost = at[~real[leaf]]
    if lost.size:
        second = _second_best(lost, owner, regions, seeds)
        second *= real[second]
        kept.ravel()[lost] = second
        gained = np.zeros(len(real), bool)
        gained[second] = second > 0
        if gained.any():
            kept = _one_piece(kept, regions, anchors, gained)
    number = (np.cumsum(real) * real).astype(np.uint32)
    labels = kept.view(np.uint32) if real[1:].all() else number.take(kept)
    return labels, confidence[real]


def _compete(regions: list[Region], seeds: Seeds, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Give each pixel its best leaf, 0 = none."""
    all_owners, all_best = np.zeros(shape, np.int32), np.full(shape, NO_LEAF)
    for leaf, region in enumerate(regions, 1):
        owner, best, cosine = all_owners[region.window], all_best[region.window], region.cosine
        wins = cosine > best
        tied = cosine == best
        if tied.any():
            rows, columns = tied.nonzero()
            pixels = rows + region.top, columns + region.left
            rivals = owner[tied].astype(np.intp) - 1
            wins[tied] = _squared(seeds, leaf - 1, *pixels) < _squared(seeds, rivals, *pixels)
        np.copyto(owner, np.int32(leaf), where=wins)
        np.maximum(best, cosine, out=best)
    return all_owners


def _second_best(
    places: NDArray[np.intp], owner: NDArray[np.int32], regions: list[Region], seeds: Seeds
) -> NDArray[np.intp]:
    """Return the second-best leaf, 0 = none, of pixels at sorted places of the flattened map.

    It is the best of all leaves but the pixel's own, by the rule of `_compete`.
    """
    rows, columns = np.divmod(places, owner.shape[1])
    own = owner.ravel()[places]
    second, best = np.zeros(len(places), np.intp), np.full(len(places), NO_LEAF)
    begins = np.searchsorted(rows, [region.top for region in regions])
    ends = np.searchsorted(rows, [region.window[0].stop for region in regions])
    for leaf, (region, begin, end) in enumerate(zip(regions, begins, ends, strict=True), 1):
        if begin == end:
            continue
        at, cosine = _cosines_at(region, rows, columns, begin, end)
        wins, tied = cosine > best[at], np.flatnonzero(cosine == best[at])
        pixels = rows[at[tied]], columns[at[tied]]
        rivals = second[at[tied]] - 1
        wins[tied] = _squared(seeds, leaf - 1, *pixels) < _squared(seeds, rivals, *pixels)
        wins &= own[at] != leaf
        at = at[wins]
        second[at], best[at] = leaf, cosine[wins]
    return second


def _cosines_at(
    region: Region, rows: NDArray[np.intp], columns: NDArray[np.intp], begin: int, end: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return which of the pixels `begin` to `end` a region's window holds, and their cosines."""
    width = region.cosine.shape[1]
    x = columns[begin:end] - region.left
    held = np.flatnonzero((x >= 0) & (x < width))
    at = begin + held
    return at, region.cosine.ravel().take((rows[at] - region.top) * width + x[held])


def _squared(
    seeds: Seeds,
    index: int | NDArray[np.intp],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return squared distances of pixels to seeds."""
    squared: NDArray[np.intp] = (seeds.rows[index] - rows) ** 2 + (
        seeds.columns[index] - columns
    ) ** 2
    return squared


def _anchors(
    owner: NDArray[np.int32], regions: list[Region], seeds: Seeds
) -> list[tuple[int, int]]:
    """Return a pixel (row, column) of the piece that each leaf is to keep.

    That is its seed, or of a leaf that lost this pixel to a rival the first of its largest piece.
    """
    anchors = list(zip(seeds.rows.tolist(), seeds.columns.tolist(), strict=True))
    leaves = np.arange(1, len(seeds) + 1)
    for k in np.flatnonzero(owner[seeds.rows, seeds.columns] != leaves).tolist():
        region = regions[k]
        piece = _largest_piece(owner[region.window] == k + 1)
        if piece.any():
            row, column = divmod(int(piece.argmax()), piece.shape[1])
            anchors[k] = region.top + row, region.left + column
    return anchors


def _one_piece(
    owner: NDArray[np.int32],
    regions: list[Region],
    anchors: list[tuple[int, int]],
    chosen: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Keep of each chosen leaf the piece with its anchor."""
    marked = -owner
    if not chosen.all():
        marked = np.where(chosen.take(owner), marked, owner)
    for k in np.flatnonzero(chosen[1:]).tolist():
        (row, column), region = anchors[k], regions[k]
        if owner[row, column] == k + 1:
            # In its window: OpenCV's flood fill takes time for all of the map that it is given.
            place = column - region.left, row - region.top
            cv2.floodFill(marked[region.window], None, place, k + 1, flags=8)
    return np.maximum(marked, 0, out=marked)


def _largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest piece; of equal ones the one with the first pixel."""
    from scipy import ndimage  # seldom needed, and every worker would import it at its start

    pieces, count = ndimage.label(mask, EIGHT)
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    largest: NDArray[np.bool_] = mask & (pieces == 1 + np.append(size[1:], 0).argmax())
    return largest
