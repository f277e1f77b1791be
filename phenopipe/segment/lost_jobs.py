"""SLURM jobs that were to be workers and ended before: Dask would wait for them for ever."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from phenopipe.cluster.ask import living_jobs
from phenopipe.errors import PhenopipeError

if TYPE_CHECKING:
    from dask.distributed import Client

log = logging.getLogger(__name__)

#: How often SLURM is asked, s. A job counts as lost if it is missing twice in a row.
LOOK_EVERY_S = 10.0
#: So often jobs may be lost one after another before any worker connects: two minutes and more, in
#: which a controller can start anew.
MOST_LOSSES = 6


class LostWorkersError(PhenopipeError, RuntimeError):
    """Workers were lost again and again, or none ever came."""


@contextmanager
def replacing_lost_jobs(cluster: Any, client: Client) -> Iterator[None]:  # noqa: ANN401
    """Ask for another job where one has ended that Dask still counts on, within the block.

    A job that is refused, is cancelled, or whose node dies, before its worker has connected never
    says so to Dask's scheduler; and a worker that is lost later stays in the cluster's plan. Either
    way an adaptive cluster believes that it has the workers that it needs.

    Parameters
    ----------
    cluster : phenopipe.segment.slurm_workers.Cluster
        An adaptive cluster: told that it has fewer workers, it starts others.
    client : dask.distributed.Client
        Its client, whose tasks are given up where no worker comes.

    Raises
    ------
    LostWorkersError
        If jobs were lost `MOST_LOSSES` times and no worker connected in between.
    """
    watch = _Watch(cluster, client)
    watcher = Thread(target=watch.run, name="lost-jobs", daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if watch.verdict:
            raise LostWorkersError(watch.verdict) from error
        raise
    finally:
        watch.ended.set()
        watcher.join()


class _Watch:
    """What the watching thread knows.

    Attributes
    ----------
    ended : Event
        Set when there is nothing left to watch.
    verdict : str
        Why it gave up; empty if it did not.
    """

    def __init__(self, cluster: Any, client: Client) -> None:  # noqa: ANN401
        self.ended, self.verdict = Event(), ""
        self._cluster, self._client = cluster, client
        self._losses, self._refusal = 0, ""

    def run(self) -> None:
        """Look again and again until it ends or gives up."""
        missing: Set[object] = set()
        while not self.ended.wait(LOOK_EVERY_S):
            refused, ended = self._find_missing()
            if lost := refused | (ended & missing):
                self._count_losses()
                if self.verdict:
                    self._give_up()
                    return
                log.warning("segment: %d SLURM workers were lost; others are asked for", len(lost))
                self._cluster.sync(self._cluster.scale_down, list(lost))
            missing = ended - lost

    def _find_missing(self) -> tuple[Set[object], Set[object]]:
        """Return the planned workers whose jobs were refused, and those that have none by now."""
        planned, jobs = set(self._cluster.worker_spec), dict(self._cluster.workers)
        refused = {name for name, job in jobs.items() if job.refusal}
        if refused:
            self._refusal = jobs[min(refused, key=str)].refusal
        told = living_jobs("JobID:20")
        if told is None:  # SLURM does not answer: nothing is known of jobs that it took
            return planned & refused, set()
        living = {line.strip() for line in told}
        submitted = {name: job.job_id for name, job in jobs.items() if job.job_id}
        ended = {name for name, number in submitted.items() if number not in living}
        return planned & refused, planned & (ended | (planned - set(jobs)))

    def _count_losses(self) -> None:
        self._losses = 0 if self._cluster.scheduler_info["workers"] else self._losses + 1
        if self._losses < MOST_LOSSES:
            return
        said = f"SLURM says: {self._refusal}" if self._refusal else "see their slurm-*.out"
        self.verdict = (
            f"dask.cluster: slurm: jobs were lost {self._losses} times before any worker connected "
            f"({said}); check the keys dask.slurm_* and dask.worker_memory"
        )

    def _give_up(self) -> None:
        """End the tasks, for which somebody waits in another thread."""
        from dask.distributed import Future

        waiting: list[Any] = [
            Future(key, client=self._client) for key in list(self._client.futures)
        ]
        self._client.cancel(waiting)  # type: ignore[no-untyped-call]
