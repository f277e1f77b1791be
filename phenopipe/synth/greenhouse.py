"""Render the nights of a greenhouse: the same plants in the same pots, growing."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SynthSettings
from phenopipe.errors import InputError
from phenopipe.files import write_aside
from phenopipe.synth.background import draw_pot
from phenopipe.synth.camera import Camera, expose
from phenopipe.synth.frame import Frame
from phenopipe.synth.image import SyntheticImage, generator
from phenopipe.synth.labels import absorb_remnants
from phenopipe.synth.paint import Canvas
from phenopipe.synth.plant import Light, Standing, paint_plant, plant_of
from phenopipe.synth.roster import Shot, night_shots, set_names
from phenopipe.synth.truth import TruthTables

#: Leaves that a plant of the greenhouse has at last, after many nights.
LEAVES = 26
#: Ages on the first night, in leaves, and leaves that appear from one night to the next.
FIRST_AGES = (4.5, 9.5)
LEAVES_A_NIGHT = (0.8, 1.4)
#: Width of a full-grown plant over the picture's.
FULL_WIDTH = (0.8, 1.0)

#: What the random streams of a pot are for.
_POT, _PLANT, _SHOT = range(3)


def render_set(
    settings: SynthSettings,
    set_name: str,
    images_dir: str | os.PathLike[str],
    truth_dir: str | os.PathLike[str],
) -> None:
    """Write the pictures of one night, and their true labels.

    Parameters
    ----------
    settings : SynthSettings
        The greenhouse.
    set_name : str
        One of the image sets that `greenhouse_images` names.
    images_dir : path-like
        Folder of this set's pictures, RGB PNG; it appears only when all of them are written.
    truth_dir : path-like
        Folder of the label maps, uint16 PNG of the same names: 0 is background, other numbers are
        leaves, the same leaf's every night; and of two tables (`TruthTables`). A picture whose
        file is cut short has no map and no rows.

    Raises
    ------
    InputError
        If the greenhouse has no such set.
    OSError
        If a folder cannot be written.
    """
    names = set_names(settings)
    if set_name not in names:
        raise InputError(f"synth: has no image set {set_name!r}; it has {names[0]} to {names[-1]}")
    night = names.index(set_name)
    last = night == len(names) - 1
    tables = TruthTables(set_name)
    with write_aside(truth_dir) as truth, write_aside(images_dir) as images:
        truth.mkdir()
        images.mkdir()
        for shot in night_shots(settings, night):
            picture = draw_shot(settings, night, shot)
            broken = last and shot.growth == "broken"
            _write(images / shot.name, picture.rgb[..., ::-1], cut_short=broken)
            if not broken:
                _write(truth / shot.name, picture.labels)
                tables.add(shot.name, shot.pot_name, stand(settings, night, shot), picture.labels)
        tables.write(truth)


def draw_shot(settings: SynthSettings, night: int, shot: Shot) -> SyntheticImage:
    """Draw one picture of the greenhouse.

    Parameters
    ----------
    settings : SynthSettings
        The greenhouse.
    night : int
        Night, from 0.
    shot : Shot
        One of that night's shots.

    Returns
    -------
    SyntheticImage
        Picture and labels. A pot's soil, its plant's place, the angles and the numbers of the
        leaves stay the same from night to night; the number of a hidden leaf does not occur.
    """
    canvas = Canvas(draw_pot(_stream(settings, shot, _POT), Frame(settings.image_size)))
    standing = stand(settings, night, shot)
    if standing is not None:
        paint_plant(canvas, standing, Light(direction=0.8, height=0.03, strength=0.4))
    rng = generator((settings.seed, shot.pot, _SHOT, night))
    return SyntheticImage(expose(canvas.rgb, _camera(rng), rng), absorb_remnants(canvas.labels))


def stand(settings: SynthSettings, night: int, shot: Shot) -> Standing | None:
    """Return the plant of a shot as it stands in that night, from 0; None in an empty pot."""
    if shot.growth == "empty":
        return None
    rng = _stream(settings, shot, _PLANT)
    age = rng.uniform(*FIRST_AGES) + night * rng.uniform(*LEAVES_A_NIGHT)
    scale = 0.5 * settings.image_size * rng.uniform(*FULL_WIDTH)
    x, y = settings.image_size * rng.uniform(0.46, 0.54, 2)
    return Standing(plant_of(rng, LEAVES), age, scale, (float(x), float(y)))


def _stream(settings: SynthSettings, shot: Shot, purpose: int) -> np.random.Generator:
    """Return a pot's random stream, the same every night."""
    return generator((settings.seed, shot.pot, purpose))


def _camera(rng: np.random.Generator) -> Camera:
    """Return the greenhouse's camera; its exposure wavers a little."""
    return Camera(
        exposure=rng.uniform(0.95, 1.05),
        white=(1.0, 1.0, 0.97),
        gamma=1.0,
        haze=0.01,
        saturation=1.0,
        blur=0.5,
        shrink=1.0,
        noise=0.008,
        vignette=0.1,
        quality=0,
    )


def _write(
    path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], *, cut_short: bool = False
) -> None:
    """Write a PNG, or its first half only, as a copy that was interrupted leaves it."""
    done, code = cv2.imencode(".png", np.ascontiguousarray(pixels))
    if not done:
        raise RuntimeError(f"{path}: OpenCV cannot write PNG")
    data = code.tobytes()
    path.write_bytes(data[: len(data) // 2] if cut_short else data)
