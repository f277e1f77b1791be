"""Unattended nights, with real processes: overlapping, killed, on a full disk, while copying."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
from experiment import draw_picture
from nightly_project import Project, as_project, forget, tables

pytestmark = pytest.mark.workflow

#: What a new set of one shard makes.
ONE_SET = {
    **{"plan": 1, "ingest": 1, "predict": 1, "segment": 1, "tabulate": 1, "report": 1},
    **{"season": 1, "summarize": 1, "check": 1, "report_season": 1, "experiment": 1},
}
#: Notes how it is called and what it reads, and fails.
HOOK = """
import json, sys
with open("hook.json", "w") as file:
    json.dump([sys.argv[1:], sys.stdin.read()], file)
sys.exit("no such address")
"""
#: In place of SLURM's commands: a job runs at once, through the shells of Snakemake's plugin.
SLURM = {
    "sbatch": """
for argument; do
    case $argument in --wrap=*) sh -c "${argument#--wrap=}" > job.log 2>&1 || exit 1;; esac
done
echo $$ | tee -a jobs
""",
    "srun": 'while [ "$1" != "${1#-}" ]; do shift; done; "$@"\n',
    "sacctmgr": "echo a\n",
    "sacct": "sed 's/$/|COMPLETED/' jobs\n",
}
GROW = """
import sys, time
with open(sys.argv[1], "ab") as file:
    while True:
        file.write(b"x")
        file.flush()
        time.sleep(0.05)
"""


@pytest.fixture
def project(experiment) -> Project:
    return as_project(experiment)


def wait_for(process, happened, timeout=240):
    deadline = time.monotonic() + timeout
    while not happened():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_at_once_and_one_that_was_killed(project):
    project.configure(nightly__settle_minutes=60, nightly__wait_minutes=60)
    first = project.start_night()
    owner = project.folder / ".snakemake/phenopipe-nightly.lock"
    wait_for(first, lambda: owner.exists() and owner.read_text())
    second = project.night()
    assert second.code == 3
    (line,) = second.lines
    assert f"another run is going on, process {first.pid} on " in line
    assert not (project.results / "nightly").exists()

    first.kill()
    first.wait()
    project.configure(nightly__settle_minutes=0)
    third = project.night()
    assert third.code == 0, third.output
    assert project.summary["made"] == {"one": {}}
    assert project.snakemake_log.finished == {}


def test_a_night_killed_in_the_middle(finished, project):
    forget(project, "night_2")
    first = project.start_night()
    wait_for(first, (project.results / "crops/night_2/0000.zarr").exists)
    first.kill()  # its Snakemake lives on, and holds the lock
    (snakemake,) = heads_of_snakemake(project)
    assert project.night().code == 3

    os.killpg(snakemake, signal.SIGKILL)
    first.communicate()
    again = project.night()
    assert again.code == 0, again.output
    assert "ingest" not in project.snakemake_log.finished
    assert tables(project) == tables(finished)
    assert list(project.summary["made"]["one"]) == ["night_2"]


def heads_of_snakemake(project):
    """Return the processes of Snakemake's that are heads of a session in the project's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            inside = process.cwd() == str(project.folder)
            if (
                inside
                and "snakemake" in process.cmdline()
                and os.getsid(process.pid) == process.pid
            ):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


@contextmanager
def copying(picture):
    """Let a picture grow."""
    picture.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", GROW, picture]) as process:
        while not picture.exists():
            time.sleep(0.01)
        try:
            yield
        finally:
            process.kill()


