"""SLURM jobs that never become workers; SLURM's commands are played by scripts."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from phenopipe.config import DaskSettings
from phenopipe.segment import lost_jobs
from phenopipe.segment.lost_jobs import LostWorkersError
from phenopipe.segment.tasks import run_tasks

SLURM = DaskSettings(
    cluster="slurm", slurm_interface="lo", slurm_max_workers=1, worker_memory="500MB"
)
REFUSES = 'echo "sbatch: error: invalid partition specified: gpuu" >&2; exit 1'
#: Takes a job, which is never seen again.
LOSES = 'echo "Submitted batch job 7"'
#: Runs a copy of the script, which Dask removes, in the background; `squeue` knows what lives.
RUNS = 'cp "$1" job.sh; sh job.sh > /dev/null 2>&1 & echo $! >> jobs; echo "Submitted batch job $!"'
LIVING = "for job in $(cat jobs); do kill -0 $job 2> /dev/null && echo $job; done; true"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes sbatch, squeue and scancel of scripts, in an own folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "jobs").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(lost_jobs, "LOOK_EVERY_S", 0.2)

    def play(sbatch: str, squeue: str = "true") -> None:
        scripts = {"sbatch": sbatch, "squeue": squeue, "scancel": 'kill "$@" 2> /dev/null; true'}
        for name, script in scripts.items():
            path = tmp_path / "bin" / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    return play


def run(path: Path) -> None:
    run_tasks(
        os.mkdir,  # which workers can import
        [(str(path),)],
        name="mark",
        dask=SLURM,
        workers=1,
        crops=1,
        progress=lambda items, _total, _name: iter(items),
    )


def test_refused_jobs_end_in_what_slurm_says(slurm, tmp_path):
    slurm(REFUSES)
    with pytest.raises(LostWorkersError, match=r"SLURM says: .*invalid partition.*dask\.slurm_"):
        run(tmp_path / "mark")


def test_refusals_are_told_while_slurm_does_not_answer(slurm, tmp_path):
    slurm(REFUSES, squeue="exit 1")
    with pytest.raises(LostWorkersError, match="invalid partition"):
        run(tmp_path / "mark")


def test_jobs_that_end_before_they_are_workers(slurm, tmp_path):
    slurm(LOSES)
    with pytest.raises(LostWorkersError, match=r"lost 6 times .*see their slurm-"):
        run(tmp_path / "mark")


def test_one_refusal_costs_a_moment(slurm, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(lost_jobs, "LOOK_EVERY_S", 2)  # a job that starts slowly is not lost
    slurm(f"if [ ! -e refused ]; then touch refused; {REFUSES}; fi; {RUNS}", LIVING)
    run(tmp_path / "mark")
    assert (tmp_path / "mark").exists()
    assert "SLURM did not take a worker (sbatch: error: invalid partition" in caplog.text
    assert "1 SLURM workers were lost; others are asked for" in caplog.text
    living = [int(line) for line in (tmp_path / "jobs").read_text().split()]
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{job}/cmdline").is_file() for job in living):
        assert time.monotonic() < deadline, "none is left behind"
        time.sleep(0.1)
