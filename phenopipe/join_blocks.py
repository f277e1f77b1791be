"""Join the files of an array into fewer, larger ones, byte for byte.

A file of a store is a Zarr shard: the encoded chunks of its crops one after another, then an index
of their offsets and lengths (uint64, little endian; both 2**64 - 1 for a chunk that is not there)
with a CRC32C checksum
(https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/). So small files that
tasks wrote side by side become a large one by copying: nothing is decoded, and little is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import google_crc32c
import numpy as np
import zarr
from numpy.typing import NDArray

from phenopipe.errors import StoreError
from phenopipe.files import writing
from phenopipe.store import block_file, store_path

_ABSENT = np.uint64(2**64 - 1)
_CHECKSUM_BYTES = 4
_Index = NDArray[np.uint64]


def join_blocks(parts: zarr.Array[Any], whole: zarr.Array[Any]) -> None:
    """Write the files of `whole` from those of `parts`.

    Parameters
    ----------
    parts : zarr.Array
        An array of crops whose files are all written.
    whole : zarr.Array
        An empty array of the same shape, type and codecs, whose files hold several of `parts`',
        or all crops.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.
    StoreError
        If a file of `parts` is missing or damaged, or one of `whole` cannot be written.
    """
    few, many = (_per_file(array) for array in (parts, whole))
    aligned = many % few == 0 or many >= whole.shape[0]
    if parts.shape != whole.shape or parts.dtype != whole.dtype or not aligned:
        raise ValueError(f"{store_path(parts)} and {store_path(whole)} do not fit each other")
    for start in range(0, whole.shape[0], many):
        count = min(many, whole.shape[0] - start)
        target = block_file(whole, start)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                _join(out, _chunks(parts, start, count), many)


def _per_file(array: zarr.Array[Any]) -> int:
    return int((array.shards or array.chunks)[0])


def _join(out: BinaryIO, chunks: Iterator[bytes], per_file: int) -> None:
    index = np.full((per_file, 2), _ABSENT, "<u8")
    for number, chunk in enumerate(chunks):
        index[number] = out.tell(), len(chunk)
        out.write(chunk)
    tail = index.tobytes()
    out.write(tail + google_crc32c.value(tail).to_bytes(_CHECKSUM_BYTES, "little"))


def _chunks(parts: zarr.Array[Any], start: int, count: int) -> Iterator[bytes]:
    """Yield the encoded chunks of `count` crops, one at a time."""
    per_file = _per_file(parts)
    for first in range(start, start + count, per_file):
        path = block_file(parts, first)
        try:
            with path.open("rb") as file:
                index = _read_index(file, per_file)
                for offset, length in index[: start + count - first].tolist():
                    file.seek(offset)
                    yield file.read(length)
        except (OSError, ValueError, OverflowError) as error:
            raise StoreError(f"{path}: cannot be read as labels of a task ({error})") from error


def _read_index(file: BinaryIO, per_file: int) -> _Index:
    file.seek(-(16 * per_file + _CHECKSUM_BYTES), 2)
    tail = file.read()
    table, checksum = tail[:-_CHECKSUM_BYTES], int.from_bytes(tail[-_CHECKSUM_BYTES:], "little")
    if google_crc32c.value(table) != checksum:
        raise ValueError("the checksum of its index is wrong")
    return np.frombuffer(table, "<u8").reshape(per_file, 2)
