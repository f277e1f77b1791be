"""The lock against overlapping nightly runs."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from phenopipe.errors import PhenopipeError
from phenopipe.files import writing


class BusyError(PhenopipeError):
    """Another run is going on in the same folder."""


#: The lock of a project, below its folder.
LOCK = Path(".snakemake/phenopipe-nightly.lock")


@contextmanager
def sole_folder(folder: Path = Path()) -> Iterator[int]:
    """Be the only one at work in a project's folder, nightly runs and others.

    Parameters
    ----------
    folder : Path, optional
        The folder; by default the present one.

    Yields
    ------
    int
        As :func:`sole_run`.

    Raises
    ------
    BusyError
        If a nightly run, a cleaning, a removal of damaged stores, or a Snakemake that was started
        by hand is going on.
    StoreError
        If the lock cannot be made.
    """
    with sole_run(folder / LOCK) as lock:
        if is_in_use(folder):
            raise BusyError("a Snakemake that was started by hand is at work in this folder")
        yield lock


@contextmanager
def sole_run(path: Path) -> Iterator[int]:
    """Be the only nightly run of a folder while the block lasts.

    The lock is the operating system's own and ends with the processes that hold it, so that of a
    dead process is none, and nothing has to be cleared up.

    Parameters
    ----------
    path : Path
        The lock file; made if it is missing, never removed. It says whose the lock is.

    Yields
    ------
    int
        Descriptor of the lock file. A child process that inherits it holds the lock too: if this
        process is killed, the lock lasts until that child has ended.

    Raises
    ------
    BusyError
        At once, if another process holds the lock; one line that says which and since when.
    StoreError
        If the file cannot be written or locked.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    with file:
        with writing(path):
            free = _take(file)
        if not free:
            file.seek(0)
            owner = file.read().strip() or "of unknown origin"
            raise BusyError(f"{path}: another run is going on, {owner}")
        with suppress(OSError):  # the lock holds also where a full disk takes no name
            file.truncate(0)
            os.write(file.fileno(), _signature().encode())
        yield file.fileno()


def is_in_use(folder: Path) -> bool:
    """Tell whether a living Snakemake works in a folder, started by hand for instance.

    Parameters
    ----------
    folder : Path
        The project's folder.

    Returns
    -------
    bool
        Whether files are marked as being made by a run whose process holds the run lock of
        :mod:`phenopipe.run_lock`. A dry-run marks nothing.
    """
    marks, lock = folder / ".snakemake/locks", folder / ".snakemake/phenopipe.lock"
    if not lock.exists() or not marks.is_dir() or not any(marks.iterdir()):
        return False
    with lock.open("r", encoding="utf-8") as file:
        return not _take(file)


def _take(file: TextIO) -> bool:
    """Lock a file until it is closed, unless another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signature() -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return f"process {os.getpid()} on {socket.gethostname()} since {now}\n"
