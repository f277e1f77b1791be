"""Run many tasks, mostly through Dask, which leave what they find on the disk."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from phenopipe.config import DaskSettings
from phenopipe.errors import InputError
from phenopipe.files import write_aside
from phenopipe.fork_server import SEGMENT_MODULES
from phenopipe.segment.batch import do_batch, share_out
from phenopipe.segment.cluster import choose_place, connect
from phenopipe.segment.lost_jobs import LostWorkersError

if TYPE_CHECKING:
    from dask.distributed import Client

log = logging.getLogger(__name__)
#: The only thing that the page of Dask's report would fetch from elsewhere.
_ICON = re.compile(r"<link rel=.shortcut icon.[^>]*>")
#: Most tasks that a local process is handed as one: each time costs the process that hands out
#: some of the cores' time. Fewer at the end of a set, so that none waits long for another.
TASKS_AT_ONCE = 4
#: Most batches in one message to the scheduler: Dask warns of messages over 10 MB, and 4 tasks of
#: 16 crops with long paths, each in a shard of its own, are 71 kB.
BATCHES_A_MESSAGE = 100
Progress = Callable[[Iterable[None], int, str], Iterator[None]]


def run_tasks(
    function: Callable[..., None],
    arguments: Sequence[tuple[Any, ...]],
    *,
    name: str,
    dask: DaskSettings,
    workers: int,
    crops: int,
    progress: Progress,
    performance_report: str | os.PathLike[str] | None = None,
) -> None:
    """Call a function once for each tuple of arguments, in parallel where that is worth its start.

    What a task finds it leaves in files of its own. So nothing is held in the memory of workers
    or sent through the scheduler, and one that is killed costs the task that it was at: all that it
    was handed, up to `TASKS_AT_ONCE` tasks, go to another one, which sees what is there.

    Parameters
    ----------
    function : callable
        What a task does. Where a worker was lost it may be called again with the same arguments,
        and must then leave the same, or what is there.
    arguments : sequence of tuple
        Of each task, by position; small, since they pass through the scheduler.
    name : str
        What the tasks are, for progress and errors.
    dask : DaskSettings
        Where they run.
    workers : int
        Threads or processes.
    crops : int
        How many crops all tasks together segment.
    progress : callable
        As `phenopipe.progress.track`.
    performance_report : path-like, optional
        HTML file to write: what Dask's workers did when.

    Raises
    ------
    InputError
        If `workers` is below 1, or no scheduler answers.
    LostWorkersError
        If workers were killed at one task more often than Dask allows (4 times), none came, or the
        scheduler was lost.
    """
    if workers < 1:
        raise InputError(f"workers: at least 1 is needed (is {workers})")
    if not arguments:
        return
    reported = performance_report is not None
    place = choose_place(dask, workers, crops, reported=reported)
    if place == "here":
        for _ in progress(_do_here(function, arguments), len(arguments), name):
            pass
        return
    modules = [*SEGMENT_MODULES, function.__module__]  # the last one may be a sweep's
    batches = share_out(arguments, workers, TASKS_AT_ONCE if place == "processes" else 1)
    with (
        connect(dask, place, min(workers, len(batches)), modules, reported=reported) as client,
        _reported(performance_report),
    ):
        for _ in progress(_finish(client, function, batches, name), len(arguments), name):
            pass


def _do_here(function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> Iterator[None]:
    for task in arguments:
        function(*task)
        yield


def _finish(
    client: Client,
    function: Callable[..., None],
    batches: Sequence[Sequence[tuple[Any, ...]]],
    name: str,
) -> Iterator[None]:
    """Yield once for each task that is done; the first error ends all."""
    from dask.distributed import KilledWorker, as_completed

    # Results are not fetched: they are None, and a worker that dies while it is asked for one can
    # leave Dask waiting for ever.
    futures = client.map(
        do_batch,
        batches,
        function=function,
        key=function.__name__,  # as Dask's pages and messages call a task
        pure=False,
        batch_size=BATCHES_A_MESSAGE,
    )
    sizes = {future.key: len(batch) for future, batch in zip(futures, batches, strict=True)}
    done = as_completed(futures)  # type: ignore[no-untyped-call]
    del futures  # what nobody refers to any more is not done again
    for future in done:
        if future.status == "finished":
            yield from [None] * sizes[future.key]
            continue
        error = future.exception()
        if isinstance(error, KilledWorker):
            raise LostWorkersError(
                f"{name}: workers were killed {error.allowed_failures + 1} times at one task; they "
                "may need more than dask.worker_memory"
            ) from error
        raise error or LostWorkersError(f"{name}: Dask's scheduler was lost ({future.status})")


@contextmanager
def _reported(path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Write Dask's report of what happens within; it appears whole, its scripts inside."""
    if path is None:
        yield
        return
    from dask.distributed import performance_report

    with write_aside(path) as part:
        part.touch()  # what cannot be written should not be found out after hours of work
        with performance_report(str(part), mode="inline"):  # type: ignore[no-untyped-call]
            yield
        text = part.read_text(encoding="utf-8")
        part.write_text(_ICON.sub("", text), encoding="utf-8")
    log.info("performance report: %s", path)
