"""Jobs as a cluster runs them: each reads the Snakefile itself, and never lists image folders."""

from __future__ import annotations

import csv
import shutil

import pytest

pytestmark = pytest.mark.workflow

#: Loaded by every Python process: notes each folder that it lists.
SPY = """
import os, sys
def note(event, arguments):
    if event in ("os.listdir", "os.scandir"):
        with open(os.environ["LISTED"], "a") as file:
            file.write(os.path.abspath(str(arguments[0] or ".")) + "\\n")
sys.addaudithook(note)
"""
#: What Snakemake's executors for clusters add to the command of a job.
REMOTE = (
    *("--mode", "remote", "--force", "--target-files-omit-workdir-adjustment"),
    *("--max-inventory-time", "0", "--retries", "0", "--no-hooks", "--nolock"),
    *("--ignore-incomplete", "--force-use-threads"),
)


@pytest.fixture
def spied(experiment, tmp_path):
    """Run Snakemake; returns the folders of images that it and its jobs listed."""
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy/sitecustomize.py").write_text(SPY)
    listed = tmp_path / "listed.txt"

    def run(*arguments):
        listed.write_text("")
        spy = {"PYTHONPATH": str(tmp_path / "spy"), "LISTED": str(listed)}
        process = experiment.start(*arguments, **spy)
        output = process.communicate()[0]
        assert process.returncode == 0, output
        images = str(experiment.folder / "images")
        folders = listed.read_text().splitlines()
        assert folders
        return [folder for folder in folders if folder.startswith(images)]

    return run


def job(rule, **wildcards):
    target = ",".join(f"{name}={value}" for name, value in wildcards.items())
    return ("--target-jobs", f"{rule}:{target}", "--allowed-rules", rule, *REMOTE)


def test_the_main_process_lists_image_folders(spied):
    assert spied("--dry-run")


def test_an_ingest_job_lists_none(experiment, spied):
    table = experiment.results / "crops/night_1/0002.tsv"
    before = table.read_text()
    table.unlink()
    assert spied(*job("ingest", set="night_1", shard="0002")) == []
    assert table.read_text() == before


def test_a_season_job_lists_none_and_knows_which_sets_are_gone(experiment, spied):
    shutil.rmtree(experiment.folder / "images/night_2")
    assert experiment.run("results/plan/night_1.tsv", "--force").code == 0
    assert spied(*job("season", analysis="one")) == []
    table = experiment.results / "analyses/one/season/plants.csv"
    with table.open(encoding="utf-8", newline="") as file:
        assert {row["image_set"] for row in csv.DictReader(file)} == {"night_1"}
