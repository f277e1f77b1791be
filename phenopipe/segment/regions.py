"""Regions: the pixels that a seed may claim, and which seeds are one leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.segment.seeds import Seeds

#: Cosine outside a region: less than any inside.
OUTSIDE = np.float32(-2.0)
#: Windows begin and end at multiples of this (or at the edge): a matrix product rounds a pixel by
#: its place among the first of a row, and equal vectors must give equal cosines in any window.
ALIGNMENT = 16
#: Every so many-th pixel in both directions tells roughly how far a region goes, ...
STRIDE = 4
#: ... looked at within so many times the reach, ...
FAR = 3
#: ... if that is at least this many pixels: less is as quickly done in full.
LEAST_REACH = 16
#: Seeds that are compared with others at once: bounds memory.
BLOCK = 256


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
    embedding: NDArray[np.float32], limit: NDArray[np.float32], seeds: Seeds, reach: int
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
    reach : int
        About how far a region goes from its seed, px, at least 1. It costs time if it is far off,
        but changes nothing: a window is enlarged while its region reaches the border.

    Yields
    ------
    Region
        The region, 8-connected; the seed's own pixel belongs to it in any case.
    """
    places = zip(seeds.rows.tolist(), seeds.columns.tolist(), seeds.vectors, strict=True)
    for row, column, vector in places:
        around = _Bounds(row - reach, row + reach + 1, column - reach, column + reach + 1)
        if reach >= LEAST_REACH:
            around = _rough_bounds(embedding, limit, vector, (row, column), FAR * reach)
        room = around.aligned(limit.shape)
        bounds = None
        while bounds != room:
            bounds = room
            region, room = _grow(embedding, limit, vector, (row, column), bounds)
        yield region


class _Bounds(NamedTuple):
    """Half-open bounds of a window."""

    top: int
    bottom: int
    left: int
    right: int

    def aligned(self, shape: tuple[int, ...]) -> _Bounds:
        """Return the least window around this one that lies in the map and is aligned."""
        return _Bounds(
            max(self.top, 0),
            min(self.bottom, shape[0]),
            max(self.left, 0) // ALIGNMENT * ALIGNMENT,
            min(-(-self.right // ALIGNMENT) * ALIGNMENT, shape[1]),
        )


def _rough_bounds(
    embedding: NDArray[np.float32],
    limit: NDArray[np.float32],
    vector: NDArray[np.float32],
    seed: tuple[int, int],
    reach: int,
) -> _Bounds:
    """Tell where a region will likely lie, from a few of the pixels within reach."""
    top, left = (at - min(at, reach) // STRIDE * STRIDE for at in seed)
    rows = slice(top, seed[0] + reach + 1, STRIDE)
    columns = slice(left, seed[1] + reach + 1, STRIDE)
    agrees = (embedding[rows, columns] @ vector > limit[rows, columns]).view(np.uint8)
    row, column = (seed[0] - top) // STRIDE, (seed[1] - left) // STRIDE
    agrees[row, column] = 1
    _, _, _, (x, y, width, height) = cv2.floodFill(agrees, None, (column, row), 2, flags=8)
    return _Bounds(
        top + (y - 1) * STRIDE,
        top + (y + height) * STRIDE + 1,
        left + (x - 1) * STRIDE,
        left + (x + width) * STRIDE + 1,
    )


def _grow(
    embedding: NDArray[np.float32],
    limit: NDArray[np.float32],
    vector: NDArray[np.float32],
    seed: tuple[int, int],
    bounds: _Bounds,
) -> tuple[Region, _Bounds]:
    """Grow a region in a window; return also the window in which it has room."""
    top, bottom, left, right = bounds
    cosine = embedding[top:bottom, left:right] @ vector
    agrees = (cosine > limit[top:bottom, left:right]).view(np.uint8)
    row, column = seed[0] - top, seed[1] - left
    agrees[row, column] = 1
    _, _, _, (x, y, width, height) = cv2.floodFill(agrees, None, (column, row), 2, flags=8)
    inside = slice(y, y + height), slice(x, x + width)
    found = np.where(agrees[inside] == 2, cosine[inside], OUTSIDE)
    # Where the region reaches the window's border, that moves away by the window's length.
    rows, columns = cosine.shape
    room = _Bounds(
        top - rows * (y == 0),
        bottom + rows * (y + height == cosine.shape[0]),
        left - columns * (x == 0),
        right + columns * (x + width == cosine.shape[1]),
    )
    return Region(top + y, left + x, found), room.aligned(limit.shape)


def same_leaf(
    regions: list[Region], seeds: Seeds, merge_angle_deg: float
) -> tuple[int, NDArray[np.intp]]:
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
    leaf_of : ndarray, (K,), int
        Leaf of each seed, 0..count-1.
    """
    leaf_of = np.arange(len(seeds))
    for i, j in _close_pairs(regions, seeds, merge_angle_deg):
        if leaf_of[i] != leaf_of[j] and _connected(regions, seeds, i, j):
            leaf_of[leaf_of == leaf_of[j]] = leaf_of[i]
    leaves, leaf_of = np.unique(leaf_of, return_inverse=True)
    return len(leaves), leaf_of


def _close_pairs(
    regions: list[Region], seeds: Seeds, angle_deg: float
) -> Iterator[tuple[int, int]]:
    """Yield pairs of seeds within an angle, each in the other's window.

    Seeds are sorted by rows, so that a block of them need be compared with those alone that stand
    above its lowest window's end.
    """
    if angle_deg == 0 or not regions:
        return
    windows = [(r.top, r.window[0].stop, r.left, r.window[1].stop) for r in regions]
    top, bottom, left, right = np.array(windows).T
    rows, columns = seeds.rows, seeds.columns
    for start in range(0, len(regions), BLOCK):
        one = slice(start, start + BLOCK)
        other = slice(start, int(np.searchsorted(rows, bottom[one].max())))
        near = seeds.vectors[one] @ seeds.vectors[other].T > np.cos(np.deg2rad(angle_deg))
        first, last = start + np.array(np.triu(near, 1).nonzero())
        held = np.ones(len(first), bool)
        for i, j in ((first, last), (last, first)):
            held &= (top[i] <= rows[j]) & (rows[j] < bottom[i])
            held &= (left[i] <= columns[j]) & (columns[j] < right[i])
        yield from zip(first[held].tolist(), last[held].tolist(), strict=True)


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
