"""One leaf: its form, its outline and its own coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LeafForm:
    """Form of a leaf as fractions of its own length, so that it stays while the leaf grows.

    Attributes
    ----------
    petiole : float
        Petiole's share of the whole length, 0..1.
    width : float
        Greatest width of the blade over its length.
    base, tip : float
        How the blade narrows to its base and tip: 0.3 is blunt, 0.5 round, 1 pointed.
    stalk : float
        Petiole's width over the whole length.
    bend : float
        Sideways offset of the tip over the length: the midrib is a parabola.
    teeth, teeth_depth : float
        Teeth on either side, and their depth over the half width.
    lobes, lobes_depth : float
        Lobes on either side, and their depth over the half width.
    notch : float
        Depth of the notch at the tip over the blade's length (cotyledons of Brassica).
    phase : float
        Where teeth and lobes begin, rad.
    skew : float
        How much wider the left half of the blade is than the right one.
    wobble : float
        Unevenness of the margin over the half width.
    """

    petiole: float
    width: float
    base: float
    tip: float
    stalk: float
    bend: float
    teeth: float = 0.0
    teeth_depth: float = 0.0
    lobes: float = 3.5
    lobes_depth: float = 0.0
    notch: float = 0.0
    phase: float = 0.0
    skew: float = 0.0
    wobble: float = 0.0


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


def half_width(form: LeafForm, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smooth half width of a leaf of length 1, blade and petiole.

    Parameters
    ----------
    form : LeafForm
        The leaf's form.
    along : ndarray
        Positions along the midrib, 0 at the stem and 1 at the tip.

    Returns
    -------
    ndarray
        Half widths in the same unit.
    """
    share = np.clip((along - form.petiole) / (1.0 - form.petiole), 0.0, 1.0)
    widest = form.base / (form.base + form.tip)
    peak = widest**form.base * (1.0 - widest) ** form.tip
    blade = share**form.base * (1.0 - share) ** form.tip / peak
    blade *= 0.5 * form.width * (1.0 - form.petiole)
    stalk = np.where(along < 0.5 * (1.0 + form.petiole), 0.5 * form.stalk, 0.0)
    width: NDArray[np.float64] = np.maximum(blade, stalk)
    return width


def outline(form: LeafForm, points: int = 36) -> NDArray[np.float64]:
    """Return the outline of a leaf of length 1 that points along x.

    Parameters
    ----------
    form : LeafForm
        The leaf's form.
    points : int
        Points on either side.

    Returns
    -------
    ndarray, (2 * points, 2), float64
        Closed polygon (x, y), the stem at the origin.
    """
    along = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0.0, 1.0, points))
    half = half_width(form, along)
    sides = []
    for sign in (1.0, -1.0):
        side = sign * half * (1.0 + sign * form.skew) * (1.0 - _margin(form, along, sign))
        sides.append(np.stack([along - _notch(form, along, side), side], axis=1))
    polygon = np.concatenate([sides[0], sides[1][::-1]])
    polygon[:, 1] += form.bend * polygon[:, 0] ** 2
    return polygon


def _margin(form: LeafForm, along: NDArray[np.float64], sign: float) -> NDArray[np.float64]:
    """Return how much of the half width teeth, lobes and unevenness take away."""
    share = np.clip((along - form.petiole) / (1.0 - form.petiole), 0.0, 1.0)
    turn = (form.teeth * share + form.phase * (1.0 + 0.2 * sign)) % 1.0
    teeth = form.teeth_depth * turn * (share > 0.12)
    wave = 0.5 + 0.5 * np.cos(2.0 * np.pi * form.lobes * share + form.phase + sign)
    uneven = form.wobble * np.sin(2.0 * np.pi * 1.6 * share + 2.0 * form.phase * sign)
    margin: NDArray[np.float64] = teeth + (form.lobes_depth * wave + uneven) * np.sin(np.pi * share)
    return margin


def _notch(
    form: LeafForm, along: NDArray[np.float64], side: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far the outline is drawn back near the middle of the tip."""
    reach = 0.25 * form.width * (1.0 - form.petiole) + 1e-9
    near_tip = np.clip((along - 0.7) / 0.3, 0.0, 1.0)
    depth = form.notch * (1.0 - form.petiole)
    drawn_back: NDArray[np.float64] = depth * near_tip * np.exp(-((side / reach) ** 2))
    return drawn_back
