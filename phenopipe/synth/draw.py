"""Draw one training picture: a background, a plant or several or none, and the camera."""

from __future__ import annotations

import numpy as np

from phenopipe.config import PlantSettings
from phenopipe.synth.background import draw_background
from phenopipe.synth.camera import draw_camera, photograph, seen_share
from phenopipe.synth.frame import CLOSE_EXTENT, Frame, close_frame, most_off_centre
from phenopipe.synth.image import Seed, SyntheticImage, generator
from phenopipe.synth.labels import label_edges, tidy_labels
from phenopipe.synth.padding import pad_black
from phenopipe.synth.paint import Canvas
from phenopipe.synth.plant import Standing, bounds, draw_light, paint_plant, plant_of, reach

#: Share of pictures with several small plants, as a tray seen from far.
CROWD_SHARE = 0.08
#: Share of pictures that show only a rectangle, black around it.
PADDED_SHARE = 0.12
#: Share of close pictures into which a neighbouring plant reaches.
NEIGHBOUR_SHARE = 0.08
#: `edge_share` of outlines as they are painted: blur would round them even with this.
EXACT_EDGE = 0.5


def draw_plant(seed: Seed, settings: PlantSettings, size: int) -> SyntheticImage:
    """Draw a plant in its pot as a camera sees it from above, with the labels of its leaves.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same picture, in every process.
    settings : PlantSettings
        Range of the plants. A picture may show several small plants, which share the leaves.
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
    empty = rng.random() < settings.empty_share
    if rng.random() < settings.close_share:
        frame, canvas = _close_up(rng, size, settings, empty=empty)
    else:
        frame = Frame(size)
        canvas = Canvas(draw_background(rng, frame, settings))
        if not empty:
            _paint_plants(rng, canvas, settings)
    camera = draw_camera(rng)
    seen = seen_share(canvas.labels > 0, frame, camera)
    rgb = photograph(canvas.rgb, frame, camera, rng)
    if rng.random() < PADDED_SHARE:
        seen[pad_black(rng, rgb, canvas.labels)] = 0.0
    # Edges last, so that they do not say which leaves are large enough for a label.
    labels = tidy_labels(canvas.labels, frame.enlarged)
    if settings.edge_share < EXACT_EDGE:
        labels = label_edges(labels, seen, settings.edge_share)
    return SyntheticImage(rgb, labels)


def _close_up(
    rng: np.random.Generator, size: int, settings: PlantSettings, *, empty: bool
) -> tuple[Frame, Canvas]:
    """Draw a crop around one plant, or around nothing."""
    leaves = _leaves(rng, settings.min_leaves, settings.max_leaves)
    extent = rng.uniform(*CLOSE_EXTENT)
    frame = close_frame(rng, size, leaves, extent)
    canvas = Canvas(draw_background(rng, frame, settings))
    if not empty:
        if rng.random() < NEIGHBOUR_SHARE and leaves < settings.max_leaves:
            _neighbour(rng, canvas, leaves, settings.max_leaves - leaves, extent)
        plant = plant_of(rng, leaves)
        age = _age(rng, leaves)
        low, high = bounds(plant, age)
        scale = extent * size / float((high - low).max())
        middle = size * (0.5 + rng.uniform(-0.5, 0.5, 2) * 2 * most_off_centre(extent))
        x, y = middle - 0.5 * scale * (low + high)
        standing = Standing(plant, age, scale, (float(x), float(y)))
        paint_plant(canvas, standing, draw_light(rng))
    return frame, canvas


def _neighbour(
    rng: np.random.Generator, canvas: Canvas, leaves: int, most: int, extent: float
) -> None:
    """Let leaves of the plant next door reach into a close picture."""
    size = canvas.labels.shape[0]
    plant = plant_of(rng, min(leaves, most))
    age = _age(rng, min(leaves, most))
    scale = 0.5 * extent * size / reach(plant.rosette.at_age(age))
    turn = rng.uniform(0.0, 2.0 * np.pi)
    beyond = 0.5 + 0.5 * extent * rng.uniform(0.2, 0.8)
    far = size * beyond / max(abs(np.cos(turn)), abs(np.sin(turn)))
    x, y = 0.5 * size + far * np.cos(turn), 0.5 * size + far * np.sin(turn)
    standing = Standing(plant, age, scale, (float(x), float(y)))
    paint_plant(canvas, standing, draw_light(rng))


def _age(rng: np.random.Generator, leaves: int) -> float:
    """Draw an age at which a plant has so many leaves; seedlings wait long for the next one."""
    return float(leaves + rng.uniform(0.3, 1.5 + 6.0 * np.exp(-leaves / 4.0)))


def _leaves(rng: np.random.Generator, fewest: int, most: int) -> int:
    return fewest + int((most - fewest + 1) * rng.beta(1.1, 1.5))


def _paint_plants(rng: np.random.Generator, canvas: Canvas, settings: PlantSettings) -> None:
    room = settings.max_leaves // settings.min_leaves
    if room > 1 and rng.random() < CROWD_SHARE:
        _crowd(rng, canvas, settings, int(rng.integers(2, min(room, 7) + 1)))
    else:
        share = float(np.exp(rng.uniform(np.log(0.08), np.log(1.15))))
        _one(rng, canvas, settings.min_leaves, settings.max_leaves, share)


def _crowd(rng: np.random.Generator, canvas: Canvas, settings: PlantSettings, plants: int) -> None:
    most = settings.max_leaves // plants
    share = rng.uniform(0.1, 0.45)
    for _ in range(plants):
        _one(rng, canvas, settings.min_leaves, most, share * rng.uniform(0.7, 1.2))


def _one(rng: np.random.Generator, canvas: Canvas, fewest: int, most: int, share: float) -> None:
    """Paint one plant whose width is about `share` of the picture's."""
    size = canvas.labels.shape[0]
    leaves = _leaves(rng, fewest, most)
    plant = plant_of(rng, leaves)
    age = _age(rng, leaves)
    # Many leaves on a plant of few pixels could not be told apart by anybody.
    share = max(share, 0.018 * leaves)
    scale = 0.5 * size * share / reach(plant.rosette.at_age(age))
    slack = max(0.08, 0.5 - 0.5 * share)
    x, y = size * (0.5 + rng.uniform(-0.85, 0.85, 2) * slack)
    standing = Standing(plant, age, scale, (float(x), float(y)))
    paint_plant(canvas, standing, draw_light(rng))
