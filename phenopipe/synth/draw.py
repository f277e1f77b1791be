"""Draw one training picture: a background, a rosette or none, and the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import PlantSettings
from phenopipe.synth.background import draw_background
from phenopipe.synth.camera import draw_camera, expose
from phenopipe.synth.image import Seed, SyntheticImage, generator
from phenopipe.synth.labels import tidy_labels
from phenopipe.synth.paint import Canvas, Placement, Shadow, paint_leaf
from phenopipe.synth.palette import draw_palette, paint_of
from phenopipe.synth.rosette import Rosette, grow_rosette


def draw_plant(seed: Seed, settings: PlantSettings, size: int) -> SyntheticImage:
    """Draw a plant in its pot as a camera sees it from above, with exact leaf labels.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same picture, in every process.
    settings : PlantSettings
        Range of the plants.
    size : int
        Side of the picture, px.

    Returns
    -------
    SyntheticImage
        Picture and labels; an empty pot has no labels.

    Raises
    ------
    InputError
        If ``settings.soil_folder`` holds no readable picture.
    """
    rng = generator(seed)
    canvas = Canvas(draw_background(rng, size, settings))
    if rng.random() >= settings.empty_share:
        _plant(rng, canvas, settings)
    camera = draw_camera(rng)
    return SyntheticImage(expose(canvas.rgb, camera, rng), tidy_labels(canvas.labels))


def _plant(rng: np.random.Generator, canvas: Canvas, settings: PlantSettings) -> None:
    size = canvas.labels.shape[0]
    leaves = int(rng.integers(settings.min_leaves, settings.max_leaves + 1))
    rosette = grow_rosette(rng, leaves)
    age = leaves + rng.uniform(0.3, 1.0)
    grown = rosette.at_age(age)
    reach = max(length for _, length in grown)
    share = np.exp(rng.uniform(np.log(0.09), np.log(1.15)))
    share = max(share, 0.02 * leaves)
    scale = 0.5 * size * share / reach
    slack = max(0.08, 0.5 - 0.5 * share)
    centre = size * (0.5 + rng.uniform(-0.6, 0.6, 2) * slack)
    _paint_rosette(rng, canvas, rosette, age, scale, (float(centre[0]), float(centre[1])))


def _paint_rosette(
    rng: np.random.Generator,
    canvas: Canvas,
    rosette: Rosette,
    age: float,
    scale: float,
    centre: tuple[float, float],
) -> None:
    palette = draw_palette(rng)
    light = rng.uniform(0.0, 2.0 * np.pi)
    height = rng.uniform(0.01, 0.06)
    strength = rng.uniform(0.1, 0.65)
    grown = rosette.at_age(age)
    for number, (leaf, length) in enumerate(grown, start=1):
        far = height * scale * (0.5 + 0.5 * length / leaf.length)
        shadow = Shadow((far * np.cos(light), far * np.sin(light)), 0.5 + 0.6 * far, strength)
        place = Placement(centre, leaf.angle, length * scale)
        paint = paint_of(rng, palette, length / leaf.length)
        paint_leaf(canvas, number, leaf.form, place, paint, shadow, rng)
    _blur_centre(rng, canvas.rgb, centre, scale * max(length for _, length in grown))


def _blur_centre(
    rng: np.random.Generator, rgb: NDArray[np.float32], centre: tuple[float, float], reach: float
) -> None:
    """Blur the crowded centre, which stands above the plane in focus."""
    sigma = reach * rng.uniform(0.0, 0.02)
    if sigma < 0.4:
        return
    axis = np.arange(rgb.shape[0], dtype=np.float32)
    far = np.hypot(axis[None, :] - centre[0], axis[:, None] - centre[1]) / np.float32(0.3 * reach)
    weight = np.exp(-(far.astype(np.float32) ** 2))[..., None]
    rgb += weight * (cv2.GaussianBlur(rgb, (0, 0), sigma) - rgb)
