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


def track(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield `items` and show how many are done.

    Parameters
    ----------
    items : iterable
        What is worked on.
    total : int
        How many there are.
    description : str
        Shown before the bar or in the log.

    Yields
    ------
    object
        Each item.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        yield from bar(items, description, total, console=Console(stderr=True), transient=True)
        return
    last = started = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LOG_EVERY:
            log.info("%s: %d of %d", description, done, total)
            last = now
    log.info("%s: %d of %d done in %.1f s", description, done, total, time.monotonic() - started)
