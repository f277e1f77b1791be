"""Ingest one shard: every planned picture of it becomes a crop or a row with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from phenopipe.ahead import work_ahead
from phenopipe.config import IngestSettings
from phenopipe.crop_table import GONE, CropRow, write_crop_table
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.files import remove
from phenopipe.ingest.decode import decode_image
from phenopipe.ingest.image import cut_pots, unreadable_pots
from phenopipe.plan import RosterRow, read_roster
from phenopipe.plan.names import printable
from phenopipe.progress import track
from phenopipe.store import create_store

#: A picture's row, its pixels, and why there are none.
_Decoded: TypeAlias = tuple[RosterRow, NDArray[np.uint8] | None, str]


def ingest_shard(
    roster: str | os.PathLike[str],
    shard: str,
    image_root: str | os.PathLike[str],
    out_zarr: str | os.PathLike[str],
    out_tsv: str | os.PathLike[str],
    settings: IngestSettings,
    *,
    expected_digest: str | None = None,
    threads: int = 1,
) -> None:
    """Decode the pictures of one shard once, cut their pots, and store the crops.

    The table is written last, so that it says that the shard is done. A picture that cannot be
    read gives black crops and rows with a reason. Memory is bounded by one crop and by a picture
    for each thread and one more; large ones are decoded one at a time.

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
    threads : int
        Pictures that are decoded at a time, while crops of earlier ones are cut and compressed.

    Raises
    ------
    InputError
        If the roster has changed since the job was planned, or several pictures and all are gone.
    PassingError
        If a picture cannot be read for now.
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
            for crop_row, crop in cut_shard(rows, Path(image_root), settings, threads):
                table.append(crop_row)
                rgb.append(crop)
        _require_one_there(table, image_root)
    write_crop_table(out_tsv, table)


def _require_one_there(table: Sequence[CropRow], image_root: str | os.PathLike[str]) -> None:
    """Tell a folder that is away from pictures that are: of several, not all are gone by chance."""
    images = {row.image for row in table}
    if len(images) > 1 and all(row.reason == GONE for row in table):
        raise InputError(
            f"{image_root}: all {len(images)} pictures of this shard are gone, such as "
            f"{printable(table[0].image)}; is the folder mounted? What was made of archived "
            "pictures (plan.hold) stays while the settings of ingest are as they were"
        )


def count_crops(rows: Sequence[RosterRow], settings: IngestSettings) -> int:
    """Return how many crops :func:`cut_shard` will give."""
    return sum(settings.camera(row.fields.get("camera", "")).crops for row in rows)


def cut_shard(
    rows: Sequence[RosterRow], root: Path, settings: IngestSettings, threads: int = 1
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
    threads : int
        Pictures that are decoded at a time.

    Yields
    ------
    row : CropRow
        What the crop is.
    crop : ndarray, (S, S, 3), uint8
        Its pixels; black for an image that cannot be read.
    """

    def decode(row: RosterRow) -> _Decoded:
        try:
            return row, decode_image(_safe_path(root, row.image), settings), ""
        except UnreadableImageError as error:
            return row, None, str(error)

    with ThreadPoolExecutor(threads) as pool:
        decoded = work_ahead(pool, decode, rows, threads - 1)
        for row, rgb, reason in track(decoded, len(rows), "ingest"):
            cut = (
                unreadable_pots(row, settings, reason)
                if rgb is None
                else cut_pots(rgb, row, settings)
            )
            for crop_row, crop in cut:
                black = np.zeros((settings.crop_size, settings.crop_size, 3), np.uint8)
                yield crop_row, black if crop is None else crop.rgb


def _safe_path(root: Path, image: str) -> Path:
    # Not Path.resolve: that raises RuntimeError on a loop of links.
    real_root = os.path.realpath(root)
    path = Path(os.path.realpath(root / image))
    if not path.is_relative_to(real_root):
        raise UnreadableImageError("path leaves plan.image_root")
    try:
        odd = path.exists() and not path.is_file()
    except OSError:  # decoding says what it is
        odd = False
    if odd:
        raise UnreadableImageError("not a regular file")
    return path
