"""Writing an array of a store crop by crop, so that neither pixels nor their compression pile up.

Zarr writes the file of a block of crops only as a whole: all its pixels must be in memory, and all
are compressed at the end. A :class:`CropWriter` compresses each crop when it comes and writes it at
once; what it leaves is the file that Zarr would have written, byte for byte.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np
import zarr
from numpy.typing import DTypeLike, NDArray

from phenopipe.block_file import ZSTD_LEVEL, encode_crop, encode_index
from phenopipe.store import create_array, crop_array


class CropWriter:
    """Writes the crops of a new array in their order, into one file.

    Parameters
    ----------
    group : zarr.Group
        Root group of a store that is being written.
    name : str
        Name of the array.
    shape : tuple of int
        Shape; the first axis counts crops.
    dtype : dtype
        Element type.
    level : int, optional
        Of the compression, as for `phenopipe.store.create_array`.

    Raises
    ------
    OSError
        If the file system is full or cannot be written; also from :meth:`append` and at the end.
        `phenopipe.store.create_store` makes a StoreError of it.

    Examples
    --------
    >>> with create_store(path, "crops") as group, CropWriter(group, "rgb", shape, np.uint8) as rgb:
    ...     for crop in crops:
    ...         rgb.append(crop)  # doctest: +SKIP
    """

    def __init__(
        self,
        group: zarr.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        level: int = ZSTD_LEVEL,
    ) -> None:
        array = create_array(group, name, shape, dtype, level=level)
        self._level = level
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._index: list[tuple[int, int]] = []
        self._path = crop_array(array).file(0)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb")

    def append(self, crop: NDArray[Any]) -> None:
        """Write the next crop.

        Parameters
        ----------
        crop : ndarray
            Of the array's shape without the first axis, and of its type.

        Raises
        ------
        ValueError
            If the crop is of another shape or type, or one too many.
        """
        if crop.shape != self._shape[1:] or crop.dtype != self._dtype:
            raise ValueError(f"{crop.shape} {crop.dtype} is no crop of {self._path}")
        if len(self._index) == self._shape[0]:
            raise ValueError(f"{self._path}: has all its {self._shape[0]} crops already")
        packed = encode_crop(crop, self._level)
        start = sum(self._index[-1]) if self._index else 0
        self._index.append((start, len(packed)))
        self._file.write(packed)

    def __enter__(self) -> CropWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._finish()
        if not self._index:  # an array without crops has no file
            self._path.unlink(missing_ok=True)

    def _finish(self) -> None:
        if len(self._index) < self._shape[0]:
            done = len(self._index)
            raise ValueError(f"{self._path}: has {done} of its {self._shape[0]} crops")
        self._file.write(encode_index(self._index, self._shape[0]))
