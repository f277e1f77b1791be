"""CPU time of a command with all processes that it starts, also those that it does not wait for.

Dask's worker processes are forked from one for which nobody waits; it ends when its parent does.
"""

from __future__ import annotations

import ctypes
import os

#: Of Linux's prctl.h: orphans below this process become its children.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Let processes whose parents end become children of this one, which can wait for them."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_cpu_s() -> float:
    """Wait for all children and return the CPU seconds of those that have ended so far."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        spent = os.times()
        return spent.children_user + spent.children_system
