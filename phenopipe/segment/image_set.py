"""The stage `segment` for one image set."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import zarr

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.files import remove, write_aside, writing
from phenopipe.join_blocks import join_blocks
from phenopipe.own_rows import Places
from phenopipe.progress import track
from phenopipe.segment.blocks import Parts, segment_block
from phenopipe.segment.cluster import most_workers
from phenopipe.segment.measured import read_measured, write_measurements
from phenopipe.segment.sources import list_crops
from phenopipe.segment.tasks import Progress, run_tasks
from phenopipe.store import create_array, create_store, crop_array

log = logging.getLogger(__name__)

#: Most crops in one task, and in a file that it leaves: its memory holds the labels of all ...
LARGEST_TASK = 16
#: ... and fewest, since a task has a price of its own ...
SMALLEST_TASK = 4
#: ... and how many tasks each worker should find in a small set, so that none waits for another.
TASKS_A_WORKER = 4
#: Crops in one file of labels, into which those of tasks are joined.
CROPS_A_FILE = 1024


def segment_set(
    crops: Sequence[tuple[str | os.PathLike[str], str | os.PathLike[str]]],
    predictions: Sequence[str | os.PathLike[str]],
    labels_path: str | os.PathLike[str],
    measurements_path: str | os.PathLike[str],
    *,
    places: Places | None = None,
    settings: SegmentSettings | None = None,
    dask: DaskSettings | None = None,
    workers: int = 1,
    task_size: int | None = None,
    progress: Progress = track,
    performance_report: str | os.PathLike[str] | None = None,
) -> None:
    """Segment and measure all crops of an image set, in parallel.

    Tasks read pixels from the shards' stores and write labels to files of their own in the new
    store, which are then joined into few; nothing but names passes through the scheduler. What is
    written is the same, byte for byte, for any number of workers, also where some are killed.

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
    places : mapping of str to str, optional
        Shard of each image of the set, needed where one is a joint shard.
    settings : SegmentSettings, optional
        Seeds and clustering.
    dask : DaskSettings, optional
        Where tasks run.
    workers : int
        Threads or processes; SLURM jobs and a scheduler at an address have settings of their own.
        A script that asks for several needs Python's ``if __name__ == "__main__":``, since
        processes start by importing it.
    task_size : int, optional
        Crops in one task; by default as `choose_task_size` says.
    progress : callable
        As `phenopipe.progress.track`.
    performance_report : path-like, optional
        HTML file to write: what Dask's workers did when.

    Raises
    ------
    InputError, StoreError
        If tables or stores are missing or do not fit each other. A single damaged crop is no
        error: its row has status "damaged", and the log names it.
    LostWorkersError
        If workers are killed again and again.
    OSError
        If results cannot be written.
    """
    found, size = list_crops(crops, predictions, places=places)
    settings, dask = settings or SegmentSettings(), dask or DaskSettings()
    task = task_size or choose_task_size(len(found), most_workers(dask, workers))
    # The table appears last: what fails while labels are written leaves the old one beside the old.
    with write_aside(measurements_path) as table, create_store(labels_path, "labels") as store:
        parts = create_parts(store, len(found), size, task)
        starts = range(0, len(found), task)
        run_tasks(
            segment_block,
            [(found[at : at + task], at, parts, settings) for at in starts],
            name="segment",
            dask=dask,
            workers=workers,
            crops=len(found),
            progress=progress,
            performance_report=performance_report,
        )
        measurements = read_measured(parts.folder, starts)
        _join(parts, store, task)
        with writing(measurements_path):
            write_measurements(table, measurements)
    _report(measurements)


def create_parts(store: zarr.Group, count: int, size: int, task: int) -> Parts:
    """Make room in a store of labels for what tasks leave.

    Parameters
    ----------
    store : zarr.Group
        The store.
    count : int
        Crops of the set.
    size : int
        Side of a label map, px.
    task : int
        Crops in one task.
    """
    group = store.create_group("parts")
    labels = create_array(group, "labels", (count, size, size), np.uint32, block=task)
    window = create_array(group, "window", (count, 3), np.int32, block=task)
    arrays = (crop_array(array).resolve() for array in (labels, window))
    return Parts(*arrays)


def choose_task_size(count: int, workers: int) -> int:
    """Choose how many crops make a task.

    Parameters
    ----------
    count : int
        Crops of the set.
    workers : int
        How many tasks may run side by side.

    Returns
    -------
    int
        A power of two between `SMALLEST_TASK` and `LARGEST_TASK`, small enough that each worker
        finds `TASKS_A_WORKER` tasks if it can be.
    """
    share = max(count // (TASKS_A_WORKER * max(workers, 1)), SMALLEST_TASK)
    return int(min(1 << (share.bit_length() - 1), LARGEST_TASK))


def _join(parts: Parts, store: zarr.Group, task: int) -> None:
    """Make the arrays of a set from what tasks left, in files of about `CROPS_A_FILE` crops."""
    for name in ("labels", "window"):
        part = getattr(parts, name)
        block = min(max(CROPS_A_FILE // task, 1) * task, part.shape[0])
        whole = create_array(store, name, part.shape, part.dtype, block=block)
        join_blocks(part, crop_array(whole))
    remove(parts.folder)


def _report(measurements: pa.Table) -> None:
    labels, status = (measurements[name].to_pylist() for name in ("label", "status"))
    plants = [row for row, label in enumerate(labels) if label == 0]
    for row in plants:
        if status[row] == "damaged":
            log.warning("%s: %s", *(measurements[name][row] for name in ("crop_id", "reason")))
    measured = sum(status[row] == "ok" for row in plants)
    leaves = len(labels) - len(plants)
    log.info("segment: %d crops, %d measured, %d leaves", len(plants), measured, leaves)
