"""Hulls and lengths of labelled pixels, seen through an affine transform.

A pixel is a unit square around its centre; the transform makes it a parallelogram. All figures
are those of the shape that these parallelograms cover, but for the perimeter, which is estimated.
Shape 0 is the union of all labels, shape k is label k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled

#: Steps from a pixel to half of its neighbours, (x, y): the directions of lines to count along.
STEPS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1)])


@dataclass(frozen=True)
class Hulls:
    """Convex hulls of shapes.

    Attributes
    ----------
    area : ndarray, (count + 1,), float
        Their areas; NaN of a shape without pixels, as the other figures.
    length : ndarray, (count + 1,), float
        Largest distance between two points of each (largest Feret diameter).
    width : ndarray, (count + 1,), float
        Smallest distance between two parallel lines that hold it (smallest Feret diameter).
    """

    area: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]


def convex_hulls(runs: NDArray[np.intp], matrix: NDArray[np.float64], count: int) -> Hulls:
    """Measure the convex hull of every shape.

    Parameters
    ----------
    runs : ndarray, (R, 4), int
        Runs of labels 1..count, as `phenopipe.segment.runs.find_runs` gives them.
    matrix : ndarray, (2, 2), float
        Linear part of the transform of (x, y).
    count : int
        Number of labels.

    Returns
    -------
    Hulls
        In the transform's units.
    """
    top, bottom = np.full(count + 1, np.iinfo(np.intp).max), np.zeros(count + 1, np.intp)
    _find_rows(runs, top, bottom)
    height = np.maximum(bottom - top, 0)
    first = np.cumsum(height) - height
    ends = np.zeros((int(height.sum()), 2), np.intp)
    _find_ends(runs, top, first, ends)
    hulls = np.full((3, count + 1), np.nan)
    corners = np.empty((4 * int(height.max(initial=0)), 2))
    _measure_hulls(ends, top, first, height, np.asarray(matrix, np.float64), corners, hulls)
    return Hulls(*hulls)


def perimeters(
    labels: NDArray[np.uint32], matrix: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Estimate the perimeter of every shape by Crofton's formula.

    Parameters
    ----------
    labels : ndarray, (H, W), uint32
        0..count. What lies beyond the array counts as background.
    matrix : ndarray, (2, 2), float
        Linear part of the transform of (x, y), invertible.
    count : int
        Number of labels.

    Returns
    -------
    ndarray, (count + 1,), float
        In the transform's units.

    Notes
    -----
    A curve's length is pi/2 times the mean, over directions, of its crossings with parallel
    lines times their spacing. Lines run along the pixels' rows, columns and diagonals, which the
    transform turns to other angles and spacings; each direction weighs as the half-circle's share
    that is nearest to it. With the identity this is `skimage.measure.perimeter_crofton` with 4
    directions.
    """
    crossings = np.zeros((len(STEPS), count + 1), np.intp)
    _count_crossings(np.pad(labels, 1), crossings)
    steps = STEPS @ matrix.T
    spacing = abs(np.linalg.det(matrix)) / np.linalg.norm(steps, axis=1)
    weights = spacing * _shares(steps)
    # Not as a matrix product, which may round a shape by its place among the others.
    estimated: NDArray[np.float64] = (weights[:, None] * crossings).sum(axis=0) * np.pi / 2
    return estimated


