"""Progress: a bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds between two log lines where there is no terminal.
LOG_EVERY = 30.0


def track(items: Iterable[T], total: int, description: str, done: int = 0) -> Iterator[T]:
    """Yield `items` and show how many are done.

    Parameters
    ----------
    items : iterable
        What is worked on.
    total : int
        How many there are, with those that were done before.
    description : str
        Shown before the bar or in the log.
    done : int
        How many were done before.

    Yields
    ------
    object
        Each item.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        console = Console(stderr=True)
        yield from bar(items, description, total, done, console=console, transient=True)
        return
    last = started = time.monotonic()
    for done, item in enumerate(items, start=done + 1):  # noqa: B020
        yield item
        now = time.monotonic()
        if now - last >= LOG_EVERY:
            log.info("%s: %d of %d", description, done, total)
            last = now
    log.info("%s: %d of %d done in %.1f s", description, done, total, time.monotonic() - started)
