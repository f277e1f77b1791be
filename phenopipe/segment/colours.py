"""Mean colours of labelled pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled
from phenopipe.segment.columns import COLOURS


def _linear() -> NDArray[np.float32]:
    """Return the linear light, 0..1, of each value of a channel (sRGB, IEC 61966-2-1)."""
    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


#: OpenCV's own way from sRGB to CIELAB is by a coarse table: L* is 0.09 too small in the mean, and
#: it takes longer.
LINEAR = _linear()


def mean_colours(
    runs: NDArray[np.intp], rgb: NDArray[np.uint8], size: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the mean of each of `COLOURS` over each shape.

    Parameters
    ----------
    runs : ndarray, (R, 4), int
        Runs of labels, as `phenopipe.segment.runs.find_runs` gives them.
    rgb : ndarray, (H, W, 3), uint8
        The picture, sRGB.
    size : ndarray, (count + 1,), int
        Pixels of all labels together, then of each.

    Returns
    -------
    ndarray, (7, count + 1), float
        As `size`; NaN where there is no pixel.
    """
    # As one row of a picture, which OpenCV converts five times as fast as a column.
    pixels = np.empty((1, int(size[0]), 3), np.float32)
    sums = np.zeros((len(size), len(COLOURS)))
    _add_rgb(runs, rgb, LINEAR, pixels[0], sums)
    if size[0]:
        _add_lab(runs, cv2.cvtColor(pixels, cv2.COLOR_LRGB2LAB)[0], sums)
    mean = np.full(sums.shape, np.nan)
    np.divide(sums, size[:, None], out=mean, where=size[:, None] > 0)
    return mean.T


@compiled
def _add_rgb(
    runs: NDArray[np.intp],
    rgb: NDArray[np.uint8],
    light: NDArray[np.float32],
    pixels: NDArray[np.float32],
    sums: NDArray[np.float64],
) -> None:
    """List the light of all runs' pixels, and add up their red, green, blue and greenness."""
    at = 0
    for label, row, start, stop in runs:
        red = green = blue = 0
        greenness = 0.0
        for column in range(start, stop):
            r, g, b = rgb[row, column, 0], rgb[row, column, 1], rgb[row, column, 2]
            red, green, blue = red + r, green + g, blue + b
            total = np.float64(r) + g + b
            greenness += (3.0 * g - total) / max(total, 1.0)
            pixels[at, 0], pixels[at, 1], pixels[at, 2] = light[r], light[g], light[b]
            at += 1
        for shape in (0, label):
            sums[shape, 0] += red
            sums[shape, 1] += green
            sums[shape, 2] += blue
            sums[shape, 6] += greenness


@compiled
def _add_lab(runs: NDArray[np.intp], lab: NDArray[np.float32], sums: NDArray[np.float64]) -> None:
    """Add up L*, a* and b* of the pixels that `_add_rgb` has listed."""
    at = 0
    for label, _, start, stop in runs:
        lightness = green_red = blue_yellow = 0.0
        for pixel in range(at, at + stop - start):
            lightness += lab[pixel, 0]
            green_red += lab[pixel, 1]
            blue_yellow += lab[pixel, 2]
        at += stop - start
        for shape in (0, label):
            sums[shape, 3] += lightness
            sums[shape, 4] += green_red
            sums[shape, 5] += blue_yellow
