"""Join the files of an array into fewer, larger ones, byte for byte.

Small files that tasks wrote side by side become a large one by copying (`phenopipe.block_file` has
the format): nothing is decoded, and little is held.
"""

from __future__ import annotations

from collections.abc import Iterator

from phenopipe.block_file import read_index, write_packed
from phenopipe.crop_array import CropArray
from phenopipe.errors import StoreError
from phenopipe.files import writing


def join_blocks(parts: CropArray, whole: CropArray) -> None:
    """Write the files of `whole` from those of `parts`.

    Parameters
    ----------
    parts : CropArray
        An array of crops whose files are all written.
    whole : CropArray
        An empty array of the same shape, type and codecs, whose files hold several of `parts`',
        or all crops.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.
    StoreError
        If a file of `parts` is missing or damaged, or one of `whole` cannot be written.
    """
    few, many = parts.per_file, whole.per_file
    aligned = many % few == 0 or many >= whole.shape[0]
    if parts.shape != whole.shape or parts.dtype != whole.dtype or not aligned:
        raise ValueError(f"{parts.folder} and {whole.folder} do not fit each other")
    for start in range(0, whole.shape[0], many):
        count = min(many, whole.shape[0] - start)
        target = whole.file(start)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                write_packed(out, _chunks(parts, start, count), many)


def _chunks(parts: CropArray, start: int, count: int) -> Iterator[bytes]:
    """Yield the encoded chunks of `count` crops, one at a time."""
    for first in range(start, start + count, parts.per_file):
        path = parts.file(first)
        try:
            with path.open("rb") as file:
                index = read_index(file, parts.per_file)
                for offset, length in index[: start + count - first].tolist():
                    file.seek(offset)
                    yield file.read(length)
        except (OSError, ValueError, OverflowError) as error:
            raise StoreError(f"{path}: cannot be read as labels of a task ({error})") from error
