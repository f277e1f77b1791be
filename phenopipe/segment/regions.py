"""Regions: the pixels that a leaf may claim, and which seeds are one leaf."""

from __future__ import annotations

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
    """What one leaf may claim.

    Attributes
    ----------
    top, left : int
        Where the window lies.
    cosine : ndarray, (h, w), float32
        Cosine of the angle to the leaf's highest seed inside the region, `OUTSIDE` elsewhere.
    """

    top: int
    left: int
    cosine: NDArray[np.float32]

    @property
    def window(self) -> tuple[slice, slice]:
        """Slices of the window."""
        height, width = self.cosine.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def grow_leaves(
    embedding: NDArray[np.float32],
    limit: NDArray[np.float32],
    seeds: Seeds,
    reach: int,
    merge_angle_deg: float,
) -> tuple[list[Region], Seeds]:
    """Grow a region for each leaf around its highest seed.

    A long leaf has several seeds. The highest seed that belongs to no leaf yet begins one; those
    in its region whose vectors are within `merge_angle_deg` of its own, or of another one's that
    so belongs to it, are the same leaf's.

    Parameters
    ----------
    embedding : ndarray, (H, W, E), float32
        Unit vectors.
    limit : ndarray, (H, W), float32
        A pixel agrees with a seed if the cosine of its angle to it is above this.
    seeds : Seeds
        Seeds in the coordinates of `embedding`.
    reach : int
        About how far a region goes from its seed, px, at least 1. It costs time if it is far off,
        but changes nothing: a window is enlarged while its region reaches the border.
    merge_angle_deg : float
        Largest angle of seeds of one leaf, deg; with 0 each has its own.

    Returns
    -------
    regions : list of Region
        The connected pixels around each leaf's highest seed that agree with it.
    leaders : Seeds
        These seeds, sorted as `seeds`.
    """
    regions: dict[int, Region] = {}
    taken = np.zeros(len(seeds), bool)
    # Equal ones by position, so that nothing depends on an order.
    for seed in np.lexsort((seeds.columns, seeds.rows, -seeds.peaks)).tolist():
        if not taken[seed]:
            place = int(seeds.rows[seed]), int(seeds.columns[seed])
            region = grow_region(embedding, limit, place, seeds.vectors[seed], reach)
            taken[_seeds_of_leaf(region, seed, seeds, taken, merge_angle_deg)] = True
            regions[seed] = region
    leaders = sorted(regions)
    return [regions[seed] for seed in leaders], seeds.take(np.array(leaders, np.intp))


def grow_region(
    embedding: NDArray[np.float32],
    limit: NDArray[np.float32],
    seed: tuple[int, int],
    vector: NDArray[np.float32],
    reach: int,
) -> Region:
    """Find the connected pixels around a seed that agree with its vector; see `grow_leaves`.

    The region is 8-connected; the seed's own pixel belongs to it in any case.
    """
    row, column = seed
    around = _Bounds(row - reach, row + reach + 1, column - reach, column + reach + 1)
    if reach >= LEAST_REACH:
        around = _rough_bounds(embedding, limit, vector, seed, FAR * reach)
    room = around.aligned(limit.shape)
    bounds = None
    while bounds != room:
        bounds = room
        region, room = _grow(embedding, limit, vector, seed, bounds)
    return region


def _seeds_of_leaf(
    region: Region, seed: int, seeds: Seeds, taken: NDArray[np.bool_], angle_deg: float
) -> NDArray[np.intp]:
    """Find the seeds that belong to the leaf of a seed with this region; that one is the first."""
    leaf = [np.array([seed])]
    if angle_deg > 0:
        rest = _held(region, seeds, taken)
        rest, waiting = rest[rest != seed], leaf[0]
        least = np.cos(np.deg2rad(angle_deg))
        while waiting.size and rest.size:
            cosines = seeds.vectors[rest] @ seeds.vectors[waiting[:BLOCK]].T
            joins = (cosines > least).any(axis=1)
            leaf.append(rest[joins])
            rest, waiting = rest[~joins], np.append(waiting[BLOCK:], rest[joins])
    return np.concatenate(leaf)


def _held(region: Region, seeds: Seeds, taken: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return which seeds a region holds, without those that are taken."""
    rows, columns = region.window
    first, last = np.searchsorted(seeds.rows, [rows.start, rows.stop])
    at = slice(first, last)
    inside = (columns.start <= seeds.columns[at]) & (seeds.columns[at] < columns.stop)
    held: NDArray[np.intp] = first + np.flatnonzero(inside & ~taken[at])
    cosine = region.cosine[seeds.rows[held] - region.top, seeds.columns[held] - region.left]
    return held[cosine > OUTSIDE]


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
