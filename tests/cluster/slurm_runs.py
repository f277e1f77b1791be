"""A small night of pictures, run by Snakemake on SLURM, and what SLURM says of its jobs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import psutil
from experiment import ROOT, Experiment, Run
from green_plants import draw_pot, write_green_model, write_picture

from phenopipe.files import remove

HERE = Path(__file__).resolve().parent
#: The tables that a disturbed run must give byte for byte like an undisturbed one.
TABLES = [f"results/analyses/one/sets/night/{table}.csv" for table in ("plants", "leaves")]
#: What each stage writes, in the order of the data.
OUTPUTS = {
    "ingest": ["crops"],
    "train": ["models"],
    "predict": ["predictions"],
    "segment": ["analyses"],
    "tabulate": ["analyses/one/sets/night/plants.*", "analyses/one/sets/night/leaves.*"],
}
CONFIG = {
    "experiment": "small",
    "plan": {"image_root": "images", "settle_seconds": 0},
    "ingest": {"crop_size": 96},
    "predict": {"network_size": 96, "looks": 1},
    "models": {"net": {"weights": "net.safetensors"}},
    "analyses": {"one": {"model": "net"}},
    "run": {"max_failed_share": 0.5},
}
#: What squeue is asked of a job.
FIELDS = ("JobID", "State", "Partition", "tres-per-job", "NumCPUs", "MinMemory", "Comment")
PATIENCE_S = 900


@dataclass(frozen=True)
class Job:
    """A job as SLURM has it."""

    id: str
    state: str
    partition: str
    gpus: str
    cpus: int
    memory: str
    rule: str


class SlurmExperiment(Experiment):
    """An experiment whose jobs run on SLURM."""

    def arguments(self, *more):
        return [
            *("--profile", str(ROOT / "slurm"), "--snakefile", str(self.checkout / "Snakefile")),
            *("--workflow-profile", str(self.checkout / "profiles/default")),
            *("--directory", str(self.folder), "--configfile", str(self.folder / "config.yaml")),
            # Jobs are short here: look often, and promise what the machine has.
            *("--slurm-init-seconds-before-status-checks", "6", "--latency-wait", "5"),
            *("--set-threads", "train=1", "predict=1", "segment=1", "--jobs", "4", *more),
        ]

    def run(self, *arguments, **variables) -> Run:
        process = self.start(*(arguments or TABLES), **variables)
        return finish(process)

    def run_here(self, *arguments) -> Run:
        """Run without SLURM."""
        return Experiment(self.folder, self.checkout).run(*(arguments or TABLES))

    def start_here(self, *arguments) -> subprocess.Popen[str]:
        """Start a run without SLURM."""
        return Experiment(self.folder, self.checkout).start(*(arguments or TABLES))

    def copy(self, folder):
        return SlurmExperiment(super().copy(folder).folder)

    def fresh(self, folder):
        return SlurmExperiment(super().fresh(folder).folder)

    def forget(self, stage):
        """Remove what a stage and all that follow wrote."""
        later = list(OUTPUTS)[list(OUTPUTS).index(stage) :]
        for pattern in chain.from_iterable(OUTPUTS[name] for name in later):
            for path in list(self.results.glob(pattern)):
                remove(path)

    def tables(self):
        return {name: (self.folder / name).read_bytes() for name in TABLES}

    def hold_script(self, rule, process) -> psutil.Process:
        """Stop the script of a rule as soon as it runs in one of this experiment's jobs."""
        place = str(self.folder / ".snakemake/scripts")
        script = wait_for(lambda: find_process(place, f".{rule}.py"), process)
        script.suspend()
        return script


def make_night(folder: Path) -> SlurmExperiment:
    """Make pictures of one to three leaves and one that cannot be read, a model and settings."""
    for leaves in (1, 2, 3):
        write_picture(folder / f"images/night/{leaves}.png", draw_pot(96, leaves))
    (folder / "images/night/4.png").write_bytes(b"cut short")
    write_green_model(folder / "net.safetensors")
    experiment = SlurmExperiment(folder)
    experiment.write_config(**CONFIG)
    return experiment


def finish(process) -> Run:
    """Wait for Snakemake's end."""
    output = process.communicate(timeout=PATIENCE_S)[0]
    return Run(process.returncode, output)


def wait_for(happened, process):
    """Wait until something has happened while Snakemake runs; returns what it is."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def find_process(*parts) -> psutil.Process | None:
    """Find a process of Python's whose script or module has all of these parts in its name."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        script = command[2:3] if command[1:2] == ["-m"] else command[1:2]
        if script and all(part in script[0] for part in parts):
            return process
    return None


def run_id(output) -> str:
    return re.search(r"^SLURM run ID: (\S+)", output, re.MULTILINE)[1]


def jobs_of(output) -> list[Job]:
    """Return what SLURM's queue knows of the jobs of a run, in their order."""
    which = ["--noheader", "--states=all", f"--name={run_id(output)}"]
    fields = ",".join(f"{field}:200" for field in FIELDS)
    told = ask("squeue", *which, f"--Format={fields}")
    jobs = []
    for line in told.splitlines():
        words = [line[start : start + 200].strip() for start in range(0, 200 * len(FIELDS), 200)]
        number, state, partition, gpus, cpus, memory, comment = words
        rule = re.match(r"rule_(\w+?)(_wildcards_|$)", comment)[1]
        jobs.append(Job(number, state, partition, gpus, int(cpus), memory, rule))
    return sorted(jobs, key=lambda job: int(job.id))


def completion_log() -> str:
    """Return SLURM's own log of ended jobs."""
    return Path("/run/phenopipe-slurm/log/jobs.log").read_text()


def living_job(process_id) -> str:
    """Return the id of the job that a process belongs to, from its environment."""
    return psutil.Process(process_id).environ()["SLURM_JOB_ID"]


def states(jobs, rule) -> list[str]:
    return [job.state for job in jobs if job.rule == rule]


def ask(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def kill(process) -> None:
    """Kill Snakemake alone, by kill -9; its jobs are SLURM's."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def phenopipe(*arguments, **variables) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from phenopipe.cli import main; main()", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
