"""What a process needs before its first task of the stage `segment`."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from threading import Lock

import cv2
import numpy as np

from phenopipe.garbage import importing
from phenopipe.memory import keep_freed_memory
from phenopipe.threads import limit_threads

log = logging.getLogger(__name__)

#: What is imported late, within functions, is here, too: `numpy.ma` by `numpy.unique`.
MODULES = (
    "phenopipe.segment.batch",
    "phenopipe.segment.blocks",
    "phenopipe.segment.crop",
    "phenopipe.segment.angular",
    "numpy.ma",
)
_preparing = Lock()


def prepare_process() -> None:
    """Let this process do tasks: import what they need, keep freed memory, use one thread."""
    with _preparing:  # threads begin their first tasks together, and Numba's registries are shared
        _prepare_once()


@cache
def _prepare_once() -> None:
    import_loops()
    keep_freed_memory()
    limit_threads(1)  # workers are as many as there are cores for them


def import_loops() -> None:
    """Import all that a task needs, with what Numba loads for its first compiled function.

    That is a hundred modules and their registries, SciPy's BLAS among them; they take longer than
    all functions. A Numba that does it in another way does it later. On another core OpenCV makes
    its tables for CIELAB meanwhile.
    """
    with ThreadPoolExecutor(1) as other, importing():
        tables = other.submit(cv2.cvtColor, np.zeros((1, 1, 3), np.float32), cv2.COLOR_LRGB2LAB)
        for module in MODULES:
            import_module(module)
        try:
            from numba.core.registry import cpu_target

            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
        except (ImportError, AttributeError) as error:
            log.info("Numba loads its registries with the first function (%s)", error)
        tables.result()
