"""The demo, small, through `snakemake --profile slurm`; and what a GPU job does without a GPU."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
import yaml
from experiment import ROOT, Run
from slurm_runs import PATIENCE_S, completion_log, jobs_of, run_id, states

pytestmark = pytest.mark.slurm

ON_GPU = {"train", "predict"}
#: A rule of each name that runs where Snakemake does.
LOCAL = {"plan", "check"}


@pytest.fixture(scope="module")
def demo(slurm, tmp_path_factory):
    """The demo's folder after its run from a clone, and that run."""
    folder = tmp_path_factory.mktemp("demo")
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["synth"].update(plants=3, image_size=96)
    config["ingest"]["crop_size"] = 64
    config["predict"]["network_size"] = 64
    training = {"image_size": 64, "steps": 2, "batch_size": 1, "validation_images": 2, "workers": 0}
    config["models"]["demo"]["train"].update(training, gate_margin=1.0)
    config["run"]["max_failed_share"] = 0.5
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    arguments = ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", "slurm", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return folder, Run(done.returncode, done.stderr)


def test_it_is_green(demo):
    folder, run = demo
    assert run.code == 0, run.output
    for night in ("night_01", "night_02"):
        rows = (folder / f"results/analyses/default/sets/{night}/plants.csv").read_text()
        assert len(rows.splitlines()) > 4
    assert (folder / "results/analyses/default/season/report.html").is_file()


def test_slurm_has_seen_every_job(demo):
    _, run = demo
    expected = {rule: count for rule, count in run.jobs.items() if rule not in LOCAL}
    jobs = jobs_of(run.output)
    assert Counter(job.rule for job in jobs) == expected
    assert {job.state for job in jobs} == {"COMPLETED"}
    ended = [
        line for line in completion_log().splitlines() if f"Name={run_id(run.output)} " in line
    ]
    assert len(ended) == len(jobs)
    assert all(" JobState=COMPLETED " in line for line in ended)


def test_jobs_ask_for_what_they_need(demo):
    for job in jobs_of(demo[1].output):
        assert job.partition == ("gpu" if job.rule in ON_GPU else "cpu")
        assert job.gpus == ("gres:gpu:1" if job.rule in ON_GPU else "N/A")
        assert job.cpus == {"ingest": 2, "train": 4, "predict": 4, "segment": 4}.get(job.rule, 1)
        assert job.memory == {"ingest": "5000M", "predict": "4000M", "report": "2000M"}.get(
            job.rule, job.memory
        )


def test_a_gpu_job_on_the_cpu_is_flagged_loudly(demo):
    """The nodes' GPUs are fake: CUDA_VISIBLE_DEVICES is set, and torch finds none."""
    told = [line for line in demo[1].lines if line.startswith("WARNING: predict.device: is auto")]
    assert len(told) == 1
    assert "this job was given a GPU (CUDA_VISIBLE_DEVICES=" in told[0]
    assert "logs/predict/demo/night_0" in told[0]


def test_cuda_fails_clearly(night):
    experiment = night("predict")
    experiment.configure(predict__device="cuda")
    run = experiment.run("results/predictions/net/night/0000.zarr", "--retries", "0")
    assert run.code == 1
    assert "predict.device: is cuda, but torch finds no GPU here; set it to auto or cpu" in (
        run.output
    )
    assert states(jobs_of(run.output), "predict") == ["FAILED"]


def test_cpu_asks_for_no_gpu(night):
    experiment = night("predict")
    experiment.configure(predict__device="cpu")
    store = "results/predictions/net/night/0000.zarr"
    run = experiment.run(store)
    assert run.code == 0, run.output
    (job,) = jobs_of(run.output)
    assert (job.partition, job.gpus) == ("cpu", "N/A")
    assert "WARNING" not in run.output
    assert (experiment.folder / store).is_dir()
