"""The file of a block of crops: a Zarr shard, read and written one crop at a time.

Zarr takes longer to find its way to a crop (an event loop, threads, several objects a request) than
the crop takes to decode, and it writes a block only as a whole. These functions know the format
instead: the encoded crops one after another, then for each its offset and length (uint64, little
endian; both 2**64 - 1 for one that is not there), then a CRC32C checksum of these. Each encoded
crop is compressed with Zstandard and ends with a checksum of its own.

References
----------
Zarr v3, sharding codec, version 1.0:
https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import google_crc32c
import numcodecs
import numpy as np
from numpy.typing import NDArray

#: Level 3 shrinks crops by another 6 % over level 1 for the same decoding time.
ZSTD_LEVEL = 3
#: Offset and length of a crop that is not there.
ABSENT = 2**64 - 1
#: Bytes of a crop's entry in the index, and of a checksum.
_ENTRY, _CHECKSUM = 16, 4


def encode_crop(crop: NDArray[Any], level: int = ZSTD_LEVEL) -> bytes:
    """Compress a crop and add its checksum."""
    little_endian = np.ascontiguousarray(crop, crop.dtype.newbyteorder("<"))
    return _with_checksum(numcodecs.Zstd(level=level).encode(little_endian))


def decode_crop(packed: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Verify and unpack a crop.

    Parameters
    ----------
    packed : bytes
        As in the file.
    shape, dtype
        The crop's.

    Raises
    ------
    ValueError, RuntimeError
        If it is damaged.
    """
    content = numcodecs.Zstd().decode(_verified(packed))
    little_endian = np.frombuffer(content, dtype.newbyteorder("<")).reshape(shape)
    return little_endian.astype(dtype)  # a copy, since a buffer cannot be written to


def read_packed(path: str | os.PathLike[str], number: int, per_file: int) -> bytes:
    """Read a crop as it is in the file, where the verified index says.

    Parameters
    ----------
    path : path-like
        The file.
    number : int
        Which of its crops.
    per_file : int
        For how many it has room.

    Raises
    ------
    ValueError
        If the file is cut short, its index is damaged, or the crop is not in it.
    OSError
        If it is missing or cannot be read.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        length = _ENTRY * per_file + _CHECKSUM
        index = _verified(_read_at(file, os.fstat(file).st_size - length, length))
        offset, length = np.frombuffer(index, "<u8", 2, _ENTRY * number).tolist()
        if offset == length == ABSENT:
            raise ValueError("it is not in its file")
        return _read_at(file, offset, length)
    finally:
        os.close(file)


def read_index(file: BinaryIO, per_file: int) -> NDArray[np.uint64]:
    """Read and verify where the crops of a file are, (per_file, 2): offset and length.

    Raises
    ------
    ValueError
        If it is damaged.
    OSError
        If the file is cut short or cannot be read.
    """
    file.seek(-(_ENTRY * per_file + _CHECKSUM), os.SEEK_END)
    return np.frombuffer(_verified(file.read()), "<u8").reshape(per_file, 2)


def write_packed(file: BinaryIO, crops: Iterable[bytes], per_file: int) -> None:
    """Write all of a file from its crops as :func:`encode_crop` packs them."""
    places = []
    for crop in crops:
        places.append((file.tell(), len(crop)))
        file.write(crop)
    file.write(encode_index(places, per_file))


def encode_index(places: Sequence[tuple[int, int]], per_file: int) -> bytes:
    """Return the end of a file, from offset and length of each crop that is there."""
    index = np.full((per_file, 2), ABSENT, "<u8")
    if places:
        index[: len(places)] = places
    return _with_checksum(index.tobytes())


def _read_at(file: int, offset: int, length: int) -> bytes:
    size = os.fstat(file).st_size
    if not 0 <= offset <= offset + length <= size:
        raise ValueError("its file is cut short or damaged")
    return os.pread(file, length, offset)


def _with_checksum(content: bytes) -> bytes:
    return content + int(google_crc32c.value(content)).to_bytes(_CHECKSUM, "little")


def _verified(packed: bytes) -> bytes:
    content, checksum = packed[:-_CHECKSUM], packed[-_CHECKSUM:]
    if int(google_crc32c.value(content)).to_bytes(_CHECKSUM, "little") != checksum:
        raise ValueError("the checksum is wrong")
    return content
