"""How the memory of this process is given back."""

from __future__ import annotations

import ctypes
from functools import cache

#: Of glibc's malloc.h: which setting of `mallopt` is which.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: Arrays up to this many bytes are taken from memory that is kept; glibc allows no more.
LARGEST_KEPT = 32 * 2**20
#: This much freed memory is kept at most.
MOST_KEPT = 256 * 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep freed arrays for the next ones, instead of giving them back each time.

    The kernel clears each page that it hands out. Where arrays of some MB come and go, as in the
    measuring of a plant, that costs up to as much as the work (benchmarks/segment_set.py); Dask's
    worker processes are even told to give back all that they can. Without glibc, nothing happens.

    References
    ----------
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, MOST_KEPT)
