"""What the camera makes of a scene: blur, light, noise and compression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.frame import Frame


@dataclass(frozen=True)
class Camera:
    """One exposure.

    Attributes
    ----------
    exposure : float
        Factor of brightness.
    white : tuple of float
        Factor of each channel.
    gamma : float
        Exponent of the tone curve.
    haze : float
        Brightness added everywhere, 0..1.
    saturation : float
        Factor of the colours' distance from grey.
    blur : float
        Standard deviation of the blur, px.
    shrink : float
        The picture was taken at this share of its resolution.
    noise : float
        Standard deviation of the sensor's noise, 0..1.
    vignette : float
        Loss of light at the corners, 0..1.
    quality : int
        JPEG quality, 0 for none.
    sharpen : float
        How strongly the camera sharpens, which leaves halos at edges.
    """

    exposure: float
    white: tuple[float, float, float]
    gamma: float
    haze: float
    saturation: float
    blur: float
    shrink: float
    noise: float
    vignette: float
    quality: int
    sharpen: float = 0.0


def draw_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera; two fifths of the pictures are as dark as those of real growth rooms."""
    dark = rng.random() < 0.4
    return Camera(
        exposure=rng.uniform(0.5, 0.85) if dark else rng.uniform(0.8, 1.25),
        white=tuple(rng.normal(1.0, 0.05, 3)),
        gamma=rng.uniform(0.85, 1.2),
        haze=max(0.0, rng.normal(0.0, 0.02)),
        saturation=rng.uniform(0.75, 1.2),
        blur=max(0.0, rng.normal(0.4, 0.4)),
        shrink=rng.uniform(0.45, 0.9) if rng.random() < 0.4 else 1.0,
        noise=rng.uniform(0.0, 0.025),
        vignette=max(0.0, rng.normal(0.05, 0.1)),
        quality=int(rng.integers(45, 97)) if rng.random() < 0.6 else 0,
        sharpen=rng.uniform(0.2, 1.2) if rng.random() < 0.25 else 0.0,
    )


def expose(
    scene: NDArray[np.float32], camera: Camera, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Take a picture of a scene.

    Parameters
    ----------
    scene : ndarray, (S, S, 3), float32
        RGB, 0..1; may reach a little beyond.
    camera : Camera
        The exposure.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray, (S, S, 3), uint8
        The picture.
    """
    seen = _soften(scene, camera)
    grey = seen.mean(axis=2, keepdims=True)
    seen = grey + np.float32(camera.saturation) * (seen - grey)
    seen *= np.asarray(camera.white, np.float32) * np.float32(camera.exposure)
    seen *= _vignette(seen.shape[0], camera.vignette)
    seen = np.clip(seen + np.float32(camera.haze), 0.0, 1.0) ** np.float32(camera.gamma)
    seen += rng.standard_normal(seen.shape, dtype=np.float32) * np.float32(camera.noise)
    if camera.sharpen:
        seen += np.float32(camera.sharpen) * (seen - cv2.GaussianBlur(seen, (0, 0), 1.2))
    picture = np.rint(np.clip(seen, 0.0, 1.0) * 255.0).astype(np.uint8)
    return compress(picture, camera.quality) if camera.quality else picture


def photograph(
    scene: NDArray[np.float32], frame: Frame, camera: Camera, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Take a picture of a scene and enlarge it as its frame says.

    Parameters
    ----------
    scene : ndarray, (S, S, 3), float32
        RGB, 0..1; may reach a little beyond.
    frame : Frame
        Where ``enlarged`` is above 1, light falls on so many times fewer pixels of the camera;
        what they see, noise and compression with it, is then enlarged.
    camera : Camera
        The exposure.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray, (S, S, 3), uint8
        The picture.
    """
    if frame.camera_side >= scene.shape[0]:
        return expose(scene, camera, rng)
    seen = expose(_shrink(scene, frame), _of_few_pixels(camera, frame), rng)
    how = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(seen, scene.shape[1::-1], interpolation=how), np.uint8)


def seen_share(mask: NDArray[np.bool_], frame: Frame, camera: Camera) -> NDArray[np.float32]:
    """Return which share of what each pixel of a `photograph` shows lies in a mask.

    Parameters
    ----------
    mask : ndarray, (S, S), bool
        Pixels of the scene.
    frame : Frame
        How far the picture is enlarged.
    camera : Camera
        Its blur and loss of resolution count.

    Returns
    -------
    ndarray, (S, S), float32
        Shares, 0..1, before noise and compression.
    """
    cover = mask.astype(np.float32)
    if frame.camera_side >= mask.shape[0]:
        return _soften(cover, camera)
    small = _soften(_shrink(cover, frame), _of_few_pixels(camera, frame))
    large = cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def compress(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the picture as JPEG of that quality (1..100) leaves it."""
    done, code = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV cannot write JPEG")
    read = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(read[..., ::-1])


def _shrink(scene: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Let light fall on the pixels of the camera."""
    sides = (frame.camera_side, frame.camera_side)
    return np.asarray(cv2.resize(scene, sides, interpolation=cv2.INTER_AREA), np.float32)


def _of_few_pixels(camera: Camera, frame: Frame) -> Camera:
    """Return the camera for a crop of few pixels, which are not blurred once more by as much."""
    return replace(
        camera,
        shrink=min(1.0, camera.shrink * frame.enlarged),
        blur=camera.blur / frame.enlarged**0.5,
        quality=camera.quality and max(camera.quality, 70),
    )


def _soften(scene: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """Blur, and lose the resolution that the camera does not have."""
    seen: NDArray[Any] = scene
    if camera.shrink < 1.0:
        side = max(8, round(scene.shape[0] * camera.shrink))
        small = cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(small, scene.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if camera.blur > 0.2:
        seen = cv2.GaussianBlur(seen, (0, 0), camera.blur)
    return np.asarray(seen, np.float32)


def _vignette(side: int, loss: float) -> NDArray[np.float32]:
    """Return the share of light that reaches each pixel, (S, S, 1)."""
    axis = np.linspace(-1.0, 1.0, side, dtype=np.float32)
    return (1.0 - np.float32(loss) * 0.5 * (axis[:, None] ** 2 + axis**2))[..., None]
