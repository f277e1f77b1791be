"""Colours of leaves: what a plant's leaves share, and how each of them differs."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from phenopipe.synth.shading import LeafPaint

RGB = tuple[float, float, float]
YELLOW: RGB = (0.72, 0.66, 0.20)
PURPLE: RGB = (0.42, 0.27, 0.33)
PALE: RGB = (0.78, 0.78, 0.66)
BROWN: RGB = (0.45, 0.34, 0.18)
STRESS = (YELLOW, PURPLE, PALE, BROWN)


@dataclass(frozen=True)
class Palette:
    """How the leaves of one plant look.

    Attributes
    ----------
    hue, saturation, value : float
        Colour of a full-grown leaf (HSV, hue in turns).
    stalk_pale, stalk_purple : float
        How far petioles and veins go over to pale and to purple, 0..1.
    young_pale, young_dark : float
        How far the youngest leaves go over to grey, and how much darker they are, 0..1.
    spread : float
        How much leaves differ in brightness.
    relief : float
        Strength of shading within a leaf.
    texture, grain, vein, gloss, rim, groove, pucker, side_veins, translucent : float
        As in `LeafPaint`.
    stress_share, stress_colour
        Share of stressed leaves, and the colour they take.
    """

    hue: float
    saturation: float
    value: float
    stalk_pale: float
    stalk_purple: float
    young_pale: float
    young_dark: float
    spread: float
    relief: float
    texture: float
    grain: float
    vein: float
    gloss: float
    rim: float
    groove: float
    pucker: float
    side_veins: float
    translucent: float
    stress_share: float
    stress_colour: RGB


def draw_palette(rng: np.random.Generator) -> Palette:
    """Draw the looks of a plant, from yellow green to dark green, seldom purple."""
    stressed = rng.random() < 0.18
    return Palette(
        hue=_hue(rng),
        saturation=rng.uniform(0.38, 0.92) if rng.random() < 0.9 else rng.uniform(0.2, 0.38),
        value=rng.uniform(0.36, 0.76),
        stalk_pale=rng.uniform(0.1, 0.7),
        stalk_purple=rng.uniform(0.0, 0.5) if rng.random() < 0.2 else 0.0,
        young_pale=rng.uniform(0.0, 0.6),
        young_dark=rng.uniform(0.0, 0.35) if rng.random() < 0.5 else 0.0,
        spread=rng.uniform(0.02, 0.11) if rng.random() < 0.75 else rng.uniform(0.0, 0.02),
        relief=rng.uniform(0.4, 1.5) if rng.random() < 0.75 else rng.uniform(1.5, 2.6),
        texture=rng.uniform(0.01, 0.06) if rng.random() < 0.7 else rng.uniform(0.06, 0.12),
        grain=rng.uniform(0.0, 0.08),
        vein=rng.uniform(0.0, 0.7),
        gloss=rng.uniform(0.05, 0.35) if rng.random() < 0.35 else 0.0,
        rim=rng.normal(0.0, 0.12),
        groove=rng.uniform(0.0, 0.3) if rng.random() < 0.4 else 0.0,
        pucker=rng.uniform(0.0, 0.12) if rng.random() < 0.4 else 0.0,
        side_veins=rng.uniform(3.5, 8.0),
        translucent=rng.uniform(0.0, 0.45),
        stress_share=rng.uniform(0.1, 0.6) if stressed else 0.0,
        stress_colour=STRESS[rng.choice(len(STRESS), p=[0.5, 0.25, 0.15, 0.1])],
    )


def _hue(rng: np.random.Generator) -> float:
    """Draw a hue: mostly that of green leaves in daylight, at times yellow as under lamps."""
    if rng.random() < 0.15:
        return rng.uniform(0.135, 0.18)
    return float(np.clip(rng.normal(0.225, 0.032), 0.15, 0.36))


def paint_of(rng: np.random.Generator, palette: Palette, maturity: float) -> LeafPaint:
    """Draw how one leaf looks.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    palette : Palette
        The plant's looks.
    maturity : float
        The leaf's share of its full size, 0..1.

    Returns
    -------
    LeafPaint
        Colours and shading.
    """
    colour = _leaf_colour(rng, palette, maturity)
    pale = _blend(colour, (0.72, 0.78, 0.52), palette.stalk_pale)
    relief = palette.relief
    folded = rng.random() < 0.2
    return LeafPaint(
        colour=colour,
        stalk_colour=_blend(pale, PURPLE, palette.stalk_purple),
        stress_colour=palette.stress_colour,
        along=relief * rng.normal(0.08, 0.14),
        across=relief * rng.normal(0.0, 0.08),
        cup=relief * rng.normal(0.0, 0.10),
        fold=relief * rng.normal(0.0, 0.13 if folded else 0.05),
        base=relief * rng.uniform(0.0, 0.3),
        texture=palette.texture,
        grain=palette.grain,
        vein=palette.vein * rng.uniform(0.3, 1.0),
        gloss=palette.gloss * rng.uniform(0.0, 1.0),
        stress=rng.uniform(0.1, 1.1) if rng.random() < palette.stress_share else 0.0,
        roll=relief * rng.normal(0.0, 0.25 if folded else 0.08),
        rim=palette.rim * rng.uniform(0.3, 1.3),
        groove=palette.groove * rng.uniform(0.2, 1.0),
        pucker=palette.pucker * rng.uniform(0.3, 1.0),
        side_veins=palette.side_veins,
        gloss_at=(rng.uniform(0.25, 0.8), rng.normal(0.0, 0.4)),
        translucent=palette.translucent,
        stalk_round=rng.uniform(0.0, 0.3),
    )


def _leaf_colour(rng: np.random.Generator, palette: Palette, maturity: float) -> RGB:
    youth = max(0.0, 1.0 - 1.6 * maturity)
    young = palette.young_pale * youth
    light = (1.0 + rng.normal(0.0, palette.spread)) * (1.0 + 0.15 * young)
    value = palette.value * light * (1.0 - palette.young_dark * youth)
    return colorsys.hsv_to_rgb(
        palette.hue + rng.normal(0.0, 0.008),
        float(np.clip(palette.saturation * (1.0 - 0.6 * young) + rng.normal(0, 0.03), 0.15, 0.95)),
        float(np.clip(value, 0.12, 0.95)),
    )


def _blend(first: RGB, second: RGB, share: float) -> RGB:
    mixed = (1.0 - share) * np.asarray(first) + share * np.asarray(second)
    return float(mixed[0]), float(mixed[1]), float(mixed[2])
