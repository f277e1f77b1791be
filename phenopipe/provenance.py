"""What made a table, for its sidecar: settings, code, packages, inputs, jobs and times."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import phenopipe
from phenopipe.config import Config
from phenopipe.job_files import Job, JobFiles, read_job, set_jobs, this_job
from phenopipe.plan.names import place_of
from phenopipe.plan.sets_file import CHOOSING

#: Packages whose version may change a result, or its bytes.
PACKAGES = (
    *("torch", "zarr", "numcodecs", "dask", "numpy", "numba", "opencv-python-headless", "pillow"),
    *("scikit-image", "scipy", "pandas", "pyarrow", "snakemake"),
)
#: The one key of a sidecar's `about` that differs between two runs on the same input.
RUN = "run"


def code_facts() -> dict[str, Any]:
    """Return the commit of the checkout and the versions of packages.

    Returns
    -------
    dict
        ``git_commit``, see :func:`git_commit`, and ``packages``, version by name.
    """
    packages = {name: found for name in PACKAGES if (found := _version(name))}
    return {
        "git_commit": git_commit(Path(phenopipe.__file__).resolve().parents[1]),
        "packages": {"python": platform.python_version(), **packages},
    }


@cache
def git_commit(checkout: Path) -> str:
    """Return the commit of a checkout.

    Parameters
    ----------
    checkout : Path
        Its folder.

    Returns
    -------
    str
        40 hexadecimal digits, then ``+changes`` where files that git knows were changed since;
        empty if the folder is no checkout or there is no git.
    """
    if not (checkout / ".git").exists() or shutil.which("git") is None:
        return ""
    commit = _git(checkout, "rev-parse", "HEAD")
    changed = commit and _git(checkout, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if changed else commit


def table_facts(
    config: Config, analysis: str, started: datetime, key: str, predictions: Iterable[str]
) -> dict[str, Any]:
    """Return what a job of `tabulate` adds to the sidecars of a set's tables.

    Parameters
    ----------
    config : Config
        The configuration.
    analysis : str
        Name of the analysis.
    started : datetime
        When the job began.
    key : str
        Key of the image set.
    predictions : iterable of str
        Stores of its shards' predictions.

    Returns
    -------
    dict
        As :func:`settings_facts`, and ``run`` as :func:`run_facts` describes it.
    """
    shards = map(place_of, predictions)
    jobs = set_jobs(key, shards, config.analyses[analysis].model, analysis)
    before = {stage: stems for stage, stems in jobs.items() if stage != "tabulate"}
    return {**settings_facts(config, analysis), RUN: run_facts(this_job(started), before)}


def season_facts(config: Config, analysis: str, started: datetime) -> dict[str, Any]:
    """Return what a job of `season` adds; see :func:`table_facts`."""
    settings = settings_facts(config, analysis, "season")
    return {**settings, RUN: run_facts(this_job(started), {})}


def settings_facts(config: Config, analysis: str, *further: str) -> dict[str, Any]:
    """Return the blocks of the configuration that a table of an analysis depends on.

    Parameters
    ----------
    config : Config
        The configuration.
    analysis : str
        Name of the analysis.
    *further : str
        Further blocks, such as ``season``.

    Returns
    -------
    dict
        ``settings``, the blocks, and ``settings_sha256``, the SHA-256 of them as JSON with sorted
        keys and without spaces.
    """
    chosen = config.analyses[analysis]
    blocks = {"plan", "ingest", "predict", "tabulate", *further}
    settings = {
        "experiment": config.experiment,
        "synth": config.synth and config.synth.model_dump(mode="json"),
        **{name: getattr(config, name).model_dump(mode="json") for name in sorted(blocks)},
        "model": config.models[chosen.model].model_dump(mode="json"),
        "analysis": chosen.model_dump(mode="json"),
    }
    for name in CHOOSING:  # of other sets
        del settings["plan"][name]
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return {"settings": settings, "settings_sha256": hashlib.sha256(text.encode()).hexdigest()}


def run_facts(job: Job, before: JobFiles) -> dict[str, Any]:
    """Return what differs from run to run: times, machines, and SLURM's job ids.

    Parameters
    ----------
    job : Job
        The job that writes the table.
    before : mapping of str to sequence of Path
        Logs of the jobs before it, by stage; those that are gone count as unknown.

    Returns
    -------
    dict
        Facts of `job`, and ``stages``: for each stage how many jobs are known, when the first
        began and the last ended, on which machines, under which ids of SLURM's.
    """
    stages = {stage: [read_job(stem) for stem in stems] for stage, stems in before.items()}
    return {
        "started": job.started,
        "finished": job.finished,
        "host": job.host,
        "slurm_job_id": job.slurm_job_id,
        "stages": {
            stage: _stage_facts([known for known in jobs if known is not None])
            for stage, jobs in stages.items()
        },
    }


def _stage_facts(jobs: list[Job]) -> dict[str, Any]:
    return {
        "jobs": len(jobs),
        "started": min((job.started for job in jobs), default=""),
        "finished": max((job.finished for job in jobs), default=""),
        "hosts": sorted({job.host for job in jobs}),
        "slurm_job_ids": sorted({job.slurm_job_id for job in jobs} - {""}),
    }


def text_facts(about: Mapping[str, Any]) -> dict[str, str]:
    """Return facts of a sidecar as text for a page; settings are left to the page."""
    return {name: _text(value) for name, value in about.items() if name != "settings"}


def _text(value: object) -> str:
    """Write a value as text; what is inside of another is in parentheses."""
    if isinstance(value, Mapping):
        return "; ".join(_entry(name, entry) for name, entry in value.items() if entry)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _entry(name: str, value: object) -> str:
    return f"{name} ({_text(value)})" if isinstance(value, Mapping) else f"{name} {_text(value)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(
        # No lock on the index, which a user's own git may want at this moment.
        ["git", "--no-optional-locks", "-C", str(checkout), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
