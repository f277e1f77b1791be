"""Files and folders that appear under their final name only when whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _aside(path: Path) -> Path:
    """Return a hidden name beside `path`, on the same file system, unique to this process."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def write_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to `path` on success.

    Works for a file and for a folder (a Zarr store). What stood under `path` is replaced;
    on an error nothing changes there and the unfinished part is removed.

    Parameters
    ----------
    path : path-like
        Final name; its folder is made if it is missing.

    Yields
    ------
    Path
        Where to write: a name that does not exist yet.

    Raises
    ------
    OSError
        If the file system is full or cannot be written.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    part = _aside(final)
    remove(part)
    try:
        yield part
        if final.is_dir():
            shutil.rmtree(final)
        part.replace(final)
    finally:
        remove(part)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 under `path`, whole or not at all."""
    with write_aside(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
