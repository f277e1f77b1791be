"""A picture with its leaves drawn in."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

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
    found, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    colours = leaf_colours(found)[index]
    inside = (labels > 0)[..., None]
    drawn = np.where(inside, cv2.addWeighted(rgb, 1 - _TINT, colours, _TINT, 0.0), rgb)
    width = max(1, round(max(labels.shape) / 600))
    edge = _inner_edge(index, width)[..., None] & inside
    drawn = np.ascontiguousarray(np.where(edge, colours, drawn))
    if numbers:
        _write_numbers(drawn, found, index)
    return drawn


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


def _inner_edge(index: NDArray[np.intp], width: int) -> NDArray[np.bool_]:
    """Return the pixels within `width` of another label or of the picture's border."""
    kernel = np.ones((2 * width + 1,) * 2, np.uint8)
    # Doubles hold any label exactly; -1 is a label that no pixel has.
    padded = np.pad(index.astype(np.float64), width, constant_values=-1)
    edge = cv2.dilate(padded, kernel) != cv2.erode(padded, kernel)
    return np.asarray(edge[width:-width, width:-width], np.bool_)


def _write_numbers(
    drawn: NDArray[np.uint8], found: NDArray[np.integer[Any]], index: NDArray[np.intp]
) -> None:
    """Write each label at its leaf's centre, white on a dark rim, where it fits."""
    rows, columns = np.divmod(np.arange(index.size), index.shape[1])
    area = np.bincount(index.ravel())
    x = np.bincount(index.ravel(), columns) / area
    y = np.bincount(index.ravel(), rows) / area
    scale = max(0.35, max(index.shape) / 1200)
    thin = max(1, round(scale))
    for at in np.flatnonzero(found > 0).tolist():
        text = str(found[at])
        (width, height), _ = cv2.getTextSize(text, _FONT, scale, thin)
        if area[at] < 3 * width * height:
            continue
        corner = (round(x[at] - width / 2), round(y[at] + height / 2))
        for colour, line in (((20, 20, 20), 3 * thin), ((255, 255, 255), thin)):
            cv2.putText(drawn, text, corner, _FONT, scale, colour, line, cv2.LINE_AA)
