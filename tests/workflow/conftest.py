"""The finished experiment that the tests of the workflow start from."""

from __future__ import annotations

import fcntl
import os

import pytest
from experiment import Experiment, make_experiment


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Experiment:
    """The small experiment after its run; made once for all test processes, never to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            run = make_experiment(shared).run()
            assert run.code == 0, run.output
            (shared / "done").touch()
    return Experiment(shared)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Experiment:
    """The small experiment before its first run, never to be changed."""
    return make_experiment(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def raw(prepared, tmp_path) -> Experiment:
    """A copy of the experiment that was never run, to change."""
    return prepared.copy(tmp_path / "raw")


@pytest.fixture
def experiment(finished, tmp_path) -> Experiment:
    """A copy of the finished experiment, to change."""
    return finished.copy(tmp_path / "experiment")
