"""Colours and shading of a leaf, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.leaf import LeafForm, Placement, half_width
from phenopipe.synth.noise import octave_noise

#: Part of a canvas: top, left, height, width, px.
Window = tuple[int, int, int, int]
Field = NDArray[np.float32]

#: Steps of the table of a leaf's half widths.
_STEPS = 64


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
    roll : float
        Loss of light towards one margin, the left one if positive: a half that turns away.
    rim : float
        Brightness of the margin itself, as of a curled one; negative is darker.
    groove : float
        Loss of light in the midrib's groove.
    pucker : float
        Shading of the bulges between side veins.
    side_veins : float
        Side veins on either side.
    gloss_at : (float, float)
        Where the reflection lies, along the blade 0..1 and across it -1..1.
    translucent : float
        How far the ground shines through the petiole, 0..1.
    stalk_round : float
        Loss of light towards the sides of the petiole.
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
    roll: float = 0.0
    rim: float = 0.0
    groove: float = 0.0
    pucker: float = 0.0
    side_veins: float = 6.0
    gloss_at: tuple[float, float] = (0.55, 0.4)
    translucent: float = 0.0
    stalk_round: float = 0.0


@dataclass(frozen=True)
class _Position:
    """Where pixels lie on a leaf.

    `along` is 0 at the stem and 1 at the tip, `blade` 0 at the blade's base, `across` -1..1 over
    the blade's greatest width, `margin` 0 at the midrib and 1 at the margin, `stalk` 1 on the
    petiole and 0 on the blade, and `wave` the side veins' phase, -1..1.
    """

    along: Field
    blade: Field
    across: Field
    margin: Field
    stalk: Field
    wave: Field


def leaf_colours(
    form: LeafForm,
    place: Placement,
    paint: LeafPaint,
    window: Window,
    rng: np.random.Generator,
) -> tuple[Field, Field]:
    """Return the colour that a leaf has, or would have, at each pixel of a window.

    Parameters
    ----------
    form, place, paint
        The leaf.
    window : tuple of int
        Part of the canvas.
    rng : numpy.random.Generator
        Where textures are cut.

    Returns
    -------
    rgb : ndarray, (H, W, 3), float32
        RGB, 0..1 or a little beyond.
    opacity : ndarray, (H, W), float32
        0..1; less than 1 on a translucent petiole.
    """
    at = _positions(form, place, paint, window)
    shade = _shade(paint, at) + _mottle(paint, place, at.blade.shape, rng)
    np.clip(shade, 0.25, 1.9, out=shade)
    rgb = shade[..., None] * np.asarray(paint.colour, np.float32)
    _mix(rgb, _vein_weight(paint, at), paint.stalk_colour, shade)
    if paint.stress > 0:
        reached = np.float32(1.0 - paint.stress)
        edge = np.clip((at.blade + 0.25 * at.across**2 - reached) / 0.3, 0.0, 1.0)
        _mix(rgb, edge, paint.stress_colour, shade)
    if paint.gloss > 0:
        first, second = paint.gloss_at
        spot = np.exp(-(((at.blade - first) / 0.22) ** 2) - ((at.across - second) / 0.3) ** 2)
        rgb += np.float32(paint.gloss) * (spot * (1.0 - at.stalk))[..., None]
    return rgb, 1.0 - np.float32(paint.translucent) * at.stalk


def _positions(form: LeafForm, place: Placement, paint: LeafPaint, window: Window) -> _Position:
    top, left, height, width = window
    x = (np.arange(left, left + width, dtype=np.float32) - place.centre[0])[None, :]
    y = (np.arange(top, top + height, dtype=np.float32) - place.centre[1])[:, None]
    cos, sin = np.float32(np.cos(place.angle)), np.float32(np.sin(place.angle))
    scale = np.float32(1.0 / place.length)
    along = (x * cos + y * sin) * scale
    side = (y * cos - x * sin) * scale - np.float32(form.bend) * along**2
    side /= 1.0 + np.float32(form.skew) * np.sign(side)
    np.clip(along, 0.0, 1.0, out=along)
    table = half_width(form, np.linspace(0.0, 1.0, _STEPS + 1)).astype(np.float32)
    here = table[(along * _STEPS).astype(np.intp)]
    blade = _clipped((along - form.petiole) / (1.0 - form.petiole), 0.0, 1.0)
    half = np.float32(0.5 * form.width * (1.0 - form.petiole))
    across = _clipped(side / half, -1.3, 1.3)
    phase = np.float32(2.0 * np.pi * paint.side_veins) * blade
    return _Position(
        along,
        blade,
        across,
        _clipped(np.abs(side) / np.maximum(here, np.float32(0.01)), 0.0, 1.3),
        _clipped((form.petiole + 0.06 - along) / 0.12, 0.0, 1.0),
        np.sin(phase - 14.0 * np.abs(across)),
    )


def _clipped(values: NDArray[np.floating[Any]], low: float, high: float) -> Field:
    return np.asarray(np.clip(values, low, high), np.float32)


def _shade(paint: LeafPaint, at: _Position) -> Field:
    """Return the brightness that the leaf's form gives it, around 1."""
    across = at.across
    shade = 1.0 + np.float32(paint.along) * (at.blade - 0.5) + np.float32(paint.across) * across
    shade += np.float32(paint.cup) * (across**2 - 0.3)
    shade += np.float32(paint.fold) * np.clip(across / 0.12, -1.0, 1.0)
    shade -= np.float32(paint.base) * np.exp(at.along * np.float32(-7.0))
    shade -= np.float32(abs(paint.roll)) * np.maximum(np.float32(np.sign(paint.roll)) * across, 0.0)
    blade = 1.0 - at.stalk
    shade -= np.float32(paint.groove) * blade * np.exp(-((across / 0.06) ** 2))
    shade += np.float32(paint.pucker) * blade * at.wave * np.abs(across)
    shade += np.float32(paint.rim) * blade * np.exp(-(((1.0 - at.margin) / 0.13) ** 2))
    shade -= np.float32(paint.stalk_round) * at.stalk * (at.margin**2 - 0.3)
    return np.asarray(shade, np.float32)


def _mottle(
    paint: LeafPaint, place: Placement, shape: tuple[int, ...], rng: np.random.Generator
) -> Field:
    """Return mottling as coarse as the leaf's size asks for."""
    size = (shape[0], shape[1])
    octave = int(np.clip(np.log2(max(place.length, 1.0) / 12.0) + 1.0, 1, 5))
    coarse = octave_noise(rng, size, octave) * np.float32(paint.texture)
    return coarse + octave_noise(rng, size, 1) * np.float32(paint.grain)


def _vein_weight(paint: LeafPaint, at: _Position) -> Field:
    """Return how far the colour goes over to that of the petiole, 0..1."""
    midrib = np.exp(-((at.across / 0.07) ** 2)) * (1.0 - 0.7 * at.blade)
    sides = np.clip(at.wave - 0.6, 0.0, 1.0)
    veins = np.float32(paint.vein) * (midrib + 0.5 * sides)
    return np.asarray(np.clip(np.maximum(at.stalk, veins), 0.0, 1.0), np.float32)


def _mix(
    rgb: Field,
    weight: Field,
    colour: tuple[float, float, float],
    shade: Field,
) -> None:
    """Move `rgb` towards a shaded colour, in place."""
    target = shade[..., None] * np.asarray(colour, np.float32)
    rgb += weight[..., None] * (target - rgb)
