"""Hulls and lengths of labelled pixels, seen through an affine transform.

A pixel is a unit square around its centre; the transform makes it a parallelogram. All figures
are those of the shape that these parallelograms cover, but for the perimeter, which is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.segment.runs import Runs, framed

#: Steps from a pixel to half of its neighbours, (x, y): the directions of lines to count along.
STEPS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1)])
#: Hulls that are measured at once: bounds memory.
TOGETHER = 256


@dataclass(frozen=True)
class Hulls:
    """Convex hulls of shapes.

    Attributes
    ----------
    area : ndarray, (K,), float
        Their areas.
    length : ndarray, (K,), float
        Largest distance between two points of each (largest Feret diameter).
    width : ndarray, (K,), float
        Smallest distance between two parallel lines that hold it (smallest Feret diameter).
    """

    area: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]


def convex_hulls(runs: Runs, matrix: NDArray[np.float64]) -> Hulls:
    """Measure the convex hull of every shape.

    Parameters
    ----------
    runs : Runs
        At least one of each shape.
    matrix : ndarray, (2, 2), float
        Linear part of the transform of (x, y).

    Returns
    -------
    Hulls
        Of shapes 0..count, in the transform's units.
    """
    corners, first = _outer_corners(runs)
    each = np.split(corners, first[1:])
    hulls = [np.asarray(cv2.convexHull(points), np.float32)[:, 0] for points in each]
    measured = [
        _measure_hulls(hulls[at : at + TOGETHER], matrix) for at in range(0, len(hulls), TOGETHER)
    ]
    return Hulls(*np.concatenate(measured, axis=1))


def _outer_corners(runs: Runs) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the corners (x, y) of each shape that may be its hull's, shape by shape.

    They are corners of the first or last pixel of a row that stick out from the row above or
    below. Also returned is the place of each shape's first one.
    """
    of_row = runs.shape * (runs.row.max() + 1) + runs.row
    first = np.flatnonzero(np.diff(of_row, prepend=-1))
    last = np.append(first[1:], len(of_row)) - 1
    shape, row = runs.shape[first], runs.row[first]
    left, right = runs.start[first], runs.stop[last]
    # Above a shape's first row there is nothing, nor below its last.
    apart, to_left, to_right = np.diff(shape) > 0, np.diff(left), np.diff(right)
    outer = np.ones((len(first), 4), bool)
    outer[1:, 0] = apart | (to_left < 0)
    outer[:-1, 1] = apart | (to_left > 0)
    outer[1:, 2] = apart | (to_right > 0)
    outer[:-1, 3] = apart | (to_right < 0)
    at = np.flatnonzero(outer)
    of, corner = at >> 2, at & 3
    x, y = np.where(corner < 2, left[of], right[of]), row[of] + (corner & 1)
    corners = np.stack([x, y], axis=1).astype(np.float32) - np.float32(0.5)
    return corners, np.searchsorted(shape[of], np.arange(runs.count + 1))


def _measure_hulls(
    hulls: Sequence[NDArray[np.float32]], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return area, length and width of hulls, (3, K), from their corners in order, (n, 2) each."""
    size = np.array([len(hull) for hull in hulls])
    first = np.cumsum(size) - size
    # A hull's image is the image's hull: the transform is affine.
    points = np.concatenate(hulls) @ matrix.T
    following = np.arange(len(points)) + 1
    following[first + size - 1] = first
    x, y = points.T
    doubled = np.add.reduceat(x * y[following] - x[following] * y, first)
    edge_x, edge_y = (points[following] - points).T
    edge = np.maximum(np.hypot(edge_x, edge_y), 1e-12)
    # All pairs of an edge, by its first corner, and a corner of the same hull.
    corners = np.repeat(size, size)
    pairs = np.cumsum(corners) - corners
    one = np.repeat(np.arange(len(points)), corners)
    other = np.arange(len(one)) + np.repeat(np.repeat(first, size) - pairs, corners)
    apart_x, apart_y = x[other] - x[one], y[other] - y[one]
    squared = np.maximum.reduceat(apart_x**2 + apart_y**2, pairs)
    across = np.maximum.reduceat(np.abs(edge_x[one] * apart_y - edge_y[one] * apart_x), pairs)
    return np.stack(
        [
            np.abs(doubled) / 2,
            np.sqrt(np.maximum.reduceat(squared, first)),
            np.minimum.reduceat(across / edge, first),
        ]
    )


def perimeters(
    labels: NDArray[np.integer[Any]], matrix: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Estimate the perimeter of every label by Crofton's formula.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        0..count. What lies beyond the array counts as background.
    matrix : ndarray, (2, 2), float
        Linear part of the transform of (x, y), invertible.
    count : int
        Number of labels.

    Returns
    -------
    ndarray, (count + 1,), float
        Perimeter of each label, in the transform's units; at index 0 that of their union.

    Notes
    -----
    A curve's length is pi/2 times the mean, over directions, of its crossings with parallel
    lines times their spacing. Lines run along the pixels' rows, columns and diagonals, which the
    transform turns to other angles and spacings; each direction weighs as the half-circle's share
    that is nearest to it. With the identity this is `skimage.measure.perimeter_crofton` with 4
    directions.
    """
    steps = STEPS @ matrix.T
    spacing = abs(np.linalg.det(matrix)) / np.linalg.norm(steps, axis=1)
    padded = framed(labels)
    total = np.zeros(count + 1)
    for (x, y), weight in zip(STEPS, spacing * _shares(steps), strict=True):
        # The frame is background: a step off one side is one between two of its pixels.
        total += weight * _crossings(padded.ravel(), y * padded.shape[1] + x, count)
    return total * np.pi / 2


def _shares(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the half-circle that is nearest to each direction."""
    angles = np.mod(np.arctan2(steps[:, 1], steps[:, 0]), np.pi)
    order = np.argsort(angles)
    gaps = np.mod(np.diff(angles[order], append=angles[order[:1]] + np.pi), np.pi)
    shares = np.empty(len(steps))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
    return shares


def _crossings(flat: NDArray[np.integer[Any]], step: int, count: int) -> NDArray[np.intp]:
    """Count, for each label, the pixels `step` apart of which one has it and one has not."""
    here, there = flat[:-step], flat[step:]
    differ = np.flatnonzero(here != there)
    ends = np.concatenate([here[differ], there[differ]])
    return np.bincount(ends, minlength=count + 1)
