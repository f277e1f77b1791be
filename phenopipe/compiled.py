"""Loops over pixels, compiled to machine code when they are first called."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a function of numbers and arrays with Numba, and keep the machine code.

    Later processes find it beside the source, or in the user's cache if nothing can be written
    there (`NUMBA_CACHE_DIR` names another folder). It is compiled anew if the source file
    changes, so that the function should call no compiled one of another file. Other threads run
    while it does. Sums keep their order: results are the same on every machine.

    Parameters
    ----------
    function : callable
        Within the part of Python and NumPy that Numba knows.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError as error:  # there is no folder to write to
        log.info("%s is compiled for this process alone (%s)", function.__qualname__, error)
        return njit(nogil=True)(function)
