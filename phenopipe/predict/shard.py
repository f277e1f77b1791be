"""Predictions of one shard: crops in, a store of distance maps and embeddings out."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from phenopipe.config import PredictSettings
from phenopipe.encoding import encode_distance, encode_embedding
from phenopipe.errors import StoreError
from phenopipe.ingest.table import read_crop_table
from phenopipe.model.find import file_sha256
from phenopipe.model.header import read_header
from phenopipe.predict.look import look
from phenopipe.predict.network import Network
from phenopipe.progress import track
from phenopipe.store import create_array, create_store, open_array, open_store, read_crop
from phenopipe.window import Box

log = logging.getLogger(__name__)


def predict_shard(
    crops: str | os.PathLike[str],
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: PredictSettings | None = None,
    *,
    table: str | os.PathLike[str] | None = None,
) -> None:
    """Run the network over all crops of a shard.

    Parameters
    ----------
    crops : path-like
        Store of the crops, array ``rgb`` (N, S, S, 3) uint8.
    model : path-like
        Model file.
    output : path-like
        Store to write: ``distance`` (N, S, S) uint8 and ``embedding`` (N, S, S, E) int8 of each
        crop's window, ``window`` (N, 3) int32: left, top and side. It appears only when whole.
    settings : PredictSettings, optional
        How often to look, at which size; device, precision and batch size.
    table : path-like, optional
        Table of the crops (TSV), which says how much of each is picture; all by default.

    Raises
    ------
    StoreError
        If the crops' store is missing or of another layout, the table does not fit it, or
        `output` cannot be written. A
        single crop that is damaged is predicted as a black picture, with a warning; `segment`
        finds it too and flags its row.
    ModelError
        If the model is damaged, or the device is not there.
    """
    attributes = {"model": read_header(model), "model_sha256": file_sha256(model)}
    network = Network(model, settings)
    rgb = open_array(open_store(crops, "crops"), "rgb")
    count, size = rgb.shape[:2]
    if rgb.shape != (count, size, size, 3) or rgb.dtype != np.uint8:
        raise StoreError(f"{crops}: rgb is {rgb.shape} {rgb.dtype}, not (N, S, S, 3) uint8")
    boxes = _valid_boxes(table, count, size)
    seen = network.settings.network_size or size
    distances = np.zeros((count, seen, seen), np.uint8)
    embeddings = np.zeros((count, seen, seen, network.embedding_dim), np.int8)
    windows = np.zeros((count, 3), np.int32)
    step = network.settings.batch_size
    for start in track(range(0, count, step), -(-count // step), f"predict {Path(crops).stem}"):
        stop = min(start + step, count)
        found = look(network, _read(rgb, start, stop), boxes[start:stop])
        distances[start:stop] = encode_distance(found.distance)
        embeddings[start:stop] = encode_embedding(found.embedding, found.distance)
        windows[start:stop] = [(w.left, w.top, w.side) for w in found.windows]
    with create_store(output, "predictions", attributes) as group:
        create_array(group, "distance", distances.shape, np.uint8)[:] = distances
        create_array(group, "embedding", embeddings.shape, np.int8)[:] = embeddings
        create_array(group, "window", windows.shape, np.int32)[:] = windows


def _valid_boxes(table: str | os.PathLike[str] | None, count: int, size: int) -> list[Box]:
    if table is None:
        return [(0, 0, size, size)] * count
    rows = read_crop_table(table)
    if len(rows) != count:
        raise StoreError(f"{table}: has {len(rows)} rows, but the store beside it {count} crops")
    edges = [rows[f"valid_{side}"].tolist() for side in ("left", "top", "right", "bottom")]
    return list(zip(*edges, strict=True))


def _read(rgb: zarr.Array[Any], start: int, stop: int) -> NDArray[np.uint8]:
    return np.stack([_read_or_black(rgb, index) for index in range(start, stop)])


def _read_or_black(rgb: zarr.Array[Any], index: int) -> NDArray[np.uint8]:
    try:
        return read_crop(rgb, index)
    except StoreError as error:
        log.warning("%s", error)
        return np.zeros(rgb.shape[1:], np.uint8)
