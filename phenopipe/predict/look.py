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
class Batch:
    """Crops that are looked at together.

    Attributes
    ----------
    crops : ndarray, (N, C, C, 3), uint8
        The crops.
    valid : sequence of tuple of int
        Half-open box (left, top, right, bottom) of the real picture in each, px of the crop. A
        plant is looked for in there alone.
    whole : ndarray, (N, S, S, 3), uint8
        The whole crops at the network's size.
    """

    crops: NDArray[np.uint8]
    valid: Sequence[Box]
    whole: NDArray[np.uint8]

    @classmethod
    def make(
        cls, crops: NDArray[np.uint8], network_size: int | None, valid: Sequence[Box] | None = None
    ) -> Batch:
        """Make a batch of crops; by default all of each is real, and seen at its own size."""
        side = crops.shape[1]
        windows = [Window.whole(side)] * len(crops)
        boxes = [(0, 0, side, side)] * len(crops) if valid is None else valid
        return cls(crops, boxes, _resample(crops, windows, network_size or side))


@dataclass(frozen=True)
class Prediction:
    """What the network says of a batch, encoded as it is stored (`phenopipe.encoding`).

    Attributes
    ----------
    distance : ndarray, (N, S, S), uint8
        Distance map of each crop's window, 0..255 for 0..1.
    embedding : ndarray, (N, S, S, E), int8
        Unit vectors, 127 for 1; zeros where a pixel is surely background.
    windows : list of Window
        The part of each crop that was looked at.
    """

    distance: NDArray[np.uint8]
    embedding: NDArray[np.int8]
    windows: list[Window]


def look(network: Network, batch: Batch) -> Prediction:
    """Predict a batch of crops, each at its window.

    Parameters
    ----------
    network : Network
        The network; its settings say how often to look.
    batch : Batch
        The crops, made for the network's size.

    Returns
    -------
    Prediction
        At the batch's size S.

    Raises
    ------
    ModelError
        If not even one crop fits into the device's memory.
    """
    crop_size, size = batch.crops.shape[1], batch.whole.shape[1]
    whole = Window.whole(crop_size)
    windows, seen = [whole] * len(batch.crops), batch.whole
    if network.settings.looks == 2:
        first = zip(network.distance(seen), batch.valid, strict=True)
        windows = [find_window(distance, crop_size, box) for distance, box in first]
        moved = [number for number, window in enumerate(windows) if window != whole]
        seen = seen.copy()
        seen[moved] = _resample(batch.crops[moved], [windows[number] for number in moved], size)
    return Prediction(*network.encode(seen), windows)


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
    count, pieces = cv2.connectedComponents(is_plant.view(np.uint8), connectivity=8)
    sure = np.zeros(count, bool)
    sure[np.asarray(pieces)[is_plant & (distance >= PLANT_PEAK)]] = True
    if not sure.any():
        return whole
    plant = sure[pieces]
    rows, columns = (np.flatnonzero(plant.any(axis=axis)) for axis in (1, 0))
    scale = crop_size / size
    first = np.array([columns[0], rows[0]]) * scale
    last = np.array([columns[-1] + 1, rows[-1] + 1]) * scale
    extent = float((last - first).max()) * (1 + 2 * MARGIN) + 2 * scale
    side = max(int(np.ceil(extent)), int(np.ceil(size / MOST_ENLARGED)))
    if side >= FILLS * crop_size:
        return whole
    left, top = np.clip(np.rint((first + last - side) / 2), 0, crop_size - side).astype(int)
    return Window(int(left), int(top), side)


def _resample(crops: NDArray[np.uint8], windows: list[Window], size: int) -> NDArray[np.uint8]:
    seen = np.empty((len(crops), size, size, 3), np.uint8)
    for number, (crop, window) in enumerate(zip(crops, windows, strict=True)):
        seen[number] = window.resample(crop, size)
    return seen
