"""Views: the square of a picture that the network is shown, turned, mirrored and resampled."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.predict.look import MARGIN

#: Extent of the plant over the side of the view in which pictures score a model: as the second
#: look sees it.
USUAL_EXTENT = 1 / (1 + 2 * MARGIN)
#: A pixel is averaged over at most so many samples in each direction.
MOST_SAMPLES = 16


@dataclass(frozen=True)
class View:
    """A square of a picture, which may lie askew and reach beyond it.

    Attributes
    ----------
    axes : ndarray, (2, 2), float64
        Directions of the view's x and y in the picture, as columns: a rotation, perhaps with a
        reflection.
    centre : ndarray, (2,), float64
        Its centre (x, y), px of the picture.
    side : float
        Length of its sides, px of the picture.
    """

    axes: NDArray[np.float64]
    centre: NDArray[np.float64]
    side: float

    def matrix(self, size: int) -> NDArray[np.float64]:
        """Return the affine map from the view's `size` px to the picture, (2, 3).

        Pixel centres lie at integers in both.
        """
        linear = self.axes * (self.side / size)
        middle = np.full(2, (size - 1) / 2)
        return np.column_stack([linear, self.centre - linear @ middle])

    def show(
        self,
        rgb: NDArray[np.uint8],
        labels: NDArray[np.uint16],
        size: int,
        border: int = cv2.BORDER_REPLICATE,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Resample picture and labels.

        Parameters
        ----------
        rgb : ndarray, (H, W, 3), uint8
            The picture.
        labels : ndarray, (H, W), uint16
            Its labels.
        size : int
            Side of the result, px.
        border : int
            OpenCV's word for what lies beyond the picture; there are no leaves there.

        Returns
        -------
        rgb : ndarray, (size, size, 3), uint8
            Mean over the area of each pixel.
        labels : ndarray, (size, size), uint16
            The label that fills most of each pixel, of equals the lowest.
        """
        # A little less than what is exact, so that rounding does not double the samples.
        samples = int(np.clip(np.ceil(self.side / size - 1e-3), 1, MOST_SAMPLES))
        fine = size * samples
        matrix = self.matrix(fine)
        inverse = cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(
            rgb, matrix, (fine, fine), flags=cv2.INTER_LINEAR | inverse, borderMode=border
        )
        found = cv2.warpAffine(
            labels, matrix, (fine, fine), flags=cv2.INTER_NEAREST | inverse, borderValue=0
        )
        if samples == 1:
            return np.asarray(seen, np.uint8), np.asarray(found, np.uint16)
        seen = cv2.resize(seen, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(seen, np.uint8), majority(np.asarray(found, np.uint16), samples)


def turned(angle_deg: float, *, mirrored: bool = False) -> NDArray[np.float64]:
    """Return the axes of a view turned by an angle, and mirrored before that."""
    cosine, sine = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    axes = np.array([[cosine, -sine], [sine, cosine]])
    return axes * [-1.0, 1.0] if mirrored else axes


def plant_view(
    labels: NDArray[np.uint16],
    extent: float = USUAL_EXTENT,
    axes: NDArray[np.float64] | None = None,
    shift: tuple[float, float] = (0.0, 0.0),
    min_side: float = 0.0,
) -> View:
    """Return the view around all leaves of a picture, or of the whole picture if it has none.

    Parameters
    ----------
    labels : ndarray, (H, W), uint16
        Label map, 0 is background.
    extent : float
        The plant's extent over the view's side; above 1 the view cuts it.
    axes : ndarray, (2, 2), optional
        The view's axes, by default those of the picture.
    shift : tuple of float
        How far the view's middle lies from the plant's along its axes, over its side.
    min_side : float
        Shortest side, px of the picture.
    """
    axes = np.eye(2) if axes is None else axes
    points = cv2.findNonZero(labels)
    if points is None:
        return whole_view(labels.shape, axes)
    hull = cv2.convexHull(points).reshape(-1, 2) @ axes
    low, high = hull.min(axis=0) - 0.5, hull.max(axis=0) + 0.5
    side = max(float((high - low).max()) / extent, min_side)
    return View(axes, axes @ ((low + high) / 2 + np.multiply(shift, side)), side)


def whole_view(shape: tuple[int, ...], axes: NDArray[np.float64] | None = None) -> View:
    """Return the view of a whole picture (H, W), as `phenopipe.ingest` shows it."""
    height, width = shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return View(np.eye(2) if axes is None else axes, centre, float(max(height, width)))


def majority(labels: NDArray[np.uint16], block: int) -> NDArray[np.uint16]:
    """Return the commonest label of each block of pixels, of equally common ones the lowest.

    Parameters
    ----------
    labels : ndarray, (H * block, W * block), uint16
        Label map.
    block : int
        Side of a block, px.

    Returns
    -------
    ndarray, (H, W), uint16
        Label map of one pixel a block.

    Examples
    --------
    >>> majority(np.array([[1, 1, 0, 2], [1, 3, 2, 0]], np.uint16), 2)
    array([[1, 0]], dtype=uint16)
    """
    height, width = labels.shape[0] // block, labels.shape[1] // block
    blocks = labels.reshape(height, block, width, block).swapaxes(1, 2).reshape(-1, block**2)
    result = blocks[:, 0].copy()
    mixed = np.flatnonzero((blocks != result[:, None]).any(axis=1))
    ordered = np.sort(blocks[mixed], axis=1)
    best, longest, run = ordered[:, 0].copy(), np.ones(len(mixed), int), np.ones(len(mixed), int)
    for place in range(1, block**2):
        run = np.where(ordered[:, place] == ordered[:, place - 1], run + 1, 1)
        longer = run > longest
        best[longer], longest[longer] = ordered[longer, place], run[longer]
    result[mixed] = best
    return result.reshape(height, width)
