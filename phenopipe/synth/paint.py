"""Paint leaves on a canvas, back to front, with the labels of what stays visible."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.leaf import LeafForm, Placement, outline
from phenopipe.synth.shading import LeafPaint, Window, leaf_colours

#: Outlines are filled at this many times the canvas's resolution, then averaged.
OVERSAMPLE = 4
#: Outlines are handed to OpenCV in fixed point with this many binary digits.
_SHIFT = 4


@dataclass
class Canvas:
    """A picture in the making.

    Attributes
    ----------
    rgb : ndarray, (S, S, 3), float32
        The picture, 0..1.
    labels : ndarray, (S, S), uint16
        Leaf of each pixel.
    """

    rgb: NDArray[np.float32]
    labels: NDArray[np.uint16] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = np.zeros(self.rgb.shape[:2], np.uint16)


@dataclass(frozen=True)
class Shadow:
    """The shadow of a leaf on what lies below it: offset and blur in px, strength 0..1."""

    offset: tuple[float, float]
    blur: float
    strength: float


def paint_leaf(
    canvas: Canvas,
    number: int,
    form: LeafForm,
    place: Placement,
    paint: LeafPaint,
    shadow: Shadow,
    rng: np.random.Generator,
) -> None:
    """Paint one leaf over all that is there; a leaf beyond the canvas changes nothing.

    Parameters
    ----------
    canvas : Canvas
        Changed in place.
    number : int
        The leaf's label.
    form, place, paint, shadow
        The leaf.
    rng : numpy.random.Generator
        Where textures are cut.
    """
    polygon = to_canvas(outline(form), place)
    margin = 3.0 * shadow.blur + max(map(abs, shadow.offset)) + 2.0
    window = _window(polygon, margin, canvas.labels.shape[0])
    if window is None:
        return
    top, left, height, width = window
    rows, cols = slice(top, top + height), slice(left, left + width)
    cover = _coverage(polygon, window)
    rgb = canvas.rgb[rows, cols]
    rgb *= (1.0 - shadow.strength * _shadow(cover, shadow))[..., None]
    colours, opacity = leaf_colours(form, place, paint, window, rng)
    rgb += (cover * opacity)[..., None] * (colours - rgb)
    canvas.labels[rows, cols][cover > 0.5] = number


def to_canvas(points: NDArray[np.float64], place: Placement) -> NDArray[np.float64]:
    """Turn, scale and move the points of a leaf of length 1 onto the canvas."""
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    moved: NDArray[np.float64] = place.length * points @ turn + np.asarray(place.centre)
    return moved


def _window(polygon: NDArray[np.float64], margin: float, side: int) -> Window | None:
    """Return (top, left, height, width) of the polygon with a margin, cut to the canvas."""
    low = np.clip(np.floor(polygon.min(axis=0) - margin), 0, side).astype(int)
    high = np.clip(np.ceil(polygon.max(axis=0) + margin) + 1, 0, side).astype(int)
    if (high <= low).any():
        return None
    return int(low[1]), int(low[0]), int(high[1] - low[1]), int(high[0] - low[0])


def _coverage(polygon: NDArray[np.float64], window: Window) -> NDArray[np.float32]:
    """Return which share of each pixel of the window the polygon covers, 0..1."""
    top, left, height, width = window
    fine = np.zeros((height * OVERSAMPLE, width * OVERSAMPLE), np.uint8)
    local = (polygon - [left, top] + 0.5) * OVERSAMPLE - 0.5
    fixed = np.rint(local * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(fine, [fixed], 255, shift=_SHIFT)
    coarse = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return coarse.astype(np.float32) / np.float32(255.0)


def _shadow(cover: NDArray[np.float32], shadow: Shadow) -> NDArray[np.float32]:
    """Return the leaf's cover, moved and blurred."""
    blurred = cv2.GaussianBlur(cover, (0, 0), max(shadow.blur, 0.3))
    move = np.array([[1, 0, shadow.offset[0]], [0, 1, shadow.offset[1]]], np.float32)
    moved = cv2.warpAffine(blurred, move, cover.shape[::-1])
    return np.asarray(moved, np.float32)
