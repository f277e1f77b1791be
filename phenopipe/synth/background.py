"""What lies behind a plant: soil or a mat, inside a pot, on a tray, with labels and markers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import PlantSettings
from phenopipe.synth.frame import Frame
from phenopipe.synth.noise import fractal_noise, octave_noise
from phenopipe.synth.soil import Ground, algae, drawn_soil, real_soil

#: Share of pictures that lie on real soil, where a folder of it is given.
REAL_SHARE = 0.5
#: Labels are mostly white, else yellow, blue, red or green.
LABEL_TINTS = (
    (1.0, 1.0, 0.93),
    (1.0, 0.9, 0.2),
    (0.3, 0.5, 1.0),
    (0.9, 0.25, 0.2),
    (0.2, 0.7, 0.3),
)


def draw_background(rng: np.random.Generator, frame: Frame, settings: PlantSettings) -> Ground:
    """Draw everything but the plant, no sharper than the camera sees it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    frame : Frame
        The picture's window on the pot.
    settings : PlantSettings
        Names the folder of real soil, if any.

    Returns
    -------
    ndarray, (size, size, 3), float32
        RGB, 0..1.

    Raises
    ------
    InputError
        If the folder of real soil holds no readable picture.
    """
    if settings.soil_folder is not None and rng.random() < REAL_SHARE:
        ground = real_soil(rng, frame, settings.soil_folder)
        if rng.random() < 0.15:
            algae(rng, ground, frame.zoom)
        return _enlarged(ground, frame)
    ground = _drawn_ground(rng, frame)
    if rng.random() < 0.4:
        algae(rng, ground, frame.zoom)
    if rng.random() < 0.4:
        _pot(rng, ground, frame.zoom)
    if rng.random() < 0.25 / frame.zoom:
        _labels(rng, ground, frame.zoom)
    return _enlarged(ground, frame)


def draw_pot(rng: np.random.Generator, frame: Frame) -> Ground:
    """Draw a pot of soil as it stands in a greenhouse, (size, size, 3) float32, RGB 0..1."""
    ground = drawn_soil(rng, frame)
    if rng.random() < 0.2:
        algae(rng, ground, frame.zoom)
    _pot(rng, ground, frame.zoom)
    return _enlarged(ground, frame)


def _enlarged(ground: Ground, frame: Frame) -> Ground:
    """Return the ground, drawn in the camera's pixels, in the picture's."""
    if ground.shape[0] == frame.size:
        return ground
    return np.asarray(cv2.resize(ground, (frame.size, frame.size)), np.float32)


def _drawn_ground(rng: np.random.Generator, frame: Frame) -> Ground:
    kind = rng.choice(["soil", "mat", "grid", "plain"], p=[0.62, 0.14, 0.14, 0.10])
    if kind == "soil":
        return drawn_soil(rng, frame)
    if kind == "plain":
        return _plain(rng, frame.camera_side)
    if kind == "mat":
        cover = _mat(rng, frame.camera_side, min(frame.zoom, 4.0))
    else:
        cover = _grid(rng, frame.camera_side, min(frame.zoom, 2.5))
    if rng.random() < 0.5:
        _hole(rng, cover, frame)
    return cover


def _hole(rng: np.random.Generator, cover: Ground, frame: Frame) -> None:
    """Cut the hole through which a plant grows: the soil below is seen, its rim is ragged."""
    size = cover.shape[0]
    axis = np.arange(size, dtype=np.float32) / np.float32(size) - 0.5
    x, y = rng.normal(0.0, 0.05, 2)
    stretch = rng.uniform(0.7, 1.4)
    far = np.hypot((axis[None, :] - x) * stretch, (axis[:, None] - y) / stretch)
    ragged = far + 0.03 * octave_noise(rng, (size, size), 4)
    radius = min(0.4, frame.zoom * rng.uniform(0.02, 0.08))
    soil = drawn_soil(rng, frame) * np.float32(rng.uniform(0.4, 1.0))
    cover += np.clip((radius - ragged) / 0.02, 0.0, 1.0)[..., None] * (soil - cover)


def _waves(
    rng: np.random.Generator, size: int, period: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return two crossed phases, a little warped, that a pattern of `period` px repeats with."""
    turn = rng.normal(0.0, 0.15) + rng.choice([0.0, np.pi / 4], p=[0.8, 0.2])
    axis = np.arange(size, dtype=np.float32) * np.float32(2.0 * np.pi / period)
    warp = np.float32(rng.uniform(0.0, 0.5))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    rows, cols = axis[:, None], axis[None, :]
    down = cos * rows + sin * cols + warp * octave_noise(rng, (size, size), 5)
    right = cos * cols - sin * rows + warp * octave_noise(rng, (size, size), 5)
    return down, right


