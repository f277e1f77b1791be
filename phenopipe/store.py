"""Zarr v3 stores as `docs/formats.md` defines them: one file an array, checksummed chunks.

Every array has one inner chunk a crop, so that a single crop is read with one request, and all
chunks of a block of crops lie in one file (a Zarr shard), so that a store is a handful of files.
Every block has its file, also where all its pixels are zero: one that is missing was lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import DTypeLike
from zarr.codecs import Crc32cCodec, ZstdCodec

from phenopipe.block_file import ZSTD_LEVEL
from phenopipe.crop_array import CropArray
from phenopipe.errors import StoreError, first_line, raise_passing
from phenopipe.files import write_aside
from phenopipe.store_attributes import FORMATS, Kind, check_kind, check_replaceable


@contextmanager
def create_store(
    path: str | os.PathLike[str], kind: Kind, attributes: Mapping[str, Any] | None = None
) -> Iterator[zarr.Group]:
    """Open a new store for writing; it appears under `path` only when the block ends well.

    Parameters
    ----------
    path : path-like
        Final folder of the store, usually ``*.zarr``.
    kind : {"crops", "cleaned crops", "predictions", "labels"}
        What it holds; written as the attribute `format`.
    attributes : mapping, optional
        JSON-serialisable attributes of the store's root group.

    Yields
    ------
    zarr.Group
        Root group of a store in a temporary folder beside `path`.

    Raises
    ------
    StoreError
        If the file system is full or cannot be written, or something stands there that is no
        store of that kind; names `path`.
    """
    check_replaceable(path, kind)
    with write_aside(path) as part:
        attributes = {"format": FORMATS[kind], **(attributes or {})}
        yield zarr.create_group(part, zarr_format=3, attributes=attributes)


def create_array(
    group: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    *,
    block: int | None = None,
    level: int = ZSTD_LEVEL,
) -> zarr.Array[Any]:
    """Create an array of crops: one inner chunk a crop, one file a block of crops.

    Parameters
    ----------
    group : zarr.Group
        Where the array is made.
    name : str
        Name of the array.
    shape : tuple of int
        Shape; the first axis counts crops.
    dtype : dtype
        Element type.
    block : int, optional
        Crops in one file; by default all of them, so that the array is a single file. Two
        processes may write side by side only into different blocks.
    level : int, optional
        Of the compression, 1 to 22: higher is smaller and slower.

    Returns
    -------
    zarr.Array
        The new array; each block gets its file when it is written.
    """
    per_crop = (1, *shape[1:])
    per_file = (max(1, block or shape[0]), *shape[1:])
    return group.create_array(
        name,
        shape=shape,
        dtype=np.dtype(dtype),
        chunks=per_crop,
        shards=per_file,
        compressors=[ZstdCodec(level=level), Crc32cCodec()],
        fill_value=0,
        config={"write_empty_chunks": True},  # or a block of zeros would have no file
    )


def open_store(path: str | os.PathLike[str], kind: Kind | None = None) -> zarr.Group:
    """Open a store for reading.

    Parameters
    ----------
    path : path-like
        Folder of the store.
    kind : {"crops", "cleaned crops", "predictions", "labels"}, optional
        What it must hold; by default anything.

    Raises
    ------
    StoreError
        If there is no readable Zarr v3 store at `path`, or it holds something else.
    PassingError
        If it cannot be read for now.
    """
    try:
        group = zarr.open_group(Path(path), mode="r", zarr_format=3)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise_passing(error, path)
        raise StoreError(f"{path}: no readable Zarr store ({first_line(error)})") from error
    check_kind(path, group.attrs, kind)
    return group


def open_array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """Return the array `name` of a store, or say that it is missing.

    Raises
    ------
    StoreError
        If the store has no such array.
    PassingError
        If it cannot be read for now.
    """
    try:
        array = group.get(name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise_passing(error, store_path(group))
        where = f"{store_path(group)}: array {name!r} cannot be read"
        raise StoreError(f"{where} ({first_line(error)})") from error
    if not isinstance(array, zarr.Array):
        raise StoreError(f"{store_path(group)}: has no array {name!r}")
    return array


def crop_array(array: zarr.Array[Any]) -> CropArray:
    """Return where the crops of an array are, for whoever reads or writes single ones.

    Parameters
    ----------
    array : zarr.Array
        Made by :func:`create_array`, here or in an earlier run.

    Raises
    ------
    StoreError
        If its files are named in another way.
    """
    per_file = int((array.shards or array.chunks)[0])
    found = CropArray(store_path(array), array.shape, array.dtype, per_file)
    first = Path(found.folder, array.metadata.encode_chunk_key((0,) * array.ndim))
    if first != found.file(0):
        raise StoreError(f"{found.folder}: its first file is {first}, not {found.file(0)}")
    return found


def store_path(node: zarr.Group | zarr.Array[Any]) -> str:
    """Return the path of a store, or of an array in it, as the user knows it."""
    return str(node.store_path).removeprefix("file://")
