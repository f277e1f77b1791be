"""One task of a sweep: all points of the grid over a few crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.errors import StoreError
from phenopipe.files import write_aside
from phenopipe.labelled import read_label_map
from phenopipe.segment.blocks import read_prediction
from phenopipe.segment.leaves import find_leaves
from phenopipe.segment.ready import prepare_process
from phenopipe.segment.stored_crop import Crop
from phenopipe.sweep.truth import SeenTruth

#: What is stored of each crop and point: leaves found, plant area in image px², and with a truth
#: SBD and the difference in count; all missing for a crop that cannot be read.
FIGURES = ("leaf_count", "plant_area_px", "symmetric_best_dice", "difference_in_count")


@dataclass(frozen=True)
class SweptCrop:
    """A crop, and where its true leaves are.

    Attributes
    ----------
    crop : Crop
        The crop.
    truth : Path or None
        Label map of its image.
    image_shape : tuple of int
        Height and width of its image.
    """

    crop: Crop
    truth: Path | None
    image_shape: tuple[int, int]


def sweep_block(crops: Sequence[SweptCrop], points: Sequence[SegmentSettings], path: str) -> None:
    """Segment some crops with all settings and write the figures, (N, P, F) float64, as .npy.

    A file that is there is not written again, as after a worker that was lost at another one of its
    tasks.

    Parameters
    ----------
    crops : sequence of SweptCrop
        N crops; each is read and decoded once.
    points : sequence of SegmentSettings
        P settings.
    path : str
        File to write: F = len(`FIGURES`).

    Raises
    ------
    InputError
        If a label map cannot be read or is of another size than its image.
    StoreError
        If the file cannot be written.
    """
    if Path(path).exists():
        return
    prepare_process()
    figures = np.stack([_sweep_crop(swept, points) for swept in crops])
    with write_aside(path) as part, part.open("wb") as file:
        np.save(file, figures, allow_pickle=False)


def _sweep_crop(swept: SweptCrop, points: Sequence[SegmentSettings]) -> NDArray[np.float64]:
    figures = np.full((len(points), len(FIGURES)), np.nan)
    crop = swept.crop
    try:
        distance, embedding, window = read_prediction(crop)
    except StoreError:
        return figures
    size = len(distance)
    inside = window.clip(crop.valid, size)
    pixel = abs(np.linalg.det(window.compose(crop.matrix, size)[:, :2]))
    truth = None
    if swept.truth is not None:
        labels = read_label_map(swept.truth, swept.image_shape)
        truth = SeenTruth(labels, crop.matrix, crop.valid, window, size)
    whole = np.zeros((size, size), np.uint32)
    at = np.s_[inside[1] : inside[3], inside[0] : inside[2]]
    for point, settings in enumerate(points):
        whole[at] = find_leaves(distance[at], embedding[at], settings).labels
        figures[point, :2] = whole.max(), np.count_nonzero(whole) * pixel
        if truth is not None:
            figures[point, 2:] = truth.score(whole)
    return figures
