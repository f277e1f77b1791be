"""Augmentation: real pictures as other cameras, from other places, would have taken them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.predict.look import MOST_ENLARGED
from phenopipe.synth.camera import Camera, draw_camera, expose
from phenopipe.synth.frame import CLOSE_EXTENT, most_off_centre
from phenopipe.train.view import View, plant_view, turned, whole_view

#: Share of views that show the whole picture, and of those that cut the plant; the rest show it
#: as the second look does.
WHOLE_SHARE, CUT_SHARE = 0.15, 0.1
#: Extent of the plant over the view's side where it is cut.
CUT_EXTENT = (1.0, 1.8)
#: Share of views at any angle; the rest lie along the picture's sides, where pixels stay sharp.
ASKEW_SHARE = 0.5


def augment(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    size: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Show a labelled picture from a place, and in a light, drawn by chance.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The picture.
    labels : ndarray, (H, W), uint16
        Its labels, 0 is background.
    size : int
        Side of the result, px.
    rng : numpy.random.Generator
        Source of chance; one state gives one result.

    Returns
    -------
    rgb : ndarray, (size, size, 3), uint8
        Mostly a square around the plant; what lies beyond the picture is black or repeats its
        edge.
    labels : ndarray, (size, size), uint16
        Its labels; a leaf that the view cuts keeps its label.
    """
    view = draw_view(labels, size, rng)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    seen, found = view.show(rgb, labels, size, border)
    return relight(seen, rng), found


def draw_view(labels: NDArray[np.uint16], size: int, rng: np.random.Generator) -> View:
    """Draw a square around the plant, sometimes the whole picture or a part of the plant.

    Parameters
    ----------
    labels : ndarray, (H, W), uint16
        Label map, 0 is background.
    size : int
        Side of what is shown, px; no picture is enlarged more than in a second look.
    rng : numpy.random.Generator
        Source of chance.
    """
    askew = rng.random() < ASKEW_SHARE
    angle = rng.uniform(0.0, 360.0) if askew else 90.0 * rng.integers(4)
    axes = turned(angle, mirrored=rng.random() < 0.5)
    kind = rng.random()
    if kind < WHOLE_SHARE:
        return whole_view(labels.shape, axes)
    cut = kind < WHOLE_SHARE + CUT_SHARE
    extent = rng.uniform(*(CUT_EXTENT if cut else CLOSE_EXTENT))
    reach = (extent - 1.0) / 2 if cut else most_off_centre(extent)
    first, second = rng.uniform(-reach, reach, 2)
    return plant_view(labels, extent, axes, (first, second), size / MOST_ENLARGED)


def relight(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change light and camera of a real picture, less than between drawn ones.

    Parameters
    ----------
    rgb : ndarray, (S, S, 3), uint8
        The picture.
    rng : numpy.random.Generator
        Source of chance: contrast, exposure, white balance, saturation, tone, blur, resolution,
        vignette, noise and JPEG.
    """
    scene = rgb.astype(np.float32) / np.float32(255.0)
    mean = scene.mean()
    scene = mean + np.float32(rng.uniform(0.8, 1.2)) * (scene - mean)
    return expose(np.clip(scene, 0.0, 1.0), _mild_camera(rng), rng)


def _mild_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera for a picture that has been through one already."""
    drawn = draw_camera(rng)
    red, green, blue = drawn.white
    return replace(
        drawn,
        exposure=rng.uniform(0.75, 1.3),
        white=(0.4 + 0.6 * red, 0.4 + 0.6 * green, 0.4 + 0.6 * blue),
        haze=drawn.haze / 2,
        blur=max(0.0, rng.normal(0.0, 0.5)),
        shrink=rng.uniform(0.6, 0.95) if rng.random() < 0.2 else 1.0,
        noise=drawn.noise / 2,
        vignette=drawn.vignette / 2,
    )
