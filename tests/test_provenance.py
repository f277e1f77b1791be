"""What a sidecar says of the code, the settings and the jobs behind a table."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import datetime
from pathlib import Path

import numpy
import pytest

from phenopipe.config import check_config
from phenopipe.job_files import read_job, set_jobs, this_job
from phenopipe.logs import stage_log
from phenopipe.provenance import code_facts, git_commit, run_facts, settings_facts, text_facts


def test_versions_of_packages() -> None:
    packages = code_facts()["packages"]
    assert {"python", "torch", "zarr", "dask", "numpy", "snakemake"} <= set(packages)
    assert packages["numpy"] == numpy.__version__


def test_the_commit_of_a_checkout(tmp_path: Path) -> None:
    assert git_commit(tmp_path / "none") == ""

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    git_commit.cache_clear()
    (tmp_path / "file").write_text("b")
    assert git_commit(tmp_path) == f"{commit}+changes"


def test_settings_and_their_hash() -> None:
    config = check_config({"analyses": {"one": {"segment": {"seed_threshold": 0.3}}}})
    facts = settings_facts(config, "one")
    assert facts["settings"]["analysis"]["segment"]["seed_threshold"] == 0.3
    assert not {"nightly", "retention", "report", "season"} & set(facts["settings"])
    text = json.dumps(facts["settings"], sort_keys=True, separators=(",", ":"))
    assert facts["settings_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert "season" in settings_facts(config, "one", "season")["settings"]


def test_sets_that_wait_for_a_night_change_no_table_of_others() -> None:
    same = [
        settings_facts(check_config({"plan": plan, "analyses": {"one": {}}}), "one")
        for plan in ({}, {"hold": ["night_7"]}, {"sets": ["night_1"], "settle_seconds": 9})
    ]
    assert same[0] == same[1] == same[2]


def test_a_job_is_known_from_its_log(tmp_path: Path, monkeypatch) -> None:
    jobs = set_jobs("night.1", ["0000", "0001"], "net", "one", tmp_path)
    for number, stem in enumerate(jobs["predict"]):
        monkeypatch.setenv("SLURM_JOB_ID", str(40 + number))
        with stage_log(f"{stem}.log"):
            pass
    monkeypatch.delenv("SLURM_JOB_ID")
    with stage_log(f"{jobs['segment'][0]}.log"):
        pass
    assert read_job(jobs["ingest"][0]) is None
    job = read_job(jobs["predict"][1])
    assert (job.slurm_job_id, job.gpus) == ("41", 0)
    run = run_facts(this_job(datetime.now().astimezone()), jobs)
    assert run["slurm_job_id"] == ""
    predict = run["stages"]["predict"]
    assert (predict["jobs"], predict["slurm_job_ids"]) == (2, ["40", "41"])
    assert job.started >= predict["started"]
    assert run["stages"]["segment"]["slurm_job_ids"] == []
    assert run["stages"]["ingest"]["jobs"] == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (["a", "b"], "a, b"),
        ({"x": "1", "y": {"z": ["2", "3"], "none": ""}}, "x 1; y (z 2, 3)"),
    ],
)
def test_facts_as_text(value: object, text: str) -> None:
    assert text_facts({"fact": value, "settings": {}}) == {"fact": text}
