"""Which crops there are to segment: the tables and stores of all shards, in order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import zarr

from phenopipe.crop_array import CropArray
from phenopipe.crop_table import VALID
from phenopipe.errors import InputError, StoreError
from phenopipe.own_rows import Places, own_rows
from phenopipe.segment.stored_crop import Crop, StoredShard
from phenopipe.store import crop_array, open_array, open_store
from phenopipe.store_attributes import is_cleaned, read_attribute
from phenopipe.tsv import read_tsv

_Path = str | os.PathLike[str]

MATRIX = ("m00", "m01", "m02", "m10", "m11", "m12")
NEEDED = ("crop_id", "image", "pot", *MATRIX, *VALID, "status", "reason")


def list_crops(
    crops: Sequence[tuple[_Path, _Path]],
    predictions: Sequence[_Path],
    *,
    pixels: bool = True,
    places: Places | None = None,
) -> tuple[list[Crop], int]:
    """Read the tables of all shards and check that their stores fit them.

    Parameters
    ----------
    crops : sequence of (path-like, path-like)
        Table and store of each shard.
    predictions : sequence of path-like
        Store of predictions of each shard, in the same order.
    pixels : bool
        Whether the crops' own pixels will be read; if not, cleaned stores will do.
    places : mapping of str to str, optional
        Shard of each image, where a joint one is among the shards: of that, only these images
        count.

    Returns
    -------
    crops : list of Crop
        All crops of the set, shard after shard.
    size : int
        Side of a prediction, px; 1 if there is no shard.

    Raises
    ------
    InputError
        If there are not as many predictions as shards, a table lacks columns or values, or a
        shard is a joint one and there are no `places`.
    StoreError
        If a table or store is missing, or of another size, number of dimensions or model than the
        rest.
    """
    if len(crops) != len(predictions):
        raise InputError(f"{len(crops)} shards of crops, but {len(predictions)} of predictions")
    found: list[Crop] = []
    sizes: dict[str, str] = {}
    models: dict[str, str] = {}
    side = 1
    for (table, rgb_store), prediction_store in zip(crops, predictions, strict=True):
        rows = _read_table(table)
        shard = _find_arrays(rgb_store, prediction_store, len(rows), table, pixels=pixels)
        side, dimensions = shard.embedding.shape[2:]
        sizes.setdefault(f"{side} px and E = {dimensions}", str(prediction_store))
        model = read_attribute(prediction_store, "model_sha256", "predictions")
        models.setdefault(f"{model:.12}", str(prediction_store))
        for index in own_rows(table, [row["image"] for row in rows], places):
            found.append(_crop(rows[index], shard, index, f"{table}: row {index + 1}"))
    for differ, what in (
        (sizes, "have one size and one number of dimensions E"),
        (models, "are of one model"),
    ):
        if len(differ) > 1:
            each = ", ".join(f"{value} in {store}" for value, store in differ.items())
            raise StoreError(
                f"predictions of one image set {what}, but these differ: {each}; predict them anew "
                "with one model and one predict.network_size"
            )
    return found, side


def _read_table(path: _Path) -> list[dict[str, str]]:
    columns, rows = read_tsv(path)
    if missing := [name for name in NEEDED if name not in columns]:
        raise InputError(f"{path}: lacks the columns {', '.join(missing)}")
    return [dict(zip(columns, cells, strict=True)) for cells in rows]


def _find_arrays(
    rgb_store: _Path, prediction_store: _Path, count: int, table: _Path, *, pixels: bool
) -> StoredShard:
    """Find the arrays of a shard, or say what does not fit."""
    if not pixels and is_cleaned(rgb_store):
        side = int(read_attribute(rgb_store, "crop_size"))
        shape = (count, side, side, 3)
        rgb = CropArray(str(Path(rgb_store, "rgb")), shape, np.dtype(np.uint8), count).resolve()
    else:
        rgb = _find_array(open_store(rgb_store, "crops"), "rgb")
        side = rgb.shape[1] if len(rgb.shape) == 4 else 0
    store = open_store(prediction_store, "predictions")
    distance, embedding, window = (
        _find_array(store, name) for name in ("distance", "embedding", "window")
    )
    seen = distance.shape[1] if len(distance.shape) == 3 else 0
    dimensions = max(embedding.shape[-1], 2)  # one alone has no angles
    expected = (
        (f"{rgb_store}: rgb", rgb, (count, side, side, 3), np.uint8),
        (f"{prediction_store}: distance", distance, (count, seen, seen), np.uint8),
        (f"{prediction_store}: embedding", embedding, (count, seen, seen, dimensions), np.int8),
        (f"{prediction_store}: window", window, (count, 3), np.int32),
    )
    problems = [
        f"{name} is {array.shape} {array.dtype}, but {table} asks for {wanted} {np.dtype(dtype)}"
        for name, array, wanted, dtype in expected
        if array.shape != wanted or array.dtype != dtype
    ]
    if problems:
        raise StoreError(*problems)
    return StoredShard(rgb, distance, embedding, window)


def _find_array(store: zarr.Group, name: str) -> CropArray:
    return crop_array(open_array(store, name)).resolve()


def _crop(row: dict[str, str], shard: StoredShard, index: int, where: str) -> Crop:
    names = row["crop_id"], row["image"], row["pot"]
    crop = Crop(*names, row["status"], row["reason"], shard, index)
    if crop.status != "ok":
        return crop
    crop = replace(crop, transform=tuple(_numbers(row, MATRIX, where)))
    if np.linalg.matrix_rank(crop.matrix[:, :2]) < 2:
        raise InputError(f"{where}: m00, m01, m10 and m11 map the crop to a line, not to an area")
    left, top, right, bottom = (int(value) for value in _numbers(row, VALID, where))
    size = crop.size
    if not (0 <= left <= right <= size and 0 <= top <= bottom <= size):
        box = f"({left}, {top}, {right}, {bottom})"
        raise InputError(f"{where}: valid_* is {box}, no box inside a crop of {size} px")
    return replace(crop, valid=(left, top, right, bottom))


def _numbers(row: dict[str, str], names: tuple[str, ...], where: str) -> list[float]:
    values = []
    for name in names:
        try:
            value = float(row[name])
        except ValueError as error:
            raise InputError(f"{where}: {name} is no number (is {row[name]!r})") from error
        if not np.isfinite(value):
            raise InputError(f"{where}: {name} is not finite (is {row[name]!r})")
        values.append(value)
    return values
