"""Ground under the plants: drawn soil, its grains, fibres and algae, or crops of real pictures."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.synth.frame import Frame
from phenopipe.synth.noise import fractal_noise, octave_noise

Ground = NDArray[np.float32]
#: Perlite, vermiculite, and grains on which algae grow.
GRAINS = ((0.8, 0.76, 0.68), (0.55, 0.42, 0.28), (0.4, 0.5, 0.25))


@lru_cache(maxsize=4)
def load_soils(folder: str) -> tuple[NDArray[np.uint8], ...]:
    """Read every picture of a folder of bare soil, once a process.

    Parameters
    ----------
    folder : str
        The setting ``soil_folder``.

    Returns
    -------
    tuple of ndarray, (H, W, 3), uint8
        Pictures, RGB, in the order of their names.

    Raises
    ------
    InputError
        If the folder is missing or holds no readable picture.
    """
    paths = sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []
    read = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths if path.is_file())
    soils = tuple(
        np.ascontiguousarray(soil[..., ::-1], np.uint8) for soil in read if soil is not None
    )
    if not soils:
        raise InputError(
            f"soil_folder: {folder} holds no readable picture; name a folder of pictures of bare "
            "soil, or null to draw all soils"
        )
    return soils


def digest_soils(folder: str) -> str:
    """Return a hash of the pixels of a folder of bare soil, which changes with no name.

    Raises
    ------
    InputError
        As of :func:`load_soils`.
    """
    digest = hashlib.sha256()
    for soil in load_soils(folder):
        digest.update(f"{soil.shape}".encode() + soil.tobytes())
    return digest.hexdigest()


def real_soil(rng: np.random.Generator, frame: Frame, folder: str) -> Ground:
    """Cut a random square out of a real picture: turned, flipped, and its colours shifted.

    The square has about as many pixels as the camera has in the picture.

    Raises
    ------
    InputError
        If the folder holds no readable picture.
    """
    soils = load_soils(folder)
    soil = soils[rng.integers(len(soils))]
    side = int(min(soil.shape[:2]) * rng.uniform(0.35, 1.0) / min(frame.zoom, 4.0))
    top, left = (int(rng.integers(extent - side + 1)) for extent in soil.shape[:2])
    cut = np.rot90(soil[top : top + side, left : left + side], int(rng.integers(4)))
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    size = frame.camera_side
    shrinks = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    ground = cv2.resize(np.ascontiguousarray(cut), (size, size), interpolation=shrinks)
    tint = rng.uniform(0.8, 1.9) * rng.normal(1.0, 0.06, 3)
    return ground.astype(np.float32) * (tint / 255.0).astype(np.float32)


def drawn_soil(rng: np.random.Generator, frame: Frame) -> Ground:
    """Draw soil: brown to black crumbs on several scales, grains, fibres."""
    ground = _crumbs(rng, frame.camera_side)
    if rng.random() < 0.55:
        grains(rng, ground, frame.zoom)
    if rng.random() < 0.5:
        _fibres(rng, ground, frame.zoom)
    return ground


def _crumbs(rng: np.random.Generator, size: int) -> Ground:
    weights = tuple(rng.uniform(0.2, 1.0, 4)) + tuple(rng.uniform(0.0, 0.6, 3))
    height = fractal_noise(rng, (size, size), weights)
    dark = rng.uniform(0.03, 0.25)
    colour = dark * np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.5, 0.98)])
    contrast = rng.uniform(0.15, 0.55)
    ground = np.exp(np.float32(contrast) * height)[..., None] * colour.astype(np.float32)
    tan = np.clip(octave_noise(rng, (size, size), int(rng.integers(1, 4))) - 1.6, 0.0, 1.0)
    speck = rng.uniform(0.0, 0.9) * np.array([0.45, 0.33, 0.24])
    return np.asarray(ground + tan[..., None] * speck.astype(np.float32), np.float32)


def grains(rng: np.random.Generator, ground: Ground, zoom: float = 1.0) -> None:
    """Strew perlite, vermiculite, sand or green granules: angular grains with a shadow."""
    size = ground.shape[0]
    count = int(rng.integers(4, 90) / min(zoom, 3.0))
    typical = size * zoom**0.7 * rng.uniform(0.003, 0.014)
    bright = np.array(GRAINS[rng.choice(len(GRAINS), p=[0.5, 0.3, 0.2])])
    for _ in range(count):
        centre = rng.uniform(0.0, size, 2)
        radius = typical * rng.uniform(0.4, 1.7)
        turns = np.sort(rng.uniform(0.0, 2.0 * np.pi, 6))
        ring = np.stack([np.cos(turns), np.sin(turns)], axis=1) * rng.uniform(0.6, 1.1, (6, 1))
        corners = np.rint((centre + radius * ring) * 16).astype(np.int32)
        below = corners + int(8 + 4 * radius)
        colour = bright * rng.uniform(0.45, 1.1) * rng.normal(1.0, 0.06, 3)
        cv2.fillConvexPoly(ground, below, (0.03, 0.03, 0.03), cv2.LINE_AA, 4)
        cv2.fillConvexPoly(ground, corners, colour.tolist(), cv2.LINE_AA, 4)


def _fibres(rng: np.random.Generator, ground: Ground, zoom: float) -> None:
    """Draw peat fibres and bits of straw."""
    size = ground.shape[0]
    for _ in range(int(rng.integers(3, 40) / min(zoom, 3.0))):
        start = rng.uniform(0.0, size, 2)
        heading = rng.uniform(0.0, 2.0 * np.pi)
        turns = heading + np.cumsum(rng.normal(0.0, 0.35, 6))
        steps = size * zoom * rng.uniform(0.004, 0.02) * np.stack([np.cos(turns), np.sin(turns)], 1)
        line = np.rint((start + np.cumsum(steps, axis=0)) * 16).astype(np.int32)
        colour = np.array([0.42, 0.32, 0.22]) * rng.uniform(0.25, 1.2)
        cv2.polylines(ground, [line], False, colour.tolist(), 1, cv2.LINE_AA, 4)


def algae(rng: np.random.Generator, ground: Ground, zoom: float = 1.0) -> None:
    """Cover patches with a green film of algae or with moss: green, but no leaf."""
    size = ground.shape[0]
    octave = int(np.clip(rng.integers(2, 7) + np.log2(zoom), 2, 7))
    patch = octave_noise(rng, (size, size), octave) + 0.4 * octave_noise(rng, (size, size), 1)
    weight = np.clip((patch - rng.uniform(0.6, 1.8)) / rng.uniform(0.3, 1.2), 0.0, 1.0)
    weight *= np.float32(rng.uniform(0.2, 0.9))
    fine = 1.0 + np.float32(rng.uniform(0.1, 0.4)) * octave_noise(rng, (size, size), 0)
    colour = rng.uniform(0.12, 0.5) * np.array([rng.uniform(0.5, 0.95), 1.0, rng.uniform(0.2, 0.6)])
    film = np.clip(fine, 0.2, 2.0)[..., None] * colour.astype(np.float32)
    ground += weight[..., None] * (film - ground)
