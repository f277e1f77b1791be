"""Processes of this machine that train together, one for each device."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from logging.handlers import QueueHandler, QueueListener
from multiprocessing import connection, parent_process
from multiprocessing.queues import Queue, SimpleQueue
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import multiprocessing
from torch.multiprocessing.spawn import ProcessContext, ProcessException, start_processes

from phenopipe.errors import PhenopipeError, StoppedError
from phenopipe.threads import limit_threads
from phenopipe.train.signals import StopRequest, deaf_processes

#: Number of a process, and type and problems of the error that ended it.
Told = tuple[int, type[PhenopipeError], tuple[str, ...]]
#: Seconds that processes have to end when one of them has failed.
GRACE_S = 10.0


@dataclass(frozen=True)
class Meeting:
    """What the processes of a training share.

    Attributes
    ----------
    size : int
        How many they are.
    device : str
        Kind of their devices, ``"cuda"`` or ``"cpu"``.
    place : Path
        File through which they find each other.
    threads : int
        Threads of each.
    records, errors
        Queues for log records and for errors.
    """

    size: int
    device: str
    place: Path
    threads: int
    records: Queue[Any]
    errors: SimpleQueue[Told]


def run_processes(
    function: Callable[..., None],
    size: int,
    device: str,
    *arguments: Any,  # noqa: ANN401
) -> None:
    """Call a function in `size` new processes that have met, and wait for them.

    They find each other through a file and talk over loopback alone. Signals that ask for a stop
    are passed on to them, their log records come here, and they end with this process.

    Parameters
    ----------
    function : callable
        Picklable, as are `arguments`, with which it is called.
    size : int
        Number of processes.
    device : {"cuda", "cpu"}
        Kind of the device that each is given.
    *arguments
        Passed on.

    Raises
    ------
    PhenopipeError
        What the first of the processes that raised such an error raised.
    StoppedError
        If a signal came which a process does not hear yet, or no more, and ended it.
    ProcessException
        If a process ended in another way.
    """
    context = multiprocessing.get_context("spawn")
    threads = max(1, torch.get_num_threads() // size)
    with deaf_processes():
        records, errors = context.Queue(), context.SimpleQueue()
    with TemporaryDirectory(prefix="phenopipe-") as folder, _logging_from(records):
        meeting = Meeting(size, device, Path(folder) / "meeting", threads, records, errors)
        group = start_processes(  # type: ignore[no-untyped-call]
            _process, (meeting, function, arguments), size, join=False, start_method="spawn"
        )
        request = StopRequest(partial(_pass_on, group))
        try:
            with request:
                while not group.join(grace_period=GRACE_S):
                    pass
        except ProcessException as error:
            if told := sorted(_all_of(errors), key=itemgetter(0)):
                _, kind, problems = told[0]
                raise kind(*problems) from None
            if request.signal_name is None:
                raise
            raise StoppedError(
                f"training stopped by {request.signal_name}; the same command goes on"
            ) from error


def _all_of(queue: SimpleQueue[Told]) -> Iterator[Told]:
    while not queue.empty():
        yield queue.get()


def _pass_on(group: ProcessContext, number: int) -> None:
    for process in group.processes:
        if process.is_alive():
            os.kill(process.pid, number)


@contextmanager
def _logging_from(records: Queue[Any]) -> Iterator[None]:
    """Log here what the processes log."""
    listener = QueueListener(records, *logging.getLogger().handlers)
    listener.start()
    try:
        yield
    finally:
        listener.stop()


def _process(
    rank: int, meeting: Meeting, function: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """Meet the others and call the function; the body of a process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    level = logging.INFO if rank == 0 else logging.WARNING
    logging.basicConfig(level=level, handlers=[QueueHandler(meeting.records)], force=True)
    limit_threads(meeting.threads)
    os.environ["LOCAL_RANK"] = str(rank)
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        os.environ.setdefault(name, "lo")
    torch.distributed.init_process_group(
        "nccl" if meeting.device == "cuda" else "gloo",
        init_method=meeting.place.as_uri(),
        rank=rank,
        world_size=meeting.size,
    )
    try:
        function(*arguments)
    except PhenopipeError as error:
        meeting.errors.put((rank, type(error), tuple(error.problems)))
        raise
    torch.distributed.destroy_process_group()


def _end_with_parent() -> None:
    """End this process, which may be waiting for another in vain, when its parent has ended."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
