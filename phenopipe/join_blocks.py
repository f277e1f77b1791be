"""Join the files of an array into fewer, larger ones, byte for byte.

Small files that tasks wrote side by side become a large one by copying (`phenopipe.block_file` has
the format): nothing is decoded, and little is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import zarr

from phenopipe.block_file import read_index, write_packed
from phenopipe.errors import StoreError
from phenopipe.files import writing
from phenopipe.store import block_file, crops_per_file, store_path


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
    few, many = (crops_per_file(array) for array in (parts, whole))
    aligned = many % few == 0 or many >= whole.shape[0]
    if parts.shape != whole.shape or parts.dtype != whole.dtype or not aligned:
        raise ValueError(f"{store_path(parts)} and {store_path(whole)} do not fit each other")
    for start in range(0, whole.shape[0], many):
        count = min(many, whole.shape[0] - start)
        target = block_file(whole, start)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                write_packed(out, _chunks(parts, start, count), many)


def _chunks(parts: zarr.Array[Any], start: int, count: int) -> Iterator[bytes]:
    """Yield the encoded chunks of `count` crops, one at a time."""
    per_file = crops_per_file(parts)
    for first in range(start, start + count, per_file):
        path = block_file(parts, first)
        try:
            with path.open("rb") as file:
                index = read_index(file, per_file)
                for offset, length in index[: start + count - first].tolist():
                    file.seek(offset)
                    yield file.read(length)
        except (OSError, ValueError, OverflowError) as error:
            raise StoreError(f"{path}: cannot be read as labels of a task ({error})") from error
