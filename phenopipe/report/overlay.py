"""A picture with its leaves drawn in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

#: Share of a leaf's colour inside its contour: enough to tell leaves apart, not to hide them.
_TINT = 0.15
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_JPEG_QUALITY = 85


def draw_overlay(
    rgb: NDArray[np.uint8], labels: NDArray[np.integer[Any]], *, numbers: bool = True
) -> NDArray[np.uint8]:
    """Draw every leaf's contour and number over a picture.

    Contours lie inside their leaves, so that touching leaves keep two colours, and are one pixel
    wide for every 600 pixels of the picture's longer side (at least one), so that a small plant
    stays visible. A leaf too small to hold its number has none.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The picture.
    labels : ndarray, (H, W), integer
        Label map, 0 is background.
    numbers : bool
        Whether to write each leaf's label into it.

    Returns
    -------
    ndarray, (H, W, 3), uint8
        A new picture; background pixels are those of `rgb`.

    Raises
    ------
    ValueError
        If picture and labels differ in size.
    """
    if rgb.shape[:2] != labels.shape:
        raise ValueError(f"the picture is {rgb.shape[:2]}, its labels are {labels.shape}")
    drawn = rgb.copy()
    width = max(1, round(max(labels.shape) / 600))
    leaves = list(_leaves(labels))
    for leaf in leaves:
        _draw_leaf(drawn[leaf.window], leaf, width)
    if numbers:
        for leaf in leaves:
            _write_number(drawn, leaf)
    return drawn


@dataclass(frozen=True)
class _Leaf:
    """A leaf of a label map: its label, where it lies, and which pixels there are its own."""

    label: int
    window: tuple[slice, slice]
    mask: NDArray[np.uint8]


def _leaves(labels: NDArray[np.integer[Any]]) -> Iterator[_Leaf]:
    """Yield the leaves in the order of their labels, each in a window: large pictures are many."""
    found = np.unique(labels)
    found = found[found > 0]
    places = np.searchsorted(found, labels, side="right").astype(np.int32)
    for place, (label, window) in enumerate(zip(found, find_objects(places), strict=True), start=1):
        yield _Leaf(int(label), window, (places[window] == place).astype(np.uint8))


def _draw_leaf(drawn: NDArray[np.uint8], leaf: _Leaf, width: int) -> None:
    """Tint a leaf, and colour what of it is within `width` of another or of the border."""
    colour = leaf_colours(np.array([leaf.label]))
    inside = leaf.mask > 0
    tint = np.broadcast_to(colour, (*leaf.mask.shape, 3))
    mixed = cv2.addWeighted(drawn, 1 - _TINT, tint, _TINT, 0.0)
    drawn[inside] = mixed[inside]
    kernel = np.ones((2 * width + 1,) * 2, np.uint8)
    core = cv2.erode(leaf.mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    drawn[inside & (core == 0)] = colour


def jpeg_uri(rgb: NDArray[np.uint8]) -> str:
    """Return a picture as the data URI of a JPEG."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode('ascii')}"


def leaf_colours(labels: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Return a colour for each label, always the same: vivid, none of them leaf green.

    Parameters
    ----------
    labels : ndarray, (n,), integer
        Labels.

    Returns
    -------
    ndarray, (n, 3), uint8
        RGB. Following labels are far apart in hue.
    """
    turn = (np.asarray(labels, np.float64) * 0.6180339887) % 1
    hue = (165 + turn * 255) % 360
    value = np.where(np.asarray(labels) % 2, 255, 225)
    hsv = np.stack([hue / 2, np.full_like(hue, 235), value], axis=-1)
    rgb = cv2.cvtColor(np.rint(hsv).astype(np.uint8)[:, None], cv2.COLOR_HSV2RGB)
    return np.asarray(rgb[:, 0], np.uint8)


def _write_number(drawn: NDArray[np.uint8], leaf: _Leaf) -> None:
    """Write a leaf's label at its centre, white on a dark rim, if it fits."""
    scale = max(0.35, max(drawn.shape[:2]) / 1200)
    thin = max(1, round(scale))
    text = str(leaf.label)
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, thin)
    rows, columns = np.nonzero(leaf.mask)
    if len(rows) < 3 * width * height:
        return
    x, y = columns.mean() + leaf.window[1].start, rows.mean() + leaf.window[0].start
    corner = (round(x - width / 2), round(y + height / 2))
    for colour, line in (((20, 20, 20), 3 * thin), ((255, 255, 255), thin)):
        cv2.putText(drawn, text, corner, _FONT, scale, colour, line, cv2.LINE_AA)
