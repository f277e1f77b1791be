"""Predictions of one shard: crops in, a store of distance maps and embeddings out."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray

from phenopipe.ahead import work_ahead
from phenopipe.config import PredictSettings
from phenopipe.crop_array import CropArray, read_crop
from phenopipe.crop_table import VALID, read_crop_table
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import StoreError
from phenopipe.model.find import file_sha256
from phenopipe.model.header import read_header
from phenopipe.predict.devices import open_networks
from phenopipe.predict.look import Batch, Prediction, look
from phenopipe.predict.network import Network
from phenopipe.predict.torch_threads import torch_threads
from phenopipe.progress import track
from phenopipe.store import create_store, crop_array, open_array, open_store
from phenopipe.window import Box

log = logging.getLogger(__name__)

#: Crops of one batch take at most so much memory.
MOST_BATCH_BYTES = 2**28
#: Of predictions: a level of 3 takes 2.6 times as long, beside the network, to save 3 %.
ZSTD_LEVEL = 1


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
    if Path(output).resolve() == Path(crops).resolve():
        raise StoreError(f"{output}: holds the crops; give the predictions another name")
    attributes = {"model": read_header(model), "model_sha256": file_sha256(model)}
    source = _Source.open(crops, table)
    networks = open_networks(model, settings)
    size = networks[0].settings.network_size or source.size
    for network in networks:
        network.probe_batch_size(size, size)
    dimensions = networks[0].embedding_dim
    shapes = {
        "distance": ((source.count, size, size), np.uint8),
        "embedding": ((source.count, size, size, dimensions), np.int8),
        "window": ((source.count, 3), np.int32),
    }
    started = time.monotonic()
    with ExitStack() as stack:
        group = stack.enter_context(create_store(output, "predictions", attributes))
        distance, embedding, window = (
            stack.enter_context(CropWriter(group, name, *shape, ZSTD_LEVEL))
            for name, shape in shapes.items()
        )
        for found in _predict(networks, source, size, f"predict {Path(crops).stem}"):
            for number, (left, top, side) in enumerate(map(astuple, found.windows)):
                distance.append(found.distance[number])
                embedding.append(found.embedding[number])
                window.append(np.array([left, top, side], np.int32))
    seconds = time.monotonic() - started
    log.info("predict: %d crops, %.1f a second", source.count, source.count / max(seconds, 1e-3))


def _predict(
    networks: list[Network], source: _Source, size: int, description: str
) -> Iterator[Prediction]:
    """Yield the batches' predictions in order, while the next ones are read and predicted."""
    # Several batches of whole crops wait in memory, whatever size the network sees.
    step = max(1, min(networks[0].batch_size, MOST_BATCH_BYTES // source.bytes_per_crop))
    starts = range(0, source.count, step)
    on_cpu = networks[0].device.type == "cpu"
    # A core to each batch, which waits for no other: cores that share a batch wait for each other
    # at each layer. While one thread of a GPU waits for its results, another keeps it busy.
    threads = torch.get_num_threads() if on_cpu else 2
    idle = SimpleQueue[Network]()
    for network in networks * threads:
        idle.put(network)
    runners = idle.qsize()

    def read(start: int) -> Batch:
        return source.read(start, min(start + step, source.count), size)

    def run(batch: Batch) -> Prediction:
        network = idle.get()
        try:
            return look(network, batch)
        finally:
            idle.put(network)

    with ThreadPoolExecutor(runners) as readers, torch_threads(runners, single=on_cpu) as pool:
        batches = work_ahead(readers, read, starts, runners + 1)
        yield from track(work_ahead(pool, run, batches, runners), len(starts), description)


@dataclass(frozen=True)
class _Source:
    """The crops of a shard.

    Attributes
    ----------
    rgb : CropArray, (N, C, C, 3), uint8
        Their pixels.
    valid : list of tuple of int
        What is real picture in each.
    """

    rgb: CropArray
    valid: list[Box]

    @classmethod
    def open(cls, crops: str | os.PathLike[str], table: str | os.PathLike[str] | None) -> _Source:
        """Open a store of crops and check its layout."""
        rgb = crop_array(open_array(open_store(crops, "crops"), "rgb"))
        count, size = rgb.shape[:2]
        if rgb.shape != (count, size, size, 3) or rgb.dtype != np.uint8:
            raise StoreError(f"{crops}: rgb is {rgb.shape} {rgb.dtype}, not (N, S, S, 3) uint8")
        return cls(rgb, _valid_boxes(table, count, size))

    @property
    def count(self) -> int:
        """Crops in the shard."""
        return self.rgb.shape[0]

    @property
    def size(self) -> int:
        """Side of a crop, px."""
        return self.rgb.shape[1]

    @property
    def bytes_per_crop(self) -> int:
        """Memory that the pixels of a crop take."""
        return self.size * self.size * 3

    def read(self, start: int, stop: int, network_size: int) -> Batch:
        """Read some crops; damaged ones are black."""
        crops = np.stack([_read_or_black(self.rgb, index) for index in range(start, stop)])
        return Batch.make(crops, network_size, self.valid[start:stop])


def _valid_boxes(table: str | os.PathLike[str] | None, count: int, size: int) -> list[Box]:
    if table is None:
        return [(0, 0, size, size)] * count
    rows = read_crop_table(table)
    if len(rows) != count:
        raise StoreError(f"{table}: has {len(rows)} rows, but the store beside it {count} crops")
    return list(zip(*(rows[name].tolist() for name in VALID), strict=True))


def _read_or_black(rgb: CropArray, index: int) -> NDArray[np.uint8]:
    try:
        return read_crop(rgb, index)
    except StoreError as error:
        log.warning("%s", error)
        return np.zeros(rgb.shape[1:], np.uint8)