def test_a_picture_still_being_copied_and_a_hook_that_fails(project):
    hook = [sys.executable, "-c", HOOK, "{status} {code}", "$(touch pwned)", "{json}"]
    project.configure(nightly__settle_minutes=0.02, nightly__wait_minutes=0.05, nightly__hook=hook)
    picture = project.folder / "images/night_3/20240303_010000_p1.png"
    with copying(picture):
        night = project.night()
    assert night.code == 0, night.output
    ((name, (growing,)),) = project.summary["waiting"].items()
    assert (name, growing["image"]) == ("night_3", "night_3/20240303_010000_p1.png")
    assert project.snakemake_log.finished == {}
    assert not (project.results / "plan/night_3.roster.tsv").exists()
    called, told = json.loads((project.folder / "hook.json").read_text())
    (json_path,) = (str(path.relative_to(project.folder)) for path in summaries(project))
    assert called == ["well 0", "$(touch pwned)", json_path]
    assert "night_3: changed night_3/20240303_010000_p1.png (0 s ago)" in told
    assert project.summary["hook"]["problem"] == "ended with code 1: no such address"

    draw_picture(picture, seed=31)
    project.configure(nightly__settle_minutes=0)
    night = project.night()
    assert night.code == 0, night.output
    assert project.snakemake_log.finished == ONE_SET
    made = project.summary["made"]["one"]
    assert list(made) == ["night_3"]
    assert made["night_3"]["failed"] == 0


@pytest.fixture
def slurm(project, monkeypatch):
    """Put commands in the place of SLURM's; returns Snakemake's options to use them."""
    folder = project.folder / "bin"
    folder.mkdir()
    for name, text in SLURM.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return [
        *("--executor", "slurm", "--jobs", "1", "--slurm-status-command", "sacct"),
        *("--slurm-init-seconds-before-status-checks", "1"),
        *("--default-resources", "slurm_account=a", "slurm_partition=p"),
    ]


def test_names_of_sets_that_stay_as_they_are_reach_no_shell(project, slurm):
    names = ["it's $(touch pwned)", "\N{SEEDLING} night"]
    held, waiting = (project.folder / f"images/{name}/20240303_010000_p1.png" for name in names)
    draw_picture(held, seed=31)
    project.configure(
        plan__hold=names[:1], nightly__settle_minutes=0.02, nightly__wait_minutes=0.05
    )
    forget(project, "night_2")
    with copying(waiting):
        night = project.night("--", *slurm, "--until", "ingest")
    assert night.code == 0, project.snakemake_log.output
    assert project.snakemake_log.finished == {"ingest": 1}
    assert list(project.summary["waiting"]) == names[1:]
    planned = json.loads((project.results / "plan/sets.json").read_text())["sets"]
    assert list(planned) == ["night_1", "night_2"]
    assert not list(project.folder.rglob("pwned"))


def summaries(project):
    return [p for p in (project.results / "nightly").glob("*.json") if p.stem != "latest"]


def test_a_picture_replaced_by_a_newer_one(project):
    draw_picture(min((project.folder / "images/night_1").iterdir()), seed=99)
    begun = time.time()
    night = project.night("--", "--printshellcmds")
    assert night.code == 0, night.output
    assert "--printshellcmds" in project.summary["command"]
    assert project.snakemake_log.finished == ONE_SET
    stores = [*(project.results / "crops").rglob("*.zarr"), *predictions(project)]
    remade = [path for path in stores if path.stat().st_mtime > begun]
    assert [f"{path.parent.name}/{path.name}" for path in remade] == ["night_1/0000.zarr"] * 2
    assert list(project.summary["made"]["one"]) == ["night_1"]


def predictions(project):
    return (project.results / "predictions").rglob("*.zarr")


def test_a_full_disk_that_is_freed(finished, small_disk):
    project = as_project(finished.copy(small_disk(64 * 1024) / "experiment"))
    forget(project, "night_2")
    rest = project.folder.parent / "rest"
    project.configure(nightly__min_free_gb=1)
    night = project.night()
    assert night.code == 4
    assert project.summary["status"] == "no space"
    assert project.summary["log"] == ""  # Snakemake was not called, and there is no such file
    (problem,) = project.summary["problems"]
    assert problem.startswith("results: its disk has 0.0")
    assert project.summary["command"] == []

    project.configure(nightly__min_free_gb=0)
    free = os.statvfs(project.folder)
    with rest.open("wb") as file:
        file.write(bytes(max(0, free.f_bavail * free.f_bsize - 64 * 1024)))
    night = project.night()
    assert night.code == 5, night.output
    assert "results: its disk is full (" in night.output
    rest.unlink()
    night = project.night()
    assert night.code == 0, night.output
    assert tables(project) == tables(finished)
    assert not list(project.results.rglob("*.part"))
