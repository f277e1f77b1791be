"""`phenopipe profile slurm` on a real cluster, and a new experiment's folder that runs with it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml
from slurm_runs import PATIENCE_S, jobs_of, phenopipe

pytestmark = pytest.mark.slurm


def test_a_new_experiment_runs_with_the_profile_that_was_written(slurm, prepared, tmp_path):
    settings = {"XDG_CONFIG_HOME": str(tmp_path / "settings")}
    written = phenopipe("profile", "slurm", **settings)
    assert written.returncode == 0, written.stderr
    assert "partition gpu: 4 CPUs, 16000 MB and 2 GPUs a node, 1440 min" in written.stdout
    assert "account: none; ended jobs by squeue" in written.stdout

    experiment = tmp_path / "spring"
    images = str(prepared.folder / "images")
    made = phenopipe("init", str(experiment), "--images", images)
    assert made.returncode == 0, made.stderr
    config = experiment / "config/config.yaml"
    changed = yaml.safe_load(config.read_text())
    changed["plan"]["settle_seconds"] = 0
    config.write_text(yaml.safe_dump(changed))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", "slurm", "results/crops/night/0000.tsv"],
        cwd=experiment,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    (job,) = jobs_of(done.stderr)
    assert (job.rule, job.partition, job.state) == ("ingest", "cpu", "COMPLETED")
    assert (job.cpus, job.memory) == (2, "5000M")
