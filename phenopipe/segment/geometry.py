"""Hulls and lengths of labelled pixels, seen through an affine transform.

A pixel is a unit square around its centre; the transform makes it a parallelogram. All figures
are those of the shape that these parallelograms cover, but for the perimeter, which is estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Steps from a pixel to half of its neighbours, (x, y): the directions of lines to count along.
STEPS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1)])


@dataclass(frozen=True)
class Hull:
    """Convex hull of a shape.

    Attributes
    ----------
    area : float
        Its area.
    length : float
        Largest distance between two of its points (largest Feret diameter).
    width : float
        Smallest distance between two parallel lines that hold it (smallest Feret diameter).
    """

    area: float
    length: float
    width: float


def convex_hull(mask: NDArray[np.bool_], matrix: NDArray[np.float64]) -> Hull:
    """Measure the convex hull of a mask.

    Parameters
    ----------
    mask : ndarray, (h, w), bool
        At least one pixel is set.
    matrix : ndarray, (2, 2), float
        Linear part of the transform of (x, y).

    Returns
    -------
    Hull
        In the transform's units.
    """
    corners = _outer_corners(mask)
    # A hull's image is the image's hull: the transform is affine.
    points = cv2.convexHull(corners.astype(np.float32)).reshape(-1, 2) @ matrix.T
    edges = np.roll(points, -1, axis=0) - points
    edges /= np.maximum(np.linalg.norm(edges, axis=1, keepdims=True), 1e-12)
    apart = points[None] - points[:, None]
    across = np.abs(edges[:, None, 0] * apart[..., 1] - edges[:, None, 1] * apart[..., 0])
    following = np.roll(points, -1, axis=0)
    doubled = points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]
    return Hull(
        area=float(abs(doubled.sum()) / 2),
        length=float(np.sqrt((apart**2).sum(axis=-1).max())),
        width=float(across.max(axis=1).min()),
    )


def _outer_corners(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the corners (x, y) of the first and last pixel of each row."""
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1) - 0.5
    right = mask.shape[1] - mask[rows, ::-1].argmax(axis=1) - 0.5
    x = np.concatenate([left, left, right, right])
    y = np.concatenate([rows - 0.5, rows + 0.5] * 2)
    return np.stack([x, y], axis=1)


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
        Perimeter of each label, in the transform's units; index 0 means nothing.

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
    padded = np.pad(labels, 1)
    total = np.zeros(count + 1)
    for step, weight in zip(STEPS, spacing * _shares(steps), strict=True):
        total += weight * _crossings(padded, step, count)
    return total * np.pi / 2


def _shares(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the half-circle that is nearest to each direction."""
    angles = np.mod(np.arctan2(steps[:, 1], steps[:, 0]), np.pi)
    order = np.argsort(angles)
    gaps = np.mod(np.diff(angles[order], append=angles[order[:1]] + np.pi), np.pi)
    shares = np.empty(len(steps))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
    return shares


def _crossings(
    padded: NDArray[np.integer[Any]], step: NDArray[np.int_], count: int
) -> NDArray[np.intp]:
    """Count, for each label, the neighbours along `step` of which one has it and one has not."""
    width = padded.shape[1]
    x, y = step
    here = padded[: padded.shape[0] - y, max(0, -x) : width - max(0, x)]
    there = padded[y:, max(0, x) : width - max(0, -x)]
    differ = here != there
    ends = np.concatenate([here[differ], there[differ]])
    return np.bincount(ends, minlength=count + 1)
