"""Cut a pot out of an image and resample it to the model's size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.ingest.pots import PotBox


@dataclass(frozen=True)
class Crop:
    """One pot as the model sees it.

    Attributes
    ----------
    rgb : ndarray, (S, S, 3), uint8
        Pixels; beyond `valid` the picture's edge is repeated.
    transform : ndarray, (2, 3), float64
        Affine map from crop to image, ``image = transform @ (x, y, 1)``, between centres of
        pixels with the top left one at (0, 0).
    valid : tuple of int
        Half-open box (left, top, right, bottom) of the real picture, px of the crop.
    """

    rgb: NDArray[np.uint8]
    transform: NDArray[np.float64]
    valid: tuple[int, int, int, int]

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The real picture, without padding; a view of `rgb`."""
        left, top, right, bottom = self.valid
        return self.rgb[top:bottom, left:right]


def cut_crop(rgb: NDArray[np.uint8], box: PotBox, crop_size: int) -> Crop:
    """Cut a box out of an image, keep its aspect, and centre it in a square.

    Shrinking averages over areas and enlarging interpolates linearly, so that areas measured in
    the crop times ``abs(det(transform[:, :2]))`` are areas in the image.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The image.
    box : PotBox
        What to cut, at least one pixel.
    crop_size : int
        Side S of the crop, px.

    Returns
    -------
    Crop
        Pixels, transform and the box of the real picture.

    Examples
    --------
    >>> crop = cut_crop(np.zeros((4, 8, 3), np.uint8), PotBox("1", 0, 0, 8, 4), 4)
    >>> crop.valid
    (0, 1, 4, 3)
    >>> crop.transform @ (0, 1, 1)
    array([0.5, 0.5])
    """
    part = rgb[box.top : box.bottom, box.left : box.right]
    width, height = _fit(box.width, box.height, crop_size)
    shrinks = width < box.width or height < box.height
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(part, (width, height), interpolation=interpolation)
    left, top = (crop_size - width) // 2, (crop_size - height) // 2
    right, bottom = left + width, top + height
    padding = (top, crop_size - bottom, left, crop_size - right)
    padded = cv2.copyMakeBorder(small, *padding, cv2.BORDER_REPLICATE)
    valid = (left, top, right, bottom)
    return Crop(padded.astype(np.uint8, copy=False), _transform(box, valid), valid)


def _fit(width: int, height: int, size: int) -> tuple[int, int]:
    """Return the largest size of the same aspect within a square, at least one pixel."""
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _transform(box: PotBox, valid: tuple[int, int, int, int]) -> NDArray[np.float64]:
    left, top, right, bottom = valid
    x, y = box.width / (right - left), box.height / (bottom - top)
    # Edges map onto edges, and a pixel's centre lies half a pixel inside its edge.
    shift_x = (0.5 - left) * x - 0.5 + box.left
    shift_y = (0.5 - top) * y - 0.5 + box.top
    return np.array([[x, 0.0, shift_x], [0.0, y, shift_y]])
