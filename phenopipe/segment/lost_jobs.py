"""SLURM jobs that were to be workers and ended before: Dask would wait for them for ever."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from phenopipe.cluster.ask import living_jobs

log = logging.getLogger(__name__)

#: How often SLURM is asked, s. A job counts as lost if it is missing twice in a row.
LOOK_EVERY_S = 10.0


@contextmanager
def replacing_lost_jobs(cluster: Any) -> Iterator[None]:  # noqa: ANN401 - Dask is not typed
    """Ask for another job where one has ended that Dask still counts on, within the block.

    A job that is cancelled, or whose node dies, before its worker has connected never says so to
    Dask's scheduler; and a worker that is lost later stays in the cluster's plan. Either way an
    adaptive cluster believes that it has the workers that it needs.

    Parameters
    ----------
    cluster : dask_jobqueue.SLURMCluster
        An adaptive cluster: told that it has fewer workers, it starts others.
    """
    ended = Event()
    watcher = Thread(target=_watch, args=(cluster, ended), name="lost-jobs", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(cluster: Any, ended: Event) -> None:  # noqa: ANN401
    missing: Set[object] = set()
    while not ended.wait(LOOK_EVERY_S):
        found = _missing(cluster)
        if lost := found & missing:
            log.warning("segment: %d SLURM workers were lost; others are asked for", len(lost))
            cluster.sync(cluster.scale_down, list(lost))
        missing = found - lost


def _missing(cluster: Any) -> Set[object]:  # noqa: ANN401
    """Return the planned workers whose jobs have ended, or that have none."""
    planned, jobs = set(cluster.worker_spec), dict(cluster.workers)
    told = living_jobs("JobID:20")
    if told is None:  # SLURM does not answer: nothing is known
        return set()
    living = {line.strip() for line in told}
    submitted = {name: job.job_id for name, job in jobs.items() if job.job_id}
    ended = {name for name, number in submitted.items() if number not in living}
    return planned & (ended | (planned - set(jobs)))
