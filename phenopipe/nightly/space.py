"""Room on the disk of the results."""

from __future__ import annotations

import shutil
from pathlib import Path

from phenopipe.errors import PhenopipeError
from phenopipe.files import writing

GB = 10**9


class NoSpaceError(PhenopipeError, OSError):
    """There is less room on the disk than a run asks for."""


def free_gb(folder: Path) -> float:
    """Return the free space of the file system of a folder, or of the nearest one that is there.

    Parameters
    ----------
    folder : Path
        The folder, usually ``results``.

    Returns
    -------
    float
        GB (10^9 bytes) that an ordinary user may still write.

    Raises
    ------
    StoreError
        If the file system does not answer.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    with writing(there):
        return shutil.disk_usage(there).free / GB


def check_space(folder: Path, min_free_gb: float) -> float:
    """Check that there is room, and return how much, GB.

    Raises
    ------
    NoSpaceError
        If there is less than `min_free_gb`; one line that says how much there is.
    """
    free = free_gb(folder)
    if free < min_free_gb:
        raise NoSpaceError(
            f"{folder}: its disk has {free:.3g} GB left, nightly.min_free_gb asks for "
            f"{min_free_gb:.3g} GB; free some (phenopipe clean), or ask for less"
        )
    return free