def _mat(rng: np.random.Generator, size: int, zoom: float) -> Ground:
    """Draw a woven mat, blue, black or grey."""
    down, right = _waves(rng, size, max(2.5, size * zoom * rng.uniform(0.015, 0.06)))
    weave = np.sin(down) * np.sin(np.float32(rng.uniform(0.4, 1.0)) * right)
    rough = fractal_noise(rng, (size, size), (0.6, 0.6, 0.4, 0.0, 0.3, 0.3))
    shade = 1.0 + np.float32(rng.uniform(0.1, 0.45)) * weave + np.float32(0.12) * rough
    colours = [[0.22, 0.30, 0.45], [0.10, 0.10, 0.11], [0.35, 0.35, 0.36], [0.14, 0.18, 0.28]]
    colour = np.array(colours[rng.integers(4)]) * rng.uniform(0.7, 1.4)
    return _tinted(np.clip(shade, 0.05, 2.0), colour)


def _grid(rng: np.random.Generator, size: int, zoom: float) -> Ground:
    """Draw a perforated sheet: grey knobs around dark holes."""
    down, right = _waves(rng, size, size * zoom * rng.uniform(0.03, 0.12))
    knob = np.cos(down) * np.cos(right) if rng.random() < 0.7 else np.cos(down) + np.cos(right)
    hole = 1.0 / (1.0 + np.exp(np.float32(rng.uniform(3.0, 8.0)) * (knob + 0.2)))
    rough = fractal_noise(rng, (size, size), (0.5, 0.7, 0.4, 0.2, 0.3))
    light = rng.uniform(0.22, 0.5) * np.array([1.0, 0.98, rng.uniform(0.95, 1.15)])
    dark = rng.uniform(0.04, 0.12) * np.array([1.0, 0.95, 0.9])
    ground = light + hole[..., None] * (dark - light)
    ground *= (1.0 + np.float32(rng.uniform(0.05, 0.25)) * rough)[..., None]
    return np.asarray(np.clip(ground, 0.0, 1.0), np.float32)


def _tinted(shade: NDArray[np.float32], colour: NDArray[np.float64]) -> Ground:
    return np.asarray(shade[..., None] * colour, np.float32)


def _plain(rng: np.random.Generator, size: int) -> Ground:
    """Draw wood, paper, a table or a black cloth."""
    rough = fractal_noise(rng, (size, size), (0.3, 0.3, 0.3, 0.3, 0.5, 0.8, 1.0))
    if rng.random() < 0.4:
        stripes = octave_noise(rng, (size, size), 3)[:1]
        rough = 0.4 * rough + stripes
    colours = [[0.78, 0.68, 0.52], [0.85, 0.85, 0.83], [0.5, 0.5, 0.52], [0.05, 0.05, 0.06]]
    colour = np.array(colours[rng.integers(4)]) * rng.uniform(0.7, 1.1)
    shade = 1.0 + np.float32(rng.uniform(0.02, 0.15)) * rough
    return _tinted(np.clip(shade, 0.2, 2.0), colour)


