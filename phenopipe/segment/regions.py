"""Regions: the pixels that each leaf may claim, and which leaf gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled
from phenopipe.encoding import background_direction
from phenopipe.segment.seeds import Seeds

#: Less than any cosine.
_NONE = np.float32(-np.inf)


@dataclass(frozen=True)
class Claims:
    """Which leaves claim each pixel.

    A leaf's number is 1 + the place of its highest seed among all seeds; 0 is none.

    Attributes
    ----------
    best : ndarray, (H, W), int32
        The leaf that gets the pixel.
    second : ndarray, (H, W), int32
        The leaf that would get it if there were not that one.
    leaders : ndarray, (L,), int
        Places of the leaves' highest seeds, sorted; also of leaves that got no pixel.
    """

    best: NDArray[np.int32]
    second: NDArray[np.int32]
    leaders: NDArray[np.intp]


def grow_leaves(
    embedding: NDArray[Any], seeds: Seeds, max_angle_deg: float, merge_angle_deg: float
) -> Claims:
    """Grow a region for each leaf around its highest seed.

    A region is the connected pixels around its seed (8-connected) that agree with the seed's
    vector: within `max_angle_deg` of it, and nearer to it than to the background. The seed's own
    pixel belongs to it in any case.

    A long leaf has several seeds. The highest seed that belongs to no leaf yet begins one; those
    in its region whose vectors are within `merge_angle_deg` of its own, or of another one's that
    so belongs to it, are the same leaf's.

    A pixel in several regions goes to the leaf of the smallest angle; of equal ones to the leaf
    with the nearer seed, then to the one whose seed comes first.

    Parameters
    ----------
    embedding : ndarray, (H, W, E), float32 or int8
        Unit vectors, or as they are stored: their lengths do not matter here. Zeros are background.
    seeds : Seeds
        Seeds.
    max_angle_deg : float
        Largest angle of a leaf's pixel to its highest seed, deg.
    merge_angle_deg : float
        Largest angle of seeds of one leaf, deg; with 0 each has its own.
    """
    shape = embedding.shape[:2]
    best, second = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    cosines = np.full(shape, _NONE), np.full(shape, _NONE)
    seen = np.zeros(shape, np.int32)
    waiting = np.empty((2 * seen.size + 1, 3), np.int32)
    least = np.float32(np.cos(np.deg2rad(max_angle_deg)))
    same = np.float32(np.cos(np.deg2rad(merge_angle_deg)) if merge_angle_deg else np.inf)
    background = background_direction(embedding.shape[2])[0]
    taken = np.zeros(len(seeds), bool)
    leaders = []
    # Equal ones by position, so that nothing depends on an order.
    for seed in np.lexsort((seeds.columns, seeds.rows, -seeds.peaks)).tolist():
        if not taken[seed]:
            vector = tuple(seeds.vectors[seed])  # of a length that the compiler knows
            region = _grow_region(
                *(best, second, *cosines, seen, waiting, embedding),
                *(seeds.rows, seeds.columns, seed, vector, background, least),
            )
            _take_seeds(
                *(taken, seen, *region, seeds.rows, seeds.columns, seeds.vectors, seed, same)
            )
            leaders.append(seed)
    return Claims(best, second, np.sort(np.array(leaders, np.intp)))


@compiled
def _grow_region(
    best: NDArray[np.int32],
    second: NDArray[np.int32],
    best_cosine: NDArray[np.float32],
    second_cosine: NDArray[np.float32],
    seen: NDArray[np.int32],
    waiting: NDArray[np.int32],
    embedding: NDArray[Any],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    seed: int,
    vector: tuple[np.float32, ...],
    background: np.float32,
    least: np.float32,
) -> tuple[int, int]:
    """Claim the pixels of one leaf; return its first row and the one after its last.

    `seen` has the leaf that looked at a pixel last, negative if the pixel did not agree. What
    is `waiting` are parts of rows to be searched: row, first column and the one after the last.
    It is one loop without calls, since Numba takes as long to pass arrays on as for ten pixels.
    """
    height, width = seen.shape
    leaf, row, start = seed + 1, rows[seed], columns[seed]
    top, bottom = row, row + 1
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = row, start, start + 1
    count, is_seed = 1, True
    while count:
        count -= 1
        row, start, stop = waiting[count, 0], waiting[count, 1], waiting[count, 2]
        run = -1  # where the run of pixels that agree begins, if x is in one
        for step in (-1, 1):  # first to the left of the part, as far as its first run goes
            x = start if step < 0 else start + 1
            while 0 <= x <= width and (x < stop or run >= 0):
                agrees = False
                if x < width and abs(seen[row, x]) != leaf:
                    along = total = squared = np.float32(0)
                    for k in range(len(vector)):
                        value = np.float32(embedding[row, x, k])
                        along += value * vector[k]
                        total += value
                        squared += value * value
                    length = np.sqrt(squared)
                    agrees = is_seed or along > max(background * total, least * length)
                    seen[row, x], is_seed = leaf if agrees else -leaf, False
                    if agrees:
                        cosine = along / max(length, np.float32(1e-9))
                        at_best, at_second = best_cosine[row, x], second_cosine[row, x]
                        if cosine > at_best or (
                            cosine == at_best
                            and _is_nearer(rows, columns, seed, best[row, x] - 1, row, x)
                        ):
                            second[row, x], second_cosine[row, x] = best[row, x], at_best
                            best[row, x], best_cosine[row, x] = leaf, cosine
                        elif cosine > at_second or (
                            cosine == at_second
                            and _is_nearer(rows, columns, seed, second[row, x] - 1, row, x)
                        ):
                            second[row, x], second_cosine[row, x] = leaf, cosine
                if agrees:
                    run = x if step < 0 or run < 0 else run
                elif step < 0:
                    break
                elif run >= 0:
                    top, bottom = min(top, row), max(bottom, row + 1)
                    for near in (row - 1, row + 1):
                        if 0 <= near < height:
                            waiting[count, 0] = near
                            waiting[count, 1] = max(run - 1, 0)
                            waiting[count, 2] = min(x + 1, width)
                            count += 1
                    run = -1
                x += step
    return top, bottom


@compiled
def _is_nearer(
    rows: NDArray[np.intp], columns: NDArray[np.intp], one: int, other: int, row: int, column: int
) -> bool:
    """Tell whether a pixel is nearer to one seed than to another; if not, which comes first."""
    here = (rows[one] - row) ** 2 + (columns[one] - column) ** 2
    there = (rows[other] - row) ** 2 + (columns[other] - column) ** 2
    return here < there or (here == there and one < other)


@compiled
def _take_seeds(
    taken: NDArray[np.bool_],
    seen: NDArray[np.int32],
    top: int,
    bottom: int,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    vectors: NDArray[np.float32],
    seed: int,
    least: np.float32,
) -> None:
    """Mark the seeds of one leaf as taken, when its first one has grown a region.

    Seeds that the region holds join if the cosine to one of those that are the leaf's by then is
    above `least`.
    """
    taken[seed] = True
    first, stop = np.searchsorted(rows, top), np.searchsorted(rows, bottom)
    held, count = np.empty(stop - first, np.intp), 0
    for k in range(first, stop):
        if not taken[k] and seen[rows[k], columns[k]] == seed + 1:
            held[count] = k
            count += 1
    leaf = [seed]
    for known in leaf:
        left = 0
        for at in range(count):
            k, cosine = held[at], np.float32(0)
            for e in range(vectors.shape[1]):
                cosine += vectors[known, e] * vectors[k, e]
            if cosine > least:
                taken[k] = True
                leaf.append(k)
            else:
                held[left] = k
                left += 1
        count = left
