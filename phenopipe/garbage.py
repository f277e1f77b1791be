"""What Python's garbage collector need not look at."""

from __future__ import annotations

import atexit
import gc
from functools import cache


@cache
def end_quickly() -> None:
    """Let this process, when it ends, do so without looking for garbage.

    Python collects several times as it ends. Where Dask and pandas are imported these are looks at
    300,000 objects, 0.35 s in all, though their memory goes back to the system in any case.
    """
    atexit.register(gc.freeze)
