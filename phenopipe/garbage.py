"""What Python's garbage collector need not look at."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def importing() -> Iterator[None]:
    """Let nobody look for garbage within: large imports take up to a quarter longer for that.

    Modules make objects by the ten thousand, and these stay.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@cache
def end_quickly() -> None:
    """Let this process, when it ends, do so without looking for garbage.

    Python collects several times as it ends. Where Dask and pandas are imported these are looks at
    300,000 objects, 0.35 s in all, though their memory goes back to the system in any case.
    """
    atexit.register(gc.freeze)
