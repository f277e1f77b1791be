"""Colours and shading of a leaf, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.leaf import LeafForm, Placement
from phenopipe.synth.noise import octave_noise

#: Part of a canvas: top, left, height, width, px.
Window = tuple[int, int, int, int]
Field = NDArray[np.float32]


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


def leaf_colours(
    form: LeafForm,
    place: Placement,
    paint: LeafPaint,
    window: Window,
    rng: np.random.Generator,
) -> Field:
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
    ndarray, (H, W, 3), float32
        RGB, 0..1 or a little beyond.
    """
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


def _leaf_coordinates(form: LeafForm, place: Placement, window: Window) -> tuple[Field, Field]:
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
    along: Field,
    blade: Field,
    across: Field,
) -> Field:
    """Return the brightness that the leaf's form gives it, around 1."""
    shade = 1.0 + np.float32(paint.along) * (blade - 0.5) + np.float32(paint.across) * across
    shade += np.float32(paint.cup) * (across**2 - 0.3)
    shade += np.float32(paint.fold) * np.clip(across / 0.12, -1.0, 1.0)
    shade -= np.float32(paint.base) * np.exp(along * np.float32(-7.0))
    return shade


def _mottle(
    paint: LeafPaint, place: Placement, shape: tuple[int, ...], rng: np.random.Generator
) -> Field:
    """Return mottling as coarse as the leaf's size asks for."""
    size = (shape[0], shape[1])
    octave = int(np.clip(np.log2(max(place.length, 1.0) / 12.0) + 1.0, 1, 5))
    coarse = octave_noise(rng, size, octave) * np.float32(paint.texture)
    return coarse + octave_noise(rng, size, 1) * np.float32(paint.grain)


def _vein_weight(
    form: LeafForm,
    paint: LeafPaint,
    along: Field,
    blade: Field,
    across: Field,
) -> Field:
    """Return how far the colour goes over to that of the petiole, 0..1."""
    midrib = np.exp(-((across / 0.07) ** 2)) * (1.0 - 0.7 * blade)
    sides = np.clip(np.sin(38.0 * blade - 14.0 * np.abs(across)) - 0.6, 0.0, 1.0)
    stalk = np.clip((form.petiole + 0.06 - along) / 0.12, 0.0, 1.0)
    veins = np.float32(paint.vein) * (midrib + 0.5 * sides)
    return np.asarray(np.clip(np.maximum(stalk, veins), 0.0, 1.0), np.float32)


def _mix(
    rgb: Field,
    weight: Field,
    colour: tuple[float, float, float],
    shade: Field,
) -> None:
    """Move `rgb` towards a shaded colour, in place."""
    target = shade[..., None] * np.asarray(colour, np.float32)
    rgb += weight[..., None] * (target - rgb)
