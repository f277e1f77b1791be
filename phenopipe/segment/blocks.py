"""One task of a set: segment and measure a block of crops, write their labels to one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.encoding import decode_distance, decode_embedding
from phenopipe.errors import StoreError
from phenopipe.memory import keep_freed_memory
from phenopipe.segment.leaves import Segmentation, find_leaves
from phenopipe.segment.sources import Crop
from phenopipe.segment.traits import TRAITS, Columns, trait_columns
from phenopipe.store import (
    Kind,
    create_array,
    open_array,
    open_store,
    read_crop,
    read_window,
    write_block,
)
from phenopipe.threads import limit_threads
from phenopipe.window import Box, Window

Opener = Callable[[str, Kind, str], zarr.Array[Any]]

#: Group of a store in which tasks leave their files while a set is segmented.
PARTS = "parts"
#: Columns of the measurements before the traits.
KEYS = ("crop_id", "image", "pot", "crop_index", "label", "status", "reason")


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
    crop's labels cover, zeros where there are none), and the table that `read_measured` reads:
    one row with label 0 for each crop, then one for each of its leaves. A crop whose stored
    pixels are damaged has status "damaged".

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
    keep_freed_memory()
    limit_threads(1)  # workers are as many as there are cores for them
    size = open_array(open_store(labels_store, "labels"), f"{PARTS}/labels").shape[1]
    opened = open_cached()
    done = [_segment_crop(crop, opened, size, settings) for crop in crops]
    write_block(labels_store, f"{PARTS}/labels", start, [crop.labels for crop in done])
    write_block(labels_store, f"{PARTS}/window", start, [crop.window for crop in done])
    _write_whole(_table_path(labels_store, start), _name_rows(done, crops, start))


def read_measured(labels_store: str, start: int) -> pd.DataFrame:
    """Read the measurements that `segment_block` left of a block."""
    return pd.read_parquet(_table_path(labels_store, start))


def _write_whole(path: Path, table: pd.DataFrame) -> None:
    """Write a table that no reader, and no second run of the task, ever sees half-written."""
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    table.to_parquet(part, index=False)
    part.replace(path)


def _table_path(labels_store: str, start: int) -> Path:
    return Path(labels_store, PARTS, f"{start}.parquet")


def empty_measurements() -> pd.DataFrame:
    """Return measurements without rows, columns and types as always."""
    return _typed(pd.DataFrame(columns=[*KEYS, *TRAITS]))


@dataclass(frozen=True)
class _Segmented:
    """What became of one crop: labels, the window that they cover, traits, status and reason."""

    labels: NDArray[np.uint32]
    window: NDArray[np.int32]
    traits: Columns
    status: str
    reason: str


def _segment_crop(crop: Crop, opened: Opener, size: int, settings: SegmentSettings) -> _Segmented:
    status, reason = crop.status, crop.reason
    if status == "ok":
        try:
            rgb = read_crop(opened(crop.rgb_store, "crops", "rgb"), crop.position)
            distance, embedding, window = read_prediction(crop, opened)
        except StoreError as error:
            status, reason = "damaged", str(error)
        else:
            labels, traits = _segment_stored(
                rgb, distance, embedding, window, crop.matrix, crop.valid, settings
            )
            seen = np.array([window.left, window.top, window.side], np.int32)
            return _Segmented(labels, seen, traits, status, reason)
    traits = {"label": np.zeros(1)} | dict.fromkeys(TRAITS, np.full(1, np.nan))
    nothing = np.zeros((size, size), np.uint32), np.zeros(3, np.int32)
    return _Segmented(*nothing, traits, status, reason)


def _name_rows(done: Sequence[_Segmented], crops: Sequence[Crop], start: int) -> pd.DataFrame:
    """Join the traits of crops, and say in each row which crop it is of."""
    columns = {
        "crop_id": [crop.crop_id for crop in crops],
        "image": [crop.image for crop in crops],
        "pot": [crop.pot for crop in crops],
        "crop_index": range(start, start + len(crops)),
        "status": [crop.status for crop in done],
        "reason": [crop.reason for crop in done],
    }
    # Once for all crops: pandas takes longer for a column than a crop takes to measure it.
    keys = pd.DataFrame(columns)
    rows = keys.loc[np.repeat(np.arange(len(crops)), [len(crop.traits["label"]) for crop in done])]
    traits = {
        name: np.concatenate([crop.traits[name] for crop in done]) for name in ("label", *TRAITS)
    }
    return _typed(pd.concat([rows.reset_index(drop=True), pd.DataFrame(traits)], axis=1))


def segment_crop(
    rgb: NDArray[np.uint8],
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    window: Window,
    transform: NDArray[np.float64],
    valid: Box,
    settings: SegmentSettings,
) -> tuple[NDArray[np.uint32], pd.DataFrame]:
    """Segment and measure one crop from its stored prediction.

    Parameters
    ----------
    rgb : ndarray, (C, C, 3), uint8
        The crop.
    distance : ndarray, (S, S), uint8
        Stored distance map of the window.
    embedding : ndarray, (S, S, E), int8
        Stored embedding of the window.
    window : Window
        The part of the crop that was predicted.
    transform : ndarray, (2, 3), float
        Affine map from crop to image.
    valid : tuple of int
        Half-open box (left, top, right, bottom) of the real picture, px of the crop.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (S, S), uint32
        Leaves 1..K in the window; 0 is background.
    traits : DataFrame
        As `phenopipe.segment.measure_traits` gives them.
    """
    labels, traits = _segment_stored(rgb, distance, embedding, window, transform, valid, settings)
    return labels, pd.DataFrame(traits)


def _segment_stored(
    rgb: NDArray[np.uint8],
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    window: Window,
    transform: NDArray[np.float64],
    valid: Box,
    settings: SegmentSettings,
) -> tuple[NDArray[np.uint32], Columns]:
    """As `segment_crop`, with columns in place of a table."""
    size = len(distance)
    inside = window.clip(valid, size)
    found = _find_inside(distance, embedding, inside, settings)
    seen = window.resample(rgb, size)
    return found.labels, trait_columns(found, seen, window.compose(transform, size), inside)


def read_prediction(
    crop: Crop, opened: Opener
) -> tuple[NDArray[np.uint8], NDArray[np.int8], Window]:
    """Read what was predicted of a crop, and for which part of it.

    Parameters
    ----------
    crop : Crop
        The crop.
    opened : callable
        As `open_cached` gives it.

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


