"""Crops that were removed to save room, and how they are made again from their pictures.

What stays of a store of cleaned crops says what they were made from. Snakemake sees the store in
its place, with its old time, and makes nothing again; a stage that needs the pixels borrows them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby, repeat
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from phenopipe.config import IngestSettings
from phenopipe.crop_array import read_crop
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import InputError, StoreError
from phenopipe.files import scratch_folder, writing
from phenopipe.ingest.shard import count_crops, cut_shard
from phenopipe.own_rows import Places, live_places, own_images
from phenopipe.plan import RosterRow, printable, read_roster
from phenopipe.plan.candidate import file_version
from phenopipe.plan.names import is_joint
from phenopipe.store import (
    create_store,
    crop_array,
    open_array,
    open_store,
    store_path,
)
from phenopipe.store_attributes import is_cleaned, read_attribute

log = logging.getLogger(__name__)

_Path = str | os.PathLike[str]
#: Snakemake's own note of when a folder was made.
TIMESTAMP = ".snakemake_timestamp"
#: A version of a file, SIZE-MTIME; that of a drawn picture is a digest.
_FILE_VERSION = re.compile(r"\d+--?\d+")


@dataclass(frozen=True)
class CropOrigin:
    """What the crops of a shard are made from.

    Attributes
    ----------
    roster : str
        The set's roster.
    shard : str
        Which shard of it.
    digest : str
        Its digest, see ``docs/formats.md``.
    image_root : str
        Folder of the pictures.
    settings : dict
        The block ``ingest`` of the configuration.
    """

    roster: str
    shard: str
    digest: str
    image_root: str
    settings: dict[str, Any]

    def rows(self) -> Sequence[RosterRow]:
        """Return the shard's images.

        Raises
        ------
        StoreError
            If the roster is damaged, or was changed since.
        """
        roster = read_roster(self.roster)
        if self.shard not in roster.by_shard or roster.shard_digest(self.shard) != self.digest:
            raise StoreError(f"{self.roster}: shard {self.shard} was planned anew since")
        return roster.shard_rows(self.shard)

    @property
    def ingest(self) -> IngestSettings:
        """How the crops are cut."""
        return IngestSettings(**self.settings)

    @property
    def is_joint(self) -> bool:
        """Whether the crops are of several image sets."""
        return is_joint(Path(self.roster).name.partition(".")[0])

    def cut(self, images: Collection[str] | None = None) -> Iterator[NDArray[np.uint8]]:
        """Cut the crops from the pictures again.

        Parameters
        ----------
        images : collection of str, optional
            Only these; crops of others are black. By default all.

        Yields
        ------
        ndarray, (S, S, 3), uint8
            One crop after another.

        Raises
        ------
        InputError
            If pictures are gone or were changed; names each.
        StoreError
            If the roster is damaged, or was changed since.
        """
        rows, root, settings = self.rows(), Path(self.image_root), self.ingest
        wanted = {row.image for row in rows if images is None or row.image in images}
        if changed := changed_pictures([row for row in rows if row.image in wanted], root):
            raise InputError(*changed)
        black = np.zeros((settings.crop_size, settings.crop_size, 3), np.uint8)
        for is_wanted, some in groupby(rows, lambda row: row.image in wanted):
            run = list(some)
            if is_wanted:
                yield from (crop for _, crop in cut_shard(run, root, settings))
            else:
                yield from repeat(black, count_crops(run, settings))

    def unchanged(self) -> set[str]:
        """Return the images that are as they were when their crops were made."""
        root = Path(self.image_root)
        return {row.image for row in self.rows() if not _change(row, root / row.image)}

    def count(self) -> int:
        """Return how many crops there are.

        Raises
        ------
        StoreError
            If the roster is damaged, or was changed since.
        """
        return count_crops(self.rows(), self.ingest)


def changed_pictures(rows: Sequence[RosterRow], root: Path) -> list[str]:
    """Name the pictures that are gone or were changed since they were planned, a line each."""
    return [line for row in rows if (line := _change(row, root / row.image))]


def _change(row: RosterRow, path: Path) -> str:
    try:
        now = file_version(path.stat())
    except OSError as error:
        return f"{printable(str(path))}: is gone ({error.strerror})"
    same = now == row.version or not _FILE_VERSION.fullmatch(row.version)
    return "" if same else f"{printable(str(path))}: was changed since its crops were made"


def clean_store(store: _Path, origin: CropOrigin) -> None:
    """Remove the crops of a store, if their pictures give the very same ones.

    Parameters
    ----------
    store : path-like
        ``results/crops/{set}/{shard}.zarr``.
    origin : CropOrigin
        What its crops are made from.

    Raises
    ------
    InputError
        If pictures are gone or were changed, or give other crops; nothing is removed.
    StoreError
        If a crop is damaged, or the disk cannot be written; nothing is removed.
    """
    path = Path(store)
    group = open_store(path, "crops")
    about = {
        "crop_size": read_attribute(path, "crop_size"),
        "rgb_sha256": _hash_if_same(group, origin, path),
        "origin": asdict(origin),
    }
    times = path.stat()
    with create_store(path, "cleaned crops", about) as stub:
        if (path / TIMESTAMP).exists():
            shutil.copy2(path / TIMESTAMP, store_path(stub))
    with writing(path):
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@contextmanager
def borrow_crops(stores: Sequence[_Path], places: Places | None = None) -> Iterator[list[Path]]:
    """Give stores that hold their crops: cleaned ones are made again while the block lasts.

    Of a joint store only the crops of one set are made again, if `places` says which, and else
    those that a set of the last run has there, and all others whose pictures are as they were.
    The rest is black: pictures that were replaced are in other shards, as are those of sets that
    were away.

    Parameters
    ----------
    stores : sequence of path-like
        Stores of crops, cleaned or not.
    places : mapping of str to str, optional
        Shard of each image of a set.

    Yields
    ------
    list of Path
        A store for each, in the same order: itself, or one beside it that goes at the end.

    Raises
    ------
    InputError
        If pictures of cleaned crops are gone or were changed; names each.
    StoreError
        If what is left of a cleaned store is damaged, or there is no room.
    """
    with ExitStack() as borrowed:
        yield [
            borrowed.enter_context(_made_again(Path(store), places))
            if is_cleaned(store)
            else Path(store)
            for store in stores
        ]


@contextmanager
def _made_again(store: Path, places: Places | None) -> Iterator[Path]:
    origin = CropOrigin(**read_attribute(store, "origin", "cleaned crops"))
    images = None
    if origin.is_joint:
        own = own_images(store, live_places(origin.roster) if places is None else places)
        images = own if places is not None else own | origin.unchanged()
    side = origin.ingest.crop_size
    attributes = {"crop_size": side, "shard_digest": origin.digest}
    digest = hashlib.sha256()
    with scratch_folder(store) as folder:
        with (
            create_store(folder / store.name, "crops", attributes) as made,
            CropWriter(made, "rgb", (origin.count(), side, side, 3), np.uint8) as rgb,
        ):
            for crop in origin.cut(images):
                if images is None:
                    digest.update(np.ascontiguousarray(crop).data)
                rgb.append(crop)
        if images is None and digest.hexdigest() != read_attribute(store, "rgb_sha256"):
            log.warning("%s: its pictures give slightly other crops now (newer libraries)", store)
        yield folder / store.name


def _hash_if_same(group: zarr.Group, origin: CropOrigin, path: Path) -> str:
    """Return the SHA-256 of a store's crops, if their pictures give the very same ones."""
    stored = crop_array(open_array(group, "rgb"))
    digest = hashlib.sha256()
    same = stored.shape[0] == origin.count()
    for index, crop in enumerate(origin.cut() if same else ()):
        same = same and np.array_equal(read_crop(stored, index), crop)
        digest.update(np.ascontiguousarray(crop).data)
    if not same:
        raise InputError(
            f"{path}: its pictures do not give the same crops now; run the workflow first, or "
            "snakemake --forcerun ingest after an update of libraries"
        )
    return digest.hexdigest()
