"""Where the tasks of a set run: local threads or processes, SLURM, or a given scheduler."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from phenopipe.config import DaskSettings
from phenopipe.errors import InputError
from phenopipe.fork_server import SEGMENT_MODULES, start_fork_server
from phenopipe.garbage import importing
from phenopipe.segment.lost_jobs import replacing_lost_jobs

if TYPE_CHECKING:
    from dask.distributed import Client

log = logging.getLogger(__name__)

#: Dask always opens a status page, on all interfaces if it is not told: keep it on loopback.
LOOPBACK = "127.0.0.1:0"
#: What of Dask's own log is kept. A task's error comes back with its result and is told once.
LOG_LEVELS = {
    "distributed": logging.WARNING,
    "distributed.worker": logging.CRITICAL,
    "distributed.worker.memory": logging.WARNING,
}
#: How often Dask looks after itself and its local workers where nobody watches. Each look takes
#: Python's lock from the thread that works: at Dask's own pace (50 ticks and 100 stacks a second) a
#: set takes up to a tenth longer. A worker over its memory is so noticed after 0.5 s, not 0.1.
SELDOM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "2 s",
    "distributed.admin.system-monitor.interval": "10 s",
    "distributed.worker.memory.monitor-interval": "500 ms",
}
#: How long a scheduler at an address may be without a worker when it is asked for the first time.
WORKERS_WITHIN_S = 60.0
#: Where tasks run: in this process without Dask, or through Dask.
Place = Literal["here", "threads", "processes", "slurm", "address"]


def choose_place(
    settings: DaskSettings, workers: int, crops: int, *, reported: bool = False
) -> Place:
    """Choose where the tasks of a set run.

    Parameters
    ----------
    settings : DaskSettings
        `address` goes first, then `cluster`. A dashboard is of Dask alone.
    workers : int
        How many may run side by side.
    crops : int
        How many crops there are in all.
    reported : bool
        Whether Dask is to report what its workers did.
    """
    if settings.address is not None:
        return "address"
    if settings.cluster != "local":
        return settings.cluster
    if workers > 1 and settings.is_parallel(crops):
        return "processes"
    return "threads" if settings.dashboard or reported else "here"


@contextmanager
def connect(
    settings: DaskSettings,
    place: Place,
    workers: int,
    modules: Sequence[str] = SEGMENT_MODULES,
    *,
    reported: bool = False,
) -> Iterator[Client]:
    """Give a Dask client, and end what was started for it afterwards.

    Parameters
    ----------
    settings : DaskSettings
        How the cluster is to be.
    place : {"threads", "processes", "slurm", "address"}
        Which cluster. Local ones open ports on loopback only; SLURM workers reach the scheduler
        over the network.
    workers : int
        Threads or processes. SLURM jobs come and go between `slurm_min_workers` and
        `slurm_max_workers`; a scheduler at `address` has its own workers.
    modules : sequence of str
        What local processes should have imported when they start.
    reported : bool
        Whether Dask is to report what its workers did.

    Yields
    ------
    dask.distributed.Client
        The client.

    Raises
    ------
    InputError
        If no scheduler answers at `address`, or it has no workers.
    LostWorkersError
        If SLURM jobs are lost again and again and none becomes a worker.
    """
    # Before Dask is imported, which takes as long here as there, on another core.
    method = start_fork_server(modules) if place == "processes" else None
    with importing():
        from dask.distributed import Client

    for name, level in LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    if place == "address":
        with _reach(str(settings.address)) as client:
            yield client
        return
    slurm = place == "slurm"
    with (
        _watched(settings.dashboard or reported),
        _start_slurm(settings) if slurm else _start(settings, workers, method) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
        replacing_lost_jobs(cluster, client) if slurm else nullcontext(),
    ):
        if settings.dashboard:
            log.info("dashboard: %s", dashboard_link(client))
        yield client


def _watched(watched: bool) -> AbstractContextManager[object]:
    """Let Dask look as often as it likes only where somebody sees what it finds."""
    import dask

    return nullcontext() if watched else dask.config.set(SELDOM)


def dashboard_link(client: Client) -> str:
    """Return the address of the status page of a scheduler that runs here.

    Dask's own link names this machine's address, where nobody listens.
    """
    port = client.scheduler_info()["services"]["dashboard"]
    return f"http://127.0.0.1:{port}/status"


def most_workers(settings: DaskSettings, workers: int) -> int:
    """Return how many tasks may run side by side; a scheduler at `address` does not say."""
    slurm = choose_place(settings, workers, crops=0) == "slurm"
    return settings.slurm_max_workers if slurm else workers


def _reach(address: str) -> Client:
    from dask.distributed import Client

    try:
        client = Client(address)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"dask.address: no scheduler answers at {address} ({reason})") from error
    try:
        client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
    except TimeoutError as error:
        client.close()  # type: ignore[no-untyped-call]
        raise InputError(
            f"dask.address: the scheduler at {address} has no worker after {WORKERS_WITHIN_S:.0f} s"
        ) from error
    return client


@contextmanager
def _start(settings: DaskSettings, workers: int, method: str | None) -> Iterator[Any]:
    """Start worker processes by a method of `multiprocessing`, or threads if that is None."""
    import dask
    from dask.distributed import LocalCluster

    processes = method is not None
    if method == "forkserver":
        _import_nothing_for_the_fork_server()
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": method}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers if processes else 1,
            threads_per_worker=1 if processes else workers,
            processes=processes,
            memory_limit=settings.worker_memory if processes else 0,
            host="127.0.0.1" if processes else None,
            dashboard_address=LOOPBACK,
            scheduler_kwargs={"dashboard": settings.dashboard},
            # Without an address a process listens on its host, loopback, and a thread on all.
            worker_dashboard_address=None if processes else LOOPBACK,
        ) as cluster,
    ):
        yield cluster


def _import_nothing_for_the_fork_server() -> None:
    """Keep Dask from importing pandas (0.2 s) for a fork server that is to import it, too.

    Ours runs already, and has imported what workers need. A Dask that asks in another way does it.
    """
    from distributed import utils

    utils._forkserver_preload_set = True


def _start_slurm(settings: DaskSettings) -> Any:  # noqa: ANN401
    from phenopipe.segment.slurm_workers import start_slurm

    return start_slurm(settings, LOOPBACK)