def open_cached() -> Opener:
    """Return a function that opens an array of a store, each only once."""
    return cache(_open)


def _open(store: str, kind: Kind, name: str) -> zarr.Array[Any]:
    return open_array(open_store(store, kind), name)


def decode_inside(
    distance: NDArray[np.uint8], embedding: NDArray[np.int8], box: Box
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Decode the part of a stored prediction that lies in a box."""
    left, top, right, bottom = box
    inside = slice(top, bottom), slice(left, right)
    return decode_distance(distance[inside]), decode_embedding(embedding[inside])


def _find_inside(
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    valid: Box,
    settings: SegmentSettings,
) -> Segmentation:
    """Segment the part of a window that is picture; the rest is background."""
    left, top, right, bottom = valid
    found = find_leaves(*decode_inside(distance, embedding, valid), settings)
    labels = np.zeros(distance.shape, np.uint32)
    labels[top:bottom, left:right] = found.labels
    return Segmentation(labels, found.confidence)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Fix order and types of columns, whatever the rows hold."""
    types: dict[str, str] = dict.fromkeys(TRAITS, "float64") | {"touches_edge": "boolean"}
    types |= dict.fromkeys(KEYS, "str") | {"crop_index": "int64", "label": "int64"}
    return table[[*KEYS, *TRAITS]].astype(types)
