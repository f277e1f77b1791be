"""Zarr v3 stores as `docs/formats.md` defines them: one file an array, checksummed chunks.

Every array has one inner chunk a crop, so that a single crop is read with one request, and all
chunks of a block of crops lie in one file (a Zarr shard), so that a store is a handful of files.
Every block has its file, also where all its pixels are zero: one that is missing was lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np
import zarr
from numpy.typing import DTypeLike, NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from phenopipe.block_file import ZSTD_LEVEL, decode_crop, encode_crop, read_packed, write_packed
from phenopipe.errors import StoreError
from phenopipe.files import write_aside
from phenopipe.window import Window

#: What a store may hold, and the layout of each, under the attribute `format`. A layout that
#: older code would misread gets a new number.
Kind = Literal["crops", "cleaned crops", "predictions", "labels"]
FORMATS: Mapping[Kind, str] = {
    "crops": "phenopipe-crops-1",
    "cleaned crops": "phenopipe-cleaned-crops-1",
    "predictions": "phenopipe-predictions-2",
    "labels": "phenopipe-labels-2",
}


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
        If the file system is full or cannot be written; names `path`.
    """
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


def write_block(array: zarr.Array[Any], start: int, values: Sequence[NDArray[Any]]) -> None:
    """Write one block of an array, as one of several processes.

    The file is what Zarr would write, and appears only when whole.

    Parameters
    ----------
    array : zarr.Array
        Of a store, opened for reading; it has the default level of compression.
    start : int
        First crop: a multiple of the array's block.
    values : sequence of ndarray
        The crops of the block, of the array's type.

    Raises
    ------
    OSError
        If the file system is full or cannot be written.
    """
    path = block_file(array, start)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    with part.open("xb") as file:
        write_packed(file, map(encode_crop, values), crops_per_file(array))
    part.replace(path)


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
    """
    try:
        group = zarr.open_group(Path(path), mode="r", zarr_format=3)
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path}: no readable Zarr store ({_first_line(error)})") from error
    found, wanted = group.attrs.get("format"), FORMATS[kind] if kind else None
    if wanted not in (None, found):
        raise StoreError(f"{path}: is no store of {kind} (its format is {found!r}, not {wanted!r})")
    return group


def read_attribute(group: zarr.Group, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return an attribute of a store, or say that it is missing.

    Raises
    ------
    StoreError
        If the store has no such attribute.
    """
    if name not in group.attrs:
        raise StoreError(f"{store_path(group)}: has no attribute {name!r}")
    return group.attrs[name]


def open_array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """Return the array `name` of a store, or say that it is missing.

    Raises
    ------
    StoreError
        If the store has no such array.
    """
    try:
        array = group.get(name)
    except (OSError, ValueError, KeyError) as error:
        where = f"{store_path(group)}: array {name!r} cannot be read"
        raise StoreError(f"{where} ({_first_line(error)})") from error
    if not isinstance(array, zarr.Array):
        raise StoreError(f"{store_path(group)}: has no array {name!r}")
    return array


def opened(store: str, kind: Kind, name: str) -> zarr.Array[Any]:
    """Return an array of a store, opened once by this process unless it is replaced.

    Opening takes Zarr half a millisecond for each group and array on the way.

    Parameters
    ----------
    store : str
        Folder of the store.
    kind : {"crops", "cleaned crops", "predictions", "labels"}
        What it must hold.
    name : str
        Name of the array.

    Raises
    ------
    StoreError
        As `open_store` and `open_array`.
    """
    try:
        known = Path(store, name, "zarr.json").stat()
    except OSError:
        return open_array(open_store(store, kind), name)  # which says what is missing
    return _opened(store, kind, name, known.st_ino, known.st_mtime_ns)


@lru_cache(maxsize=64)
def _opened(store: str, kind: Kind, name: str, *known: int) -> zarr.Array[Any]:
    return open_array(open_store(store, kind), name)


def read_crop(array: zarr.Array[Any], index: int) -> NDArray[Any]:
    """Read one crop and verify its checksum.

    Parameters
    ----------
    array : zarr.Array
        Array of a store, first axis counts crops.
    index : int
        Which crop.

    Returns
    -------
    ndarray
        The crop, without the first axis.

    Raises
    ------
    StoreError
        If the chunk is damaged or its file is missing; the message names store and crop, or the
        file.
    """
    if not 0 <= index < array.shape[0]:
        raise IndexError(index)
    file, per_file = block_file(array, index), crops_per_file(array)
    try:
        packed = read_packed(file, index % per_file, per_file)
        if packed is None:
            return np.zeros(array.shape[1:], array.dtype)
        return decode_crop(packed, array.shape[1:], array.dtype)
    except FileNotFoundError as error:
        where = f"{store_path(array)}: crop {index} is lost, {file} is missing"
        raise StoreError(where) from error
    except (ValueError, RuntimeError, OSError) as error:
        where = f"{store_path(array)}: crop {index} is damaged"
        raise StoreError(f"{where} ({_first_line(error)})") from error


def crops_per_file(array: zarr.Array[Any]) -> int:
    """Return for how many crops a file of an array has room."""
    return int((array.shards or array.chunks)[0])


def block_file(array: zarr.Array[Any], index: int) -> Path:
    """Return the file that holds a crop.

    Parameters
    ----------
    array : zarr.Array
        Array of a store, first axis counts crops.
    index : int
        Which crop.
    """
    key = array.metadata.encode_chunk_key((index // crops_per_file(array), *[0] * (array.ndim - 1)))
    return Path(store_path(array), key)


def store_path(node: zarr.Group | zarr.Array[Any]) -> str:
    """Return the path of a store, or of an array in it, as the user knows it."""
    return str(node.store_path).removeprefix("file://")


def is_cleaned(store: str | os.PathLike[str]) -> bool:
    """Tell whether the crops of a store were cleaned; a store that cannot be read was not."""
    try:
        return bool(open_store(store).attrs.get("format") == FORMATS["cleaned crops"])
    except StoreError:  # the stage that reads it says so
        return False


def read_window(array: zarr.Array[Any], index: int, crop_size: int) -> Window:
    """Read which part of a crop predictions or labels cover.

    Parameters
    ----------
    array : zarr.Array, (N, 3), int32
        Left, top and side of each crop's window.
    index : int
        Which crop.
    crop_size : int
        Side of the crop, px.

    Raises
    ------
    StoreError
        If the chunk is damaged or lost, or holds no window inside the crop.
    """
    window = Window(*map(int, read_crop(array, index)))
    if not window.fits(crop_size):
        where = f"left {window.left}, top {window.top}, side {window.side}"
        raise StoreError(
            f"{store_path(array)}: crop {index} has no window inside its {crop_size} px ({where})"
        )
    return window


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
