"""A real SLURM on this machine, and small experiments to run on it."""

from __future__ import annotations

import os
import subprocess

import pytest
from slurm_runs import HERE, SlurmExperiment, make_night


@pytest.fixture(scope="session")
def slurm():
    """Start SLURM for the session; a test is skipped where it cannot be started.

    With PHENOPIPE_NEED_SLURM in the environment it fails instead, so that nobody mistakes skipped
    tests for passed ones.
    """
    running = subprocess.run(["bash", "-c", f". {HERE}/slurm.sh; ours && answers"]).returncode == 0
    done = subprocess.run([HERE / "start-slurm.sh"], capture_output=True, text=True)
    if done.returncode:
        reason = f"no SLURM can be started here: {done.stderr.strip()}"
        assert "PHENOPIPE_NEED_SLURM" not in os.environ, reason
        pytest.skip(reason)
    yield
    if not running:
        subprocess.run([HERE / "stop-slurm.sh"], check=True)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> SlurmExperiment:
    """The night before its first run, never to be changed."""
    return make_night(tmp_path_factory.mktemp("prepared") / "night")


@pytest.fixture(scope="session")
def undisturbed(prepared, tmp_path_factory) -> SlurmExperiment:
    """The night after a run without SLURM and without a fault, never to be changed."""
    experiment = prepared.fresh(tmp_path_factory.mktemp("undisturbed") / "night")
    run = experiment.run_here()
    assert run.code == 0, run.output
    return experiment


@pytest.fixture
def night(slurm, undisturbed, tmp_path):
    """Give a function that copies the undisturbed night as far as before some stage."""

    def copy(stage: str) -> SlurmExperiment:
        experiment = undisturbed.copy(tmp_path / "night")
        experiment.forget(stage)
        return experiment

    return copy
