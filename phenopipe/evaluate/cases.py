"""Pictures of what went wrong: picture, truth and prediction side by side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.evaluate.overlap import LabelMap
from phenopipe.evaluate.pair import Pair
from phenopipe.report.overlay import draw_overlay

#: Rim around the leaves, as a share of what they span, and at least so many pixels.
_RIM, _LEAST_RIM = 0.15, 8
_GAP = 6


def draw_case(pair: Pair, side: int = 320) -> NDArray[np.uint8]:
    """Draw a picture, its true leaves and its predicted leaves in a row.

    Parameters
    ----------
    pair : Pair
        What to draw; without a picture, leaves are drawn on black.
    side : int
        Longer side of each of the three, px.

    Returns
    -------
    ndarray, (h, w, 3), uint8
        The part of the picture in which there are leaves, with some rim.
    """
    shape = pair.truth.shape
    rgb = pair.picture() if pair.picture else np.zeros((*shape, 3), np.uint8)
    part = _around((pair.truth > 0) | (pair.prediction > 0))
    scale = side / max(pair.truth[part].shape)
    plain = _resize_picture(rgb[part], scale)
    drawn = [plain]
    for labels in (pair.truth, pair.prediction):
        drawn += [_gap(plain), draw_overlay(plain, _resize_labels(labels[part], scale))]
    return np.hstack(drawn)


def _around(leaves: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the window of all leaves with a rim; all of the picture if there is none."""
    if not leaves.any():
        return slice(None), slice(None)
    rows, columns = np.flatnonzero(leaves.any(1)), np.flatnonzero(leaves.any(0))
    rim = max(_LEAST_RIM, round(_RIM * max(np.ptp(rows), np.ptp(columns))))
    top, left = (max(0, int(found[0]) - rim) for found in (rows, columns))
    return slice(top, int(rows[-1]) + rim + 1), slice(left, int(columns[-1]) + rim + 1)


def _resize_picture(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = _size(rgb.shape, scale)
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), size, interpolation=smooth), np.uint8)


def _resize_labels(labels: LabelMap, scale: float) -> LabelMap:
    # Doubles hold any label exactly.
    size = _size(labels.shape, scale)
    resized = cv2.resize(labels.astype(np.float64), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized).astype(np.int64)


def _size(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _gap(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.full((len(picture), _GAP, 3), 255, np.uint8)
