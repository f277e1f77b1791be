"""A plant: its rosette, its looks and the light on it, painted at any age."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.image import generator
from phenopipe.synth.leaf import Placement, outline
from phenopipe.synth.paint import Canvas, Shadow, paint_leaf, to_canvas
from phenopipe.synth.palette import Palette, draw_palette, paint_of
from phenopipe.synth.rosette import GrownLeaf, Rosette, grow_rosette


@dataclass(frozen=True)
class Light:
    """Where shadows fall.

    Attributes
    ----------
    direction : float
        Direction of the shadows, rad.
    height : float
        Height of a leaf above what lies below it, over its length.
    strength : float
        Loss of light in a shadow, 0..1.
    softness : float
        Blur of a shadow's edge over its offset.
    """

    direction: float
    height: float
    strength: float
    softness: float = 0.6


@dataclass(frozen=True)
class Plant:
    """Everything about a plant that stays the same while it grows.

    Attributes
    ----------
    rosette : Rosette
        Its leaves.
    palette : Palette
        Their colours.
    defocus : float
        Blur of the centre, which stands nearer to the camera, over the plant's radius.
    key : int
        Seed of each leaf's own looks.
    """

    rosette: Rosette
    palette: Palette
    defocus: float
    key: int


@dataclass(frozen=True)
class Standing:
    """A plant of one age at its place in a picture.

    Attributes
    ----------
    plant : Plant
        The plant.
    age : float
        Its age, in leaves.
    scale : float
        Length of its longest full-grown leaf, px.
    stem : (float, float)
        Where its stem stands (x, y), px.
    """

    plant: Plant
    age: float
    scale: float
    stem: tuple[float, float]

    @property
    def grown(self) -> list[GrownLeaf]:
        """Its leaves, oldest first."""
        return self.plant.rosette.at_age(self.age)


def draw_light(rng: np.random.Generator) -> Light:
    """Draw a light, from an overcast sky to a lamp at the side."""
    return Light(
        direction=rng.uniform(0.0, 2.0 * np.pi),
        height=rng.uniform(0.01, 0.07),
        strength=rng.uniform(0.12, 0.7),
        softness=rng.uniform(0.15, 0.8),
    )


def plant_of(rng: np.random.Generator, leaves: int) -> Plant:
    """Draw a plant that ever has `leaves` leaves."""
    rosette = grow_rosette(rng, leaves)
    palette = draw_palette(rng)
    return Plant(rosette, palette, rng.uniform(0.0, 0.02), int(rng.integers(2**32)))


def reach(grown: list[GrownLeaf]) -> float:
    """Return the longest leaf's present length, over the plant's longest ever."""
    return max((leaf.length for leaf in grown), default=0.0)


def bounds(plant: Plant, age: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners (x, y) of the box around a plant of scale 1 whose stem is the origin."""
    shapes = [
        to_canvas(outline(leaf.form), _placement(leaf, 1.0, (0.0, 0.0)))
        for leaf in plant.rosette.at_age(age)
    ]
    points = np.concatenate(shapes)
    return points.min(axis=0), points.max(axis=0)


def paint_plant(canvas: Canvas, standing: Standing, light: Light) -> None:
    """Paint a plant over what is there; its leaves' labels follow those on the canvas.

    Parameters
    ----------
    canvas : Canvas
        Changed in place. On an empty one a leaf's label is its index in the rosette plus 1.
    standing : Standing
        The plant, its age and its place.
    light : Light
        The light.
    """
    first = int(canvas.labels.max()) + 1
    for leaf in standing.grown:
        _paint_grown(canvas, standing, leaf, first + leaf.index, light)
    radius = standing.scale * reach(standing.grown)
    _defocus(canvas.rgb, standing.stem, radius, standing.plant.defocus)


def _paint_grown(
    canvas: Canvas, standing: Standing, leaf: GrownLeaf, number: int, light: Light
) -> None:
    plant, scale = standing.plant, standing.scale
    rng = generator((plant.key, leaf.index))
    far = light.height * scale * (0.4 * leaf.length + 0.3 * (1.0 - leaf.maturity) + 0.2)
    offset = (far * np.cos(light.direction), far * np.sin(light.direction))
    shadow = Shadow(offset, 0.5 + light.softness * far, light.strength)
    place = _placement(leaf, scale, standing.stem)
    paint = paint_of(rng, plant.palette, leaf.maturity)
    paint_leaf(canvas, number, leaf.form, place, paint, shadow, rng)


def _placement(leaf: GrownLeaf, scale: float, centre: tuple[float, float]) -> Placement:
    # Young leaves lean over the stem and hide where the petioles meet.
    back = 0.16 * (1.0 - leaf.maturity) * leaf.length * scale
    x, y = centre[0] - back * np.cos(leaf.angle), centre[1] - back * np.sin(leaf.angle)
    return Placement((float(x), float(y)), leaf.angle, leaf.length * scale)


def _defocus(
    rgb: NDArray[np.float32], centre: tuple[float, float], radius: float, strength: float
) -> None:
    """Blur the crowded centre of a plant, in place."""
    sigma = radius * strength
    if sigma < 0.4:
        return
    axis = np.arange(rgb.shape[0], dtype=np.float32)
    far = np.hypot(axis[None, :] - centre[0], axis[:, None] - centre[1]) / (0.3 * radius)
    weight = np.exp(-(far**2)).astype(np.float32)[..., None]
    rgb += weight * (cv2.GaussianBlur(rgb, (0, 0), sigma) - rgb)
