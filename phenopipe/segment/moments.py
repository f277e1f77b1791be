"""Area, centre and ellipse of labelled pixels, seen through an affine transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled


@dataclass(frozen=True)
class Moments:
    """Moments of shapes; shape 0 is the union of all labels, shape k is label k.

    Attributes
    ----------
    size : ndarray, (count + 1,), int
        Pixels. Where there are none, all else is NaN.
    centre : ndarray, (count + 1, 2), float
        Centre of area (x, y), in the transform's units.
    eccentricity : ndarray, (count + 1,), float
        Of the ellipse with the same second moments, 0 (circle) to 1.
    orientation_deg : ndarray, (count + 1,), float
        Angle from the x axis to that ellipse's long axis, anticlockwise where y points down, 0 to
        below 180.
    """

    size: NDArray[np.intp]
    centre: NDArray[np.float64]
    eccentricity: NDArray[np.float64]
    orientation_deg: NDArray[np.float64]


def moments(runs: NDArray[np.intp], transform: NDArray[np.float64], count: int) -> Moments:
    """Measure moments of every shape.

    Parameters
    ----------
    runs : ndarray, (R, 4), int
        Runs of labels 1..count, as `phenopipe.segment.runs.find_runs` gives them.
    transform : ndarray, (2, 3), float
        Affine map of (x, y), pixel centres at integers.
    count : int
        Number of labels.
    """
    sums = np.zeros((count + 1, 6), np.int64)
    _add_up(runs, sums)
    size, x, y, xx, xy, yy = sums.T
    # About a whole pixel near its centroid a shape's moments are whole numbers: no digit is lost.
    pixels = np.maximum(size, 1)
    near_x, near_y = np.rint(x / pixels).astype(np.int64), np.rint(y / pixels).astype(np.int64)
    xx += (size * near_x - 2 * x) * near_x
    yy += (size * near_y - 2 * y) * near_y
    xy += (size * near_y - y) * near_x - x * near_y
    off = np.stack([x - size * near_x, y - size * near_y]) / pixels
    second = np.stack([xx, xy, xy, yy]).reshape(2, 2, -1) / pixels
    # 1/12 is a pixel's own.
    covariance = np.moveaxis(second - off[:, None] * off, 2, 0) + np.eye(2) / 12
    matrix, shift = transform[:, :2], transform[:, 2]
    long, short, angle = _ellipse(matrix @ covariance @ matrix.T)
    centre = (off + np.stack([near_x, near_y])).T @ matrix.T + shift
    eccentricity = np.sqrt(np.clip(1 - short / long, 0, 1))
    for values in (centre, eccentricity, angle):
        values[size == 0] = np.nan
    return Moments(size, centre, eccentricity, angle)


def _ellipse(
    covariance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the larger and smaller eigenvalue, and the angle of the larger one's axis, deg."""
    xx, xy, yy = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    spread = np.hypot((xx - yy) / 2, xy)
    middle = (xx + yy) / 2
    # Image rows run downwards: the sign of xy turns for an anticlockwise angle.
    angle = np.mod(np.rad2deg(np.arctan2(-2 * xy, xx - yy)) / 2, 180)
    return middle + spread, middle - spread, np.where(angle >= 180, 0.0, angle)


@compiled
def _add_up(runs: NDArray[np.intp], sums: NDArray[np.int64]) -> None:
    """Add up 1, x, y, x^2, xy and y^2 over the pixels of each shape."""
    for label, row, start, stop in runs:
        first, last = np.int64(start), np.int64(stop) - 1
        size = last - first + 1
        x = size * (first + last) // 2
        xx = _squares(last) - _squares(first - 1)
        for shape in (0, label):
            sums[shape, 0] += size
            sums[shape, 1] += x
            sums[shape, 2] += size * row
            sums[shape, 3] += xx
            sums[shape, 4] += x * row
            sums[shape, 5] += size * row * row


@compiled
def _squares(last: np.int64) -> np.int64:
    """Return 1 + 4 + 9 + ... up to the square of a number of at least -1."""
    return last * (last + 1) * (2 * last + 1) // 6
