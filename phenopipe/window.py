"""Windows: the square part of a crop that a prediction covers, enlarged or reduced to its size.

The network looks twice: at the whole crop, to find the plant, then at a window around it. So a
seedling of a few pixels and a full-grown rosette reach the network at about the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Half-open box: left, top, right, bottom, px.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Window:
    """A square of whole pixels inside a crop.

    Attributes
    ----------
    left, top : int
        First column and row, px of the crop.
    side : int
        Length of its sides, px of the crop.
    """

    left: int
    top: int
    side: int

    @classmethod
    def whole(cls, crop_size: int) -> Window:
        """Return the window that is the whole crop."""
        return cls(0, 0, crop_size)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the crop that it covers."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)

    def fits(self, crop_size: int) -> bool:
        """Tell whether it is a square of at least one pixel inside a crop of this side, px."""
        last = max(self.left, self.top) + self.side
        return self.side > 0 and min(self.left, self.top) >= 0 and last <= crop_size

    def resample(self, rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """Cut the window from a crop and resample it, without aliasing.

        Parameters
        ----------
        rgb : ndarray, (S, S, 3), uint8
            The crop.
        size : int
            Side of the result, px.

        Returns
        -------
        ndarray, (size, size, 3), uint8
            The window.
        """
        part = rgb[self.slices]
        if size == self.side:
            return np.ascontiguousarray(part)
        method = cv2.INTER_AREA if size < self.side else cv2.INTER_LINEAR
        resampled: NDArray[np.uint8] = np.asarray(
            cv2.resize(part, (size, size), interpolation=method), np.uint8
        )
        return resampled

    def to_crop(self, size: int) -> NDArray[np.float64]:
        """Return the affine map from the window's `size` px to the crop, (2, 3).

        Pixel centres lie at integers in both.
        """
        scale = self.side / size
        shift = (scale - 1) / 2
        return np.array([[scale, 0.0, self.left + shift], [0.0, scale, self.top + shift]])

    def compose(self, transform: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Return the affine map from the window's `size` px to where `transform` maps the crop."""
        lifted = np.vstack([self.to_crop(size), [0.0, 0.0, 1.0]])
        composed: NDArray[np.float64] = transform @ lifted
        return composed

    def clip(self, box: Box, size: int) -> Box:
        """Return a box of the crop in px of the window, as far as it lies inside.

        A pixel of the window counts if its centre lies in the box; of a box between two centres
        the pixel that it lies in is kept.
        """
        left, right = self._span(box[0] - self.left, box[2] - self.left, size)
        top, bottom = self._span(box[1] - self.top, box[3] - self.top, size)
        return left, top, right, bottom

    def _span(self, first: int, last: int, size: int) -> tuple[int, int]:
        # In whole numbers: centre i lies at (2 i + 1) side / (2 size).
        start, stop = (
            min(max(-((self.side - 2 * edge * size) // (2 * self.side)), 0), size)
            for edge in (first, last)
        )
        if start == stop and max(first, 0) < min(last, self.side):
            start = max(first, 0) * size // self.side
            stop = start + 1
        return start, stop
