"""What the workflow adds to the work of its stages, in the demo; prints JSON.

    python benchmarks/overhead.py [--slurm]

The demo runs twice, with the same settings: by Snakemake, a process for each job, and stage after
stage in one process, both with all cores and their starts included. With --slurm (as root, see
docs/cluster.md) it runs a third time, on a SLURM of this machine, and each job's time is split: in
the queue, from its start until its stage begins, and after the stage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from snakemake_runs import NO_CLUSTER

from phenopipe.config import load_config
from phenopipe.job_files import read_job

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config/config.yaml"
CLUSTER = ROOT / "tests/cluster"
TIMES = ("SubmitTime", "StartTime", "EndTime")
RULE = re.compile(r"rule_(\w+?)(?:_wildcards_|$)")


def run_stages() -> None:
    """Run all stages of the demo in this process, in the order of the data."""
    from phenopipe.cli.commands import app
    from phenopipe.plan import find_sets, read_roster
    from phenopipe.run_summary import check_failures
    from phenopipe.tabulate import write_summary

    def stage(*words: object) -> None:
        try:
            app([*map(str, words), "--config", str(CONFIG)])
        except SystemExit as end:  # as a command line ends, also when all is well
            if end.code:
                raise

    config = load_config(CONFIG)
    results = Path("results")
    sets = find_sets(config)
    for key in sets:
        stage("synth", key, "--out", results / "synth")
    stage("plan", "--out", results / "plan")
    models = {analysis.model for analysis in config.analyses.values()}
    trained = [name for name in models if config.models[name].train]
    for name in trained:
        stage("train", name, "--out", results / "models")
    for key in sets:
        roster = results / f"plan/{key}.roster.tsv"
        for shard in read_roster(roster).shards:
            stage("ingest", roster, shard, "--out", results / "crops" / key)
    for name, analysis in config.analyses.items():
        model = analysis.model
        weights = (
            results / "models" / model / "model.safetensors"
            if model in trained
            else config.models[model].weights
        )
        tables = [results / "analyses" / name / "sets" / key for key in sets]
        for key, folder in zip(sets, tables, strict=True):
            crops = sorted((results / "crops" / key).glob("*.zarr"))
            predictions = [results / "predictions" / model / key / path.name for path in crops]
            for store, out in zip(crops, predictions, strict=True):
                stage("predict", store, "--model", weights, "--out", out)
            cut = [word for store in crops for word in ("--crops", store)]
            predicted = [word for out in predictions for word in ("--predictions", out)]
            cores = os.cpu_count()
            mine = ("--analysis", name)
            stage("segment", *cut, *predicted, "--out", folder, "--workers", cores, *mine)
            plan = results / f"plan/{key}.tsv"
            stage("tabulate", "--plan", plan, *cut, *predicted[:2], "--out", folder, *mine)
            stage("report", folder, *cut, *mine)
        season = results / "analyses" / name / "season"
        stage("season", *tables, "--out", season)
        stage("report", season, "--analysis", name)
        summary = results / "analyses" / name / "summary.json"
        write_summary([folder / "plants.parquet" for folder in tables], summary)
        check_failures(summary, config.run.max_failed_share)


def timed(command: list[str], folder: Path, **variables: str) -> tuple[float, str]:
    """Run a command in a folder; return seconds and what it printed, or end with that."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - start, done.stdout + done.stderr


def snakemake(folder: Path, *options: str) -> list[str]:
    """Return the call of Snakemake for the demo in a folder."""
    return [
        *(sys.executable, "-m", "snakemake", "--directory", str(folder), *options),
        *("--configfile", str(CONFIG)),
    ]


def local_jobs(folder: Path) -> tuple[float, int]:
    """Run the demo by Snakemake on this machine; return seconds and number of jobs."""
    seconds, output = timed(snakemake(folder, "--cores", "all"), ROOT, **NO_CLUSTER)
    return seconds, len(re.findall("^Finished jobid", output, re.MULTILINE))


def slurm_jobs(folder: Path) -> dict[str, object]:
    """Run the demo on SLURM and split the time of its jobs."""
    subprocess.run([CLUSTER / "start-slurm.sh"], check=True, capture_output=True)
    try:
        seconds, output = timed(snakemake(folder, "--profile", "slurm"), ROOT)
        name = re.search(r"^SLURM run ID: (\S+)", output, re.MULTILINE)[1]
        fields = ["--noheader", "--states=all", f"--name={name}"]
        form = ",".join(f"{field}:200" for field in ("JobID", "Comment", "State", *TIMES))
        told = subprocess.run(
            ["squeue", *fields, f"--Format={form}"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    finally:
        subprocess.run([CLUSTER / "stop-slurm.sh"], check=True, capture_output=True)
    stages = {}
    for log in (folder / "logs").rglob("*.log"):
        job = read_job(log.with_suffix(""))
        if job is not None and job.slurm_job_id:
            stages[job.slurm_job_id] = job
    split = []
    for line in told:
        number, comment, state, *times = (
            line[at : at + 200].strip() for at in range(0, 200 * (3 + len(TIMES)), 200)
        )
        rule = RULE.match(comment)[1]
        if number not in stages:  # its log is that of the next attempt
            split.append({"rule": rule, "state": state})
            continue
        submitted, started, ended = map(datetime.fromisoformat, times)
        job = stages[number]
        begun, done = (
            datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
            for text in (job.started, job.finished)
        )
        split.append(
            {
                "rule": rule,
                "state": state,
                "queue_s": (started - submitted).total_seconds(),
                "before_stage_s": (begun - started).total_seconds(),
                "stage_s": (done - begun).total_seconds(),
                "after_stage_s": (ended - done).total_seconds(),
            }
        )
    parts = ("queue_s", "before_stage_s", "stage_s", "after_stage_s")
    done = [job for job in split if "stage_s" in job]
    return {
        "wall_s": round(seconds, 1),
        "jobs": len(split),
        **{f"mean_{part}": round(statistics.mean(job[part] for job in done), 1) for part in parts},
        "by_job": split,
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slurm", action="store_true")
    parser.add_argument("--one-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_process:
        run_stages()
        return
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, kind) for kind in ("one", "jobs", "slurm")]
        for folder in folders:
            folder.mkdir()
        one = timed([sys.executable, __file__, "--one-process"], folders[0])[0]
        seconds, jobs = local_jobs(folders[1])
        result: dict[str, object] = {
            "cores": os.cpu_count(),
            "one_process_s": round(one, 1),
            "snakemake_s": round(seconds, 1),
            "jobs": jobs,
            "overhead_s_per_job": round((seconds - one) / jobs, 2),
            "snakemake_over_one_process": round(seconds / one, 2),
        }
        if options.slurm:
            result["slurm"] = slurm_jobs(folders[2])
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
