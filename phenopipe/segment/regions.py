"""Regions: the pixels that a seed may claim, and which seeds are one leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phenopipe.segment.seeds import Seeds

#: Cosine outside a region: less than any that a region holds.
OUTSIDE = np.float32(-1.0)
#: Seeds in one matrix product: bounds memory at 300 leaves, and is as fast as all at once.
BLOCK = 16


@dataclass(frozen=True)
class Region:
    """What one seed, or one leaf of several seeds, may claim.

    Attributes
    ----------
    top, left : int
        Where the window lies.
    cosine : ndarray, (h, w), float32
        Cosine of the angle to the seed inside the region, `OUTSIDE` elsewhere.
    """

    top: int
    left: int
    cosine: NDArray[np.float32]

    @property
    def window(self) -> tuple[slice, slice]:
        """Slices of the window."""
        height, width = self.cosine.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def grow_regions(
    embedding: NDArray[np.float32], limit: NDArray[np.float32], seeds: Seeds
) -> Iterator[Region]:
    """Yield, for each seed, the connected pixels around it that agree with it.

    Parameters
    ----------
    embedding : ndarray, (H, W, E), float32
        Unit vectors.
    limit : ndarray, (H, W), float32
        A pixel agrees if the cosine of its angle to the seed is above this.
    seeds : Seeds
        Seeds in the coordinates of `embedding`.

    Yields
    ------
    Region
        The region, 8-connected; the seed's own pixel belongs to it in any case.
    """
    flat = embedding.reshape(-1, embedding.shape[-1])
    for start in range(0, len(seeds), BLOCK):
        cosines = seeds.vectors[start : start + BLOCK] @ flat.T
        for index, cosine in enumerate(cosines, start):
            seed = int(seeds.columns[index]), int(seeds.rows[index])
            yield _grow(cosine.reshape(limit.shape), limit, seed)


def _grow(cosine: NDArray[np.float32], limit: NDArray[np.float32], seed: tuple[int, int]) -> Region:
    agrees = (cosine > limit).view(np.uint8)
    agrees[seed[1], seed[0]] = 1
    _, _, _, (left, top, width, height) = cv2.floodFill(agrees, None, seed, 2, flags=8)
    window = slice(top, top + height), slice(left, left + width)
    return Region(top, left, np.where(agrees[window] == 2, cosine[window], OUTSIDE))


def same_leaf(
    regions: list[Region], seeds: Seeds, merge_angle_deg: float
) -> tuple[int, NDArray[np.int32]]:
    """Find which seeds belong to one leaf.

    Two seeds are one leaf if their vectors are within `merge_angle_deg` and a path of pixels that
    agree with both connects them; so are seeds linked through others (connected components of
    that graph, hence the same for any order of seeds).

    Parameters
    ----------
    regions : list of Region
        Regions of the seeds.
    seeds : Seeds
        Seeds, in the same order and coordinates.
    merge_angle_deg : float
        Largest angle, deg.

    Returns
    -------
    count : int
        Number of leaves.
    leaf_of : ndarray, (K,), int32
        Leaf of each seed, 0..count-1.
    """
    near = np.triu(seeds.vectors @ seeds.vectors.T > np.cos(np.deg2rad(merge_angle_deg)), k=1)
    if merge_angle_deg == 0:
        near[:] = False
    pairs = [(i, j) for i, j in np.argwhere(near) if _connected(regions, seeds, i, j)]
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(len(seeds), len(seeds)))
    count, leaf_of = connected_components(graph, directed=False)
    return int(count), leaf_of


def _connected(regions: list[Region], seeds: Seeds, i: int, j: int) -> bool:
    """Tell whether pixels that agree with both seeds connect them."""
    pair = regions[i], regions[j]
    top, left = max(r.window[0].start for r in pair), max(r.window[1].start for r in pair)
    bottom, right = min(r.window[0].stop for r in pair), min(r.window[1].stop for r in pair)
    seed_i, seed_j = ((int(seeds.rows[k]) - top, int(seeds.columns[k]) - left) for k in (i, j))
    if not all(0 <= y < bottom - top and 0 <= x < right - left for y, x in (seed_i, seed_j)):
        return False
    cosines = [r.cosine[top - r.top : bottom - r.top, left - r.left : right - r.left] for r in pair]
    both = (np.minimum(*cosines) > OUTSIDE).astype(np.uint8)
    if not (both[seed_i] and both[seed_j]):
        return False
    cv2.floodFill(both, None, seed_i[::-1], 2, flags=8)
    return bool(both[seed_j] == 2)


def join(regions: list[Region]) -> Region:
    """Return the region of a leaf of several seeds: everywhere the larger cosine."""
    if len(regions) == 1:
        return regions[0]
    top, left = min(r.top for r in regions), min(r.left for r in regions)
    bottom = max(r.window[0].stop for r in regions)
    right = max(r.window[1].stop for r in regions)
    joined = np.full((bottom - top, right - left), OUTSIDE)
    for region in regions:
        rows, columns = (slice(region.top - top, None), slice(region.left - left, None))
        height, width = region.cosine.shape
        part = joined[rows, columns][:height, :width]
        np.maximum(part, region.cosine, out=part)
    return Region(top, left, joined)
