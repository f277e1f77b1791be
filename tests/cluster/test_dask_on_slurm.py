"""`dask.cluster: slurm`: the workers of `segment` are jobs of a real SLURM, which come and go."""

from __future__ import annotations

import re

import pytest
from slurm_runs import ask, completion_log, find_process, finish, living_job, wait_for

pytestmark = pytest.mark.slurm

DASK = {
    "cluster": "slurm",
    "slurm_queue": "cpu",
    "slurm_interface": "lo",
    "slurm_max_workers": 2,
    "worker_memory": "500MB",
}


def ended_workers() -> list[str]:
    """Return the states in which jobs that were Dask's workers ended."""
    return re.findall(r"^.*Name=dask-worker .*JobState=(\w+)", completion_log(), re.MULTILINE)


@pytest.fixture
def experiment(night):
    made = night("segment")
    made.configure(dask=DASK)
    return made


def test_workers_are_jobs(experiment, undisturbed):
    before = len(ended_workers())
    run = experiment.run_here()
    assert run.code == 0, run.output
    assert experiment.tables() == undisturbed.tables()
    assert len(ended_workers()) > before
    assert ask("squeue", "--noheader", "--name=dask-worker") == "", "none is left behind"


def test_a_worker_that_is_cancelled_is_replaced(experiment, undisturbed):
    process = experiment.start_here()
    worker = wait_for(lambda: find_process("distributed.cli.dask_worker"), process)
    job = living_job(worker.pid)
    ask("scancel", job)
    run = finish(process)
    assert run.code == 0, run.output
    assert experiment.tables() == undisturbed.tables()
    state = ask("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")
    assert state == "CANCELLED\n"
