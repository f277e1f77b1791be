"""One task of a set: segment and measure a block of crops, write their labels to one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.encoding import decode_distance, decode_embedding
from phenopipe.errors import StoreError
from phenopipe.segment.leaves import Segmentation, find_leaves
from phenopipe.segment.sources import Crop
from phenopipe.segment.traits import TRAITS, Box, measure_traits
from phenopipe.store import Kind, open_array, open_store, read_crop, write_block

Opener = Callable[[str, Kind, str], zarr.Array[Any]]

#: Columns of the measurements before the traits.
KEYS = ("crop_id", "image", "pot", "crop_index", "label", "status", "reason")


def segment_block(
    crops: Sequence[Crop], start: int, labels_store: str, settings: SegmentSettings
) -> pd.DataFrame:
    """Segment a block of crops and write their labels.

    Parameters
    ----------
    crops : sequence of Crop
        The block.
    start : int
        Place of its first crop in the set: a multiple of the block size of the labels.
    labels_store : str
        Store with the array ``labels`` of the whole set; only this block's file is written.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    DataFrame
        Measurements, in the order of crops, then labels: one row with label 0 for each crop, then
        one for each of its leaves. A crop whose stored pixels are damaged has status "damaged".

    Raises
    ------
    OSError
        If the labels cannot be written.
    """
    size = open_array(open_store(labels_store, "labels"), "labels").shape[1]
    labels = np.zeros((len(crops), size, size), np.uint32)
    opened = cache(_open)
    tables = []
    for index, crop in enumerate(crops):
        table, labels[index] = _segment_crop(crop, opened, size, settings)
        table["crop_index"] = start + index
        tables.append(table)
    write_block(labels_store, "labels", start, labels)
    return _typed(pd.concat(tables, ignore_index=True))


def empty_measurements() -> pd.DataFrame:
    """Return measurements without rows, columns and types as always."""
    return _typed(pd.DataFrame(columns=[*KEYS, *TRAITS]))


def _segment_crop(
    crop: Crop,
    opened: Opener,
    size: int,
    settings: SegmentSettings,
) -> tuple[pd.DataFrame, NDArray[np.uint32]]:
    labels = np.zeros((size, size), np.uint32)
    status, reason = crop.status, crop.reason
    traits = pd.DataFrame({"label": [0]}).reindex(columns=["label", *TRAITS])
    if status == "ok":
        try:
            rgb, distance, embedding = _read(crop, opened)
        except StoreError as error:
            status, reason = "damaged", str(error)
        else:
            labels, traits = segment_crop(
                rgb, distance, embedding, crop.matrix, crop.valid, settings
            )
    names = {"crop_id": crop.crop_id, "image": crop.image, "pot": crop.pot}
    return traits.assign(**names, status=status, reason=reason), labels


def segment_crop(
    rgb: NDArray[np.uint8],
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    transform: NDArray[np.float64],
    valid: Box,
    settings: SegmentSettings,
) -> tuple[NDArray[np.uint32], pd.DataFrame]:
    """Segment and measure one crop from its stored prediction.

    Parameters
    ----------
    rgb : ndarray, (S, S, 3), uint8
        The crop.
    distance : ndarray, (S, S), uint8
        Stored distance map.
    embedding : ndarray, (S, S, E), int8
        Stored embedding.
    transform : ndarray, (2, 3), float
        Affine map from crop to image.
    valid : tuple of int
        Half-open box (left, top, right, bottom) of the real picture, px of the crop.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (S, S), uint32
        Leaves 1..K; 0 is background.
    traits : DataFrame
        As `phenopipe.segment.measure_traits` gives them.
    """
    found = _find_inside(distance, embedding, valid, settings)
    return found.labels, measure_traits(found, rgb, transform, valid)


def _read(crop: Crop, opened: Opener) -> tuple[NDArray[Any], ...]:
    arrays = (
        opened(crop.rgb_store, "crops", "rgb"),
        opened(crop.prediction_store, "predictions", "distance"),
        opened(crop.prediction_store, "predictions", "embedding"),
    )
    return tuple(read_crop(array, crop.position) for array in arrays)


def _open(store: str, kind: Kind, name: str) -> zarr.Array[Any]:
    return open_array(open_store(store, kind), name)


def _find_inside(
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    valid: Box,
    settings: SegmentSettings,
) -> Segmentation:
    """Segment the part of a crop that is picture; the rest is background."""
    left, top, right, bottom = valid
    inside = slice(top, bottom), slice(left, right)
    found = find_leaves(
        decode_distance(distance[inside]), decode_embedding(embedding[inside]), settings
    )
    labels = np.zeros(distance.shape, np.uint32)
    labels[inside] = found.labels
    return Segmentation(labels, found.confidence)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Fix order and types of columns, whatever the rows hold."""
    types: dict[str, str] = dict.fromkeys(TRAITS, "float64") | {"touches_edge": "boolean"}
    types |= dict.fromkeys(KEYS, "str") | {"crop_index": "int64", "label": "int64"}
    return table[[*KEYS, *TRAITS]].astype(types)
