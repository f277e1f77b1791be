"""How a set's tasks are handed to workers: in batches. Workers import this and little besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def share_out(tasks: Sequence[T], workers: int, most: int) -> list[Sequence[T]]:
    """Cut tasks into batches: the first are the largest, the last have one task each.

    Parameters
    ----------
    tasks : sequence
        The tasks.
    workers : int
        How many batches are done side by side.
    most : int
        Most tasks in a batch.

    Returns
    -------
    list of sequence
        The batches, in order. None has more than half a worker's share of what is left when it
        begins, or one task.
    """
    batches: list[Sequence[T]] = []
    done = 0
    while left := len(tasks) - done:
        size = min(max(left // (2 * workers), 1), most)
        batches.append(tasks[done : done + size])
        done += size
    return batches


def do_batch(batch: Sequence[tuple[Any, ...]], function: Callable[..., None]) -> None:
    """Call a function once for each tuple of arguments."""
    for task in batch:
        function(*task)
