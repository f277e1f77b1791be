"""Look at a crop as often as settings say: once as a whole, or again around the plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.predict.network import Network
from phenopipe.window import Box, Window

#: A pixel of at least this distance belongs to the plant, if ...
PLANT_DISTANCE = 0.15
#: ... it is connected to one of at least this, as every leaf has: moss and noise stay below.
PLANT_PEAK = 0.35
#: Space kept around the plant, over its extent: edges and petioles have small distances.
MARGIN = 0.16
#: A plant that fills more of the crop than this gets no window of its own.
FILLS = 0.85
#: A window is never enlarged more than this: there is nothing more to see.
MOST_ENLARGED = 4.0


@dataclass(frozen=True)
class Prediction:
    """What the network says of a stack of crops.

    Attributes
    ----------
    distance : ndarray, (N, S, S), float32
        Distance map of each crop's window, 0..1.
    embedding : ndarray, (N, S, S, E), float32
        Unit vectors.
    windows : list of Window
        The part of each crop that was looked at.
    """

    distance: NDArray[np.float32]
    embedding: NDArray[np.float32]
    windows: list[Window]


def look(
    network: Network, crops: NDArray[np.uint8], valid: Sequence[Box] | None = None
) -> Prediction:
    """Predict a stack of crops, each at its window.

    Parameters
    ----------
    network : Network
        The network; its settings say how often to look, and at which size.
    crops : ndarray, (N, C, C, 3), uint8
        Crops.
    valid : sequence of tuple of int, optional
        Half-open box (left, top, right, bottom) of the real picture in each, px of the crop; all
        of it by default. A plant is looked for in there alone.

    Returns
    -------
    Prediction
        At the network's size S, or C if the settings name none.

    Raises
    ------
    ModelError
        If a batch does not fit into the device's memory.
    """
    crop_size = crops.shape[1]
    size = network.settings.network_size or crop_size
    whole = Window.whole(crop_size)
    windows = [whole] * len(crops)
    seen = _resample(crops, windows, size)
    if network.settings.looks == 2:
        boxes = valid or [(0, 0, crop_size, crop_size)] * len(crops)
        first = zip(network.distance(seen), boxes, strict=True)
        windows = [find_window(distance, crop_size, box) for distance, box in first]
        moved = [number for number, window in enumerate(windows) if window != whole]
        seen[moved] = _resample(crops[moved], [windows[number] for number in moved], size)
    return Prediction(*network(seen), windows)


def find_window(distance: NDArray[np.floating], crop_size: int, valid: Box | None = None) -> Window:
    """Find the square around everything that grows in a crop.

    Parameters
    ----------
    distance : ndarray, (S, S), float
        Distance map of the whole crop, 0..1.
    crop_size : int
        Side of the crop, px.
    valid : tuple of int, optional
        Half-open box (left, top, right, bottom) to look in, px of the crop; all by default.

    Returns
    -------
    Window
        The whole crop if nothing grows in it, or the plant fills it anyway.
    """
    size = distance.shape[0]
    whole = Window.whole(crop_size)
    left, top, right, bottom = whole.clip(valid or (0, 0, crop_size, crop_size), size)
    is_plant = np.zeros(distance.shape, bool)
    is_plant[top:bottom, left:right] = distance[top:bottom, left:right] >= PLANT_DISTANCE
    _, pieces = cv2.connectedComponents(is_plant.view(np.uint8), connectivity=8)
    pieces = np.asarray(pieces)
    sure = np.unique(pieces[is_plant & (distance >= PLANT_PEAK)])
    rows, columns = np.nonzero(np.isin(pieces, sure) & is_plant)
    if not rows.size:
        return whole
    scale = crop_size / size
    first = np.array([columns.min(), rows.min()]) * scale
    last = np.array([columns.max() + 1, rows.max() + 1]) * scale
    extent = float((last - first).max()) * (1 + 2 * MARGIN) + 2 * scale
    side = max(int(np.ceil(extent)), int(np.ceil(size / MOST_ENLARGED)))
    if side >= FILLS * crop_size:
        return whole
    corner = np.clip(np.rint((first + last - side) / 2), 0, crop_size - side)
    return Window(int(corner[0]), int(corner[1]), side)


def _resample(crops: NDArray[np.uint8], windows: list[Window], size: int) -> NDArray[np.uint8]:
    seen = np.empty((len(crops), size, size, 3), np.uint8)
    for number, (crop, window) in enumerate(zip(crops, windows, strict=True)):
        seen[number] = window.resample(crop, size)
    return seen
