"""A lock of a folder that ends with the processes that hold it, however they end."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from typing import TextIO


class RunLock:
    """A file that all runs in a folder hold, and that tells which machine the last owner was on.

    A workflow system marks a folder as in use by files, which stay when it is killed. This lock
    is the operating system's own: it ends with its process. :meth:`join` so tells whether such a
    mark can only be a dead run's.

    Parameters
    ----------
    path : path-like
        The lock file; made if it is missing, never removed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file: TextIO | None = None

    def join(self) -> bool:
        """Hold the lock with whoever else does, until this process ends.

        Returns
        -------
        bool
            Whether the last owner has certainly ended: nobody else holds the lock, and the owner
            was on this machine. Locks of some network file systems do not reach further, and a
            folder that cannot be written or locked tells nothing; both give False.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+", encoding="utf-8")
            return self._is_free(self._file)
        except OSError:
            return False

    def sign(self) -> None:
        """Note that the run on this machine owns the folder now.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._path.write_text(socket.gethostname(), encoding="utf-8")

    @staticmethod
    def _is_free(file: TextIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        else:
            file.seek(0)
            free = file.read() == socket.gethostname()
        fcntl.flock(file, fcntl.LOCK_SH)
        return free
