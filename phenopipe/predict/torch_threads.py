"""Threads that run torch, with a core each or all cores together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count: int, *, single: bool) -> Iterator[Executor]:
    """Open a pool of threads that run torch.

    Parameters
    ----------
    count : int
        How many.
    single : bool
        Whether torch uses one core in each of them, instead of all cores in all of them.

    Yields
    ------
    Executor
        The pool.
    """
    before = torch.get_num_threads()
    try:
        # Torch keeps the number for each thread, and the last one for threads to come.
        each = 1 if single else before
        with ThreadPoolExecutor(count, "torch", torch.set_num_threads, (each,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)