def _shares(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the half-circle that is nearest to each direction."""
    angles = np.mod(np.arctan2(steps[:, 1], steps[:, 0]), np.pi)
    order = np.argsort(angles)
    gaps = np.mod(np.diff(angles[order], append=angles[order[:1]] + np.pi), np.pi)
    shares = np.empty(len(steps))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
    return shares


@compiled
def _count_crossings(padded: NDArray[np.uint32], crossings: NDArray[np.intp]) -> None:
    """Count, for each of `STEPS` and each shape, the steps into it or out of it.

    The frame is background: what steps to background are is the union's outline.
    """
    height, width = padded.shape
    for row in range(height - 1):
        for column in range(width - 1):
            here, right = padded[row, column], padded[row, column + 1]
            below, across = padded[row + 1, column], padded[row + 1, column + 1]
            if here == right == below == across:
                continue
            pairs = (here, right), (here, across), (here, below), (right, below)
            for step, (one, other) in enumerate(pairs):
                if one != other:
                    crossings[step, one] += 1
                    crossings[step, other] += 1


@compiled
def _find_rows(runs: NDArray[np.intp], top: NDArray[np.intp], bottom: NDArray[np.intp]) -> None:
    """Find the first row of each shape, and the one after its last."""
    for label, row, _, _ in runs:
        for shape in (0, label):
            top[shape] = min(top[shape], row)
            bottom[shape] = row + 1


@compiled
def _find_ends(
    runs: NDArray[np.intp],
    top: NDArray[np.intp],
    first: NDArray[np.intp],
    ends: NDArray[np.intp],
) -> None:
    """Find where each shape begins and ends in each of its rows: two columns, half open."""
    for label, row, start, stop in runs:
        for shape in (0, label):
            at = first[shape] + row - top[shape]
            if ends[at, 1] == 0:
                ends[at, 0] = start
            ends[at, 1] = stop


@compiled
def _measure_hulls(
    ends: NDArray[np.intp],
    top: NDArray[np.intp],
    first: NDArray[np.intp],
    height: NDArray[np.intp],
    matrix: NDArray[np.float64],
    corners: NDArray[np.float64],
    hulls: NDArray[np.float64],
) -> None:
    """Measure area, length and width of each shape's hull, from where its rows end."""
    for shape in range(len(height)):
        rows = ends[first[shape] : first[shape] + height[shape]]
        hull = corners[: _find_corners(rows, top[shape], corners)]
        for at in range(len(hull)):  # its image is the image's hull: the transform is affine
            x, y = hull[at]
            hull[at, 0] = matrix[0, 0] * x + matrix[0, 1] * y
            hull[at, 1] = matrix[1, 0] * x + matrix[1, 1] * y
        if len(hull):
            hulls[0, shape], hulls[1, shape], hulls[2, shape] = _measure_hull(hull)


@compiled
def _find_corners(rows: NDArray[np.intp], top: int, corners: NDArray[np.float64]) -> int:
    """Find the corners (x, y) of a hull, in order; return how many they are.

    They are two chains: one down the left side of the shape, one up its right side. In both, a
    corner goes when the next one shows that the hull does not turn there.
    """
    count = 0
    for side in range(2):
        begin = count
        for step in range(2 * len(rows)):  # the upper and the lower corner of each row
            half = step if side == 0 else 2 * len(rows) - 1 - step
            if rows[half // 2, 1] == 0:  # a row between two pieces
                continue
            x = rows[half // 2, side] - 0.5
            y = top + (half + 1) // 2 - 0.5
            while count - begin > 1:
                ax, ay = corners[count - 2]
                bx, by = corners[count - 1]
                if (bx - ax) * (y - by) - (by - ay) * (x - bx) < 0:
                    break
                count -= 1
            corners[count, 0], corners[count, 1] = x, y
            count += 1
    return count


@compiled
def _measure_hull(hull: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return area, length and width of a hull: sizes of its edges against all its corners."""
    doubled, longest, narrowest = 0.0, 0.0, np.inf
    for at in range(len(hull)):
        x, y = hull[at]
        to_x, to_y = hull[(at + 1) % len(hull)]
        doubled += x * to_y - to_x * y
        edge_x, edge_y = to_x - x, to_y - y
        across = 0.0
        for other in range(len(hull)):
            off_x, off_y = hull[other, 0] - x, hull[other, 1] - y
            longest = max(longest, off_x * off_x + off_y * off_y)
            across = max(across, abs(edge_x * off_y - edge_y * off_x))
        narrowest = min(narrowest, across / np.hypot(edge_x, edge_y))
    return abs(doubled) / 2, np.sqrt(longest), narrowest
