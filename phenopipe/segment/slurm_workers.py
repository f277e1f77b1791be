"""Workers of `segment` that are SLURM jobs, by dask-jobqueue; imported where there are some."""

from __future__ import annotations

import logging
from typing import Any

from dask_jobqueue.slurm import SLURMCluster, SLURMJob
from distributed.deploy.spec import ProcessInterface

from phenopipe.config import DaskSettings

log = logging.getLogger(__name__)


class Job(SLURMJob):
    """A job that is to be a worker, and may be refused.

    Dask takes a refusal for the end of its own work and forgets the worker. Here it is a job
    without a number: lost, as one that has ended (`phenopipe.segment.lost_jobs`).

    Attributes
    ----------
    refusal : str
        What SLURM said when it did not take the job; empty if it did.
    """

    refusal = ""

    async def start(self) -> None:
        """Submit the job."""
        try:
            await super().start()  # type: ignore[no-untyped-call]
        except (RuntimeError, OSError) as error:
            self.refusal = _last_line(error)
            log.warning("segment: SLURM did not take a worker (%s)", self.refusal)
            await ProcessInterface.start(self)  # type: ignore[no-untyped-call]


class Cluster(SLURMCluster):
    """Jobs of SLURM, each one worker."""

    job_cls = Job


def start_slurm(settings: DaskSettings, dashboard_address: str) -> Any:  # noqa: ANN401
    """Start a cluster whose jobs come and go with the work."""
    cluster = Cluster(
        cores=1,
        processes=1,
        memory=settings.worker_memory,
        queue=settings.slurm_queue,
        walltime=settings.slurm_walltime,
        interface=settings.slurm_interface,
        scheduler_options={
            "dashboard_address": dashboard_address,
            "dashboard": settings.dashboard,
        },
        worker_extra_args=["--no-dashboard"],
    )
    least, most = settings.slurm_min_workers, settings.slurm_max_workers
    cluster.adapt(minimum_jobs=least, maximum_jobs=most)
    return cluster


def _last_line(error: BaseException) -> str:
    """Return what a command said at last: Dask's error quotes all of its output."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