def _pot(rng: np.random.Generator, ground: Ground, zoom: float) -> None:
    """Put the ground into a pot: a rounded square rim, and a table or tray around it."""
    size = ground.shape[0]
    distance = _rounded_square(rng, size, zoom)
    rim = size * zoom * rng.uniform(0.015, 0.07)
    tone = rng.choice([0.08, 0.28, 0.42]) * rng.uniform(0.8, 1.2)
    around = rng.uniform(0.05, 0.5) * np.array([rng.uniform(0.6, 1.1), 1.0, rng.uniform(0.9, 1.3)])
    rough = 1.0 + np.float32(0.06) * fractal_noise(rng, (size, size), (0.5, 0.5, 0.5, 0.5, 1.0))
    inside = np.clip(0.5 - distance, 0.0, 1.0)[..., None]
    table = np.clip(distance - np.float32(rim) + 0.5, 0.0, 1.0)[..., None]
    ground *= (1.0 - 0.5 * np.exp(np.minimum(distance, 0.0) / np.float32(0.3 * rim + 1.0)))[
        ..., None
    ]
    bevel = 1.0 + 0.3 * np.cos(
        np.clip(distance / np.float32(rim), 0.0, 1.0) * np.float32(2 * np.pi)
    )
    wall = (bevel * rough)[..., None] * np.full(3, tone, np.float32)
    outside = rough[..., None] * around.astype(np.float32)
    ground[...] = inside * ground + (1.0 - inside) * (wall + table * (outside - wall))


def _rounded_square(rng: np.random.Generator, size: int, zoom: float) -> NDArray[np.float32]:
    """Return the distance in px from a pot's inner edge, negative inside."""
    centre = size * (0.5 + zoom * rng.normal(0.0, 0.04, 2))
    half = size * zoom * rng.uniform(0.34, 0.56)
    radius = half * rng.choice([1.0, rng.uniform(0.1, 0.45)], p=[0.2, 0.8])
    axis = np.arange(size, dtype=np.float32)
    dx = np.abs(axis - np.float32(centre[0]))[None, :] - np.float32(half - radius)
    dy = np.abs(axis - np.float32(centre[1]))[:, None] - np.float32(half - radius)
    outer = np.hypot(np.maximum(dx, 0.0), np.maximum(dy, 0.0))
    inner = np.minimum(np.maximum(dx, dy), 0.0)
    return np.asarray(outer + inner - radius, np.float32)


def _labels(rng: np.random.Generator, ground: Ground, zoom: float) -> None:
    """Stick in plant labels and sticks, and put down round markers."""
    size = ground.shape[0]
    large = size * zoom
    for _ in range(int(rng.integers(1, 4))):
        centre = rng.uniform(0.0, size, 2)
        tint = LABEL_TINTS[rng.choice(len(LABEL_TINTS), p=[0.72, 0.07, 0.07, 0.07, 0.07])]
        colour = (rng.uniform(0.55, 0.95) * np.array(tint)).tolist()
        if rng.random() < 0.4:
            at = np.rint(centre * 16).astype(int).tolist()
            cv2.circle(ground, at, int(16 * large * rng.uniform(0.01, 0.05)), colour, -1, 16, 4)
            continue
        extent = large * rng.uniform([0.02, 0.06], [0.08, 0.3])
        _strip(rng, ground, centre, extent, colour)


def _strip(
    rng: np.random.Generator,
    ground: Ground,
    centre: NDArray[np.float64],
    extent: NDArray[np.float64],
    colour: list[float],
) -> None:
    """Lay down one label with its shadow, at times with writing on it."""
    turn = rng.uniform(0.0, 180.0)
    box = cv2.boxPoints((centre.tolist(), extent.tolist(), turn))
    below = box + 0.15 * float(extent.min())
    cv2.fillConvexPoly(ground, np.rint(below * 16).astype(np.int32), (0.03,) * 3, cv2.LINE_AA, 4)
    cv2.fillConvexPoly(ground, np.rint(box * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
    if rng.random() < 0.5:
        middle, step = box.mean(axis=0), 0.5 * (box[1] - box[0])
        for line in (-0.3, 0.0, 0.3):
            ends = middle + line * (box[2] - box[1]) + np.outer([-0.7, 0.6], step)
            first, last = np.rint(ends * 16).astype(int).tolist()
            cv2.line(ground, first, last, (0.15, 0.15, 0.18), 1, cv2.LINE_AA, 4)
