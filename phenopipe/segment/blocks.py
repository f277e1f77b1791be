"""One task of a set: segment and measure a block of crops, write their labels to one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.errors import StoreError
from phenopipe.segment.columns import KEYS, TRAITS, Columns
from phenopipe.segment.measured import write_measured
from phenopipe.segment.ready import prepare_process
from phenopipe.segment.stored_crop import Crop
from phenopipe.store import (
    create_array,
    opened,
    read_crop,
    read_window,
    write_block,
)
from phenopipe.window import Window

#: Group of a store in which tasks leave their files while a set is segmented.
PARTS = "parts"


def create_parts(labels: zarr.Group, count: int, size: int, task: int) -> None:
    """Make room in a store of labels for what tasks leave.

    Parameters
    ----------
    labels : zarr.Group
        The store.
    count : int
        Crops of the set.
    size : int
        Side of a label map, px.
    task : int
        Crops in one task.
    """
    parts = labels.create_group(PARTS)
    create_array(parts, "labels", (count, size, size), np.uint32, block=task)
    create_array(parts, "window", (count, 3), np.int32, block=task)


def segment_block(
    crops: Sequence[Crop], start: int, labels_store: str, settings: SegmentSettings
) -> None:
    """Segment a block of crops and leave their labels and measurements in files of its own.

    Files: a block of ``parts/labels`` and of ``parts/window`` (left, top and side of what each
    crop's labels cover, zeros where there are none), and a table of measurements: one row with
    label 0 for each crop, then one for each of its leaves. A crop whose stored pixels are damaged
    has status "damaged".

    Parameters
    ----------
    crops : sequence of Crop
        The block.
    start : int
        Place of its first crop in the set: a multiple of the task size.
    labels_store : str
        Store in which `create_parts` made room.
    settings : SegmentSettings
        Thresholds.

    Raises
    ------
    OSError
        If results cannot be written.
    """
    prepare_process()
    labels, windows = (
        opened(labels_store, "labels", f"{PARTS}/{name}") for name in ("labels", "window")
    )
    done = [_segment_crop(crop, labels.shape[1], settings) for crop in crops]
    write_block(labels, start, [crop.labels for crop in done])
    write_block(windows, start, [crop.window for crop in done])
    write_measured(Path(labels_store, PARTS), start, _name_rows(done, crops, start))


@dataclass(frozen=True)
class _Segmented:
    """What became of one crop: labels, the window that they cover, traits, status and reason."""

    labels: NDArray[np.uint32]
    window: NDArray[np.int32]
    traits: Columns
    status: str
    reason: str


def _segment_crop(crop: Crop, size: int, settings: SegmentSettings) -> _Segmented:
    # Not before, since who only hands out tasks needs none of it.
    from phenopipe.segment.crop import PredictedCrop, segment_columns

    status, reason = crop.status, crop.reason
    if status == "ok":
        try:
            rgb = read_crop(opened(crop.rgb_store, "crops", "rgb"), crop.position)
            distance, embedding, window = read_prediction(crop)
        except StoreError as error:
            status, reason = "damaged", str(error)
        else:
            predicted = PredictedCrop(rgb, distance, embedding, window, crop.matrix, crop.valid)
            labels, traits = segment_columns(predicted, settings)
            seen = np.array([window.left, window.top, window.side], np.int32)
            return _Segmented(labels, seen, traits, status, reason)
    traits = {"label": np.zeros(1)} | dict.fromkeys(TRAITS, np.full(1, np.nan))
    nothing = np.zeros((size, size), np.uint32), np.zeros(3, np.int32)
    return _Segmented(*nothing, traits, status, reason)


def _name_rows(done: Sequence[_Segmented], crops: Sequence[Crop], start: int) -> Columns:
    """Join the traits of crops, and say in each row which crop it is of."""
    of_crops = {
        "crop_id": [crop.crop_id for crop in crops],
        "image": [crop.image for crop in crops],
        "pot": [crop.pot for crop in crops],
        "crop_index": range(start, start + len(crops)),
        "status": [crop.status for crop in done],
        "reason": [crop.reason for crop in done],
    }
    rows = [len(crop.traits["label"]) for crop in done]
    columns = {name: np.repeat(np.array(values), rows) for name, values in of_crops.items()}
    for name in ("label", *TRAITS):
        columns[name] = np.concatenate([crop.traits[name] for crop in done]).astype(np.float64)
    return {name: columns[name] for name in (*KEYS, *TRAITS)}


def read_prediction(crop: Crop) -> tuple[NDArray[np.uint8], NDArray[np.int8], Window]:
    """Read what was predicted of a crop, and for which part of it.

    Parameters
    ----------
    crop : Crop
        The crop.

    Raises
    ------
    StoreError
        If a store is missing or damaged; names store and crop.
    """
    distance, embedding, window = (
        opened(crop.prediction_store, "predictions", name)
        for name in ("distance", "embedding", "window")
    )
    return (
        read_crop(distance, crop.position),
        read_crop(embedding, crop.position),
        read_window(window, crop.position, crop.size),
    )
