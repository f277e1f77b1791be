"""An array of crops in a store, read one crop and written one block at a time, without Zarr.

Who has opened a store with Zarr (`phenopipe.store.crop_array`) tells others where its crops are:
workers of the stage `segment` neither import Zarr nor open a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from phenopipe.block_file import decode_crop, encode_crop, read_packed, write_packed
from phenopipe.errors import StoreError, first_line, raise_passing
from phenopipe.window import Window


@dataclass(frozen=True)
class CropArray:
    """Where the crops of an array are, and what they are.

    Attributes
    ----------
    folder : str
        Of the array: the store's folder and the array's name.
    shape : tuple of int
        The first axis counts crops.
    dtype : dtype
        Element type.
    per_file : int
        For how many crops a file has room.
    """

    folder: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    per_file: int

    def resolve(self) -> CropArray:
        """Return the same array under its absolute path: workers may run in another folder."""
        return replace(self, folder=str(Path(self.folder).resolve()))

    def file(self, index: int) -> Path:
        """Return the file that holds a crop."""
        zeros = "/0" * (len(self.shape) - 1)
        return Path(f"{self.folder}/c/{index // self.per_file}{zeros}")


def read_crop(array: CropArray, index: int) -> NDArray[Any]:
    """Read one crop and verify the checksums of its file's index and of itself.

    Parameters
    ----------
    array : CropArray
        The array.
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
    PassingError
        If the file cannot be read for now, as while a server is away or too many are open: that
        says nothing of the crop.
    """
    if not 0 <= index < array.shape[0]:
        raise IndexError(index)
    file = array.file(index)
    try:
        packed = read_packed(file, index % array.per_file, array.per_file)
        return decode_crop(packed, array.shape[1:], array.dtype)
    except FileNotFoundError as error:
        where = f"{array.folder}: crop {index} is lost, {file} is missing"
        raise StoreError(where) from error
    except (ValueError, RuntimeError, OSError) as error:
        raise_passing(error, file)
        where = f"{array.folder}: crop {index} is damaged"
        raise StoreError(f"{where} ({first_line(error)})") from error


def read_window(array: CropArray, index: int, crop_size: int) -> Window:
    """Read which part of a crop predictions or labels cover.

    Parameters
    ----------
    array : CropArray, (N, 3), int32
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
            f"{array.folder}: crop {index} has no window inside its {crop_size} px ({where})"
        )
    return window


def write_block(array: CropArray, start: int, values: Sequence[NDArray[Any]]) -> None:
    """Write one block of an array, as one of several processes.

    The file is what Zarr would write, and appears only when whole.

    Parameters
    ----------
    array : CropArray
        Of the default level of compression.
    start : int
        First crop: a multiple of the crops in a file.
    values : sequence of ndarray
        The crops of the block, of the array's type.

    Raises
    ------
    OSError
        If the file system is full or cannot be written.
    """
    path = array.file(start)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    with part.open("xb") as file:
        write_packed(file, map(encode_crop, values), array.per_file)
    part.replace(path)
