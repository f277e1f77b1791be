"""Look for stores that were damaged after they were written, so that a run can make them anew."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from phenopipe.crop_array import read_crop
from phenopipe.errors import StoreError
from phenopipe.files import remove, writing
from phenopipe.own_rows import live_places, own_images, stored_shards
from phenopipe.plan import read_roster
from phenopipe.plan.joint import read_joint_sets
from phenopipe.plan.names import is_joint, shard_path
from phenopipe.progress import track
from phenopipe.store import crop_array, open_array, open_store
from phenopipe.store_attributes import Kind, is_cleaned

#: Where stores of each kind are, below the results, and their arrays.
PLACES: dict[Kind, str] = {
    "crops": "crops/*/*.zarr",
    "predictions": "predictions/*/*/*.zarr",
    "labels": "analyses/*/sets/*/labels.zarr",
}
ARRAYS: dict[Kind, tuple[str, ...]] = {
    "crops": ("rgb",),
    "predictions": ("distance", "embedding", "window"),
    "labels": ("labels", "window"),
}
#: What is read at once, bytes.
READ_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Damage:
    """A store that cannot be read as it was written.

    Attributes
    ----------
    kind : {"crops", "predictions", "labels"}
        What it holds.
    store : Path
        The store.
    reason : str
        What is wrong, and where.
    """

    kind: Kind
    store: Path
    reason: str


def find_damage(results: str | os.PathLike[str]) -> list[Damage]:
    """Read every store and compare all its checksums.

    Parameters
    ----------
    results : path-like
        The folder ``results``.

    Returns
    -------
    list of Damage
        The first thing that is wrong with each store at fault.

    Raises
    ------
    StoreError
        If there is no such folder.
    PassingError
        If a store cannot be read for now, which says nothing of it.
    """
    root = Path(results)
    if not root.is_dir():
        raise StoreError(f"{root}: is no folder of results")
    stores = [(kind, path) for kind, place in PLACES.items() for path in sorted(root.glob(place))]
    return [
        Damage(kind, path, reason)
        for kind, path in track(stores, len(stores), "verify")
        if (reason := _find_reason(kind, path))
    ]


def find_lost(
    results: str | os.PathLike[str],
    damage: Damage,
    found: Collection[Damage],
    image_root: str | os.PathLike[str],
) -> list[Path]:
    """Find the pictures that are gone and without which what goes could not be made again.

    With a store go the analyses of its set, or of all sets of its joint shard
    (:func:`remove_damaged`), and these are made from all shards of a set. Crops are made from
    pictures, and so is what is made from crops that were cleaned, or that are damaged themselves.

    Parameters
    ----------
    results : path-like
        The folder ``results``.
    damage : Damage
        One of what :func:`find_damage` found.
    found : collection of Damage
        All of it.
    image_root : path-like
        Folder of the pictures.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    StoreError
        If a roster is damaged.
    """
    root, damaged = Path(results), {each.store for each in found}
    name = damage.store.parent.name
    shards = [shard for key in _sets(root, name) for shard in stored_shards(root, key)[0]]
    if damage.kind != "labels":
        shards.append(shard_path(name, damage.store.stem))
    lost = []
    for shard in dict.fromkeys(shards):
        crops = root / f"crops/{shard}.zarr"
        if crops in damaged or not crops.is_dir() or is_cleaned(crops):
            pictures = (Path(image_root, image) for image in _images(root, shard))
            lost += [picture for picture in pictures if not picture.exists()]
    return lost


def _sets(root: Path, name: str) -> Sequence[str]:
    """Return the image sets whose crops are in the shards of a set, or in a joint one."""
    return read_joint_sets(root / f"plan/{name}.roster.tsv") if is_joint(name) else [name]


def _images(root: Path, shard: str) -> list[str]:
    """Return the images that a shard has now."""
    name, _, number = shard.rpartition("/")
    roster = root / f"plan/{name}.roster.tsv"
    if not roster.is_file():
        return []
    if is_joint(name):
        return sorted(own_images(root / f"crops/{shard}.tsv", live_places(roster)))
    return [row.image for row in read_roster(roster).by_shard.get(number, ())]


def remove_damaged(results: str | os.PathLike[str], damage: Damage) -> list[Path]:
    """Remove a damaged store and what may have been made from it.

    Whether later stages read the store before or after it was damaged nobody knows, so all that
    depends on it goes: predictions of damaged crops, and the analyses of the set, or of all sets
    of a joint shard. The next run finds them missing and makes them, the same to the last byte, if
    their pictures are there (:func:`find_lost`). To be called while no run is on.

    Parameters
    ----------
    results : path-like
        The folder ``results``.
    damage : Damage
        What :func:`find_damage` found.

    Returns
    -------
    list of Path
        What was removed.

    Raises
    ------
    StoreError
        If something cannot be removed, or the roster of a joint shard is damaged.
    """
    removed = list(_dependants(Path(results), damage))
    for path in removed:
        with writing(path):
            remove(path)
    return removed


def _dependants(root: Path, damage: Damage) -> Iterator[Path]:
    """Yield a damaged store and what depends on it, the last stage first."""
    name, shard = damage.store.parent.name, damage.store.name
    if damage.kind == "labels":
        yield damage.store.parent
        return
    for image_set in _sets(root, name):
        yield from sorted(root.glob(f"analyses/*/sets/{_literal(image_set)}"))
    if damage.kind == "crops":
        yield from sorted(root.glob(f"predictions/*/{_literal(name)}/{_literal(shard)}"))
    yield damage.store


def _literal(name: str) -> str:
    return name.replace("[", "[[]")


def _find_reason(kind: Kind, path: Path) -> str | None:
    if kind == "crops" and is_cleaned(path):  # there is no pixel left that could be damaged
        return None
    try:
        group = open_store(path, kind)
        for name in ARRAYS[kind]:
            _read_all(open_array(group, name))
    except StoreError as error:
        return str(error)
    return None


def _read_all(array: zarr.Array[Any]) -> None:
    """Read an array part by part; one that fails is read again crop by crop, to name the crop."""
    count, *shape = array.shape
    crops = crop_array(array)
    step = max(1, READ_BYTES // max(1, math.prod(shape) * array.dtype.itemsize))
    for start in range(0, count, step):
        stop = min(start + step, count)
        if not _reads_well(array, start, stop):
            for index in range(start, stop):
                read_crop(crops, index)
    for index in range(0, count, crops.per_file):
        if not (file := crops.file(index)).is_file():
            raise StoreError(f"{crops.folder}: {file} is missing")


def _reads_well(array: zarr.Array[Any], start: int, stop: int) -> bool:
    try:
        array[start:stop]
    except (ValueError, RuntimeError, OSError):  # read_crop says which of them are damage
        return False
    return True
