"""Whatever dies, the same tables come out, byte for byte."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from slurm_runs import (
    HERE,
    TABLES,
    ask,
    finish,
    jobs_of,
    kill,
    living_job,
    states,
    wait_for,
)

pytestmark = pytest.mark.slurm

TRAIN = {
    "preset": "tiny",
    "embedding_dim": 4,
    "image_size": 64,
    "steps": 30,
    "batch_size": 1,
    "warmup_steps": 0,
    "workers": 0,
    "validation_images": 2,
    "gate_margin": 1.0,
}


def assert_as_undisturbed(experiment, run, undisturbed):
    assert run.code == 0, run.output
    assert experiment.tables() == undisturbed.tables()
    assert not list(experiment.results.rglob("*.part"))


def test_a_cancelled_job(night, undisturbed):
    experiment = night("predict")
    process = experiment.start(*TABLES)
    script = experiment.hold_script("predict", process)
    ask("scancel", living_job(script.pid))
    run = finish(process)
    assert_as_undisturbed(experiment, run, undisturbed)
    jobs = jobs_of(run.output)
    assert states(jobs, "predict") == ["CANCELLED", "COMPLETED"]
    assert [job.partition for job in jobs if job.rule == "predict"] == ["gpu", "gpu"]


def test_a_job_killed_by_kill_9(night, undisturbed):
    experiment = night("segment")
    process = experiment.start(*TABLES)
    experiment.hold_script("segment", process).kill()
    run = finish(process)
    assert_as_undisturbed(experiment, run, undisturbed)
    assert states(jobs_of(run.output), "segment") == ["FAILED", "COMPLETED"]


def test_a_node_that_fails(night, undisturbed):
    experiment = night("segment")
    process = experiment.start(*TABLES)
    job = living_job(experiment.hold_script("segment", process).pid)
    node = ask("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    subprocess.run([HERE / "fail-node.sh", node], check=True)
    try:
        run = finish(process)
    finally:
        subprocess.run([HERE / "start-slurm.sh"], check=True)
    assert_as_undisturbed(experiment, run, undisturbed)
    assert states(jobs_of(run.output), "segment") == ["NODE_FAIL", "COMPLETED"]


def test_a_job_that_needs_more_memory_gets_it(night, undisturbed):
    experiment = night("tabulate")
    # Snakemake in the job takes more than the first 60 MB for seconds, whatever tabulate needs.
    run = experiment.run(*TABLES, "--set-resources", "tabulate:mem_mb=60 * 5 ** (attempt - 1)")
    assert_as_undisturbed(experiment, run, undisturbed)
    tried = [job for job in jobs_of(run.output) if job.rule == "tabulate"]
    assert [job.memory for job in tried] == ["60M", "300M", "1500M"][: len(tried)]
    assert len(tried) > 1
    assert tried[-1].state == "COMPLETED"
    assert all(job.state != "COMPLETED" for job in tried[:-1])


def test_snakemake_killed_and_started_again(night, undisturbed):
    experiment = night("predict")
    first = experiment.start(*TABLES)
    script = experiment.hold_script("predict", first)
    job = living_job(script.pid)
    kill(first)
    assert script.is_running(), "its jobs are SLURM's, and outlive it"

    run = experiment.run(*TABLES)
    assert_as_undisturbed(experiment, run, undisturbed)
    assert f"cancelled jobs of an earlier run: {job}" in run.lines
    assert not script.is_running()
    assert ask("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T") == (
        "CANCELLED\n"
    )
    assert states(jobs_of(run.output), "predict") == ["COMPLETED"]


@pytest.fixture(scope="module")
def trained(undisturbed, tmp_path_factory):
    """The night with a model trained in it, without SLURM and without a fault."""
    experiment = undisturbed.fresh(tmp_path_factory.mktemp("trained") / "night")
    experiment.configure(models__net__train=TRAIN)
    run = experiment.run_here()
    assert run.code == 0, run.output
    assert experiment.tables() != undisturbed.tables(), "by another model"
    return experiment


def hold_training(experiment):
    """Start the workflow and stop its training after some steps; returns what runs."""
    process = experiment.start(*TABLES)
    losses = experiment.results / "models/net/training/losses.csv"
    wait_for(lambda: losses.exists() and losses.read_text().count("\n") > 3, process)
    script = experiment.hold_script("train", process)
    return process, script, living_job(script.pid)


def test_a_training_whose_time_is_nearly_over_goes_on(night, trained):
    experiment = night("predict")
    experiment.configure(models__net__train=TRAIN)
    process, script, job = hold_training(experiment)
    # SLURM warns it, as the profile asks for.
    ask("scontrol", "update", f"JobId={job}", "EndTime=now+90")
    wait_for(lambda: was_sent(script, signal.SIGUSR1), process)
    with suppress(psutil.NoSuchProcess):
        script.resume()
    run = finish(process)
    assert_as_undisturbed(experiment, run, trained)
    assert states(jobs_of(run.output), "train") == ["FAILED", "COMPLETED"]
    assert "training stopped by SIGUSR1 after step" in run.output
    assert "going on from step" in (experiment.folder / "logs/train/net.log").read_text()


def test_a_training_killed_at_the_end_of_its_time_goes_on(night, trained):
    """It hears no warning, since it hangs: its last regular checkpoint counts."""
    experiment = night("predict")
    experiment.configure(models__net__train=TRAIN | {"checkpoint_minutes": 1e-6})
    process, _, job = hold_training(experiment)
    ask("scontrol", "update", f"JobId={job}", "EndTime=now+1")
    run = finish(process)
    assert_as_undisturbed(experiment, run, trained)
    assert states(jobs_of(run.output), "train") == ["TIMEOUT", "COMPLETED"]
    assert "going on from step" in (experiment.folder / "logs/train/net.log").read_text()


def was_sent(process, number) -> bool:
    """Whether a stopped process was sent a signal: it waits for it, or SLURM woke it to hear it."""
    try:
        text = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return True
    status = dict(line.split(":\t") for line in text.splitlines())
    if not status["State"].startswith("T"):
        return True
    return bool(int(status["ShdPnd"], 16) >> (number - 1) & 1)
