"""The stage `segment` for one image set."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.files import write_aside
from phenopipe.progress import track
from phenopipe.segment.blocks import empty_measurements, segment_block
from phenopipe.segment.cluster import connect
from phenopipe.segment.sources import Crop, list_crops
from phenopipe.store import create_array, create_store, store_path

log = logging.getLogger(__name__)

Done = tuple[pd.DataFrame, NDArray[np.int32]]
Progress = Callable[[Iterable[Done], int, str], Iterator[Done]]

#: Files of labels for each 1,000 crops of a set, one a task: with those of crops and predictions,
#: and Snakemake's own, 20 in all.
BLOCKS_PER_1000 = 3
#: Crops in one task: enough to be worth a worker, and no more than those files ask for ...
SMALLEST_BLOCK = 100
LARGEST_BLOCK = 334
#: ... and labels that a task may hold in memory, bytes.
BLOCK_BYTES = 352 * 2**20


def segment_set(
    crops: Sequence[tuple[str | os.PathLike[str], str | os.PathLike[str]]],
    predictions: Sequence[str | os.PathLike[str]],
    labels_path: str | os.PathLike[str],
    measurements_path: str | os.PathLike[str],
    *,
    settings: SegmentSettings | None = None,
    dask: DaskSettings | None = None,
    workers: int = 1,
    block_size: int | None = None,
    progress: Progress = track,
) -> None:
    """Segment and measure all crops of an image set, in parallel.

    Tasks read pixels from the shards' stores and write labels to files of their own; only small
    tables pass through the scheduler. The answer is the same for any number of workers and any
    block size.

    Parameters
    ----------
    crops : sequence of (path-like, path-like)
        Table (TSV) and store (Zarr) of each shard's crops.
    predictions : sequence of path-like
        Store of each shard's predictions, in the same order.
    labels_path : path-like
        Store to write: ``labels`` (N, S, S) uint32, the crops of all shards one after another,
        and ``window`` (N, 3) int32: the part of each crop that they cover.
    measurements_path : path-like
        Parquet table to write: for each crop one row with label 0 (the plant), then one for each
        leaf. Both appear only when whole.
    settings : SegmentSettings, optional
        Seeds and clustering.
    dask : DaskSettings, optional
        Where tasks run.
    workers : int
        Threads, processes or SLURM jobs.
    block_size : int, optional
        Crops in one task and one file of labels; by default as `choose_block_size` says.
    progress : callable
        As `phenopipe.progress.track`.

    Raises
    ------
    InputError, StoreError
        If tables or stores are missing or do not fit each other. A single damaged crop is no
        error: its row has status "damaged", and the log names it.
    OSError
        If results cannot be written.
    """
    found, size = list_crops(crops, predictions)
    settings, dask = settings or SegmentSettings(), dask or DaskSettings()
    block = block_size or choose_block_size(len(found), size, workers)
    block = min(block, max(len(found), 1))
    with create_store(labels_path, "labels") as store:
        create_array(store, "labels", (len(found), size, size), np.uint32, block=block)
        done = _run(found, block, store_path(store), settings, dask, workers, progress)
        windows = np.concatenate([np.zeros((0, 3), np.int32), *(part for _, part in done)])
        create_array(store, "window", windows.shape, np.int32)[:] = windows
        tables = [table for table, _ in done]
        measurements = pd.concat([empty_measurements(), *tables], ignore_index=True)
        with write_aside(measurements_path) as part:
            measurements.to_parquet(part, index=False)
    _report(measurements)


def choose_block_size(count: int, size: int, workers: int) -> int:
    """Choose how many crops make a task.

    Parameters
    ----------
    count : int
        Crops of the set.
    size : int
        Side of a crop's labels, px.
    workers : int
        How many tasks may run side by side.

    Returns
    -------
    int
        The set in equal parts, `BLOCKS_PER_1000` of them for each 1,000 crops at most, between
        `SMALLEST_BLOCK` and `LARGEST_BLOCK` crops, of at most `BLOCK_BYTES` of labels.
    """
    parts = min(max(workers, 1), BLOCKS_PER_1000 * max(-(-count // 1000), 1))
    share = max(-(-count // parts), SMALLEST_BLOCK)
    return max(1, min(share, LARGEST_BLOCK, BLOCK_BYTES // (4 * size * size)))


def _run(
    crops: list[Crop],
    block: int,
    labels_store: str,
    settings: SegmentSettings,
    dask: DaskSettings,
    workers: int,
    progress: Progress,
) -> list[Done]:
    """Run all tasks and return what they gave in the order of crops."""
    if not crops:
        return []
    starts = range(0, len(crops), block)
    folder = str(Path(labels_store).resolve())  # workers may run in another folder
    with connect(dask, min(workers, len(starts))) as client:
        tasks = [
            client.submit(segment_block, crops[at : at + block], at, folder, settings, pure=False)
            for at in starts
        ]
        return list(progress((task.result() for task in tasks), len(tasks), "segment"))


def _report(measurements: pd.DataFrame) -> None:
    plants = measurements[measurements["label"] == 0]
    for row in plants[plants["status"] == "damaged"].itertuples():
        log.warning("%s: %s", row.crop_id, row.reason)
    log.info(
        "segment: %d crops, %d measured, %d leaves",
        len(plants),
        int((plants["status"] == "ok").sum()),
        len(measurements) - len(plants),
    )
