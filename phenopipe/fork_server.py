"""How further processes start: forked from a clean one, where the system allows it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)

#: What workers of the stage `segment` have imported when they start.
SEGMENT_MODULES = ("phenopipe.worker_imports",)


def start_method() -> Literal["forkserver", "spawn"]:
    """Return how to start processes (`multiprocessing.get_context`).

    Not "fork": a child of a process in which threads run can wait for ever. A fork server listens
    at a socket in the folder for temporary files. Where that folder's path is too long for one
    (about 75 characters), or its file system knows none, each process starts by itself.
    """
    address = Path(connection.arbitrary_address("AF_UNIX"))  # type: ignore[attr-defined]
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
        address.unlink()
    except OSError as error:
        log.info("processes start slower: no socket at %s (%s)", address, error)
        return "spawn"
    return "forkserver"


def start_fork_server(modules: Sequence[str] = SEGMENT_MODULES) -> Literal["forkserver", "spawn"]:
    """Start the process of which others will be forks, if it does not run yet.

    It imports for itself while the caller goes on, so the sooner it is started the better. Forks
    of it start in a fraction of the time in which each would import, and end faster. It has a
    single thread of Python's, and runs nothing of the caller's. Its BLAS has no further threads,
    which would look for work when it is loaded, for 0.3 s of another core.

    Parameters
    ----------
    modules : sequence of str
        What it is to have imported; one that runs already imports nothing more.

    Returns
    -------
    str
        `start_method`: where that is "spawn", there is no such process.
    """
    method = start_method()
    if method == "forkserver":
        multiprocessing.get_context(method).set_forkserver_preload(list(modules))
        with _environment("OPENBLAS_NUM_THREADS", "1"):
            forkserver.ensure_running()
    return method


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for processes that are started within, unless it is set."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
