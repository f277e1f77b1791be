"""Run a sweep over stored predictions, in parallel."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.errors import InputError
from phenopipe.files import writing
from phenopipe.own_rows import Places
from phenopipe.progress import track
from phenopipe.segment.cluster import most_workers
from phenopipe.segment.image_set import choose_task_size
from phenopipe.segment.sources import list_crops
from phenopipe.segment.tasks import Progress, run_tasks
from phenopipe.sweep.block import SweptCrop, sweep_block
from phenopipe.sweep.grid import Grid
from phenopipe.sweep.propose import point_table
from phenopipe.sweep.truth import image_shapes, pair_truth

log = logging.getLogger(__name__)
_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Sweep:
    """What a sweep gave.

    Attributes
    ----------
    grid : Grid
        What was tried.
    table : DataFrame
        A row for each point: the columns `columns.SWEEP`.
    """

    grid: Grid
    table: pd.DataFrame

    @property
    def proposed(self) -> SegmentSettings:
        """The settings that are proposed."""
        return self.grid.points[int(self.table.loc[self.table["proposed"], "point"].iloc[0])]


def sweep_predictions(
    crops: Sequence[tuple[_Path, _Path]],
    predictions: Sequence[_Path],
    grid: Grid,
    scratch: _Path,
    *,
    places: Places | None = None,
    truth: Path | None = None,
    sample: int = 0,
    dask: DaskSettings | None = None,
    workers: int = 1,
    progress: Progress = track,
) -> Sweep:
    """Segment stored predictions with every point of a grid; the network is not run.

    Parameters
    ----------
    crops : sequence of (path-like, path-like)
        Table (TSV) and store (Zarr) of each shard's crops.
    predictions : sequence of path-like
        Store of each shard's predictions, in the same order.
    grid : Grid
        Settings to try.
    scratch : path-like
        Folder that workers can reach, for files that are removed at the end.
    places : mapping of str to str, optional
        Shard of each image of the sets, needed where one is a joint shard.
    truth : Path, optional
        Folder of true label maps, paired with images by name.
    sample : int
        Use so many crops, spread evenly, of those with a truth if there is one; 0 uses all.
    dask : DaskSettings, optional
        Where tasks run.
    workers : int
        Threads or processes.
    progress : callable
        As `phenopipe.progress.track`.

    Returns
    -------
    Sweep
        Figures of each point, and which is proposed.

    Raises
    ------
    InputError, StoreError
        If tables, stores or label maps are missing or do not fit each other, or no crop is left.
    """
    dask = dask or DaskSettings()
    swept = _choose(crops, predictions, places, truth, sample)
    task = choose_task_size(len(swept), most_workers(dask, workers))
    with writing(scratch):
        Path(scratch).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sweep-", dir=scratch) as folder:
        paths = [str(Path(folder, f"{at}.npy").resolve()) for at in range(0, len(swept), task)]
        arguments = [
            (swept[number * task : (number + 1) * task], grid.points, path)
            for number, path in enumerate(paths)
        ]
        run_tasks(
            sweep_block,
            arguments,
            name="sweep",
            dask=dask,
            workers=workers,
            crops=len(swept) * len(grid.points),
            progress=progress,
        )
        figures = np.concatenate([np.load(path, allow_pickle=False) for path in paths])
    _tell_damaged(figures, swept)
    return Sweep(grid, point_table(figures, grid))


def _choose(
    crops: Sequence[tuple[_Path, _Path]],
    predictions: Sequence[_Path],
    places: Places | None,
    truth: Path | None,
    sample: int,
) -> list[SweptCrop]:
    """Return the crops to segment: readable ones, and with a truth only those that have one."""
    listed, _ = list_crops(crops, predictions, pixels=False, places=places)
    found = [crop for crop in listed if crop.status == "ok"]
    paths: dict[str, Path] = {}
    if truth is not None:
        paths = pair_truth((crop.image for crop in found), truth)
        found = [crop for crop in found if crop.image in paths]
    if not found:
        raise InputError("sweep: no crop could be read; there is nothing to try settings on")
    if 0 < sample < len(found):
        spread = np.linspace(0, len(found) - 1, sample).round().astype(np.intp)
        found = [found[at] for at in spread]
    shapes = image_shapes([Path(table) for table, _ in crops], places)
    return [SweptCrop(crop, paths.get(crop.image), shapes[crop.image]) for crop in found]


def _tell_damaged(figures: NDArray[np.float64], swept: Sequence[SweptCrop]) -> None:
    damaged = np.isnan(figures[:, 0, 0])
    for at in np.flatnonzero(damaged).tolist():
        log.warning("%s: stored pixels are damaged; it is left out", swept[at].crop.crop_id)
    if damaged.all():
        raise InputError("sweep: the stored pixels of all crops are damaged")
