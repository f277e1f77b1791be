"""Paint leaves on a canvas, back to front, with the labels of what stays visible."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.leaf import LeafForm, outline
from phenopipe.synth.noise import octave_noise

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
class Placement:
    """Where a leaf lies on the canvas.

    Attributes
    ----------
    centre : (float, float)
        The stem (x, y), px.
    angle : float
        Direction of the leaf, rad.
    length : float
        From stem to tip, px.
    """

    centre: tuple[float, float]
    angle: float
    length: float


@dataclass(frozen=True)
class LeafPaint:
    """Colours and shading of a leaf; shades are shares of the colour's brightness.

    Attributes
    ----------
    colour, stalk_colour, stress_colour : tuple of float
        RGB 0..1 of the blade, of petiole and veins, and of stressed tissue.
    along, across, cup, fold, base : float
        Shading from base to tip, from side to side, at the margins, between the halves on either
        side of the midrib, and towards the crowded stem.
    texture, grain : float
        Strength of coarse and of fine mottling.
    vein : float
        Strength of midrib and side veins.
    gloss : float
        Strength of the light's reflection.
    stress : float
        How far stress has crept from the tip, 0..1.
    """

    colour: tuple[float, float, float]
    stalk_colour: tuple[float, float, float]
    stress_colour: tuple[float, float, float]
    along: float
    across: float
    cup: float
    fold: float
    base: float
    texture: float
    grain: float
    vein: float
    gloss: float
    stress: float


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
    polygon = _to_canvas(outline(form), place)
    margin = 3.0 * shadow.blur + max(map(abs, shadow.offset)) + 2.0
    window = _window(polygon, margin, canvas.labels.shape[0])
    if window is None:
        return
    top, left, height, width = window
    rows, cols = slice(top, top + height), slice(left, left + width)
    cover = _coverage(polygon, window)
    rgb = canvas.rgb[rows, cols]
    rgb *= (1.0 - shadow.strength * _shadow(cover, shadow))[..., None]
    colour = _colours(form, place, paint, window, rng)
    rgb += cover[..., None] * (colour - rgb)
    canvas.labels[rows, cols][cover > 0.5] = number


def _to_canvas(points: NDArray[np.float64], place: Placement) -> NDArray[np.float64]:
    """Turn, scale and move the points of a leaf of length 1 onto the canvas."""
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    return place.length * points @ turn + np.asarray(place.centre)


def _window(
    polygon: NDArray[np.float64], margin: float, side: int
) -> tuple[int, int, int, int] | None:
    """Return (top, left, height, width) of the polygon with a margin, cut to the canvas."""
    low = np.clip(np.floor(polygon.min(axis=0) - margin), 0, side).astype(int)
    high = np.clip(np.ceil(polygon.max(axis=0) + margin) + 1, 0, side).astype(int)
    if (high <= low).any():
        return None
    return int(low[1]), int(low[0]), int(high[1] - low[1]), int(high[0] - low[0])


def _coverage(
    polygon: NDArray[np.float64], window: tuple[int, int, int, int]
) -> NDArray[np.float32]:
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


def _colours(
    form: LeafForm,
    place: Placement,
    paint: LeafPaint,
    window: tuple[int, int, int, int],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the leaf's colour at each pixel of the window, (H, W, 3)."""
    along, across = _leaf_coordinates(form, place, window)
    blade = np.clip((along - form.petiole) / (1.0 - form.petiole), 0.0, 1.0)
    shade = _shade(paint, along, blade, across) + _mottle(paint, place, blade.shape, rng)
    rgb = shade[..., None] * np.asarray(paint.colour, np.float32)
    _mix(rgb, _vein_weight(form, paint, along, blade, across), paint.stalk_colour, shade)
    if paint.stress > 0:
        edge = np.clip((blade + 0.25 * across**2 - 1.0 + paint.stress) / 0.3, 0.0, 1.0)
        _mix(rgb, edge, paint.stress_colour, shade)
    if paint.gloss > 0:
        spot = np.exp(-(((blade - 0.55) / 0.3) ** 2) - ((across - 0.4) / 0.35) ** 2)
        rgb += np.float32(paint.gloss) * spot[..., None]
    return rgb


def _leaf_coordinates(
    form: LeafForm, place: Placement, window: tuple[int, int, int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each pixel's position along the leaf, 0..1, and across it, -1..1."""
    top, left, height, width = window
    x = (np.arange(left, left + width, dtype=np.float32) - place.centre[0])[None, :]
    y = (np.arange(top, top + height, dtype=np.float32) - place.centre[1])[:, None]
    cos, sin = np.float32(np.cos(place.angle)), np.float32(np.sin(place.angle))
    scale = np.float32(1.0 / place.length)
    along = (x * cos + y * sin) * scale
    side = (y * cos - x * sin) * scale - np.float32(form.bend) * along**2
    half = 0.5 * form.width * (1.0 - form.petiole)
    return np.clip(along, 0.0, 1.0), np.clip(side / np.float32(half), -1.3, 1.3)


def _shade(
    paint: LeafPaint,
    along: NDArray[np.float32],
    blade: NDArray[np.float32],
    across: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the brightness that the leaf's form gives it, around 1."""
    shade = 1.0 + np.float32(paint.along) * (blade - 0.5) + np.float32(paint.across) * across
    shade += np.float32(paint.cup) * (across**2 - 0.3)
    shade += np.float32(paint.fold) * np.clip(across / 0.12, -1.0, 1.0)
    shade -= np.float32(paint.base) * np.exp(along * np.float32(-7.0))
    return shade


def _mottle(
    paint: LeafPaint, place: Placement, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return mottling as coarse as the leaf's size asks for."""
    size = (shape[0], shape[1])
    octave = int(np.clip(np.log2(max(place.length, 1.0) / 12.0) + 1.0, 1, 5))
    coarse = octave_noise(rng, size, octave) * np.float32(paint.texture)
    return coarse + octave_noise(rng, size, 1) * np.float32(paint.grain)


def _vein_weight(
    form: LeafForm,
    paint: LeafPaint,
    along: NDArray[np.float32],
    blade: NDArray[np.float32],
    across: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return how far the colour goes over to that of the petiole, 0..1."""
    midrib = np.exp(-((across / 0.07) ** 2)) * (1.0 - 0.7 * blade)
    sides = np.clip(np.sin(38.0 * blade - 14.0 * np.abs(across)) - 0.6, 0.0, 1.0)
    stalk = np.clip((form.petiole + 0.06 - along) / 0.12, 0.0, 1.0)
    veins = np.float32(paint.vein) * (midrib + 0.5 * sides)
    return np.clip(np.maximum(stalk, veins), 0.0, 1.0)


def _mix(
    rgb: NDArray[np.float32],
    weight: NDArray[np.float32],
    colour: tuple[float, float, float],
    shade: NDArray[np.float32],
) -> None:
    """Move `rgb` towards a shaded colour, in place."""
    target = shade[..., None] * np.asarray(colour, np.float32)
    rgb += weight[..., None] * (target - rgb)
