"""Loops over pixels, compiled to machine code when they are first called."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import njit
from numba.core.caching import FunctionCache

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
    dispatcher: Any = njit(nogil=True)(function)
    try:
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
    except RuntimeError as error:  # there is no folder to write to
        log.info("%s is compiled for this process alone (%s)", function.__qualname__, error)
    return dispatcher  # type: ignore[no-any-return]


class _Cache(FunctionCache):
    """Numba's cache, but one that is damaged or full costs time and no result."""

    def load_overload(self, sig: object, target_context: object) -> Any:  # noqa: ANN401
        """Return what was compiled for these types, None if that cannot be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            log.info("%s is compiled again: %s", self._py_func.__qualname__, error)
            self._try(self.flush)
            return None

    def save_overload(self, sig: object, data: object) -> None:
        """Keep what was compiled, if that can be written."""
        self._try(super().save_overload, sig, data)

    def _try(self, write: Callable[..., None], *arguments: object) -> None:
        try:
            write(*arguments)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            log.info("%s: its machine code is not kept: %s", self._py_func.__qualname__, error)
