"""One task of a set: segment and measure a block of crops, write their labels to one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.crop_array import CropArray, read_crop, read_window, write_block
from phenopipe.errors import StoreError
from phenopipe.segment.columns import KEYS, TRAITS, Columns
from phenopipe.segment.measured import is_measured, write_measured
from phenopipe.segment.ready import prepare_process
from phenopipe.segment.stored_crop import Crop
from phenopipe.window import Window


@dataclass(frozen=True)
class Parts:
    """What tasks write to while a set is segmented.

    Attributes
    ----------
    labels : CropArray, (N, S, S), uint32
        Leaves 1..K of each crop of the set.
    window : CropArray, (N, 3), int32
        Left, top and side of what a crop's labels cover; zeros where there are none.
    """

    labels: CropArray
    window: CropArray

    @property
    def folder(self) -> Path:
        """The folder that both are in, and the tables of blocks."""
        return Path(self.labels.folder).parent


def segment_block(
    crops: Sequence[Crop], start: int, parts: Parts, settings: SegmentSettings
) -> None:
    """Segment a block of crops and leave their labels and measurements in files of its own.

    Files: a block of labels and of windows, and a table of measurements: one row with label 0 for
    each crop, then one for each of its leaves. A crop whose stored pixels are damaged has status
    "damaged". A block whose files are there is not done again, as after a worker that was lost at
    another one of its tasks.

    Parameters
    ----------
    crops : sequence of Crop
        The block.
    start : int
        Place of its first crop in the set: a multiple of the task size.
    parts : Parts
        Where to leave them.
    settings : SegmentSettings
        Thresholds.

    Raises
    ------
    OSError
        If results cannot be written.
    """
    if is_measured(parts.folder, start):
        return
    prepare_process()
    done = [_segment_crop(crop, parts.labels.shape[1], settings) for crop in crops]
    write_block(parts.labels, start, [crop.labels for crop in done])
    write_block(parts.window, start, [crop.window for crop in done])
    write_measured(parts.folder, start, _name_rows(done, crops, start))


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
            rgb = read_crop(crop.shard.rgb, crop.position)
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
    shard = crop.shard
    return (
        read_crop(shard.distance, crop.position),
        read_crop(shard.embedding, crop.position),
        read_window(shard.window, crop.position, crop.size),
    )
