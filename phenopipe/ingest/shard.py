"""Ingest one shard: every planned picture of it becomes a crop or a row with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import IngestSettings
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.files import remove
from phenopipe.ingest.crop import Crop
from phenopipe.ingest.decode import decode_image
from phenopipe.ingest.image import cut_pots, pots_of, unreadable_pots
from phenopipe.ingest.table import CropRow, write_crop_table
from phenopipe.plan import RosterRow, read_roster
from phenopipe.progress import track
from phenopipe.store import create_store


def ingest_shard(
    roster: str | os.PathLike[str],
    shard: str,
    image_root: str | os.PathLike[str],
    out_zarr: str | os.PathLike[str],
    out_tsv: str | os.PathLike[str],
    settings: IngestSettings,
    *,
    expected_digest: str | None = None,
) -> None:
    """Decode the pictures of one shard once, cut their pots, and store the crops.

    The table is written last, so that it says that the shard is done. A picture that cannot be
    read gives black crops and rows with a reason. Memory is bounded by one picture and its crops.

    Parameters
    ----------
    roster : path-like
        ``results/plan/{set}.roster.tsv``.
    shard : str
        Which shard of it.
    image_root : path-like
        Folder that the roster's paths are relative to and may not leave.
    out_zarr, out_tsv : path-like
        Final names of the store of crops, array ``rgb`` (N, S, S, 3) uint8, and of its table.
    settings : IngestSettings
        Size of crops, limits and cameras.
    expected_digest : str, optional
        The shard's digest when the job was planned.

    Raises
    ------
    InputError
        If the roster has changed since the job was planned.
    StoreError
        If the roster is damaged or lacks the shard, or the results cannot be written, because the
        disk is full for instance; then nothing stands under the final names.
    """
    planned = read_roster(roster)
    digest = planned.shard_digest(shard)
    if expected_digest not in (None, digest):
        raise InputError(f"{roster}: shard {shard} was planned anew meanwhile; run again")
    rows = planned.shard_rows(shard)
    attributes = {"crop_size": settings.crop_size, "shard_digest": digest}
    shape = (count_crops(rows, settings), settings.crop_size, settings.crop_size, 3)
    table: list[CropRow] = []
    with create_store(out_zarr, "crops", attributes) as group:
        remove(Path(out_tsv))
        with CropWriter(group, "rgb", shape, np.uint8) as rgb:
            for crop_row, crop in cut_shard(rows, Path(image_root), settings):
                table.append(crop_row)
                rgb.append(crop)
    write_crop_table(out_tsv, table)


def count_crops(rows: Sequence[RosterRow], settings: IngestSettings) -> int:
    """Return how many crops :func:`cut_shard` will give."""
    return sum(len(pots_of(row, settings)) for row in rows)


def cut_shard(
    rows: Sequence[RosterRow], root: Path, settings: IngestSettings
) -> Iterator[tuple[CropRow, NDArray[np.uint8]]]:
    """Cut all crops of a shard, one after another.

    Parameters
    ----------
    rows : sequence of RosterRow
        The shard's images.
    root : Path
        Folder that their paths are relative to and may not leave.
    settings : IngestSettings
        Size of crops, limits and cameras.

    Yields
    ------
    row : CropRow
        What the crop is.
    crop : ndarray, (S, S, 3), uint8
        Its pixels; black for an image that cannot be read.
    """
    for row in track(rows, len(rows), "ingest"):
        for crop_row, crop in _ingest_image(row, root, settings):
            black = np.zeros((settings.crop_size, settings.crop_size, 3), np.uint8)
            yield crop_row, black if crop is None else crop.rgb


def _ingest_image(
    row: RosterRow, root: Path, settings: IngestSettings
) -> Iterator[tuple[CropRow, Crop | None]]:
    """Yield row and crop of each pot of an image; no crop where it cannot be read."""
    try:
        rgb = decode_image(_safe_path(root, row.image), settings)
    except UnreadableImageError as error:
        yield from unreadable_pots(row, settings, str(error))
    else:
        yield from cut_pots(rgb, row, settings)


def _safe_path(root: Path, image: str) -> Path:
    # Not Path.resolve: that raises RuntimeError on a loop of links.
    real_root = os.path.realpath(root)
    path = Path(os.path.realpath(root / image))
    if not path.is_relative_to(real_root):
        raise UnreadableImageError("path leaves plan.image_root")
    if path.exists() and not path.is_file():
        raise UnreadableImageError("not a regular file")
    return path
